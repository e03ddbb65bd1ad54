//! Whether anything changed.

use crate::database::query;
use crate::{LabelStore, StoreError};

/// A state of the store. Two that are equal mean that nothing was committed, judged, heard or taken up in between; they say
/// nothing of which came first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revision {
    last_verdict: i64,
    seqs: i64,
    message_heard_us: i64,
    state_heard_us: i64,
    last_quarantined: i64,
    leases: i64,
    last_look: i64,
    last_answer: i64,
    last_rule: i64,
    exports: i64,
}

impl LabelStore {
    /// The state of the store now. Cheap at any size: it reads the ends of keys and the few rows of rigs and boots.
    pub async fn revision(&self) -> Result<Revision, StoreError> {
        let mut connection = self.read("look for changes").await?;
        let row = query(
            "SELECT (SELECT coalesce(max(verdict), 0) FROM verdicts),
                    (SELECT coalesce(sum(highest), 0) FROM boots),
                    (SELECT coalesce(max(heard_us), 0) FROM boots),
                    (SELECT coalesce(max(heard_us), 0) FROM rig_states),
                    (SELECT coalesce(max(entry), 0) FROM quarantine),
                    (SELECT coalesce(sum(until_us), 0) FROM leases),
                    (SELECT coalesce(max(look), 0) FROM looks),
                    (SELECT coalesce(max(answer), 0) FROM answers),
                    (SELECT coalesce(max(entry), 0) FROM sample_rules),
                    (SELECT coalesce(sum(export + done + coalesce(total, 0) + coalesce(ended_us, 0)), 0) FROM exports)",
        )
        .fetch_one(&mut connection)
        .await
        .map_err(StoreError::database("look for changes"))?;
        Ok(Revision {
            last_verdict: row.get(0),
            seqs: row.get(1),
            message_heard_us: row.get(2),
            state_heard_us: row.get(3),
            last_quarantined: row.get(4),
            leases: row.get(5),
            last_look: row.get(6),
            last_answer: row.get(7),
            last_rule: row.get(8),
            exports: row.get(9),
        })
    }
}
