//! The C library: libjpeg-turbo's interface of few calls, as mozjpeg has it, which never leaves C by an error.
#![expect(unsafe_code, reason = "the decoder is a C library")]

use std::ffi::{CStr, c_char, c_int, c_uchar, c_ulong, c_void};
use std::ptr::NonNull;

// Its build is what is wanted of it; of this interface it declares nothing.
use mozjpeg_sys as _;

unsafe extern "C" {
    fn tjInitDecompress() -> *mut c_void;
    fn tjDestroy(handle: *mut c_void) -> c_int;
    fn tjDecompressHeader3(
        handle: *mut c_void,
        jpeg: *const c_uchar,
        len: c_ulong,
        width: *mut c_int,
        height: *mut c_int,
        subsampling: *mut c_int,
        colorspace: *mut c_int,
    ) -> c_int;
    fn tjDecompressToYUVPlanes(
        handle: *mut c_void,
        jpeg: *const c_uchar,
        len: c_ulong,
        planes: *mut *mut c_uchar,
        width: c_int,
        strides: *mut c_int,
        height: c_int,
        flags: c_int,
    ) -> c_int;
    fn tjPlaneWidth(component: c_int, width: c_int, subsampling: c_int) -> c_int;
    fn tjPlaneHeight(component: c_int, height: c_int, subsampling: c_int) -> c_int;
    fn tjGetErrorStr2(handle: *mut c_void) -> *mut c_char;
    fn tjGetErrorCode(handle: *mut c_void) -> c_int;
}

/// `TJERR_WARNING`: the picture was decoded, something in it was odd.
const WARNING: c_int = 0;
/// `TJFLAG_LIMITSCANS`: a picture of thousands of passes is refused.
const LIMIT_SCANS: c_int = 32_768;
/// `TJCS_YCbCr`, `TJCS_GRAY`.
const KNOWN_COLORSPACES: [c_int; 2] = [1, 2];

/// What many cameras append to each picture: it was decoded whole before this is noticed.
const HARMLESS: &str = "extraneous bytes before marker 0xd9";

/// Larger than any camera; keeps every product of a width and a height small.
const LARGEST_SIDE: c_int = 16_384;

/// How chroma is reduced, as `enum TJSAMP` numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(super) enum Subsampling {
    /// Not (4:4:4).
    None = 0,
    /// Across (4:2:2).
    Across = 1,
    /// Across and down (4:2:0).
    Half = 2,
    /// No chroma.
    Gray = 3,
    /// Down (4:4:0).
    Down = 4,
    /// To a quarter across (4:1:1).
    Quarter = 5,
}

impl Subsampling {
    fn of(number: c_int) -> Option<Self> {
        [
            Self::None,
            Self::Across,
            Self::Half,
            Self::Gray,
            Self::Down,
            Self::Quarter,
        ]
        .into_iter()
        .find(|one| *one as c_int == number)
    }

    /// Width and height of a coded plane of a picture: 0 is luma, which may be wider by what pads it to whole chroma.
    pub(super) fn plane_size(
        self,
        component: usize,
        (width, height): (usize, usize),
    ) -> (usize, usize) {
        let (component, number) = (component as c_int, self as c_int);
        // SAFETY: pure arithmetic on numbers.
        let (across, down) = unsafe {
            (
                tjPlaneWidth(component, width as c_int, number),
                tjPlaneHeight(component, height as c_int, number),
            )
        };
        // Negative for a component that is not there.
        (across.max(0) as usize, down.max(0) as usize)
    }
}

/// What a picture says of itself.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) subsampling: Subsampling,
}

/// A decoder of the library; made when needed, and anew after a failure, so that no picture's damage reaches the next.
#[derive(Default)]
pub(super) struct Turbo {
    handle: Option<Handle>,
}

struct Handle(NonNull<c_void>);

// SAFETY: the library keeps all state in what the handle points to, and only its owner uses it.
unsafe impl Send for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: made by `tjInitDecompress`, destroyed once.
        unsafe { tjDestroy(self.0.as_ptr()) };
    }
}

