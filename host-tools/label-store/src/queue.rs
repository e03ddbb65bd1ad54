//! The queue: what there is to review, of every kind.
//!
//! A page of it has to come quickly from a million labels. The counts say exactly how many match and in which clips they
//! lie, so three ways suffice, each of which touches little more than what it gives:
//!
//! * **few match**: only the groups that the counts name are read, and sorted;
//! * **by time**: the counts say which clips hold the page; the others are passed over unread;
//! * **many match, by doubt or minutes**: one index range a state and kind, merged, and left as soon as the page is full.

mod filter;

pub use filter::{ModelVersion, QueueFilter, QueueItem, QueueOrder, QueuePage};

use crate::database::{Connection, Row, Statement, query};
use crate::key::{LabelKey, row_key};
use crate::row::{LABEL_COLUMNS, label_from_row};
use crate::{LabelStore, StoreError, track_edits};
use label_core::id::Name;

/// A number that no model has.
const NO_MODEL: i64 = -2;

/// Up to this many are read and sorted; of more, an index gives the order.
const FEW: u64 = 20_000;

impl LabelStore {
    /// What there is to review.
    pub async fn queue(&self, filter: &QueueFilter) -> Result<QueuePage, StoreError> {
        // One snapshot, so that counts and labels belong together.
        let mut tx = self.begin_read("read the queue").await?;
        let search = Search::new(&mut tx, filter).await?;
        let groups = search.groups(&mut tx).await?;
        let possible: u64 = groups.iter().map(|group| group.labels).sum();
        let few = filter.clip.is_some() || possible <= FEW;
        let by_confidence = filter.confidence_min.is_some() || filter.confidence_max.is_some();
        let total = if by_confidence && possible > 0 {
            search.count(&mut tx, &groups, few).await?
        } else {
            possible
        };
        if u64::from(filter.offset) >= total || filter.limit == 0 {
            return Ok(QueuePage {
                items: Vec::new(),
                total,
            });
        }
        let page = if few {
            search.read_groups(&mut tx, None, filter.offset).await
        } else if filter.order != QueueOrder::Time || (by_confidence && total <= FEW) {
            search.merge_indexes(&mut tx, &groups).await
        } else {
            search.walk_clips(&mut tx, by_confidence).await
        };
        let mut items = page?.iter().map(item).collect::<Result<Vec<_>, _>>()?;
        track_edits::apply(&mut tx, items.iter_mut().map(|item| &mut item.label)).await?;
        Ok(QueuePage { items, total })
    }
}

impl LabelStore {
    /// These labels, in this order; those that are not there are left out.
    pub async fn labels(&self, keys: &[LabelKey]) -> Result<Vec<QueueItem>, StoreError> {
        let mut connection = self.read("read labels").await?;
        let mut items = Vec::with_capacity(keys.len());
        // SQLite takes 32766 values in one statement.
        for keys in keys.chunks(1000) {
            let mut places = Vec::with_capacity(keys.len());
            for key in keys {
                places.extend(row_key(&mut connection, key).await?);
            }
            if places.is_empty() {
                continue;
            }
            let mut sql = page_of();
            sql.push("VALUES ");
            for (number, place) in places.iter().enumerate() {
                sql.push(if number == 0 { "(" } else { ", (" });
                sql.push_bind(&place.rig).push(", ");
                sql.push_list([place.boot, place.seq, place.n, number as i64]);
                sql.push(")");
            }
            sql.push(
                ") k CROSS JOIN labels l
                 JOIN clips c ON c.rig = l.rig AND c.boot = l.boot AND c.clip = l.clip
                 LEFT JOIN models m ON m.model = l.model
                 WHERE l.rig = k.column1 AND l.boot = k.column2 AND l.seq = k.column3 AND l.n = k.column4
                 ORDER BY k.column5",
            );
            let rows = sql.build().fetch_all(&mut connection).await;
            for row in &rows.map_err(StoreError::database("read labels"))? {
                items.push(item(row)?);
            }
        }
        let labels = items.iter_mut().map(|item| &mut item.label);
        track_edits::apply(&mut connection, labels).await?;
        Ok(items)
    }
}

fn failed() -> impl FnOnce(sqlx::Error) -> StoreError {
    StoreError::database("read the queue")
}

fn item(row: &Row) -> Result<QueueItem, StoreError> {
    Ok(QueueItem {
        label: label_from_row(row)?,
        clip_name: row.get("clip_name"),
        evidence: row.get::<i64, _>("evidence") as u32,
    })
}

/// Labels of one kind in one state.
struct Group {
    kind: String,
    state: String,
    labels: u64,
}

/// Clips of a page by time: from the first to the last, both included.
type Clips = ((String, i64, i64), (String, i64, i64));

struct Search<'a> {
    filter: &'a QueueFilter,
    rig: Option<&'a str>,
    /// Numbers of the model asked for; empty where none was asked for.
    models: Vec<i64>,
    conditions: i64,
}

