//! Writing what came, in one transaction.

use crate::database::{Connection, query};
use crate::fleet::keep_health;
use crate::incoming::{Content, Incoming, NamedMessage, RefusalReason};
use crate::pictures::{contradicts_clip, set_aside_beyond, store_picture};
use crate::purge::purged;
use crate::quarantine::{self, Quarantined};
use crate::recordings::store_segment;
use crate::second_look::draw_windows;
use crate::store::RIGS_AT_ONCE;
use crate::write::{store_clip, store_evicted, store_evidence, store_labels};
use crate::{ClipId, LabelStore, StoreError, watermark};
use futures_util::{StreamExt, TryStreamExt};
use label_core::id::Name;
use label_core::wire::{
    ClipEvent, Label, LabelBatch, MAX_LABELS, MAX_MODELS, ModelRef, Origin, Topic,
};
use label_core::{BootId, Seq};
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// Boots told in one acknowledgement: what [`label_core::wire::Ack`] holds.
pub(crate) const BOOTS_TOLD: usize = 8;

/// How far the boots of one rig are committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watermark {
    /// The rig's site.
    pub site: Name,
    /// The rig.
    pub rig: Name,
    /// (boot, watermark) of the boots heard last, at most 8.
    pub boots: Vec<(BootId, Seq)>,
}

/// What became of a batch of messages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommitReport {
    /// Messages that were new.
    pub committed: u64,
    /// Messages that were here already, byte for byte.
    pub duplicates: u64,
    /// Messages put into quarantine.
    pub quarantined: u64,
    /// For every rig that sent a durable message: what to acknowledge.
    pub watermarks: Vec<Watermark>,
}

pub(crate) type Batch =
    LabelBatch<heapless::Vec<ModelRef, MAX_MODELS>, heapless::Vec<Label, MAX_LABELS>>;

impl LabelStore {
    /// Stores messages. When this returns they are on disk and may be acknowledged.
    ///
    /// One transaction on SQLite, one a rig on Postgres: nothing of it is stored when it fails. The same messages may be
    /// handed in again.
    pub async fn commit(&self, messages: &[Incoming]) -> Result<CommitReport, StoreError> {
        if !self.is_shared() {
            return Box::pin(self.commit_together(None, messages.iter())).await;
        }
        let mut by_rig = BTreeMap::<_, Vec<&Incoming>>::new();
        for message in messages {
            by_rig.entry(message.rig()).or_default().push(message);
        }
        // Short transactions, many at a time: others that take in the same rig's messages wait a little only, and the server
        // syncs its disk once for several.
        let each: Vec<_> = by_rig
            .into_iter()
            .map(|(rig, messages)| Box::pin(self.commit_together(rig, messages.into_iter())))
            .collect();
        let mut commits = futures_util::stream::iter(each).buffer_unordered(RIGS_AT_ONCE);
        let mut all = CommitReport::default();
        while let Some(one) = commits.try_next().await? {
            all.committed += one.committed;
            all.duplicates += one.duplicates;
            all.quarantined += one.quarantined;
            all.watermarks.extend(one.watermarks);
        }
        Ok(all)
    }

    async fn commit_together(
        &self,
        rig: Option<&Name>,
        messages: impl ExactSizeIterator<Item = &Incoming>,
    ) -> Result<CommitReport, StoreError> {
        let mut report = CommitReport::default();
        if messages.len() == 0 {
            return Ok(report);
        }
        let mut tx = self
            .begin_intake("commit messages", rig.map(Name::as_str))
            .await?;
        let mut touched = BTreeSet::new();
        let mut sites = BTreeMap::new();
        for message in messages {
            store_one(&mut tx, message, &mut report, &mut touched, &mut sites).await?;
        }
        for (rig, boot) in &touched {
            watermark::advance(&mut tx, rig, boot.raw() as i64).await?;
            watermark::heard_last(&mut tx, rig, boot.raw() as i64).await?;
        }
        tx.commit()
            .await
            .map_err(StoreError::database("commit messages"))?;
        for (rig, site) in sites {
            report.watermarks.push(Watermark {
                boots: self.watermarks(&rig, BOOTS_TOLD as u32).await?,
                site,
                rig,
            });
        }
        Ok(report)
    }
}

