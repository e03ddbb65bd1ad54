//! Whatever the camera does, every frame is labelled or counted.

use crate::{FIXTURE, FPS, Rig};
use end_to_end::{Broker, Host, Program, binary, wait_for};
use label_store::{Balance, LabelStore, Summary};
use std::path::Path;

fn store_summary(database: &Path) -> Summary {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let store = LabelStore::open(database).await.unwrap();
        let summary = store.summary().await.unwrap();
        store.close().await;
        summary
    })
}

#[test]
fn a_camera_that_dies_and_comes_back_makes_a_clip_each_time_with_every_frame_counted() {
    let mut rig = Rig::new();
    rig.pace = vec!["-re", "-t", "2"];
    let program = Program::start("rigeld", &mut rig.command(&binary("rigeld", FIXTURE)));
    wait_for("three clips to begin", || {
        rig.outbox().join("labels").exists().then_some(())?;
        (rig.clips().len() >= 3).then_some(())
    });
    assert!(program.terminate().success(), "an orderly end");
    let clips = rig.clips();
    for clip in &clips[..2] {
        let (frames, dropped) = clip.frames_and_drops();
        assert_eq!(frames + dropped, 2 * FPS, "{:?}", clip.closed());
        assert!(frames > 0);
        let damage = clip.closed().damage.as_deref().unwrap_or_default();
        assert!(damage.contains("ended"), "{damage:?}");
    }
    let last = clips.last().unwrap();
    last.frames_and_drops();
    let times: Vec<i64> = clips
        .iter()
        .map(|clip| clip.opened.as_ref().unwrap().mono_us)
        .collect();
    assert!(times.is_sorted(), "{times:?}");
}

#[test]
fn a_camera_faster_than_the_line_loses_frames_that_are_all_counted_and_labels_stay_fresh() {
    let mut rig = Rig::new();
    // Twenty times as fast as it was filmed: 480 frames a second.
    rig.pace = vec!["-readrate", "20", "-t", "40"];
    let program = Program::start("rigeld", &mut rig.command(&binary("rigeld", FIXTURE)));
    wait_for("a second clip to begin", || {
        rig.outbox().join("labels").exists().then_some(())?;
        (rig.clips().len() >= 2).then_some(())
    });
    assert!(program.terminate().success(), "an orderly end");
    let clips = rig.clips();
    let (frames, dropped) = clips[0].frames_and_drops();
    assert_eq!(frames + dropped, 40 * FPS, "{:?}", clips[0].closed());
    assert!(dropped > 0, "nobody labels that fast");
}

#[test]
fn a_rig_that_is_told_to_end_has_everything_committed_and_its_clip_closed() {
    let mut rig = Rig::new();
    let broker = Broker::start(rig.dir.path());
    rig.keys = vec![("port", broker.port.to_string())];
    let rigel = binary("rigel", FIXTURE);
    let data = rig.dir.path().join("host");
    let host = Host::start(
        &rigel,
        &data,
        &["--broker", &format!("127.0.0.1:{}", broker.port)],
    );
    let database = host.database();
    let program = Program::start("rigeld", &mut rig.command(&binary("rigeld", FIXTURE)));
    wait_for("positions and an event to be committed", || {
        let summary = store_summary(&database);
        let clip = summary.clips.first()?;
        (clip.committed.evidence > 0 && clip.committed.offered > 9).then_some(())
    });
    assert!(program.terminate().success(), "an orderly end");
    let summary = store_summary(&database);
    let [clip] = &summary.clips[..] else {
        panic!("one clip: {:?}", summary.clips)
    };
    assert_eq!(clip.balance, Balance::Balanced, "{clip:?}");
    assert_eq!(summary.quarantined, 0);
    let boot = &summary.rigs[0].boots[0];
    assert_eq!(
        (boot.watermark, boot.highest),
        (boot.messages, boot.messages)
    );
    assert!(rig.clips().is_empty(), "nothing waits on the rig");
    host.stop();
}