impl<'a> Search<'a> {
    async fn new(connection: &mut Connection, filter: &'a QueueFilter) -> Result<Self, StoreError> {
        let mut models = Vec::new();
        if let Some(asked) = &filter.model {
            models = query("SELECT model FROM models WHERE name = $1 AND version = $2")
                .bind(&asked.name)
                .bind(&asked.version)
                .fetch_all(connection)
                .await
                .map_err(failed())?
                .iter()
                .map(|row| row.get(0))
                .collect();
            if models.is_empty() {
                models.push(NO_MODEL);
            }
        }
        let clip = filter.clip.as_ref();
        Ok(Self {
            filter,
            rig: clip
                .map(|clip| &clip.rig)
                .or(filter.rig.as_ref())
                .map(Name::as_str),
            models,
            conditions: filter
                .conditions
                .iter()
                .fold(0, |bits, condition| bits | condition.bit()),
        })
    }

    /// The smallest table that counts what is asked for.
    const fn counts(&self) -> &'static str {
        if self.conditions == 0 {
            "label_totals"
        } else {
            "label_counts"
        }
    }

    /// Rig and clip.
    fn push_place(&self, sql: &mut Statement, way: Way) {
        if let Some(rig) = self.rig {
            // An expression: an index on rig would be worse than the one that gives the order.
            sql.push(match way {
                Way::Finding => " AND rig = ",
                Way::Filtering => " AND rig || '' = ",
            });
            sql.push_bind(rig.to_owned());
        }
        if let Some(clip) = &self.filter.clip {
            sql.push(" AND boot = ").push_bind(clip.boot.raw() as i64);
            sql.push(" AND clip = ").push_bind(i64::from(clip.clip));
        }
    }

    /// Model and conditions.
    fn push_origin(&self, sql: &mut Statement) {
        if !self.models.is_empty() {
            sql.push(" AND model IN (");
            sql.push_list(&self.models).push(")");
        }
        if self.conditions != 0 {
            sql.push(" AND (conditions & ").push_bind(self.conditions);
            sql.push(") = ").push_bind(self.conditions);
        }
    }

    fn push_kinds_and_state(&self, sql: &mut Statement) {
        if !self.filter.kinds.is_empty() {
            sql.push(" AND kind IN (");
            let kinds = self.filter.kinds.iter();
            sql.push_list(kinds.map(|kind| kind.name())).push(")");
        }
        match self.filter.state {
            Some(state) => sql.push(" AND state = ").push_bind(state.name()),
            None => sql.push(" AND state NOT IN ('removed', 'abstained', 'blind')"),
        };
    }

    fn push_confidence(&self, sql: &mut Statement) {
        // Confidences are kept as the doubles nearest to them; what is asked for may be a little beside.
        if let Some(least) = self.filter.confidence_min {
            sql.push(" AND sure >= ").push_bind(f64::from(least) - 1e-6);
        }
        if self.filter.confidence_min.is_some() || self.filter.confidence_max.is_some() {
            let most = self.filter.confidence_max.unwrap_or(1.0);
            sql.push(" AND sure <= ").push_bind(f64::from(most) + 1e-6);
        }
    }

    async fn groups(&self, connection: &mut Connection) -> Result<Vec<Group>, StoreError> {
        let mut sql = Statement::new("SELECT kind, state, sum(labels) AS labels FROM ");
        sql.push(self.counts()).push(" WHERE labels > 0");
        self.push_place(&mut sql, Way::Finding);
        self.push_origin(&mut sql);
        self.push_kinds_and_state(&mut sql);
        sql.push(" GROUP BY kind, state");
        Ok(sql
            .build()
            .fetch_all(connection)
            .await
            .map_err(failed())?
            .iter()
            .map(|row| Group {
                kind: row.get("kind"),
                state: row.get("state"),
                labels: row.get::<i64, _>("labels") as u64,
            })
            .collect())
    }

    /// Counts what lies within the confidences asked for.
    async fn count(
        &self,
        connection: &mut Connection,
        groups: &[Group],
        few: bool,
    ) -> Result<u64, StoreError> {
        let mut sql = Statement::new("SELECT count(*) FROM (");
        if few {
            self.push_groups(&mut sql, None);
        } else {
            self.push_ranges(&mut sql, groups);
        }
        sql.push(") AS matching");
        let row = sql.build().fetch_one(connection).await.map_err(failed())?;
        Ok(row.get::<i64, _>(0) as u64)
    }

    /// Few match: reads the groups that the counts name.
    async fn read_groups(
        &self,
        connection: &mut Connection,
        clips: Option<&Clips>,
        offset: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let mut sql = page_of();
        self.push_groups(&mut sql, clips);
        self.page(connection, sql, offset).await
    }

    fn push_groups(&self, sql: &mut Statement, clips: Option<&Clips>) {
        sql.push(
            "SELECT l.rig AS rig, l.boot AS boot, l.seq AS seq, l.n AS n, l.clip AS clip, l.start_frame AS start_frame,
                l.sure AS sure, l.gain AS gain FROM
             (SELECT DISTINCT rig, boot, clip, kind, state FROM ",
        );
        sql.push(self.counts()).push(" WHERE labels > 0");
        self.push_place(sql, Way::Finding);
        self.push_origin(sql);
        self.push_kinds_and_state(sql);
        if let Some((first, last)) = clips {
            for (relation, (rig, boot, clip)) in [(">=", first), ("<=", last)] {
                sql.push(&format!(" AND (rig, boot, clip) {relation} ("))
                    .push_bind(rig.clone());
                sql.push(", ").push_bind(*boot);
                sql.push(", ").push_bind(*clip).push(")");
            }
        }
        sql.push(
            ") g CROSS JOIN labels l
             WHERE l.rig = g.rig AND l.boot = g.boot AND l.clip = g.clip AND l.kind = g.kind AND l.state = g.state",
        );
        self.push_origin(sql);
        self.push_confidence(sql);
    }

    /// Many match: one index range a state and kind, in the order asked for, merged.
    async fn merge_indexes(
        &self,
        connection: &mut Connection,
        groups: &[Group],
    ) -> Result<Vec<Row>, StoreError> {
        let mut sql = page_of();
        self.push_ranges(&mut sql, groups);
        self.page(connection, sql, self.filter.offset).await
    }

    fn push_ranges(&self, sql: &mut Statement, groups: &[Group]) {
        for (place, group) in groups.iter().enumerate() {
            if place > 0 {
                sql.push(" UNION ALL ");
            }
            sql.push("SELECT rig, boot, seq, n")
                .push(self.filter.order.also())
                .push(" FROM labels WHERE state = ")
                .push_bind(group.state.clone());
            sql.push(" AND kind = ").push_bind(group.kind.clone());
            self.push_place(sql, Way::Filtering);
            self.push_origin(sql);
            self.push_confidence(sql);
        }
    }

    /// By time: passes over the clips before the page.
    async fn walk_clips(
        &self,
        connection: &mut Connection,
        by_confidence: bool,
    ) -> Result<Vec<Row>, StoreError> {
        let mut sql = Statement::new("SELECT rig, boot, clip, sum(labels) AS labels FROM ");
        sql.push(self.counts()).push(" WHERE labels > 0");
        self.push_place(&mut sql, Way::Finding);
        self.push_origin(&mut sql);
        self.push_kinds_and_state(&mut sql);
        sql.push(" GROUP BY rig, boot, clip ORDER BY rig, boot, clip");
        let rows = sql
            .build()
            .fetch_all(&mut *connection)
            .await
            .map_err(failed())?;
        let mut skip = u64::from(self.filter.offset);
        let mut missing = u64::from(self.filter.limit);
        let mut page: Option<Clips> = None;
        for row in &rows {
            let clip: (String, i64, i64) = (row.get(0), row.get(1), row.get(2));
            let labels = if by_confidence {
                let mut sql = Statement::new("SELECT count(*) FROM (");
                self.push_groups(&mut sql, Some(&(clip.clone(), clip.clone())));
                sql.push(") AS matching");
                let counted = sql.build().fetch_one(&mut *connection).await;
                counted.map_err(failed())?.get::<i64, _>(0) as u64
            } else {
                row.get::<i64, _>("labels") as u64
            };
            if page.is_none() && labels <= skip {
                skip -= labels;
                continue;
            }
            let here = if page.is_none() {
                labels - skip
            } else {
                labels
            };
            page = Some(match page {
                None => (clip.clone(), clip),
                Some((first, _)) => (first, clip),
            });
            missing = missing.saturating_sub(here);
            if missing == 0 {
                break;
            }
        }
        match page {
            Some(clips) => {
                self.read_groups(connection, Some(&clips), skip as u32)
                    .await
            }
            None => Ok(Vec::new()),
        }
    }

    /// Ends what [`page_of`] began: the labels, cut to the page, in order.
    async fn page(
        &self,
        connection: &mut Connection,
        mut sql: Statement,
        offset: u32,
    ) -> Result<Vec<Row>, StoreError> {
        let order = self.filter.order;
        sql.push(" ORDER BY ").push(order.columns());
        sql.push(" LIMIT ").push_bind(i64::from(self.filter.limit));
        sql.push(" OFFSET ").push_bind(i64::from(offset));
        sql.push(
            ") k CROSS JOIN labels l
             JOIN clips c ON c.rig = l.rig AND c.boot = l.boot AND c.clip = l.clip
             LEFT JOIN models m ON m.model = l.model
             WHERE l.rig = k.rig AND l.boot = k.boot AND l.seq = k.seq AND l.n = k.n ORDER BY ",
        );
        sql.push(order.columns_of_k());
        sql.build().fetch_all(connection).await.map_err(failed())
    }
}

/// Begins a statement that reads the labels whose keys a subquery gives, which comes next.
fn page_of() -> Statement {
    Statement::new(format!(
        "SELECT {LABEL_COLUMNS}, c.name AS clip_name,
            (SELECT count(*) FROM evidence e
              WHERE e.rig = l.rig AND e.boot = l.boot AND e.label_seq = l.seq AND e.label_n = l.n) AS evidence
         FROM ("
    ))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Through the indexes.
    Finding,
    /// Of what another index gives.
    Filtering,
}
