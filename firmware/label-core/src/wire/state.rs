//! State: who is there, how it fares, what is committed.

use crate::kind::AbstainReason;

use super::{ClockState, CommandCounters, ModelRef, Origin, RecordingHealth, Sha256Hex, Shed};
use crate::id::{BootId, Name, Seq};
use serde::{Deserialize, Serialize};

/// Whether the rig can be reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Power {
    /// Connected.
    Online,
    /// Shut down in order.
    Stopped,
    /// Gone without a word: the broker says this as the last will.
    Offline,
}

/// Retained; also the last will. Both carry the boot, so that a late will of an old session is ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// The rig.
    pub rig: Name,
    /// The run it speaks of.
    pub boot: BootId,
    /// Its state.
    pub state: Power,
}

/// Retained: what this rig is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Birth<M> {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// The rig.
    pub rig: Name,
    /// The run it speaks of.
    pub boot: BootId,
    /// Processor and board as the rig knows them.
    pub hardware: heapless::String<64>,
    /// Version of the firmware.
    pub firmware: heapless::String<24>,
    /// The model runtime.
    pub runtime: ModelRef,
    /// The models in use.
    pub models: M,
    /// Name of the board file.
    pub board: heapless::String<48>,
    /// Digest of the board file.
    pub board_sha256: Sha256Hex,
    /// What the rig's self-test found; absent where none was run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub self_test: Option<heapless::String<200>>,
}

/// Frames since the boot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameCounters {
    /// Read from the source.
    pub captured: u64,
    /// Looked at by the models.
    pub processed: u64,
    /// Lost in between.
    pub dropped: u64,
    /// Repeats of the frame before.
    pub repeated: u64,
}

/// Labels since the boot. made = offered + abstained; made = sent = committed when all is delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Candidates.
    pub offered: u64,
    /// Abstentions.
    pub abstained: u64,
    /// Evidence messages.
    pub evidence: u64,
    /// Durable messages written to the outbox.
    pub messages: u64,
    /// Messages of this boot that the host has committed.
    pub acked: u64,
    /// Messages given up for want of room.
    pub evicted: u64,
}

/// The outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxState {
    /// Messages waiting, earlier boots included.
    pub messages: u64,
    /// Bytes on disk.
    pub bytes: u64,
}

/// Mean time of one stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StageTime {
    /// Name of the stage.
    pub stage: heapless::String<16>,
    /// Milliseconds a frame since the last health message.
    pub ms: f32,
}

/// What the camera does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CameraState {
    /// It is being opened; no frame came yet.
    Starting,
    /// Frames come.
    Streaming,
    /// It is there and gives no frames.
    Stalled,
    /// It is not there.
    Unplugged,
    /// It is there and cannot be used: the rig's log says why.
    Failing,
    /// No session is on, so it is closed.
    Off,
}

impl CameraState {
    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Streaming => "streaming",
            Self::Stalled => "stalled",
            Self::Unplugged => "unplugged",
            Self::Failing => "failing",
            Self::Off => "off",
        }
    }
}

/// The camera of a live rig.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CameraHealth {
    /// What it does.
    pub state: CameraState,
    /// Format of its frames, as the board file names it; empty until one was agreed on. The size likewise 0.
    pub format: heapless::String<8>,
    /// Width of its frames in pixels.
    pub width: u32,
    /// Height of its frames in pixels.
    pub height: u32,
    /// Frames a second that it was asked for; finite.
    pub asked_fps: f32,
    /// Frames a second that come; finite, 0 while none do.
    pub measured_fps: f32,
    /// Damaged frames since the boot.
    pub damaged: u64,
    /// Times it was opened again after trouble since the boot.
    pub reopened: u32,
}

/// How much of what could have been said was not, for one reason.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct QuietShare {
    /// Why.
    pub reason: AbstainReason,
    /// Share of frames times kinds (person box, left eye, right eye), 0 to 1; finite.
    pub share: f32,
}

/// How the picture looked last: what tells a far-away desk of night, glare, fog on a lens or an infrared lamp.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SceneHealth {
    /// Mean grey level, 0 to 255; like all of these finite.
    pub light: f32,
    /// Grey levels between the darkest and the brightest twentieth of the picture's parts.
    pub contrast: f32,
    /// Deviation of the noise, grey levels.
    pub noise: f32,
    /// Mean distance of colours from the mean colour; near 0 the picture is grey or of one tint, as by an infrared lamp.
    pub chroma: f32,
    /// What limits the quality of the picture most; absent where nothing does or nobody judges it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<heapless::String<16>>,
}

/// How the rig fares; quality of service 0.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// The rig.
    pub rig: Name,
    /// The run it speaks of.
    pub boot: BootId,
    /// Seconds since the firmware started.
    pub uptime_s: u64,
    /// Frames.
    pub frames: FrameCounters,
    /// Labels.
    pub labels: Counters,
    /// Waiting messages.
    pub outbox: OutboxState,
    /// Where the time goes.
    pub stages: heapless::Vec<StageTime, 16>,
    /// How far dates can be trusted.
    pub clock: ClockState,
    /// Hottest sensor, °C; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub temperature_c: Option<f32>,
    /// Free room for the outbox, MiB; absent where it cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disk_free_mib: Option<u64>,
    /// The camera; absent where clips are read from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub camera: Option<CameraHealth>,
    /// What is left out now.
    #[serde(default, skip_serializing_if = "Shed::is_nothing")]
    pub shed: Shed,
    /// Whether the processor is slowed down for heat or want of power; absent where it cannot be told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub throttled: Option<bool>,
    /// Mean time from the capture of a frame until it was labelled since the last health message, milliseconds; finite;
    /// absent where clips are read from files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<f32>,
    /// Revision of the policy in force; absent where the desk never sent one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<u32>,
    /// Bytes of key pictures that the rig may make in any minute, as in force; absent where none are made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_bytes_a_minute: Option<u32>,
    /// Why boxes and eyes had no value since the last health message; a reason that did not come up is not there.
    #[serde(default, skip_serializing_if = "heapless::Vec::is_empty")]
    pub quiet: heapless::Vec<QuietShare, 16>,
    /// How the picture looked last; absent where none was looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scene: Option<SceneHealth>,
    /// The recording; absent where the board records nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recording: Option<RecordingHealth>,
    /// What the desk asked for; absent before the first command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commands: Option<CommandCounters>,
}

/// Stands in for messages that the rig gave up for want of room. It is numbered like them, so the host's watermark
/// goes on and the loss is on record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evicted {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// Who says it; the message's own seq.
    pub from: Origin,
    /// The boot of the messages given up; it may be an earlier one.
    pub boot: BootId,
    /// First and last seq of a range; those of the range that were committed before are not lost.
    pub seqs: (Seq, Seq),
    /// Labels lost with them.
    pub labels: u64,
    /// Evidence messages lost with them.
    pub evidence: u64,
}

/// Retained, host to rig: what is committed, so what the rig may forget.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// Drawn anew when the host starts. A rig that sees another session than before sends again whatever is above
    /// the watermark, since the host may have received and not committed it.
    pub session: u32,
    /// (boot, highest seq up to which the host has committed everything), the boots heard from last; at most 8.
    pub boots: heapless::Vec<(BootId, Seq), 8>,
}