pub(crate) async fn store_one(
    tx: &mut Connection,
    incoming: &Incoming,
    report: &mut CommitReport,
    touched: &mut BTreeSet<(Name, BootId)>,
    sites: &mut BTreeMap<Name, Name>,
) -> Result<(), StoreError> {
    let (site, origin, topic) = match &incoming.content {
        Content::Clip { site, message } => (site, &message.from, Topic::Clip),
        Content::Labels { site, batch } => (site, &batch.from, Topic::Label),
        Content::Evidence { site, header, .. } => (site, &header.from, Topic::Evidence),
        Content::Picture { site, header, .. } => (site, &header.from, Topic::Evidence),
        Content::Evicted { site, message } => (site, &message.from, Topic::Evicted),
        Content::Status { site, message } => {
            return store_state(
                tx,
                site,
                &message.rig,
                message.boot,
                "status",
                message,
                incoming,
            )
            .await;
        }
        Content::Birth { site, message } => {
            return store_state(
                tx,
                site,
                &message.rig,
                message.boot,
                "birth",
                message,
                incoming,
            )
            .await;
        }
        Content::Health { site, message } => {
            store_state(
                tx,
                site,
                &message.rig,
                message.boot,
                "health",
                message,
                incoming,
            )
            .await?;
            return keep_health(tx, message, incoming.received_us).await;
        }
        Content::Refused(refusal) => {
            report.quarantined += 1;
            if let Some(named) = &refusal.named {
                ensure_boot(tx, &named.site, &named.rig, named.boot, incoming).await?;
                insert_message(tx, named, incoming).await?;
                touched.insert((named.rig.clone(), named.boot));
                sites.insert(named.rig.clone(), named.site.clone());
            }
            return quarantine::insert(
                tx,
                &Quarantined {
                    topic: &incoming.topic,
                    reason: refusal.reason,
                    detail: &refusal.detail,
                    named: refusal.named.as_deref(),
                    payload: &incoming.payload,
                    at_us: incoming.received_us,
                },
            )
            .await;
        }
    };
    let named = NamedMessage {
        site: site.clone(),
        rig: origin.rig.clone(),
        boot: origin.boot,
        seq: origin.seq,
        topic,
    };
    touched.insert((named.rig.clone(), named.boot));
    sites.insert(named.rig.clone(), named.site.clone());
    ensure_boot(tx, site, &origin.rig, origin.boot, incoming).await?;
    match insert_message(tx, &named, incoming).await? {
        Insertion::New => report.committed += 1,
        Insertion::Same => {
            report.duplicates += 1;
            return Ok(());
        }
        Insertion::Different => {
            report.quarantined += 1;
            return quarantine::insert(
                tx,
                &Quarantined {
                    topic: &incoming.topic,
                    reason: RefusalReason::Conflict,
                    detail: "another message with this rig, boot and seq was committed before",
                    named: Some(&named),
                    payload: &incoming.payload,
                    at_us: incoming.received_us,
                },
            )
            .await;
        }
    }
    match &incoming.content {
        Content::Clip { message, .. } => {
            if let ClipEvent::Recorded(segment) = &message.event {
                let rig = (site, &message.from.rig);
                return store_segment(tx, rig, message.clip, segment, incoming).await;
            }
            store_clip(tx, message).await?;
            if let ClipEvent::Closed(closed) = &message.event {
                let clip = clip_of(origin, message.clip);
                draw_windows(tx, &clip).await?;
                let (frames, at_us) = (closed.frames, incoming.received_us);
                let aside = set_aside_beyond(tx, site, message, frames, at_us).await?;
                report.quarantined += aside;
            }
            Ok(())
        }
        Content::Labels { batch, .. } => store_labels(tx, batch).await,
        Content::Evidence {
            header, jpeg_at, ..
        } => {
            let clip = clip_of(origin, header.clip);
            if let Some(purged) = purged(tx, &clip).await?
                && purged.refuses_strip(tx, header).await?
            {
                return Ok(());
            }
            store_evidence(tx, header, &incoming.payload[*jpeg_at..]).await
        }
        Content::Picture {
            header, jpeg_at, ..
        } => {
            let clip = clip_of(origin, header.clip);
            if let Some(purged) = purged(tx, &clip).await?
                && purged.refuses_picture(tx, header.picture.frame).await?
            {
                return Ok(());
            }
            let Some(detail) = contradicts_clip(tx, header).await? else {
                return store_picture(tx, header, &incoming.payload[*jpeg_at..]).await;
            };
            report.committed -= 1;
            report.quarantined += 1;
            quarantine::insert(
                tx,
                &Quarantined {
                    topic: &incoming.topic,
                    reason: RefusalReason::OutOfRange,
                    detail,
                    named: Some(&named),
                    payload: &incoming.payload,
                    at_us: incoming.received_us,
                },
            )
            .await
        }
        Content::Evicted { message, .. } => {
            touched.insert((message.from.rig.clone(), message.boot));
            store_evicted(tx, site, message, incoming).await
        }
        _ => unreachable!("handled above"),
    }
}

