//! Formats of tracks and time lines: CVAT, Label Studio, `OpenLABEL`, ELAN.

use crate::made::{AWKWARD, DRIVE, EMPTY, Fact, REVIEWER, World};
use crate::{Desk, assert_same, near, read_by};
use label_core::LabelKind;
use label_core::wire::LabelValue;
use serde_json::Value as Json;

const BOTH: [&str; 2] = ["--labels", "both"];

fn stem(clip: &str) -> String {
    clip.replace(':', "_")
}

fn held(world: &World) -> impl Iterator<Item = &Fact> {
    world
        .facts
        .iter()
        .filter(|fact| fact.standing != "rejected")
}

fn numbers(value: &Json) -> Vec<f64> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|n| n.as_f64().unwrap())
        .collect()
}

/// Every place that is true of the store: clip, kind, track, frame.
fn places(world: &World) -> impl Iterator<Item = (&Fact, u32, Vec<f64>)> {
    held(world).flat_map(|fact| {
        (fact.frames.0..=fact.frames.1)
            .filter_map(move |frame| Some((fact, frame, fact.place(frame)?)))
    })
}

fn state(fact: &Fact) -> String {
    match fact.value {
        LabelValue::Flag(flag) => flag.to_string(),
        LabelValue::Level(level) => level.to_string(),
        _ => String::new(),
    }
}

#[test]
fn cvat_has_every_box_and_eye_in_its_frame_and_no_other() {
    let desk = Desk::made();
    let folder = desk.export("cvat", "set", &BOTH);
    let Some(read) = read_by("cvat.py", &folder) else {
        return;
    };
    let mut compared = 0;
    for clip in &desk.world.clips {
        let read = &read[stem(clip.id)];
        let all = read["places"].as_array().unwrap();
        let of_places = ["bbox-person", "keypoint-left-eye", "keypoint-right-eye"];
        let all: Vec<_> = all
            .iter()
            .filter(|place| of_places.contains(&place[0].as_str().unwrap()))
            .collect();
        let expected: Vec<_> = places(&desk.world)
            .filter(|(fact, ..)| fact.clip == clip.id)
            .collect();
        assert_eq!(all.len(), expected.len(), "{}", clip.id);
        for (fact, frame, at) in expected {
            let track = fact.track.unwrap().to_string();
            let here = all.iter().find(|place| {
                place[0] == fact.kind.name()
                    && place[1].as_str() == Some(track.as_str())
                    && place[2] == frame
            });
            let here = here.unwrap_or_else(|| panic!("{fact:?} is not in frame {frame}"));
            assert!(near(&numbers(&here[3]), &at, 0.0151), "{here} for {at:?}");
            assert_eq!(here[4], fact.standing);
            compared += 1;
        }
        let keyframes: usize = all.iter().filter(|_| true).count();
        assert!(
            keyframes == 0 || read["datumaro"].as_u64().unwrap() > 0,
            "datumaro read nothing of {}",
            clip.id
        );
    }
    assert!(compared > 1000);
    assert_eq!(read[stem(DRIVE)]["name"], format!("{DRIVE} {AWKWARD}"));
}

#[test]
fn cvat_has_every_state_event_rejection_and_silence_as_a_range() {
    let desk = Desk::made();
    let folder = desk.export("cvat", "set", &BOTH);
    let Some(read) = read_by("cvat.py", &folder) else {
        return;
    };
    let mut ranges = Vec::new();
    for clip in &desk.world.clips {
        for track in read[stem(clip.id)]["tracks"].as_array().unwrap() {
            let label = track["label"].as_str().unwrap();
            if ["bbox-person", "keypoint-left-eye", "keypoint-right-eye"].contains(&label) {
                continue;
            }
            let word = |name: &str| track["attributes"][name].as_str().unwrap().to_owned();
            ranges.push(format!(
                "{} {label} {} {}-{} {}{}",
                clip.id,
                word("track"),
                track["start"],
                track["end"],
                word("value"),
                word("reason")
            ));
        }
    }
    let facts = desk
        .world
        .facts
        .iter()
        .filter(|fact| fact.place(fact.frames.0).is_none() || fact.standing == "rejected");
    let facts = facts.map(|fact| {
        let prefix = if fact.standing == "rejected" {
            "rejected-"
        } else {
            ""
        };
        let track = fact.track.map_or(String::new(), |track| track.to_string());
        let (start, end) = fact.frames;
        format!(
            "{} {prefix}{} {track} {start}-{end} {}",
            fact.clip,
            fact.kind,
            state(fact)
        )
    });
    let silences = desk
        .world
        .silences
        .iter()
        .map(|(clip, kind, track, (start, end), reason)| {
            let track = track.map_or(String::new(), |track| track.to_string());
            format!("{clip} abstained-{kind} {track} {start}-{end} {reason}")
        });
    assert_same(ranges, facts.chain(silences).collect());
}

