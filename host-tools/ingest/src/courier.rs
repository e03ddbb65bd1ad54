//! Asks rigs for what people want of them, part by part, and takes their answers.
//!
//! One question is open with each rig at a time. What a rig answers is committed before the next part is asked for, so that whatever
//! breaks, no more than one part is asked for twice. An answer counts only if it repeats the question's correlation data, which
//! nobody else was told. Of ingesters that share a store one asks, and all hear the answers: who has asked nothing leaves them alone.

use label_core::id::Name;
use label_core::wire::{
    self, Answer, AskFrames, AskPicture, MAX_REPLY_BYTES, RefusedBecause, Reply, Topic,
    WIRE_VERSION, split_reply, split_topic,
};
use label_store::{AskersPlace, LabelStore, OpenRequest, StoreError, Wanted, now_us};
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::Duration;
use tokio::time::Instant;

/// A rig that does not answer within this time is asked again; labels go first, so it may take a while.
const PATIENCE: Duration = Duration::from_secs(10);
/// A question that waited longer at the broker is not delivered any more: it was asked again by then.
pub(crate) const EXPIRES_S: u32 = 10;

/// A question, ready to be published.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) topic: String,
    pub(crate) reply_topic: String,
    pub(crate) correlation: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug)]
pub(crate) struct Came {
    pub(crate) topic: String,
    pub(crate) correlation: Vec<u8>,
    pub(crate) payload: Vec<u8>,
}

#[derive(Debug)]
struct Open {
    request: i64,
    /// The first byte that was asked for.
    from: u64,
    correlation: Vec<u8>,
    at: Instant,
}

/// What is open with which rig.
#[derive(Debug, Default)]
pub(crate) struct Courier {
    place: Option<AskersPlace>,
    open: HashMap<Name, Open>,
}

/// Whether this topic is that of answers.
pub(crate) fn is_reply(topic: &str) -> bool {
    matches!(split_topic(topic), Some((_, _, Topic::Reply)))
}

impl Courier {
    /// What is to be asked now, and by us.
    pub(crate) async fn due(&mut self, store: &LabelStore) -> Result<Vec<Question>, StoreError> {
        let mut questions = Vec::new();
        let is_ours = match &mut self.place {
            Some(place) => place.is_ours().await,
            None => false,
        };
        if !is_ours {
            self.open.clear();
            self.place = store.take_askers_place().await?;
        }
        if self.place.is_none() {
            return Ok(questions);
        }
        for asked in store.open_requests().await? {
            let rig = &asked.request.rig;
            let waits = self.open.get(rig).is_some_and(|open| {
                open.request == asked.request.request && open.at.elapsed() < PATIENCE
            });
            if waits {
                continue;
            }
            let Some((correlation, question)) = question(&asked) else {
                continue;
            };
            let open = Open {
                request: asked.request.request,
                from: asked.request.have,
                correlation,
                at: Instant::now(),
            };
            self.open.insert(rig.clone(), open);
            questions.push(question);
        }
        Ok(questions)
    }

    /// Takes an answer, and tells whether it was one; what we did not ask for is left alone.
    pub(crate) async fn take(
        &mut self,
        store: &LabelStore,
        came: &Came,
    ) -> Result<bool, StoreError> {
        let Some((_, rig, _)) = split_topic(&came.topic) else {
            return Ok(false);
        };
        let Some((rig, open)) = self
            .open
            .remove_entry(&Name::try_from(rig).unwrap_or_default())
        else {
            return Ok(false);
        };
        let reply = (came.payload.len() <= MAX_REPLY_BYTES)
            .then(|| split_reply(&came.payload))
            .flatten()
            .and_then(|(header, data)| Some((serde_json::from_slice::<Reply>(header).ok()?, data)));
        let ours = open.correlation == came.correlation
            && reply
                .as_ref()
                .is_none_or(|(reply, _)| reply.rig == rig && reply.v == WIRE_VERSION);
        if !ours {
            tracing::warn!(%rig, "an answer that nobody asked for, or of another rig");
            self.open.insert(rig, open);
            return Ok(false);
        }
        let (request, now) = (open.request, now_us());
        match reply {
            None => store.refuse_request(request, "damaged", now).await?,
            Some((reply, data)) => match reply.answer {
                Answer::Picture(shows) => store.take_picture(request, &shows, data, now).await?,
                Answer::Chunk(chunk) => {
                    let question = (request, open.from);
                    store.take_part(question, &chunk, data, now).await?;
                }
                // The rig began anew, or is busy: it is asked again in a while.
                Answer::Refused(
                    RefusedBecause::OtherBoot | RefusedBecause::Busy | RefusedBecause::Replayed,
                ) => {
                    self.open.insert(rig, open);
                }
                Answer::Refused(because) => {
                    store.refuse_request(request, because.name(), now).await?;
                }
            },
        }
        Ok(true)
    }
}

fn question(asked: &OpenRequest) -> Option<(Vec<u8>, Question)> {
    let OpenRequest { request, boot } = asked;
    let site = wire::parse_name(&request.site).ok()?;
    let (topic, payload) = match &request.wanted {
        Wanted::Picture => {
            let ask = AskPicture {
                v: WIRE_VERSION,
                boot: *boot,
            };
            (Topic::AskPicture, serde_json::to_vec(&ask))
        }
        Wanted::Frames(clip, frames) => {
            let ask = AskFrames {
                v: WIRE_VERSION,
                boot: *boot,
                of: (clip.boot, clip.clip),
                frames: *frames,
                offset: request.have,
            };
            (Topic::AskFrames, serde_json::to_vec(&ask))
        }
    };
    let mut correlation = Vec::with_capacity(16);
    for _ in 0..2 {
        // Keyed by the system's random numbers.
        let drawn = RandomState::new().build_hasher().finish();
        correlation.extend(drawn.to_le_bytes());
    }
    let question = Question {
        topic: wire::topic(&site, &request.rig, topic).as_str().to_owned(),
        reply_topic: wire::topic(&site, &request.rig, Topic::Reply)
            .as_str()
            .to_owned(),
        correlation: correlation.clone(),
        payload: payload.expect("numbers always encode"),
    };
    Some((correlation, question))
}
