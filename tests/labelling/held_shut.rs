//! Eyes held shut: a long closure, not a blink and not nothing.

use crate::{BLINKING, Bench, LOSSLESS, development_data};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::PathBuf;

#[test]
fn eyes_held_shut_for_three_seconds_are_one_long_closure_and_no_blink() {
    const HELD: u64 = 72;
    let bench = Bench::new();
    let reference = bench.clip("reference.mkv", BLINKING, "null", &LOSSLESS);
    let blinks = bench.label(&reference, &[]).labels().events("blink");
    // The second: open eyes on both sides. Lids are down in its middle.
    let (first, last) = blinks[1];
    let shut = first.midpoint(last);
    let filters = format!("loop=loop={HELD}:size=1:start={shut},setpts=N/24/TB");
    let clip = bench.clip("held.mkv", BLINKING, &filters, &LOSSLESS);
    let outcome = bench.label(&clip, &[]);
    let labels = outcome.labels();
    assert_eq!(outcome.count("frames"), 96 + HELD);
    let closures = labels.events("long-closure");
    let [closure] = closures[..] else {
        panic!("one long closure, not {closures:?}")
    };
    let hold = (shut, shut + HELD);
    let shared = closure.1.min(hold.1) + 1 - closure.0.max(hold.0);
    assert!(
        shared * 10 >= HELD * 9,
        "{closure:?} covers {shared} of {HELD} frames from {}",
        hold.0
    );
    assert!(
        closure.0 + 12 >= first && closure.1 <= last + HELD + 12,
        "{closure:?} goes beyond the eyes held shut in {hold:?}"
    );
    let within: Vec<_> = labels
        .events("blink")
        .into_iter()
        .filter(|blink| blink.0 <= hold.1 && hold.0 <= blink.1)
        .collect();
    assert!(within.is_empty(), "blinks {within:?} within {hold:?}");
}

/// A clip of development data, and a frame of it in which the eyes are fully shut, by its annotators.
struct Shut {
    clip: PathBuf,
    frame: u64,
}

/// One clip of each person of `zju`, with a blink well within it.
fn shut_people() -> Vec<Shut> {
    let Some(folder) = development_data("zju") else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(folder.join("truth.json")).unwrap();
    let truth: BTreeMap<String, Value> = serde_json::from_str(&text).unwrap();
    let mut people = BTreeMap::new();
    for clip in truth.values() {
        let frames = clip["frames"].as_u64().unwrap();
        let shut = clip["blinks"].as_array().unwrap().iter().find_map(|blink| {
            let first = blink["closed"][0].as_u64()?;
            let (start, end) = (blink["start"].as_u64()?, blink["end"].as_u64()?);
            (start > 40 && end + 40 < frames)
                .then_some(first.midpoint(blink["closed"][1].as_u64()?))
        });
        if let Some(frame) = shut {
            let clip_path = folder.join(clip["video"].as_str().unwrap());
            people
                .entry(clip["subject"].as_u64().unwrap())
                .or_insert(Shut {
                    clip: clip_path,
                    frame,
                });
        }
    }
    people.into_values().collect()
}

/// Blinks before and after a frame; after it, with so many frames taken out.
fn around(blinks: &[(u64, u64)], frame: u64, taken_out: u64) -> [Vec<u64>; 2] {
    let before = blinks.iter().filter(|blink| blink.1 < frame);
    let after = blinks.iter().filter(|blink| blink.0 > frame + taken_out);
    [
        before.map(|blink| blink.0).collect(),
        after.map(|blink| blink.0 - taken_out).collect(),
    ]
}

#[test]
fn eyes_of_several_people_held_shut_for_five_seconds_leave_the_blinks_around_them_as_they_were() {
    const FPS: u64 = 30;
    let bench = Bench::new();
    for person in shut_people() {
        for step in [1, 2] {
            let fps = FPS / step;
            let thinned = format!("select=not(mod(n\\,{step})),setpts=N/{fps}/TB");
            let held = 5 * FPS;
            // The filter repeats the frame before the one it names.
            let filters = format!(
                "setpts=N/{FPS}/TB,loop=loop={held}:size=1:start={},setpts=N/{FPS}/TB,{thinned}",
                person.frame + 1
            );
            let reference = bench.filtered("reference.mkv", &person.clip, &thinned, fps);
            let clip = bench.filtered("held.mkv", &person.clip, &filters, fps);
            let expected = bench.label(&reference, &[]).labels().events("blink");
            let labels = bench.label(&clip, &[]).labels();
            let name = person.clip.display();
            let closures = labels.events("long-closure");
            let [closure] = closures[..] else {
                panic!("{name} at {fps}: one long closure, not {closures:?}")
            };
            let (frame, held) = (person.frame / step, held / step);
            assert!(
                closure.0 <= frame + 2
                    && closure.1 + 2 >= frame + held
                    && closure.1 - closure.0 < held + fps,
                "{name} at {fps}: {closure:?} of {frame} and {held} more"
            );
            let blinks = labels.events("blink");
            let within = blinks
                .iter()
                .any(|blink| blink.0 <= frame + held && frame <= blink.1);
            assert!(!within, "{name} at {fps}: {blinks:?}");
            let [found, expected] = [around(&blinks, frame, held), around(&expected, frame, 0)];
            for (found, expected) in found.iter().zip(&expected) {
                let same = found.len() == expected.len()
                    && found.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) <= 2);
                assert!(
                    same,
                    "{name} at {fps}: {found:?}, without the hold {expected:?}"
                );
            }
        }
    }
}
