//! What a rig records: the picture that lies on its disk under a frame's index is the one that was labelled under it.

use crate::{FIXTURE, FPS, Rig, ffmpeg, project};
use capture::{ClipSource, Ffmpeg, FrameBuffer, FrameSource, PictureCutter};
use end_to_end::{Program, binary, wait_for};
use label_core::BootId;
use label_core::wire::{
    ClipEvent, ClipMessage, ClipNumber, IndexLine, RecordedFrame, RecordedSegment, SegmentHead,
    Topic,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use uplink::{Cursor, Outbox, OutboxLimits};

/// A board that records, and where.
fn recording(rig: &Rig, source: Option<&str>, encoder: &str) -> (PathBuf, PathBuf) {
    let (board, folder) = (rig.board(), rig.dir.path().join("recording"));
    let mut text = std::fs::read_to_string(&board).unwrap();
    if let Some(source) = source {
        let (head, rest) = text.split_once("[source]").unwrap();
        let (_, rest) = rest.split_once("[perception]").unwrap();
        text = format!("{head}{source}\n[perception]{rest}");
    }
    let dir = folder.display();
    let table = format!(
        "\n[recording]\ndir = \"{dir}\"\nencoder = \"{encoder}\"\nsegment-s = 2\nmax-mib = 64\nkeep-hours = 1\n"
    );
    text.push_str(&table);
    std::fs::write(&board, text).unwrap();
    (board, folder)
}

fn start(rig: &Rig, board: &Path) -> Program {
    let mut command = Command::new(binary("rigeld", FIXTURE));
    command.arg("run").arg("--board").arg(board);
    command.env("RUNTIME_DIRECTORY", rig.runtime());
    Program::start("rigeld", &mut command)
}

#[derive(Debug, Default)]
struct Told {
    /// Presentation and capture time of each frame, from 0 on.
    times: Vec<(i64, Option<i64>)>,
    dropped: BTreeMap<u32, u32>,
    segments: Vec<RecordedSegment>,
}

/// What the outbox tells of each clip, by its boot.
fn told(rig: &Rig) -> BTreeMap<(BootId, ClipNumber), Told> {
    if !rig.outbox().is_dir() {
        return BTreeMap::new();
    }
    let copy = tempfile::tempdir().unwrap();
    let copied = Command::new("cp")
        .arg("-r")
        .arg(rig.outbox())
        .arg(copy.path().join("outbox"))
        .status();
    assert!(copied.unwrap().success());
    let (mut outbox, _) = Outbox::open(
        copy.path().join("outbox"),
        Rig::rig_name(),
        OutboxLimits::default(),
    )
    .unwrap();
    let mut clips: BTreeMap<_, Told> = BTreeMap::new();
    let mut cursor = Cursor::default();
    while let Some(record) = outbox.next(&mut cursor).unwrap() {
        if record.topic != Topic::Clip {
            continue;
        }
        let message: ClipMessage = serde_json::from_slice(&record.payload).unwrap();
        let boot = match &message.event {
            ClipEvent::Recorded(segment) => segment.boot,
            _ => message.from.boot,
        };
        let clip = clips.entry((boot, message.clip)).or_default();
        match message.event {
            ClipEvent::Part(part) => {
                assert_eq!(part.first as usize, clip.times.len());
                let mut mono = part.mono_us.iter().copied();
                let times = part.pts_us.iter().map(|pts| (pts.us(), mono.next()));
                clip.times.extend(times);
                let dropped = part.dropped.iter().map(|lost| (lost.before, lost.count));
                clip.dropped.extend(dropped);
            }
            ClipEvent::Recorded(segment) => clip.segments.push(segment),
            _ => {}
        }
    }
    clips
}

/// Head, pictures and end of a segment.
struct Segment {
    head: SegmentHead,
    pictures: Vec<(RecordedFrame, Vec<u8>)>,
    end: RecordedSegment,
}

fn segments(folder: &Path) -> Vec<Segment> {
    let mut indexes: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "jsonl"))
        .collect();
    indexes.sort();
    let read = |path: &PathBuf| {
        let media = std::fs::read(path.with_extension("mjpeg")).unwrap();
        let (mut head, mut end, mut pictures) = (None, None, Vec::new());
        for line in std::fs::read_to_string(path).unwrap().lines() {
            match serde_json::from_str(line).unwrap() {
                IndexLine::Head(line) => head = Some(line),
                IndexLine::Frame(line) => {
                    let jpeg = &media[line.offset as usize..][..line.bytes as usize];
                    pictures.push((line, jpeg.to_vec()));
                }
                IndexLine::End(line) => end = Some(line),
            }
        }
        let end: RecordedSegment = end.unwrap();
        assert_eq!(end.sha256.as_str(), perception::sha256(&media));
        Segment {
            head: head.unwrap(),
            pictures,
            end,
        }
    };
    indexes.iter().map(read).collect()
}

