//! A rig that says what it is told to, and a reviewer who judges it.

use super::{ClipFact, Fact, REVIEWER, World};
use label_core::wire::{
    BoxKeyframe, ClipClosed, ClipEvent, ClipMessage, ClipOpened, ClockState, Decision,
    DroppedFrames, EventEyes, EventValue, Label, LabelBatch, LabelCounts, LabelValue, ManifestPart,
    ModelRef, Origin, PointKeyframe, WIRE_VERSION, parse_name,
};
use label_core::{AbstainReason, CaptureTime, Confidence, LabelId, LabelKind};
use label_store::{
    Asked, ClipId, Content, Correction, Incoming, Judgement, LabelKey, LabelStore, NewLabel,
    NewVerdict,
};

pub(super) fn boxes(keys: &[(u32, f32, f32, f32, f32)]) -> LabelValue {
    LabelValue::Boxes(
        keys.iter()
            .map(|k| BoxKeyframe(k.0, k.1, k.2, k.3, k.4, 0.91))
            .collect(),
    )
}

pub(super) fn points(keys: &[(u32, f32, f32)]) -> LabelValue {
    LabelValue::Points(
        keys.iter()
            .map(|k| PointKeyframe(k.0, k.1, k.2, 0.93))
            .collect(),
    )
}

pub(super) fn event(peak: u32) -> LabelValue {
    LabelValue::Event(EventValue {
        eyes: EventEyes::Both,
        peak,
        opening: 0.0625,
    })
}

/// What is done with a candidate.
pub(super) enum Then {
    Waits,
    Accept,
    Reject(&'static str),
    Correct((u32, u32), Option<LabelValue>),
}

pub(super) struct Maker<'a> {
    pub(super) store: &'a LabelStore,
    pub(super) world: World,
}

pub(super) struct ClipMaker<'w, 'a> {
    maker: &'w mut Maker<'a>,
    id: ClipId,
    text: &'static str,
    seq: u64,
    offered: u64,
    abstained: u64,
}

pub(super) fn asked() -> Asked {
    Asked {
        reviewer: REVIEWER.to_owned(),
        at_us: 1_760_000_000_000_000,
        key: None,
    }
}

impl ClipMaker<'_, '_> {
    pub(super) async fn commit(&mut self, content: Content) {
        let message = Incoming {
            topic: "rigel/v1/north/rig/label".to_owned(),
            received_us: 1000 + self.seq as i64,
            payload: format!("{} {}", self.text, self.seq).into_bytes(),
            content,
        };
        self.maker.store.commit(&[message]).await.unwrap();
        self.seq += 1;
    }

    pub(super) async fn event(&mut self, event: ClipEvent) {
        let message = ClipMessage {
            v: WIRE_VERSION,
            from: self.origin(),
            clip: self.id.clip,
            event,
        };
        let site = parse_name("north").unwrap();
        let message = Box::new(message);
        self.commit(Content::Clip { site, message }).await;
    }

    pub(super) fn origin(&self) -> Origin {
        Origin {
            rig: self.id.rig.clone(),
            boot: self.id.boot,
            seq: self.seq,
        }
    }

    pub(super) fn time(&self, frame: u32) -> CaptureTime {
        CaptureTime(self.maker.world.clip(self.text).pts_us[frame as usize])
    }

    pub(super) async fn told(&mut self, label: Label) -> LabelKey {
        let id = LabelId {
            rig: self.id.rig.clone(),
            boot: self.id.boot,
            seq: self.seq,
            n: 0,
        };
        let model = ModelRef {
            name: "eyes".try_into().unwrap(),
            version: "1.4".try_into().unwrap(),
            sha256: "5e".repeat(32).as_str().try_into().unwrap(),
        };
        let batch = LabelBatch::new(
            self.origin(),
            self.id.clip,
            heapless::Vec::from_slice(&[model]).unwrap(),
            heapless::Vec::from_slice(&[label]).unwrap(),
        );
        let site = parse_name("north").unwrap();
        let batch = Box::new(batch);
        self.commit(Content::Labels { site, batch }).await;
        LabelKey::Rig(id)
    }

