//! Disks that are full, folders that cannot be read, clocks that are set late.

use super::super::folder::{RESERVE, bytes_of};
use super::*;

fn rig() -> Name {
    parse_name("rig-1").unwrap()
}

/// Without its ending.
fn base(dir: &Path, clip: ClipNumber) -> std::path::PathBuf {
    dir.join(format!("{:016}-{clip:06}-000000", head(clip).boot.raw()))
}

/// Clips of one picture each.
fn recorded(dir: &Path, clips: impl Iterator<Item = ClipNumber>) -> Writer {
    let (mut writer, _told) = writer(&settings(dir));
    for clip in clips {
        writer.begin(&head(clip));
        writer.write(&info(0), &picture(0, 90));
        writer.seal();
    }
    writer
}

fn set_age(base: &Path, written: SystemTime) {
    let index = base.with_extension("jsonl");
    let file = fs::File::options().write(true).open(index).unwrap();
    file.set_modified(written).unwrap();
}

#[test]
fn a_folder_that_cannot_be_opened_costs_every_picture_and_not_the_labels() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a file");
    fs::write(&file, "").unwrap();
    let live = LiveHandle::default();
    let mut recorder = Recorder::start(&settings(&file), rig(), BootId::first(3), &live);
    recorder.open(1, 64, 48);
    for _ in 0..20 {
        recorder.take(&mut FrameBuffer::default());
    }
    assert_eq!(live.lock().recording().unwrap().missed, 20);
    assert_eq!(recorder.finish(), []);
}

#[test]
fn a_segment_that_cannot_be_set_right_is_left_alone_and_the_others_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let mut cut_off = recorded(dir.path(), 1..=1);
    cut_off.begin(&head(2));
    cut_off.write(&info(0), &picture(0, 90));
    drop(cut_off);
    let (second, third) = (base(dir.path(), 2), base(dir.path(), 3));
    fs::copy(second.with_extension("part"), third.with_extension("part")).unwrap();
    // No program can read it.
    fs::remove_file(second.with_extension("mjpeg")).unwrap();
    fs::create_dir(second.with_extension("mjpeg")).unwrap();
    let (folder, told) = Folder::open(&settings(dir.path()).recording).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!(checked(dir.path(), &told[0]).len(), 1);
    assert_eq!(folder.health().segments, 2);
    assert!(second.with_extension("part").exists());
    assert!(!third.with_extension("part").exists(), "it has no pictures");
}

#[test]
fn a_recording_leaves_room_on_the_disk_for_labels_and_deletes_its_oldest_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _told) = writer(&settings(dir.path()));
    writer.folder.disk = RESERVE + (6 << 20);
    for clip in 1..=6 {
        writer.begin(&head(clip));
        for index in 0..2 {
            writer.write(&info(index), &picture(index, 1 << 20));
        }
        writer.seal();
        assert!(writer.folder.health().bytes < 6 << 20);
    }
    let health = writer.live.lock().recording().unwrap();
    assert_eq!((health.pictures, health.missed), (12, 0));
    assert_eq!((health.segments, health.discarded), (2, 4));

    // Somebody else fills the disk.
    writer.folder.disk = RESERVE;
    writer.begin(&head(7));
    writer.write(&info(0), &picture(0, 90));
    assert!(!base(dir.path(), 7).with_extension("mjpeg").exists());
    writer.folder.disk = u64::MAX;
    writer.not_before = None;
    writer.write(&info(1), &picture(1, 90));
    writer.seal();
    let health = writer.live.lock().recording().unwrap();
    assert_eq!((health.pictures, health.missed), (13, 1));
    assert_eq!((health.segments, health.discarded), (2, 5));
}

#[test]
fn a_clock_that_is_set_during_a_drive_makes_nothing_of_that_drive_old() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = recorded(dir.path(), 1..=1);
    set_age(
        &base(dir.path(), 1),
        SystemTime::now() - Duration::from_hours(50),
    );
    writer.discard_outdated();
    assert_eq!(writer.live.lock().recording().unwrap().segments, 1);
}

#[test]
fn a_segment_from_the_future_keeps_none_behind_it_from_being_deleted() {
    let dir = tempfile::tempdir().unwrap();
    drop(recorded(dir.path(), 1..=3));
    let now = SystemTime::now();
    set_age(&base(dir.path(), 1), now + Duration::from_hours(50));
    set_age(&base(dir.path(), 2), now - Duration::from_hours(50));
    let (folder, _told) = Folder::open(&settings(dir.path()).recording).unwrap();
    assert!(!base(dir.path(), 2).with_extension("mjpeg").exists());
    assert_eq!(
        (folder.health().segments, folder.health().discarded),
        (2, 1)
    );
}

