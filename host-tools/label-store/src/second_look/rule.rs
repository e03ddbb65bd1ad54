//! Which items are looked at a second time: a pure function of a seed and the item's name, so that anybody can draw the sample
//! anew from what is on record.
//!
//! Version 1: the first eight bytes, big-endian, of the SHA-256 of `rigel-sample-1:SEED:SORT:ITEM`, over 2⁶⁴, are below the share.

use super::LookSort;
use crate::database::{AssertSqlSafe, Connection, Row, query};
use crate::people::audit_line;
use crate::{LabelStore, StoreError};
use label_core::LabelKind;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The version of the rule that this build draws by.
pub const SAMPLE_VERSION: i64 = 1;

/// Shares of one kind, each 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shares {
    /// Candidates answered before they are seen.
    pub blind: f64,
    /// Stretches without a value.
    pub silence: f64,
    /// Judged items shown again to whoever judged them.
    #[serde(rename = "self")]
    pub own: f64,
    /// Judged items shown to somebody else.
    pub other: f64,
}

impl Shares {
    /// What a desk begins with; docs/review-rules.md says why.
    pub const USUAL: Self = Self {
        blind: 0.03,
        silence: 0.02,
        own: 0.01,
        other: 0.02,
    };
    /// No second looks.
    pub const NONE: Self = Self {
        blind: 0.0,
        silence: 0.0,
        own: 0.0,
        other: 0.0,
    };

    const fn of(&self, sort: LookSort) -> f64 {
        match sort {
            LookSort::Blind => self.blind,
            LookSort::Silence => self.silence,
            LookSort::Own => self.own,
            LookSort::Other => self.other,
            LookSort::Second => 0.0,
        }
    }
}

/// A seed, and a share for every kind.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sampling {
    /// The seed; other seeds draw other samples.
    pub seed: u32,
    /// Of every kind.
    pub shares: BTreeMap<LabelKind, Shares>,
}

impl Sampling {
    /// The same shares for every kind.
    pub fn of_all(seed: u32, shares: Shares) -> Self {
        Self {
            seed,
            shares: LabelKind::ALL.map(|kind| (kind, shares)).into(),
        }
    }

    /// Whether an item is drawn.
    pub fn draws(&self, sort: LookSort, kind: LabelKind, item: &str) -> bool {
        let share = self.shares.get(&kind).map_or(0.0, |of| of.of(sort));
        // 53 bits of the digest: as many as a double holds exactly.
        ((digest_of(self.seed, sort, item) >> 11) as f64) < share * (1_u64 << 53) as f64
    }

    fn check(&self) -> Result<(), StoreError> {
        let sound = LabelKind::ALL.iter().all(|kind| {
            self.shares.get(kind).is_some_and(|of| {
                [of.blind, of.silence, of.own, of.other]
                    .iter()
                    .all(|share| (0.0..=1.0).contains(share))
            })
        });
        if sound {
            Ok(())
        } else {
            Err(StoreError::Sampling(
                "every kind has a share of 0 to 1 for blind, silence, self and other",
            ))
        }
    }
}

/// What decides over an item: the smaller, the sooner it is drawn and asked.
pub(super) fn digest_of(seed: u32, sort: LookSort, item: &str) -> u64 {
    let text = format!(
        "rigel-sample-{SAMPLE_VERSION}:{seed}:{}:{item}",
        sort.name()
    );
    let digest = Sha256::digest(text);
    let mut first = [0; 8];
    first.copy_from_slice(&digest[..8]);
    u64::from_be_bytes(first)
}

/// A rule on record.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SampleRule {
    /// Its number; what came after it was drawn by it, until the next.
    pub entry: i64,
    /// Since when.
    pub at_us: i64,
    /// Who set it.
    pub decided_by: String,
    /// How items are drawn: [`SAMPLE_VERSION`].
    pub version: i64,
    /// Seed and shares.
    #[serde(flatten)]
    pub sampling: Sampling,
}

const COLUMNS: &str = "entry, at_us, decided_by, version, seed, shares";

fn rule(row: &Row) -> Result<SampleRule, StoreError> {
    let shares: &str = row.get("shares");
    Ok(SampleRule {
        entry: row.get("entry"),
        at_us: row.get("at_us"),
        decided_by: row.get("decided_by"),
        version: row.get("version"),
        sampling: Sampling {
            seed: row.get::<i64, _>("seed") as u32,
            shares: serde_json::from_str(shares)
                .map_err(|_| StoreError::unreadable("sample_rules.shares", shares))?,
        },
    })
}

