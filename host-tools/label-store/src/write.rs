//! One statement a row: what a message adds to the tables.

use crate::commit::{Batch, ensure_boot};
use crate::condition::{self, Touched};
use crate::counts::{self, Group};
use crate::database::{Connection, query};
use crate::incoming::Incoming;
use crate::key::RowKey;
use crate::purge::purged;
use crate::quality::mark_stale;
use crate::second_look::{Told, draw_label, rule_in_force};
use crate::store::lock_shared_rows;
use crate::{ClipId, StoreError, gain};
use label_core::id::Name;
use label_core::wire::{ClipEvent, ClipMessage, Decision, Evicted, EvidenceHeader, ModelRef};
use label_core::{BootId, FrameRange};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) async fn ensure_clip(
    tx: &mut Connection,
    rig: &Name,
    boot: BootId,
    clip: u32,
) -> Result<(), StoreError> {
    query(
        "INSERT INTO clips (rig, boot, clip) VALUES ($1, $2, $3) ON CONFLICT (rig, boot, clip) DO NOTHING",
    )
    .bind(rig.as_str())
    .bind(boot.raw() as i64)
    .bind(i64::from(clip))
    .execute(tx)
    .await
    .map_err(StoreError::database("note a clip"))?;
    Ok(())
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("numbers and checked text always encode")
}

/// A word of fixed spelling, as on the wire but without the quotation marks.
fn word(value: &impl Serialize) -> String {
    json(value).trim_matches('"').to_owned()
}

pub(crate) async fn store_clip(
    tx: &mut Connection,
    message: &ClipMessage,
) -> Result<(), StoreError> {
    let from = &message.from;
    ensure_clip(tx, &from.rig, from.boot, message.clip).await?;
    let (rig, boot, seq) = (from.rig.as_str(), from.boot.raw() as i64, from.seq as i64);
    let clip = i64::from(message.clip);
    let query = match &message.event {
        ClipEvent::Opened(opened) => query(
            "UPDATE clips SET opened_seq = $4, name = $5, width = $6, height = $7, nominal_fps = $8, codec = $9,
                mono_us = $10, utc_us = $11, clock = $12
             WHERE rig = $1 AND boot = $2 AND clip = $3",
        )
        .bind(rig)
        .bind(boot)
        .bind(clip)
        .bind(seq)
        .bind(opened.name.as_str())
        .bind(i64::from(opened.width))
        .bind(i64::from(opened.height))
        .bind(opened.nominal_fps.map(f64::from))
        .bind(opened.codec.as_str())
        .bind(opened.mono_us)
        .bind(opened.utc_us)
        .bind(word(&opened.clock)),
        ClipEvent::Part(part) => query(
            "INSERT INTO manifest_parts (rig, boot, clip, first_frame, frames, seq, pts_us, mono_us, repeats, dropped,
                shed)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        )
        .bind(rig)
        .bind(boot)
        .bind(clip)
        .bind(i64::from(part.first))
        .bind(part.pts_us.len() as i64)
        .bind(seq)
        .bind(json(&part.pts_us))
        .bind(json(&part.mono_us))
        .bind(json(&part.repeats))
        .bind(json(&part.dropped))
        .bind(json(&part.shed)),
        ClipEvent::OperatorMark(mark) => query(
            "INSERT INTO operator_marks (rig, boot, clip, seq, frame, pts_us, mono_us, utc_us, clock)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(rig)
        .bind(boot)
        .bind(clip)
        .bind(seq)
        .bind(i64::from(mark.frame))
        .bind(mark.pts_us.us())
        .bind(mark.mono_us)
        .bind(mark.utc_us)
        .bind(word(&mark.clock)),
        // It is of the boot that it names: `recordings` stores it.
        ClipEvent::Recorded(_) => return Ok(()),
        ClipEvent::Closed(closed) => query(
            "UPDATE clips SET closed_seq = $4, frames = $5, repeated = $6, dropped = $7, sha256 = $8, damage = $9,
                offered = $10, abstained = $11, evidence = $12
             WHERE rig = $1 AND boot = $2 AND clip = $3",
        )
        .bind(rig)
        .bind(boot)
        .bind(clip)
        .bind(seq)
        .bind(i64::from(closed.frames))
        .bind(i64::from(closed.repeated))
        .bind(i64::from(closed.dropped))
        .bind(closed.sha256.as_deref())
        .bind(closed.damage.as_deref())
        .bind(closed.labels.offered as i64)
        .bind(closed.labels.abstained as i64)
        .bind(closed.labels.evidence as i64),
    };
    query
        .execute(tx)
        .await
        .map_err(StoreError::database("store a clip message"))?;
    Ok(())
}

