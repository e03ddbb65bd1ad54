//! A video device: what it offers, and setting it up.
//!
//! Of the crate `v4l` its bindings, its numbers of requests and its calls are used. Its own `Device` and `Stream` are not:
//! they panic on a camera whose name is cut within a letter, on controls newer than the crate, and when a stream that
//! failed is dropped; a rig must live through all three.
#![expect(
    unsafe_code,
    reason = "the kernel's video interface is structures of C with unions in them"
)]

use super::controls::{ControlKind, ControlOffer};
use super::negotiate::Plan;
use super::offer::{Interval, IntervalOffer, Offer, SizeOffer, fourcc_text};
use super::{CameraSettings, PixelFormat};
use crate::CameraFault;
use crate::convert::RawLayout;
use nix::errno::Errno;
use std::ffi::c_void;
use std::fs::{File, OpenOptions};
use std::io;
use std::mem::size_of;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use v4l::v4l_sys as sys;
use v4l::v4l2::vidioc;

/// Most entries of any list that is believed: a driver that never ends one does not hang us.
const MOST: u32 = 1000;

/// `V4L2_BUF_TYPE_VIDEO_CAPTURE`.
pub(super) const CAPTURE: u32 = sys::v4l2_buf_type_V4L2_BUF_TYPE_VIDEO_CAPTURE;

/// With it a driver fills in the range of values, and without it they mean nothing (`V4L2_PIX_FMT_PRIV_MAGIC`).
const EXTENDED: u32 = 0xfeed_cafe;

/// Structures of C of which all zeros are a value.
///
/// # Safety
///
/// Only for such structures.
pub(super) unsafe trait Plain: Sized {
    fn zeroed() -> Self {
        // SAFETY: promised by the implementation.
        unsafe { std::mem::zeroed() }
    }
}

macro_rules! plain {
    ($($name:ty),*) => {
        $(
            // SAFETY: numbers, arrays of them, unions of them, and pointers, which may be null.
            unsafe impl Plain for $name {}
        )*
    };
}

plain!(
    sys::v4l2_capability,
    sys::v4l2_fmtdesc,
    sys::v4l2_frmsizeenum,
    sys::v4l2_frmivalenum,
    sys::v4l2_format,
    sys::v4l2_streamparm,
    sys::v4l2_query_ext_ctrl,
    sys::v4l2_querymenu,
    sys::v4l2_control,
    sys::v4l2_requestbuffers,
    sys::v4l2_buffer,
    std::ffi::c_int
);

/// An open video device.
pub(super) struct Device {
    file: File,
}

/// How pixels will come.
pub(super) struct SetFormat {
    /// Of raw formats.
    pub(super) layout: RawLayout,
    /// Frames a second that the driver promises; `None` where it does not say.
    pub(super) fps: Option<f32>,
}

impl Device {
    /// Opens a device and makes sure that it streams video.
    pub(super) fn open(path: &Path) -> Result<Self, CameraFault> {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(nix::fcntl::OFlag::O_NONBLOCK.bits())
            .open(path)
            .map_err(|source| open_fault(path, source))?;
        let device = Self { file };
        let mut capabilities = sys::v4l2_capability::zeroed();
        device
            .call(vidioc::VIDIOC_QUERYCAP, &mut capabilities)
            .map_err(|source| match errno(&source) {
                Errno::ENOTTY | Errno::EINVAL => CameraFault::NotACamera {
                    what: "it is no video device".to_owned(),
                },
                _ => fault("say what it is", source),
            })?;
        let able = if capabilities.capabilities & sys::V4L2_CAP_DEVICE_CAPS == 0 {
            capabilities.capabilities
        } else {
            capabilities.device_caps
        };
        let has = |capability| able & capability != 0;
        let what = if has(sys::V4L2_CAP_VIDEO_CAPTURE) && has(sys::V4L2_CAP_STREAMING) {
            return Ok(device);
        } else if has(sys::V4L2_CAP_META_CAPTURE) {
            "it carries what the camera tells beside its pictures; those are at the camera's other device, mostly the one numbered one lower"
        } else if has(sys::V4L2_CAP_VIDEO_CAPTURE_MPLANE) {
            "it gives planes in separate memory, as processors' own camera interfaces do: read it through a program, with `kind = \"pipe\"` under [source]"
        } else {
            "it does not capture pictures"
        };
        let name = text(&capabilities.card);
        Err(CameraFault::NotACamera {
            what: format!("{name}: {what}"),
        })
    }

