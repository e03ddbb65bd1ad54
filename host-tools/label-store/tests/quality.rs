//! What the counts of quality promise: they follow labels and verdicts, whatever came in which order.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

#[expect(dead_code, reason = "shared with the contract's tests")]
#[path = "contract/made.rs"]
mod made;

use label_core::wire::{
    Birth, BoxKeyframe, Decision, Label, LabelValue, ModelRef, WIRE_VERSION, parse_name,
};
use label_core::{AbstainReason, FrameRange, LabelKind};
use label_store::{
    Content, Correction, Dimension, Incoming, Judgement, LabelStore, NewVerdict, QualityFilter,
    QualityRow, Step,
};
use made::*;
use std::time::Duration;

const LONG: Duration = Duration::from_mins(1);

async fn store() -> (tempfile::TempDir, LabelStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = LabelStore::open(&folder.path().join("labels.db"))
        .await
        .unwrap();
    (folder, store)
}

/// A batch of another clip.
fn of_clip(clip: u32, mut message: Incoming) -> Incoming {
    match &mut message.content {
        Content::Labels { batch, .. } => batch.clip = clip,
        Content::Clip { message, .. } => message.clip = clip,
        _ => {}
    }
    message
}

fn labelled(kind: LabelKind, value: LabelValue, n: u16, frames: (u32, u32)) -> Label {
    Label {
        kind,
        value: Some(value),
        frames: FrameRange::new(frames.0, frames.1),
        ..blink(n, 0, 0.9)
    }
}

/// Six clips of five blinks each.
async fn six_clips(store: &LabelStore) {
    for clip in 1..=6 {
        let blinks: Vec<Label> = (0..5).map(|n| blink(n, 20 * u32::from(n), 0.93)).collect();
        store
            .commit(&[of_clip(clip, batch(u64::from(clip), &blinks))])
            .await
            .unwrap();
    }
}

async fn judge(store: &LabelStore, seq: u64, n: u16, judgement: Judgement, cause: Option<&str>) {
    let verdict = NewVerdict {
        cause: cause.map(str::to_owned),
        ..verdict(judgement)
    };
    store
        .record_verdict(&id(seq, n), &verdict, &ada())
        .await
        .unwrap();
}

async fn rows(store: &LabelStore, filter: &QualityFilter) -> Vec<QualityRow> {
    let refreshed = store.refresh_quality(LONG).await.unwrap();
    assert_eq!(refreshed.behind, 0);
    store.quality(filter).await.unwrap()
}

#[tokio::test]
async fn precision_is_counted_by_clip_and_what_nobody_can_tell_stands_aside() {
    let (_folder, store) = store().await;
    six_clips(&store).await;
    for seq in 1..=6 {
        for n in 0..3 {
            judge(&store, seq, n, Judgement::Accept, None).await;
        }
        judge(&store, seq, 3, Judgement::Reject, Some("wrong-time")).await;
        judge(&store, seq, 4, Judgement::Reject, Some("cannot-tell")).await;
    }
    let found = rows(&store, &QualityFilter::default()).await;
    let [row] = found.as_slice() else {
        panic!("{found:?}")
    };
    assert_eq!(
        (row.kind, row.model.as_str()),
        (LabelKind::Blink.into(), "blink@1")
    );
    assert_eq!(
        (row.offered, row.accepted, row.rejected, row.cannot_tell),
        (30, 18, 6, 6)
    );
    let share = row.moments.share().unwrap();
    assert_eq!((row.moments.clips, share.value), (6, 0.75));
    assert!(share.interval.is_some());
    assert_eq!(row.bins[9].moments.judged, 24.0, "all were offered at 0.93");
    assert!((row.bins[9].confidence - 24.0 * 0.93).abs() < 1e-4);
}

#[tokio::test]
async fn an_undone_verdict_is_taken_out_again_and_its_seconds_stay() {
    let (_folder, store) = store().await;
    six_clips(&store).await;
    judge(&store, 1, 0, Judgement::Accept, None).await;
    assert_eq!(rows(&store, &QualityFilter::default()).await[0].accepted, 1);
    judge(&store, 1, 0, Judgement::Reject, Some("wrong-time")).await;
    assert_eq!(rows(&store, &QualityFilter::default()).await[0].rejected, 1);
    store.step(&id(1, 0), Step::Undo, &ada()).await.unwrap();
    store.step(&id(1, 0), Step::Undo, &ada()).await.unwrap();
    let row = &rows(&store, &QualityFilter::default()).await[0];
    assert_eq!((row.accepted, row.rejected), (0, 0));
    let seconds = store.human_seconds(None).await.unwrap();
    let acts: Vec<_> = seconds.iter().map(|row| row.act.as_str()).collect();
    assert_eq!(acts, ["accept", "reject"], "a person spent them");
    let spent = seconds[0].times.spent().unwrap();
    assert!((spent.median - 1.2).abs() < 0.04, "{spent:?}");
}

#[tokio::test]
async fn a_correction_within_the_standard_counts_as_right() {
    let (_folder, store) = store().await;
    six_clips(&store).await;
    for (n, start) in [(0, 1), (1, 25)] {
        let verdict = NewVerdict {
            correction: Some(Box::new(Correction {
                frames: Some(FrameRange::new(start, start + 6)),
                value: None,
            })),
            ..verdict(Judgement::Correct)
        };
        store
            .record_verdict(&id(1, n), &verdict, &ada())
            .await
            .unwrap();
    }
    let row = &rows(&store, &QualityFilter::default()).await[0];
    // 0..6 moved to 1..7: IoU 6/8. 20..26 moved to 25..31: 2/12.
    assert_eq!(
        (row.corrected_right, row.corrected_wrong, row.boundary),
        (1, 1, 2)
    );
    assert_eq!(row.moments.right, 1.0);
}

