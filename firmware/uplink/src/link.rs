//! The link: a state machine that never gives up.

mod connection;

pub(crate) use connection::{options, trouble};

use crate::commands::Asked;
use crate::delivery::{Backoff, Delivery, Next, Publish};
use crate::handle::OutboxHandle;
use crate::outbox::Cursor;
use crate::policy::PolicyHandle;
use crate::uplink::{Monitor, UplinkConfig};
use broker_tls::TlsError;
use connection::Connection;
use label_core::wire::{self, Ack, Health, Power, Status, Topic, WIRE_VERSION};
use rumqttc::Outgoing;
use rumqttc::v5::Event;
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{LastWill, Packet};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, sleep_until};

/// How the link stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinkState {
    /// Waiting before the next attempt.
    #[default]
    Offline,
    /// Trying to reach the broker.
    Connecting,
    /// Connected and sending.
    Online,
    /// Connected, but the broker refuses our messages or nobody listens: waiting before the next attempt.
    Held,
    /// Ended in order.
    Stopped,
}

/// When the link shall end: as soon as everything is committed, at this time at the latest.
pub(crate) type StopAt = Option<Instant>;

/// A farewell that the broker does not acknowledge is not waited for longer than this.
const FAREWELL: Duration = Duration::from_secs(2);

pub(crate) struct Link<H> {
    pub(crate) config: UplinkConfig,
    pub(crate) outbox: OutboxHandle,
    pub(crate) birth: Vec<u8>,
    pub(crate) health: H,
    pub(crate) monitor: Arc<Monitor>,
    pub(crate) synced: Arc<Notify>,
    pub(crate) stop: watch::Receiver<StopAt>,
    pub(crate) delivery: Delivery,
    pub(crate) cursor: Cursor,
    pub(crate) backoff: Backoff,
    pub(crate) policy: PolicyHandle,
    pub(crate) asked: Asked,
}

enum State {
    Offline,
    Connecting,
    Online(Connection),
    Stopped,
}

impl<H: FnMut() -> Health> Link<H> {
    pub(crate) async fn run(mut self) {
        let mut state = State::Connecting;
        loop {
            state = match state {
                State::Offline => self.wait().await,
                State::Connecting => self.connect().await,
                State::Online(connection) => self.serve(connection).await,
                State::Stopped => break,
            };
        }
        self.monitor.set_state(LinkState::Stopped);
    }

    async fn wait(&mut self) -> State {
        self.monitor.set_state(LinkState::Offline);
        let wake = Instant::now() + self.backoff.take();
        loop {
            if self.stops_now() {
                return State::Stopped;
            }
            let until = self.stop.borrow().map_or(wake, |stop| stop.min(wake));
            tokio::select! {
                () = sleep_until(until.into()) => {
                    return if self.stops_now() { State::Stopped } else { State::Connecting };
                }
                changed = self.stop.changed() => if changed.is_err() { return State::Stopped },
            }
        }
    }

    /// Whether an asked-for end has come: everything committed, or no more time.
    fn stops_now(&self) -> bool {
        self.stop
            .borrow()
            .is_some_and(|at| at <= Instant::now() || self.outbox.counters().waiting == 0)
    }

    async fn connect(&mut self) -> State {
        self.monitor.set_state(LinkState::Connecting);
        let mut connection = match self.dial() {
            Ok(connection) => connection,
            Err(error) => return self.lost(&describe(&error)),
        };
        loop {
            let stop_at = self
                .stop
                .borrow()
                .map_or_else(|| Instant::now() + Duration::from_hours(1), |at| at);
            tokio::select! {
                event = connection.events.recv() => match event {
                    Some(Ok(Event::Incoming(Packet::ConnAck(_)))) => break,
                    Some(Ok(_)) => {}
                    Some(Err(trouble)) => return self.lost(&trouble),
                    None => return self.lost("the connection ended"),
                },
                () = sleep_until(stop_at.into()) => if self.stops_now() { return State::Stopped },
                changed = self.stop.changed() => if changed.is_err() { return State::Stopped },
            }
        }
        self.monitor.connected();
        self.backoff.reset();
        self.delivery.connected();
        self.cursor.rewind();
        match self.greet(&connection) {
            Ok(()) => State::Online(connection),
            Err(trouble) => self.lost(&trouble),
        }
    }

    fn dial(&self) -> Result<Connection, TlsError> {
        let config = &self.config;
        let id = format!("rigel-{}-{}", config.site, self.outbox.rig());
        let mut options = options(config, id)?;
        options
            .set_clean_start(false)
            .set_session_expiry_interval(Some(config.session_expiry.as_secs() as u32))
            // More numbers than messages in flight, so that an answer out of order does not block the next number.
            .set_outgoing_inflight_upper_limit(config.window.saturating_mul(8))
            .set_last_will(LastWill::new(
                self.topic(Topic::Status),
                self.status(Power::Offline),
                QoS::AtLeastOnce,
                true,
                None,
            ));
        Ok(Connection::open(config, options, Arc::clone(&self.monitor)))
    }

