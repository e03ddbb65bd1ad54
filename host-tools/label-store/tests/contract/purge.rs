//! What was purged, or is too old, is gone, stays gone, and is not missed.

use crate::drive::*;
use crate::made::*;
use label_core::CaptureTime;
use label_core::wire::{AskedPicture, KeyPicture, LabelCounts, Power, Status, WIRE_VERSION};
use label_store::{
    Balance, Content, Incoming, Judgement, LabelStore, Outdated, PurgeRun, PurgedLabels,
    QueueFilter, RequestState, Retention, StoreError, Wanted,
};
use std::time::Duration;

async fn leaves_nothing(store: &LabelStore) -> bool {
    let left = store.leave_no_trace(Duration::from_secs(5)).await.unwrap();
    left.is_empty()
}

pub(crate) async fn a_clip_that_is_purged_is_gone_from_the_tables_and_not_missed(
    store: LabelStore,
) {
    drive(&store, true).await;
    store
        .record_verdict(&id(2, 0), &verdict(Judgement::Accept), &ada())
        .await
        .unwrap();
    let wanted = order(None, PurgedLabels::Drop);
    let counted = purge(&store, &wanted, PurgeRun::Dry).await;
    assert_eq!(
        store.pictures(&driven()).await.unwrap().len(),
        2,
        "counted only"
    );
    let done = purge(&store, &wanted, PurgeRun::Real).await;
    assert_eq!(counted, done);
    assert_eq!((done.filmstrips, done.pictures), (1, 2));
    assert_eq!((done.labels, done.said, done.made), (3, 1, 0));
    assert!(leaves_nothing(&store).await);
    assert_eq!(store.pictures(&driven()).await.unwrap(), []);
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
    assert_eq!(store.pictures(&driven()).await.unwrap(), []);
}

pub(crate) async fn while_somebody_reads_what_was_there_before_it_is_said_to_be_still_there(
    store: LabelStore,
) {
    drive(&store, true).await;
    let mut reading = store.snapshot().await.unwrap();
    assert_eq!(
        reading.clips(&QueueFilter::default()).await.unwrap().len(),
        1
    );
    purge(&store, &order(None, PurgedLabels::Keep), PurgeRun::Real).await;
    let left = store.leave_no_trace(Duration::ZERO).await.unwrap();
    assert!(!left.is_empty(), "told where it can still be read");
    // Nobody stands behind it meanwhile.
    let late = [batch(8, &[])];
    let late = store.commit(&late);
    let late = tokio::time::timeout(Duration::from_secs(5), late).await;
    assert_eq!(late.unwrap().unwrap().committed, 1);
    drop(reading);
    assert!(leaves_nothing(&store).await);
}

