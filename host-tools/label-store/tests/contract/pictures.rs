//! Key pictures: in order, of their clip, and counted.

use crate::made::*;
use crate::watermark;
use label_core::wire::LabelCounts;
use label_store::{Balance, LabelStore, PictureId};

pub(crate) async fn pictures_come_in_the_order_of_frames_and_count_as_evidence(store: LabelStore) {
    let source = (1280, 960);
    store
        .commit(&[
            picture(3, 40, source),
            picture(2, 7, source),
            evidence(4, (1, 0)),
        ])
        .await
        .unwrap();
    let clip = store.summary().await.unwrap().clips[0].clone();
    assert_eq!((clip.pictures, clip.committed.evidence), (2, 3));
    let pictures = store.pictures(clip.id()).await.unwrap();
    let frames: Vec<u32> = pictures.iter().map(|picture| picture.shows.frame).collect();
    assert_eq!(frames, [7, 40]);
    assert_eq!(pictures[0].shows.pts_us.us(), 280_000);
    assert_eq!(pictures[0].shows.of, source);
    let (picture, jpeg) = store.picture(&pictures[1].id).await.unwrap().unwrap();
    assert_eq!(
        (&picture, jpeg.as_slice()),
        (&pictures[1], &b"picture 3"[..])
    );
    let strip = PictureId {
        seq: 4,
        ..pictures[0].id.clone()
    };
    assert_eq!(store.picture(&strip).await.unwrap(), None);
}

pub(crate) async fn a_picture_that_is_not_of_its_clip_is_kept_aside(store: LabelStore) {
    let source = (640, 480);
    let counts = LabelCounts {
        evidence: 4,
        ..LabelCounts::default()
    };
    let report = store
        .commit(&[
            opened(1),
            picture(2, 9, source),
            picture(3, 10, source),
            picture(4, 3, (1280, 720)),
            part(5, 0, 10),
        ])
        .await
        .unwrap();
    assert_eq!((report.committed, report.quarantined), (4, 1));
    // Frame 10 turns out to be beyond the end when the clip is closed; later ones are refused at once.
    let report = store.commit(&[closed(6, 10, counts)]).await.unwrap();
    assert_eq!((report.committed, report.quarantined), (1, 1));
    let report = store.commit(&[picture(7, 11, source)]).await.unwrap();
    assert_eq!((report.committed, report.quarantined), (0, 1));
    assert_eq!(watermark(&store).await, [(boot(), 7)], "nothing is held up");
    let clip = store.summary().await.unwrap().clips[0].clone();
    assert_eq!(clip.pictures, 1);
    assert_ne!(clip.balance, Balance::Balanced);
    let aside = store.quarantine(10).await.unwrap();
    let mut told: Vec<_> = aside.iter().map(|entry| entry.detail.as_str()).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            "picture.frame is no frame of the clip",
            "picture.frame is no frame of the clip",
            "picture.of is not the size of the clip's frames",
        ]
    );
    let whole = aside
        .iter()
        .find(|entry| entry.payload.starts_with(b"RGE1"));
    assert!(whole.unwrap().payload.ends_with(b"picture 3"));
}
