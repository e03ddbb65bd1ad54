//! Labels as they stand at one moment, clip by clip: what exports read.
//!
//! A snapshot is one reading transaction: what is committed meanwhile is not in it. One clip's labels are handed over one
//! at a time, so memory is for the caller to spend.

use crate::database::{AssertSqlSafe, Transaction, query};
use crate::label::{ClipId, ReviewState, StoredClip, StoredDecision, StoredLabel};
use crate::queue::QueueFilter;
use crate::row::{
    CLIP_COLUMNS, LABEL_COLUMNS, boot_column, clip_from_row, label_from_row, name_column,
};
use crate::track_edits::{TrackMap, track_map};
use crate::{LabelStore, StoreError};
use futures_util::TryStreamExt;
use label_core::id::Name;
use label_core::wire::DroppedFrames;

/// The store at one moment.
#[derive(Debug)]
pub struct Snapshot {
    tx: Transaction,
}

/// A clip with all that its rig told of its frames.
#[derive(Clone, Debug, PartialEq)]
pub struct ClipRecord {
    /// What is known of it.
    pub clip: StoredClip,
    /// Its end was heard.
    pub closed: bool,
    /// Codec or pixel format.
    pub codec: Option<String>,
    /// SHA-256 of the media file.
    pub sha256: Option<String>,
    /// How far its date can be trusted, as on the wire.
    pub clock: Option<String>,
    /// When each frame was shown, by its index; absent where the rig has not told.
    pub pts_us: Vec<Option<i64>>,
    /// Frames that show the same picture as the one before, ascending.
    pub repeats: Vec<u32>,
    /// Where frames were lost, ascending.
    pub dropped: Vec<DroppedFrames>,
}

/// A label, and the verdict that stands on it.
#[derive(Clone, Debug, PartialEq)]
pub struct LabelRecord {
    /// The label, on the track that it is seen on.
    pub label: StoredLabel,
    /// Why it was rejected or corrected.
    pub cause: Option<String>,
    /// Who gave the verdict, or made the label.
    pub reviewer: Option<String>,
    /// When.
    pub at_us: Option<i64>,
}

impl LabelStore {
    /// The store as it is now.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        Ok(Snapshot {
            tx: self.begin_read("read labels").await?,
        })
    }
}

impl Snapshot {
    /// Clips that the filter does not exclude by rig or clip, in order, with how many labels and abstentions each holds.
    pub async fn clips(&mut self, filter: &QueueFilter) -> Result<Vec<(ClipId, u64)>, StoreError> {
        let clip = filter.clip.as_ref();
        let rig = clip.map(|clip| &clip.rig).or(filter.rig.as_ref());
        query(
            "SELECT c.rig, c.boot, c.clip,
                (SELECT coalesce(sum(t.labels), 0) FROM label_totals t
                  WHERE t.rig = c.rig AND t.boot = c.boot AND t.clip = c.clip AND t.state <> 'removed') AS labels
             FROM clips c
             WHERE ($1 IS NULL OR c.rig = $1) AND ($2 IS NULL OR c.boot = $2) AND ($3 IS NULL OR c.clip = $3)
             ORDER BY c.rig, c.boot, c.clip",
        )
        .bind(rig.map(Name::as_str))
        .bind(clip.map(|clip| clip.boot.raw() as i64))
        .bind(clip.map(|clip| i64::from(clip.clip)))
        .fetch_all(&mut self.tx)
        .await
        .map_err(StoreError::database("read clips"))?
        .iter()
        .map(|row| {
            let id = ClipId {
                rig: name_column(row, "rig")?,
                boot: boot_column(row, "boot")?,
                clip: row.get::<i64, _>("clip") as u32,
            };
            Ok((id, row.get::<i64, _>("labels") as u64))
        })
        .collect()
    }

    /// The name of a clip's media, or of its camera.
    pub async fn clip_name(&mut self, id: &ClipId) -> Result<Option<String>, StoreError> {
        let row = query("SELECT name FROM clips WHERE rig = $1 AND boot = $2 AND clip = $3")
            .bind(id.rig.as_str())
            .bind(id.boot.raw() as i64)
            .bind(i64::from(id.clip))
            .fetch_optional(&mut self.tx)
            .await
            .map_err(StoreError::database("read a clip's name"))?;
        Ok(row.and_then(|row| row.get(0)))
    }

