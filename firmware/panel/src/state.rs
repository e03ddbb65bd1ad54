//! What the panel shows, as `rigeld` tells it.

use serde::{Deserialize, Serialize};

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
    /// The camera's format, size and rate, in one line.
    pub camera: Option<String>,
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
