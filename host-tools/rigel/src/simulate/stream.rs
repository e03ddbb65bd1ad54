//! What a rig recorded, to be said again by others: the messages in its outbox.

use anyhow::{Context, Result, bail};
use label_core::wire::{
    self, ClipEvent, EncodeError, EvidenceHeader, Origin, PictureHeader, Topic, split_topic,
};
use label_core::{BootId, Seq};
use label_store::{Content, Incoming};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;
use uplink::{Cursor, Outbox, OutboxLimits, encode_evidence};

/// The durable messages of one run of a rig, in their order.
pub(super) struct Stream {
    messages: Vec<Incoming>,
    /// Where a message of the recording, by its number, stands among them.
    places: BTreeMap<Seq, u64>,
    /// Clips are numbered from here on when it is said again.
    clips: u32,
}

/// What becomes of a message when another rig says it.
pub(super) struct Said {
    pub(super) topic: Topic,
    /// Labels in it.
    pub(super) labels: u16,
}

#[derive(Deserialize)]
struct Head {
    from: Origin,
}

impl Stream {
    /// Reads a copy of an outbox: what lies in `folder` stays as it is.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let copy = tempfile::tempdir().context("cannot make a folder")?;
        copy_folder(folder, copy.path())
            .with_context(|| format!("cannot read {}", folder.display()))?;
        let name = wire::parse_name("stream").expect("letters are a name");
        let (mut outbox, _) = Outbox::open(copy.path(), name, OutboxLimits::default())?;
        let mut runs = BTreeMap::<BootId, BTreeMap<Seq, Incoming>>::new();
        let mut cursor = Cursor::default();
        while let Some(record) = outbox.next(&mut cursor)? {
            // What a rig gave up, and what it recorded in earlier runs, others did not.
            if !matches!(record.topic, Topic::Clip | Topic::Label | Topic::Evidence) {
                continue;
            }
            let json = match record.topic {
                Topic::Evidence => wire::split_evidence(&record.payload).map(|(json, _)| json),
                _ => Ok(&record.payload[..]),
            };
            let head = json.map(serde_json::from_slice::<Head>);
            let Ok(Ok(Head { from })) = head else {
                bail!("message {} in {} is no rig's", record.seq, folder.display());
            };
            let topic = wire::topic(&name_of("simulated"), &from.rig, record.topic);
            let said = ingest::decode(topic.as_str(), record.payload, 0);
            match &said.content {
                Content::Refused(refusal) => bail!(
                    "message {} in {} cannot be used: {}",
                    record.seq,
                    folder.display(),
                    refusal.detail
                ),
                Content::Clip { message, .. }
                    if matches!(message.event, ClipEvent::Recorded(_)) => {}
                _ => {
                    let run = runs.entry(record.boot).or_default();
                    run.insert(record.seq, said);
                }
            }
        }
        let longest = runs.into_values().max_by_key(BTreeMap::len);
        let Some(run) = longest.filter(|run| !run.is_empty()) else {
            bail!(
                "no messages wait in {}: it must be the outbox of a rig that ran while no desk listened",
                folder.display()
            );
        };
        let places = (0..).zip(run.keys()).map(|(place, seq)| (*seq, place));
        let places = places.collect();
        let messages: Vec<_> = run.into_values().collect();
        let clips = messages.iter().map(clip_of).max().unwrap_or(0);
        Ok(Self {
            messages,
            places,
            clips,
        })
    }

    /// Messages until it begins again.
    pub(super) fn len(&self) -> usize {
        self.messages.len()
    }

    /// What the `nth` message is, counted from 0; behind the last it begins again.
    pub(super) fn said(&self, nth: u64) -> Said {
        let incoming = self.at(nth);
        let topic = split_topic(&incoming.topic).map_or(Topic::Clip, |(.., topic)| topic);
        let labels = match &incoming.content {
            Content::Labels { batch, .. } => batch.labels.len() as u16,
            _ => 0,
        };
        Said { topic, labels }
    }

    /// Writes the `nth` message as another rig says it, by the encoders of the rig. That rig says this stream and nothing else, so
    /// that its numbers begin with the stream's.
    pub(super) fn encode(
        &self,
        nth: u64,
        from: Origin,
        into: &mut [u8],
    ) -> Result<usize, EncodeError> {
        let begins = nth - nth % self.messages.len() as u64;
        let round = (nth / self.messages.len() as u64) as u32;
        let incoming = self.at(nth);
        let clip = clip_of(incoming) + round * self.clips;
        match &incoming.content {
            Content::Clip { message, .. } => {
                let message = wire::ClipMessage {
                    from,
                    clip,
                    ..(**message).clone()
                };
                wire::encode(&message, into)
            }
            Content::Labels { batch, .. } => wire::encode(
                &wire::LabelBatch::new(from, clip, &batch.models[..], &batch.labels[..]),
                into,
            ),
            Content::Evidence {
                header, jpeg_at, ..
            } => {
                let (of, n) = header.label;
                let place = self.places.get(&of).copied().unwrap_or(0);
                let header = EvidenceHeader {
                    from,
                    clip,
                    label: (begins + place + 1, n),
                    ..(**header).clone()
                };
                encode_evidence(&header, &incoming.payload[*jpeg_at..], into)
            }
            Content::Picture {
                header, jpeg_at, ..
            } => {
                let header = PictureHeader {
                    from,
                    clip,
                    ..(**header).clone()
                };
                encode_evidence(&header, &incoming.payload[*jpeg_at..], into)
            }
            // Not taken into it.
            _ => Ok(0),
        }
    }

    fn at(&self, nth: u64) -> &Incoming {
        &self.messages[(nth % self.messages.len() as u64) as usize]
    }
}

fn clip_of(incoming: &Incoming) -> u32 {
    match &incoming.content {
        Content::Clip { message, .. } => message.clip,
        Content::Labels { batch, .. } => batch.clip,
        Content::Evidence { header, .. } => header.clip,
        Content::Picture { header, .. } => header.clip,
        _ => 0,
    }
}

pub(super) fn name_of(text: &str) -> label_core::id::Name {
    wire::parse_name(text).expect("letters and digits are a name")
}

/// Files and folders of an outbox; it has no others.
fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let place = to.join(entry.file_name());
        let kind = entry.file_type()?;
        if kind.is_dir() {
            std::fs::create_dir_all(&place)?;
            copy_folder(&entry.path(), &place)?;
        } else if kind.is_file() {
            std::fs::copy(entry.path(), place)?;
        }
    }
    Ok(())
}
