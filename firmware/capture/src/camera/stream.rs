//! Buffers that the driver fills and we read, mapped into our memory.
#![expect(
    unsafe_code,
    reason = "the kernel's buffers are mapped into our memory"
)]

use super::device::{CAPTURE, Device, Plain, errno, fault};
use crate::CameraFault;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::ffi::c_int;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::NonNull;
use std::time::{Duration, Instant};
use v4l::v4l_sys as sys;
use v4l::v4l2::vidioc;

/// Buffers asked of the driver: one is held by us, one is being filled, two wait.
const BUFFERS: u32 = 4;

/// Where a poll says that something is wrong and nothing comes of it, it is asked again after this.
const PAUSE: Duration = Duration::from_millis(2);

/// A buffer of the driver's.
struct Mapping {
    start: NonNull<u8>,
    len: usize,
}

/// A buffer that the driver has filled. It is ours until it is given back.
#[derive(Clone, Copy, Debug)]
pub(super) struct Filled {
    pub(super) index: usize,
    /// Bytes in it.
    pub(super) used: usize,
    pub(super) sequence: u32,
    /// The kernel's stamp, of the monotonic clock; `None` where the driver stamps otherwise.
    pub(super) stamp_us: Option<i64>,
    /// Whether the driver says that its content is damaged.
    pub(super) is_damaged: bool,
}

/// A running stream.
pub(super) struct Stream {
    device: Device,
    buffers: Vec<Mapping>,
}

// SAFETY: the mappings are the stream's own, and only its owner reads them.
unsafe impl Send for Stream {}

impl Stream {
    /// Maps the driver's buffers, gives them to it, and starts.
    pub(super) fn start(device: Device) -> Result<Self, CameraFault> {
        let mut stream = Self {
            device,
            buffers: Vec::new(),
        };
        let mut request = sys::v4l2_requestbuffers::zeroed();
        (request.count, request.type_) = (BUFFERS, CAPTURE);
        request.memory = sys::v4l2_memory_V4L2_MEMORY_MMAP;
        stream
            .device
            .call(vidioc::VIDIOC_REQBUFS, &mut request)
            .map_err(|source| fault("give buffers", source))?;
        for index in 0..request.count {
            stream
                .map(index)
                .map_err(|source| fault("map its buffers", source))?;
        }
        for index in 0..stream.buffers.len() {
            stream.give_back(index)?;
        }
        let mut capture = CAPTURE as c_int;
        stream
            .device
            .call(vidioc::VIDIOC_STREAMON, &mut capture)
            .map_err(|source| fault("start streaming", source))?;
        Ok(stream)
    }

    fn map(&mut self, index: u32) -> io::Result<()> {
        let mut buffer = blank(index);
        self.device.call(vidioc::VIDIOC_QUERYBUF, &mut buffer)?;
        let len = buffer.length as usize;
        // SAFETY: the member of mapped buffers, a number.
        let offset = unsafe { buffer.m.offset };
        // SAFETY: a new mapping at a place that the kernel chooses takes nothing of ours.
        let start = unsafe {
            v4l::v4l2::mmap(
                std::ptr::null_mut(),
                len,
                nix::sys::mman::ProtFlags::PROT_READ.bits(),
                nix::sys::mman::MapFlags::MAP_SHARED.bits(),
                self.device.file().as_raw_fd(),
                i64::from(offset),
            )
        }?;
        let start = NonNull::new(start.cast()).ok_or(io::ErrorKind::OutOfMemory)?;
        self.buffers.push(Mapping { start, len });
        Ok(())
    }

    /// The next filled buffer; `None` if none came by the deadline.
    pub(super) fn wait(&self, deadline: Instant) -> Result<Option<Filled>, CameraFault> {
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let millis = u16::try_from(left.as_millis()).unwrap_or(u16::MAX);
            let mut polled = [PollFd::new(self.device.file().as_fd(), PollFlags::POLLIN)];
            match poll(&mut polled, PollTimeout::from(millis)) {
                Ok(0) | Err(Errno::EINTR) => {}
                Ok(_) => {
                    if let Some(filled) = self.take()? {
                        return Ok(Some(filled));
                    }
                    // Told to look, and nothing there: not as fast as the processor can.
                    if !left.is_zero() {
                        std::thread::sleep(PAUSE.min(left));
                    }
                }
                Err(errno) => return Err(fault("wait for a frame", errno.into())),
            }
            if left.is_zero() {
                return Ok(None);
            }
        }
    }

    /// A filled buffer, if there is one.
    fn take(&self) -> Result<Option<Filled>, CameraFault> {
        let mut buffer = blank(0);
        if let Err(source) = self.device.call(vidioc::VIDIOC_DQBUF, &mut buffer) {
            return match errno(&source) {
                Errno::EAGAIN => Ok(None),
                _ => Err(fault("hand over a frame", source)),
            };
        }
        let index = buffer.index as usize;
        let Some(mapping) = self.buffers.get(index) else {
            let source = io::Error::from(io::ErrorKind::InvalidData);
            return Err(fault("hand over a frame", source));
        };
        let is_monotonic = buffer.flags & sys::V4L2_BUF_FLAG_TIMESTAMP_MASK
            == sys::V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
        let stamp = buffer.timestamp;
        Ok(Some(Filled {
            index,
            used: (buffer.bytesused as usize).min(mapping.len),
            sequence: buffer.sequence,
            stamp_us: is_monotonic.then(|| stamp.tv_sec * 1_000_000 + stamp.tv_usec),
            is_damaged: buffer.flags & sys::V4L2_BUF_FLAG_ERROR != 0,
        }))
    }

    /// What the driver has put into a buffer.
    pub(super) fn bytes(&self, filled: &Filled) -> &[u8] {
        let mapping = &self.buffers[filled.index];
        // SAFETY: mapped for at least `used` bytes until the stream is dropped. The driver writes into it only while it has
        // the buffer, and `filled` says that we have it.
        unsafe { std::slice::from_raw_parts(mapping.start.as_ptr(), filled.used) }
    }

    /// Gives a buffer to the driver.
    pub(super) fn give_back(&self, index: usize) -> Result<(), CameraFault> {
        let mut buffer = blank(index as u32);
        self.device
            .call(vidioc::VIDIOC_QBUF, &mut buffer)
            .map_err(|source| fault("take a buffer back", source))
    }
}

fn blank(index: u32) -> sys::v4l2_buffer {
    let mut buffer = sys::v4l2_buffer::zeroed();
    (buffer.index, buffer.type_) = (index, CAPTURE);
    buffer.memory = sys::v4l2_memory_V4L2_MEMORY_MMAP;
    buffer
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Of a camera that is gone each of these fails, and there is nothing left to do about it: the device is closed
        // afterwards, which frees what is left.
        let mut capture = CAPTURE as c_int;
        let _ = self.device.call(vidioc::VIDIOC_STREAMOFF, &mut capture);
        for mapping in self.buffers.drain(..) {
            // SAFETY: mapped by us with this length, and unmapped once; nobody holds a slice of it, for that borrows us.
            let _ = unsafe { v4l::v4l2::munmap(mapping.start.as_ptr().cast(), mapping.len) };
        }
        let mut request = sys::v4l2_requestbuffers::zeroed();
        request.type_ = CAPTURE;
        request.memory = sys::v4l2_memory_V4L2_MEMORY_MMAP;
        let _ = self.device.call(vidioc::VIDIOC_REQBUFS, &mut request);
    }
}
