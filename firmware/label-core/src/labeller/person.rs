//! Everything that is said of one person.

use super::ModelIndexes;
use super::alertness::{AlertnessLabeller, Role};
use super::events::EventLabeller;
use super::flag::FlagLabeller;
use super::quiet::Quiet;
use super::track::{TrackLabeller, Value, rounded};
use crate::alertness::AlertnessFrame;
use crate::blink::{EyeObservation, Legibility};
use crate::confidence::Confidence;
use crate::coverage::{FrameVerdict, Run};
use crate::flag::FlagTiming;
use crate::gate::Gate;
use crate::geometry::{BoundingBox, Keypoint};
use crate::id::TrackId;
use crate::keyframes::Segment;
use crate::kind::{AbstainReason, EyeSide, LabelKind};
use crate::reading::{Look, Span};
use crate::time::{CaptureTime, FrameIndex, FrameRange};
use crate::wire::{BoxKeyframe, Label, LabelValue, PointKeyframe};

/// Largest error of an interpolated point, pixels: 1, less what rounding to 0.01 adds.
const POINT_TOLERANCE: f32 = 0.99;
/// Largest error of each side of an interpolated box, pixels: 1.5, less rounding.
const SIDE_TOLERANCE: f32 = 1.49;
/// Largest error of an interpolated confidence.
const CONFIDENCE_TOLERANCE: f32 = 0.05;

/// Glasses are put on and off; what passes over the lenses in between is no change.
const GLASSES: FlagTiming = FlagTiming {
    window_s: 4.0,
    shortest_s: 1.0,
};
const SHADOW: FlagTiming = FlagTiming {
    window_s: 1.0,
    shortest_s: 0.5,
};
/// A hand at the mouth comes and goes.
const OCCLUSION: FlagTiming = FlagTiming {
    window_s: 0.6,
    shortest_s: 0.3,
};

/// One eye in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EyeMeasurement {
    /// Centre of its opening.
    pub center: Keypoint,
    /// Probability that a reviewer accepts it.
    pub confidence: Confidence,
    /// Lid gap over corner distance.
    pub openness: f32,
}

/// How a face moves beside its eyes, for signs of sleepiness.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceMotion {
    /// Gap between the inner lips over the width of the mouth.
    pub mouth_opening: f32,
    /// Nod of the head in degrees, positive downwards.
    pub pitch: f32,
}

/// What was measured of one person in one frame, or why not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PersonFrame {
    /// The whole person, and how sure that is.
    pub person: Result<(BoundingBox, Confidence), AbstainReason>,
    /// Score of the person detector before calibration.
    pub person_score: f32,
    /// The subject's left eye.
    pub left: Result<EyeMeasurement, AbstainReason>,
    /// The subject's right eye.
    pub right: Result<EyeMeasurement, AbstainReason>,
    /// Face score of the mesh before calibration.
    pub face_score: f32,
    /// Turn of the head, degrees.
    pub yaw: f32,
    /// Glasses of any kind before the eyes.
    pub glasses: Look,
    /// Shade on the face.
    pub shadow: Look,
    /// Something before the face.
    pub occluded: Look,
    /// Mouth and nodding, where the mesh looked.
    pub motion: Option<FaceMotion>,
    /// How well the eyes can be read.
    pub legibility: Legibility,
    /// Stops of light (factors of two) between the halves of the face; `None` where they cannot be compared.
    pub sides: Option<f32>,
}

/// What was measured of a person with this track.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PersonMeasurement {
    /// The person.
    pub track: TrackId,
    /// What was measured.
    pub frame: PersonFrame,
}

pub(super) struct PersonLabeller {
    track: TrackId,
    person: TrackLabeller<5>,
    left: TrackLabeller<3>,
    right: TrackLabeller<3>,
    glasses: FlagLabeller,
    shadow: FlagLabeller,
    occluded: FlagLabeller,
    alertness: AlertnessLabeller,
    events: EventLabeller,
    /// When the person was last seen.
    role: Role,
    /// Frames since the person was last seen, up to now.
    missing: Option<(FrameRange, (CaptureTime, CaptureTime))>,
    /// Whether something covered the face when it was last looked at.
    covered: bool,
}