#[tokio::test]
async fn condition_is_what_other_labels_of_the_person_say() {
    let (_folder, store) = store().await;
    let tall = LabelValue::Boxes(
        heapless::Vec::from_slice(&[BoxKeyframe(0, 0.0, 0.0, 300.0, 440.0, 0.9)]).unwrap(),
    );
    store
        .commit(&[
            opened(1),
            batch(
                2,
                &[
                    labelled(
                        LabelKind::WearingGlasses,
                        LabelValue::Flag(true),
                        0,
                        (0, 49),
                    ),
                    labelled(
                        LabelKind::WearingGlasses,
                        LabelValue::Flag(false),
                        1,
                        (50, 99),
                    ),
                    labelled(LabelKind::InShadow, LabelValue::Flag(false), 2, (0, 99)),
                    labelled(LabelKind::BboxPerson, tall, 3, (0, 99)),
                ],
            ),
            batch(3, &[blink(0, 10, 0.9), blink(1, 60, 0.9)]),
        ])
        .await
        .unwrap();
    let by_glasses = QualityFilter {
        kind: Some(LabelKind::Blink.into()),
        by: vec![Dimension::Glasses, Dimension::Distance],
        ..QualityFilter::default()
    };
    let found = rows(&store, &by_glasses).await;
    let splits: Vec<_> = found
        .iter()
        .map(|row| {
            (
                row.split[&Dimension::Glasses].as_str(),
                row.split[&Dimension::Distance].as_str(),
                row.offered,
            )
        })
        .collect();
    // The box is 440 of 480 picture lines high.
    assert_eq!(splits, [("bare-eyes", "near", 1), ("glasses", "near", 1)]);
    let lit = QualityFilter {
        light: Some("shadow".to_owned()),
        ..QualityFilter::default()
    };
    assert_eq!(rows(&store, &lit).await, []);
}

#[tokio::test]
async fn coverage_is_the_share_of_the_frames_in_which_somebody_was_in_view() {
    let (_folder, store) = store().await;
    let point = |n, frames| {
        labelled(
            LabelKind::KeypointLeftEye,
            LabelValue::Flag(true),
            n,
            frames,
        )
    };
    let silent = |kind, n, frames: (u32, u32), track| Label {
        kind,
        track,
        frames: FrameRange::new(frames.0, frames.1),
        decision: Decision::Abstain,
        reason: Some(AbstainReason::EyeTurnedAway),
        ..silence(n)
    };
    store
        .commit(&[batch(
            1,
            &[
                point(0, (0, 59)),
                silent(LabelKind::KeypointLeftEye, 1, (60, 99), Some(1)),
                silent(LabelKind::Blink, 2, (90, 99), Some(1)),
                blink(3, 10, 0.9),
                silent(LabelKind::Blink, 4, (100, 199), None),
            ],
        )])
        .await
        .unwrap();
    store.refresh_quality(LONG).await.unwrap();
    let coverage = store.coverage(None).await.unwrap();
    let of = |kind, reason: Option<&str>| {
        coverage
            .iter()
            .find(|row| row.kind == kind && row.reason.as_deref() == reason)
            .map_or(0, |row| row.frames)
    };
    assert_eq!(of(LabelKind::KeypointLeftEye, None), 60);
    assert_eq!(of(LabelKind::KeypointLeftEye, Some("eye-turned-away")), 40);
    assert_eq!(of(LabelKind::Blink, None), 90, "looked at in all but ten");
    assert_eq!(of(LabelKind::Blink, Some("eye-turned-away")), 10);
}

#[tokio::test]
async fn boxes_and_points_are_told_apart_by_the_calibration_that_says_how_sure_they_are() {
    let (_folder, store) = store().await;
    store
        .commit(&[batch(
            1,
            &[labelled(
                LabelKind::KeypointLeftEye,
                LabelValue::Flag(true),
                0,
                (0, 9),
            )],
        )])
        .await
        .unwrap();
    assert_eq!(
        rows(&store, &QualityFilter::default()).await[0].model,
        "blink@1"
    );
    let model = |name: &str, version: &str| ModelRef {
        name: name.try_into().unwrap(),
        version: version.try_into().unwrap(),
        sha256: "cd".try_into().unwrap(),
    };
    let birth = Birth {
        v: WIRE_VERSION,
        rig: parse_name("rig").unwrap(),
        boot: boot(),
        hardware: "x86_64".try_into().unwrap(),
        firmware: "0.1.0".try_into().unwrap(),
        runtime: model("litert", "1"),
        models: heapless::Vec::from_slice(&[model("mesh", "1"), model("calibration-base", "2")])
            .unwrap(),
        board: "sim".try_into().unwrap(),
        board_sha256: "ef".try_into().unwrap(),
        self_test: None,
    };
    let content = Content::Birth {
        site: parse_name("north").unwrap(),
        message: Box::new(birth),
    };
    store.commit(&[incoming(content, "birth")]).await.unwrap();
    let found = rows(&store, &QualityFilter::default()).await;
    assert_eq!(
        found[0].model, "blink@1 calibration-base@2",
        "counted anew once it is known"
    );
}
