//! Rigs as a fleet: how each fared lately, and labels as they arrive.

mod balance;

pub use balance::{Imbalance, RunBalance, imbalance};

use crate::database::{AssertSqlSafe, Connection, Row, query};
use crate::row::{boot_column, name_column, word};
use crate::{LabelStore, StoreError};
use ::quality::DeskKind;
use label_core::id::Name;
use label_core::wire::{ClockState, Health};
use label_core::{BootId, FrameRange, LabelId};
use serde::Serialize;

/// A row of history is kept a minute at most …
const EVERY_US: i64 = 60 * 1_000_000;
/// … and for seven days.
const KEPT_US: i64 = 7 * 24 * 3600 * 1_000_000;

/// How a rig fared at one moment.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthPoint {
    /// When it was heard.
    pub heard_us: i64,
    /// The run.
    pub boot: BootId,
    /// Messages that wait on the rig.
    pub outbox_messages: u64,
    /// Their bytes.
    pub outbox_bytes: u64,
    /// Frames looked at since the boot.
    pub processed: u64,
    /// Frames lost since the boot.
    pub dropped: u64,
    /// Hottest sensor.
    pub temperature_c: Option<f64>,
    /// Mean time from capture to label.
    pub latency_ms: Option<f64>,
    /// Free room for the outbox.
    pub disk_free_mib: Option<u64>,
    /// How far dates can be trusted.
    pub clock: ClockState,
}

/// A rig with its counts.
#[derive(Clone, Debug, PartialEq)]
pub struct FleetRig {
    /// The rig.
    pub rig: Name,
    /// Its site.
    pub site: String,
    /// When it was first heard.
    pub first_seen_us: i64,
    /// When it was last heard.
    pub last_seen_us: i64,
    /// The last status, birth and health messages, and when each was heard.
    pub status: Option<(serde_json::Value, i64)>,
    /// What it is made of.
    pub birth: Option<(serde_json::Value, i64)>,
    /// How it fares.
    pub health: Option<(serde_json::Value, i64)>,
    /// Labels that it says it made, of closed clips, less those that were deleted on order.
    pub made: u64,
    /// Labels of these clips that are here.
    pub committed: u64,
    /// Clips, and how many of them are open.
    pub clips: (u64, u64),
    /// Highest number heard, summed over its runs.
    pub sent: u64,
    /// Up to where there is no hole, summed likewise.
    pub received: u64,
    /// Candidates of all clips.
    pub offered: u64,
    /// Of these, judged.
    pub reviewed: u64,
    /// Abstentions of all clips.
    pub abstained: u64,
    /// Its runs, oldest first.
    pub runs: Vec<RunBalance>,
    /// Messages of it in quarantine: all, and of the last hour.
    pub quarantined: (u64, u64),
}

/// Labels of a kind that arrived lately.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LiveKind {
    /// The rig.
    pub rig: Name,
    /// The kind.
    pub kind: DeskKind,
    /// Candidates.
    pub offered: u64,
    /// Abstentions.
    pub abstained: u64,
    /// Mean seconds from a label's last frame until it was here; null where the clip is a file or the rig's clock is not set.
    pub lag_s: Option<f64>,
}

/// A candidate that arrived lately.
#[derive(Clone, Debug, PartialEq)]
pub struct LiveLabel {
    /// Its identity.
    pub id: LabelId,
    /// Number of the clip.
    pub clip: u32,
    /// The kind.
    pub kind: DeskKind,
    /// The person.
    pub track: Option<u16>,
    /// Its frames.
    pub frames: FrameRange,
    /// How sure.
    pub confidence: Option<f64>,
    /// What is offered, as on the wire.
    pub value: Option<serde_json::Value>,
    /// When it was here.
    pub received_us: i64,
    /// Seconds from its last frame.
    pub lag_s: Option<f64>,
}

