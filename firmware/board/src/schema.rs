//! What a board file says, once it is checked. `docs/reference/board.md` has the keys.

use label_core::id::Name;
use std::path::PathBuf;

/// A checked board file.
#[derive(Clone, Debug, PartialEq)]
pub struct Board {
    /// Name of the board file, for the birth message.
    pub name: Name,
    /// Level of the topics above the rig.
    pub site: Name,
    /// The rig's name.
    pub rig: Name,
    /// What computer it is, as far as its pins are concerned.
    pub hardware: Hardware,
    /// Where frames come from.
    pub source: Source,
    /// The models.
    pub perception: Perception,
    /// When to do less.
    pub budget: Budget,
    /// When labelling starts.
    pub session: Session,
    /// Where labels wait.
    pub outbox: Outbox,
    /// What is recorded of the pictures; `None` where nothing is.
    pub recording: Option<Recording>,
    /// Where labels go.
    pub broker: Broker,
    /// The display, if there is one.
    pub panel: Option<Panel>,
    /// Light-emitting diodes and the button, if there are any.
    pub pins: Option<Pins>,
    /// The file's text, for the birth message's digest.
    pub text: String,
}

/// An enumeration that a board file spells out.
pub trait Word: Copy + PartialEq + 'static {
    /// Every value with its spelling, in the order in which they are shown.
    const ALL: &'static [(&'static str, Self)];

    /// How the board file spells this value.
    fn word(self) -> &'static str {
        Self::ALL
            .iter()
            .find(|(_, value)| *value == self)
            .map_or("", |(word, _)| word)
    }
}

macro_rules! words {
    ($type:ty { $($word:literal = $value:ident),+ $(,)? }) => {
        impl Word for $type {
            const ALL: &'static [(&'static str, Self)] = &[$(($word, Self::$value)),+];
        }
    };
}

/// What computer a rig is, as far as its pins are concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hardware {
    /// A Raspberry Pi: pins are numbered as the chip's maker (BCM) numbers them, and `rppal` may drive them.
    RaspberryPi,
    /// An NVIDIA Jetson.
    Jetson,
    /// Any other.
    Computer,
}
words!(Hardware { "raspberry-pi" = RaspberryPi, "jetson" = Jetson, "computer" = Computer });

/// Where frames come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A clip file, labelled once.
    Clip {
        /// The file.
        path: PathBuf,
        /// How much of it is read.
        seconds: Option<f64>,
    },
    /// A camera that the kernel knows.
    Camera(Camera),
    /// A program that writes frames.
    Pipe(Pipe),
}

/// A V4L2 camera.
#[derive(Clone, Debug, PartialEq)]
pub struct Camera {
    /// Its device.
    pub device: PathBuf,
    /// Pixel formats in order of preference.
    pub formats: Vec<PixelFormat>,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames per second.
    pub fps: f32,
    /// Exposure time in microseconds; `None` lets the camera choose.
    pub exposure_us: Option<u32>,
    /// Gain in the camera's own units; `None` leaves it alone.
    pub gain: Option<i32>,
    /// Which mains flicker automatic exposure avoids; `None` leaves it alone.
    pub anti_flicker: Option<AntiFlicker>,
    /// Whether the infrared lamp burns; `None` leaves it alone.
    pub infrared_lamp: Option<bool>,
    /// How long to wait for a frame, in milliseconds.
    pub timeout_ms: u32,
}

/// How a camera sends pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PixelFormat {
    /// A JPEG picture a frame.
    Mjpeg,
    /// Luma plane, then two chroma planes of half the size.
    I420,
    /// Luma plane, then interleaved chroma at half the size.
    Nv12,
    /// Luma and chroma interleaved, chroma at half the width.
    Yuyv,
    /// Luma alone.
    Grey,
}
words!(PixelFormat { "mjpeg" = Mjpeg, "i420" = I420, "nv12" = Nv12, "yuyv" = Yuyv, "grey" = Grey });

/// Which flicker of the mains automatic exposure avoids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AntiFlicker {
    /// None.
    Off,
    /// Lamps on 50 Hz.
    Hz50,
    /// Lamps on 60 Hz.
    Hz60,
    /// The camera finds out.
    Auto,
}
words!(AntiFlicker { "off" = Off, "50hz" = Hz50, "60hz" = Hz60, "auto" = Auto });

/// A program that writes frames to its standard output.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipe {
    /// The program and its arguments; no shell reads them.
    pub command: Vec<String>,
    /// What it writes.
    pub format: PipeFormat,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
    /// Frames per second that it is told to write.
    pub fps: f32,
    /// How long to wait for a frame, in milliseconds.
    pub timeout_ms: u32,
}

