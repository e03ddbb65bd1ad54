use super::*;
use label_core::wire::parse_name;
use label_core::{CaptureTime, FrameRange};
use uplink::{Outbox, OutboxLimits};

fn info() -> SourceInfo {
    SourceInfo {
        name: "a.mp4".into(),
        width: 8,
        height: 8,
        nominal_fps: None,
        expected_frames: None,
        codec: "still".into(),
    }
}

fn silence(frame: u32) -> Label {
    Label {
        n: 0,
        kind: LabelKind::VideoQuality,
        track: None,
        frames: FrameRange::new(frame, frame),
        pts_us: (CaptureTime(0), CaptureTime(0)),
        decision: Decision::Abstain,
        reason: Some(label_core::AbstainReason::NoLabeller),
        confidence: None,
        raw: None,
        model: None,
        value: None,
        signs: None,
        driver: false,
    }
}

#[test]
fn what_waits_for_the_host_is_sent_and_not_acknowledged_and_each_clip_is_counted_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let rig = parse_name("rig-1").unwrap();
    let (outbox, _) = Outbox::open(folder.path(), rig, OutboxLimits::default()).unwrap();
    let outbox = OutboxHandle::new(outbox);
    let live = LiveHandle::default();
    let mut publisher = Publisher::new(outbox, &[], None, live, Instant::now());
    for labels in [MAX_LABELS as u32 + 3, 2] {
        publisher.opened(&info()).unwrap();
        for frame in 0..labels {
            publisher.label(silence(frame), None).unwrap();
        }
        assert_eq!(
            publisher.counts.abstained % MAX_LABELS as u64,
            0,
            "the rest waits in its batch"
        );
        publisher.closed(&ClipEnd::default()).unwrap();
        assert_eq!(publisher.counts, LabelCounts::default());
    }
    assert_eq!(publisher.made().abstained, MAX_LABELS as u64 + 5);
    assert_eq!(publisher.delivered(), (MAX_LABELS as u64 + 5, 0));
    assert_eq!(publisher.unwritten(), 0);
}

#[test]
fn a_disk_that_refuses_costs_the_message_and_not_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let rig = parse_name("rig-1").unwrap();
    let (outbox, _) = Outbox::open(folder.path(), rig, OutboxLimits::default()).unwrap();
    let outbox = OutboxHandle::new(outbox);
    std::fs::remove_dir_all(folder.path().join("labels")).unwrap();
    let live = LiveHandle::default();
    let mut publisher = Publisher::new(outbox, &[], None, live, Instant::now());
    publisher.opened(&info()).unwrap();
    publisher.label(silence(0), None).unwrap();
    publisher.closed(&ClipEnd::default()).unwrap();
    assert_eq!(
        publisher.unwritten(),
        3,
        "the clip's beginning, the label, the clip's end"
    );
    assert_eq!(publisher.made().abstained, 1, "made all the same");

    std::fs::create_dir(folder.path().join("labels")).unwrap();
    publisher.opened(&info()).unwrap();
    publisher.label(silence(0), None).unwrap();
    publisher.closed(&ClipEnd::default()).unwrap();
    assert_eq!(publisher.unwritten(), 3, "it goes on with the next message");
    assert_eq!(publisher.delivered().0, 1);
}
