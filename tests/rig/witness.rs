//! What rigs say on the wire, heard beside the host: the store keeps labels, this keeps the words about clips and the
//! camera, so that formats, times and counts can be compared with what the machine's camera did.

use anyhow::{Context, Result, ensure};
use label_core::Seq;
use label_core::wire::{
    CameraHealth, ClipClosed, ClipEvent, ClipMessage, ClipOpened, Health, ManifestPart,
    OperatorMark, Topic, split_evidence, split_topic,
};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::mqttbytes::v5::Packet;
use rumqttc::v5::{Client, Event, MqttOptions};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// A clip as its rig told it.
#[derive(Clone, Debug, Default)]
pub(crate) struct SeenClip {
    pub(crate) opened: Option<ClipOpened>,
    pub(crate) parts: BTreeMap<u32, ManifestPart>,
    pub(crate) closed: Option<ClipClosed>,
    pub(crate) marks: Vec<OperatorMark>,
}

impl SeenClip {
    /// Frames in the manifest.
    pub(crate) fn frames(&self) -> u64 {
        self.parts
            .values()
            .map(|part| part.pts_us.len() as u64)
            .sum()
    }

    /// Frames that the manifest says are missing.
    pub(crate) fn dropped(&self) -> u32 {
        let lost = self.parts.values().flat_map(|part| &part.dropped);
        lost.map(|lost| lost.count).sum()
    }

    /// The kernel's time of every frame; an error where one has none, or time stands still.
    pub(crate) fn kernel_times(&self) -> Result<Vec<i64>> {
        let mut times = Vec::new();
        for part in self.parts.values() {
            ensure!(
                part.mono_us.len() == part.pts_us.len(),
                "frames from {} have no kernel time",
                part.first
            );
            times.extend(&part.mono_us);
        }
        ensure!(
            times.windows(2).all(|pair| pair[0] < pair[1]),
            "the kernel's times do not rise: {times:?}"
        );
        Ok(times)
    }
}

/// Everything heard.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// By boot and number, in the order in which they were made.
    pub(crate) clips: BTreeMap<(u64, u32), SeenClip>,
    /// Every health message.
    pub(crate) health: Vec<Health>,
    /// The highest number heard of each boot.
    pub(crate) highest: BTreeMap<u64, Seq>,
}

/// A listener on the broker.
pub(crate) struct Witness {
    heard: Arc<Mutex<Heard>>,
    client: Client,
}

impl Witness {
    /// Listens from here on.
    pub(crate) fn start(broker: u16) -> Result<Self> {
        let mut options = MqttOptions::new("witness", "127.0.0.1", broker);
        options.set_max_packet_size(Some(1 << 20));
        let (client, mut connection) = Client::new(options, 16);
        client.subscribe("rigel/v1/#", QoS::AtLeastOnce)?;
        let heard = Arc::new(Mutex::new(Heard::default()));
        let ours = Arc::clone(&heard);
        std::thread::Builder::new()
            .name("witness".to_owned())
            .spawn(move || {
                for event in connection.iter() {
                    let Ok(Event::Incoming(Packet::Publish(publish))) = event else {
                        // Also a broken connection: it is made again at the next look.
                        continue;
                    };
                    let topic = String::from_utf8_lossy(&publish.topic);
                    let mut heard = ours.lock().unwrap_or_else(PoisonError::into_inner);
                    heard.take(&topic, &publish.payload);
                }
            })
            .context("cannot start a thread")?;
        Ok(Self { heard, client })
    }

    /// Everything heard so far.
    pub(crate) fn heard(&self) -> MutexGuard<'_, Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at what was heard until `found` finds something.
    pub(crate) fn wait_for<T>(
        &self,
        what: &str,
        patience: Duration,
        found: impl FnMut(&Heard) -> Option<T>,
    ) -> Result<T> {
        self.wait_while(what, patience, found, || Ok(()))
    }

    /// The same for as long as all is well.
    pub(crate) fn wait_while<T>(
        &self,
        what: &str,
        patience: Duration,
        mut found: impl FnMut(&Heard) -> Option<T>,
        mut is_well: impl FnMut() -> Result<()>,
    ) -> Result<T> {
        let deadline = Instant::now() + patience;
        loop {
            is_well()?;
            if let Some(found) = found(&self.heard()) {
                return Ok(found);
            }
            ensure!(
                Instant::now() < deadline,
                "waited {patience:?} in vain for {what}; heard of {}",
                self.heard().told()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        // Ends the thread; a broker that is gone already ends it as well.
        let _ = self.client.try_disconnect();
    }
}

impl Heard {
    /// The clips in the order in which they were made.
    pub(crate) fn clips(&self) -> impl Iterator<Item = &SeenClip> {
        self.clips.values()
    }

    /// The camera as health told of it last.
    pub(crate) fn camera(&self) -> Option<&CameraHealth> {
        self.health.last()?.camera.as_ref()
    }

    /// In few words, for an error.
    pub(crate) fn told(&self) -> String {
        let clips: Vec<String> = self
            .clips
            .iter()
            .map(|((boot, number), clip)| {
                format!(
                    "clip {number} of boot {boot}: {} frames, {} dropped, closed: {:?}",
                    clip.frames(),
                    clip.dropped(),
                    clip.closed
                )
            })
            .collect();
        format!("{}; camera last {:?}", clips.join("; "), self.camera())
    }

    fn take(&mut self, topic: &str, payload: &[u8]) {
        match split_topic(topic) {
            Some((_, _, Topic::Clip)) => {
                if let Ok(message) = serde_json::from_slice::<ClipMessage>(payload) {
                    self.clip(message);
                }
            }
            Some((_, _, Topic::Health)) => {
                self.health
                    .extend(serde_json::from_slice::<Health>(payload));
            }
            _ => {}
        }
        if let Some((_, _, topic)) = split_topic(topic)
            && topic.is_durable()
        {
            self.number(topic, payload);
        }
    }

    /// Notes the number that a durable message carries.
    fn number(&mut self, topic: Topic, payload: &[u8]) {
        let json = match topic {
            Topic::Evidence => split_evidence(payload).map_or(&[][..], |(header, _)| header),
            _ => payload,
        };
        let Ok(message) = serde_json::from_slice::<serde_json::Value>(json) else {
            return;
        };
        let from = &message["from"];
        if let (Some(boot), Some(seq)) = (from["boot"].as_u64(), from["seq"].as_u64()) {
            let highest = self.highest.entry(boot).or_default();
            *highest = (*highest).max(seq);
        }
    }

    fn clip(&mut self, message: ClipMessage) {
        let boot = message.from.boot.raw();
        let clip = self.clips.entry((boot, message.clip)).or_default();
        match message.event {
            ClipEvent::Opened(opened) => clip.opened = Some(opened),
            ClipEvent::Part(part) => {
                clip.parts.insert(part.first, part);
            }
            ClipEvent::Closed(closed) => clip.closed = Some(closed),
            ClipEvent::Recorded(_) => {}
            ClipEvent::OperatorMark(mark) => {
                if !clip.marks.contains(&mark) {
                    clip.marks.push(mark);
                }
            }
        }
    }
}
