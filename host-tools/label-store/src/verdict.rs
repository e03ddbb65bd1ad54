//! What reviewers say. Rows are only ever added.

use crate::{LabelKey, StoreError};
use ::quality::DeskValue;
use label_core::FrameRange;
use serde::{Deserialize, Serialize};

/// What a verdict says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Judgement {
    /// A person made the label: the first verdict on it.
    Create,
    /// Right as it is.
    Accept,
    /// Right after the change given.
    Correct,
    /// Wrong, for the cause given.
    Reject,
    /// Undo: the verdict it names in `replaces` no longer holds; the one before that does again.
    Withdraw,
    /// Redo: the verdict it names in `replaces` holds again.
    Restore,
}

impl Judgement {
    const ALL: [Self; 6] = [
        Self::Create,
        Self::Accept,
        Self::Correct,
        Self::Reject,
        Self::Withdraw,
        Self::Restore,
    ];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Accept => "accept",
            Self::Correct => "correct",
            Self::Reject => "reject",
            Self::Withdraw => "withdraw",
            Self::Restore => "restore",
        }
    }

    /// The judgement of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|judgement| judgement.name() == name)
    }
}

/// The label as it should have been; what is absent was right.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Correction {
    /// The right frames.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frames: Option<FrameRange>,
    /// The right value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<DeskValue>,
}

/// Who asks for a change, when, and under which key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Who.
    pub reviewer: String,
    /// When.
    pub at_us: i64,
    /// Names the request: the same key again is answered and not recorded again.
    pub key: Option<String>,
}

/// A verdict to be recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct NewVerdict {
    /// [`Judgement::Accept`], [`Judgement::Correct`] or [`Judgement::Reject`]; the others have ways of their own.
    pub judgement: Judgement,
    /// Why it was rejected or corrected: a short word of the project's list. Required to reject what a rig told.
    pub cause: Option<String>,
    /// Required for a correction, absent otherwise.
    pub correction: Option<Box<Correction>>,
    /// How long the item was in front of the reviewer.
    pub spent_ms: u64,
}

/// A recorded verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Its number; later verdicts have greater ones.
    pub verdict: i64,
    /// The label judged.
    pub label: LabelKey,
    /// What it says.
    pub judgement: Judgement,
    /// Why.
    pub cause: Option<String>,
    /// The label as it should have been.
    pub correction: Option<Box<Correction>>,
    /// Who.
    pub reviewer: String,
    /// When.
    pub at_us: i64,
    /// How long the item was in front of the reviewer.
    pub spent_ms: u64,
    /// The verdict that held before; of a withdrawal the one it takes back, of a restoration the one it brings back.
    pub replaces: Option<i64>,
    /// The first of the verdicts that were given at once, if several were.
    pub batch: Option<i64>,
}

const MAX_TEXT: usize = 200;

impl Asked {
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.reviewer.trim().is_empty() || self.reviewer.len() > MAX_TEXT {
            return Err(StoreError::Verdict(
                "the reviewer's name is empty or longer than 200 bytes",
            ));
        }
        Ok(())
    }
}

impl NewVerdict {
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        let refuse = |why| Err(StoreError::Verdict(why));
        if self
            .cause
            .as_ref()
            .is_some_and(|cause| cause.trim().is_empty() || cause.len() > MAX_TEXT)
        {
            return refuse("the cause is empty or longer than 200 bytes");
        }
        match self.judgement {
            Judgement::Create | Judgement::Withdraw | Judgement::Restore => {
                refuse("a verdict accepts, corrects or rejects")
            }
            Judgement::Correct if self.correction.is_none() => {
                refuse("a correction says what would have been right")
            }
            Judgement::Accept | Judgement::Reject if self.correction.is_some() => {
                refuse("only a correction carries a correction")
            }
            _ => Ok(()),
        }
    }
}
