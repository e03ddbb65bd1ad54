//! Counts: what was made, what is here, what is judged.

use crate::balance::{Balance, CountsByDecision, ReviewCounts};
use crate::database::{Connection, query};
use crate::label::{ClipId, ReviewState, StoredClip};
use crate::row::{boot_column, clip_from_row, name_column};
use crate::{LabelStore, StoreError};
use ::quality::DeskKind;
use label_core::id::Name;
use label_core::{BootId, LabelKind, Seq};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One run of a rig.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootSummary {
    /// The run.
    pub boot: BootId,
    /// Everything up to this seq is committed, or was given up by the rig and is on record as such.
    pub watermark: Seq,
    /// Highest seq committed.
    pub highest: Seq,
    /// Messages committed.
    pub messages: u64,
    /// Labels the rig gave up.
    pub labels_lost: u64,
    /// Evidence messages the rig gave up.
    pub evidence_lost: u64,
}

/// One rig.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RigSummary {
    /// The rig.
    pub rig: Name,
    /// Its site.
    pub site: String,
    /// When it was last heard.
    pub last_seen_us: i64,
    /// `online`, `stopped` or `offline`; absent until it said so.
    pub power: Option<String>,
    /// The last birth message as JSON.
    pub birth: Option<serde_json::Value>,
    /// The last health message as JSON.
    pub health: Option<serde_json::Value>,
    /// Its runs, oldest first.
    pub boots: Vec<BootSummary>,
}

/// Labels of one kind in one clip.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindSummary {
    /// The kind.
    pub kind: DeskKind,
    /// Candidates.
    pub offered: u64,
    /// Abstentions.
    pub abstained: u64,
}

/// One clip.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ClipSummary {
    /// The clip.
    pub clip: StoredClip,
    /// Frames whose times are in the manifest.
    pub manifest_frames: u64,
    /// People seen.
    pub tracks: u64,
    /// Candidate blinks.
    pub blinks: u64,
    /// Candidate long closures.
    pub long_closures: u64,
    /// Moments that somebody at the rig marked.
    pub marks: u64,
    /// Key pictures; they are among the evidence.
    pub pictures: u64,
    /// What the rig says it made, less what was deleted on order or for its age; absent until the clip is closed.
    pub made: Option<CountsByDecision>,
    /// What is stored.
    pub committed: CountsByDecision,
    /// Where the candidates stand.
    pub review: ReviewCounts,
    /// By kind, in the order of [`DeskKind::ALL`]; kinds of which nothing came are left out.
    pub kinds: Vec<KindSummary>,
    /// Whether it adds up.
    pub balance: Balance,
}

impl ClipSummary {
    /// The clip's identity.
    pub const fn id(&self) -> &ClipId {
        &self.clip.id
    }
}

/// Everything, counted.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// Rigs, by name.
    pub rigs: Vec<RigSummary>,
    /// Clips, in the order in which they were made.
    pub clips: Vec<ClipSummary>,
    /// Different messages in quarantine.
    pub quarantined: u64,
}

impl Summary {
    /// Whether there is at least one clip, every clip is closed and balanced, no boot has a hole, and nothing lies in
    /// quarantine.
    pub fn is_balanced(&self) -> bool {
        !self.clips.is_empty()
            && self.quarantined == 0
            && self
                .clips
                .iter()
                .all(|clip| clip.balance == Balance::Balanced)
            && self
                .rigs
                .iter()
                .flat_map(|rig| &rig.boots)
                .all(|boot| boot.watermark >= boot.highest)
    }
}

impl LabelStore {
    /// Everything, counted. Reads the whole index: for a page or a script, not for every message.
    pub async fn summary(&self) -> Result<Summary, StoreError> {
        // One snapshot, so that the counts belong together.
        let mut tx = self.begin_read("count").await?;
        let quarantined: i64 = query("SELECT count(*) FROM quarantine")
            .fetch_one(&mut tx)
            .await
            .map_err(StoreError::database("count"))?
            .get(0);
        let summary = Summary {
            rigs: rigs(&mut tx).await?,
            clips: clips(&mut tx).await?,
            quarantined: quarantined as u64,
        };
        Ok(summary)
    }
}

