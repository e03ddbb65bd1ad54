//! Which export is next, and how long what was exported stays.
use label_store::{Archive, ExportState, LabelStore, StoreError};
use serde_json::json;

const DAY_US: i64 = 24 * 3600 * 1_000_000;
const GIB: u64 = 1 << 30;

async fn ask(store: &LabelStore) -> i64 {
    let asked = store
        .ask_export("desk", &json!({"format": "csv"}), "ada", 0)
        .await;
    asked.unwrap().export
}

async fn here(store: &LabelStore, bytes: u64, at_us: i64) -> i64 {
    ask(store).await;
    let export = store.next_export("desk").await.unwrap().unwrap().export;
    let archive = Archive {
        bytes,
        sha256: "5e".repeat(32),
        summary: json!({}),
    };
    store.end_export(export, &Ok(archive), at_us).await.unwrap();
    export
}

async fn left(store: &LabelStore) -> Vec<i64> {
    let all = store.exports("desk").await.unwrap();
    all.iter().map(|one| one.export).collect()
}

pub(crate) async fn what_was_running_when_the_host_went_down_goes_before_what_waits(
    store: LabelStore,
) {
    let (first, second) = (ask(&store).await, ask(&store).await);
    assert_eq!(
        store.next_export("desk").await.unwrap().unwrap().export,
        first
    );
    // A host that comes back knows nothing but what the store says.
    let next = store.next_export("desk").await.unwrap().unwrap();
    assert_eq!((next.export, next.state), (first, ExportState::Running));
    let failed = Err("no label matches".to_owned());
    store.end_export(first, &failed, 1).await.unwrap();
    let ended = store.export(first).await.unwrap().unwrap();
    assert_eq!(ended.state, ExportState::Failed);
    assert_eq!(ended.reason.as_deref(), Some("no label matches"));
    assert_eq!(
        store.next_export("desk").await.unwrap().unwrap().export,
        second
    );
    // Who works on it learns that it was deleted, and nothing brings it back.
    assert!(store.delete_export(second, "ada", 2).await.unwrap());
    assert!(!store.note_export(second, 1, 2).await.unwrap());
    store.end_export(second, &failed, 3).await.unwrap();
    assert!(store.next_export("desk").await.unwrap().is_none());
    assert_eq!(left(&store).await, [first]);
}

pub(crate) async fn exports_go_when_they_are_old_or_too_much_and_numbers_do_not_come_back(
    store: LabelStore,
) {
    let old = here(&store, 1, 0).await;
    let (large, late) = (
        here(&store, 10 * GIB, DAY_US).await,
        here(&store, 10 * GIB, DAY_US).await,
    );
    store.forget_exports(DAY_US).await.unwrap();
    assert_eq!(
        left(&store).await,
        [late],
        "the first two are beyond 16 GiB"
    );
    let waiting = ask(&store).await;
    assert!(waiting > late && late > large && large > old);
    store.forget_exports(40 * DAY_US).await.unwrap();
    assert_eq!(left(&store).await, [waiting], "what waits is not too old");
    // The last stays however large it is.
    store.delete_export(waiting, "ada", 0).await.unwrap();
    let huge = here(&store, 40 * GIB, 40 * DAY_US).await;
    store.forget_exports(40 * DAY_US).await.unwrap();
    assert_eq!(left(&store).await, [huge]);
}

pub(crate) async fn an_export_is_told_as_far_as_it_came_and_with_what_is_in_it(store: LabelStore) {
    let wish =
        json!({"format": "coco", "rig": "rig-\"ä\"", "subsets": [{"name": "train", "share": 80}]});
    let asked = store.ask_export("desk", &wish, "ada", 7).await.unwrap();
    assert_eq!(
        (asked.state, asked.done, asked.total),
        (ExportState::Waiting, 0, None)
    );
    assert_eq!(
        (&asked.wish, asked.asked_by.as_str(), asked.asked_us),
        (&wish, "ada", 7)
    );
    let export = asked.export;
    store.next_export("desk").await.unwrap();
    assert!(store.note_export(export, 40, 1 << 40).await.unwrap());
    let running = store.export(export).await.unwrap().unwrap();
    assert_eq!((running.done, running.total), (40, Some(1 << 40)));
    // Whoever goes on with it begins to count anew, and knows what there is to do.
    let again = store.next_export("desk").await.unwrap().unwrap();
    assert_eq!(
        (again.export, again.done, again.total),
        (export, 0, Some(1 << 40))
    );
    let archive = Archive {
        bytes: 5 * GIB,
        sha256: "5e".repeat(32),
        summary: json!({"clips": 3, "lost": {"tracks: \"left\" out": 2}}),
    };
    store
        .end_export(export, &Ok(archive.clone()), 9)
        .await
        .unwrap();
    let here = store.export(export).await.unwrap().unwrap();
    assert_eq!(
        (here.state, here.done, here.ended_us),
        (ExportState::Here, 1 << 40, Some(9))
    );
    assert_eq!((here.archive, here.reason), (Some(archive), None));
}

pub(crate) async fn hosts_on_one_store_write_and_forget_their_own_exports_and_eight_at_most_wait(
    store: LabelStore,
) {
    let other = json!({"format": "csv"});
    let theirs = store
        .ask_export("other", &other, "bob", 0)
        .await
        .unwrap()
        .export;
    for _ in 0..8 {
        ask(&store).await;
    }
    let ninth = store.ask_export("desk", &other, "ada", 0).await;
    assert!(matches!(ninth, Err(StoreError::EnoughExports)), "{ninth:?}");
    let next = store.next_export("other").await.unwrap().unwrap();
    assert_eq!(next.export, theirs);
    assert!(!left(&store).await.contains(&theirs));
    // Each host's latest stays, however large.
    let ours = store.next_export("desk").await.unwrap().unwrap().export;
    for export in [theirs, ours] {
        let archive = Archive {
            bytes: 40 * GIB,
            sha256: "5e".repeat(32),
            summary: json!({}),
        };
        let ended = Ok(archive);
        store.end_export(export, &ended, DAY_US).await.unwrap();
    }
    store.forget_exports(DAY_US).await.unwrap();
    assert!(left(&store).await.contains(&ours));
    assert_eq!(store.exports("other").await.unwrap().len(), 1);
}