impl PersonLabeller {
    pub(super) fn new(track: TrackId, models: &ModelIndexes) -> Self {
        let point = [POINT_TOLERANCE, POINT_TOLERANCE, CONFIDENCE_TOLERANCE];
        let sides = [
            SIDE_TOLERANCE,
            SIDE_TOLERANCE,
            SIDE_TOLERANCE,
            SIDE_TOLERANCE,
            CONFIDENCE_TOLERANCE,
        ];
        let eye = |side: EyeSide| {
            let kind = side.keypoint_kind();
            TrackLabeller::new(kind, track, models.of(kind), point, points)
        };
        let flag = |kind, timing| FlagLabeller::new(kind, track, models, timing);
        let person = LabelKind::BboxPerson;
        Self {
            track,
            person: TrackLabeller::new(person, track, models.of(person), sides, boxes),
            left: eye(EyeSide::Left),
            right: eye(EyeSide::Right),
            glasses: flag(LabelKind::WearingGlasses, GLASSES),
            shadow: flag(LabelKind::InShadow, SHADOW),
            occluded: flag(LabelKind::FaceOccluded, OCCLUSION),
            alertness: AlertnessLabeller::new(track, models),
            events: EventLabeller::new(track, models.of(LabelKind::Blink)),
            role: Role::Unknown,
            missing: None,
            covered: false,
        }
    }

    pub(super) const fn track(&self) -> TrackId {
        self.track
    }

    /// How long the person has been out of view.
    pub(super) fn missing_s(&self, now: CaptureTime) -> f32 {
        self.missing
            .map_or(0.0, |(_, pts)| now.seconds_since(pts.0))
    }

    /// Takes a frame in which the person is in view.
    pub(super) fn observe(
        &mut self,
        now: Span,
        frame: &PersonFrame,
        role: Role,
        gate: &Gate,
        quiet: &mut Quiet,
        tell: &mut impl FnMut(Label),
    ) {
        self.role = role;
        let tell = &mut marking(role, tell);
        if let Some((frames, pts)) = self.missing.take() {
            // Whoever was lost behind a hand and came back was there.
            let reason = if self.covered {
                AbstainReason::Occluded
            } else {
                AbstainReason::NoPerson
            };
            let gap = Run {
                frames,
                pts,
                verdict: FrameVerdict::Abstain(reason),
            };
            self.person.observe(gap, Err(reason), tell);
            self.left.observe(gap, Err(reason), tell);
            self.right.observe(gap, Err(reason), tell);
            self.events.be_silent(gap, tell);
            let gap = Span { frames, pts };
            for flag in [&mut self.glasses, &mut self.shadow, &mut self.occluded] {
                flag.be_silent(gap, reason, gate, tell);
            }
            self.alertness.be_silent(gap, reason, role, gate, tell);
        }
        let Span { frames, pts } = now;
        let value = Run {
            frames,
            pts,
            verdict: FrameVerdict::Value,
        };
        let person = frame.person.and_then(|(sides, confidence)| {
            let c = gate.admit(LabelKind::BboxPerson, confidence)?.get();
            let numbers = [sides.x, sides.y, sides.right(), sides.bottom(), c];
            Ok(Value {
                numbers,
                raw: frame.person_score,
            })
        });
        quiet.count(&person);
        self.person.observe(value, person, tell);
        for side in EyeSide::BOTH {
            let (eye, labeller) = match side {
                EyeSide::Left => (frame.left, &mut self.left),
                EyeSide::Right => (frame.right, &mut self.right),
            };
            let center = eye.and_then(|eye| {
                let c = gate.admit(side.keypoint_kind(), eye.confidence)?.get();
                Ok(Value {
                    numbers: [eye.center.x, eye.center.y, c],
                    raw: frame.face_score,
                })
            });
            quiet.count(&center);
            labeller.observe(value, center, tell);
        }
        let openness =
            |eye: Result<EyeMeasurement, AbstainReason>| eye.ok().map(|eye| eye.openness);
        let eyes = EyeObservation {
            left: openness(frame.left),
            right: openness(frame.right),
            yaw: frame.yaw,
            legibility: frame.legibility,
        };
        let verdict = match (frame.left, frame.right) {
            (Err(reason), Err(_)) => FrameVerdict::Abstain(reason),
            _ => FrameVerdict::Value,
        };
        let run = Run { verdict, ..value };
        let Self {
            events, alertness, ..
        } = self;
        events.observe(run, eyes, gate, &mut |label| {
            alertness.hear(&label);
            tell(label);
        });
        self.glasses.observe(now, frame.glasses, gate, tell);
        self.shadow.observe(now, frame.shadow, gate, tell);
        match frame.occluded {
            Look::NotLooked => {}
            Look::Seen { probability, .. } => self.covered = probability > 0.5,
            Look::Cannot(reason) => self.covered = reason == AbstainReason::Occluded,
        }
        self.occluded.observe(now, frame.occluded, gate, tell);
        let seen = AlertnessFrame {
            eyes: match verdict {
                FrameVerdict::Value => Ok([eyes.left, eyes.right]),
                FrameVerdict::Abstain(reason) => Err(reason),
            },
            motion: frame.motion,
        };
        self.alertness.observe(now, &seen, role, gate, tell);
    }