    fn topic(&self, leaf: Topic) -> String {
        wire::topic(&self.config.site, self.outbox.rig(), leaf)
            .as_str()
            .to_owned()
    }

    fn status(&self, state: Power) -> Vec<u8> {
        let status = Status {
            v: WIRE_VERSION,
            rig: self.outbox.rig().clone(),
            boot: self.outbox.boot(),
            state,
        };
        serde_json::to_vec(&status).expect("names and numbers always encode")
    }

    /// Who we are, that we are here, and what we want to hear.
    fn greet(&mut self, connection: &Connection) -> Result<(), String> {
        for topic in Topic::ALL.into_iter().filter(|it| !it.is_from_rig()) {
            connection
                .client
                .try_subscribe(self.topic(topic), QoS::AtLeastOnce)
                .map_err(|error| error.to_string())?;
        }
        let online = self.status(Power::Online);
        self.publish(connection, Topic::Status, Publish::State, online)?;
        let birth = self.birth.clone();
        self.publish(connection, Topic::Birth, Publish::State, birth)
    }

    fn publish(
        &mut self,
        connection: &Connection,
        topic: Topic,
        kind: Publish,
        payload: Vec<u8>,
    ) -> Result<(), String> {
        let (qos, retain) = match topic {
            Topic::Health => (QoS::AtMostOnce, false),
            Topic::Status | Topic::Birth => (QoS::AtLeastOnce, true),
            _ => (QoS::AtLeastOnce, false),
        };
        connection
            .client
            .try_publish(self.topic(topic), qos, retain, payload)
            .map_err(|error| error.to_string())?;
        self.delivery.handed(kind, Instant::now());
        Ok(())
    }

    fn lost(&mut self, trouble: &str) -> State {
        if self.monitor.trouble(trouble) {
            tracing::warn!(
                broker = %self.config.host, port = self.config.port, trouble,
                "no link to the broker; what is made waits on disk"
            );
        }
        State::Offline
    }

    async fn serve(&mut self, mut connection: Connection) -> State {
        let mut health = tokio::time::interval(self.config.health_every);
        health.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut stop_is_open = true;
        loop {
            let everything_sent = match self.fill(&connection) {
                Ok(everything_sent) => everything_sent,
                Err(trouble) => return self.lost(&trouble),
            };
            if self.delivery.tick(everything_sent, Instant::now()) == Next::Rewind {
                self.cursor.rewind();
                continue;
            }
            self.monitor
                .sending(self.delivery.tally, self.delivery.is_held());
            if self.stops_now() {
                return self.farewell(connection).await;
            }
            let far = Instant::now() + Duration::from_hours(1);
            let wake = self.delivery.deadline().unwrap_or(far);
            let wake = self.stop.borrow().map_or(wake, |stop| stop.min(wake));
            tokio::select! {
                event = connection.events.recv() => match event {
                    Some(Ok(event)) => self.take(event).await,
                    Some(Err(trouble)) => return self.lost(&trouble),
                    None => return self.lost("the connection ended"),
                },
                () = self.synced.notified() => {}
                answered = self.asked.next(), if everything_sent && !self.delivery.is_held() => {
                    let topic = self.topic(Topic::Reply);
                    if let Err(trouble) = self.asked.publish(&connection.client, topic, answered) {
                        return self.lost(&trouble);
                    }
                    self.delivery.handed(Publish::State, Instant::now());
                }
                _ = health.tick() => {
                    let payload = self.health();
                    if let Err(trouble) = self.publish(&connection, Topic::Health, Publish::State, payload) {
                        return self.lost(&trouble);
                    }
                }
                () = sleep_until(wake.into()) => {}
                changed = self.stop.changed(), if stop_is_open => stop_is_open = changed.is_ok(),
            }
            if !stop_is_open && self.stop.borrow().is_none() {
                return State::Stopped;
            }
        }
    }

    /// Hands messages to the client as far as the window allows. Whether nothing is left to hand over.
    fn fill(&mut self, connection: &Connection) -> Result<bool, String> {
        while self.delivery.may_send() {
            let record = self
                .outbox
                .next(&mut self.cursor)
                .map_err(|error| describe(&error))?;
            let Some(record) = record else {
                return Ok(true);
            };
            let kind = match record.topic {
                Topic::Evicted => Publish::Notice(record.boot, record.seq),
                _ => Publish::Message(record.boot, record.seq),
            };
            self.publish(connection, record.topic, kind, record.payload)?;
        }
        Ok(false)
    }

