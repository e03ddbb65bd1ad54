//! What the panel shows, as `rigeld` tells it.

use serde::{Deserialize, Serialize};

/// Below this the panel warns of a full disk: the outbox of the shipped boards needs up to 256 MiB.
pub(crate) const LOW_DISK_MIB: u64 = 512;

/// From here on the panel warns of heat: a Raspberry Pi begins to slow down at 80 °C, and does so more at 85 °C.
pub(crate) const HOT_C: f32 = 80.0;

/// Everything the panel shows. What is not known is `None` and shown as `--`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PanelState {
    /// The rig's name.
    pub rig: String,
    /// What the rig is doing.
    pub mode: Mode,
    /// Frames labelled since the start. The heartbeat light follows it.
    pub frames: u64,
    /// Frames labelled a second, measured.
    pub fps: Option<f32>,
    /// Whether somebody is in view.
    pub person: Option<bool>,
    /// Whether the subject's left and right eye are seen.
    pub eyes: [Option<bool>; 2],
    /// Blinks in the last minute.
    pub blinks_last_minute: Option<u32>,
    /// Moments marked by the button since the start. When it rises, the panel confirms the mark.
    pub marks: u32,
    /// Whether the host is reached.
    pub link: Link,
    /// Messages that wait for the host.
    pub outbox_messages: Option<u64>,
    /// Free space where the outbox lies.
    pub disk_free_mib: Option<u64>,
    /// The processor's temperature.
    pub temperature_c: Option<f32>,
    /// Whether the board slows down, for heat or for want of voltage.
    pub throttled: Option<bool>,
    /// Where the time comes from: `unsynced`, `rtc`, `ntp`, `ptp`, `corrected`.
    pub clock: Option<String>,
    /// What is not done at present for want of time or coolness.
    pub shed: Option<String>,
    /// What the camera gives.
    pub camera: Option<CameraState>,
    /// What the last self-test said.
    pub self_test: Option<SelfTest>,
    /// The camera's mean luma, 0 (black) to 255: the panel is dim in the dark.
    pub scene_luma: Option<f32>,
}

/// What the rig is doing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Models and outbox are being opened.
    #[default]
    Starting,
    /// The self-test runs.
    SelfTest,
    /// Ready; no session is open.
    Ready,
    /// A session is open and labelled.
    Recording,
    /// The camera is away or gives no pictures.
    NoCamera,
    /// Something is wrong that a person must see to: what, in a few words.
    Fault(String),
    /// The program is ending.
    Stopping,
    /// The program is ending and the computer is switched off after it.
    PowerOff,
    /// The program has ended.
    Stopped,
}

/// Whether the host is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Link {
    /// Not known yet.
    #[default]
    Unknown,
    /// The broker is connected.
    Online,
    /// The broker is not reached; what is labelled waits on the rig.
    Offline,
    /// The broker refuses this rig: name, password, certificate or rights.
    Refused,
}

/// What a self-test said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SelfTest {
    /// All good.
    Passed,
    /// What failed, in a few words.
    Failed(String),
}

/// What the camera gives.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CameraState {
    /// The format's four letters.
    pub format: String,
    /// Pixels across.
    pub width: u32,
    /// Pixels down.
    pub height: u32,
    /// Frames a second asked for.
    pub asked_fps: Option<f32>,
    /// Frames a second that come.
    pub measured_fps: Option<f32>,
    /// Frames that were damaged, or did not come, since the start.
    pub lost_frames: u64,
}

impl CameraState {
    /// Whether a tenth of the frames asked for or more do not come: many cameras lengthen their exposure in the dark.
    pub(crate) fn is_slow(&self) -> bool {
        match (self.asked_fps, self.measured_fps) {
            (Some(asked), Some(measured)) if asked.is_finite() => measured < asked * 0.9,
            _ => false,
        }
    }
}