async fn rigs(connection: &mut Connection) -> Result<Vec<RigSummary>, StoreError> {
    let failed = || StoreError::database("count rigs");
    let mut rigs = Vec::new();
    for row in &query("SELECT rig, site, last_seen_us FROM rigs ORDER BY rig")
        .fetch_all(&mut *connection)
        .await
        .map_err(failed())?
    {
        rigs.push(RigSummary {
            rig: name_column(row, "rig")?,
            site: row.get("site"),
            last_seen_us: row.get("last_seen_us"),
            power: None,
            birth: None,
            health: None,
            boots: Vec::new(),
        });
    }
    for row in &query("SELECT rig, topic, json FROM rig_states")
        .fetch_all(&mut *connection)
        .await
        .map_err(failed())?
    {
        let (name, topic, json): (&str, &str, &str) = (row.get(0), row.get(1), row.get(2));
        let Some(rig) = rigs.iter_mut().find(|rig| rig.rig == name) else {
            continue;
        };
        let value: serde_json::Value = serde_json::from_str(json)
            .map_err(|_| StoreError::unreadable("rig_states.json", json))?;
        match topic {
            "status" => rig.power = value["state"].as_str().map(str::to_owned),
            "birth" => rig.birth = Some(value),
            _ => rig.health = Some(value),
        }
    }
    for row in &query(
        "SELECT rig, boot, watermark, highest,
            (SELECT count(*) FROM messages m WHERE m.rig = b.rig AND m.boot = b.boot) AS messages,
            (SELECT coalesce(sum(labels), 0) FROM evictions e WHERE e.rig = b.rig AND e.boot = b.boot) AS labels_lost,
            (SELECT coalesce(sum(evidence), 0) FROM evictions e WHERE e.rig = b.rig AND e.boot = b.boot) AS evidence_lost
         FROM boots b ORDER BY rig, boot",
    )
    .fetch_all(connection)
    .await
    .map_err(failed())?
    {
        let name: &str = row.get("rig");
        let count = |column| row.get::<i64, _>(column) as u64;
        if let Some(rig) = rigs.iter_mut().find(|rig| rig.rig == name) {
            rig.boots.push(BootSummary {
                boot: boot_column(row, "boot")?,
                watermark: count("watermark"),
                highest: count("highest"),
                messages: count("messages"),
                labels_lost: count("labels_lost"),
                evidence_lost: count("evidence_lost"),
            });
        }
    }
    Ok(rigs)
}

