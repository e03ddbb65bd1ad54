//! What the desk asks the rig for: taken off the broker, judged by its envelope, answered behind everything else.
//!
//! Labels always go first: an answer is published only when every message of the outbox was, and no faster than
//! [`BYTES_A_SECOND`]. Answers are lost with the connection; the desk asks again for what it lacks.

use label_core::BootId;
use label_core::id::Name;
use label_core::wire::{
    Answer, CommandCounters, MAX_COMMAND_BYTES, MAX_CORRELATION_BYTES, MAX_REPLY_BYTES,
    REPLY_MAGIC, RefusedBecause, Reply, Topic, WIRE_VERSION,
};
use rumqttc::v5::AsyncClient;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Publish, PublishProperties};
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;
use tokio::time::sleep_until;

/// Bytes of answers a second: a car's line carries labels beside them.
const BYTES_A_SECOND: u64 = 256 * 1024;
/// Commands that wait for whoever answers them.
const WAITING: usize = 4;
/// Correlation data remembered: a command that comes again is refused. One of an earlier run is refused for its boot.
const REMEMBERED: usize = 256;

/// A command whose envelope is sound; what it says is not looked at yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Which.
    pub topic: Topic,
    /// What it says.
    pub payload: Vec<u8>,
    correlation: Vec<u8>,
}

/// The other end of the link: commands come out, answers go in.
#[derive(Debug)]
pub struct Commands {
    taken: Receiver<Command>,
    answers: mpsc::Sender<Answered>,
    rig: Name,
    boot: BootId,
}

impl Commands {
    /// The next command; `None` when the uplink has ended.
    pub fn next(&self) -> Option<Command> {
        self.taken.recv().ok()
    }

    /// Answers it. Waits while answers before it wait for labels.
    pub fn answer(&self, command: Command, answer: Answer, data: &[u8]) {
        let answered = Answered::new(&self.rig, self.boot, command.correlation, answer, data);
        // The uplink has ended: then nobody waits.
        let _ = self.answers.blocking_send(answered);
    }
}

/// An answer, ready to be published.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) correlation: Vec<u8>,
    pub(crate) payload: Vec<u8>,
    refuses: bool,
}

impl Answered {
    fn new(rig: &Name, boot: BootId, correlation: Vec<u8>, answer: Answer, data: &[u8]) -> Self {
        let refuses = matches!(answer, Answer::Refused(_));
        let reply = Reply {
            v: WIRE_VERSION,
            rig: rig.clone(),
            boot,
            answer,
        };
        let header = serde_json::to_vec(&reply).expect("names and numbers always encode");
        let mut payload = REPLY_MAGIC.to_vec();
        payload.extend((header.len() as u32).to_le_bytes());
        payload.extend(header);
        payload.extend_from_slice(data);
        debug_assert!(payload.len() <= MAX_REPLY_BYTES);
        Self {
            correlation,
            payload,
            refuses,
        }
    }
}

/// The link's end.
pub(crate) struct Asked {
    commands: SyncSender<Command>,
    answers: mpsc::Receiver<Answered>,
    refusals: VecDeque<Answered>,
    seen: VecDeque<Vec<u8>>,
    not_before: Instant,
    counters: Option<CommandCounters>,
    rig: Name,
    boot: BootId,
}

/// Both ends.
pub(crate) fn commands(rig: &Name, boot: BootId) -> (Asked, Commands) {
    let (commands, taken) = sync_channel(WAITING);
    let (answers, answered) = mpsc::channel(1);
    let asked = Asked {
        commands,
        answers: answered,
        refusals: VecDeque::new(),
        seen: VecDeque::with_capacity(REMEMBERED),
        not_before: Instant::now(),
        counters: None,
        rig: rig.clone(),
        boot,
    };
    let commands = Commands {
        taken,
        answers,
        rig: rig.clone(),
        boot,
    };
    (asked, commands)
}

impl Asked {
    /// Judges a command by its envelope and hands it on. One that does not say where the answer is to go, or wants it elsewhere,
    /// is counted and not answered.
    pub(crate) fn take(&mut self, topic: Topic, publish: &Publish, reply_topic: &str) {
        let properties = publish.properties.as_ref();
        let correlation = properties
            .filter(|said| said.response_topic.as_deref() == Some(reply_topic))
            .and_then(|said| said.correlation_data.as_ref())
            .filter(|data| (1..=MAX_CORRELATION_BYTES).contains(&data.len()));
        let Some(correlation) = correlation.map(|data| data.to_vec()) else {
            self.counters.get_or_insert_default().refused += 1;
            return;
        };
        let because = if publish.payload.len() > MAX_COMMAND_BYTES {
            RefusedBecause::TooLong
        } else if publish.retain || self.seen.contains(&correlation) {
            RefusedBecause::Replayed
        } else {
            if self.seen.len() == REMEMBERED {
                self.seen.pop_front();
            }
            self.seen.push_back(correlation.clone());
            let command = Command {
                topic,
                payload: publish.payload.to_vec(),
                correlation: correlation.clone(),
            };
            match self.commands.try_send(command) {
                Ok(()) => return,
                Err(TrySendError::Full(_) | TrySendError::Disconnected(_)) => RefusedBecause::Busy,
            }
        };
        if self.refusals.len() < REMEMBERED {
            let answer = Answer::Refused(because);
            let refusal = Answered::new(&self.rig, self.boot, correlation, answer, &[]);
            self.refusals.push_back(refusal);
        }
    }