/// Hands to `check` each recorded picture with its place in what the source sent; how many there were. Which the first of a
/// clip is, `find` says: what a camera sends before is no loss. Times must be those of the manifest, and every segment must
/// have been told.
fn each_picture(
    rig: &Rig,
    folder: &Path,
    find: impl Fn(&[u8]) -> usize,
    mut check: impl FnMut(usize, &[u8]),
) -> usize {
    let (mut clips, mut compared) = (told(rig), 0);
    let mut begins = BTreeMap::new();
    for segment in segments(folder) {
        let clip = clips
            .get_mut(&(segment.head.boot, segment.head.clip))
            .unwrap();
        assert!(clip.segments.contains(&segment.end), "{:?}", segment.end);
        for (line, jpeg) in &segment.pictures {
            if let Some(time) = clip.times.get(line.frame as usize) {
                assert_eq!((line.pts_us.us(), line.mono_us), *time, "{line:?}");
                let dropped = clip.dropped.get(&line.frame).copied();
                assert_eq!(line.dropped, dropped.unwrap_or_default());
                compared += 1;
            } else {
                // The rig was killed before this part of the manifest was full.
                clip.dropped.insert(line.frame, line.dropped);
            }
            let lost: u32 = clip
                .dropped
                .range(..=line.frame)
                .map(|(_, count)| count)
                .sum();
            let place = (line.frame + lost) as usize;
            let key = (segment.head.boot, segment.head.clip);
            let begin = *begins.entry(key).or_insert_with(|| find(jpeg) - place);
            check(begin + place, jpeg);
        }
    }
    compared
}

/// The demo clip's first seconds as a camera's pictures, one after the other.
fn camera_file(folder: &Path) -> (PathBuf, Vec<Vec<u8>>) {
    let path = folder.join("camera.mjpeg");
    let clip = project().join(".rigel/clips/franck.mp4");
    let made = Command::new(ffmpeg())
        .args(["-nostdin", "-v", "error", "-t", "30", "-i"])
        .arg(clip)
        .args(["-q:v", "5", "-f", "mjpeg"])
        .arg(&path)
        .status();
    assert!(made.unwrap().success());
    let (mut cutter, mut pictures) = (PictureCutter::new(1 << 20), Vec::new());
    for piece in std::fs::read(&path).unwrap().chunks(1000) {
        let mut piece = piece;
        while !piece.is_empty() {
            let room = cutter.room();
            let count = room.len().min(piece.len());
            room[..count].copy_from_slice(&piece[..count]);
            cutter.put(count);
            piece = &piece[count..];
            pictures.extend(std::iter::from_fn(|| cutter.next(<[u8]>::to_vec)));
        }
    }
    assert_eq!(pictures.len(), 30 * FPS as usize);
    (path, pictures)
}

