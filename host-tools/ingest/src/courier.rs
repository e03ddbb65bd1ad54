//! Asks rigs for what people want of them, part by part, and what they are to delete, and takes their answers.
//!
//! One question is open with each rig at a time, and one order to delete. What a rig answers is committed before the next part is asked for, so that whatever
//! breaks, no more than one part is asked for twice. An answer counts only if it repeats the question's correlation data, which
//! nobody else was told. What is to be deleted is asked until the rig says that nothing of it is left; a rig that does not know how is
//! asked for other things all the same.
//! Of ingesters that share a store one asks, and all hear the answers: who has asked nothing leaves them alone.

use label_core::id::Name;
use label_core::wire::{
    self, Answer, AskFrames, AskPicture, AskPurge, MAX_REPLY_BYTES, RefusedBecause, Reply, Topic,
    WIRE_VERSION, split_reply, split_topic,
};
use label_store::{AskersPlace, LabelStore, OpenPurge, OpenRequest, StoreError, Wanted, now_us};
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
    /// The number of the request or purge.
    about: i64,
    /// The first byte that was asked for.
    from: u64,
    correlation: Vec<u8>,
    at: Instant,
}

impl Open {
    fn new(about: i64, from: u64, correlation: Vec<u8>) -> Self {
        Self {
            about,
            from,
            correlation,
            at: Instant::now(),
        }
    }

    fn is_fresh(&self) -> bool {
        self.at.elapsed() < PATIENCE
    }
}

/// What is open with which rig.
#[derive(Debug, Default)]
pub(crate) struct Courier {
    place: Option<AskersPlace>,
    questions: HashMap<Name, Open>,
    purges: HashMap<Name, Open>,
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
            self.questions.clear();
            self.purges.clear();
            self.place = store.take_askers_place().await?;
        }
        if self.place.is_none() {
            return Ok(questions);
        }
        for purge in store.open_purges().await? {
            let rig = &purge.clip.rig;
            // Whatever of it is to be deleted: what the rig still writes is asked for again in a while.
            let waits = self.purges.get(rig).is_some_and(Open::is_fresh);
            if !waits && let Some((correlation, question)) = purge_question(&purge) {
                let open = Open::new(purge.purge, 0, correlation);
                self.purges.insert(rig.clone(), open);
                questions.push(question);
            }
        }
        for asked in store.open_requests().await? {
            let (rig, request) = (&asked.request.rig, asked.request.request);
            let open = self.questions.get(rig);
            let waits = open.is_some_and(|open| open.about == request && open.is_fresh());
            if !waits && let Some((correlation, question)) = question(&asked) {
                let open = Open::new(request, asked.request.have, correlation);
                self.questions.insert(rig.clone(), open);
                questions.push(question);
            }
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
        let rig = Name::try_from(rig).unwrap_or_default();
        let reply = (came.payload.len() <= MAX_REPLY_BYTES)
            .then(|| split_reply(&came.payload))
            .flatten()
            .and_then(|(header, data)| Some((serde_json::from_slice::<Reply>(header).ok()?, data)));
        let is_of_it = reply
            .as_ref()
            .is_none_or(|(reply, _)| reply.rig == rig && reply.v == WIRE_VERSION);
        let asked = |open: &&Open| is_of_it && open.correlation == came.correlation;
        let now = now_us();
        if let Some(purge) = self.purges.get(&rig).filter(asked).map(|open| open.about) {
            let (said, is_done) = purge_answer(reply.as_ref().map(|(reply, _)| &reply.answer));
            if is_done {
                self.purges.remove(&rig);
            }
            store.rig_purged(purge, &said, is_done, now).await?;
            return Ok(true);
        }
        let Some((request, from)) = self
            .questions
            .get(&rig)
            .filter(asked)
            .map(|open| (open.about, open.from))
        else {
            if self.questions.contains_key(&rig) || self.purges.contains_key(&rig) {
                tracing::warn!(%rig, "an answer that nobody asked for, or of another rig");
            }
            return Ok(false);
        };
        let open = self.questions.remove(&rig);
        match reply {
            None => store.refuse_request(request, "damaged", now).await?,
            Some((reply, data)) => match reply.answer {
                Answer::Picture(shows) => {
                    let shows = (reply.boot, &shows);
                    store.take_picture(request, shows, data, now).await?;
                }
                Answer::Purged(_) => store.refuse_request(request, "damaged", now).await?,
                Answer::Chunk(chunk) => {
                    let question = (request, from);
                    store.take_part(question, &chunk, data, now).await?;
                }
                // The rig began anew, or is busy: it is asked again in a while.
                Answer::Refused(
                    RefusedBecause::OtherBoot | RefusedBecause::Busy | RefusedBecause::Replayed,
                ) => {
                    self.questions.extend(open.map(|open| (rig, open)));
                }
                Answer::Refused(because) => {
                    store.refuse_request(request, because.name(), now).await?;
                }
            },
        }
        Ok(true)
    }
}

/// What a rig said of a purge, and whether nothing is left there.
fn purge_answer(answer: Option<&Answer>) -> (String, bool) {
    match answer {
        Some(Answer::Purged(purged)) => (format!("deleted {} segments", purged.segments), true),
        // It records nothing.
        Some(Answer::Refused(RefusedBecause::NotRecorded)) => ("records nothing".to_owned(), true),
        Some(Answer::Refused(because)) => (because.name().to_owned(), false),
        _ => ("damaged".to_owned(), false),
    }
}

fn purge_question(purge: &OpenPurge) -> Option<(Vec<u8>, Question)> {
    let ask = AskPurge {
        v: WIRE_VERSION,
        boot: purge.boot,
        of: (purge.clip.boot, purge.clip.clip),
        frames: purge.frames,
    };
    let payload = serde_json::to_vec(&ask).expect("numbers always encode");
    put(&purge.site, &purge.clip.rig, Topic::AskPurge, payload)
}

fn question(asked: &OpenRequest) -> Option<(Vec<u8>, Question)> {
    let OpenRequest { request, boot } = asked;
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
    let payload = payload.expect("numbers always encode");
    put(&request.site, &request.rig, topic, payload)
}

/// `None` of a site that has no sound name.
fn put(site: &str, rig: &Name, topic: Topic, payload: Vec<u8>) -> Option<(Vec<u8>, Question)> {
    let site = wire::parse_name(site).ok()?;
    let mut correlation = Vec::with_capacity(16);
    for _ in 0..2 {
        // Keyed by the system's random numbers.
        let drawn = RandomState::new().build_hasher().finish();
        correlation.extend(drawn.to_le_bytes());
    }
    let question = Question {
        topic: wire::topic(&site, rig, topic).as_str().to_owned(),
        reply_topic: wire::topic(&site, rig, Topic::Reply).as_str().to_owned(),
        correlation: correlation.clone(),
        payload,
    };
    Some((correlation, question))
}