    pub(super) async fn offer(
        &mut self,
        kind: LabelKind,
        track: Option<u16>,
        frames: (u32, u32),
        value: LabelValue,
        then: Then,
    ) {
        let label = Label {
            n: 0,
            kind,
            track,
            frames: frames.into(),
            pts_us: (self.time(frames.0), self.time(frames.1)),
            decision: Decision::Candidate,
            reason: None,
            confidence: Some(Confidence::new(0.875).unwrap()),
            raw: Some(1.5),
            model: Some(0),
            value: Some(value.clone()),
            signs: None,
            driver: track == Some(1),
        };
        let key = self.told(label).await;
        self.offered += 1;
        let mut fact = Fact {
            clip: self.text,
            kind,
            track,
            frames,
            value,
            standing: "machine",
        };
        let (judgement, cause, correction) = match then {
            Then::Waits => {
                self.maker.world.facts.push(fact);
                return;
            }
            Then::Accept => (Judgement::Accept, None, None),
            Then::Reject(cause) => (Judgement::Reject, Some(cause.to_owned()), None),
            Then::Correct(frames, value) => {
                fact.frames = frames;
                fact.value = value.clone().unwrap_or(fact.value);
                let right = Correction {
                    frames: Some(frames.into()),
                    value: value.map(Into::into),
                };
                (Judgement::Correct, None, Some(Box::new(right)))
            }
        };
        fact.standing = match judgement {
            Judgement::Accept => "confirmed",
            Judgement::Reject => "rejected",
            _ => "corrected",
        };
        let verdict = NewVerdict {
            judgement,
            cause,
            correction,
            spent_ms: 1200,
        };
        self.maker
            .store
            .record_verdict(&key, &verdict, &asked())
            .await
            .unwrap();
        self.maker.world.facts.push(fact);
    }

    pub(super) async fn create(
        &mut self,
        kind: LabelKind,
        track: Option<u16>,
        frames: (u32, u32),
        value: LabelValue,
    ) {
        let new = NewLabel {
            kind: kind.into(),
            track,
            frames: frames.into(),
            value: value.clone().into(),
            spent_ms: 900,
        };
        self.maker
            .store
            .make_label(&self.id, &new, &asked())
            .await
            .unwrap();
        self.maker.world.facts.push(Fact {
            clip: self.text,
            kind,
            track,
            frames,
            value,
            standing: "created",
        });
    }

    pub(super) async fn abstain(
        &mut self,
        kind: LabelKind,
        track: Option<u16>,
        frames: (u32, u32),
        reason: AbstainReason,
    ) {
        let label = Label {
            n: 0,
            kind,
            track,
            frames: frames.into(),
            pts_us: (self.time(frames.0), self.time(frames.1)),
            decision: Decision::Abstain,
            reason: Some(reason),
            confidence: None,
            raw: None,
            model: None,
            value: None,
            signs: None,
            driver: false,
        };
        self.told(label).await;
        self.abstained += 1;
        let silence = (self.text, kind, track, frames, reason.name());
        self.maker.world.silences.push(silence);
    }

    pub(super) async fn close(self, sha256: bool) {
        self.close_with(sha256.then(|| "ab".repeat(32))).await;
    }

    pub(super) async fn close_with(mut self, sha256: Option<String>) {
        let frames = self.maker.world.clip(self.text).pts_us.len() as u32;
        let closed = ClipClosed {
            frames,
            repeated: 0,
            dropped: 0,
            sha256: sha256.map(|digest| digest.as_str().try_into().unwrap()),
            damage: None,
            labels: LabelCounts {
                offered: self.offered,
                abstained: self.abstained,
                evidence: 0,
            },
        };
        self.event(ClipEvent::Closed(closed)).await;
    }
}

impl<'a> Maker<'a> {
    pub(super) async fn clip<'w>(
        &'w mut self,
        text: &'static str,
        name: &str,
        fact: ClipFact,
        (repeats, dropped): (&[u32], &[DroppedFrames]),
    ) -> ClipMaker<'w, 'a> {
        let id = label_store::parse_clip_id(text).unwrap();
        let (size, fps, pts_us) = (fact.size, fact.fps, fact.pts_us.clone());
        self.world.clips.push(fact);
        // Each clip of these is the only one of its boot.
        let mut clip = ClipMaker {
            maker: self,
            id,
            text,
            seq: 1,
            offered: 0,
            abstained: 0,
        };
        clip.event(ClipEvent::Opened(ClipOpened {
            name: name.try_into().unwrap(),
            width: size.0,
            height: size.1,
            nominal_fps: Some(fps as f32),
            codec: "h264".try_into().unwrap(),
            mono_us: 1,
            utc_us: 1_760_000_000_000_000,
            clock: ClockState::Ntp,
        }))
        .await;
        for (part, times) in pts_us.chunks(100).enumerate() {
            let first = part as u32 * 100;
            let here = |frame: u32| (first..first + times.len() as u32).contains(&frame);
            clip.event(ClipEvent::Part(ManifestPart {
                first,
                pts_us: times.iter().map(|time| CaptureTime(*time)).collect(),
                mono_us: heapless::Vec::new(),
                repeats: repeats
                    .iter()
                    .copied()
                    .filter(|frame| here(*frame))
                    .collect(),
                dropped: dropped
                    .iter()
                    .copied()
                    .filter(|gap| here(gap.before))
                    .collect(),
                shed: heapless::Vec::new(),
            }))
            .await;
        }
        clip
    }
}

pub(super) fn steady(frames: u32, fps: f64) -> Vec<i64> {
    (0..frames)
        .map(|n| (f64::from(n) * 1e6 / fps).round() as i64)
        .collect()
}