    /// A clip and its manifest.
    pub async fn clip(&mut self, id: &ClipId) -> Result<ClipRecord, StoreError> {
        let sql = format!(
            "SELECT {CLIP_COLUMNS}, closed_seq, codec, sha256, clock FROM clips
             WHERE rig = $1 AND boot = $2 AND clip = $3"
        );
        let row = query(AssertSqlSafe(sql))
            .bind(id.rig.as_str())
            .bind(id.boot.raw() as i64)
            .bind(i64::from(id.clip))
            .fetch_optional(&mut self.tx)
            .await
            .map_err(StoreError::database("read a clip"))?
            .ok_or_else(|| StoreError::NoSuchClip(id.clone()))?;
        let mut record = ClipRecord {
            clip: clip_from_row(&row)?,
            closed: row.get::<Option<i64>, _>("closed_seq").is_some(),
            codec: row.get("codec"),
            sha256: row.get("sha256"),
            clock: row.get("clock"),
            pts_us: Vec::new(),
            repeats: Vec::new(),
            dropped: Vec::new(),
        };
        let mut parts = query(
            "SELECT first_frame, pts_us, repeats, dropped FROM manifest_parts
             WHERE rig = $1 AND boot = $2 AND clip = $3 ORDER BY first_frame, seq",
        )
        .bind(id.rig.as_str())
        .bind(id.boot.raw() as i64)
        .bind(i64::from(id.clip))
        .fetch(&mut self.tx);
        while let Some(row) = parts
            .try_next()
            .await
            .map_err(StoreError::database("read a manifest"))?
        {
            let first = row.get::<i64, _>("first_frame") as usize;
            let times: Vec<i64> = json(row.get("pts_us"), "manifest_parts.pts_us")?;
            if record.pts_us.len() < first + times.len() {
                record.pts_us.resize(first + times.len(), None);
            }
            for (place, time) in record.pts_us[first..].iter_mut().zip(times) {
                // Of two parts that tell of one frame the first counts.
                place.get_or_insert(time);
            }
            let repeats: Vec<u32> = json(row.get("repeats"), "manifest_parts.repeats")?;
            record.repeats.extend(repeats);
            let dropped: Vec<DroppedFrames> = json(row.get("dropped"), "manifest_parts.dropped")?;
            record.dropped.extend(dropped);
        }
        record.repeats.sort_unstable();
        record.repeats.dedup();
        record.dropped.sort_unstable_by_key(|gap| gap.before);
        record.dropped.dedup();
        Ok(record)
    }

    /// Hands over the labels of a clip that the filter names, and the abstentions of its kinds, in the order in which they
    /// were told. Labels that were taken back are not among them, unless asked for.
    pub async fn labels(
        &mut self,
        id: &ClipId,
        filter: &QueueFilter,
        mut each: impl FnMut(LabelRecord),
    ) -> Result<(), StoreError> {
        let tracks: TrackMap = track_map(&mut self.tx, id).await?;
        let sql = format!(
            "SELECT {LABEL_COLUMNS}, v.cause, v.reviewer, v.at_us FROM labels l
             LEFT JOIN models m ON m.model = l.model LEFT JOIN verdicts v ON v.verdict = l.standing
             WHERE l.rig = $1 AND l.boot = $2 AND l.clip = $3 ORDER BY l.seq, l.n"
        );
        let mut rows = query(AssertSqlSafe(sql))
            .bind(id.rig.as_str())
            .bind(id.boot.raw() as i64)
            .bind(i64::from(id.clip))
            .fetch(&mut self.tx);
        while let Some(row) = rows
            .try_next()
            .await
            .map_err(StoreError::database("read labels"))?
        {
            let mut label = label_from_row(&row)?;
            if !filter.names(&label) {
                continue;
            }
            label.track = label
                .track
                .map(|track| tracks.edited(track, label.frames.start));
            each(LabelRecord {
                label,
                cause: row.get("cause"),
                reviewer: row.get("reviewer"),
                at_us: row.get("at_us"),
            });
        }
        Ok(())
    }
}

fn json<T: serde::de::DeserializeOwned>(text: &str, column: &'static str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::unreadable(column, text))
}

impl QueueFilter {
    /// Whether the queue would list this label; of an abstention, which it never lists, only the kind is asked.
    fn names(&self, label: &StoredLabel) -> bool {
        if !self.kinds.is_empty() && !self.kinds.contains(&label.kind) {
            return false;
        }
        let Some(state) = label.state else {
            return true;
        };
        let right_state = match self.state {
            Some(asked) => state == asked,
            None => !matches!(state, ReviewState::Removed | ReviewState::Blind),
        };
        let sure = label
            .confidence
            .filter(|_| label.decision != StoredDecision::Made);
        let within = |least: Option<f32>, most: Option<f32>| {
            (least.is_none() && most.is_none())
                || sure.is_some_and(|sure| {
                    f64::from(sure) >= f64::from(least.unwrap_or(0.0)) - 1e-6
                        && f64::from(sure) <= f64::from(most.unwrap_or(1.0)) + 1e-6
                })
        };
        let from_model = self.model.as_ref().is_none_or(|asked| {
            let model = label.model.as_ref();
            model.is_some_and(|model| model.name == asked.name && model.version == asked.version)
        });
        right_state
            && within(self.confidence_min, self.confidence_max)
            && from_model
            && self
                .conditions
                .iter()
                .all(|asked| label.conditions.contains(asked))
    }

    /// Whether it asks for anything but rig and clip.
    pub fn chooses_labels(&self) -> bool {
        !self.kinds.is_empty()
            || self.state.is_some()
            || self.confidence_min.is_some()
            || self.confidence_max.is_some()
            || self.model.is_some()
            || !self.conditions.is_empty()
    }
}