/// What arrived since a moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Live {
    /// By rig and kind.
    pub kinds: Vec<LiveKind>,
    /// The last candidates, the newest last.
    pub latest: Vec<LiveLabel>,
}

/// Keeps how a rig fared, not more often than once a minute and not longer than seven days.
pub(crate) async fn keep_health(
    tx: &mut Connection,
    health: &Health,
    heard_us: i64,
) -> Result<(), StoreError> {
    const DOING: &str = "keep how a rig fared";
    let rig = health.rig.as_str();
    let kept = query(
        "INSERT INTO health_history (rig, heard_us, boot, outbox_messages, outbox_bytes, processed, dropped,
            temperature_c, latency_ms, disk_free_mib, clock)
         SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11
         WHERE NOT EXISTS (SELECT 1 FROM health_history WHERE rig = $1 AND heard_us > $12)",
    )
    .bind(rig)
    .bind(heard_us)
    .bind(health.boot.raw() as i64)
    .bind(health.outbox.messages as i64)
    .bind(health.outbox.bytes as i64)
    .bind(health.frames.processed as i64)
    .bind(health.frames.dropped as i64)
    .bind(health.temperature_c.map(f64::from))
    .bind(health.latency_ms.map(f64::from))
    .bind(health.disk_free_mib.map(|free| free as i64))
    .bind(
        serde_json::to_string(&health.clock)
            .expect("a word always encodes")
            .trim_matches('"'),
    )
    .bind(heard_us - EVERY_US)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database(DOING))?
    ;
    if kept > 0 {
        query("DELETE FROM health_history WHERE rig = $1 AND heard_us < $2")
            .bind(rig)
            .bind(heard_us - KEPT_US)
            .execute(tx)
            .await
            .map_err(StoreError::database(DOING))?;
    }
    Ok(())
}

/// A live clip's frames are dated by the rig's clock, if it is set.
const LAG: &str = "CASE WHEN c.mono_us IS NOT NULL AND c.mono_us > 0 AND c.clock <> 'unsynced'
        AND m.received_us - c.utc_us - l.end_pts_us BETWEEN -5000000 AND 3600000000
    THEN (m.received_us - c.utc_us - l.end_pts_us) / 1000000.0 END";

