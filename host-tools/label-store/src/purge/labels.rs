//! Labels of what is purged, and what people said of them: a few hundred in a transaction, so that nobody waits for long behind a
//! large clip.

use super::{DOING, PurgeReport, of_clip};
use crate::counts::{self, Group, MADE};
use crate::database::{AssertSqlSafe, Connection, Query, query};
use crate::track_edits::track_map;
use crate::{ClipId, StoreError};
use label_core::{FrameRange, TrackId};
use std::collections::BTreeMap;

/// Labels deleted in one transaction.
pub(super) const AT_ONCE: usize = 256;

/// A label of what is purged.
pub(super) struct Chosen {
    seq: i64,
    n: i64,
    pub(super) frames: FrameRange,
}

/// How many were deleted of what the rig made.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) offered: i64,
    pub(super) abstained: i64,
}

/// The labels of a clip, or of one person of it by the number that the page shows.
pub(super) async fn chosen(
    connection: &mut Connection,
    clip: &ClipId,
    track: Option<TrackId>,
) -> Result<Vec<Chosen>, StoreError> {
    let map = track_map(connection, clip).await?;
    let rows = of_clip(
        "SELECT seq, n, track, start_frame, end_frame FROM labels WHERE rig = $1 AND boot = $2 AND clip = $3",
        clip,
    )
    .fetch_all(connection)
    .await
    .map_err(StoreError::database(DOING))?;
    let mut found = Vec::new();
    for row in &rows {
        let number = |column| row.get::<i64, _>(column);
        let (start, end) = (number("start_frame") as u32, number("end_frame") as u32);
        let told: Option<i64> = row.get("track");
        let is_chosen = track.is_none_or(|wanted| {
            told.is_some_and(|told| map.edited(told as TrackId, start) == wanted)
        });
        if is_chosen {
            found.push(Chosen {
                seq: number("seq"),
                n: number("n"),
                frames: FrameRange::new(start, end),
            });
        }
    }
    Ok(found)
}

/// A statement about rows that name one of these labels.
fn of_labels(sql: &str, clip: &ClipId, labels: &[Chosen]) -> Query {
    let named: Vec<_> = labels
        .iter()
        .map(|label| format!("({}, {})", label.seq, label.n))
        .collect();
    let named = named.join(", ");
    let these = format!("rig = $1 AND boot = $2 AND (seq, n) IN (VALUES {named})");
    // Numbers alone are added to the text.
    query(AssertSqlSafe(sql.replace("THESE", &these)))
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
}

/// What people said of labels.
const SAID: [&str; 2] = [
    "answers WHERE look IN (SELECT look FROM looks WHERE THESE)",
    "verdicts WHERE THESE",
];

/// Questions about silence name no label. Those of one person name the rig's track.
const OF_SILENCE: &str =
    "rig = $1 AND boot = $2 AND clip = $3 AND seq IS NULL AND ($4 IS NULL OR track = $4)";

/// Counts these labels and what was said of them.
pub(super) async fn count(
    connection: &mut Connection,
    clip: &ClipId,
    track: Option<TrackId>,
    report: &mut PurgeReport,
) -> Result<(), StoreError> {
    for labels in chosen(connection, clip, track).await?.chunks(AT_ONCE) {
        let made = labels.iter().filter(|label| label.seq < 0).count();
        report.made += made as u64;
        report.labels += (labels.len() - made) as u64;
        for said in SAID {
            let rows = of_labels(&format!("SELECT count(*) FROM {said}"), clip, labels);
            let row = rows.fetch_one(&mut *connection).await;
            report.said += row.map_err(StoreError::database(DOING))?.get::<i64, _>(0) as u64;
        }
    }
    let sql = format!(
        "SELECT count(*) FROM answers WHERE look IN (SELECT look FROM looks WHERE {OF_SILENCE})"
    );
    let row = of_silence(sql, clip, track).fetch_one(connection).await;
    report.said += row.map_err(StoreError::database(DOING))?.get::<i64, _>(0) as u64;
    Ok(())
}

fn of_silence(sql: String, clip: &ClipId, track: Option<TrackId>) -> Query {
    query(AssertSqlSafe(sql))
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .bind(track.map(i64::from))
}

/// Deletes these labels, those of them that are there.
pub(super) async fn drop_labels(
    tx: &mut Connection,
    clip: &ClipId,
    labels: &[Chosen],
    report: &mut PurgeReport,
) -> Result<Counts, StoreError> {
    let failed = || StoreError::database(DOING);
    let mut gone = Counts::default();
    let mut groups = BTreeMap::<_, i64>::new();
    // As they are now: somebody may have judged them since they were chosen.
    for row in &of_labels(
        "SELECT seq, kind, state, model, conditions FROM labels WHERE THESE",
        clip,
        labels,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(failed())?
    {
        let state: Option<String> = row.get("state");
        let is_made = row.get::<i64, _>("seq") < 0;
        match (is_made, &state) {
            (true, _) => report.made += 1,
            (false, Some(_)) => gone.offered += 1,
            (false, None) => gone.abstained += 1,
        }
        let model = row.get::<Option<i64>, _>("model").unwrap_or(0);
        let group = (
            row.get::<String, _>("kind"),
            state.unwrap_or_else(|| counts::ABSTAINED.to_owned()),
            if is_made { MADE } else { model },
            row.get::<i64, _>("conditions"),
        );
        *groups.entry(group).or_default() += 1;
    }
    report.labels += (gone.offered + gone.abstained) as u64;
    // In an order in which nothing points at what is gone: tables that name the label, those that name what goes with it first.
    let [answers, verdicts] = SAID;
    for rows in [
        answers,
        "decisions WHERE THESE",
        "cases WHERE THESE",
        "looks WHERE THESE",
        verdicts,
        "labels WHERE THESE",
    ] {
        let statement = of_labels(&format!("DELETE FROM {rows}"), clip, labels);
        let deleted = statement.execute(&mut *tx).await.map_err(failed())?;
        if SAID.contains(&rows) {
            report.said += deleted;
        }
    }
    for ((kind, state, model, conditions), labels) in &groups {
        let group = Group {
            clip,
            kind,
            state,
            model: *model,
            conditions: *conditions,
        };
        counts::add(tx, &group, -labels).await?;
    }
    Ok(gone)
}

/// Deletes what is left of them when no label is.
pub(super) async fn drop_rest(
    tx: &mut Connection,
    clip: &ClipId,
    track: Option<TrackId>,
    report: &mut PurgeReport,
) -> Result<(), StoreError> {
    let failed = || StoreError::database(DOING);
    let answers =
        format!("DELETE FROM answers WHERE look IN (SELECT look FROM looks WHERE {OF_SILENCE})");
    let answers = of_silence(answers, clip, track).execute(&mut *tx).await;
    report.said += answers.map_err(failed())?;
    let looks = format!("DELETE FROM looks WHERE {OF_SILENCE}");
    let looks = of_silence(looks, clip, track).execute(&mut *tx).await;
    looks.map_err(failed())?;
    // Tracks that no label names any more.
    of_clip(
        "DELETE FROM clip_tracks WHERE rig = $1 AND boot = $2 AND clip = $3 AND NOT EXISTS
            (SELECT 1 FROM labels l WHERE l.rig = $1 AND l.boot = $2 AND l.clip = $3 AND l.track = clip_tracks.track)",
        clip,
    )
    .execute(tx)
    .await
    .map_err(failed())?;
    Ok(())
}
