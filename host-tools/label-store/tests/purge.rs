//! What was purged or too old can be read in no file of the database.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

#[expect(dead_code, reason = "shared with the contract's tests")]
#[path = "contract/drive.rs"]
mod drive;
#[expect(dead_code, reason = "shared with the contract's tests")]
#[path = "contract/made.rs"]
mod made;

use drive::*;
use label_store::{LabelStore, PurgeRun, PurgedLabels, QueueFilter, Retention};
use made::*;
use std::path::Path;
use std::time::Duration;

async fn store() -> (tempfile::TempDir, LabelStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = LabelStore::open(&folder.path().join("labels.db"))
        .await
        .unwrap();
    (folder, store)
}

/// Whether a face can be read in any file of the folder.
fn shows_a_face(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().any(|entry| {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        bytes.windows(FACE.len()).any(|part| part == FACE)
    })
}

async fn leaves_nothing(store: &LabelStore) -> bool {
    let left = store.leave_no_trace(Duration::from_secs(5)).await.unwrap();
    left.is_empty()
}

#[tokio::test]
async fn a_clip_that_is_purged_leaves_no_byte_of_its_pictures_in_any_file() {
    let (folder, store) = store().await;
    drive(&store, true).await;
    assert!(shows_a_face(folder.path()));
    let wanted = order(None, PurgedLabels::Drop);
    purge(&store, &wanted, PurgeRun::Real).await;
    assert!(leaves_nothing(&store).await);
    assert!(!shows_a_face(folder.path()));
    // Sent again, it is known, and stays away.
    drive(&store, true).await;
    assert!(!shows_a_face(folder.path()));
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
    let left = store.leave_no_trace(Duration::ZERO).await.unwrap();
    assert_eq!(left, ["the log beside the file"]);
    drop(reading);
    assert!(leaves_nothing(&store).await);
    assert!(!shows_a_face(folder.path()));
}

#[tokio::test]
async fn what_comes_late_of_a_purged_clip_is_written_to_no_file() {
    let (folder, store) = store().await;
    drive(&store, false).await;
    purge(&store, &order(None, PurgedLabels::Drop), PurgeRun::Real).await;
    assert!(leaves_nothing(&store).await);
    let late = [
        with_face(evidence(8, (7, 0))),
        with_face(picture(9, 22, (640, 480))),
    ];
    store.commit(&late).await.unwrap();
    assert!(!shows_a_face(folder.path()));
}

#[tokio::test]
async fn pictures_that_went_for_their_age_are_in_no_file_once_it_is_written_anew() {
    let (folder, store) = store().await;
    drive(&store, true).await;
    let old = Retention {
        pictures_us: Some(1),
        ..Retention::default()
    };
    assert_eq!(store.retire(&old, 5000).await.unwrap().pictures, 3);
    assert!(leaves_nothing(&store).await);
    assert!(!shows_a_face(folder.path()));
}