#[test]
fn a_rig_that_records_nothing_deletes_what_becomes_too_old_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    drop(recorded(dir.path(), 1..=1));
    let live = LiveHandle::default();
    let mut recorder = Recorder::start(&settings(dir.path()), rig(), BootId::first(4), &live);
    assert_eq!(live.lock().recording().unwrap().segments, 1);
    set_age(
        &base(dir.path(), 1),
        SystemTime::now() - Duration::from_hours(2),
    );
    let until = Instant::now() + Duration::from_secs(20);
    while live.lock().recording().unwrap().discarded == 0 {
        assert!(Instant::now() < until, "it is still there");
        std::thread::yield_now();
    }
    assert!(!base(dir.path(), 1).with_extension("mjpeg").exists());
    recorder.finish();
}

#[test]
fn what_could_not_be_ended_or_deleted_goes_on_to_count_in_the_folders_size() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _told) = writer(&settings(dir.path()));
    writer.begin(&head(1));
    writer.write(&info(0), &picture(0, 1 << 20));
    // So its index cannot get its name.
    fs::remove_file(base(dir.path(), 1).with_extension("part")).unwrap();
    writer.seal();
    let health = writer.folder.health();
    assert!(health.segments == 1 && health.bytes > 1 << 20, "{health:?}");

    let media = base(dir.path(), 1).with_extension("mjpeg");
    fs::remove_file(&media).unwrap();
    fs::create_dir(&media).unwrap();
    let error = writer.folder.make_room(64 << 20).unwrap_err();
    assert!(error.to_string().contains("cannot be deleted"), "{error}");
    assert_eq!(writer.folder.health(), health);
}

#[test]
fn frames_asked_for_while_their_segment_is_ended_are_found_and_no_others() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _told) = writer(&settings(dir.path()));
    let (begun, next) = sync_channel(0);
    let segments = Segments::new(dir.path(), Arc::default());
    let asking = std::thread::spawn(move || {
        for clip in next {
            for _ in 0..20 {
                let found = segments.of_clip(head(1).boot, clip, (1, 2)).unwrap();
                let lines: Vec<u32> = found
                    .iter()
                    .flat_map(|segment| segment.frames.iter().map(|line| line.frame))
                    .collect();
                assert_eq!(lines, [1, 2], "of clip {clip}");
            }
        }
    });
    for clip in 1..=100 {
        writer.begin(&head(clip));
        for index in 0..4 {
            writer.write(&info(index), &picture(index, 90));
        }
        begun.send(clip).unwrap();
        writer.seal();
    }
    drop(begun);
    asking.join().unwrap();
}

#[test]
fn a_clip_that_the_desk_has_deleted_is_gone_and_counted_no_more_and_what_is_being_written_waits() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = recorded(dir.path(), 1..=3);
    writer.begin(&head(4));
    writer.write(&info(0), &picture(0, 90));
    writer
        .folder
        .told_by(Arc::clone(&writer.live.lock().purged));
    let segments = Segments::new(dir.path(), Arc::clone(&writer.live.lock().purged));
    let now = head(1).boot;
    assert_eq!(
        segments.purge(now, 2, Some((1, 9)), now).unwrap(),
        (0, false)
    );
    assert_eq!(
        segments.purge(now, 2, Some((0, 9)), now).unwrap(),
        (1, false)
    );
    assert!(!base(dir.path(), 2).with_extension("mjpeg").exists());
    assert!(!base(dir.path(), 2).with_extension("jsonl").exists());
    assert_eq!(segments.purge(now, 2, None, now).unwrap(), (0, false));
    assert_eq!(segments.purge(now, 4, None, now).unwrap(), (0, true));
    writer.seal();
    assert_eq!(segments.purge(now, 4, None, now).unwrap(), (1, false));
    writer.discard_outdated();
    let health = writer.live.lock().recording().unwrap();
    assert_eq!((health.segments, health.discarded), (2, 0));
    let left: u64 = [1, 3]
        .iter()
        .map(|clip| bytes_of(&base(dir.path(), *clip)))
        .sum();
    assert_eq!(health.bytes, left);
    // What a power cut left of an earlier run is nobody's any more.
    let earlier = BootId::first(2);
    let torn = dir
        .path()
        .join(format!("{:016}-000001-000000", earlier.raw()));
    fs::write(torn.with_extension("part"), "").unwrap();
    fs::write(torn.with_extension("mjpeg"), "a face").unwrap();
    assert_eq!(
        segments.purge(earlier, 1, Some((5, 6)), now).unwrap(),
        (1, false)
    );
    assert!(!torn.with_extension("mjpeg").exists());
}

#[test]
fn frames_that_there_is_no_way_for_leave_their_buffers_for_later_ones() {
    let dir = tempfile::tempdir().unwrap();
    let live = LiveHandle::default();
    let mut recorder = Recorder::start(&settings(dir.path()), rig(), BootId::first(3), &live);
    let (work, got) = sync_channel(1);
    let own = recorder.work.replace(work);
    recorder.close();
    for _ in 0..3 * BUFFERS {
        recorder.take(&mut FrameBuffer::default());
    }
    assert!(matches!(got.try_recv(), Ok(Work::Close)));
    recorder.take(&mut FrameBuffer::default());
    assert!(matches!(got.try_recv(), Ok(Work::Frame(..))));
    assert_eq!(live.lock().recording().unwrap().missed, 3 * BUFFERS as u64);
    drop(own);
    recorder.finish();
}
