mod trouble;

use super::*;
use board::Recording as Words;
use capture::FrameInfo;
use label_core::CaptureTime;
use label_core::wire::{IndexLine, RecordedFrame, parse_name};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::SystemTime;

fn settings(dir: &Path) -> RecordingSettings {
    RecordingSettings {
        recording: Words {
            dir: dir.to_owned(),
            encoder: RecordingEncoder::Camera,
            segment_s: 600,
            max_mib: 64,
            keep_hours: 1,
        },
        ffmpeg: None,
        fps: 30.0,
    }
}

fn picture(number: u32, bytes: usize) -> Vec<u8> {
    let mut picture = vec![number as u8; bytes];
    picture[..3].copy_from_slice(&[0xff, 0xd8, 0xff]);
    picture[3..7].copy_from_slice(&number.to_le_bytes());
    picture
}

fn info(index: u32) -> FrameInfo {
    FrameInfo {
        index,
        at: CaptureTime(i64::from(index) * 33_333),
        captured_us: Some(i64::from(index) * 33_333 + 7),
        ..FrameInfo::default()
    }
}

/// A writer on a folder, as the thread has it, and what it tells.
fn writer(settings: &RecordingSettings) -> (Writer, Receiver<Recorded>) {
    let (folder, earlier) = Folder::open(&settings.recording).unwrap();
    let (tell, told) = channel();
    for segment in earlier {
        tell.send(segment).unwrap();
    }
    let live = LiveHandle::default();
    let missed = Arc::clone(&live.lock().not_recorded);
    let writer = Writer {
        folder,
        head: None,
        segment: None,
        next: 0,
        not_before: None,
        longest: Duration::from_mins(10),
        pictures: 0,
        missed,
        tell,
        live,
    };
    (writer, told)
}

fn head(clip: ClipNumber) -> SegmentHead {
    SegmentHead {
        v: 1,
        rig: parse_name("rig-1").unwrap(),
        boot: BootId::first(3),
        clip,
        segment: 0,
        width: 64,
        height: 48,
    }
}

/// The lines of a whole segment's pictures, each held against the media file and the digest.
fn checked(dir: &Path, recorded: &Recorded) -> Vec<RecordedFrame> {
    let name = format!(
        "{:016}-{:06}-{:06}",
        recorded.segment.boot.raw(),
        recorded.clip,
        recorded.segment.segment
    );
    let media = fs::read(dir.join(format!("{name}.mjpeg"))).unwrap();
    let index = fs::read_to_string(dir.join(format!("{name}.jsonl"))).unwrap();
    let lines: Vec<IndexLine> = index
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(
        lines.last(),
        Some(&IndexLine::End(recorded.segment.clone()))
    );
    let frames: Vec<RecordedFrame> = lines
        .iter()
        .filter_map(|line| match line {
            IndexLine::Frame(frame) => Some(*frame),
            _ => None,
        })
        .collect();
    let mut at = 0;
    for frame in &frames {
        assert_eq!(frame.offset, at);
        let jpeg = &media[at as usize..][..frame.bytes as usize];
        assert_eq!(crc32fast::hash(jpeg), frame.crc32);
        assert_eq!(jpeg, picture(frame.frame, jpeg.len()), "another frame's");
        at += u64::from(frame.bytes);
    }
    assert_eq!((media.len() as u64, recorded.segment.bytes), (at, at));
    assert_eq!(perception::sha256(&media), recorded.segment.sha256.as_str());
    assert_eq!(recorded.segment.pictures as usize, frames.len());
    frames
}

#[test]
fn every_picture_stands_under_its_own_frame_and_a_frame_without_one_has_no_line() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, told) = writer(&settings(dir.path()));
    writer.begin(&head(1));
    for index in (0..40).filter(|index| index % 7 != 3) {
        writer.write(&info(index), &picture(index, 900 + index as usize));
    }
    writer.seal();
    let recorded = told.try_recv().unwrap();
    let frames = checked(dir.path(), &recorded);
    assert_eq!(
        (
            recorded.clip,
            recorded.segment.frames,
            recorded.segment.torn
        ),
        (1, (0, 39), false)
    );
    let indexes: BTreeSet<u32> = frames.iter().map(|frame| frame.frame).collect();
    assert_eq!(indexes, (0..40).filter(|index| index % 7 != 3).collect());
    assert!(
        frames
            .iter()
            .all(|frame| frame.pts_us == info(frame.frame).at
                && frame.mono_us == info(frame.frame).captured_us)
    );
}

