//! What follows from quality: which kind a rig should offer, and from which confidence.
//!
//! ```text
//! offered ──▶ withdrawn ──▶ on trial ──▶ offered
//!                 ▲             │
//!                 └─────────────┘
//! ```
//!
//! A kind whose precision on a rig lies below its floor, beyond chance, is withdrawn. It comes back by evidence: on trial it is
//! offered again, for a stated number of candidates at most, and what reviewers say of those decides.

use crate::DeskKind;
use crate::precision::Share;
use crate::threshold::ThresholdChoice;
use label_core::LabelKind;
use serde::{Deserialize, Serialize};

/// What a rig may do with a kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It offers it.
    #[default]
    Offered,
    /// It is silent, with the reason `demoted`.
    Withdrawn,
    /// It offers it again, to be judged.
    Trial,
}

/// A step of policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// Withdraw the kind.
    Demote,
    /// Offer it again, to be judged.
    Trial,
    /// Offer it again for good.
    Restore,
    /// Offer it from another confidence on.
    Threshold,
}

impl Action {
    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Demote => "demote",
            Self::Trial => "trial",
            Self::Restore => "restore",
            Self::Threshold => "threshold",
        }
    }

    /// The action of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Demote, Self::Trial, Self::Restore, Self::Threshold]
            .into_iter()
            .find(|action| action.name() == name)
    }
}

/// Within what the desk proposes, and may act by itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rules {
    /// Proposals are carried out without asking.
    pub automatic: bool,
    /// Least precision of every kind but points.
    pub floor: f64,
    /// Least precision of points: the standard asks for 90 %.
    pub floor_points: f64,
    /// Fewer judgements decide nothing.
    pub min_judged: u64,
    /// Nor do fewer clips.
    pub min_clips: u64,
    /// Thresholds stay at or above this.
    pub threshold_low: f64,
    /// Thresholds stay at or below this.
    pub threshold_high: f64,
    /// Steps that are carried out without asking, at most, of one kind on one rig in 24 hours.
    pub steps_a_day: u32,
    /// Candidates of a trial: when so many were offered and the verdicts do not suffice, the kind is silent again.
    pub trial_offers: u64,
    /// Days after which a withdrawn kind may be tried again although nothing changed on the rig.
    pub rest_days: u32,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            automatic: false,
            floor: 0.8,
            floor_points: 0.9,
            min_judged: 30,
            min_clips: 5,
            threshold_low: 0.3,
            threshold_high: 0.95,
            steps_a_day: 1,
            trial_offers: 400,
            rest_days: 14,
        }
    }
}

impl Rules {
    /// The line that a kind has to clear.
    pub fn floor_of(&self, kind: impl Into<DeskKind>) -> f64 {
        match kind.into().offered() {
            Some(LabelKind::KeypointLeftEye | LabelKind::KeypointRightEye) => self.floor_points,
            _ => self.floor,
        }
    }

    /// What cannot be meant, in words.
    pub fn problem(&self) -> Option<&'static str> {
        let share = |value: f64| (0.0..=1.0).contains(&value);
        if ![
            self.floor,
            self.floor_points,
            self.threshold_low,
            self.threshold_high,
        ]
        .into_iter()
        .all(share)
        {
            Some("floors and thresholds lie between 0 and 1")
        } else if self.threshold_low > self.threshold_high {
            Some("threshold_low lies above threshold_high")
        } else if self.min_clips < crate::MIN_CLIPS || self.min_judged < crate::MIN_JUDGED {
            Some("under 5 clips or 20 judgements there is no interval, so nothing can be decided")
        } else if self.steps_a_day == 0 || self.trial_offers == 0 {
            Some("steps_a_day and trial_offers must be at least 1")
        } else {
            None
        }
    }
}

/// Where a kind stands on a rig.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// What the rig may do.
    pub mode: Mode,
    /// Threshold that the desk asked for; `None` for the rig's own.
    pub threshold: Option<f64>,
    /// When the mode began, microseconds since 1970 (UTC); 0 = never changed.
    pub since_us: i64,
    /// The model whose labels made it withdrawn, as `name@version`.
    pub model: Option<String>,
}

/// What is known of a kind on a rig.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// The kind.
    pub kind: LabelKind,
    /// The model in use, as `name@version`.
    pub model: String,
    /// Precision of that model on that rig; on trial, of what was offered since the trial began.
    pub precision: Option<Share>,
    /// Judged labels behind it.
    pub judged: u64,
    /// Clips behind it.
    pub clips: u64,
    /// Candidates offered; on trial, since it began.
    pub offered: u64,
    /// Calibration error, where anything was judged.
    pub calibration_error: Option<f64>,
    /// The threshold of least cost, where every cost is measured.
    pub threshold: Option<ThresholdChoice>,
    /// Days since the mode began.
    pub days: f64,
}

/// A step that the data speak for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// What to do.
    pub action: Action,
    /// The new threshold, of [`Action::Threshold`].
    pub threshold: Option<f64>,
    /// Why, in words and figures.
    pub words: String,
}

/// How far under the floor the lower end of a restored kind's interval may lie.
const MARGIN: f64 = 0.1;

/// Another threshold must save this share of the human seconds, or it is not worth a change.
const WORTH: f64 = 0.05;

/// By how much the expected share must clear the break-even before a threshold is lowered.
const CLEAR: f64 = 0.1;

/// A threshold is lowered by one fine bin at a time: of what lies further below nothing was seen.
const STEP_DOWN: f64 = 0.05;

fn percent(share: f64) -> String {
    format!("{:.0} %", 100.0 * share)
}