    async fn take(&mut self, event: Event) {
        let next = match event {
            Event::Outgoing(Outgoing::Publish(packet)) => {
                self.delivery.numbered(packet);
                Next::Continue
            }
            Event::Incoming(Packet::PubAck(answer)) => {
                let next = self
                    .delivery
                    .answered(answer.pkid, answer.reason, Instant::now());
                if self.delivery.is_held() {
                    self.monitor.trouble(&format!("{:?}", answer.reason));
                }
                next
            }
            Event::Incoming(Packet::Publish(publish))
                if publish.topic == self.topic(Topic::Ack).as_bytes() =>
            {
                self.acknowledge(&publish.payload).await
            }
            Event::Incoming(Packet::Publish(publish))
                if publish.topic == self.topic(Topic::Policy).as_bytes() =>
            {
                let policy = self.policy.clone();
                // Writing it down touches the disk.
                let _ = tokio::task::spawn_blocking(move || policy.take(&publish.payload)).await;
                Next::Continue
            }
            Event::Incoming(Packet::Publish(publish)) => {
                let command = [Topic::AskPicture, Topic::AskFrames, Topic::AskPurge]
                    .into_iter()
                    .find(|topic| publish.topic == self.topic(*topic).as_bytes());
                if let Some(topic) = command {
                    let reply = self.topic(Topic::Reply);
                    self.asked.take(topic, &publish, &reply);
                }
                Next::Continue
            }
            _ => Next::Continue,
        };
        if next == Next::Rewind {
            self.cursor.rewind();
        }
    }

    async fn acknowledge(&mut self, payload: &[u8]) -> Next {
        let ack = match serde_json::from_slice::<Ack>(payload) {
            Ok(ack) if ack.v == WIRE_VERSION => ack,
            Ok(ack) => {
                tracing::warn!(version = ack.v, "acknowledgement of an unknown version");
                return Next::Continue;
            }
            Err(error) => {
                tracing::warn!(%error, "unreadable acknowledgement");
                return Next::Continue;
            }
        };
        let outbox = self.outbox.clone();
        let boots = ack.boots.clone();
        let new_session = !self.delivery.knows(ack.session);
        // Deleting segments touches the disk.
        let taken =
            tokio::task::spawn_blocking(move || outbox.acknowledged(&boots, new_session)).await;
        let (advanced, again) = match taken {
            Ok(Ok(taken)) => taken,
            Ok(Err(error)) => {
                tracing::warn!(error = %describe(&error), "an acknowledgement could not be written down");
                // A session that was not understood whole is as new at its next word.
                if new_session {
                    return Next::Continue;
                }
                (false, false)
            }
            Err(_) => (false, false),
        };
        let mut next = self.delivery.acknowledged(&ack, advanced, Instant::now());
        if again {
            next = Next::Rewind;
        }
        self.monitor.progressed();
        next
    }

    fn health(&mut self) -> Vec<u8> {
        // In this order: a label is counted when the outbox has it, so whoever reads that nothing waits has read of all that was made.
        let mut health = (self.health)();
        let counters = self.outbox.counters();
        health.v = WIRE_VERSION;
        health.rig = self.outbox.rig().clone();
        health.boot = self.outbox.boot();
        health.labels.messages = counters.messages;
        health.labels.acked = counters.acked;
        health.labels.evicted = counters.evicted;
        health.outbox.messages = counters.waiting;
        health.outbox.bytes = counters.bytes;
        health.commands = self.asked.counters();
        health.policy = self.policy.current().map(|policy| policy.revision);
        serde_json::to_vec(&health).expect("names and numbers always encode")
    }

    /// Health once more, so that the last counters are known, then the status, then the end.
    async fn farewell(&mut self, mut connection: Connection) -> State {
        let health = self.health();
        let stopped = self.status(Power::Stopped);
        let until = Instant::now() + FAREWELL;
        let said = self
            .publish(&connection, Topic::Health, Publish::State, health)
            .and_then(|()| self.publish(&connection, Topic::Status, Publish::Farewell, stopped));
        if said.is_err() {
            return State::Stopped;
        }
        while let Ok(Some(Ok(event))) =
            tokio::time::timeout_at(until.into(), connection.events.recv()).await
        {
            match event {
                Event::Outgoing(Outgoing::Publish(packet)) => self.delivery.numbered(packet),
                Event::Incoming(Packet::PubAck(answer)) => {
                    let next = self
                        .delivery
                        .answered(answer.pkid, answer.reason, Instant::now());
                    if next == Next::Farewelled {
                        break;
                    }
                }
                _ => {}
            }
        }
        if connection.client.try_disconnect().is_ok() {
            while let Ok(Some(Ok(event))) =
                tokio::time::timeout_at(until.into(), connection.events.recv()).await
            {
                if event == Event::Outgoing(Outgoing::Disconnect) {
                    break;
                }
            }
        }
        State::Stopped
    }
}

/// An error with its causes on one line.
pub(crate) fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
