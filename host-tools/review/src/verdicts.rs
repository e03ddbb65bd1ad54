//! Taking verdicts, each once.
//!
//! A page that got no answer sends its verdict again, with the key it gave it. A key that was taken before is answered
//! and not recorded again.

use crate::error::ApiError;
use label_core::LabelId;
use label_store::{Judgement, LabelStore, NewVerdict, now_us};
use serde::Deserialize;
use std::collections::{HashSet, VecDeque};
use tokio::sync::Mutex;

/// Who judges, until there are accounts.
const REVIEWER: &str = "desk";

/// Keys remembered; a page resends within minutes, and a reviewer gives a few thousand verdicts a day.
const MAX_KEYS: usize = 8192;

const MAX_KEY_BYTES: usize = 64;

/// Longest time on one item, a day: more is a clock gone wrong.
const MAX_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// Why a candidate is rejected: the project's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum RejectCause {
    WrongPlace,
    WrongTime,
    WrongValue,
    NotAPerson,
    Duplicate,
    CannotTell,
}

impl RejectCause {
    const fn name(self) -> &'static str {
        match self {
            Self::WrongPlace => "wrong-place",
            Self::WrongTime => "wrong-time",
            Self::WrongValue => "wrong-value",
            Self::NotAPerson => "not-a-person",
            Self::Duplicate => "duplicate",
            Self::CannotTell => "cannot-tell",
        }
    }
}

/// The two verdicts this version takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Word {
    Accept,
    Reject,
}

/// Body of `POST /api/labels/{id}/verdicts`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VerdictBody {
    verdict: Word,
    cause: Option<RejectCause>,
    millis: u64,
    key: Option<String>,
}

/// Body of `POST /api/labels/{id}/undo`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UndoBody {
    key: Option<String>,
}

/// Records verdicts one after another.
pub(crate) struct VerdictDesk {
    store: LabelStore,
    // Held over the write, so that two copies of one request cannot pass each other.
    taken: Mutex<TakenKeys>,
}

#[derive(Default)]
struct TakenKeys {
    known: HashSet<String>,
    by_age: VecDeque<String>,
}

impl TakenKeys {
    fn remember(&mut self, key: String) {
        if self.known.insert(key.clone()) {
            self.by_age.push_back(key);
        }
        while self.by_age.len() > MAX_KEYS {
            if let Some(oldest) = self.by_age.pop_front() {
                self.known.remove(&oldest);
            }
        }
    }
}

impl VerdictDesk {
    pub(crate) fn new(store: LabelStore) -> Self {
        Self {
            store,
            taken: Mutex::default(),
        }
    }

    /// Records what a reviewer said.
    pub(crate) async fn judge(&self, label: &LabelId, body: VerdictBody) -> Result<(), ApiError> {
        let refuse = |why: &str| Err(ApiError::Verdict(why.to_owned()));
        let (judgement, cause) = match (body.verdict, body.cause) {
            (Word::Accept, None) => (Judgement::Accept, None),
            (Word::Accept, Some(_)) => return refuse("an acceptance has no cause"),
            (Word::Reject, Some(cause)) => (Judgement::Reject, Some(cause.name().to_owned())),
            (Word::Reject, None) => return refuse("a rejection names its cause"),
        };
        if body.millis > MAX_MILLIS {
            return refuse("millis is more than a day");
        }
        let key = checked_key(body.key)?;
        let mut taken = self.taken.lock().await;
        if key.as_ref().is_some_and(|key| taken.known.contains(key)) {
            return Ok(());
        }
        let verdict = NewVerdict {
            judgement,
            cause,
            correction: None,
            reviewer: REVIEWER.to_owned(),
            at_us: now_us(),
            spent_ms: body.millis,
        };
        // A verdict has room for a whole track as its correction: not on the stack of every request.
        Box::pin(self.store.record_verdict(label, verdict)).await?;
        if let Some(key) = key {
            taken.remember(key);
        }
        Ok(())
    }

    /// Takes back the verdict that stands.
    pub(crate) async fn undo(&self, label: &LabelId, body: UndoBody) -> Result<(), ApiError> {
        let key = checked_key(body.key)?;
        let mut taken = self.taken.lock().await;
        if key.as_ref().is_some_and(|key| taken.known.contains(key)) {
            return Ok(());
        }
        if self.store.undo(label, REVIEWER, now_us()).await?.is_none() {
            return Err(ApiError::NothingToUndo);
        }
        if let Some(key) = key {
            taken.remember(key);
        }
        Ok(())
    }
}

fn checked_key(key: Option<String>) -> Result<Option<String>, ApiError> {
    match &key {
        Some(text)
            if text.is_empty()
                || text.len() > MAX_KEY_BYTES
                || !text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-') =>
        {
            Err(ApiError::Verdict(
                "a key is 1 to 64 letters, digits and hyphens".to_owned(),
            ))
        }
        _ => Ok(key),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_keys_are_forgotten_first() {
        let mut taken = TakenKeys::default();
        for key in 0..=MAX_KEYS {
            taken.remember(key.to_string());
        }
        assert!(!taken.known.contains("0"));
        assert!(taken.known.contains("1"));
        assert_eq!(taken.known.len(), MAX_KEYS);
    }
}
