//! Which export is next, and how long what was exported stays.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

use label_store::{Archive, ExportState, LabelStore};
use serde_json::json;

const DAY_US: i64 = 24 * 3600 * 1_000_000;
const GIB: u64 = 1 << 30;

async fn store() -> (tempfile::TempDir, LabelStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = LabelStore::open(&folder.path().join("labels.db"))
        .await
        .unwrap();
    (folder, store)
}

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

#[tokio::test]
async fn what_was_running_when_the_host_went_down_goes_before_what_waits() {
    let (folder, store) = store().await;
    let (first, second) = (ask(&store).await, ask(&store).await);
    assert_eq!(
        store.next_export("desk").await.unwrap().unwrap().export,
        first
    );
    store.close().await;
    let store = LabelStore::open(&folder.path().join("labels.db"))
        .await
        .unwrap();
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

#[tokio::test]
async fn exports_go_when_they_are_old_or_too_much_and_numbers_do_not_come_back() {
    let (_folder, store) = store().await;
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
