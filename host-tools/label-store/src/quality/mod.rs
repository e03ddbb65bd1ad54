//! Quality, counted so that a page may ask at any size, and the policy that follows from it.
//!
//! Labels and verdicts are the truth; the tables `quality_*` are counts of them by clip, made anew for each clip that changed
//! ([`LabelStore::refresh_quality`]). The clip is the unit of chance, so a row per clip and confidence bin is all that any
//! interval needs. What the counts mean is the crate `quality`'s.
//!
//! [`LabelStore::refresh_quality`]: crate::LabelStore::refresh_quality

mod births;
mod calibrations;
mod clip;
mod policy;
mod propose;
mod read;
mod refresh;

pub use calibrations::StoredCalibration;
pub use policy::{KindStanding, NewPolicyStep, PolicyStep, PolicyWord};
pub use propose::StandingProposal;
pub use read::{CoverageRow, Dimension, QualityFilter, QualityRow, SecondsRow};
pub use refresh::Refreshed;

pub(crate) use births::store_birth;
pub(crate) use refresh::mark_stale;
