//! What arrives of a clip after it was purged.

use super::{DOING, of_clip};
use crate::database::{Connection, Row, query};
use crate::track_edits::{TrackMap, track_map};
use crate::{ClipId, StoreError};
use label_core::wire::{EvidenceHeader, Label};
use label_core::{FrameIndex, TrackId};

struct Order {
    purge: i64,
    track: Option<TrackId>,
    frames: Option<(i64, i64)>,
    with_labels: bool,
}

/// What was ordered of a clip.
pub(crate) struct Purged {
    orders: Vec<Order>,
    map: TrackMap,
}

/// `None` of nearly every clip: nothing of it was purged.
pub(crate) async fn purged(
    tx: &mut Connection,
    clip: &ClipId,
) -> Result<Option<Purged>, StoreError> {
    let rows = of_clip(
        "SELECT purge, track, first_frame, last_frame, with_labels FROM purges
         WHERE rig = $1 AND boot = $2 AND clip = $3",
        clip,
    )
    .fetch_all(&mut *tx)
    .await
    .map_err(StoreError::database(DOING))?;
    if rows.is_empty() {
        return Ok(None);
    }
    let number = |row: &Row, column| row.get::<Option<i64>, _>(column);
    let orders = rows.iter().map(|row| Order {
        purge: row.get("purge"),
        track: number(row, "track").map(|track| track as TrackId),
        frames: number(row, "first_frame").zip(number(row, "last_frame")),
        with_labels: row.get::<i64, _>("with_labels") == 1,
    });
    Ok(Some(Purged {
        orders: orders.collect(),
        map: track_map(tx, clip).await?,
    }))
}

/// Whether a filmstrip is of this person, or of anybody where no person is named.
pub(super) fn is_of(track: Option<TrackId>, map: &TrackMap, header: &str) -> bool {
    track.is_none_or(|wanted| {
        // One that cannot be read is shown to nobody, and might be theirs.
        serde_json::from_str::<EvidenceHeader>(header).map_or(true, |header| {
            map.edited(header.track, header.frames.start) == wanted
        })
    })
}

impl Purged {
    /// Notes that a late filmstrip is not kept; false where it is to be.
    pub(crate) async fn refuses_strip(
        &self,
        tx: &mut Connection,
        header: &EvidenceHeader,
    ) -> Result<bool, StoreError> {
        let track = self.map.edited(header.track, header.frames.start);
        let order = self
            .orders
            .iter()
            .find(|order| order.track.is_none_or(|wanted| wanted == track));
        self.note(tx, order, (0, 0, 1)).await
    }

    /// The same of a key picture.
    pub(crate) async fn refuses_picture(
        &self,
        tx: &mut Connection,
        frame: FrameIndex,
    ) -> Result<bool, StoreError> {
        let order = self.orders.iter().find(|order| {
            order
                .frames
                .is_none_or(|(first, last)| (first..=last).contains(&i64::from(frame)))
        });
        self.note(tx, order, (0, 0, 1)).await
    }

    /// The same of a label.
    pub(crate) async fn refuses_label(
        &self,
        tx: &mut Connection,
        label: &Label,
    ) -> Result<bool, StoreError> {
        let track = label
            .track
            .map(|track| self.map.edited(track, label.frames.start));
        let order = self
            .orders
            .iter()
            .find(|order| order.with_labels && (order.track.is_none() || order.track == track));
        let counts = match label.decision {
            label_core::wire::Decision::Candidate => (1, 0, 0),
            label_core::wire::Decision::Abstain => (0, 1, 0),
        };
        self.note(tx, order, counts).await
    }

    async fn note(
        &self,
        tx: &mut Connection,
        order: Option<&Order>,
        (offered, abstained, evidence): (i64, i64, i64),
    ) -> Result<bool, StoreError> {
        let Some(order) = order else {
            return Ok(false);
        };
        query(
            "UPDATE purges SET offered = offered + $2, abstained = abstained + $3, evidence = evidence + $4 WHERE purge = $1",
        )
        .bind(order.purge)
        .bind(offered)
        .bind(abstained)
        .bind(evidence)
        .execute(tx)
        .await
        .map_err(StoreError::database(DOING))?;
        Ok(true)
    }
}
