//! Labels of every kind on the drawn drive, and the key pictures to judge them by. Most are right; those that are wrong
//! are wrong as a rig is: less sure of themselves.

use super::scene::{DRIVER, HEADREST, KNOT, Looks, PASSENGER, Person, SIZE, SOURCE, picture};
use super::{EVENTS, FRAMES, Rig, at, json, site};
use label_core::wire::{
    BoxKeyframe, Decision, EVIDENCE_MAGIC, KeyPicture, Label, LabelValue, MAX_LABELS,
    PictureHeader, PointKeyframe, Signs, Topic,
};
use label_core::{AbstainReason, Confidence, FrameIndex, FrameRange, LabelKind, TrackId};
use label_store::{Content, LabelStore};

/// Longest piece of a track in one label.
const PIECE: u32 = 120;
/// Longest stretch of a state in one label: 30 s.
const STRETCH: u32 = 900;
/// The passenger comes, is lost behind the headrest, and is found again under another number.
const PASSENGER_SEEN: [(TrackId, (u32, u32)); 2] = [(2, (600, 1199)), (3, (1210, 1499))];
/// Taken for a person.
const HEADREST_TRACK: TrackId = 4;
const HEADREST_SEEN: (u32, u32) = (1260, 1349);
/// The driver's eyes can be seen.
const EYES_SEEN: [(u32, u32); 4] = [(12, 539), (604, 979), (1075, 1699), (1732, FRAMES - 1)];
const TURNED_AWAY: [(u32, u32); 2] = [(540, 603), (1700, 1731)];
const COVERED: (u32, u32) = (980, 1074);
const SHADED: (u32, u32) = (1200, 1379);
/// Into a tunnel and out of it.
const LIGHT_CHANGES: [(u32, u32); 2] = [(446, 454), (900, 908)];
/// The piece of the driver's box that is too narrow, and the piece of the left eye that lies on the brow.
const BAD_BOX: u32 = 372;
const BAD_EYE: u32 = 724;

impl Rig {
    /// The drive of [`Rig::drive`], with labels of every kind and key pictures.
    pub(crate) async fn drive_with_every_kind(store: &LabelStore) {
        let mut rig = Self::online(store).await;
        rig.open().await;
        rig.label(&EVENTS).await;
        rig.be_silent().await;
        rig.say_everything().await;
        for frame in super::MARKS {
            rig.mark(frame).await;
        }
        rig.close().await;
        rig.be_born("passed: 9 of 9").await;
        rig.fare(
            label_core::wire::Shed::Nothing,
            label_core::wire::CameraState::Streaming,
        )
        .await;
    }

    /// Labels of every kind but events, and a picture for each that is offered.
    pub(crate) async fn say_everything(&mut self) {
        let labels = every_label();
        let mut shown: Vec<FrameIndex> = Vec::new();
        for label in labels.iter().filter(|label| label.value.is_some()) {
            if !shown.iter().any(|frame| label.frames.contains(*frame)) {
                shown.push(label.frames.start.midpoint(label.frames.end));
            }
        }
        for batch in labels.chunks(MAX_LABELS) {
            let numbered = batch.iter().cloned().zip(0..);
            let numbered = numbered.map(|(label, n)| Label { n, ..label }).collect();
            self.labels(numbered).await;
        }
        for frame in shown {
            self.picture(frame).await;
        }
    }

    /// A key picture of the frame.
    pub(crate) async fn picture(&mut self, frame: FrameIndex) {
        let header = PictureHeader {
            v: 1,
            from: self.next(),
            clip: 1,
            picture: KeyPicture {
                frame,
                pts_us: at(frame),
                size: SIZE,
                of: SOURCE,
            },
        };
        let head = json(&header);
        let mut payload = EVIDENCE_MAGIC.to_vec();
        payload.extend((head.len() as u32).to_le_bytes());
        payload.extend(&head);
        let jpeg_at = payload.len();
        payload.extend(picture(frame, &people(frame), light(frame)));
        self.counts.evidence += 1;
        let content = Content::Picture {
            site: site(),
            header: Box::new(header),
            jpeg_at,
        };
        self.hand_in(Topic::Evidence, payload, content).await;
    }
}

fn within(frame: FrameIndex, (from, to): (u32, u32)) -> bool {
    (from..=to).contains(&frame)
}

/// Light falls and rises within a change.
fn light(frame: FrameIndex) -> f32 {
    let [(into, dark), (out, bright)] = LIGHT_CHANGES;
    let way = |from: u32, to: u32| (frame as f32 - from as f32) / (to - from) as f32;
    let fallen = way(into, dark).clamp(0.0, 1.0) - way(out, bright).clamp(0.0, 1.0);
    1.0 - 0.6 * fallen
}

