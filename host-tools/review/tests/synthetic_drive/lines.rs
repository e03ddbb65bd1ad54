//! Lines on the drive with every kind, as a person draws them: the edge of the driver's left lids, and the face's outline.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

use label_core::LabelKind;
use label_core::wire::{LabelValue, PointKeyframe};
use label_store::{
    Asked, DeskValue, LabelKey, LabelStore, LineKey, LineKind, LineValue, NewLabel, QueueFilter,
};

/// Draws a closed line of 12 points round the left eye and an open one of 9 below the face, over the frames of the first label
/// of that eye.
pub(crate) async fn draw_lines(store: &LabelStore) -> [LabelKey; 2] {
    let filter = QueueFilter {
        kinds: vec![LabelKind::KeypointLeftEye.into()],
        limit: 1,
        ..QueueFilter::default()
    };
    let eye = store.queue(&filter).await.unwrap().items.remove(0).label;
    let Some(DeskValue::Offered(LabelValue::Points(keys))) = eye.value else {
        panic!("an eye is a point");
    };
    let around = |count: u16, turn: f32, (x, y): (f32, f32), (wide, high): (f32, f32)| {
        let point = move |n: u16| {
            let angle = turn * f32::from(n) / f32::from(count);
            let hundredths = |value: f32| (value * 100.0).round() / 100.0;
            [
                hundredths(x + wide * angle.cos()),
                hundredths(y + high * angle.sin()),
            ]
        };
        (0..count).map(point).collect::<Vec<_>>()
    };
    let whole = std::f32::consts::TAU;
    let lids = |key: &PointKeyframe| {
        let lids = around(12, whole, (key.1, key.2), (22.0, 11.5));
        LineKey(key.0, lids)
    };
    let face = |key: &PointKeyframe| {
        let below = (key.1 - 44.0, key.2 + 29.0);
        LineKey(key.0, around(9, whole / 2.0, below, (97.0, 126.0)))
    };
    let asked = Asked {
        reviewer: "desk".to_owned(),
        at_us: 1,
        key: None,
    };
    let mut made = Vec::new();
    for (kind, closed, keys) in [
        (LineKind::LeftEyelid, true, keys.iter().map(lids).collect()),
        (
            LineKind::FaceOutline,
            false,
            keys.iter().map(face).collect(),
        ),
    ] {
        let new = NewLabel {
            kind: kind.into(),
            track: eye.track,
            frames: eye.frames,
            value: LineValue { closed, keys }.into(),
            spent_ms: 20_000,
        };
        made.push(store.make_label(&eye.clip, &new, &asked).await.unwrap());
    }
    made.try_into().unwrap()
}