/// How a program writes frames, one after another without any header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PipeFormat {
    /// JPEG pictures.
    Mjpeg,
    /// Luma plane, then two chroma planes of half the size.
    I420,
    /// Luma plane, then interleaved chroma at half the size.
    Nv12,
    /// Luma and chroma interleaved, chroma at half the width.
    Yuyv,
    /// Luma alone.
    Grey,
}
words!(PipeFormat {
    "mjpeg" = Mjpeg,
    "i420" = I420,
    "nv12" = Nv12,
    "yuyv" = Yuyv,
    "grey" = Grey,
});

/// The models.
#[derive(Clone, Debug, PartialEq)]
pub struct Perception {
    /// Folder of model cards.
    pub cards: PathBuf,
    /// Folder of model files.
    pub files: PathBuf,
    /// The runtime library.
    pub runtime: PathBuf,
    /// Calibration of confidence.
    pub calibration: PathBuf,
    /// Folder of the golden clip, on which a rig proves its models.
    pub golden: PathBuf,
    /// Processor threads of a model run.
    pub threads: u32,
    /// People followed at a time.
    pub max_faces: usize,
    /// A person's box is measured anew after this time, in milliseconds.
    pub person_every_ms: u32,
    /// Further people are looked for this often while fewer than `max_faces` are followed, in milliseconds.
    pub search_every_ms: u32,
    /// Card of the short-range face detector.
    pub short_range: String,
    /// Card of the full-range face detector.
    pub full_range: String,
    /// Card of the face mesh.
    pub mesh: String,
    /// Card of the eye reader.
    pub eye_reader: String,
    /// Card of the person detector.
    pub person: String,
    /// Card of the mask that tightens person boxes.
    pub person_mask: String,
}

/// When to do less, and when to do more again.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Above this temperature, in °C, the rig does less, step by step.
    pub hot_c: f32,
    /// Below this temperature, in °C, and in time, it takes a step back.
    pub cool_c: f32,
    /// A frame labelled later than this after it was captured, in milliseconds, is late: the rig does less.
    pub late_ms: u32,
}

/// When labelling starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// What starts it.
    pub start: SessionStart,
}

/// What starts a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionStart {
    /// The rig's own start.
    AtBoot,
    /// A long press of the button.
    ByButton,
}
words!(SessionStart { "at-boot" = AtBoot, "by-button" = ByButton });

/// Where labels wait.
#[derive(Clone, Debug, PartialEq)]
pub struct Outbox {
    /// The folder.
    pub dir: PathBuf,
    /// Its largest size.
    pub max_mib: u64,
}

/// Recording on the rig's own disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// The folder.
    pub dir: PathBuf,
    /// Who makes the pictures.
    pub encoder: RecordingEncoder,
    /// The longest segment, in seconds.
    pub segment_s: u32,
    /// The folder's largest size.
    pub max_mib: u64,
    /// What is older is deleted, in hours.
    pub keep_hours: u32,
}

/// Who makes the pictures that are recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordingEncoder {
    /// The camera, which sends JPEGs.
    Camera,
    /// ffmpeg, of the frames that were labelled.
    Ffmpeg,
}
words!(RecordingEncoder { "camera" = Camera, "ffmpeg" = Ffmpeg });

/// The MQTT broker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broker {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// How the connection is protected; `None` for a connection in the clear.
    pub tls: Option<Tls>,
}

/// Files that protect the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tls {
    /// Certificate of the authority that signed the broker's.
    pub ca: PathBuf,
    /// The rig's certificate.
    pub cert: PathBuf,
    /// The rig's private key.
    pub key: PathBuf,
}

/// An SSD1306 display of 128x64 pixels on an I2C bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Panel {
    /// The bus, `/dev/i2c-<number>`.
    pub bus: PathBuf,
    /// The display's address, 7 bits.
    pub address: u8,
    /// By which way it is driven.
    pub access: Access,
    /// Whether the picture is turned by half a turn.
    pub upside_down: bool,
}

impl Panel {
    /// The number at the end of the bus's path.
    pub fn bus_number(&self) -> Option<u8> {
        crate::rules::bus_number(&self.bus)
    }
}

/// By which way pins and buses are driven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// The crate of that name, which knows the Raspberry Pi's chips.
    Rppal,
    /// The kernel's own interfaces, on any computer.
    Kernel,
}
words!(Access { "rppal" = Rppal, "kernel" = Kernel });

/// Three light-emitting diodes and a button.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pins {
    /// By which way they are driven.
    pub access: Access,
    /// The chip whose lines they are, for [`Access::Kernel`]: its device if it begins with `/`, else its label. Empty for
    /// `rppal`, which finds the chip itself.
    pub chip: PathBuf,
    /// Lights while the rig lives. Like all of these: the BCM number on a Raspberry Pi, the chip's line elsewhere.
    pub heartbeat: u32,
    /// Lights while a session runs.
    pub recording: u32,
    /// Lights when something is wrong.
    pub fault: u32,
    /// The button.
    pub button: u32,
    /// Whether a pressed button pulls its line to ground.
    pub button_active_low: bool,
}