/// The step that the data speak for; `None` where they speak for none, or cannot tell yet.
pub fn propose(rules: &Rules, standing: &Standing, evidence: &Evidence) -> Option<Proposal> {
    let floor = rules.floor_of(evidence.kind);
    let kind = evidence.kind;
    let enough = evidence.judged >= rules.min_judged && evidence.clips >= rules.min_clips;
    let told = evidence
        .precision
        .and_then(|share| share.interval.map(|interval| (share.value, interval)))
        .filter(|_| enough);
    let figures = |value: f64, low: f64, high: f64| {
        format!(
            "{} of {} judged {kind} labels by {} were right (95 % interval {} to {}, {} clips)",
            percent(value),
            evidence.judged,
            evidence.model,
            percent(low),
            percent(high),
            evidence.clips
        )
    };
    let step = |action, threshold, words| {
        Some(Proposal {
            action,
            threshold,
            words,
        })
    };
    match standing.mode {
        Mode::Offered | Mode::Trial => {
            if let Some((value, interval)) = told {
                let figures = figures(value, interval.low, interval.high);
                if interval.high < floor {
                    let promise = evidence.calibration_error.map_or(String::new(), |error| {
                        format!(" Confidence was off by {} on average.", percent(error))
                    });
                    return step(
                        Action::Demote,
                        None,
                        format!(
                            "{figures}, below the line of {} beyond chance.{promise}",
                            percent(floor)
                        ),
                    );
                }
                if standing.mode == Mode::Trial && value >= floor && interval.low >= floor - MARGIN
                {
                    return step(
                        Action::Restore,
                        None,
                        format!(
                            "On trial, {figures}: at or above the line of {}.",
                            percent(floor)
                        ),
                    );
                }
            }
            if standing.mode == Mode::Trial {
                return (evidence.offered >= rules.trial_offers && told.is_none())
                    .then(|| Proposal {
                        action: Action::Demote,
                        threshold: None,
                        words: format!(
                            "{} candidates of the trial are offered and {} judged: enough to decide by when they are \
                             reviewed, so the rig need not offer more.",
                            evidence.offered, evidence.judged
                        ),
                    });
            }
            propose_threshold(rules, standing, evidence).filter(|_| enough)
        }
        Mode::Withdrawn => {
            // What a trial offered may have been judged after it ended.
            if let Some((value, interval)) = told
                && value >= floor
                && interval.low >= floor - MARGIN
            {
                let figures = figures(value, interval.low, interval.high);
                return step(
                    Action::Restore,
                    None,
                    format!("{figures}: at or above the line of {}.", percent(floor)),
                );
            }
            let changed = standing
                .model
                .as_ref()
                .is_some_and(|model| *model != evidence.model);
            if changed {
                return step(
                    Action::Trial,
                    None,
                    format!(
                        "{kind} was withdrawn when {} made it; the rig now has {}. On trial it offers at most about {} candidates \
                         again, and verdicts decide.",
                        standing.model.as_deref().unwrap_or("another model"),
                        evidence.model,
                        rules.trial_offers
                    ),
                );
            }
            (evidence.days >= f64::from(rules.rest_days)).then(|| Proposal {
                action: Action::Trial,
                threshold: None,
                words: format!(
                    "{kind} has been withdrawn for {:.0} days. Light, seat or driver may be others now; a trial of about {} \
                     candidates tells.",
                    evidence.days, rules.trial_offers
                ),
            })
        }
    }
}

/// Raises the threshold to where the seconds are least; lowers it by one bin where labels just above it are well worth offering,
/// since what lies below was never seen.
fn propose_threshold(rules: &Rules, standing: &Standing, evidence: &Evidence) -> Option<Proposal> {
    let choice = evidence.threshold.as_ref()?;
    let at = |threshold: f64| {
        choice
            .curve
            .iter()
            .min_by(|a, b| (a.0 - threshold).abs().total_cmp(&(b.0 - threshold).abs()))
            .map_or(f64::INFINITY, |(_, seconds)| *seconds)
    };
    // The rig's own threshold is not told: it lies where its candidates begin.
    let now = standing.threshold.unwrap_or_else(|| {
        choice
            .curve
            .windows(2)
            .find(|pair| (pair[0].1 - pair[1].1).abs() > 1e-9)
            .map_or(0.0, |pair| pair[0].0)
    });
    let raised = choice.best.min(rules.threshold_high);
    if raised > now + 1e-9 && raised >= rules.threshold_low {
        let (before, after) = (at(now), at(raised));
        return (after < before * (1.0 - WORTH)).then(|| Proposal {
            action: Action::Threshold,
            threshold: Some(raised),
            words: format!(
                "Offered from {raised:.2} on instead of {now:.2}, the {} candidates seen would have cost {:.1} human minutes instead of \
                 {:.1}: where less than {} are accepted, making the label by hand is cheaper than judging it.",
                evidence.offered,
                after / 60.0,
                before / 60.0,
                percent(choice.break_even)
            ),
        });
    }
    let lowered = (now - STEP_DOWN).max(rules.threshold_low);
    let expected = choice.accepted_at(now - STEP_DOWN / 2.0);
    (lowered < now - 1e-9 && expected > choice.break_even + CLEAR).then(|| Proposal {
        action: Action::Threshold,
        threshold: Some(lowered),
        words: format!(
            "Between {lowered:.2} and {now:.2} about {} would be accepted by the curve of {} verdicts, and judging pays from {} on. One \
             step only: what lies below was never seen.",
            percent(expected),
            evidence.judged,
            percent(choice.break_even)
        ),
    })
}

#[cfg(test)]
mod tests;