async fn clips(connection: &mut Connection) -> Result<Vec<ClipSummary>, StoreError> {
    let failed = || StoreError::database("count clips");
    let mut clips: BTreeMap<ClipId, ClipSummary> = BTreeMap::new();
    for row in &query(
        "SELECT rig, boot, clip, name, width, height, nominal_fps, utc_us, frames, damage,
            offered - (SELECT coalesce(sum(u.offered), 0) FROM purges u
              WHERE u.rig = c.rig AND u.boot = c.boot AND u.clip = c.clip) AS offered,
            abstained - (SELECT coalesce(sum(u.abstained), 0) FROM purges u
              WHERE u.rig = c.rig AND u.boot = c.boot AND u.clip = c.clip) AS abstained,
            evidence - (SELECT coalesce(sum(u.evidence), 0) FROM purges u
              WHERE u.rig = c.rig AND u.boot = c.boot AND u.clip = c.clip)
              - (SELECT coalesce(sum(o.evidence), 0) FROM outdated o
              WHERE o.rig = c.rig AND o.boot = c.boot AND o.clip = c.clip) AS evidence,
            (SELECT coalesce(sum(p.frames), 0) FROM manifest_parts p
              WHERE p.rig = c.rig AND p.boot = c.boot AND p.clip = c.clip) AS manifest_frames,
            (SELECT count(*) FROM evidence e
              WHERE e.rig = c.rig AND e.boot = c.boot AND e.clip = c.clip) AS strips,
            (SELECT count(*) FROM pictures p
              WHERE p.rig = c.rig AND p.boot = c.boot AND p.clip = c.clip) AS pictures,
            (SELECT count(*) FROM operator_marks m
              WHERE m.rig = c.rig AND m.boot = c.boot AND m.clip = c.clip) AS marks,
            (SELECT count(*) FROM clip_tracks t
              WHERE t.rig = c.rig AND t.boot = c.boot AND t.clip = c.clip) AS tracks
         FROM clips c",
    )
    .fetch_all(&mut *connection)
    .await
    .map_err(failed())?
    {
        let clip = clip_from_row(row)?;
        let count = |column| row.get::<i64, _>(column) as u64;
        let made = row
            .get::<Option<i64>, _>("offered")
            .map(|offered| CountsByDecision {
                offered: offered as u64,
                abstained: count("abstained"),
                evidence: count("evidence"),
            });
        clips.insert(
            clip.id.clone(),
            ClipSummary {
                clip,
                manifest_frames: count("manifest_frames"),
                tracks: count("tracks"),
                blinks: 0,
                long_closures: 0,
                marks: count("marks"),
                pictures: count("pictures"),
                made,
                committed: CountsByDecision {
                    evidence: count("strips") + count("pictures"),
                    ..CountsByDecision::default()
                },
                review: ReviewCounts::default(),
                kinds: Vec::new(),
                balance: Balance::Open,
            },
        );
    }
    for row in &query(
        "SELECT rig, boot, clip, kind, state, model = -1 AS made, sum(labels) AS labels FROM label_totals
         WHERE labels > 0 GROUP BY rig, boot, clip, kind, state, model = -1",
    )
    .fetch_all(connection)
    .await
    .map_err(failed())?
    {
        let id = ClipId {
            rig: name_column(row, "rig")?,
            boot: boot_column(row, "boot")?,
            clip: row.get::<i64, _>("clip") as u32,
        };
        if let Some(clip) = clips.get_mut(&id) {
            let kind: &str = row.get("kind");
            let kind =
                DeskKind::from_name(kind).ok_or_else(|| StoreError::unreadable("kind", kind))?;
            let state = ReviewState::from_name(row.get("state"));
            let labels = row.get::<i64, _>("labels") as u64;
            if row.get::<bool, _>("made") {
                clip.count_made(state, labels);
            } else {
                clip.count(kind, state, labels);
            }
        }
    }
    let mut clips: Vec<_> = clips.into_values().collect();
    for clip in &mut clips {
        clip.kinds.sort_by_key(|kind| kind.kind);
        clip.balance = Balance::of(
            clip.made,
            clip.committed,
            clip.clip.frames,
            clip.manifest_frames,
        );
    }
    Ok(clips)
}

impl ClipSummary {
    /// Adds labels of one kind; without a state they are abstentions.
    fn count(&mut self, kind: DeskKind, state: Option<ReviewState>, labels: u64) {
        let at = self
            .kinds
            .iter()
            .position(|known| known.kind == kind)
            .unwrap_or_else(|| {
                self.kinds.push(KindSummary {
                    kind,
                    offered: 0,
                    abstained: 0,
                });
                self.kinds.len() - 1
            });
        let Some(state) = state else {
            self.kinds[at].abstained += labels;
            self.committed.abstained += labels;
            return;
        };
        self.kinds[at].offered += labels;
        self.committed.offered += labels;
        match kind.offered() {
            Some(LabelKind::Blink) => self.blinks += labels,
            Some(LabelKind::LongClosure) => self.long_closures += labels,
            _ => {}
        }
        match state {
            ReviewState::Blind | ReviewState::Waiting => self.review.waiting += labels,
            ReviewState::Accepted => self.review.accepted += labels,
            ReviewState::Corrected => self.review.corrected += labels,
            ReviewState::Rejected => self.review.rejected += labels,
            ReviewState::Created | ReviewState::Removed => {}
        }
    }

    /// Adds labels that a person made and that stand.
    fn count_made(&mut self, state: Option<ReviewState>, labels: u64) {
        if !matches!(
            state,
            None | Some(ReviewState::Rejected | ReviewState::Removed)
        ) {
            self.review.created += labels;
        }
    }
}