impl Turbo {
    /// Forgets a header that was read and not followed by [`Self::planes`].
    pub(super) fn reset(&mut self) {
        self.handle = None;
    }

    /// Reads a picture's header. [`Self::planes`] or [`Self::reset`] comes next.
    pub(super) fn header(&mut self, jpeg: &[u8]) -> Result<Header, String> {
        let handle = match self.handle.take() {
            Some(handle) => handle,
            None => Handle::new()?,
        };
        let (mut width, mut height, mut subsampling, mut colorspace) = (0, 0, -1, -1);
        // SAFETY: the slice is valid for its length during the call, the numbers are ours.
        let failed = unsafe {
            tjDecompressHeader3(
                handle.0.as_ptr(),
                jpeg.as_ptr(),
                jpeg.len() as c_ulong,
                &raw mut width,
                &raw mut height,
                &raw mut subsampling,
                &raw mut colorspace,
            )
        };
        if failed != 0 && !handle.is_harmless() {
            return Err(handle.said());
        }
        let side = 1..=LARGEST_SIDE;
        if !side.contains(&width) || !side.contains(&height) {
            return Err(format!("it says that it has {width}x{height} pixels"));
        }
        if !KNOWN_COLORSPACES.contains(&colorspace) {
            return Err("its colours are not those of a camera".to_owned());
        }
        let subsampling = Subsampling::of(subsampling)
            .ok_or_else(|| "its chroma is reduced in an unknown way".to_owned())?;
        self.handle = Some(handle);
        Ok(Header {
            width: width as u32,
            height: height as u32,
            subsampling,
        })
    }

    /// Decodes the picture whose header was read last into planes of luma, chroma blue and chroma red at `size`, which is
    /// the picture's or a reduced one.
    pub(super) fn planes(
        &mut self,
        jpeg: &[u8],
        header: Header,
        size: (usize, usize),
        planes: [&mut [u8]; 3],
    ) -> Result<(), String> {
        let handle = self.handle.take().ok_or("no header was read")?;
        let mut strides = [0; 3];
        for (component, plane) in planes.iter().enumerate() {
            let (across, down) = header.subsampling.plane_size(component, size);
            strides[component] = across as c_int;
            if component > 0 && header.subsampling == Subsampling::Gray {
                continue;
            }
            if plane.len() < across * down {
                return Err("its planes do not fit".to_owned());
            }
        }
        let mut pointers = planes.map(<[u8]>::as_mut_ptr);
        // SAFETY: the header of this very slice was read with this handle, so the library's sizes are those that the
        // planes were checked for above: it picks the largest reduction that fits into `size`, and computes each plane's
        // width and height as `plane_size` does.
        let failed = unsafe {
            tjDecompressToYUVPlanes(
                handle.0.as_ptr(),
                jpeg.as_ptr(),
                jpeg.len() as c_ulong,
                pointers.as_mut_ptr(),
                size.0 as c_int,
                strides.as_mut_ptr(),
                size.1 as c_int,
                LIMIT_SCANS,
            )
        };
        if failed != 0 && !handle.is_harmless() {
            return Err(handle.said());
        }
        self.handle = Some(handle);
        Ok(())
    }
}

impl Handle {
    fn new() -> Result<Self, String> {
        // SAFETY: takes nothing.
        let handle = unsafe { tjInitDecompress() };
        NonNull::new(handle)
            .map(Self)
            .ok_or_else(|| "no memory for the decoder".to_owned())
    }

    fn is_harmless(&self) -> bool {
        // SAFETY: a handle of the library.
        let code = unsafe { tjGetErrorCode(self.0.as_ptr()) };
        code == WARNING && self.with_said(|said| said.contains(HARMLESS))
    }

    fn said(&self) -> String {
        self.with_said(str::to_owned)
    }

    fn with_said<T>(&self, then: impl FnOnce(&str) -> T) -> T {
        // SAFETY: the library answers with text of its own that ends with a zero and stays until the next call.
        let said = unsafe { CStr::from_ptr(tjGetErrorStr2(self.0.as_ptr())) };
        then(&said.to_string_lossy())
    }
}
