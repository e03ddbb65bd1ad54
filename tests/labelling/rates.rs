//! Frame rates, changing rates and repeated pictures.

use crate::{BLINKING, Bench, LOSSLESS, decoded};

/// Whether two frame ranges share a frame.
fn meet(a: (u64, u64), b: (u64, u64)) -> bool {
    a.0 <= b.1 && b.0 <= a.1
}

#[test]
fn at_any_frame_rate_the_same_blinks_are_found_at_the_same_times() {
    let bench = Bench::new();
    let reference = bench.clip("reference.mkv", BLINKING, "null", &LOSSLESS);
    let (_, reference) = bench.every_frame(&reference);
    let blinks = reference.events("blink");
    assert_eq!(blinks.len(), 3, "{blinks:?}");
    for rate in [10, 15, 60] {
        let clip = bench.clip(
            &format!("{rate}.mkv"),
            BLINKING,
            &format!("fps={rate}"),
            &LOSSLESS,
        );
        let (outcome, labels) = bench.every_frame(&clip);
        let frames = outcome.count("frames");
        assert_eq!(frames, decoded(&clip));
        assert!(frames.abs_diff(rate * 4) <= 1, "{frames} at {rate}");
        assert_eq!(labels.last_frame(), frames - 1);
        for (frame, at) in labels.times_us() {
            // Matroska counts milliseconds.
            let expected = (frame * 1_000_000 / rate) as i64;
            assert!(at.abs_diff(expected) <= 1_000, "frame {frame}: {at} us");
        }
        let found = labels.events("blink");
        assert_eq!(found.len(), blinks.len(), "{rate}: {found:?}");
        for (blink, found) in blinks.iter().zip(&found) {
            let at = (blink.0 * rate / 24, (blink.1 * rate).div_ceil(24));
            assert!(meet(at, *found), "{rate}: {found:?} for {at:?}");
        }
    }
}

#[test]
fn times_of_a_clip_whose_rate_varies_are_those_of_its_container() {
    let bench = Bench::new();
    // Each third picture 9, each third 18 ms late: whole milliseconds, as Matroska has them.
    let filters = "settb=1/1000,setpts=N*42+mod(N\\,3)*9";
    let encoding = [&LOSSLESS[..], &["-enc_time_base", "1:1000"]].concat();
    let clip = bench.clip("varying.mkv", BLINKING, filters, &encoding);
    let (outcome, labels) = bench.every_frame(&clip);
    assert_eq!(outcome.count("frames"), decoded(&clip));
    let times = labels.times_us();
    assert_eq!(times.len() as u64, outcome.count("frames"));
    for (frame, at) in times {
        let expected = frame as i64 * 42_000 + (frame as i64 % 3) * 9_000;
        assert_eq!(at, expected, "frame {frame}");
    }
    assert_eq!(labels.events("blink").len(), 3);
}

#[test]
fn repeated_pictures_are_recognised_and_double_no_blink() {
    let bench = Bench::new();
    let reference = bench.clip("reference.mkv", BLINKING, "null", &LOSSLESS);
    let (single, reference) = bench.every_frame(&reference);
    let clip = bench.clip("twice.mkv", BLINKING, "fps=48", &LOSSLESS);
    let (twice, labels) = bench.every_frame(&clip);
    let frames = single.count("frames");
    assert_eq!(twice.count("frames"), 2 * frames);
    assert_eq!(
        twice.count("repeated"),
        frames + single.count("repeated"),
        "every picture comes once more"
    );
    let (blinks, found) = (reference.events("blink"), labels.events("blink"));
    assert_eq!(found.len(), blinks.len(), "{found:?} for {blinks:?}");
    for (blink, found) in blinks.iter().zip(&found) {
        assert!(
            meet((blink.0 * 2, blink.1 * 2 + 1), *found),
            "{found:?} for {blink:?}"
        );
    }
    assert_eq!(
        labels.events("long-closure"),
        reference.events("long-closure")
    );
}
