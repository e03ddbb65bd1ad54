//! What was purged is gone from tables and files, stays gone, and is not missed.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

#[expect(dead_code, reason = "shared with the contract's tests")]
#[path = "contract/made.rs"]
mod made;

use label_core::CaptureTime;
use label_core::wire::{
    AskedPicture, ClipEvent, KeyPicture, Label, LabelCounts, Power, RecordedSegment, Status,
    WIRE_VERSION,
};
use label_store::{
    Balance, ClipId, Content, Incoming, Judgement, LabelStore, Outdated, PurgeOrder, PurgeReport,
    PurgeRun, PurgedLabels, QueueFilter, RequestState, Retention, StoreError, Wanted,
};
use made::*;
use std::path::Path;
use std::time::Duration;

/// Stands for a face; long enough to lie on pages of its own.
const FACE: &[u8] = b"the face of somebody who wants to be forgotten";

async fn store() -> (tempfile::TempDir, LabelStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = LabelStore::open(&folder.path().join("labels.db"))
        .await
        .unwrap();
    (folder, store)
}

fn with_face(incoming: Incoming) -> Incoming {
    Incoming {
        payload: [b"head-", FACE.repeat(300).as_slice()].concat(),
        ..incoming
    }
}

/// Whether a face can be read in any file of the folder.
fn shows_a_face(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(FACE.len()).any(|part| part == FACE)
    })
}

fn of(track: u16, label: Label) -> Label {
    Label {
        track: Some(track),
        ..label
    }
}

fn clip() -> ClipId {
    ClipId {
        rig: name("rig"),
        boot: boot(),
        clip: 1,
    }
}

fn order(track: Option<u16>, labels: PurgedLabels) -> PurgeOrder {
    PurgeOrder {
        clip: clip(),
        track,
        labels,
    }
}

async fn purge(store: &LabelStore, order: &PurgeOrder, run: PurgeRun) -> PurgeReport {
    store.purge(order, run, "ada", 9).await.unwrap()
}