fn people(frame: FrameIndex) -> Vec<Looks> {
    let mut people = Vec::new();
    if frame >= 12 {
        let event = EVENTS
            .iter()
            .find(|event| within(frame, event.frames))
            .unwrap_or(&EVENTS[0]);
        let open = |left| event.openness(frame, left).unwrap_or(1.0);
        let away = TURNED_AWAY.iter().any(|range| within(frame, *range));
        people.push(Looks {
            person: DRIVER,
            eyes: (!away).then(|| (open(false), open(true))),
            covered: within(frame, COVERED),
            shaded: within(frame, SHADED),
        });
    }
    if PASSENGER_SEEN
        .iter()
        .any(|(_, range)| within(frame, *range))
    {
        people.push(Looks {
            person: PASSENGER,
            eyes: Some((1.0, 1.0)),
            covered: false,
            shaded: false,
        });
    }
    people
}

/// A candidate without a value yet.
fn candidate(kind: LabelKind, track: Option<TrackId>, (start, end): (u32, u32)) -> Label {
    // Most are sure, some less so.
    let doubt = (start * 7919 + kind as u32 * 613 + u32::from(track.unwrap_or(0)) * 131) % 23;
    Label {
        n: 0,
        kind,
        track,
        frames: FrameRange::new(start, end),
        pts_us: (at(start), at(end)),
        decision: Decision::Candidate,
        reason: None,
        confidence: Confidence::new(0.98 - doubt as f32 * 0.008).ok(),
        raw: None,
        model: Some(0),
        value: None,
        signs: None,
        driver: track == Some(1),
    }
}

fn doubtful(label: Label, confidence: f32) -> Label {
    Label {
        confidence: Confidence::new(confidence).ok(),
        ..label
    }
}

fn silent(kind: LabelKind, track: TrackId, range: (u32, u32), reason: AbstainReason) -> Label {
    Label {
        decision: Decision::Abstain,
        reason: Some(reason),
        confidence: None,
        model: None,
        ..candidate(kind, Some(track), range)
    }
}

/// A range in pieces of at most so many frames.
fn pieces((start, end): (u32, u32), most: u32) -> impl Iterator<Item = (u32, u32)> {
    (start..=end)
        .step_by(most as usize)
        .map(move |from| (from, end.min(from + most - 1)))
}

/// The first frame, those where a way turns, and the last.
fn turns((start, end): (u32, u32)) -> impl Iterator<Item = FrameIndex> {
    (start..=end).filter(move |frame| *frame == start || *frame == end || frame % KNOT == 0)
}

fn boxes(track: TrackId, range: (u32, u32), place: impl Fn(u32) -> (f32, f32, f32, f32)) -> Label {
    let label = candidate(LabelKind::BboxPerson, Some(track), range);
    let sure = label.confidence.map_or(0.0, Confidence::get);
    let keys = turns(range).map(|frame| {
        let (x, y, width, height) = place(frame);
        BoxKeyframe(frame, x, y, width, height, sure)
    });
    Label {
        value: Some(LabelValue::Boxes(keys.collect())),
        ..label
    }
}

fn eyes(person: &Person, track: TrackId, range: (u32, u32)) -> Vec<Label> {
    let mut labels = Vec::new();
    for piece in pieces(range, PIECE) {
        for (kind, left) in [
            (LabelKind::KeypointLeftEye, true),
            (LabelKind::KeypointRightEye, false),
        ] {
            let is_bad = left && track == 1 && piece.0 == BAD_EYE;
            let off = if is_bad { 26.0 } else { 0.0 };
            let label = candidate(kind, Some(track), piece);
            let sure = label.confidence.map_or(0.0, Confidence::get);
            let keys = turns(piece).map(|frame| {
                let (x, y) = person.eye(frame, left);
                PointKeyframe(frame, x, y - off, sure)
            });
            let value = Some(LabelValue::Points(keys.collect()));
            let label = Label { value, ..label };
            labels.push(if is_bad { doubtful(label, 0.61) } else { label });
        }
    }
    labels
}

/// A state that holds for ranges, in stretches.
fn states(
    kind: LabelKind,
    track: Option<TrackId>,
    ranges: &[((u32, u32), LabelValue)],
) -> Vec<Label> {
    ranges
        .iter()
        .flat_map(|(range, value)| {
            pieces(*range, STRETCH).map(move |piece| Label {
                value: Some(value.clone()),
                ..candidate(kind, track, piece)
            })
        })
        .collect()
}

