//! What can go wrong with a store.

use crate::{ClipId, LabelKey};

/// Why the store could not do it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// The database cannot be opened or created.
    #[error("cannot open the label store {store}")]
    Open {
        /// The database file, or the database and its server.
        store: String,
        /// Why.
        source: sqlx::Error,
    },
    /// The tables cannot be brought up to date.
    #[error("cannot bring the tables of {store} up to date")]
    Migrate {
        /// The database file, or the database and its server.
        store: String,
        /// Why.
        source: sqlx::migrate::MigrateError,
    },
    /// A statement failed.
    #[error("the label store refused to {doing}")]
    Database {
        /// What was being done, as a verb phrase.
        doing: &'static str,
        /// Why.
        source: sqlx::Error,
    },
    /// Something stored cannot be read back: the file was edited, or written by a later version.
    #[error("column {column} holds something this version cannot read: {text:?}")]
    Unreadable {
        /// The column.
        column: &'static str,
        /// What stands there, cut to a readable length.
        text: String,
    },
    /// Labels were to be imported under the name of a rig.
    #[error("{0} is the name of a rig: give what is imported another --source")]
    SourceIsRig(label_core::id::Name),
    /// A label that was to be imported cannot be true.
    #[error("{0}")]
    Import(String),
    /// No such label.
    #[error("there is no label {}", crate::label_key_text(.0))]
    NoSuchLabel(LabelKey),
    /// No such clip.
    #[error("there is no clip {}:{}:{}", .0.rig, .0.boot.raw(), .0.clip)]
    NoSuchClip(ClipId),
    /// No verdicts were given at once under this number.
    #[error("there is no batch {0}")]
    NoSuchBatch(i64),
    /// An abstention offers nothing to judge.
    #[error("{} is an abstention: there is nothing to judge", crate::label_key_text(.0))]
    NotACandidate(LabelKey),
    /// A label that a person made and took back.
    #[error("{} was taken back; redo brings it back", crate::label_key_text(.0))]
    Removed(LabelKey),
    /// No verdict stands.
    #[error("no verdict stands on {}", crate::label_key_text(.0))]
    NothingToUndo(LabelKey),
    /// No verdict was taken back since the last one.
    #[error("no verdict on {} was taken back last", crate::label_key_text(.0))]
    NothingToRedo(LabelKey),
    /// No edit of tracks stands, or none was taken back.
    #[error("there is no edit of the tracks of {}:{}:{} to take back or bring back", .0.rig, .0.boot.raw(), .0.clip)]
    NoEdit(ClipId),
    /// A batch can be taken back only as a whole.
    #[error("something else was said of {} since; take that back first", crate::label_key_text(.0))]
    SaidSince(LabelKey),
    /// Drawn to be answered before anybody sees it.
    #[error("{} is answered from scratch before anybody sees it: it waits among the second looks", crate::label_key_text(.0))]
    Blind(LabelKey),
    /// No such second look.
    #[error("there is no second look {0}")]
    NoSuchLook(i64),
    /// Not asked of this person, or not any more.
    #[error("this second look is not yours to answer, or not any more")]
    NotAsked,
    /// No answer stands.
    #[error("no answer to the second look {0} stands")]
    NoAnswer(i64),
    /// No disagreement that a lead may decide, or none that was decided.
    #[error("there is no disagreement on {} to decide now", crate::label_key_text(.0))]
    NoCase(LabelKey),
    /// One of those who disagree.
    #[error("you are one of those who disagree: another lead decides")]
    Involved,
    /// Two people never judge one item.
    #[error("{0} is working on this item")]
    Held(String),
    /// A lead decided.
    #[error("a lead decided over {}; only a lead may say otherwise", crate::label_key_text(.0))]
    Decided(LabelKey),
    /// Shares that cannot be.
    #[error("{0}")]
    Sampling(&'static str),
    /// A step of policy that cannot be taken.
    #[error("{0}")]
    Policy(&'static str),
    /// A calibration that cannot be kept or fitted.
    #[error("{0}")]
    Calibration(String),
    /// A verdict, label or edit that says too little, or what cannot be.
    #[error("this cannot be recorded: {0}")]
    Verdict(&'static str),
    /// The key of a request named another one before.
    #[error("this key named another request before; give each request a key of its own")]
    KeyTaken,
    /// A name that no account can have.
    #[error("{0:?} cannot name a user: 1 to 60 letters, digits, '.', '-', '_' or '@'")]
    UserName(String),
    /// The name is taken.
    #[error("there is an account {0:?} already")]
    UserExists(String),
    /// Nobody heard of it.
    #[error("there is no rig {0}")]
    NoSuchRig(label_core::id::Name),
    /// No request of this number, or no more.
    #[error("there is no request {0}")]
    NoSuchRequest(i64),
    /// A rig answers one after the other.
    #[error("{0} has enough to answer already: wait until some of it is here")]
    AskedEnough(label_core::id::Name),
    /// A clip of an import that cannot be taken.
    #[error("clip {told} cannot be taken")]
    ImportedClip {
        /// What the files call it.
        told: String,
        /// Why.
        source: Box<StoreError>,
    },
    /// Exports are written one after the other.
    #[error("enough exports wait already: download or delete some first")]
    EnoughExports,
    /// Something that cannot be purged so.
    #[error("{0}")]
    Purge(&'static str),
    /// Nobody may ask for it any more.
    #[error("the pictures of {}:{}:{} were deleted on order", .0.rig, .0.boot.raw(), .0.clip)]
    Purged(ClipId),
    /// Nobody has that name.
    #[error("there is no account {0:?}")]
    NoSuchUser(String),
}

impl StoreError {
    pub(crate) fn database(doing: &'static str) -> impl FnOnce(sqlx::Error) -> Self {
        move |source| Self::Database { doing, source }
    }

    pub(crate) fn unreadable(column: &'static str, text: &str) -> Self {
        Self::Unreadable {
            column,
            text: text.chars().take(80).collect(),
        }
    }
}
