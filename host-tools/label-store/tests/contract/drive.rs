//! A drive of two people, with pictures, to delete from.

use crate::made::*;
use label_core::wire::{ClipEvent, Label, LabelCounts, RecordedSegment};
use label_store::{
    ClipId, Content, Incoming, LabelStore, PurgeOrder, PurgeReport, PurgeRun, PurgedLabels,
    QueueFilter,
};

/// Stands for a face; long enough to lie on pages of its own.
pub(crate) const FACE: &[u8] = b"the face of somebody who wants to be forgotten";

pub(crate) fn with_face(incoming: Incoming) -> Incoming {
    Incoming {
        payload: [b"head-", FACE.repeat(300).as_slice()].concat(),
        ..incoming
    }
}

pub(crate) fn of(track: u16, label: Label) -> Label {
    Label {
        track: Some(track),
        ..label
    }
}

pub(crate) fn driven() -> ClipId {
    ClipId {
        rig: name("rig"),
        boot: boot(),
        clip: 1,
    }
}

pub(crate) fn order(track: Option<u16>, labels: PurgedLabels) -> PurgeOrder {
    PurgeOrder {
        clip: driven(),
        track,
        labels,
    }
}

pub(crate) async fn purge(store: &LabelStore, order: &PurgeOrder, run: PurgeRun) -> PurgeReport {
    store.purge(order, run, "ada", 9).await.unwrap()
}

/// Two people: the first blinks in frames 10 to 16, the second in 200 to 206.
pub(crate) async fn drive(store: &LabelStore, close: bool) {
    let labels = [blink(0, 10, 0.9), of(2, blink(1, 200, 0.8)), silence(2)];
    let mut all = vec![
        opened(1),
        batch(2, &labels),
        with_face(evidence(3, (2, 0))),
        with_face(picture(4, 12, (640, 480))),
        with_face(picture(5, 203, (640, 480))),
        part(6, 0, 240),
    ];
    if close {
        let counts = LabelCounts {
            offered: 2,
            abstained: 1,
            evidence: 3,
        };
        all.push(closed(7, 240, counts));
    }
    store.commit(&all).await.unwrap();
}

/// The rig tells of a segment of its recording.
pub(crate) fn recorded(seq: u64, frames: (u32, u32)) -> Incoming {
    let mut message = opened(seq);
    if let Content::Clip { message, .. } = &mut message.content {
        message.event = ClipEvent::Recorded(RecordedSegment {
            boot: boot(),
            segment: seq as u32,
            frames,
            pictures: 1,
            bytes: 1000,
            sha256: "ab".repeat(32).as_str().try_into().unwrap(),
            torn: false,
        });
    }
    message.payload = format!("recorded {seq}").into_bytes();
    message
}

pub(crate) async fn labels(store: &LabelStore) -> u64 {
    let page = store.queue(&QueueFilter::default()).await;
    page.unwrap().total
}
