//! Agreement, counted by clip and read.

use super::answer::{is_state, standing_answers};
use super::{LookSort, Said, look, reading};
use crate::database::{AssertSqlSafe, Connection, query};
use crate::history::verdicts_looked_at;
use crate::key::LabelKey;
use crate::{ClipId, LabelStore, StoreError, StoredLabel};
use ::quality::{Moments, Reading, YesNo};
use label_core::LabelKind;
use label_core::id::Name;
use label_core::wire::LabelValue;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What stands beside the sorts of looks: candidates judged in the ordinary way, their value in view.
pub const SEEN: &str = "seen";

/// Looks of a sort, or candidates seen, of one kind in one clip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LookCell {
    /// Right by the standard; of silence: rightly silent.
    pub(crate) agreed: i64,
    /// Of so many that could be told.
    pub(crate) told: i64,
    /// And so many that could not.
    pub(crate) untold: i64,
    pub(crate) pairs: YesNo,
}

impl LookCell {
    pub(crate) fn add(&mut self, agrees: Option<bool>) {
        match agrees {
            None => self.untold += 1,
            Some(agrees) => {
                self.told += 1;
                self.agreed += i64::from(agrees);
            }
        }
    }
}

/// By kind and sort.
pub(crate) type LookCells = BTreeMap<(LabelKind, &'static str), LookCell>;

/// Looks of one sort, or candidates seen, of one kind.
#[derive(Clone, Debug, PartialEq)]
pub struct AgreementRow {
    /// The kind.
    pub kind: LabelKind,
    /// A sort of look, or [`SEEN`].
    pub sort: String,
    /// Agreed and told, by clip.
    pub moments: Moments,
    /// How many could not be told.
    pub untold: u64,
    /// Pairs of yes and no, by clip: of `self` and `other`.
    pub pairs: Vec<YesNo>,
}

/// Whether silence was right: there is nothing, or (of what is always something) nobody can tell either.
fn rightly_silent(kind: LabelKind, said: Said) -> Option<bool> {
    match said {
        Said::Here => Some(false),
        Said::Nothing => Some(true),
        Said::CannotTell => is_state(kind).then_some(true),
    }
}

/// A pair of yes or no: of what a look is held against, and of its answer.
fn pair(against: &Reading, answer: &Reading) -> Option<(bool, bool)> {
    let flag = |reading: &Reading| match reading {
        Reading::Here(_, LabelValue::Flag(flag)) => Some(*flag),
        Reading::Not(_, LabelValue::Flag(flag)) => Some(!*flag),
        _ => None,
    };
    Some((flag(against)?, flag(answer)?))
}

/// Counts the answered looks of a clip, given its labels; also the candidates that were ever answered blind.
pub(crate) async fn count_looks(
    connection: &mut Connection,
    clip: &ClipId,
    labels: &[StoredLabel],
) -> Result<(LookCells, BTreeSet<LabelKey>), StoreError> {
    let sql = format!(
        "SELECT {} FROM looks l WHERE l.rig = $1 AND l.boot = $2 AND l.clip = $3
           AND EXISTS (SELECT 1 FROM answers a WHERE a.look = l.look)",
        look::COLUMNS
    );
    let looks = query(AssertSqlSafe(sql))
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .fetch_all(&mut *connection)
        .await
        .map_err(StoreError::database("count second looks"))?
        .iter()
        .map(look::from_row)
        .collect::<Result<Vec<_>, _>>()?;
    let (mut cells, mut blind) = (LookCells::new(), BTreeSet::new());
    if looks.is_empty() {
        return Ok((cells, blind));
    }
    let answers = standing_answers(connection, clip).await?;
    let verdicts = verdicts_looked_at(connection, clip).await?;
    let labels: HashMap<&LabelKey, &StoredLabel> =
        labels.iter().map(|label| (&label.id, label)).collect();
    for look in looks {
        if look.sort == LookSort::Blind {
            blind.extend(look.label.clone());
        }
        // A third person's answer is one side of a disagreement, not a measure of one.
        let Some(answer) = answers
            .get(&look.look)
            .filter(|_| look.sort != LookSort::Second)
        else {
            continue;
        };
        let label = look.label.as_ref().and_then(|label| labels.get(label));
        let against =
            label.and_then(|label| reading::against(&look, label, |number| verdicts.get(&number)));
        let agrees = match look.sort {
            LookSort::Silence => rightly_silent(look.kind, answer.said),
            _ => against
                .as_ref()
                .and_then(|against| against.agrees(&answer.reading)),
        };
        let cell = cells.entry((look.kind, look.sort.name())).or_default();
        cell.add(agrees);
        if matches!(look.sort, LookSort::Own | LookSort::Other) {
            match against.and_then(|against| pair(&against, &answer.reading)) {
                Some((true, true)) => cell.pairs.yes += 1,
                Some((false, false)) => cell.pairs.no += 1,
                Some(_) => cell.pairs.split += 1,
                None => {}
            }
        }
    }
    Ok((cells, blind))
}

impl LabelStore {
    /// Agreement by kind and sort, of one rig or of all.
    pub async fn agreement(&self, rig: Option<&Name>) -> Result<Vec<AgreementRow>, StoreError> {
        const DOING: &str = "read agreement";
        let failed = || StoreError::database(DOING);
        let mut connection = self.read(DOING).await?;
        let rows = query(
            "SELECT kind, sort, sum(CASE WHEN told > 0 THEN 1 ELSE 0 END) AS clips, sum(agreed) AS a, sum(told) AS m,
                sum(agreed * agreed) AS aa, sum(agreed * told) AS am, sum(told * told) AS mm, sum(untold) AS untold
             FROM quality_looks WHERE ($1 IS NULL OR rig = $1) GROUP BY kind, sort ORDER BY kind, sort",
        )
        .bind(rig.map(Name::as_str))
        .fetch_all(&mut connection)
        .await
        .map_err(failed())?;
        let pairs = query(
            "SELECT kind, sort, yes, no, split FROM quality_looks
             WHERE yes + no + split > 0 AND ($1 IS NULL OR rig = $1)",
        )
        .bind(rig.map(Name::as_str))
        .fetch_all(&mut connection)
        .await
        .map_err(failed())?;
        rows.iter()
            .map(|row| {
                let (kind, sort): (&str, String) = (row.get("kind"), row.get("sort"));
                let count = |column| row.get::<i64, _>(column) as u64;
                Ok(AgreementRow {
                    pairs: pairs
                        .iter()
                        .filter(|pair| {
                            pair.get::<&str, _>("kind") == kind
                                && pair.get::<&str, _>("sort") == sort
                        })
                        .map(|pair| YesNo {
                            yes: pair.get::<i64, _>("yes") as u64,
                            no: pair.get::<i64, _>("no") as u64,
                            split: pair.get::<i64, _>("split") as u64,
                        })
                        .collect(),
                    kind: LabelKind::from_name(kind)
                        .ok_or_else(|| StoreError::unreadable("kind", kind))?,
                    moments: Moments {
                        clips: count("clips"),
                        right: count("a") as f64,
                        judged: count("m") as f64,
                        right_right: count("aa") as f64,
                        right_judged: count("am") as f64,
                        judged_judged: count("mm") as f64,
                    },
                    untold: count("untold"),
                    sort,
                })
            })
            .collect()
    }
}

/// Writes what was counted of a clip.
pub(crate) async fn write_looks(
    tx: &mut Connection,
    clip_id: i64,
    rig: &str,
    cells: &LookCells,
) -> Result<(), StoreError> {
    let failed = || StoreError::database("count second looks");
    query("DELETE FROM quality_looks WHERE clip_id = $1")
        .bind(clip_id)
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
    for ((kind, sort), cell) in cells {
        query(
            "INSERT INTO quality_looks (clip_id, rig, kind, sort, agreed, told, untold, yes, no, split)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        )
        .bind(clip_id)
        .bind(rig)
        .bind(kind.name())
        .bind(*sort)
        .bind(cell.agreed)
        .bind(cell.told)
        .bind(cell.untold)
        .bind(cell.pairs.yes as i64)
        .bind(cell.pairs.no as i64)
        .bind(cell.pairs.split as i64)
        .execute(&mut *tx)
        .await
        .map_err(failed())?;
    }
    Ok(())
}
