//! What a minute of review changes most: the queue's order `minutes`.
//!
//! A verdict on a label of confidence c tells the more, the less sure the machine was: 4·c·(1 − c), which is 1 where a
//! coin would do as well and 0 where nothing is left to learn. It takes `accept_s` seconds where the label is right,
//! which is expected with probability c, and `fix_s` where it is wrong. So a minute of it is worth
//!
//! gain = 60 · 4·c·(1 − c) / (c · `accept_s` + (1 − c) · `fix_s`).

use crate::database::{Connection, query};
use crate::{LabelStore, StoreError};
use ::quality::DeskKind;

/// How long a verdict takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ReviewSeconds {
    /// Seconds to accept a label that is right.
    pub accept_s: f64,
    /// Seconds to correct or reject one that is wrong.
    pub fix_s: f64,
}

impl ReviewSeconds {
    /// What a minute on a label of this confidence tells; 0 where the machine did not say how sure it is.
    pub fn gain(self, confidence: Option<f64>) -> f64 {
        confidence.map_or(0.0, |c| {
            240.0 * c * (1.0 - c) / (c * self.accept_s + (1.0 - c) * self.fix_s)
        })
    }
}

pub(crate) async fn seconds_of(
    connection: &mut Connection,
) -> Result<Vec<(DeskKind, ReviewSeconds)>, StoreError> {
    Ok(query("SELECT kind, accept_s, fix_s FROM review_seconds")
        .fetch_all(connection)
        .await
        .map_err(StoreError::database("read what reviews take"))?
        .iter()
        .filter_map(|row| {
            let seconds = ReviewSeconds {
                accept_s: row.get("accept_s"),
                fix_s: row.get("fix_s"),
            };
            Some((DeskKind::from_name(row.get("kind"))?, seconds))
        })
        .collect())
}

impl LabelStore {
    /// What a verdict on each kind is expected to take.
    pub async fn review_seconds(&self) -> Result<Vec<(DeskKind, ReviewSeconds)>, StoreError> {
        let mut connection = self.read("read what reviews take").await?;
        seconds_of(&mut connection).await
    }

    /// Replaces what a verdict on this kind is expected to take, and with it the place of all its labels in the queue.
    pub async fn set_review_seconds(
        &self,
        kind: DeskKind,
        seconds: ReviewSeconds,
    ) -> Result<(), StoreError> {
        let sound = |value: f64| value.is_finite() && value > 0.0;
        if !sound(seconds.accept_s) || !sound(seconds.fix_s) {
            return Err(StoreError::Verdict("a verdict takes more than no time"));
        }
        let failed = || StoreError::database("set what reviews take");
        let mut tx = self.begin_write("set what reviews take").await?;
        query("UPDATE review_seconds SET accept_s = $2, fix_s = $3 WHERE kind = $1")
            .bind(kind.name())
            .bind(seconds.accept_s)
            .bind(seconds.fix_s)
            .execute(&mut tx)
            .await
            .map_err(failed())?;
        query(
            "UPDATE labels
             SET gain = 240 * confidence * (1 - confidence) / (confidence * $2 + (1 - confidence) * $3)
             WHERE kind = $1 AND decision = 'candidate' AND confidence IS NOT NULL",
        )
        .bind(kind.name())
        .bind(seconds.accept_s)
        .bind(seconds.fix_s)
        .execute(&mut tx)
        .await
        .map_err(failed())?;
        tx.commit().await.map_err(failed())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quick_doubtful_verdict_is_worth_more_than_a_slow_or_a_sure_one() {
        let blink = ReviewSeconds {
            accept_s: 3.0,
            fix_s: 9.0,
        };
        let track = ReviewSeconds {
            accept_s: 4.0,
            fix_s: 25.0,
        };
        assert!(blink.gain(Some(0.6)) > blink.gain(Some(0.95)));
        assert!(blink.gain(Some(0.6)) > track.gain(Some(0.6)));
        assert_eq!((blink.gain(Some(1.0)), blink.gain(None)), (0.0, 0.0));
        assert!((blink.gain(Some(0.5)) - 10.0).abs() < 1e-9);
    }
}
