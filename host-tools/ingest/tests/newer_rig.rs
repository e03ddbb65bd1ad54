//! A rig that is newer than the host: what the host cannot read costs nothing else.

use label_core::BootId;
use label_store::LabelStore;

#[tokio::test]
async fn a_clip_event_of_a_newer_rig_is_kept_aside_and_everything_after_it_is_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let store = LabelStore::open(&folder.path().join("labels.db"))
        .await
        .unwrap();
    let events = [
        r#"{"opened":{"name":"camera","width":640,"height":480,"codec":"mjpeg","mono_us":5,"utc_us":17,"clock":"ntp"}}"#,
        r#"{"steering-wheel-hit":{"frame":3,"how":{"hard":[1,2]}}}"#,
        r#"{"part":{"first":0,"pts_us":[0,40000],"of-a-later-version":7}}"#,
        r#"{"operator-mark":{"frame":1,"pts_us":40000,"mono_us":5,"utc_us":17,"clock":"ntp"}}"#,
    ];
    let messages: Vec<_> = (1..)
        .zip(events)
        .map(|(seq, event)| {
            let payload = format!(
                r#"{{"v":1,"from":{{"rig":"rig","boot":1048577,"seq":{seq}}},"clip":1,"event":{event}}}"#
            );
            ingest::decode("rigel/v1/north/rig/clip", payload.into_bytes(), 0)
        })
        .collect();
    let report = store.commit(&messages).await.unwrap();
    assert_eq!((report.committed, report.quarantined), (3, 1));
    assert_eq!(report.watermarks[0].boots, [(BootId::first(1), 4)]);
    let aside = store.quarantine(10).await.unwrap();
    assert_eq!(aside.len(), 1);
    assert_eq!(aside[0].reason, "malformed");
    assert!(
        aside[0].detail.contains("steering-wheel-hit"),
        "{}",
        aside[0].detail
    );
    let summary = store.summary().await.unwrap();
    assert_eq!(
        (summary.clips[0].manifest_frames, summary.clips[0].marks),
        (2, 1)
    );
}
