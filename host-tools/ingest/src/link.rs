//! Subscribing, committing, acknowledging.

use crate::courier::{Came, Courier, EXPIRES_S, Question, is_reply};
use crate::{IngestError, decode};
use broker_tls::Tls;
use label_core::id::Name;
use label_core::wire::{self, Ack, MAX_EVIDENCE_BYTES, TOPIC_ROOT, Topic, WIRE_VERSION};
use label_store::{Incoming, LabelStore, Watermark, now_us};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::{Filter, Packet, Publish, PublishProperties, SubscribeReasonCode};
use rumqttc::v5::{AsyncClient, ConnectionError, Event, MqttOptions};
use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

/// How often what was asked for long ago is forgotten.
const TIDY: Duration = Duration::from_hours(1);

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IngestConfig {
    /// The broker's name or address.
    pub host: String,
    /// The broker's port.
    pub port: u16,
    /// How the connection is protected; `None` for a connection in the clear. The files are read anew for each attempt.
    pub tls: Option<Tls>,
    /// Our name at the broker; two hosts of the same name throw each other out.
    pub client_id: String,
}

/// Counters since the start, shared with whoever shows them.
#[derive(Debug, Default)]
pub struct IngestCounters {
    connected: AtomicBool,
    committed: AtomicU64,
    duplicates: AtomicU64,
    quarantined: AtomicU64,
    commits: AtomicU64,
}

/// What [`IngestCounters`] say at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct IngestReport {
    /// Whether the broker has us subscribed.
    pub connected: bool,
    /// New messages committed.
    pub committed: u64,
    /// Messages that were here already.
    pub duplicates: u64,
    /// Messages put into quarantine.
    pub quarantined: u64,
    /// Transactions.
    pub commits: u64,
}

impl IngestCounters {
    /// The counters now.
    pub fn report(&self) -> IngestReport {
        IngestReport {
            connected: self.connected.load(Ordering::Relaxed),
            committed: self.committed.load(Ordering::Relaxed),
            duplicates: self.duplicates.load(Ordering::Relaxed),
            quarantined: self.quarantined.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
        }
    }
}