    /// One request, repeated where a signal came between.
    pub(super) fn call<T: Plain>(
        &self,
        request: vidioc::_IOC_TYPE,
        argument: &mut T,
    ) -> io::Result<()> {
        // A request's number holds the size of what it reads and writes.
        const SIZE_SHIFT: u32 = 16;
        const SIZE_MASK: usize = (1 << 14) - 1;
        if (request >> SIZE_SHIFT) as usize & SIZE_MASK != size_of::<T>() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        loop {
            let argument = (&raw mut *argument).cast::<c_void>();
            // SAFETY: the structure is one of C's, ours alone, and of the size that the request states, which was compared.
            // None of the requests made here has the kernel follow a pointer in it.
            match unsafe { v4l::v4l2::ioctl(self.file.as_raw_fd(), request, argument) } {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                other => return other,
            }
        }
    }

    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// What it offers in sizes and rates of every format, near what is wanted.
    pub(super) fn offers(&self, wanted: &CameraSettings) -> Vec<Offer> {
        let mut offers = Vec::new();
        for index in 0..MOST {
            let mut format = sys::v4l2_fmtdesc::zeroed();
            (format.index, format.type_) = (index, CAPTURE);
            if self.call(vidioc::VIDIOC_ENUM_FMT, &mut format).is_err() {
                break;
            }
            let fourcc = format.pixelformat.to_le_bytes();
            let sizes = self.sizes(format.pixelformat);
            offers.extend(sizes.into_iter().map(|size| {
                let (width, height) = size.nearest(wanted.width, wanted.height);
                Offer {
                    fourcc,
                    size,
                    intervals: self.intervals(format.pixelformat, width, height),
                }
            }));
        }
        offers
    }

    fn sizes(&self, fourcc: u32) -> Vec<SizeOffer> {
        let mut sizes = Vec::new();
        for index in 0..MOST {
            let mut size = sys::v4l2_frmsizeenum::zeroed();
            (size.index, size.pixel_format) = (index, fourcc);
            if self
                .call(vidioc::VIDIOC_ENUM_FRAMESIZES, &mut size)
                .is_err()
            {
                break;
            }
            if size.type_ == sys::v4l2_frmsizetypes_V4L2_FRMSIZE_TYPE_DISCRETE {
                // SAFETY: the type says which of the union is meant; both are numbers.
                let one = unsafe { size.__bindgen_anon_1.discrete };
                sizes.push(SizeOffer::One {
                    width: one.width,
                    height: one.height,
                });
                continue;
            }
            // SAFETY: as above.
            let range = unsafe { size.__bindgen_anon_1.stepwise };
            sizes.push(SizeOffer::Range {
                width: [range.min_width, range.max_width, range.step_width],
                height: [range.min_height, range.max_height, range.step_height],
            });
            // The kernel has one range at most.
            break;
        }
        sizes
    }

    fn intervals(&self, fourcc: u32, width: u32, height: u32) -> Vec<IntervalOffer> {
        let of = |fraction: sys::v4l2_fract| Interval {
            numerator: fraction.numerator,
            denominator: fraction.denominator,
        };
        let mut intervals = Vec::new();
        for index in 0..MOST {
            let mut interval = sys::v4l2_frmivalenum::zeroed();
            (interval.index, interval.pixel_format) = (index, fourcc);
            (interval.width, interval.height) = (width, height);
            let request = vidioc::VIDIOC_ENUM_FRAMEINTERVALS;
            if self.call(request, &mut interval).is_err() {
                break;
            }
            if interval.type_ == sys::v4l2_frmivaltypes_V4L2_FRMIVAL_TYPE_DISCRETE {
                // SAFETY: the type says which of the union is meant; both are numbers.
                let one = unsafe { interval.__bindgen_anon_1.discrete };
                intervals.push(IntervalOffer::One(of(one)));
                continue;
            }
            // SAFETY: as above.
            let range = unsafe { interval.__bindgen_anon_1.stepwise };
            let is_continuous =
                interval.type_ == sys::v4l2_frmivaltypes_V4L2_FRMIVAL_TYPE_CONTINUOUS;
            let none = Interval {
                numerator: 0,
                denominator: 0,
            };
            intervals.push(IntervalOffer::Range {
                shortest: of(range.min),
                longest: of(range.max),
                step: if is_continuous { none } else { of(range.step) },
            });
            break;
        }
        intervals
    }

