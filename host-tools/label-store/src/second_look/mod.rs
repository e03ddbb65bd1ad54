//! Second looks: what tells whether acceptance is politeness, and whether silence is blindness.
//!
//! A *look* asks somebody to say from scratch what is there, in frames of a clip: nothing that a rig or another person said of
//! them is shown before the answer. There are five sorts ([`LookSort`]); four are drawn by a recorded rule ([`Sampling`]), the
//! fifth follows where two people disagree. What is drawn blind nobody is shown at all until it was answered once: its state is
//! [`crate::ReviewState::Blind`], and the queue does not list it.
//!
//! It is not decided here whether two readings agree: that is `quality`'s.

mod answer;
mod case;
mod count;
mod decide;
mod draw;
mod look;
mod reading;
mod rule;

pub use answer::{NewAnswer, Said, StoredAnswer};
pub use case::{Case, CaseState, Choice, Decision, Side};
pub use count::{AgreementRow, SEEN};
pub use look::{Look, LookDetail};
pub use rule::{SAMPLE_VERSION, SampleRule, Sampling, Shares};

pub(crate) use case::{not_decided, reconsider};
pub(crate) use count::{LookCells, count_looks, write_looks};
pub(crate) use draw::{FirstVerdict, Told, draw_again, draw_label, draw_windows};
pub(crate) use rule::rule_in_force;

use serde::{Deserialize, Serialize};

/// Why something is looked at a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LookSort {
    /// A candidate, answered before it is seen.
    Blind,
    /// A stretch of which the rig said nothing, or why it says nothing.
    Silence,
    /// A judged item, shown again to whoever judged it.
    #[serde(rename = "self")]
    Own,
    /// A judged item, shown to somebody else.
    Other,
    /// An item on which two people disagree, shown to a third.
    Second,
}

impl LookSort {
    /// Every sort.
    pub const ALL: [Self; 5] = [
        Self::Blind,
        Self::Silence,
        Self::Own,
        Self::Other,
        Self::Second,
    ];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Blind => "blind",
            Self::Silence => "silence",
            Self::Own => "self",
            Self::Other => "other",
            Self::Second => "second",
        }
    }

    /// The sort of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|sort| sort.name() == name)
    }
}

/// How long after a verdict its own author is asked again: long enough that the item is forgotten, short enough that the same
/// work goes on.
pub(crate) const FORGOTTEN_AFTER_US: i64 = 24 * 60 * 60 * 1_000_000;
