//! What a reviewer asks the queue for, and what comes.

use crate::condition::Condition;
use crate::label::{ClipId, ReviewState, StoredLabel};
use ::quality::DeskKind;
use label_core::id::Name;
use serde::{Deserialize, Serialize};

/// In what order the queue comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QueueOrder {
    /// Clip by clip, as they happened.
    #[default]
    Time,
    /// The least certain first; labels that a person made last.
    Doubt,
    /// What a minute of review changes most, first: see [`crate::ReviewSeconds::gain`].
    Minutes,
}

impl QueueOrder {
    pub(super) const fn columns(self) -> &'static str {
        match self {
            Self::Time => "rig, boot, clip, start_frame, seq, n",
            Self::Doubt => "sure, rig, boot, seq, n",
            Self::Minutes => "gain DESC, rig, boot, seq, n",
        }
    }

    /// The same with every column taken from the alias `k`.
    pub(super) const fn columns_of_k(self) -> &'static str {
        match self {
            Self::Time => "k.rig, k.boot, k.clip, k.start_frame, k.seq, k.n",
            Self::Doubt => "k.sure, k.rig, k.boot, k.seq, k.n",
            Self::Minutes => "k.gain DESC, k.rig, k.boot, k.seq, k.n",
        }
    }

    /// Columns that the order needs beside rig, boot, seq and n.
    pub(super) const fn also(self) -> &'static str {
        match self {
            Self::Time => ", clip, start_frame",
            Self::Doubt => ", sure",
            Self::Minutes => ", gain",
        }
    }
}

/// A model by name and version, whatever its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// Name of the model card.
    pub name: String,
    /// Version of the card.
    pub version: String,
}

/// Which labels, and in what order.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueFilter {
    /// Of this rig only.
    pub rig: Option<Name>,
    /// Of this clip only.
    pub clip: Option<ClipId>,
    /// Of these kinds; of all where empty.
    pub kinds: Vec<DeskKind>,
    /// In this state only. Where absent, in all but [`ReviewState::Removed`] and [`ReviewState::Blind`].
    pub state: Option<ReviewState>,
    /// At least this sure.
    pub confidence_min: Option<f32>,
    /// At most this sure.
    pub confidence_max: Option<f32>,
    /// From this model only.
    pub model: Option<ModelVersion>,
    /// Seen under all of these.
    pub conditions: Vec<Condition>,
    /// In what order.
    pub order: QueueOrder,
    /// Leave out this many from the start.
    pub offset: u32,
    /// Give at most this many.
    pub limit: u32,
}

impl Default for QueueFilter {
    fn default() -> Self {
        Self {
            rig: None,
            clip: None,
            kinds: Vec::new(),
            state: None,
            confidence_min: None,
            confidence_max: None,
            model: None,
            conditions: Vec::new(),
            order: QueueOrder::Time,
            offset: 0,
            limit: 1000,
        }
    }
}

/// One label of the queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueItem {
    /// The label.
    pub label: StoredLabel,
    /// Name of its clip, once known.
    pub clip_name: Option<String>,
    /// Evidence messages that came for it.
    pub evidence: u32,
}

/// A page of the queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueuePage {
    /// The labels.
    pub items: Vec<QueueItem>,
    /// Labels that match, on this page and off it.
    pub total: u64,
}