    /// The next answer that may go out. Nothing is lost where this is not waited for to its end.
    pub(crate) async fn next(&mut self) -> Answered {
        sleep_until(self.not_before.into()).await;
        if let Some(refusal) = self.refusals.pop_front() {
            return refusal;
        }
        match self.answers.recv().await {
            Some(answered) => answered,
            None => std::future::pending().await,
        }
    }

    /// Publishes it. Quality of service 0: whoever misses it asks again.
    pub(crate) fn publish(
        &mut self,
        client: &AsyncClient,
        topic: String,
        answered: Answered,
    ) -> Result<(), String> {
        self.published(&answered);
        let properties = PublishProperties {
            correlation_data: Some(answered.correlation.into()),
            ..PublishProperties::default()
        };
        client
            .try_publish_with_properties(
                topic,
                QoS::AtMostOnce,
                false,
                answered.payload,
                properties,
            )
            .map_err(|error| error.to_string())
    }

    fn published(&mut self, answered: &Answered) {
        let counters = self.counters.get_or_insert_default();
        if answered.refuses {
            counters.refused += 1;
        } else {
            counters.answered += 1;
        }
        let took = answered.payload.len() as u64 * 1000 / BYTES_A_SECOND;
        self.not_before = Instant::now() + Duration::from_millis(took);
    }

    /// `None` before the first command.
    pub(crate) const fn counters(&self) -> Option<CommandCounters> {
        self.counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_core::wire::{parse_name, split_reply};

    const REPLY: &str = "rigel/v1/site/rig/reply";

    fn publish(correlation: &[u8], respond: &str, payload: &[u8]) -> Publish {
        let properties = PublishProperties {
            response_topic: Some(respond.to_owned()),
            correlation_data: Some(correlation.to_vec().into()),
            ..PublishProperties::default()
        };
        let topic = "rigel/v1/site/rig/cmd/picture";
        Publish::new(topic, QoS::AtLeastOnce, payload.to_vec(), Some(properties))
    }

    fn ends() -> (Asked, Commands) {
        commands(&parse_name("rig").unwrap(), BootId::first(3))
    }

    fn refusal(asked: &mut Asked) -> Option<RefusedBecause> {
        let answered = asked.refusals.pop_front()?;
        asked.published(&answered);
        let (header, data) = split_reply(&answered.payload).unwrap();
        assert!(data.is_empty());
        match serde_json::from_slice::<Reply>(header).unwrap().answer {
            Answer::Refused(because) => Some(because),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_command_is_handed_on_once_and_refused_when_it_comes_again_or_was_kept_by_the_broker() {
        let (mut asked, commands) = ends();
        let first = publish(b"1", REPLY, b"{}");
        asked.take(Topic::AskPicture, &first, REPLY);
        assert_eq!(commands.next().unwrap().payload, b"{}");
        asked.take(Topic::AskPicture, &first, REPLY);
        assert_eq!(refusal(&mut asked), Some(RefusedBecause::Replayed));
        let mut kept = publish(b"2", REPLY, b"{}");
        kept.retain = true;
        asked.take(Topic::AskPicture, &kept, REPLY);
        assert_eq!(refusal(&mut asked), Some(RefusedBecause::Replayed));
        assert!(commands.taken.try_recv().is_err());
        assert_eq!(asked.counters().unwrap().refused, 2);
    }

    #[test]
    fn what_is_too_long_or_too_much_is_refused_and_answers_go_nowhere_but_to_the_rigs_own_topic() {
        let (mut asked, commands) = ends();
        asked.take(
            Topic::AskFrames,
            &publish(b"1", REPLY, &[b' '; MAX_COMMAND_BYTES + 1]),
            REPLY,
        );
        assert_eq!(refusal(&mut asked), Some(RefusedBecause::TooLong));
        for (correlation, respond) in [
            (&b"2"[..], "rigel/v1/site/other/label"),
            (b"", REPLY),
            (&[7; MAX_CORRELATION_BYTES + 1], REPLY),
        ] {
            asked.take(
                Topic::AskFrames,
                &publish(correlation, respond, b"{}"),
                REPLY,
            );
            assert_eq!(refusal(&mut asked), None);
        }
        assert_eq!(asked.counters().unwrap().refused, 4);
        for number in 0..=WAITING as u8 {
            asked.take(
                Topic::AskFrames,
                &publish(&[9, number], REPLY, b"{}"),
                REPLY,
            );
        }
        assert_eq!(refusal(&mut asked), Some(RefusedBecause::Busy));
        assert_eq!(commands.taken.try_iter().count(), WAITING);
    }
}