/// A transaction takes what has come, up to this much, …
const BATCH_MESSAGES: usize = 256;
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// … and waits this long for more: one sync of the disk costs about as much.
const LINGER: Duration = Duration::from_millis(10);
/// Received and not yet committed; beyond it the connection is not read, and the rigs wait.
const RECEIVED: usize = 256;
/// Words to rigs that wait for the broker: at the start one or two a rig.
const WAITING: usize = 200_000;
/// Another ingester may have told a rig more than we, before ours arrived: what is retained is looked at after this time.
const LOOK_AFTER_WATERMARKS: Duration = Duration::from_secs(2);
/// Decisions may be taken by another process, so the store is looked at.
const LOOK_FOR_POLICY: Duration = Duration::from_millis(500);
const RETRY: [Duration; 4] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Ingests until `stop` turns true or its sender is gone. Trouble with the broker or the store is logged, and it begins
/// again from the last commit.
pub async fn run(
    config: IngestConfig,
    store: LabelStore,
    counters: Arc<IngestCounters>,
    mut stop: watch::Receiver<bool>,
) {
    // Now, and every hour.
    let mut tidy = tokio::time::interval(TIDY);
    tidy.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut failures = 0;
    let mut last_trouble = String::new();
    loop {
        let connected = Instant::now();
        let outcome = tokio::select! {
            outcome = serve(&config, &store, &counters, &mut tidy) => outcome,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        counters.connected.store(false, Ordering::Relaxed);
        let Err(error) = outcome;
        let trouble = describe(&error);
        if trouble != last_trouble || connected.elapsed() > Duration::from_mins(1) {
            tracing::warn!(%trouble, "ingest interrupted; trying again");
            last_trouble = trouble;
        }
        if connected.elapsed() > Duration::from_secs(10) {
            failures = 0;
        }
        let delay = RETRY[failures.min(RETRY.len() - 1)];
        failures += 1;
        tokio::select! {
            () = tokio::time::sleep(delay) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

fn describe(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

struct Connection {
    client: AsyncClient,
    events: mpsc::Receiver<Result<Event, String>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl IngestConfig {
    /// Why there is no connection, in words.
    fn trouble(&self, error: &ConnectionError) -> String {
        let tls = self.tls.as_ref();
        tls.and_then(|tls| tls.explain(&self.host, error))
            .unwrap_or_else(|| error.to_string())
    }

    fn lost(&self, trouble: impl Into<String>) -> IngestError {
        IngestError::Link {
            host: self.host.clone(),
            port: self.port,
            trouble: trouble.into(),
        }
    }
}

/// What rigs write to. Of a store that several ingesters share, the broker deals out messages among them, who are the `group` of that
/// store: another store on the same broker has its own, and is sent everything, too. What the broker retains it gives to nobody that
/// way, and answers are of use only to who asked: each hears all of those.
fn filters(group: Option<&str>) -> Vec<String> {
    Topic::ALL
        .into_iter()
        .filter(|topic| topic.is_from_rig())
        .map(|topic| {
            let is_for_each = matches!(topic, Topic::Status | Topic::Birth | Topic::Reply);
            let every = format!("{TOPIC_ROOT}/+/+/{}", topic.leaf());
            match group {
                Some(group) if !is_for_each => format!("$share/{group}/{every}"),
                _ => every,
            }
        })
        .collect()
}

fn dial(config: &IngestConfig) -> Result<Connection, IngestError> {
    let mut options = MqttOptions::new(&config.client_id, &config.host, config.port);
    options
        .set_keep_alive(Duration::from_secs(15))
        // No queue for us at the broker: what it would hold, the rigs hold, and they learn that nobody listens.
        .set_clean_start(true)
        .set_outgoing_inflight_upper_limit(128)
        .set_max_packet_size(Some(MAX_EVIDENCE_BYTES as u32 + 1024));
    if let Some(tls) = &config.tls {
        options.set_transport(tls.transport()?);
    }
    let (client, mut event_loop) = AsyncClient::new(options, WAITING);
    let asked = config.clone();
    let (events, received) = mpsc::channel(RECEIVED);
    // A task of its own: the event loop must not be cancelled in the middle of a write.
    let task = tokio::spawn(async move {
        loop {
            let event = event_loop.poll().await;
            let event = event.map_err(|error| asked.trouble(&error));
            let over = event.is_err();
            // Only these are of use; the rest would take their room.
            let of_use = matches!(
                event,
                Err(_)
                    | Ok(Event::Incoming(
                        Packet::ConnAck(_) | Packet::SubAck(_) | Packet::Publish(_)
                    ))
            );
            if of_use && events.send(event).await.is_err() || over {
                return;
            }
        }
    });
    Ok(Connection {
        client,
        events: received,
        task,
    })
}

async fn serve(
    config: &IngestConfig,
    store: &LabelStore,
    counters: &IngestCounters,
    tidy: &mut tokio::time::Interval,
) -> Result<std::convert::Infallible, IngestError> {
    let mut connection = dial(config)?;
    // Rigs answer another session by sending again at once, and take a lower watermark from it for loss. Ingesters that share
    // a store are one session, as long as the database lives.
    let own = RandomState::new().build_hasher().finish() as u32;
    let mut session = store.life().await?.unwrap_or(own);
    let filters = filters(store.group().await?.as_deref());
    let mut acknowledged = BTreeMap::new();
    let mut look_after = tokio::time::interval(LOOK_AFTER_WATERMARKS);
    look_after.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    // The last step of policy that rigs were told of; `None` until we are subscribed.
    let mut told = None;
    let mut courier = Courier::default();
    let mut look = tokio::time::interval(LOOK_FOR_POLICY);
    look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        let event = tokio::select! {
            event = connection.next(config) => event?,
            _ = tidy.tick() => {
                store.forget_requests(now_us()).await?;
                continue;
            }
            _ = look.tick(), if told.is_some() => {
                let head = store.policy_head().await?;
                if told != Some(head) {
                    connection.tell_policies(config, store).await?;
                    told = Some(head);
                }
                connection.ask(config, &courier.due(store).await?)?;
                continue;
            }
            _ = look_after.tick(), if store.is_shared() && told.is_some() => {
                connection.tell_what_moved_on(config, store, session, &mut acknowledged).await?;
                continue;
            }
        };
        let (mut batch, mut answers) = (Vec::new(), Vec::new());
        match event {
            Packet::ConnAck(_) => {
                let wanted = filters
                    .iter()
                    .map(|filter| Filter::new(filter, QoS::AtLeastOnce));
                connection
                    .client
                    .try_subscribe_many(wanted)
                    .map_err(|error| config.lost(error.to_string()))?;
            }
            Packet::SubAck(answer) => {
                for (filter, code) in filters.iter().zip(&answer.return_codes) {
                    if !matches!(code, SubscribeReasonCode::Success(_)) {
                        return Err(IngestError::Subscription {
                            host: config.host.clone(),
                            port: config.port,
                            filter: filter.clone(),
                        });
                    }
                }
                // Now, and not before: rigs answer a new session by sending again what is not committed.
                session = store.life().await?.unwrap_or(own);
                for watermark in store.rigs().await? {
                    connection.acknowledge(config, session, &watermark)?;
                }
                // A broker that was started anew has forgotten what it retained.
                let head = store.policy_head().await?;
                connection.tell_policies(config, store).await?;
                told = Some(head);
                counters.connected.store(true, Ordering::Relaxed);
                tracing::info!(host = %config.host, port = config.port, "subscribed");
            }
            Packet::Publish(first) => {
                sort(first, &mut batch, &mut answers);
                // Nobody waits for more behind an answer alone.
                if !batch.is_empty() {
                    connection.collect(config, &mut batch, &mut answers).await?;
                }
            }
            _ => {}
        }
        let mut answered = false;
        for answer in &answers {
            // A header with 300 frames in it is large.
            answered |= Box::pin(courier.take(store, answer)).await?;
        }
        if answered {
            connection.ask(config, &courier.due(store).await?)?;
        }
        if batch.is_empty() {
            continue;
        }
        // Before the commit: where the database fails over behind it, what was committed is not told under the new life.
        session = store.life().await?.unwrap_or(own);
        let report = store.commit(&batch).await?;
        counters
            .committed
            .fetch_add(report.committed, Ordering::Relaxed);
        counters
            .duplicates
            .fetch_add(report.duplicates, Ordering::Relaxed);
        counters
            .quarantined
            .fetch_add(report.quarantined, Ordering::Relaxed);
        counters.commits.fetch_add(1, Ordering::Relaxed);
        if report.quarantined > 0 {
            tracing::warn!(
                messages = report.quarantined,
                "messages put into quarantine"
            );
        }
        for watermark in report.watermarks {
            connection.acknowledge(config, session, &watermark)?;
            if store.is_shared() {
                acknowledged.insert(watermark.rig.clone(), watermark);
            }
        }
    }
}

/// What rigs say by themselves, and what they answer.
fn sort(publish: Publish, batch: &mut Vec<Incoming>, answers: &mut Vec<Came>) {
    let topic = String::from_utf8_lossy(&publish.topic);
    let payload = publish.payload.to_vec();
    if !is_reply(&topic) {
        batch.push(decode(&topic, payload, now_us()));
        return;
    }
    let said = publish.properties.unwrap_or_default();
    answers.push(Came {
        topic: topic.into_owned(),
        correlation: said.correlation_data.unwrap_or_default().to_vec(),
        payload,
    });
}

impl Connection {
    async fn next(&mut self, config: &IngestConfig) -> Result<Packet, IngestError> {
        loop {
            match self.events.recv().await {
                Some(Ok(Event::Incoming(packet))) => return Ok(packet),
                Some(Ok(Event::Outgoing(_))) => {}
                Some(Err(trouble)) => return Err(config.lost(trouble)),
                None => return Err(config.lost("the connection ended")),
            }
        }
    }

    /// Adds what has come and what comes within [`LINGER`].
    async fn collect(
        &mut self,
        config: &IngestConfig,
        batch: &mut Vec<Incoming>,
        answers: &mut Vec<Came>,
    ) -> Result<(), IngestError> {
        let until = Instant::now() + LINGER;
        let mut bytes = batch
            .iter()
            .map(|message| message.payload.len())
            .sum::<usize>();
        while batch.len() < BATCH_MESSAGES && bytes < BATCH_BYTES {
            match tokio::time::timeout_at(until, self.next(config)).await {
                Ok(Ok(Packet::Publish(publish))) => {
                    bytes += publish.payload.len();
                    sort(publish, batch, answers);
                }
                Ok(Ok(_)) => {}
                // What has come is still worth committing; the trouble shows again at once.
                Ok(Err(error)) => {
                    tracing::debug!(error = %describe(&error), "connection lost with a batch at hand");
                    break;
                }
                Err(_) => break,
            }
        }
        Ok(())
    }

    /// Tells every rig of which anything was ever decided what it may offer, retained.
    async fn tell_policies(
        &self,
        config: &IngestConfig,
        store: &LabelStore,
    ) -> Result<(), IngestError> {
        for (site, rig, policy) in store.policies().await? {
            let payload = serde_json::to_vec(&policy).expect("numbers always encode");
            let topic = wire::topic(&site, &rig, Topic::Policy);
            self.client
                .try_publish(topic.as_str(), QoS::AtLeastOnce, true, payload)
                .map_err(|error| config.lost(error.to_string()))?;
        }
        Ok(())
    }

    /// Asks rigs for what people want of them.
    fn ask(&self, config: &IngestConfig, questions: &[Question]) -> Result<(), IngestError> {
        for question in questions {
            let properties = PublishProperties {
                response_topic: Some(question.reply_topic.clone()),
                correlation_data: Some(question.correlation.clone().into()),
                message_expiry_interval: Some(EXPIRES_S),
                ..PublishProperties::default()
            };
            self.client
                .try_publish_with_properties(
                    question.topic.as_str(),
                    QoS::AtLeastOnce,
                    false,
                    question.payload.clone(),
                    properties,
                )
                .map_err(|error| config.lost(error.to_string()))?;
        }
        Ok(())
    }

    /// Our word of a watermark may have reached the broker after a later one of another ingester: it is retained, so the
    /// rig would begin there after its next start.
    async fn tell_what_moved_on(
        &self,
        config: &IngestConfig,
        store: &LabelStore,
        session: u32,
        acknowledged: &mut BTreeMap<Name, Watermark>,
    ) -> Result<(), IngestError> {
        let told: Vec<Watermark> = std::mem::take(acknowledged).into_values().collect();
        let boots: Vec<_> = told
            .iter()
            .filter_map(|told| Some((&told.rig, told.boots.first()?.0)))
            .collect();
        let now = store.watermarks_of(&boots).await?;
        for (mut told, now) in told
            .into_iter()
            .filter(|told| !told.boots.is_empty())
            .zip(now)
        {
            if let Some(now) = now
                && now > told.boots[0].1
            {
                told.boots[0].1 = now;
                self.acknowledge(config, session, &told)?;
            }
        }
        Ok(())
    }

    fn acknowledge(
        &self,
        config: &IngestConfig,
        session: u32,
        watermark: &Watermark,
    ) -> Result<(), IngestError> {
        let ack = Ack {
            v: WIRE_VERSION,
            session,
            boots: watermark.boots.iter().copied().take(8).collect(),
        };
        let payload = serde_json::to_vec(&ack).expect("numbers always encode");
        let topic = wire::topic(&watermark.site, &watermark.rig, Topic::Ack);
        self.client
            .try_publish(topic.as_str(), QoS::AtLeastOnce, true, payload)
            .map_err(|error| config.lost(error.to_string()))
    }
}
