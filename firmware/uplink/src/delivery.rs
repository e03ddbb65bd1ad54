//! What has been sent and not confirmed: the bookkeeping of one connection, without the connection.
//!
//! Time is an argument, so every rule here is tested without waiting.

use label_core::wire::Ack;
use label_core::{BootId, Seq};
use rumqttc::v5::mqttbytes::v5::PubAckReason;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::{Duration, Instant};

/// Sent and not covered by the watermark, at most. A broker queues for a busy host what we send (mosquitto: 1000
/// messages, then it drops); what it drops only comes again after a stall.
const MAX_UNCONFIRMED: usize = 512;

/// Notices of what was given up, sent since the host spoke last, at most. The watermark waits for all of them and for what
/// was numbered between them, so it cannot be what they wait for.
const MAX_NOTICES_UNHEARD: usize = 256;

/// A delay that doubles each time, with up to a quarter taken off so that a fleet does not knock in step.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    least: Duration,
    most: Duration,
    next: Duration,
    noise: u64,
}

impl Backoff {
    pub(crate) fn new(least: Duration, most: Duration, seed: u64) -> Self {
        Self {
            least,
            most,
            next: least,
            noise: seed | 1,
        }
    }

    pub(crate) fn reset(&mut self) {
        self.next = self.least;
    }

    pub(crate) fn take(&mut self) -> Duration {
        // Marsaglia, "Xorshift RNGs" (2003): enough to spread, no dependency.
        self.noise ^= self.noise << 13;
        self.noise ^= self.noise >> 7;
        self.noise ^= self.noise << 17;
        let delay = self.next;
        self.next = (self.next * 2).min(self.most);
        delay.saturating_sub(delay * (self.noise % 256) as u32 / 1024)
    }
}

/// One publish handed to the client, in the order handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Publish {
    /// A message of the outbox.
    Message(BootId, Seq),
    /// A message of the outbox that says what was given up.
    Notice(BootId, Seq),
    /// The last word of an orderly stop.
    Farewell,
    /// Status, birth or health: nobody waits for it.
    State,
}

/// What the publisher has to do after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Go on.
    Continue,
    /// Send again from the watermark.
    Rewind,
    /// The farewell has reached the broker.
    Farewelled,
}

/// How a message fared at the broker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) sent: u64,
    pub(crate) refused: u64,
    pub(crate) unheard: u64,
    pub(crate) rewinds: u64,
}

#[derive(Debug)]
pub(crate) struct Delivery {
    window: usize,
    /// Handed to the client, packet number not known yet.
    handed: VecDeque<Publish>,
    /// Packet number given, not acknowledged by the broker.
    in_flight: HashMap<u16, Publish>,
    /// Sent, not committed by the host.
    unconfirmed: BTreeSet<(BootId, Seq)>,
    /// The same of notices.
    notices: BTreeSet<(BootId, Seq)>,
    /// Notices sent since the host spoke last.
    notices_unheard: usize,
    session: Option<u32>,
    /// Nothing is sent before this; then from the watermark.
    held_until: Option<Instant>,
    hold: Backoff,
    stall: Backoff,
    stalls_at: Option<Instant>,
    pub(crate) tally: Tally,
}

impl Delivery {
    pub(crate) fn new(window: usize, stall: Duration, seed: u64) -> Self {
        Self {
            window,
            handed: VecDeque::new(),
            in_flight: HashMap::new(),
            unconfirmed: BTreeSet::new(),
            notices: BTreeSet::new(),
            notices_unheard: 0,
            session: None,
            held_until: None,
            hold: Backoff::new(Duration::from_secs(1), Duration::from_mins(1), seed),
            stall: Backoff::new(stall, Duration::from_mins(1), seed.rotate_left(17)),
            stalls_at: None,
            tally: Tally::default(),
        }
    }

    /// A new connection knows nothing of the packets of the last.
    pub(crate) fn connected(&mut self) {
        self.handed.clear();
        self.in_flight.clear();
        self.forget_sent();
        self.held_until = None;
        self.hold.reset();
        self.stall.reset();
        self.stalls_at = None;
    }

    pub(crate) fn may_send(&self) -> bool {
        self.held_until.is_none()
            && self.handed.len() + self.in_flight.len() < self.window
            && !self.is_full()
    }

    pub(crate) fn is_held(&self) -> bool {
        self.held_until.is_some()
    }

    /// A publish was handed to the client.
    pub(crate) fn handed(&mut self, publish: Publish, now: Instant) {
        self.handed.push_back(publish);
        match publish {
            Publish::Message(boot, seq) => {
                self.unconfirmed.insert((boot, seq));
            }
            Publish::Notice(boot, seq) => {
                self.notices.insert((boot, seq));
                self.notices_unheard += 1;
            }
            Publish::Farewell | Publish::State => return,
        }
        self.tally.sent += 1;
        self.expect_progress(now);
    }

    /// The client gave the oldest handed-over publish this packet number; 0 = it will not be acknowledged.
    pub(crate) fn numbered(&mut self, packet: u16) {
        if let Some(publish) = self.handed.pop_front()
            && packet != 0
        {
            self.in_flight.insert(packet, publish);
        }
    }

