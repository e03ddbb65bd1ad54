//! Eyes held shut: a long closure, not a blink and not nothing.

use crate::{BLINKING, Bench, LOSSLESS};

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
