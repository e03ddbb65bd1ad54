//! Policy: what the desk lets a rig offer.

use crate::gate::{Gate, KindGate, Mode};
use crate::kind::LabelKind;
use serde::{Deserialize, Serialize};

/// Whether the desk wants a kind from this rig.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PolicyMode {
    /// Where it is sure enough.
    Offer,
    /// Not any more: every frame is an abstention with the reason `demoted`.
    Abstain,
}

/// What the desk wants of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct KindPolicy {
    /// The kind.
    pub kind: LabelKind,
    /// Whether it is wanted.
    pub mode: PolicyMode,
    /// Least confidence, 0 to 1; absent for the rig's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f32>,
}

/// Retained, host to rig: which kinds it may offer, and from which confidence. It says everything anew: a kind that it does
/// not name is as the rig's own files have it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Policy {
    /// [`super::WIRE_VERSION`].
    pub v: u8,
    /// Which policy this is; the rig's health messages repeat it.
    pub revision: u32,
    /// One entry a kind at most; of several the last counts.
    pub kinds: heapless::Vec<KindPolicy, 16>,
    /// Bytes of key pictures that the rig may make in any minute of a recording; 0 for none, absent for the rig's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture_bytes_a_minute: Option<u32>,
}

impl Policy {
    /// Whether every threshold is a probability.
    pub fn is_valid(&self) -> bool {
        self.kinds.iter().all(|kind| {
            kind.threshold
                .is_none_or(|threshold| (0.0..=1.0).contains(&threshold))
        })
    }

    /// The rig's own gate under this policy. A kind that nothing here makes stays so.
    pub fn over(&self, own: &Gate) -> Gate {
        let mut gate = own.clone();
        for wanted in &self.kinds {
            let is = own.of(wanted.kind);
            if is.mode == Mode::NoLabeller {
                continue;
            }
            let mode = match wanted.mode {
                PolicyMode::Offer => Mode::Offer,
                PolicyMode::Abstain => Mode::Abstain,
            };
            let threshold = wanted.threshold.unwrap_or(is.threshold);
            gate.set(wanted.kind, KindGate { mode, threshold });
        }
        gate
    }
}