/// A segment in progress, as a power cut finds it: its files with these lengths.
fn cut(from: &Path, media: usize, index: usize) -> tempfile::TempDir {
    // A thousand cuts, each with its syncs: in memory where there is such a folder.
    let memory = Path::new("/dev/shm");
    let copy = if memory.is_dir() {
        tempfile::tempdir_in(memory).unwrap()
    } else {
        tempfile::tempdir().unwrap()
    };
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let mut bytes = fs::read(&path).unwrap();
        match path.extension().and_then(|ending| ending.to_str()) {
            Some("mjpeg") => bytes.truncate(media),
            Some("part") => bytes.truncate(index),
            _ => continue,
        }
        fs::write(copy.path().join(path.file_name().unwrap()), bytes).unwrap();
    }
    copy
}

#[test]
fn a_segment_cut_at_any_byte_is_whole_up_to_its_last_whole_picture_after_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _told) = writer(&settings(dir.path()));
    writer.begin(&head(1));
    for index in 0..4 {
        writer.write(&info(index), &picture(index, 90));
    }
    let length = |ending: &str| {
        let name = format!("{:016}-000001-000000.{ending}", head(1).boot.raw());
        fs::metadata(dir.path().join(name)).unwrap().len() as usize
    };
    let (media, index) = (length("mjpeg"), length("part"));
    let text = fs::read(
        dir.path()
            .join(format!("{:016}-000001-000000.part", head(1).boot.raw())),
    )
    .unwrap();
    let cuts = (0..=media)
        .map(|media| (media, index))
        .chain((0..=index).map(|index| (media, index)));
    let mut pictures_kept = BTreeSet::new();
    for (media, index) in cuts {
        let lines = text[..index].split(|byte| *byte == b'\n').count() - 1;
        let whole = (media / 90).min(lines.saturating_sub(1));
        let copy = cut(dir.path(), media, index);
        let (_folder, told) = Folder::open(&settings(copy.path()).recording).unwrap();
        let left: Vec<_> = fs::read_dir(copy.path()).unwrap().collect();
        if whole == 0 {
            assert_eq!((told.len(), left.len()), (0, 1), "{media}, {index}");
        } else {
            let frames = checked(copy.path(), &told[0]);
            assert_eq!((told.len(), left.len()), (1, 3), "{media}, {index}");
            assert_eq!(frames.len(), whole, "{media}, {index}");
            assert!(told[0].segment.torn);
        }
        pictures_kept.insert(whole);
    }
    assert_eq!(pictures_kept, (0..=4).collect());
}

#[test]
fn a_picture_that_the_card_garbled_and_all_behind_it_are_cut_off() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, _told) = writer(&settings(dir.path()));
    writer.begin(&head(1));
    for index in 0..4 {
        writer.write(&info(index), &picture(index, 90));
    }
    let copy = cut(dir.path(), 4 * 90, usize::MAX);
    let media = copy
        .path()
        .join(format!("{:016}-000001-000000.mjpeg", head(1).boot.raw()));
    let mut bytes = fs::read(&media).unwrap();
    bytes[2 * 90 + 50] ^= 4;
    fs::write(&media, bytes).unwrap();
    let (folder, told) = Folder::open(&settings(copy.path()).recording).unwrap();
    assert_eq!(checked(copy.path(), &told[0]).len(), 2);
    drop(folder);
    let (_folder, again) = Folder::open(&settings(copy.path()).recording).unwrap();
    assert_eq!(
        again, told,
        "the power may have gone before the host was told"
    );
}