/// Two people: the first blinks in frames 10 to 16, the second in 200 to 206.
async fn drive(store: &LabelStore, close: bool) {
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
fn recorded(seq: u64, frames: (u32, u32)) -> Incoming {
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

async fn labels(store: &LabelStore) -> u64 {
    let page = store.queue(&QueueFilter::default()).await;
    page.unwrap().total
}

#[tokio::test]
async fn a_clip_that_is_purged_leaves_no_byte_of_its_pictures_in_any_file() {
    let (folder, store) = store().await;
    drive(&store, true).await;
    store
        .record_verdict(&id(2, 0), &verdict(Judgement::Accept), &ada())
        .await
        .unwrap();
    assert!(shows_a_face(folder.path()));
    let wanted = order(None, PurgedLabels::Drop);
    let counted = purge(&store, &wanted, PurgeRun::Dry).await;
    assert_eq!(
        store.pictures(&clip()).await.unwrap().len(),
        2,
        "counted only"
    );
    let done = purge(&store, &wanted, PurgeRun::Real).await;
    assert_eq!(counted, done);
    assert_eq!((done.filmstrips, done.pictures), (1, 2));
    assert_eq!((done.labels, done.said, done.made), (3, 1, 0));
    assert!(store.leave_no_trace(Duration::from_secs(5)).await.unwrap());
    assert!(!shows_a_face(folder.path()));
    assert_eq!(store.pictures(&clip()).await.unwrap(), []);
    assert!(store.evidence(&id(2, 0)).await.unwrap().is_empty());
    // Nothing is missed, and who did it stands there.
    let summary = store.summary().await.unwrap();
    assert_eq!(summary.clips[0].balance, Balance::Balanced);
    assert_eq!(summary.clips[0].committed.offered, 0);
    let audit = store.audit(10).await.unwrap();
    assert_eq!((&*audit[0].who, &*audit[0].what), ("ada", "purged"));
    assert!(audit[0].about.ends_with("with labels"));
    // Sent again, it is known, and stays away.
    drive(&store, true).await;
    assert_eq!(store.pictures(&clip()).await.unwrap(), []);
}

#[tokio::test]
async fn while_somebody_reads_what_was_there_before_the_log_is_said_to_keep_it() {
    let (folder, store) = store().await;
    drive(&store, true).await;
    let mut reading = store.snapshot().await.unwrap();
    assert_eq!(
        reading.clips(&QueueFilter::default()).await.unwrap().len(),
        1
    );
    purge(&store, &order(None, PurgedLabels::Keep), PurgeRun::Real).await;
    assert!(!store.leave_no_trace(Duration::ZERO).await.unwrap());
    drop(reading);
    assert!(store.leave_no_trace(Duration::from_secs(5)).await.unwrap());
    assert!(!shows_a_face(folder.path()));
}

#[tokio::test]
async fn labels_that_are_kept_stay_with_their_verdicts_and_the_clip_balances() {
    let (_folder, store) = store().await;
    drive(&store, true).await;
    let judged = verdict(Judgement::Accept);
    store
        .record_verdict(&id(2, 0), &judged, &ada())
        .await
        .unwrap();
    let done = purge(&store, &order(None, PurgedLabels::Keep), PurgeRun::Real).await;
    assert_eq!((done.labels, done.said), (0, 0));
    let summary = store.summary().await.unwrap();
    assert_eq!(summary.clips[0].review.accepted, 1);
    assert_eq!(summary.clips[0].committed.offered, 2);
    assert_eq!(summary.clips[0].balance, Balance::Balanced);
}

#[tokio::test]
async fn what_comes_late_of_a_purged_clip_is_acknowledged_and_not_kept() {
    let (folder, store) = store().await;
    drive(&store, false).await;
    purge(&store, &order(None, PurgedLabels::Drop), PurgeRun::Real).await;
    store.leave_no_trace(Duration::from_secs(5)).await.unwrap();
    let counts = LabelCounts {
        offered: 3,
        abstained: 1,
        evidence: 5,
    };
    let late = [
        batch(7, &[blink(0, 20, 0.7)]),
        with_face(evidence(8, (7, 0))),
        with_face(picture(9, 22, (640, 480))),
        closed(10, 240, counts),
    ];
    let report = store.commit(&late).await.unwrap();
    assert_eq!((report.committed, report.quarantined), (4, 0));
    assert_eq!(report.watermarks[0].boots, [(boot(), 10)]);
    assert_eq!(store.pictures(&clip()).await.unwrap(), []);
    assert!(!shows_a_face(folder.path()));
    let summary = store.summary().await.unwrap();
    assert_eq!(summary.clips[0].committed.offered, 0);
    assert_eq!(summary.clips[0].balance, Balance::Balanced);
    let rig = store.fleet(9).await.unwrap().remove(0);
    assert_eq!((rig.made, rig.committed), (0, 0));
    assert!(label_store::imbalance(&rig.runs, None).is_none());
}

#[tokio::test]
async fn of_one_person_go_their_labels_and_every_picture_they_may_be_in_and_no_other() {
    let (_folder, store) = store().await;
    drive(&store, true).await;
    let second = order(Some(2), PurgedLabels::Drop);
    let done = purge(&store, &second, PurgeRun::Real).await;
    assert_eq!(done.frames, Some((200, 206)));
    assert_eq!((done.filmstrips, done.pictures, done.labels), (0, 1, 1));
    assert_eq!(labels(&store).await, 1);
    assert_eq!(store.evidence(&id(2, 0)).await.unwrap().len(), 1);
    let left = store.pictures(&clip()).await.unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].shows.frame, 12);
    let summary = store.summary().await.unwrap();
    assert_eq!(summary.clips[0].balance, Balance::Balanced);
    assert_eq!(summary.clips[0].tracks, 1);
    // As the command asks for where the file could not be written anew.
    let again = purge(&store, &second, PurgeRun::Real).await;
    assert_eq!((again.frames, again.labels), (Some((200, 206)), 0));
    let nobody = order(Some(7), PurgedLabels::Keep);
    let refused = store.purge(&nobody, PurgeRun::Dry, "ada", 9).await;
    assert!(matches!(refused, Err(StoreError::Purge(_))));
}

#[tokio::test]
async fn a_person_of_a_clip_that_goes_on_cannot_be_purged_yet_and_an_unknown_clip_never() {
    let (_folder, store) = store().await;
    drive(&store, false).await;
    let one = order(Some(1), PurgedLabels::Drop);
    let refused = store.purge(&one, PurgeRun::Real, "ada", 9).await;
    assert!(matches!(refused, Err(StoreError::Purge(_))));
    let mut unknown = order(None, PurgedLabels::Drop);
    unknown.clip.clip = 9;
    let refused = store.purge(&unknown, PurgeRun::Real, "ada", 9).await;
    assert!(matches!(refused, Err(StoreError::NoSuchClip(_))));
}

#[tokio::test]
async fn what_was_asked_of_the_rig_goes_too_and_cannot_be_asked_again() {
    let (_folder, store) = store().await;
    drive(&store, true).await;
    let now = store
        .ask(&name("rig"), &Wanted::Picture, None, "ada", 1)
        .await;
    let now = now.unwrap().request;
    let shown = AskedPicture {
        clip: 1,
        picture: KeyPicture {
            frame: 230,
            pts_us: CaptureTime(1),
            size: (64, 48),
            of: (64, 48),
        },
    };
    let jpeg = [0xff, 0xd8, 0xff, 0xe0];
    store
        .take_picture(now, (boot(), &shown), &jpeg, 2)
        .await
        .unwrap();
    let frames = Wanted::Frames(clip(), (10, 20));
    store
        .ask(&name("rig"), &frames, None, "ada", 3)
        .await
        .unwrap();
    let done = purge(&store, &order(None, PurgedLabels::Keep), PurgeRun::Real).await;
    assert_eq!(done.requests, 2);
    assert!(store.request(now).await.unwrap().is_none());
    assert_eq!(store.requested_picture(now, 230).await.unwrap(), None);
    let again = store.ask(&name("rig"), &frames, None, "ada", 4).await;
    assert!(matches!(again, Err(StoreError::Purged(_))));
    // What the rig sees now can be asked for, and is refused if it is of that clip.
    let now = store
        .ask(&name("rig"), &Wanted::Picture, None, "ada", 5)
        .await;
    let now = now.unwrap().request;
    store
        .take_picture(now, (boot(), &shown), &jpeg, 6)
        .await
        .unwrap();
    let told = store.request(now).await.unwrap().unwrap();
    assert_eq!(told.state, RequestState::Refused);
    assert_eq!(store.requested_picture(now, 230).await.unwrap(), None);
}