pub(crate) async fn labels_that_are_kept_stay_with_their_verdicts_and_the_clip_balances(
    store: LabelStore,
) {
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

pub(crate) async fn what_comes_late_of_a_purged_clip_is_acknowledged_and_not_kept(
    store: LabelStore,
) {
    drive(&store, false).await;
    purge(&store, &order(None, PurgedLabels::Drop), PurgeRun::Real).await;
    assert!(leaves_nothing(&store).await);
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
    assert_eq!(store.pictures(&driven()).await.unwrap(), []);
    let summary = store.summary().await.unwrap();
    assert_eq!(summary.clips[0].committed.offered, 0);
    assert_eq!(summary.clips[0].balance, Balance::Balanced);
    let rig = store.fleet(9).await.unwrap().remove(0);
    assert_eq!((rig.made, rig.committed), (0, 0));
    assert!(label_store::imbalance(&rig.runs, None).is_none());
}

pub(crate) async fn of_one_person_go_their_labels_and_every_picture_they_may_be_in_and_no_other(
    store: LabelStore,
) {
    drive(&store, true).await;
    let second = order(Some(2), PurgedLabels::Drop);
    let done = purge(&store, &second, PurgeRun::Real).await;
    assert_eq!(done.frames, Some((200, 206)));
    assert_eq!((done.filmstrips, done.pictures, done.labels), (0, 1, 1));
    assert_eq!(labels(&store).await, 1);
    assert_eq!(store.evidence(&id(2, 0)).await.unwrap().len(), 1);
    let left = store.pictures(&driven()).await.unwrap();
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

pub(crate) async fn a_person_of_a_clip_that_goes_on_cannot_be_purged_yet_and_an_unknown_clip_never(
    store: LabelStore,
) {
    drive(&store, false).await;
    let one = order(Some(1), PurgedLabels::Drop);
    let refused = store.purge(&one, PurgeRun::Real, "ada", 9).await;
    assert!(matches!(refused, Err(StoreError::Purge(_))));
    let mut unknown = order(None, PurgedLabels::Drop);
    unknown.clip.clip = 9;
    let refused = store.purge(&unknown, PurgeRun::Real, "ada", 9).await;
    assert!(matches!(refused, Err(StoreError::NoSuchClip(_))));
}

pub(crate) async fn what_was_asked_of_the_rig_goes_too_and_cannot_be_asked_again(
    store: LabelStore,
) {
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
    let frames = Wanted::Frames(driven(), (10, 20));
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

pub(crate) async fn pictures_that_are_too_old_go_and_are_not_missed_and_labels_stay(
    store: LabelStore,
) {
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
    assert!(leaves_nothing(&store).await);
}

pub(crate) async fn beyond_a_size_the_oldest_pictures_go_and_no_more_than_needed(
    store: LabelStore,
) {
    drive(&store, true).await;
    let one = (300 * FACE.len()) as u64;
    let tight = Retention {
        pictures_bytes: Some(2 * one),
        ..Retention::default()
    };
    let gone = store.retire(&tight, LATER).await.unwrap();
    assert_eq!((gone.pictures, gone.bytes), (1, one));
    assert!(store.evidence(&id(2, 0)).await.unwrap().is_empty());
    assert_eq!(store.pictures(&driven()).await.unwrap().len(), 2);
    assert_eq!(
        store.retire(&tight, LATER).await.unwrap(),
        Outdated::default()
    );
}

pub(crate) async fn labels_go_with_their_clip_when_their_run_is_too_old_and_once_only(
    store: LabelStore,
) {
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

pub(crate) async fn a_rig_is_asked_when_it_is_there_until_it_says_that_nothing_is_left(
    store: LabelStore,
) {
    drive(&store, true).await;
    purge(&store, &order(Some(2), PurgedLabels::Keep), PurgeRun::Real).await;
    assert_eq!(store.open_purges().await.unwrap(), [], "it is away");
    store.commit(&[online()]).await.unwrap();
    let open = store.open_purges().await.unwrap();
    assert_eq!((open.len(), &open[0].clip), (1, &driven()));
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
    let segments = store.recorded_segments(&driven()).await.unwrap();
    assert_eq!(segments.len(), 1, "and nothing of it is offered");
}

pub(crate) async fn a_large_purge_lets_others_write_and_goes_on_where_a_kill_left_it(
    store: LabelStore,
) {
    const BATCHES: u64 = 300;
    drive(&store, false).await;
    let eight: Vec<_> = (0..8).map(|n| blink(n, 10 * u32::from(n), 0.9)).collect();
    let many: Vec<_> = (7..7 + BATCHES).map(|seq| batch(seq, &eight)).collect();
    store.commit(&many).await.unwrap();
    let all = 3 + 8 * BATCHES;
    let counts = LabelCounts {
        offered: all - 1,
        abstained: 1,
        evidence: 3,
    };
    let end = 7 + BATCHES;
    store.commit(&[closed(end, 240, counts)]).await.unwrap();

    let wanted = order(None, PurgedLabels::Drop);
    let counted = purge(&store, &wanted, PurgeRun::Dry).await;
    assert_eq!((counted.labels, labels(&store).await), (all, all - 1));
    let of_clip = async || {
        let clips = store.summary().await.unwrap().clips;
        clips.into_iter().find(|clip| clip.clip.id == driven())
    };
    // Another rig's messages are taken in between two steps. When some labels are gone, the program is killed.
    let others = async {
        let mut seq = 0;
        while of_clip().await.unwrap().committed.offered == all - 1 {
            seq += 1;
            let mut message = batch(seq, &[]);
            if let Content::Labels { batch, .. } = &mut message.content {
                batch.from.rig = name("other");
            }
            store.commit(&[message]).await.unwrap();
        }
    };
    tokio::select! {
        _ = store.purge(&wanted, PurgeRun::Real, "ada", 9) => panic!("it was done before anybody else had a turn"),
        () = others => {}
    }
    let left = labels(&store).await;
    assert!(left > 0 && left < all - 1, "{left} of {all}");
    assert_eq!(store.unfinished_purges().await.unwrap(), [(driven(), None)]);
    let audit = store.audit(10).await.unwrap();
    assert!(audit.iter().all(|line| line.what != "purged"));
    let half = of_clip().await.unwrap();
    assert_eq!(half.balance, Balance::Balanced);
    // Nothing that comes now is kept.
    let late = batch(end + 1, &[blink(0, 20, 0.7)]);
    store.commit(&[late]).await.unwrap();
    let there = labels(&store).await;
    assert!(there <= left);

    let done = purge(&store, &wanted, PurgeRun::Real).await;
    assert!(done.labels > 0 && done.labels < all);
    assert_eq!(labels(&store).await, 0);
    assert_eq!(store.unfinished_purges().await.unwrap(), []);
    assert_eq!(store.audit(1).await.unwrap()[0].what, "purged");
    let open = store.purges_awaited().await.unwrap();
    assert_eq!(
        open,
        [(name("rig"), 1)],
        "one order, however often it was begun"
    );
}
