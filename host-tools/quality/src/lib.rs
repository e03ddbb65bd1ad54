//! What verdicts say of a labeller, and what follows from it.
//!
//! Arithmetic only: counts go in, shares with intervals, curves, thresholds and proposals come out. No file, no clock, no
//! database; `label-store` counts, `review` shows. Every formula stands with its source in `docs/quality.md`.
//!
//! What the desk keeps beside what rigs offer stands here too, since the standard measures it: lines ([`LineValue`]), and with
//! them the desk's kinds and values ([`DeskKind`], [`DeskValue`]).
//!
//! Terms: *judged* are candidates with a verdict that tells (not `cannot-tell`); *right* are those accepted, or corrected by no
//! more than the quality standard allows; *precision* is right / judged; the *clip* is the unit of chance, since labels of
//! one clip are right or wrong together.

mod agreement;
mod calibration;
mod compare;
mod kind;
mod line;
mod platt;
mod precision;
mod proposal;
mod reliability;
mod seconds;
mod standard;
mod threshold;
mod value;

pub use agreement::{Reading, YesNo, alpha, difference};
pub use calibration::{CalibrationError, CalibrationFile, Fitted, Part};
pub use compare::{
    At, AveragePrecision, Comparison, Curve, Judged, LineComparison, LineRow, Row, Side, Span,
    Spread,
};
pub use kind::{DeskKind, LineKind};
pub use line::{LineKey, LineValue, MAX_LINE_POINTS, between};
pub use platt::{Platt, Point, cross_validated};
pub use precision::{Interval, MIN_CLIPS, MIN_JUDGED, Moments, Share};
pub use proposal::{Action, Evidence, Mode, Proposal, Rules, Standing, propose};
pub use reliability::{BINS, Bin, Reliability};
pub use seconds::{ABSENT_MS, LEAST_MS, SecondsHistogram, Spent, bin_of_ms};
pub use standard::{Correction, correction_within_standard, within_standard};
pub use threshold::{CostBin, Costs, FINE_BINS, ThresholdChoice, choose_threshold};
pub use value::DeskValue;
