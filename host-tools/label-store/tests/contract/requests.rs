//! What is asked of rigs: who can be asked, which answers end a request, and how long it stays.

use crate::made::*;
use label_core::wire::{
    AskedPicture, Chunk, ClipEvent, KeyPicture, MAX_ASKED_BYTES, Power, RecordedSegment, Status,
    WIRE_VERSION,
};
use label_core::{CaptureTime, LabelKind};
use label_store::{
    ClipId, Content, ImportedClip, LabelStore, NewImport, NewPolicyStep, PolicyWord, RequestState,
    StoreError, StoredRequest, Wanted,
};

const DAY_US: i64 = 24 * 3600 * 1_000_000;

fn clip_of(rig: &str) -> ClipId {
    ClipId {
        rig: name(rig),
        boot: boot(),
        clip: 1,
    }
}

async fn ask(store: &LabelStore, wanted: &Wanted) -> i64 {
    let asked = store.ask(&name("rig"), wanted, None, "ada", 0).await;
    asked.unwrap().request
}

async fn stands(store: &LabelStore, request: i64) -> StoredRequest {
    store.request(request).await.unwrap().unwrap()
}

/// A part of two frames, 1 and 2, of 1000 bytes each.
fn chunk(offset: u64, digit: &str) -> Chunk {
    let mut pictures = heapless::Vec::new();
    if offset == 0 {
        pictures.push((1, CaptureTime(1), 1000)).unwrap();
        pictures.push((2, CaptureTime(2), 1000)).unwrap();
    }
    Chunk {
        bytes: 2000,
        sha256: digit.repeat(64).as_str().try_into().unwrap(),
        offset,
        pictures,
    }
}

fn shown() -> AskedPicture {
    AskedPicture {
        clip: 1,
        picture: KeyPicture {
            frame: 1,
            pts_us: CaptureTime(1),
            size: (64, 48),
            of: (64, 48),
        },
    }
}

const JPEG: [u8; 4] = [0xff, 0xd8, 0xff, 0xe0];

pub(crate) async fn an_answer_that_brings_nothing_ends_the_request_and_so_does_another_whole_a_second_time(
    store: LabelStore,
) {
    store.commit(&[opened(1)]).await.unwrap();
    let frames = Wanted::Frames(clip_of("rig"), (0, 9));
    let too_long = Chunk {
        bytes: MAX_ASKED_BYTES + 1,
        ..chunk(0, "a")
    };
    for (wrong, part) in [
        (chunk(0, "a"), &[][..]),
        (chunk(500, "a"), &[1; 500][..]),
        (too_long, &[1; 500]),
    ] {
        let request = ask(&store, &frames).await;
        store
            .take_part((request, 0), &wrong, part, 1)
            .await
            .unwrap();
        let ended = stands(&store, request).await;
        assert_eq!(ended.state, RequestState::Refused, "{wrong:?}");
        assert_eq!(ended.reason.as_deref(), Some("damaged"));
    }

    let request = ask(&store, &frames).await;
    let part = [1; 500];
    let take = async |chunk: Chunk| {
        let have = stands(&store, request).await.have;
        let taken = store.take_part((request, have), &chunk, &part, 1).await;
        taken.unwrap();
        stands(&store, request).await
    };
    assert_eq!(take(chunk(0, "a")).await.have, 500);
    // The rig has other frames now: from the beginning, once.
    let anew = take(chunk(500, "b")).await;
    assert_eq!((anew.state, anew.have), (RequestState::Asked, 0));
    assert_eq!(anew.reason, None, "it is open");
    assert_eq!(take(chunk(0, "b")).await.have, 500);
    assert_eq!(take(chunk(500, "c")).await.state, RequestState::Refused);
}

pub(crate) async fn a_picture_is_no_answer_to_a_question_for_frames(store: LabelStore) {
    store.commit(&[opened(1)]).await.unwrap();
    let frames = Wanted::Frames(clip_of("rig"), (0, 9));
    let request = ask(&store, &frames).await;
    store
        .take_picture(request, (boot(), &shown()), &JPEG, 1)
        .await
        .unwrap();
    assert_eq!(stands(&store, request).await.state, RequestState::Refused);
    let picture = store.requested_picture(request, 1).await.unwrap();
    assert_eq!(picture, None);
}

pub(crate) async fn what_came_goes_after_thirty_days_though_nobody_asks_for_more(
    store: LabelStore,
) {
    store.commit(&[opened(1)]).await.unwrap();
    let request = ask(&store, &Wanted::Picture).await;
    store
        .take_picture(request, (boot(), &shown()), &JPEG, 1)
        .await
        .unwrap();
    let waits = ask(&store, &Wanted::Picture).await;
    store.forget_requests(29 * DAY_US).await.unwrap();
    let picture = store.requested_picture(request, 1).await.unwrap();
    assert_eq!(picture.as_deref(), Some(&JPEG[..]));
    let unanswered = stands(&store, waits).await;
    assert_eq!(unanswered.reason.as_deref(), Some("no-answer"));
    store.forget_requests(31 * DAY_US).await.unwrap();
    assert_eq!(store.requested_picture(request, 1).await.unwrap(), None);
    assert_eq!(store.request(request).await.unwrap(), None);
}

