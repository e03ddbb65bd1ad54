//! How a label is named at the desk: by the rig's message, or by a number where a person made it.

use crate::database::{Connection, Row, query};
use crate::{ClipId, StoreError};
use label_core::wire::parse_name;
use label_core::{BootId, LabelId};
use serde::{Deserialize, Serialize};

/// A label's identity at the desk.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LabelKey {
    /// A rig told it.
    Rig(LabelId),
    /// A person made it; the number is unique at this desk.
    Desk(u64),
}

impl From<LabelId> for LabelKey {
    fn from(id: LabelId) -> Self {
        Self::Rig(id)
    }
}

const DESK: &str = "desk:";

/// A label's identity as one word, safe in an address: `rig:boot:seq:n`, or `desk:number`.
pub fn label_key_text(key: &LabelKey) -> String {
    match key {
        LabelKey::Rig(id) => format!("{}:{}:{}:{}", id.rig, id.boot.raw(), id.seq, id.n),
        LabelKey::Desk(number) => format!("{DESK}{number}"),
    }
}

/// The identity that [`label_key_text`] wrote; `None` for other text, and for numbers that the database cannot hold.
pub fn parse_label_key(text: &str) -> Option<LabelKey> {
    let mut parts = text.split(':');
    if let Some(number) = text.strip_prefix(DESK)
        && parts.clone().count() == 2
    {
        let number: u64 = number.parse().ok()?;
        return (number > 0 && i64::try_from(number).is_ok()).then_some(LabelKey::Desk(number));
    }
    let id = LabelId {
        rig: parse_name(parts.next()?).ok()?,
        boot: BootId::from_raw(parts.next()?.parse().ok()?)?,
        seq: parts.next()?.parse().ok()?,
        n: parts.next()?.parse().ok()?,
    };
    (parts.next().is_none() && i64::try_from(id.seq).is_ok()).then_some(LabelKey::Rig(id))
}

/// A clip's identity as one word, safe in an address: `rig:boot:clip`.
pub fn clip_id_text(id: &ClipId) -> String {
    format!("{}:{}:{}", id.rig, id.boot.raw(), id.clip)
}

/// The identity that [`clip_id_text`] wrote; `None` for other text.
pub fn parse_clip_id(text: &str) -> Option<ClipId> {
    let mut parts = text.split(':');
    let id = ClipId {
        rig: parse_name(parts.next()?).ok()?,
        boot: BootId::from_raw(parts.next()?.parse().ok()?)?,
        clip: parts.next()?.parse().ok()?,
    };
    parts.next().is_none().then_some(id)
}

/// The columns that name a row of `labels`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RowKey {
    pub(crate) rig: String,
    pub(crate) boot: i64,
    /// Minus the number of a label that a person made.
    pub(crate) seq: i64,
    pub(crate) n: i64,
}

impl RowKey {
    /// From columns `rig, boot, seq, n`.
    pub(crate) fn of(row: &Row) -> Self {
        Self {
            rig: row.get("rig"),
            boot: row.get("boot"),
            seq: row.get("seq"),
            n: row.get("n"),
        }
    }

    /// The identity that others know.
    pub(crate) fn label_key(&self) -> Result<LabelKey, StoreError> {
        if self.seq < 0 {
            return Ok(LabelKey::Desk(self.seq.unsigned_abs()));
        }
        Ok(LabelKey::Rig(LabelId {
            rig: parse_name(&self.rig).map_err(|_| StoreError::unreadable("rig", &self.rig))?,
            boot: BootId::from_raw(self.boot as u64)
                .ok_or_else(|| StoreError::unreadable("boot", &self.boot.to_string()))?,
            seq: self.seq as u64,
            n: self.n as u16,
        }))
    }
}

/// Where the label of this identity is kept, if there is one.
pub(crate) async fn row_key(
    connection: &mut Connection,
    key: &LabelKey,
) -> Result<Option<RowKey>, StoreError> {
    match key {
        LabelKey::Rig(id) => Ok(Some(RowKey {
            rig: id.rig.as_str().to_owned(),
            boot: id.boot.raw() as i64,
            seq: id.seq as i64,
            n: i64::from(id.n),
        })),
        LabelKey::Desk(number) => Ok(query(
            "SELECT rig, boot, seq, n FROM labels WHERE seq = $1 AND seq < 0",
        )
        .bind(-(*number as i64))
        .fetch_optional(connection)
        .await
        .map_err(StoreError::database("look up a label"))?
        .map(|row| RowKey::of(&row))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_key_survives_an_address() {
        let id = LabelId {
            rig: parse_name("rig-07").unwrap(),
            boot: BootId::first(3),
            seq: 17,
            n: 4,
        };
        let told = LabelKey::Rig(id);
        assert_eq!(label_key_text(&told), "rig-07:3145729:17:4");
        assert_eq!(parse_label_key(&label_key_text(&told)), Some(told));
        assert_eq!(parse_label_key("desk:12"), Some(LabelKey::Desk(12)));
        for bad in [
            "",
            "rig",
            "rig:1:2",
            "rig:1:2:3:4",
            "a/b:1:2:3",
            "rig:0:2:3",
            "rig:1:-2:3",
            "rig:1:9223372036854775808:0",
            "desk:",
            "desk:0",
            "desk:-1",
            "desk:9223372036854775808",
        ] {
            assert_eq!(parse_label_key(bad), None, "{bad}");
        }
        // A rig may be called desk.
        assert!(matches!(
            parse_label_key("desk:1048577:2:3"),
            Some(LabelKey::Rig(_))
        ));
    }
}