/// The rule that holds, if one was set.
pub(crate) async fn rule_in_force(
    connection: &mut Connection,
) -> Result<Option<SampleRule>, StoreError> {
    let sql = format!("SELECT {COLUMNS} FROM sample_rules ORDER BY entry DESC LIMIT 1");
    query(AssertSqlSafe(sql))
        .fetch_optional(connection)
        .await
        .map_err(StoreError::database("read the rule of second looks"))?
        .as_ref()
        .map(rule)
        .transpose()
}

impl LabelStore {
    /// Every rule, the one that holds first.
    pub async fn sample_rules(&self) -> Result<Vec<SampleRule>, StoreError> {
        const DOING: &str = "read the rules of second looks";
        let mut connection = self.read(DOING).await?;
        let sql = format!("SELECT {COLUMNS} FROM sample_rules ORDER BY entry DESC");
        query(AssertSqlSafe(sql))
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?
            .iter()
            .map(rule)
            .collect()
    }

    /// Sets the rule for what comes from now on. What was drawn before stays drawn.
    pub async fn set_sampling(
        &self,
        sampling: &Sampling,
        by: &str,
        at_us: i64,
    ) -> Result<(), StoreError> {
        const DOING: &str = "set the rule of second looks";
        sampling.check()?;
        let mut tx = self.begin_write(DOING).await?;
        insert(&mut tx, sampling, by, at_us).await?;
        tx.commit().await.map_err(StoreError::database(DOING))
    }

    /// Sets the usual rule where there is none yet.
    pub async fn begin_sampling(&self, at_us: i64) -> Result<(), StoreError> {
        const DOING: &str = "set the rule of second looks";
        let mut tx = self.begin_write(DOING).await?;
        if rule_in_force(&mut tx).await?.is_none() {
            let usual = Sampling::of_all(1, Shares::USUAL);
            insert(&mut tx, &usual, "desk", at_us).await?;
        }
        tx.commit().await.map_err(StoreError::database(DOING))
    }
}

async fn insert(
    tx: &mut Connection,
    sampling: &Sampling,
    by: &str,
    at_us: i64,
) -> Result<(), StoreError> {
    let shares = serde_json::to_string(&sampling.shares).expect("plain numbers always encode");
    query(
        "INSERT INTO sample_rules (at_us, decided_by, version, seed, shares) VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(at_us)
    .bind(by)
    .bind(SAMPLE_VERSION)
    .bind(i64::from(sampling.seed))
    .bind(&shares)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database("set the rule of second looks"))?;
    audit_line(
        tx,
        at_us,
        by,
        "set the shares of second looks",
        &format!("seed {}", sampling.seed),
    )
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_is_what_sha256sum_says_it_is() {
        // printf %s rigel-sample-1:1:blind:rig-07:3145729:17:4 | sha256sum
        let item = "rig-07:3145729:17:4";
        assert_eq!(digest_of(1, LookSort::Blind, item), 0xf206_e24f_e185_5f52);
        let sampling = Sampling::of_all(1, Shares::USUAL);
        let drawn = |seed, sort| {
            let sampling = Sampling {
                seed,
                ..sampling.clone()
            };
            (0..20_000)
                .filter(|n| sampling.draws(sort, LabelKind::Blink, &format!("rig:1:{n}:0")))
                .count()
        };
        // 600 expected, standard deviation 24.
        assert!((500..700).contains(&drawn(1, LookSort::Blind)));
        assert_ne!(drawn(1, LookSort::Blind), drawn(2, LookSort::Blind));
        assert_eq!(drawn(1, LookSort::Second), 0);
    }

    #[test]
    fn a_share_of_nought_draws_nothing_and_of_one_everything() {
        let all = Shares {
            blind: 1.0,
            ..Shares::NONE
        };
        for n in 0..1000 {
            let item = format!("rig:1:{n}:0");
            assert!(Sampling::of_all(9, all).draws(LookSort::Blind, LabelKind::Blink, &item));
            assert!(!Sampling::of_all(9, all).draws(LookSort::Other, LabelKind::Blink, &item));
        }
    }
}