    /// The controls it has.
    pub(super) fn controls(&self) -> Vec<ControlOffer> {
        let mut controls: Vec<ControlOffer> = Vec::new();
        let mut last = 0;
        for _ in 0..MOST {
            let mut control = sys::v4l2_query_ext_ctrl::zeroed();
            control.id = last | sys::V4L2_CTRL_FLAG_NEXT_CTRL;
            let request = vidioc::VIDIOC_QUERY_EXT_CTRL;
            if self.call(request, &mut control).is_err() || control.id <= last {
                break;
            }
            last = control.id;
            // C's char has a sign on x86-64 and none on Arm.
            let name = control.name.map(|char| char.to_ne_bytes()[0]);
            let kind = match control.type_ {
                sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_INTEGER => ControlKind::Number,
                sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_BOOLEAN => ControlKind::Switch,
                sys::v4l2_ctrl_type_V4L2_CTRL_TYPE_MENU => ControlKind::Menu,
                _ => ControlKind::Other,
            };
            let unwritable = sys::V4L2_CTRL_FLAG_DISABLED | sys::V4L2_CTRL_FLAG_READ_ONLY;
            let items = match kind {
                ControlKind::Menu => self.menu_items(control.id, control.minimum, control.maximum),
                _ => Vec::new(),
            };
            controls.push(ControlOffer {
                id: control.id,
                name: text(&name),
                kind,
                minimum: control.minimum,
                maximum: control.maximum,
                step: i64::try_from(control.step).unwrap_or(1),
                items,
                is_writable: control.flags & unwritable == 0 && kind != ControlKind::Other,
            });
        }
        controls
    }

    /// The items of a menu that exist: there may be gaps.
    fn menu_items(&self, id: u32, from: i64, to: i64) -> Vec<i64> {
        let exists = |index: &i64| {
            let mut item = sys::v4l2_querymenu::zeroed();
            (item.id, item.index) = (id, *index as u32);
            self.call(vidioc::VIDIOC_QUERYMENU, &mut item).is_ok()
        };
        let most = from.saturating_add(i64::from(MOST));
        (from..=to.min(most)).filter(exists).collect()
    }

    /// Sets one control.
    pub(super) fn set_control(&self, id: u32, value: i64) -> io::Result<()> {
        let mut control = sys::v4l2_control::zeroed();
        control.id = id;
        control.value = i32::try_from(value).map_err(|_| io::ErrorKind::InvalidInput)?;
        self.call(vidioc::VIDIOC_S_CTRL, &mut control)
    }

    /// Sets format and rate. A driver may answer with another format than the one it was asked for and offered: that is
    /// told, for its pixels would be read as what they are not.
    pub(super) fn set_up(&self, plan: &Plan) -> Result<SetFormat, CameraFault> {
        let mut format = sys::v4l2_format::zeroed();
        format.type_ = CAPTURE;
        format.fmt.pix = sys::v4l2_pix_format {
            width: plan.width,
            height: plan.height,
            pixelformat: u32::from_le_bytes(plan.fourcc),
            field: sys::v4l2_field_V4L2_FIELD_NONE,
            priv_: EXTENDED,
            // SAFETY: the structure was zeroed.
            ..unsafe { format.fmt.pix }
        };
        self.call(vidioc::VIDIOC_S_FMT, &mut format)
            .map_err(|source| fault("set format and size", source))?;
        // SAFETY: the member of a capture device; numbers, whatever the driver wrote.
        let pix = unsafe { format.fmt.pix };
        let got = pix.pixelformat.to_le_bytes();
        if (got, pix.width, pix.height) != (plan.fourcc, plan.width, plan.height) {
            let told = |fourcc, width, height| format!("{} {width}x{height}", fourcc_text(fourcc));
            return Err(CameraFault::OtherFormat {
                asked: told(plan.fourcc, plan.width, plan.height),
                got: told(got, pix.width, pix.height),
            });
        }
        let (width, height) = (plan.width as usize, plan.height as usize);
        let full_range = is_full_range(plan.format, pix.colorspace, pix.quantization);
        let mut layout = RawLayout::packed(plan.format, width, height, full_range);
        layout.stride = layout.stride.max(pix.bytesperline as usize);
        Ok(SetFormat {
            layout,
            fps: self.set_interval(plan.interval),
        })
    }

    /// Sets the rate; a driver without one keeps its own and does not say which.
    fn set_interval(&self, interval: Interval) -> Option<f32> {
        let mut parameters = sys::v4l2_streamparm::zeroed();
        parameters.type_ = CAPTURE;
        // SAFETY: the structure was zeroed, and this is the member of a capture device.
        let capture = unsafe { &mut parameters.parm.capture };
        capture.timeperframe.numerator = interval.numerator;
        capture.timeperframe.denominator = interval.denominator;
        self.call(vidioc::VIDIOC_S_PARM, &mut parameters).ok()?;
        // SAFETY: as above; numbers, whatever the driver wrote.
        let got = unsafe { parameters.parm.capture.timeperframe };
        let got = Interval {
            numerator: got.numerator,
            denominator: got.denominator,
        };
        got.fps()
    }
}