#[test]
fn the_oldest_segments_go_first_the_folder_keeps_to_its_size_and_what_went_is_counted() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    let (mut writer, told) = writer(&settings);
    let mut most = 0;
    for clip in 1..=6 {
        writer.begin(&head(clip));
        for index in 0..12 {
            writer.write(&info(index), &picture(index, 2 << 20));
            let held: u64 = fs::read_dir(dir.path())
                .unwrap()
                .map(|entry| entry.unwrap().metadata().unwrap().len())
                .sum();
            most = most.max(held);
        }
        writer.seal();
    }
    assert!(most > 60 << 20 && most <= 64 << 20, "{most}");
    let told: Vec<Recorded> = told.try_iter().collect();
    let kept: Vec<_> = told
        .iter()
        .filter(|recorded| {
            let name = format!(
                "{:016}-{:06}-{:06}.jsonl",
                recorded.segment.boot.raw(),
                recorded.clip,
                recorded.segment.segment
            );
            dir.path().join(name).exists()
        })
        .collect();
    let health = writer.live.lock().recording().unwrap();
    assert_eq!(health.segments as usize, kept.len());
    assert_eq!(health.discarded as usize, told.len() - kept.len());
    assert_eq!(
        kept,
        told.iter().rev().take(kept.len()).rev().collect::<Vec<_>>()
    );
    for recorded in kept {
        checked(dir.path(), recorded);
    }
    assert_eq!((health.pictures, health.missed), (72, 0));
}

#[test]
fn what_is_older_than_the_board_allows_is_deleted_at_the_next_start() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    {
        let (mut writer, _told) = writer(&settings);
        for clip in 1..=2 {
            writer.begin(&head(clip));
            writer.write(&info(0), &picture(0, 90));
            writer.seal();
        }
    }
    let boot = head(1).boot.raw();
    let old = dir.path().join(format!("{boot:016}-000001-000000.jsonl"));
    let file = fs::File::options().write(true).open(&old).unwrap();
    file.set_modified(SystemTime::now() - Duration::from_hours(2))
        .unwrap();
    let (folder, told) = Folder::open(&settings.recording).unwrap();
    assert!(!old.exists() && !old.with_extension("mjpeg").exists());
    assert_eq!(
        (folder.health().segments, folder.health().discarded),
        (1, 1)
    );
    assert_eq!(
        told.iter().map(|recorded| recorded.clip).max(),
        Some(2),
        "the host hears again of the last"
    );
}

#[test]
fn two_programs_never_record_into_one_folder() {
    let dir = tempfile::tempdir().unwrap();
    let settings = settings(dir.path());
    let (folder, _) = Folder::open(&settings.recording).unwrap();
    let error = Folder::open(&settings.recording).err().unwrap();
    assert!(error.to_string().contains("another program"), "{error}");
    drop(folder);
    Folder::open(&settings.recording).unwrap();
}

#[test]
fn a_folder_that_cannot_be_written_costs_frames_and_not_the_rig_and_is_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let (mut writer, told) = writer(&settings(dir.path()));
    writer.begin(&head(1));
    writer.write(&info(0), &picture(0, 90));
    // Longer than any picture is.
    writer.write(&info(1), &vec![0; (16 << 20) + 1]);
    writer.write(&info(2), &picture(2, 90));
    assert_eq!(writer.missed.load(Relaxed), 2);
    let first = told.try_recv().unwrap();
    assert_eq!(checked(dir.path(), &first).len(), 1);
    writer.not_before = Some(Instant::now());
    writer.write(&info(3), &picture(3, 90));
    writer.seal();
    let second = told.try_recv().unwrap();
    assert_eq!((second.segment.segment, second.segment.frames), (1, (3, 3)));
    checked(dir.path(), &second);
}

#[test]
fn a_line_that_finds_no_free_buffer_goes_on_and_counts_the_frame() {
    let dir = tempfile::tempdir().unwrap();
    let rig = parse_name("rig-1").unwrap();
    let live = LiveHandle::default();
    let mut recorder = Recorder::start(&settings(dir.path()), rig, BootId::first(3), &live);
    // Nobody gives buffers back any more.
    let (_hung, nothing) = sync_channel(1);
    recorder.free = nothing;
    recorder.take(&mut FrameBuffer::default());
    assert_eq!(live.lock().recording().unwrap().missed, 1);
    assert_eq!(recorder.finish(), []);
}