impl LabelStore {
    /// Every rig, by name. Counts of labels are as quality counted them last.
    pub async fn fleet(&self, now_us: i64) -> Result<Vec<FleetRig>, StoreError> {
        const DOING: &str = "read the fleet";
        // One moment: what a rig says of itself is held against what is here.
        let mut connection = self.begin_read(DOING).await?;
        let mut runs = balance::runs(&mut connection).await?;
        let mut rigs = Vec::new();
        for row in &query(
            "SELECT r.rig, r.site, r.first_seen_us, r.last_seen_us,
                (SELECT coalesce(sum(b.highest), 0) FROM boots b WHERE b.rig = r.rig) AS sent,
                (SELECT coalesce(sum(b.watermark), 0) FROM boots b WHERE b.rig = r.rig) AS received,
                (SELECT count(*) FROM clips c WHERE c.rig = r.rig) AS clips,
                (SELECT count(*) FROM clips c WHERE c.rig = r.rig AND c.closed_seq IS NULL) AS open,
                (SELECT coalesce(sum(c.offered + c.abstained), 0) FROM clips c WHERE c.rig = r.rig)
                  - (SELECT coalesce(sum(p.offered + p.abstained), 0) FROM purges p
                      JOIN clips c ON c.rig = p.rig AND c.boot = p.boot AND c.clip = p.clip
                      WHERE p.rig = r.rig AND c.closed_seq IS NOT NULL) AS made,
                (SELECT coalesce(sum(n.labels), 0) FROM label_counts n
                    JOIN clips c ON c.rig = n.rig AND c.boot = n.boot AND c.clip = n.clip
                  WHERE n.rig = r.rig AND n.model >= 0 AND c.closed_seq IS NOT NULL) AS committed,
                (SELECT coalesce(sum(n.labels), 0) FROM label_counts n
                  WHERE n.rig = r.rig AND n.model >= 0 AND n.state <> 'abstained') AS offered,
                (SELECT coalesce(sum(n.labels), 0) FROM label_counts n
                  WHERE n.rig = r.rig AND n.model >= 0 AND n.state = 'abstained') AS abstained,
                (SELECT coalesce(sum(n.labels), 0) FROM label_counts n
                  WHERE n.rig = r.rig AND n.model >= 0 AND n.state NOT IN ('abstained', 'blind', 'waiting')) AS reviewed,
                (SELECT coalesce(sum(q.times), 0) FROM quarantine q WHERE q.rig = r.rig) AS quarantined,
                (SELECT coalesce(sum(q.times), 0) FROM quarantine q WHERE q.rig = r.rig AND q.last_us > $1) AS lately
             FROM rigs r
             WHERE NOT EXISTS (SELECT 1 FROM imported_clips i WHERE i.source = r.rig
                   AND NOT EXISTS (SELECT 1 FROM rig_states s WHERE s.rig = i.source)) ORDER BY r.rig",
        )
        .bind(now_us - 3600 * 1_000_000)
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database(DOING))?
        {
            let count = |column| row.get::<i64, _>(column) as u64;
            let rig = name_column(row, "rig")?;
            rigs.push(FleetRig {
                runs: runs.remove(&rig).unwrap_or_default(),
                rig,
                site: row.get("site"),
                first_seen_us: row.get("first_seen_us"),
                last_seen_us: row.get("last_seen_us"),
                status: None,
                birth: None,
                health: None,
                made: count("made"),
                committed: count("committed"),
                clips: (count("clips"), count("open")),
                sent: count("sent"),
                received: count("received"),
                offered: count("offered"),
                reviewed: count("reviewed"),
                abstained: count("abstained"),
                quarantined: (count("quarantined"), count("lately")),
            });
        }
        for row in &query("SELECT rig, topic, json, heard_us FROM rig_states")
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?
        {
            let (name, topic, json): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
            let Some(rig) = rigs.iter_mut().find(|rig| rig.rig == name) else {
                continue;
            };
            let value = serde_json::from_str(json)
                .map_err(|_| StoreError::unreadable("rig_states.json", json))?;
            let said = Some((value, row.get("heard_us")));
            match topic {
                "status" => rig.status = said,
                "birth" => rig.birth = said,
                _ => rig.health = said,
            }
        }
        Ok(rigs)
    }

    /// Candidates of rigs and imports, by the names of their kind and state.
    pub async fn candidates_by_state(&self) -> Result<Vec<(String, String, u64)>, StoreError> {
        const DOING: &str = "count candidates";
        let mut connection = self.read(DOING).await?;
        Ok(query(
            "SELECT kind, state, sum(labels) AS labels FROM label_totals
             WHERE model >= 0 AND state <> 'abstained' GROUP BY kind, state ORDER BY kind, state",
        )
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database(DOING))?
        .iter()
        .map(|row| {
            (
                row.get("kind"),
                row.get("state"),
                row.get::<i64, _>("labels") as u64,
            )
        })
        .collect())
    }

    /// How a rig fared since a moment, oldest first.
    pub async fn health_history(
        &self,
        rig: &Name,
        since_us: i64,
    ) -> Result<Vec<HealthPoint>, StoreError> {
        const DOING: &str = "read how a rig fared";
        let mut connection = self.read(DOING).await?;
        query("SELECT * FROM health_history WHERE rig = $1 AND heard_us >= $2 ORDER BY heard_us")
            .bind(rig.as_str())
            .bind(since_us)
            .fetch_all(&mut connection)
            .await
            .map_err(StoreError::database(DOING))?
            .iter()
            .map(|row| {
                let count = |column| row.get::<i64, _>(column) as u64;
                Ok(HealthPoint {
                    heard_us: row.get("heard_us"),
                    boot: boot_column(row, "boot")?,
                    outbox_messages: count("outbox_messages"),
                    outbox_bytes: count("outbox_bytes"),
                    processed: count("processed"),
                    dropped: count("dropped"),
                    temperature_c: row.get("temperature_c"),
                    latency_ms: row.get("latency_ms"),
                    disk_free_mib: row
                        .get::<Option<i64>, _>("disk_free_mib")
                        .map(|free| free as u64),
                    clock: word(row.get("clock"), "clock")?,
                })
            })
            .collect()
    }

    /// What arrived after a moment, and of the candidates the last so many one by one.
    pub async fn live(&self, after_us: i64, latest: u32) -> Result<Live, StoreError> {
        const DOING: &str = "read what arrived";
        const FROM: &str = "FROM messages m
             JOIN labels l ON l.rig = m.rig AND l.boot = m.boot AND l.seq = m.seq
             JOIN clips c ON c.rig = l.rig AND c.boot = l.boot AND c.clip = l.clip
             WHERE m.received_us > $1 AND m.topic = 'label'";
        let mut connection = self.read(DOING).await?;
        let kinds = query(AssertSqlSafe(format!(
            "SELECT l.rig, l.kind, sum(CASE WHEN l.state IS NOT NULL THEN 1 ELSE 0 END) AS offered,
                sum(CASE WHEN l.state IS NULL THEN 1 ELSE 0 END) AS abstained, avg({LAG}) AS lag_s
             {FROM} GROUP BY l.rig, l.kind ORDER BY l.rig, l.kind"
        )))
        .bind(after_us)
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database(DOING))?;
        let latest_rows = query(AssertSqlSafe(format!(
            "SELECT l.rig, l.boot, l.seq, l.n, l.clip, l.kind, l.track, l.start_frame, l.end_frame, l.confidence, l.value,
                m.received_us, {LAG} AS lag_s
             {FROM} AND l.state IS NOT NULL AND l.state <> 'blind' ORDER BY m.received_us DESC, l.seq DESC, l.n DESC LIMIT $2"
        )))
        .bind(after_us)
        .bind(i64::from(latest))
        .fetch_all(&mut connection)
        .await
        .map_err(StoreError::database(DOING))?;
        let kind = |row: &Row| {
            let text: &str = row.get("kind");
            DeskKind::from_name(text).ok_or_else(|| StoreError::unreadable("kind", text))
        };
        let mut live = Live {
            kinds: kinds
                .iter()
                .map(|row| {
                    Ok(LiveKind {
                        rig: name_column(row, "rig")?,
                        kind: kind(row)?,
                        offered: row.get::<i64, _>("offered") as u64,
                        abstained: row.get::<i64, _>("abstained") as u64,
                        lag_s: row.get("lag_s"),
                    })
                })
                .collect::<Result<_, StoreError>>()?,
            latest: latest_rows
                .iter()
                .map(|row| {
                    let value: Option<&str> = row.get("value");
                    Ok(LiveLabel {
                        id: LabelId {
                            rig: name_column(row, "rig")?,
                            boot: boot_column(row, "boot")?,
                            seq: row.get::<i64, _>("seq") as u64,
                            n: row.get::<i64, _>("n") as u16,
                        },
                        clip: row.get::<i64, _>("clip") as u32,
                        kind: kind(row)?,
                        track: row.get::<Option<i64>, _>("track").map(|track| track as u16),
                        frames: FrameRange::new(
                            row.get::<i64, _>("start_frame") as u32,
                            row.get::<i64, _>("end_frame") as u32,
                        ),
                        confidence: row.get("confidence"),
                        value: value.and_then(|text| serde_json::from_str(text).ok()),
                        received_us: row.get("received_us"),
                        lag_s: row.get("lag_s"),
                    })
                })
                .collect::<Result<_, StoreError>>()?,
        };
        live.latest.reverse();
        Ok(live)
    }
}