/// Whether values span 0 to 255: as the driver says, else as is the rule for the format. JPEG always does, and a
/// near-infrared sensor's values come as they are.
fn is_full_range(format: PixelFormat, colorspace: u32, quantization: u32) -> bool {
    match quantization {
        sys::v4l2_quantization_V4L2_QUANTIZATION_FULL_RANGE => true,
        sys::v4l2_quantization_V4L2_QUANTIZATION_LIM_RANGE => false,
        _ => {
            colorspace == sys::v4l2_colorspace_V4L2_COLORSPACE_JPEG
                || matches!(format, PixelFormat::Mjpeg | PixelFormat::Grey)
        }
    }
}

/// Text of C, up to its end; what is no text in it is replaced.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    String::from_utf8_lossy(&bytes[..end.unwrap_or(bytes.len())]).into_owned()
}

pub(super) fn errno(error: &io::Error) -> Errno {
    error
        .raw_os_error()
        .map_or(Errno::UnknownErrno, Errno::from_raw)
}

fn open_fault(path: &Path, source: io::Error) -> CameraFault {
    match errno(&source) {
        // A node may stay for a moment after its camera has gone.
        Errno::ENOENT | Errno::ENXIO | Errno::ENODEV => CameraFault::Missing,
        Errno::EACCES | Errno::EPERM => CameraFault::NotAllowed,
        Errno::EISDIR => CameraFault::NotACamera {
            what: format!("{} is a folder; name a camera in it", path.display()),
        },
        _ => fault("open", source),
    }
}

/// What an error of the driver means.
pub(super) fn fault(doing: &'static str, source: io::Error) -> CameraFault {
    match errno(&source) {
        Errno::ENODEV | Errno::ENXIO => CameraFault::Unplugged,
        Errno::EBUSY => CameraFault::Busy,
        Errno::ENOSPC => CameraFault::NoBandwidth,
        _ => CameraFault::Driver { doing, source },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_is_what_the_driver_says_else_what_is_usual() {
        let (jpeg, srgb) = (7, 8);
        let (default, full, limited) = (0, 1, 2);
        for (format, colorspace, quantization, expected) in [
            (PixelFormat::Yuyv, srgb, default, false),
            (PixelFormat::Yuyv, jpeg, default, true),
            (PixelFormat::Nv12, srgb, full, true),
            (PixelFormat::Nv12, jpeg, limited, false),
            (PixelFormat::Grey, srgb, default, true),
            (PixelFormat::Grey, srgb, limited, false),
            (PixelFormat::Mjpeg, srgb, default, true),
        ] {
            assert_eq!(
                is_full_range(format, colorspace, quantization),
                expected,
                "{format} {colorspace} {quantization}"
            );
        }
    }

    #[test]
    fn a_name_cut_within_a_letter_is_still_a_name() {
        assert_eq!(text(b"Kamera f\xc3\xbc\xc3\0\0"), "Kamera f\u{fc}\u{fffd}");
        assert_eq!(text(b"no end"), "no end");
    }

    #[test]
    fn what_is_no_camera_is_told_as_such() {
        let told = |path: &str| Device::open(Path::new(path)).err().unwrap();
        assert!(matches!(told("/dev/no-such-video"), CameraFault::Missing));
        assert!(matches!(told("/dev/null"), CameraFault::NotACamera { .. }));
        assert!(matches!(told("/dev"), CameraFault::NotACamera { .. }));
    }

    #[test]
    fn an_error_of_the_driver_is_told_by_what_it_means() {
        let of = |errno: Errno| fault("wait", io::Error::from_raw_os_error(errno as i32));
        assert!(matches!(of(Errno::ENODEV), CameraFault::Unplugged));
        assert!(matches!(of(Errno::EBUSY), CameraFault::Busy));
        assert!(matches!(of(Errno::ENOSPC), CameraFault::NoBandwidth));
        assert!(of(Errno::EIO).to_string().contains("wait"));
        for errno in [Errno::ENODEV, Errno::EBUSY, Errno::ENOSPC, Errno::EIO] {
            assert!(of(errno).is_passing());
        }
    }

    #[test]
    fn a_request_and_a_structure_that_do_not_fit_never_reach_the_kernel() {
        let device = Device {
            file: File::open("/dev/null").unwrap(),
        };
        let mut wrong = sys::v4l2_control::zeroed();
        let error = device.call(vidioc::VIDIOC_S_FMT, &mut wrong).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}