#[test]
fn label_studios_own_check_takes_every_region_and_each_is_where_the_store_has_it() {
    let desk = Desk::made();
    let folder = desk.export("label-studio", "set", &BOTH);
    let Some(read) = read_by("label_studio.py", &folder) else {
        return;
    };
    let (mut ranges, mut expected_ranges) = (Vec::new(), Vec::new());
    let mut compared = 0;
    for clip in &desk.world.clips {
        let read = &read[clip.id];
        assert!(
            (read["fps"].as_f64().unwrap() - clip.fps).abs()
                < if clip.id.starts_with("rig.3") {
                    9.0
                } else {
                    1e-9
                }
        );
        let (width, height) = (f64::from(clip.size.0), f64::from(clip.size.1));
        for region in read["regions"].as_array().unwrap() {
            let Some(keys) = region["keys"].as_array() else {
                // Counted from 1 there.
                let (start, end) = (
                    region["start"].as_u64().unwrap() - 1,
                    region["end"].as_u64().unwrap() - 1,
                );
                let label = region["label"].as_str().unwrap();
                ranges.push(format!(
                    "{} {} {label} {start}-{end}",
                    clip.id,
                    region["of"].as_str().unwrap()
                ));
                continue;
            };
            assert_eq!(
                region["count"].as_u64().unwrap() as usize,
                clip.pts_us.len()
            );
            for key in keys {
                let key = numbers(key);
                let frame = key[0] as u32 - 1;
                let at = [
                    key[1] * width / 100.0,
                    key[2] * height / 100.0,
                    key[3] * width / 100.0,
                    key[4] * height / 100.0,
                ];
                let kind = LabelKind::from_name(region["label"].as_str().unwrap()).unwrap();
                let is_here = desk.world.facts.iter().any(|fact| {
                    let expected = fact.place(frame).map(|at| match at[..] {
                        // A point is the centre of its square.
                        [x, y] => vec![x - 8.0, y - 8.0, 16.0, 16.0],
                        _ => at,
                    });
                    fact.clip == clip.id
                        && fact.kind == kind
                        && expected.is_some_and(|expected| near(&at, &expected, 0.006))
                });
                assert!(is_here, "{kind} at {at:?} in frame {frame} of {}", clip.id);
                compared += 1;
            }
        }
        for fact in desk.world.facts.iter().filter(|fact| fact.clip == clip.id) {
            let (start, end) = fact.frames;
            let is_rejected = fact.standing == "rejected";
            if fact.place(start).is_some() && !is_rejected {
                continue;
            }
            let of = if fact.standing == "machine" {
                "predictions"
            } else {
                "annotations"
            };
            let name = match (is_rejected, state(fact)) {
                (true, _) => format!("rejected:{}", fact.kind),
                (false, state) if state.is_empty() => fact.kind.to_string(),
                (false, state) => format!("{}={state}", fact.kind),
            };
            expected_ranges.push(format!("{} {of} {name} {start}-{end}", clip.id));
        }
    }
    for (clip, kind, _, (start, end), _) in &desk.world.silences {
        expected_ranges.push(format!("{clip} predictions abstained:{kind} {start}-{end}"));
    }
    let keyframes: usize = held(&desk.world).map(|fact| fact.keyframes().len()).sum();
    assert_eq!(compared, keyframes, "every keyframe once");
    assert_same(ranges, expected_ranges);
    assert_eq!(read[DRIVE]["video"], AWKWARD);
    let text = read[DRIVE].to_string();
    assert!(text.contains(&serde_json::to_string(&format!("by {REVIEWER}")).unwrap()));
}