fn clip_of(from: &Origin, clip: u32) -> ClipId {
    ClipId {
        rig: from.rig.clone(),
        boot: from.boot,
        clip,
    }
}

enum Insertion {
    New,
    Same,
    Different,
}

async fn insert_message(
    tx: &mut Connection,
    named: &NamedMessage,
    incoming: &Incoming,
) -> Result<Insertion, StoreError> {
    let digest = Sha256::digest(&incoming.payload).to_vec();
    let added = query(
        "INSERT INTO messages (rig, boot, seq, topic, sha256, bytes, received_us) VALUES ($1, $2, $3, $4, $5, $6, $7)
         ON CONFLICT (rig, boot, seq) DO NOTHING",
    )
    .bind(named.rig.as_str())
    .bind(named.boot.raw() as i64)
    .bind(named.seq as i64)
    .bind(named.topic.leaf())
    .bind(&digest[..])
    .bind(incoming.payload.len() as i64)
    .bind(incoming.received_us)
    .execute(&mut *tx)
    .await
    .map_err(StoreError::database("store a message"))?;
    if added == 1 {
        query("UPDATE boots SET highest = $3 WHERE rig = $1 AND boot = $2 AND highest < $3")
            .bind(named.rig.as_str())
            .bind(named.boot.raw() as i64)
            .bind(named.seq as i64)
            .execute(tx)
            .await
            .map_err(StoreError::database("store a message"))?;
        return Ok(Insertion::New);
    }
    let stored: Vec<u8> = query(
        "SELECT sha256 FROM messages WHERE rig = $1 AND boot = $2 AND seq = $3 AND topic = $4",
    )
    .bind(named.rig.as_str())
    .bind(named.boot.raw() as i64)
    .bind(named.seq as i64)
    .bind(named.topic.leaf())
    .fetch_optional(tx)
    .await
    .map_err(StoreError::database("compare a message"))?
    .map(|row| row.get(0))
    .unwrap_or_default();
    Ok(if stored == digest {
        Insertion::Same
    } else {
        Insertion::Different
    })
}

pub(crate) async fn ensure_boot(
    tx: &mut Connection,
    site: &Name,
    rig: &Name,
    boot: BootId,
    incoming: &Incoming,
) -> Result<(), StoreError> {
    ensure_rig(tx, site, rig, incoming).await?;
    query(
        "INSERT INTO boots (rig, boot, heard_us) VALUES ($1, $2, $3)
         ON CONFLICT (rig, boot) DO UPDATE SET heard_us = excluded.heard_us",
    )
    .bind(rig.as_str())
    .bind(boot.raw() as i64)
    .bind(incoming.received_us)
    .execute(tx)
    .await
    .map_err(StoreError::database("note a boot"))?;
    Ok(())
}

async fn ensure_rig(
    tx: &mut Connection,
    site: &Name,
    rig: &Name,
    incoming: &Incoming,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO rigs (rig, site, first_seen_us, last_seen_us) VALUES ($1, $2, $3, $3)
         ON CONFLICT (rig) DO UPDATE SET site = excluded.site, last_seen_us = excluded.last_seen_us",
    )
    .bind(rig.as_str())
    .bind(site.as_str())
    .bind(incoming.received_us)
    .execute(tx)
    .await
    .map_err(StoreError::database("note a rig"))?;
    Ok(())
}

/// Boots of one outbox compare by age, so a late will of an earlier boot does not hide that the rig is back.
async fn store_state(
    tx: &mut Connection,
    site: &Name,
    rig: &Name,
    boot: BootId,
    topic: &'static str,
    message: &impl Serialize,
    incoming: &Incoming,
) -> Result<(), StoreError> {
    ensure_rig(tx, site, rig, incoming).await?;
    let json = serde_json::to_string(message).expect("a message that was read can be written");
    if topic == "birth" {
        crate::quality::store_birth(tx, rig, boot, incoming.received_us, &json).await?;
    }
    query(
        "INSERT INTO rig_states (rig, topic, boot, json, heard_us) VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (rig, topic) DO UPDATE
            SET boot = excluded.boot, json = excluded.json, heard_us = excluded.heard_us
            WHERE excluded.boot >= rig_states.boot OR excluded.boot / 1048576 <> rig_states.boot / 1048576",
    )
    .bind(rig.as_str())
    .bind(topic)
    .bind(boot.raw() as i64)
    .bind(json)
    .bind(incoming.received_us)
    .execute(tx)
    .await
    .map_err(StoreError::database("note a rig's state"))?;
    Ok(())
}