#[test]
fn a_rig_killed_while_it_records_keeps_every_whole_picture_under_the_frame_that_was_labelled() {
    let rig = Rig::new();
    let (file, sent) = camera_file(rig.dir.path());
    let command = [
        &ffmpeg(),
        "-nostdin",
        "-loglevel",
        "error",
        "-re",
        "-f",
        "mjpeg",
        "-framerate",
        "24",
        "-i",
        &file.display().to_string(),
        "-c",
        "copy",
        "-f",
        "mjpeg",
        "-",
    ];
    let source = format!(
        "[source]\nkind = \"pipe\"\ncommand = {command:?}\nformat = \"mjpeg\"\nwidth = 360\nheight = 288\nfps = {FPS}.0\ntimeout-ms = 1500\n"
    );
    let (board, folder) = recording(&rig, Some(&source), "camera");
    let killed = start(&rig, &board);
    wait_for("three segments", || {
        let known = told(&rig);
        known
            .values()
            .any(|clip| clip.segments.len() >= 3)
            .then_some(())
    });
    killed.kill();
    let first = *told(&rig).keys().next().unwrap();

    let again = start(&rig, &board);
    wait_for("a segment of the second start", || {
        let known = told(&rig);
        let later = known.iter().filter(|((boot, _), _)| *boot > first.0);
        later
            .map(|(_, clip)| clip.segments.len())
            .max()?
            .checked_sub(1)
    });
    assert!(again.terminate().success());

    let torn = segments(&folder).iter().filter(|one| one.end.torn).count();
    assert!(torn <= 1, "only the last of the killed run can be torn");
    let find = |jpeg: &[u8]| sent.iter().position(|one| one == jpeg).unwrap();
    let compared = each_picture(&rig, &folder, find, |place, jpeg| {
        assert!(sent[place] == jpeg, "picture {place} is another");
    });
    assert!(compared > 4 * FPS as usize, "{compared}");
    let left: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "part"))
        .collect();
    assert_eq!(left, [""; 0].map(PathBuf::from), "nothing is left open");
}

#[test]
fn frames_of_a_camera_that_sends_no_pictures_are_encoded_one_for_one_by_ffmpeg() {
    let rig = Rig::new();
    let (board, folder) = recording(&rig, None, "ffmpeg");
    let program = start(&rig, &board);
    wait_for("two segments", || {
        told(&rig)
            .values()
            .any(|clip| clip.segments.len() >= 2)
            .then_some(())
    });
    assert!(program.terminate().success());

    let clip = project().join(".rigel/clips/franck.mp4");
    let ffmpeg = Ffmpeg::find(&[ffmpeg().into()]).unwrap();
    let mut source = ClipSource::open(&clip, &ffmpeg, None).unwrap();
    let mut frames: Vec<Vec<u8>> = Vec::new();
    let mut buffer = FrameBuffer::default();
    while frames.len() < 40 * FPS as usize && source.next_into(&mut buffer).unwrap() {
        // Full range, as JPEGs have it.
        let full = buffer
            .luma()
            .iter()
            .map(|value| ((f32::from(*value) - 16.0) * 255.0 / 219.0).clamp(0.0, 255.0) as u8);
        frames.push(full.collect());
    }
    let difference = |a: &[u8], b: &[u8]| {
        let sum: u64 = a
            .iter()
            .zip(b)
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        sum as f32 / a.len() as f32
    };
    let mut told_apart = 0;
    let find = |jpeg: &[u8]| {
        let shown = image::load_from_memory(jpeg).unwrap().into_luma8();
        let differs = |place: &usize| difference(shown.as_raw(), &frames[*place]);
        let places = 0..frames.len();
        places
            .min_by(|a, b| differs(a).total_cmp(&differs(b)))
            .unwrap()
    };
    let compared = each_picture(&rig, &folder, find, |place, jpeg| {
        let shown = image::load_from_memory(jpeg).unwrap().into_luma8();
        let own = difference(shown.as_raw(), &frames[place]);
        assert!(own < 4.0, "picture {place}: {own} grey levels");
        for other in [place.saturating_sub(1), place + 1] {
            let neighbour = difference(shown.as_raw(), &frames[other]);
            // Where nobody moves, neighbours differ by less than the JPEG does.
            assert!(
                own <= neighbour + 0.3,
                "{place}: {own}, {other}: {neighbour}"
            );
            told_apart += usize::from(neighbour > own + 0.5);
        }
    });
    assert!(compared > 2 * FPS as usize, "{compared}");
    assert!(
        told_apart > FPS as usize,
        "{told_apart}: frames can be told apart"
    );
}
