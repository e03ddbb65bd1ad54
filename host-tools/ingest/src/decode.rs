//! From a topic and bytes to a checked message, or to a reason why not.

use crate::check::{self, Implausible};
use crate::picture;
use label_core::BootId;
use label_core::id::Name;
use label_core::wire::{
    MAX_EVIDENCE_BYTES, MAX_MESSAGE_BYTES, Topic, WIRE_VERSION, parse_name, split_evidence,
    split_topic,
};
use label_store::{Content, Incoming, NamedMessage, Refusal, RefusalReason};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// The part of every message that says what it is; everything else is looked at only when this is sound.
#[derive(Deserialize)]
struct Head {
    v: u64,
    from: Option<RawOrigin>,
    rig: Option<Name>,
    boot: Option<u64>,
}

#[derive(Deserialize)]
struct RawOrigin {
    rig: Name,
    boot: u64,
    seq: u64,
}

/// Reads one message. Never fails: what cannot be used becomes [`Content::Refused`] with the reason.
pub fn decode(topic: &str, payload: Vec<u8>, received_us: i64) -> Incoming {
    let content = read(topic, &payload).unwrap_or_else(Content::Refused);
    Incoming {
        topic: topic.to_owned(),
        received_us,
        payload,
        content,
    }
}

fn refuse(reason: RefusalReason, detail: impl Into<String>) -> Refusal {
    Refusal {
        reason,
        detail: detail.into(),
        named: None,
    }
}

fn read(topic: &str, payload: &[u8]) -> Result<Content, Refusal> {
    let not_ours = || refuse(RefusalReason::Topic, "not a topic that rigs write to");
    let (site, rig, leaf) = split_topic(topic).ok_or_else(not_ours)?;
    if !leaf.is_from_rig() {
        return Err(not_ours());
    }
    let site = parse_name(site).map_err(|error| refuse(RefusalReason::Topic, error.to_string()))?;
    let rig = parse_name(rig).map_err(|error| refuse(RefusalReason::Topic, error.to_string()))?;
    let most = match leaf {
        Topic::Evidence => MAX_EVIDENCE_BYTES,
        _ => MAX_MESSAGE_BYTES,
    };
    if payload.len() > most {
        return Err(refuse(
            RefusalReason::TooLong,
            format!("{} bytes, at most {most} are allowed", payload.len()),
        ));
    }
    let (json, jpeg) = match leaf {
        Topic::Evidence => split_evidence(payload)
            .map_err(|error| refuse(RefusalReason::Malformed, error.to_string()))?,
        _ => (payload, &[][..]),
    };
    let named = read_head(json, &site, &rig, leaf)?;
    let content = read_body(json, jpeg, payload.len() - jpeg.len(), site, leaf);
    content.map_err(|refusal| Refusal { named, ..refusal })
}

/// Version and sender. `Some` name for the messages that are numbered.
fn read_head(
    json: &[u8],
    site: &Name,
    rig: &Name,
    topic: Topic,
) -> Result<Option<Box<NamedMessage>>, Refusal> {
    let head: Head = serde_json::from_slice(json)
        .map_err(|error| refuse(RefusalReason::Malformed, error.to_string()))?;
    if head.v != u64::from(WIRE_VERSION) {
        return Err(refuse(
            RefusalReason::Version,
            format!("version {}, this host reads version {WIRE_VERSION}", head.v),
        ));
    }
    let missing = || refuse(RefusalReason::Malformed, "it does not say who sends it");
    let (says, boot, seq) = if topic.is_durable() {
        let from = head.from.ok_or_else(missing)?;
        (from.rig, from.boot, Some(from.seq))
    } else {
        let rig = head.rig.ok_or_else(missing)?;
        (rig, head.boot.ok_or_else(missing)?, None)
    };
    if says != *rig {
        return Err(refuse(
            RefusalReason::WrongRig,
            format!("it says it is from {says}"),
        ));
    }
    let boot = BootId::from_raw(boot)
        .ok_or_else(|| refuse(RefusalReason::OutOfRange, "boot is no boot number"))?;
    let Some(seq) = seq else { return Ok(None) };
    if !check::seq_is_possible(seq) {
        return Err(refuse(
            RefusalReason::OutOfRange,
            "seq is no message number",
        ));
    }
    Ok(Some(Box::new(NamedMessage {
        site: site.clone(),
        rig: rig.clone(),
        boot,
        seq,
        topic,
    })))
}

fn read_body(
    json: &[u8],
    jpeg: &[u8],
    jpeg_at: usize,
    site: Name,
    leaf: Topic,
) -> Result<Content, Refusal> {
    Ok(match leaf {
        Topic::Clip => Content::Clip {
            site,
            message: Box::new(parse(json, check::clip)?),
        },
        Topic::Label => Content::Labels {
            site,
            batch: Box::new(parse(json, check::batch)?),
        },
        Topic::Evidence => evidence(json, jpeg, jpeg_at, site)?,
        Topic::Evicted => Content::Evicted {
            site,
            message: parse(json, check::evicted)?,
        },
        Topic::Status => Content::Status {
            site,
            message: parse(json, |_| Ok(()))?,
        },
        Topic::Birth => Content::Birth {
            site,
            message: Box::new(parse(json, check::birth)?),
        },
        Topic::Health => Content::Health {
            site,
            message: Box::new(parse(json, check::health)?),
        },
        Topic::Ack | Topic::Policy | Topic::AskPicture | Topic::AskFrames | Topic::AskPurge => {
            return Err(refuse(RefusalReason::Topic, "only the host writes there"));
        }
        Topic::Reply => {
            return Err(refuse(
                RefusalReason::Topic,
                "answers are taken by whoever asked",
            ));
        }
    })
}

/// A filmstrip or a key picture: the latter says so by its field `picture`.
fn evidence(json: &[u8], jpeg: &[u8], jpeg_at: usize, site: Name) -> Result<Content, Refusal> {
    #[derive(Deserialize)]
    struct Form {
        picture: Option<serde::de::IgnoredAny>,
    }
    let form: Form = parse(json, |_| Ok(()))?;
    Ok(if form.picture.is_some() {
        Content::Picture {
            site,
            header: Box::new(parse(json, |header| picture::check(header, jpeg))?),
            jpeg_at,
        }
    } else {
        Content::Evidence {
            site,
            header: Box::new(parse(json, |header| check::evidence(header, jpeg))?),
            jpeg_at,
        }
    })
}

fn parse<T: DeserializeOwned>(
    json: &[u8],
    check: impl FnOnce(&T) -> Result<(), Implausible>,
) -> Result<T, Refusal> {
    let message = serde_json::from_slice(json)
        .map_err(|error| refuse(RefusalReason::Malformed, error.to_string()))?;
    check(&message).map_err(|error| refuse(RefusalReason::OutOfRange, error.to_string()))?;
    Ok(message)
}

#[cfg(test)]
mod tests;