pub(crate) async fn model_number(tx: &mut Connection, model: &ModelRef) -> Result<i64, StoreError> {
    let bound = |sql: &'static str| {
        query(sql)
            .bind(model.name.as_str())
            .bind(model.version.as_str())
            .bind(model.sha256.as_str())
    };
    let known = "SELECT model FROM models WHERE name = $1 AND version = $2 AND sha256 = $3";
    let looked = StoreError::database("look for a model");
    let found = bound(known).fetch_optional(&mut *tx).await;
    if let Some(row) = found.map_err(looked)? {
        return Ok(row.get(0));
    }
    lock_shared_rows(tx).await?;
    // Whoever had the lock before may have added it. `ON CONFLICT DO UPDATE` would wait for everybody who stored a label of
    // this model and has not committed, and they may wait for our lock.
    let looked = StoreError::database("look for a model");
    let found = bound(known).fetch_optional(&mut *tx).await;
    if let Some(row) = found.map_err(looked)? {
        return Ok(row.get(0));
    }
    let row =
        bound("INSERT INTO models (name, version, sha256) VALUES ($1, $2, $3) RETURNING model")
            .fetch_one(tx)
            .await
            .map_err(StoreError::database("note a model"))?;
    Ok(row.get(0))
}

pub(crate) async fn store_labels(tx: &mut Connection, batch: &Batch) -> Result<(), StoreError> {
    let from = &batch.from;
    ensure_clip(tx, &from.rig, from.boot, batch.clip).await?;
    mark_stale(tx, &from.rig, from.boot, batch.clip).await?;
    let mut models = Vec::with_capacity(batch.models.len());
    for model in &batch.models {
        models.push(model_number(tx, model).await?);
    }
    let clip = ClipId {
        rig: from.rig.clone(),
        boot: from.boot,
        clip: batch.clip,
    };
    let seconds = gain::seconds_of(tx).await?;
    let rule = rule_in_force(tx).await?;
    let purged = purged(tx, &clip).await?;
    let mut tracks = BTreeSet::new();
    let mut flags: Option<FrameRange> = None;
    let mut counted = BTreeMap::new();
    for label in &batch.labels {
        if let Some(purged) = &purged
            && purged.refuses_label(tx, label).await?
        {
            continue;
        }
        tracks.extend(label.track);
        let model = label
            .model
            .and_then(|index| models.get(usize::from(index)).copied());
        let confidence = label
            .confidence
            .map(|confidence| f64::from(confidence.get()));
        let candidate = label.decision == Decision::Candidate;
        let told = seconds
            .iter()
            .find(|(kind, _)| candidate && *kind == label.kind)
            .map_or(0.0, |(_, seconds)| seconds.gain(confidence));
        let told_label = Told {
            clip: &clip,
            place: RowKey {
                rig: from.rig.as_str().to_owned(),
                boot: from.boot.raw() as i64,
                seq: from.seq as i64,
                n: i64::from(label.n),
            },
            kind: label.kind,
            track: label.track,
            frames: label.frames,
            silent: label.reason,
            is_candidate: candidate,
        };
        let state = match draw_label(tx, rule.as_ref(), &told_label).await? {
            _ if !candidate => None,
            true => Some("blind"),
            false => Some("waiting"),
        };
        query(
            "INSERT INTO labels (rig, boot, seq, n, clip, kind, track, start_frame, end_frame, start_pts_us,
                end_pts_us, decision, reason, confidence, raw, model, value, signs, driver, state, sure, gain)
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21,
                $22)",
        )
        .bind(from.rig.as_str())
        .bind(from.boot.raw() as i64)
        .bind(from.seq as i64)
        .bind(i64::from(label.n))
        .bind(i64::from(batch.clip))
        .bind(label.kind.name())
        .bind(label.track.map(i64::from))
        .bind(i64::from(label.frames.start))
        .bind(i64::from(label.frames.end))
        .bind(label.pts_us.0.us())
        .bind(label.pts_us.1.us())
        .bind(word(&label.decision))
        .bind(label.reason.map(label_core::AbstainReason::name))
        .bind(confidence)
        .bind(label.raw.map(f64::from))
        .bind(model)
        .bind(label.value.as_ref().map(json))
        .bind(label.signs.as_ref().map(json))
        .bind(label.driver)
        .bind(state)
        .bind(confidence.unwrap_or(UNTOLD))
        .bind(told)
        .execute(&mut *tx)
        .await
        .map_err(StoreError::database("store a label"))?;
        let group = (
            label.kind.name(),
            state.unwrap_or(counts::ABSTAINED),
            model.unwrap_or(0),
        );
        *counted.entry(group).or_default() += 1;
        if candidate && condition::is_condition(label.kind.into()) {
            let (start, end) = (label.frames.start, label.frames.end);
            flags = Some(flags.map_or(label.frames, |all| {
                FrameRange::new(all.start.min(start), all.end.max(end))
            }));
        }
    }
    for ((kind, state, model), labels) in counted {
        let group = Group {
            clip: &clip,
            kind,
            state,
            model,
            conditions: 0,
        };
        counts::add(tx, &group, labels).await?;
    }
    for track in tracks {
        counts::note_track(tx, &clip, track).await?;
    }
    condition::refresh(tx, &clip, Touched::Message(from.seq as i64)).await?;
    if let Some(frames) = flags {
        condition::refresh(tx, &clip, Touched::Frames(frames)).await?;
    }
    Ok(())
}