    /// The broker answered. That it has a message does not mean that the host has it.
    pub(crate) fn answered(&mut self, packet: u16, reason: PubAckReason, now: Instant) -> Next {
        match (self.in_flight.remove(&packet), reason) {
            (Some(Publish::Farewell), _) => return Next::Farewelled,
            (Some(Publish::Message(..) | Publish::Notice(..)), PubAckReason::Success)
            | (Some(Publish::State) | None, _) => {
                return Next::Continue;
            }
            (
                Some(Publish::Message(..) | Publish::Notice(..)),
                PubAckReason::NoMatchingSubscribers,
            ) => {
                self.tally.unheard += 1;
            }
            (Some(Publish::Message(..) | Publish::Notice(..)), _) => self.tally.refused += 1,
        }
        if self.held_until.is_none() {
            self.held_until = Some(now + self.hold.take());
        }
        Next::Continue
    }

    /// The host spoke. `advanced` says whether a watermark moved.
    pub(crate) fn acknowledged(&mut self, ack: &Ack, advanced: bool, now: Instant) -> Next {
        for (boot, watermark) in &ack.boots {
            for sent in [&mut self.unconfirmed, &mut self.notices] {
                let above = sent.split_off(&(*boot, watermark + 1));
                sent.retain(|(other, _)| other != boot);
                sent.extend(above);
            }
        }
        self.notices_unheard = 0;
        if advanced {
            self.hold.reset();
            self.stall.reset();
            self.expect_progress(now);
        }
        let before = self.session.replace(ack.session);
        if before == Some(ack.session) {
            return Next::Continue;
        }
        self.held_until = None;
        self.hold.reset();
        // Nothing sent since the watermark: nothing to send again.
        if self.nothing_waits() {
            return Next::Continue;
        }
        self.rewound();
        Next::Rewind
    }

    /// Whether this host session is the one heard last.
    pub(crate) fn knows(&self, session: u32) -> bool {
        self.session == Some(session)
    }

    /// Time passed. `everything_sent` says that nothing waits to be handed over.
    pub(crate) fn tick(&mut self, everything_sent: bool, now: Instant) -> Next {
        if self.held_until.is_some_and(|until| until <= now) {
            self.held_until = None;
            self.rewound();
            return Next::Rewind;
        }
        let idle = self.handed.is_empty() && self.in_flight.is_empty() && self.held_until.is_none();
        let waits = !self.nothing_waits() && (everything_sent || self.is_full());
        if idle && waits && self.stalls_at.is_some_and(|at| at <= now) {
            self.rewound();
            // The next rewind for want of progress waits longer.
            self.stall.take();
            return Next::Rewind;
        }
        Next::Continue
    }