pub(crate) async fn a_source_of_imported_labels_is_asked_for_nothing_and_told_nothing(
    store: LabelStore,
) {
    store.commit(&[opened(1)]).await.unwrap();
    let mut message = opened(1);
    if let Content::Clip { message, .. } = &mut message.content {
        message.from.rig = name("team");
    }
    let imported = ImportedClip {
        id: clip_of("team"),
        told: "drive".to_owned(),
        of: Some(clip_of("rig")),
        is_truth: false,
        sha256: "ab".to_owned(),
        file: "set.json".to_owned(),
    };
    let source = name("team");
    let new = NewImport {
        clip: imported.clone(),
        messages: vec![message],
        made: Vec::new(),
    };
    store.import(&source, &[new], &ada()).await.unwrap();
    let here = store.imported_clips(Some(&source)).await.unwrap();
    assert_eq!(here, [imported]);
    store.can_import(&source).await.unwrap();
    let refused = store.import(&name("rig"), &[], &ada()).await;
    assert!(matches!(refused, Err(StoreError::SourceIsRig(_))));
    let scores = store.judged_scores(&source, LabelKind::Blink.into()).await;
    assert_eq!(scores.unwrap(), []);
    for rig in ["rig", "team"] {
        let step = NewPolicyStep {
            rig: name(rig),
            kind: LabelKind::Blink,
            word: PolicyWord::Demote,
            threshold: None,
            model: "eyes@1".to_owned(),
            decided_by: "lea".to_owned(),
            automatic: false,
            words: "too often wrong".to_owned(),
            evidence: serde_json::Value::Null,
            at_us: 1,
            after: 0,
        };
        store.add_policy_step(&step).await.unwrap();
    }
    let told: Vec<_> = store.policies().await.unwrap();
    let rigs: Vec<_> = told.iter().map(|(_, rig, _)| rig.as_str()).collect();
    assert_eq!(rigs, ["rig"]);
    let asked = store
        .ask(&name("team"), &Wanted::Picture, None, "ada", 1)
        .await;
    assert!(matches!(asked, Err(StoreError::NoSuchRig(_))), "{asked:?}");

    // A rig that begins to speak under this name is a rig from then on, and no source.
    let status = Content::Status {
        site: name("north"),
        message: Status {
            v: WIRE_VERSION,
            rig: name("team"),
            boot: boot(),
            state: Power::Online,
        },
    };
    let names = async || {
        let fleet = store.fleet(2).await.unwrap().into_iter();
        fleet.map(|rig| rig.rig.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["rig"]);
    store.commit(&[incoming(status, "status")]).await.unwrap();
    assert_eq!(names().await, ["rig", "team"]);
    store
        .ask(&name("team"), &Wanted::Picture, None, "ada", 1)
        .await
        .unwrap();
    let again = store.import(&name("team"), &[], &ada()).await;
    assert!(matches!(again, Err(StoreError::SourceIsRig(_))));
}

pub(crate) async fn what_another_ingester_took_in_since_it_was_asked_stands(store: LabelStore) {
    store.commit(&[opened(1)]).await.unwrap();
    let request = ask(&store, &Wanted::Frames(clip_of("rig"), (0, 9))).await;
    for _ in 0..2 {
        let first = chunk(0, "a");
        let taken = store.take_part((request, 0), &first, &[1; 500], 1);
        taken.await.unwrap();
        let now = stands(&store, request).await;
        assert_eq!((now.state, now.have), (RequestState::Arriving, 500));
    }
    // A picture that came for a request that is over, or forgotten, is no trouble.
    for over in [request + 1, ask(&store, &Wanted::Picture).await] {
        store.refuse_request(over, "busy", 1).await.unwrap();
        let taken = store.take_picture(over, (boot(), &shown()), &JPEG, 1).await;
        taken.unwrap();
        assert_eq!(store.requested_picture(over, 1).await.unwrap(), None);
    }
}

pub(crate) async fn one_program_at_a_time_asks_rigs(store: LabelStore) {
    if !store.is_shared() {
        // Nobody else can open it to take in messages.
        return;
    }
    let mut first = store.take_askers_place().await.unwrap().unwrap();
    assert!(first.is_ours().await);
    assert!(store.take_askers_place().await.unwrap().is_none());
    drop(first);
    // The server hears of it when it hears of it.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while store.take_askers_place().await.unwrap().is_none() {
        assert!(std::time::Instant::now() < deadline, "nobody asks any more");
        tokio::task::yield_now().await;
    }
}

pub(crate) async fn a_segment_that_a_rig_recorded_is_as_it_told_last(store: LabelStore) {
    let told = |seq, torn, pictures| {
        let mut message = opened(seq);
        if let Content::Clip { message, .. } = &mut message.content {
            message.event = ClipEvent::Recorded(RecordedSegment {
                boot: boot(),
                segment: 0,
                frames: (0, 40),
                pictures,
                bytes: 1 << 33,
                sha256: "ab".repeat(32).as_str().try_into().unwrap(),
                torn,
            });
        }
        message.payload = format!("{seq}").into_bytes();
        message
    };
    store
        .commit(&[told(1, false, 41), told(2, true, 40)])
        .await
        .unwrap();
    let segments = store.recorded_segments(&clip_of("rig")).await.unwrap();
    let [segment] = &segments[..] else {
        panic!("{segments:?}")
    };
    assert_eq!(
        (
            segment.frames,
            segment.pictures,
            segment.bytes,
            segment.torn
        ),
        ((0, 40), 40, 1 << 33, true)
    );
}