/// How sure a label is that says nothing of it: after every one that does.
const UNTOLD: f64 = 2.0;

pub(crate) async fn store_evidence(
    tx: &mut Connection,
    header: &EvidenceHeader,
    jpeg: &[u8],
) -> Result<(), StoreError> {
    let from = &header.from;
    ensure_clip(tx, &from.rig, from.boot, header.clip).await?;
    query(
        "INSERT INTO evidence (rig, boot, seq, clip, label_seq, label_n, header, jpeg)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(from.rig.as_str())
    .bind(from.boot.raw() as i64)
    .bind(from.seq as i64)
    .bind(i64::from(header.clip))
    .bind(header.label.0 as i64)
    .bind(i64::from(header.label.1))
    .bind(json(header))
    .bind(jpeg)
    .execute(tx)
    .await
    .map_err(StoreError::database("store evidence"))?;
    Ok(())
}

pub(crate) async fn store_evicted(
    tx: &mut Connection,
    site: &Name,
    message: &Evicted,
    incoming: &Incoming,
) -> Result<(), StoreError> {
    let from = &message.from;
    ensure_boot(tx, site, &from.rig, message.boot, incoming).await?;
    let (first, last) = message.seqs;
    let here: i64 = query(
        "SELECT count(*) FROM messages WHERE rig = $1 AND boot = $2 AND seq BETWEEN $3 AND $4",
    )
    .bind(from.rig.as_str())
    .bind(message.boot.raw() as i64)
    .bind(first as i64)
    .bind(last as i64)
    .fetch_one(&mut *tx)
    .await
    .map_err(StoreError::database("look for what was given up"))?
    .get(0);
    // A rig that was told a late watermark gives up what is here: nothing is lost.
    let lost = here as u64 <= last - first;
    query(
        "INSERT INTO evictions (rig, boot, first_seq, last_seq, labels, evidence, said_boot, said_seq)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(from.rig.as_str())
    .bind(message.boot.raw() as i64)
    .bind(first as i64)
    .bind(last as i64)
    .bind(if lost { message.labels as i64 } else { 0 })
    .bind(if lost { message.evidence as i64 } else { 0 })
    .bind(from.boot.raw() as i64)
    .bind(from.seq as i64)
    .execute(tx)
    .await
    .map_err(StoreError::database("store an eviction"))?;
    Ok(())
}