fn every_label() -> Vec<Label> {
    use LabelKind::{
        Alertness, BboxPerson, FaceOccluded, InShadow, KeypointLeftEye, KeypointRightEye,
        LightChange, VideoQuality, WearingGlasses,
    };
    const LAST: u32 = FRAMES - 1;
    let flag = LabelValue::Flag;
    let mut labels = Vec::new();
    for piece in pieces((12, LAST), PIECE) {
        labels.push(if piece.0 == BAD_BOX {
            let narrow = |(x, y, width, height): (f32, f32, f32, f32)| {
                (x + 0.3 * width, y + 30.0, 0.6 * width, height - 30.0)
            };
            doubtful(boxes(1, piece, |frame| narrow(DRIVER.body(frame))), 0.58)
        } else {
            boxes(1, piece, |frame| DRIVER.body(frame))
        });
    }
    labels.push(silent(BboxPerson, 1, (0, 11), AbstainReason::NoPerson));
    for range in EYES_SEEN {
        labels.extend(eyes(&DRIVER, 1, range));
    }
    for kind in [KeypointLeftEye, KeypointRightEye] {
        for range in TURNED_AWAY {
            labels.push(silent(kind, 1, range, AbstainReason::EyeTurnedAway));
        }
        labels.push(silent(kind, 1, COVERED, AbstainReason::Occluded));
    }
    for (track, range) in PASSENGER_SEEN {
        for piece in pieces(range, PIECE) {
            labels.push(boxes(track, piece, |frame| PASSENGER.body(frame)));
        }
        labels.extend(eyes(&PASSENGER, track, range));
        // Of the passenger the glasses are wrong once.
        let wears = states(WearingGlasses, Some(track), &[(range, flag(track == 3))]);
        labels.extend(wears.into_iter().map(|label| match track {
            3 => doubtful(label, 0.63),
            _ => label,
        }));
        labels.extend(states(InShadow, Some(track), &[(range, flag(false))]));
        labels.extend(states(FaceOccluded, Some(track), &[(range, flag(false))]));
        labels.push(silent(Alertness, track, range, AbstainReason::Passenger));
    }
    let headrest = boxes(HEADREST_TRACK, HEADREST_SEEN, |_| HEADREST);
    labels.push(doubtful(headrest, 0.52));
    labels.extend(states(WearingGlasses, Some(1), &[((12, LAST), flag(true))]));
    let shade = [
        ((12, SHADED.0 - 1), flag(false)),
        (SHADED, flag(true)),
        ((SHADED.1 + 1, LAST), flag(false)),
    ];
    labels.extend(states(InShadow, Some(1), &shade));
    let cover = [
        ((12, COVERED.0 - 1), flag(false)),
        (COVERED, flag(true)),
        ((COVERED.1 + 1, LAST), flag(false)),
    ];
    labels.extend(states(FaceOccluded, Some(1), &cover));
    labels.extend(alertness());
    let [(into, dark), (out, bright)] = LIGHT_CHANGES;
    let light = [
        ((0, into - 1), flag(false)),
        ((into, dark), flag(true)),
        ((dark + 1, out - 1), flag(false)),
        ((out, bright), flag(true)),
        ((bright + 1, LAST), flag(false)),
    ];
    labels.extend(states(LightChange, None, &light));
    let quality = [
        ((0, into - 1), LabelValue::Level(4)),
        ((into, out - 1), LabelValue::Level(2)),
        ((out, LAST), LabelValue::Level(4)),
    ];
    labels.extend(states(VideoQuality, None, &quality));
    labels.sort_by_key(|label| (label.frames.end, label.kind));
    labels
}

/// Every five seconds; lower after the eyes were shut for long.
fn alertness() -> Vec<Label> {
    pieces((150, FRAMES - 1), 150)
        .map(|range| {
            let is_late = (750..1200).contains(&range.0);
            let label = candidate(LabelKind::Alertness, Some(1), range);
            Label {
                value: Some(LabelValue::Level(if is_late { 3 } else { 5 })),
                signs: Some(Signs {
                    seen_s: (range.1 as f32 / 30.0).min(60.0),
                    perclos: if is_late { 0.11 } else { 0.02 },
                    longest_closure_s: if is_late { 0.73 } else { 0.2 },
                    closures: u16::from(is_late),
                    blinks: (range.0 / 150) as u16,
                    blink_s: Some(0.22),
                    blink_ratio: Some(if is_late { 1.6 } else { 1.0 }),
                    yawns: u16::from(is_late),
                    nods: 0,
                }),
                confidence: Confidence::new(if is_late { 0.66 } else { 0.9 }).ok(),
                ..label
            }
        })
        .collect()
}