/// The messages of the drive came at 1000 µs.
const LATER: i64 = 5000;

#[tokio::test]
async fn pictures_that_are_too_old_go_and_are_not_missed_and_labels_stay() {
    let (folder, store) = store().await;
    drive(&store, true).await;
    let young = Retention {
        pictures_us: Some(LATER),
        ..Retention::default()
    };
    let none = store.retire(&young, LATER).await.unwrap();
    assert_eq!(none, Outdated::default());
    let old = Retention {
        pictures_us: Some(LATER - 1001),
        ..Retention::default()
    };
    let gone = store.retire(&old, LATER).await.unwrap();
    assert_eq!((gone.pictures, gone.clips), (3, 0));
    assert_eq!(gone.bytes, 3 * 300 * FACE.len() as u64);
    assert_eq!(labels(&store).await, 2);
    let summary = store.summary().await.unwrap();
    assert_eq!(summary.clips[0].balance, Balance::Balanced);
    assert!(store.leave_no_trace(Duration::from_secs(5)).await.unwrap());
    assert!(!shows_a_face(folder.path()));
}

#[tokio::test]
async fn beyond_a_size_the_oldest_pictures_go_and_no_more_than_needed() {
    let (_folder, store) = store().await;
    drive(&store, true).await;
    let one = (300 * FACE.len()) as u64;
    let tight = Retention {
        pictures_bytes: Some(2 * one),
        ..Retention::default()
    };
    let gone = store.retire(&tight, LATER).await.unwrap();
    assert_eq!((gone.pictures, gone.bytes), (1, one));
    assert!(store.evidence(&id(2, 0)).await.unwrap().is_empty());
    assert_eq!(store.pictures(&clip()).await.unwrap().len(), 2);
    assert_eq!(
        store.retire(&tight, LATER).await.unwrap(),
        Outdated::default()
    );
}

#[tokio::test]
async fn labels_go_with_their_clip_when_their_run_is_too_old_and_once_only() {
    let (_folder, store) = store().await;
    drive(&store, true).await;
    let kept = Retention {
        labels_us: Some(100),
        ..Retention::default()
    };
    assert_eq!(store.retire(&kept, 1050).await.unwrap().clips, 0);
    assert_eq!(store.retire(&kept, LATER).await.unwrap().clips, 1);
    assert_eq!(labels(&store).await, 0);
    assert_eq!(store.retire(&kept, LATER).await.unwrap().clips, 0);
    let summary = store.summary().await.unwrap();
    assert_eq!(summary.clips[0].balance, Balance::Balanced);
    assert_eq!(store.audit(1).await.unwrap()[0].who, "retention");
}

fn online() -> Incoming {
    let message = Status {
        v: WIRE_VERSION,
        rig: name("rig"),
        boot: boot(),
        state: Power::Online,
    };
    let content = Content::Status {
        site: name("north"),
        message,
    };
    incoming(content, "online")
}

#[tokio::test]
async fn a_rig_is_asked_when_it_is_there_until_it_says_that_nothing_is_left() {
    let (_folder, store) = store().await;
    drive(&store, true).await;
    purge(&store, &order(Some(2), PurgedLabels::Keep), PurgeRun::Real).await;
    assert_eq!(store.open_purges().await.unwrap(), [], "it is away");
    store.commit(&[online()]).await.unwrap();
    let open = store.open_purges().await.unwrap();
    assert_eq!((open.len(), &open[0].clip), (1, &clip()));
    assert_eq!(open[0].frames, Some((200, 206)));
    let purge = open[0].purge;
    store.rig_purged(purge, "busy", false, 10).await.unwrap();
    assert_eq!(store.open_purges().await.unwrap().len(), 1);
    assert_eq!(store.purges_awaited().await.unwrap(), [(name("rig"), 1)]);
    store
        .rig_purged(purge, "deleted 1 segments", true, 11)
        .await
        .unwrap();
    assert_eq!(store.open_purges().await.unwrap(), []);
    assert_eq!(store.purges_awaited().await.unwrap(), []);
    // It recorded another while it deleted.
    store
        .commit(&[recorded(8, (0, 100)), recorded(9, (205, 239))])
        .await
        .unwrap();
    assert_eq!(store.purges_awaited().await.unwrap(), [(name("rig"), 1)]);
    let segments = store.recorded_segments(&clip()).await.unwrap();
    assert_eq!(segments.len(), 1, "and nothing of it is offered");
}
