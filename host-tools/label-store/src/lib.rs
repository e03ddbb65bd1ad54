//! Every label, verdict and manifest, durably.
//!
//! One [`LabelStore`] is one desk's memory. Ingest writes into it with [`LabelStore::commit`]; the review page reads
//! the queue and writes verdicts; everything else only reads. What it promises:
//!
//! * **Commit is durable.** When `commit` returns, the messages survive a power cut (write-ahead log, full sync). Only
//!   then may the watermark be told to a rig.
//! * **Replay is harmless.** (rig, boot, seq) names a message for good. The same bytes again are a duplicate; other
//!   bytes under the same name go to the quarantine, where they can be seen.
//! * **Verdicts are never overwritten.** Undo is a new row that withdraws.
//!
//! It is not a message broker and checks no message: `ingest` does that before it hands a message over. Labels
//! are kept in SQLite or Postgres: each statement serves both, and `migrations/` holds one folder an engine.
//!
//! Times are microseconds since 1970 (UTC) and end in `_us`; frames are 0-based and ranges inclusive.

mod askers_place;
mod balance;
mod commit;
mod condition;
mod correction;
mod counts;
mod coverage;
mod curve;
mod database;
mod error;
mod evidence;
mod exports;
mod fleet;
mod gain;
mod history;
mod import;
mod incoming;
mod judge;
mod key;
mod label;
mod make;
mod marks;
mod people;
mod pictures;
mod purge;
mod quality;
mod quarantine;
mod queue;
mod recordings;
mod request_key;
mod requests;
mod retention;
mod revision;
mod row;
mod second_look;
mod snapshot;
mod store;
mod summary;
mod track_edits;
mod verdict;
mod watermark;
mod write;

pub use ::quality::{DeskKind, DeskValue, LineKey, LineKind, LineValue};
pub use askers_place::AskersPlace;
pub use balance::{Balance, CountsByDecision, ReviewCounts};
pub use commit::{CommitReport, Watermark};
pub use condition::Condition;
pub use curve::{Curve, MAX_CURVE_FRAMES};
pub use error::StoreError;
pub use evidence::StoredEvidence;
pub use exports::{Archive, ExportState, StoredExport};
pub use fleet::{
    FleetRig, HealthPoint, Imbalance, Live, LiveKind, LiveLabel, RunBalance, imbalance,
};
pub use gain::ReviewSeconds;
pub use import::{ImportedClip, NewImport};
pub use incoming::{Content, Incoming, NamedMessage, Refusal, RefusalReason};
pub use judge::{MAX_BATCH, Step};
pub use key::{LabelKey, clip_id_text, label_key_text, parse_clip_id, parse_label_key};
pub use label::{
    ClipId, LabelDetail, ReviewState, StoredClip, StoredDecision, StoredLabel, StoredModel,
};
pub use make::NewLabel;
pub use marks::StoredMark;
pub use people::{
    AuditEntry, CredentialDigest, CredentialForm, Lease, MAX_USER_NAME, Role, StoredCredential,
    User, is_user_name,
};
pub use pictures::{PictureId, StoredPicture, parse_picture_id, picture_id_text};
pub use purge::{OpenPurge, PurgeOrder, PurgeReport, PurgeRun, PurgedLabels};
pub use quality::{
    CoverageRow, Dimension, KindStanding, NewPolicyStep, PolicyStep, PolicyWord, QualityFilter,
    QualityRow, Refreshed, SecondsRow, StandingProposal, StoredCalibration,
};
pub use quarantine::{MAX_QUARANTINED, QuarantineEntry};
pub use queue::{ModelVersion, QueueFilter, QueueItem, QueueOrder, QueuePage};
pub use recordings::StoredSegment;
pub use requests::{OpenRequest, RequestState, StoredRequest, Wanted};
pub use retention::{Outdated, Retention};
pub use revision::Revision;
pub use second_look::{
    AgreementRow, Case, CaseState, Choice, Decision, Look, LookDetail, LookSort, NewAnswer,
    SAMPLE_VERSION, SEEN, Said, SampleRule, Sampling, Shares, Side, StoredAnswer,
};
pub use snapshot::{ClipRecord, LabelRecord, Snapshot};
pub use store::LabelStore;
pub use summary::{BootSummary, ClipSummary, KindSummary, RigSummary, Summary};
pub use track_edits::{StoredEdit, Track, TrackEdit};
pub use verdict::{Asked, Correction, Judgement, NewVerdict, Verdict};

/// Microseconds since 1970 (UTC) by this machine's clock.
pub fn now_us() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| {
            i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
        })
}
