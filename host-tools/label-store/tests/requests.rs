//! What is asked of rigs: who can be asked, which answers end a request, and how long it stays.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

#[expect(dead_code, reason = "shared with the contract's tests")]
#[path = "contract/made.rs"]
mod made;

use label_core::wire::{AskedPicture, Chunk, KeyPicture, MAX_ASKED_BYTES};
use label_core::{CaptureTime, LabelKind};
use label_store::{
    ClipId, Content, ImportedClip, LabelStore, NewPolicyStep, PolicyWord, RequestState, StoreError,
    StoredRequest, Wanted,
};
use made::*;

const DAY_US: i64 = 24 * 3600 * 1_000_000;

async fn store() -> (tempfile::TempDir, LabelStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = LabelStore::open(&folder.path().join("labels.db"))
        .await
        .unwrap();
    store.commit(&[opened(1)]).await.unwrap();
    (folder, store)
}

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

#[tokio::test]
async fn an_answer_that_brings_nothing_ends_the_request_and_so_does_another_whole_a_second_time() {
    let (_folder, store) = store().await;
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
        store.take_part(request, &wrong, part, 1).await.unwrap();
        let ended = stands(&store, request).await;
        assert_eq!(ended.state, RequestState::Refused, "{wrong:?}");
        assert_eq!(ended.reason.as_deref(), Some("damaged"));
    }

    let request = ask(&store, &frames).await;
    let part = [1; 500];
    let take = async |chunk: Chunk| {
        let taken = store.take_part(request, &chunk, &part, 1).await;
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

#[tokio::test]
async fn a_picture_is_no_answer_to_a_question_for_frames() {
    let (_folder, store) = store().await;
    let frames = Wanted::Frames(clip_of("rig"), (0, 9));
    let request = ask(&store, &frames).await;
    store
        .take_picture(request, &shown(), &JPEG, 1)
        .await
        .unwrap();
    assert_eq!(stands(&store, request).await.state, RequestState::Refused);
    let picture = store.requested_picture(request, 1).await.unwrap();
    assert_eq!(picture, None);
}

#[tokio::test]
async fn what_came_goes_after_thirty_days_though_nobody_asks_for_more() {
    let (_folder, store) = store().await;
    let request = ask(&store, &Wanted::Picture).await;
    store
        .take_picture(request, &shown(), &JPEG, 1)
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

#[tokio::test]
async fn a_source_of_imported_labels_is_asked_for_nothing_and_told_nothing() {
    let (_folder, store) = store().await;
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
    let mut import = store.begin_import(&name("team")).await.unwrap();
    import
        .clip(&imported, (&[message], &[]), &ada())
        .await
        .unwrap();
    import.finish().await.unwrap();
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
}