    /// Takes a frame in which the person is out of view.
    pub(super) fn miss(
        &mut self,
        index: FrameIndex,
        at: CaptureTime,
        gate: &Gate,
        tell: &mut impl FnMut(Label),
    ) {
        let (frames, pts) = self
            .missing
            .get_or_insert((FrameRange::new(index, index), (at, at)));
        (frames.end, pts.1) = (index, at);
        let tell = &mut marking(self.role, tell);
        self.events.miss(index, at, gate, tell);
    }

    /// The person is gone, or the clip over. Frames since they were last seen are not theirs.
    pub(super) fn finish(&mut self, gate: &Gate, tell: &mut impl FnMut(Label)) {
        let role = self.role;
        let tell = &mut marking(role, tell);
        self.person.finish(tell);
        self.left.finish(tell);
        self.right.finish(tell);
        self.events.finish(gate, tell);
        for flag in [&mut self.glasses, &mut self.shadow, &mut self.occluded] {
            flag.finish(gate, tell);
        }
        self.alertness.finish(role, gate, tell);
    }
}

/// Tells labels with the mark of the driver, where it is theirs.
fn marking(role: Role, tell: &mut impl FnMut(Label)) -> impl FnMut(Label) {
    let driver = role == Role::Driver;
    move |label| tell(Label { driver, ..label })
}

fn points(segment: &Segment<3>) -> LabelValue {
    let mut keyframes = heapless::Vec::new();
    segment.compress(|m| {
        let [x, y, c] = m.values;
        // A segment holds no more frames than a label keyframes.
        let _ = keyframes.push(PointKeyframe(
            m.frame,
            rounded(x, 100.0),
            rounded(y, 100.0),
            rounded(c, 1e3),
        ));
    });
    LabelValue::Points(keyframes)
}

fn boxes(segment: &Segment<5>) -> LabelValue {
    let mut keyframes = heapless::Vec::new();
    segment.compress(|m| {
        let [left, top, right, bottom, c] = m.values;
        let (x, y) = (rounded(left, 100.0), rounded(top, 100.0));
        let (width, height) = (
            rounded(rounded(right, 100.0) - x, 100.0),
            rounded(rounded(bottom, 100.0) - y, 100.0),
        );
        // A segment holds no more frames than a label keyframes.
        let _ = keyframes.push(BoxKeyframe(m.frame, x, y, width, height, rounded(c, 1e3)));
    });
    LabelValue::Boxes(keyframes)
}