    /// When [`Self::tick`] may have something to do.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match (self.held_until, self.stalls_at) {
            (Some(held), _) => Some(held),
            (None, stalls) if !self.nothing_waits() => stalls,
            _ => None,
        }
    }

    fn rewound(&mut self) {
        self.tally.rewinds += 1;
        self.forget_sent();
        self.stalls_at = None;
    }

    fn forget_sent(&mut self) {
        self.unconfirmed.clear();
        self.notices.clear();
        self.notices_unheard = 0;
    }

    /// So much is with the host that more would only lie in the broker's queue.
    fn is_full(&self) -> bool {
        self.unconfirmed.len() >= MAX_UNCONFIRMED || self.notices_unheard >= MAX_NOTICES_UNHEARD
    }

    fn nothing_waits(&self) -> bool {
        self.unconfirmed.is_empty() && self.notices.is_empty()
    }

    fn expect_progress(&mut self, now: Instant) {
        // Peek at the delay without doubling it: only a stall doubles it.
        let mut stall = self.stall.clone();
        self.stalls_at = Some(now + stall.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STALL: Duration = Duration::from_secs(5);

    fn boot() -> BootId {
        BootId::first(1)
    }

    fn ack(session: u32, watermark: Seq) -> Ack {
        Ack {
            v: 1,
            session,
            boots: heapless::Vec::from_slice(&[(boot(), watermark)]).unwrap(),
        }
    }

    fn sent(delivery: &mut Delivery, seq: Seq, now: Instant) {
        delivery.handed(Publish::Message(boot(), seq), now);
        delivery.numbered(seq as u16);
    }

    #[test]
    fn the_window_counts_what_the_broker_has_not_answered() {
        let now = Instant::now();
        let mut delivery = Delivery::new(2, STALL, 1);
        sent(&mut delivery, 1, now);
        delivery.handed(Publish::Message(boot(), 2), now);
        assert!(!delivery.may_send());
        delivery.answered(1, PubAckReason::Success, now);
        assert!(delivery.may_send());
    }

    #[test]
    fn health_has_no_packet_number_and_takes_no_place() {
        let now = Instant::now();
        let mut delivery = Delivery::new(1, STALL, 1);
        delivery.handed(Publish::State, now);
        delivery.numbered(0);
        assert!(delivery.may_send());
    }

    #[test]
    fn a_refusal_is_no_delivery_and_the_message_is_sent_again_later() {
        let now = Instant::now();
        let mut delivery = Delivery::new(4, STALL, 1);
        sent(&mut delivery, 1, now);
        delivery.answered(1, PubAckReason::NotAuthorized, now);
        assert_eq!(delivery.tally.refused, 1);
        assert!(!delivery.may_send());
        let until = delivery.deadline().unwrap();
        assert_eq!(delivery.tick(true, now), Next::Continue);
        assert_eq!(delivery.tick(true, until), Next::Rewind);
        assert!(delivery.may_send());
    }

    #[test]
    fn a_message_nobody_heard_is_held_until_a_host_begins() {
        let now = Instant::now();
        let mut delivery = Delivery::new(4, STALL, 1);
        delivery.acknowledged(&ack(7, 0), false, now);
        sent(&mut delivery, 1, now);
        delivery.answered(1, PubAckReason::NoMatchingSubscribers, now);
        assert_eq!((delivery.tally.unheard, delivery.may_send()), (1, false));
        assert_eq!(delivery.acknowledged(&ack(8, 0), false, now), Next::Rewind);
        assert!(delivery.may_send());
    }

    #[test]
    fn another_session_rewinds_and_the_same_does_not() {
        let now = Instant::now();
        let mut delivery = Delivery::new(4, STALL, 1);
        assert_eq!(
            delivery.acknowledged(&ack(7, 0), false, now),
            Next::Continue
        );
        sent(&mut delivery, 1, now);
        assert_eq!(delivery.acknowledged(&ack(7, 1), true, now), Next::Continue);
        sent(&mut delivery, 2, now);
        assert_eq!(delivery.acknowledged(&ack(9, 1), false, now), Next::Rewind);
    }

    #[test]
    fn a_watermark_that_stands_still_rewinds_ever_more_slowly() {
        let mut now = Instant::now();
        let mut delivery = Delivery::new(4, STALL, 1);
        let mut waits = Vec::new();
        for _ in 0..3 {
            sent(&mut delivery, 1, now);
            delivery.answered(1, PubAckReason::Success, now);
            let at = delivery.deadline().unwrap();
            assert_eq!(delivery.tick(false, at), Next::Continue, "more to send");
            assert_eq!(delivery.tick(true, at), Next::Rewind);
            waits.push(at - now);
            now = at;
        }
        assert!(waits[0] > STALL / 2 && waits[1] > waits[0] && waits[2] > waits[1]);
        sent(&mut delivery, 1, now);
        delivery.acknowledged(&ack(7, 1), true, now);
        assert_eq!(delivery.deadline(), None, "confirmed: nothing to wait for");
    }

    #[test]
    fn too_much_unconfirmed_stops_sending() {
        let now = Instant::now();
        let mut delivery = Delivery::new(4, STALL, 1);
        for seq in 1..=MAX_UNCONFIRMED as Seq {
            assert!(delivery.may_send());
            sent(&mut delivery, seq, now);
            delivery.answered(seq as u16, PubAckReason::Success, now);
        }
        assert!(!delivery.may_send());
        delivery.acknowledged(&ack(7, 100), true, now);
        assert!(delivery.may_send());
    }

    #[test]
    fn notices_do_not_wait_for_a_watermark_that_waits_for_them() {
        let now = Instant::now();
        let mut delivery = Delivery::new(4, STALL, 1);
        delivery.acknowledged(&ack(7, 0), false, now);
        for seq in 2..=2000 {
            if !delivery.may_send() {
                // It has committed some of them, and the first message is still missing.
                delivery.acknowledged(&ack(7, 0), false, now);
            }
            assert!(delivery.may_send(), "notice {seq}");
            delivery.handed(Publish::Notice(boot(), seq), now);
            delivery.numbered(seq as u16);
            delivery.answered(seq as u16, PubAckReason::Success, now);
        }
        delivery.acknowledged(&ack(7, 2000), true, now);
        assert_eq!(delivery.deadline(), None, "confirmed: nothing to wait for");
    }

    #[test]
    fn notices_wait_for_a_host_that_says_nothing_and_are_sent_again() {
        let now = Instant::now();
        let mut delivery = Delivery::new(4, STALL, 1);
        let mut sent_notices = 0;
        while delivery.may_send() {
            sent_notices += 1;
            delivery.handed(Publish::Notice(boot(), sent_notices), now);
            delivery.numbered(sent_notices as u16);
            delivery.answered(sent_notices as u16, PubAckReason::Success, now);
        }
        assert_eq!(sent_notices as usize, MAX_NOTICES_UNHEARD);
        let at = delivery.deadline().unwrap();
        assert_eq!(delivery.tick(false, at), Next::Rewind);
        assert!(delivery.may_send());
    }

    #[test]
    fn delays_double_up_to_the_most_with_some_noise() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(4), 99);
        for expected in [1.0, 2.0, 4.0, 4.0] {
            let delay = backoff.take().as_secs_f64();
            assert!(delay <= expected && delay >= expected * 0.74, "{delay}");
        }
    }
}