#[test]
fn openlabel_keeps_to_its_schema_and_its_boxes_are_told_by_their_centre() {
    let desk = Desk::made();
    let folder = desk.export("openlabel", "set", &BOTH);
    let Some(read) = read_by("openlabel.py", &folder) else {
        return;
    };
    let mut compared = 0;
    for clip in &desk.world.clips {
        let all = read[clip.id]["places"].as_array().unwrap();
        let expected: Vec<_> = places(&desk.world)
            .filter(|(fact, ..)| fact.clip == clip.id)
            .collect();
        assert_eq!(all.len(), expected.len(), "{}", clip.id);
        for (fact, frame, at) in expected {
            let (name, at) = match (fact.kind, &at[..]) {
                (LabelKind::KeypointLeftEye, at) => ("left_eye", at.to_vec()),
                (LabelKind::KeypointRightEye, at) => ("right_eye", at.to_vec()),
                (_, [x, y, w, h]) => ("person", vec![x + w / 2.0, y + h / 2.0, *w, *h]),
                _ => panic!("{fact:?}"),
            };
            let here = all
                .iter()
                .find(|p| p[0] == frame && p[1] == fact.track.unwrap() && p[2] == name)
                .unwrap();
            assert!(near(&numbers(&here[3]), &at, 0.0101), "{here} for {at:?}");
            compared += 1;
        }
    }
    assert!(compared > 1000);
    let actions = read[DRIVE]["actions"].as_array().unwrap();
    let blinks: Vec<_> = actions
        .iter()
        .filter(|action| action[0] == "blinks/blinking")
        .collect();
    assert_eq!(blinks.len(), 3);
    assert!(blinks.iter().any(|a| a[1] == 293
        && a[2] == 299
        && a[3]["standing"] == "corrected"
        && a[3]["by"] == REVIEWER));
    assert!(
        actions
            .iter()
            .any(|a| a[0] == "rejected/blink" && a[3]["cause"] == "look-down")
    );
    assert!(
        actions
            .iter()
            .any(|a| a[0] == "abstained/alertness" && a[3]["reason"] == "passenger")
    );
    assert!(
        actions
            .iter()
            .any(|a| a[0] == "wearing_glasses/true" && a[1] == 0 && a[2] == 299)
    );
    assert_eq!(read[EMPTY]["actions"], serde_json::json!([]));
    assert_eq!(read[DRIVE]["uri"], AWKWARD);
}

#[test]
fn pympi_reads_every_range_in_milliseconds_to_the_next_frames_beginning() {
    let desk = Desk::made();
    let folder = desk.export("elan", "set", &BOTH);
    let Some(read) = read_by("tiers.py", &folder) else {
        return;
    };
    let mut ranges = Vec::new();
    for clip in &desk.world.clips {
        for (tier, annotations) in read[stem(clip.id)]["tiers"].as_object().unwrap() {
            for one in annotations.as_array().unwrap() {
                ranges.push(format!("{} {tier} {}-{}", clip.id, one[0], one[1]));
            }
        }
    }
    let ms = |us: i64| (us as f64 / 1000.0).round() as i64;
    let times = |clip: &str, (start, end): (u32, u32)| {
        let clip = desk.world.clip(clip);
        let until = clip.pts_us.get(end as usize + 1).copied();
        // After the last frame one usual interval.
        let until =
            until.unwrap_or_else(|| clip.pts_us[end as usize] + (1e6 / clip.fps).round() as i64);
        format!("{}-{}", ms(clip.pts_us[start as usize]), ms(until))
    };
    let name = |prefix: &str, kind: LabelKind, track: Option<u16>| {
        format!(
            "{prefix}{kind}{}",
            track.map_or(String::new(), |track| format!(" {track}"))
        )
    };
    let facts = desk
        .world
        .facts
        .iter()
        .filter(|fact| fact.place(fact.frames.0).is_none());
    let facts = facts.map(|fact| {
        let prefix = if fact.standing == "rejected" {
            "rejected "
        } else {
            ""
        };
        format!(
            "{} {} {}",
            fact.clip,
            name(prefix, fact.kind, fact.track),
            times(fact.clip, fact.frames)
        )
    });
    let silences = desk
        .world
        .silences
        .iter()
        .map(|(clip, kind, track, frames, _)| {
            format!(
                "{clip} {} {}",
                name("abstained ", *kind, *track),
                times(clip, *frames)
            )
        });
    assert_same(ranges, facts.chain(silences).collect());
    assert_eq!(read[stem(DRIVE)]["media"][0], AWKWARD);
    let made = read[stem(DRIVE)]["tiers"]["long-closure 1"][0][2]
        .as_str()
        .unwrap();
    assert_eq!(made, format!("long-closure [created by {REVIEWER}]"));
}
