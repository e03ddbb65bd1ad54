//! Every picture of what is purged: filmstrips, key pictures, what rigs were asked for, what lies in quarantine.

use super::{DOING, PurgeOrder, PurgeReport, late, of_clip};
use crate::database::{AssertSqlSafe, Connection, query};
use crate::track_edits::track_map;
use crate::{ClipId, StoreError};
use label_core::wire::split_evidence;

/// Deletes every picture of what is purged; tells how many evidence messages that were.
pub(super) async fn delete(
    tx: &mut Connection,
    order: &PurgeOrder,
    frames: Option<(u32, u32)>,
    report: &mut PurgeReport,
) -> Result<u64, StoreError> {
    let clip = &order.clip;
    let map = track_map(tx, clip).await?;
    let mut strips = 0;
    for row in &of_clip(
        "SELECT seq, header, cast(length(jpeg) AS BIGINT) AS bytes FROM evidence WHERE rig = $1 AND boot = $2 AND clip = $3",
        clip,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(StoreError::database(DOING))?
    {
        if !late::is_of(order.track, &map, row.get("header")) {
            continue;
        }
        query("DELETE FROM evidence WHERE rig = $1 AND boot = $2 AND seq = $3")
            .bind(clip.rig.as_str())
            .bind(clip.boot.raw() as i64)
            .bind(row.get::<i64, _>("seq"))
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database(DOING))?;
        strips += 1;
        report.bytes += row.get::<i64, _>("bytes") as u64;
    }
    report.filmstrips += strips;
    let within = |frame: &str| {
        format!(
            "rig = $1 AND boot = $2 AND clip = $3 AND ($4 IS NULL OR {frame} BETWEEN $4 AND $5)"
        )
    };
    let (first, last) = (
        frames.map(|frames| i64::from(frames.0)),
        frames.map(|frames| i64::from(frames.1)),
    );
    let sql = format!(
        "DELETE FROM pictures WHERE {} RETURNING cast(length(jpeg) AS BIGINT) AS bytes",
        within("frame")
    );
    let gone = query(AssertSqlSafe(sql))
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .bind(i64::from(clip.clip))
        .bind(first)
        .bind(last)
        .fetch_all(&mut *tx)
        .await
        .map_err(StoreError::database(DOING))?;
    report.pictures += gone.len() as u64;
    report.bytes += gone
        .iter()
        .map(|row| row.get::<i64, _>("bytes") as u64)
        .sum::<u64>();
    requests(tx, clip, (first, last), report).await?;
    quarantined(tx, clip, report).await?;
    Ok(strips + gone.len() as u64)
}

async fn requests(
    tx: &mut Connection,
    clip: &ClipId,
    (first, last): (Option<i64>, Option<i64>),
    report: &mut PurgeReport,
) -> Result<(), StoreError> {
    // A picture that came before it was noted of which clip it is may be of this one.
    let requests = of_clip(
        "SELECT request, have FROM requests WHERE rig = $1 AND (boot = $2 OR boot IS NULL) AND (clip = $3 OR (clip IS NULL AND state = 'here'))
            AND ($4 IS NULL OR first_frame IS NULL OR (first_frame <= $5 AND last_frame >= $4))",
        clip,
    )
    .bind(first)
    .bind(last)
    .fetch_all(&mut *tx)
    .await
    .map_err(StoreError::database(DOING))?;
    for row in &requests {
        report.bytes += row.get::<i64, _>("have") as u64;
        crate::requests::remove(tx, row.get("request")).await?;
    }
    report.requests += requests.len() as u64;
    Ok(())
}

/// What was set aside of the clip, or of its run where nobody can read of which clip it is.
async fn quarantined(
    tx: &mut Connection,
    clip: &ClipId,
    report: &mut PurgeReport,
) -> Result<(), StoreError> {
    let entries = query("SELECT entry, payload FROM quarantine WHERE rig = $1 AND boot = $2")
        .bind(clip.rig.as_str())
        .bind(clip.boot.raw() as i64)
        .fetch_all(&mut *tx)
        .await
        .map_err(StoreError::database(DOING))?;
    for row in &entries {
        let payload: &[u8] = row.get("payload");
        let header = split_evidence(payload).map_or(payload, |(header, _)| header);
        let said = serde_json::from_slice::<serde_json::Value>(header).ok();
        let of = said.and_then(|said| said["clip"].as_u64());
        if of.is_some_and(|of| of != u64::from(clip.clip)) {
            continue;
        }
        report.bytes += payload.len() as u64;
        report.quarantined += 1;
        query("DELETE FROM quarantine WHERE entry = $1")
            .bind(row.get::<i64, _>("entry"))
            .execute(&mut *tx)
            .await
            .map_err(StoreError::database(DOING))?;
    }
    Ok(())
}
