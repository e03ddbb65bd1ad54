//! With ffmpeg as the writer, and shells for what goes wrong.

use super::*;
use std::path::Path;

fn pipe(command: &[&str], format: PixelFormat, size: (u32, u32)) -> PipeSettings {
    PipeSettings {
        command: command.iter().map(|word| (*word).to_owned()).collect(),
        format,
        width: size.0,
        height: size.1,
        fps: 25.0,
        timeout: Duration::from_secs(20),
    }
}

fn shell(script: &str) -> PipeSettings {
    pipe(&["sh", "-c", script], PixelFormat::Grey, (4, 2))
}

/// ffmpeg from the machine, or the one that set-up fetched.
fn ffmpeg() -> String {
    let fetched = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.rigel/bin/ffmpeg");
    let on_path = std::process::Command::new("ffmpeg")
        .arg("-version")
        .output();
    match on_path {
        Ok(_) => "ffmpeg".to_owned(),
        Err(_) => fetched.to_string_lossy().into_owned(),
    }
}

/// A source of ffmpeg's test pattern: `frames` of 322x182.
fn pattern(format: PixelFormat, frames: u32) -> PipeSettings {
    let frames = frames.to_string();
    let output: &[&str] = match format {
        PixelFormat::Mjpeg => &["-c:v", "mjpeg", "-q:v", "2", "-f", "mjpeg"],
        PixelFormat::I420 => &["-pix_fmt", "yuv420p", "-f", "rawvideo"],
        PixelFormat::Nv12 => &["-pix_fmt", "nv12", "-f", "rawvideo"],
        PixelFormat::Yuyv => &["-pix_fmt", "yuyv422", "-f", "rawvideo"],
        PixelFormat::Grey => &["-pix_fmt", "gray", "-f", "rawvideo"],
    };
    let program = ffmpeg();
    let mut command = vec![
        program.as_str(),
        "-v",
        "error",
        "-nostdin",
        "-f",
        "lavfi",
        "-i",
        "smptebars=size=322x182:rate=25",
        "-frames:v",
        frames.as_str(),
    ];
    command.extend(output);
    command.push("pipe:1");
    pipe(&command, format, (322, 182))
}

fn read(settings: &PipeSettings, frames: usize) -> (Vec<FrameBuffer>, CaptureError) {
    let mut source = PipeSource::open(settings).unwrap();
    let mut read = Vec::new();
    loop {
        let mut frame = FrameBuffer::default();
        match source.next_into(&mut frame) {
            Ok(_) => read.push(frame),
            Err(error) => {
                assert_eq!(read.len(), frames, "{error}");
                return (read, error);
            }
        }
    }
}

#[test]
fn the_same_picture_comes_out_of_all_five_formats() {
    let reference = read(&pattern(PixelFormat::I420, 1), 1).0.remove(0);
    for format in PixelFormat::ALL {
        let (frames, error) = read(&pattern(format, 5), 5);
        assert!(
            error.to_string().contains("exit code 0") && error.is_passing(),
            "{error}"
        );
        for (place, frame) in frames.iter().enumerate() {
            assert_eq!(frame.info.index as usize, place);
            assert_eq!((frame.width, frame.height), (322, 182));
            assert_eq!(frame.info.same_pixels, place > 0, "bars stand still");
            // JPEG and grey span all values, video spans 16 to 235.
            let as_video = |value: u8| {
                if frame.full_range {
                    16.0 + f32::from(value) * 219.0 / 255.0
                } else {
                    f32::from(value)
                }
            };
            let off = |a: &[u8], b: &[u8], as_video: &dyn Fn(u8) -> f32| {
                let sum: f32 = a
                    .iter()
                    .zip(b)
                    .map(|(a, b)| (as_video(*a) - f32::from(*b)).abs())
                    .sum();
                sum / a.len() as f32
            };
            let luma = off(frame.luma(), reference.luma(), &as_video);
            assert!(luma < 1.5, "{format}: luma is off by {luma}");
            if format == PixelFormat::Grey {
                assert!(frame.chroma().is_none());
                continue;
            }
            let (chroma, expected) = (frame.chroma().unwrap(), reference.chroma().unwrap());
            let as_video = |value: u8| {
                if frame.full_range {
                    128.0 + (f32::from(value) - 128.0) * 224.0 / 255.0
                } else {
                    f32::from(value)
                }
            };
            let blue = off(chroma.0, expected.0, &as_video);
            let red = off(chroma.1, expected.1, &as_video);
            assert!(
                blue < 2.5 && red < 2.5,
                "{format}: chroma is off by {blue}, {red}"
            );
        }
    }
}

#[test]
fn times_are_those_of_arrival_and_begin_at_nought() {
    let (frames, _) = read(&shell("printf 11111111; sleep 0.2; printf 22222222"), 2);
    assert_eq!(frames[0].info.at.0, 0);
    let second = frames[1].info;
    assert!((150_000..5_000_000).contains(&second.at.0), "{second:?}");
    let captured = [frames[0].info.captured_us, second.captured_us];
    assert_eq!(
        captured[1].unwrap() - captured[0].unwrap(),
        second.at.0,
        "the same clock"
    );
}

#[test]
fn the_programs_last_words_and_code_are_in_the_error() {
    let (_, error) = read(&shell("echo camera 0 is in use >&2; exit 3"), 0);
    let text = error.to_string();
    assert!(
        text.contains("camera 0 is in use") && text.contains("exit code 3"),
        "{text}"
    );
    assert!(error.is_passing());
}

#[test]
fn a_program_that_talks_without_end_is_listened_to_and_only_its_end_kept() {
    let script = "i=0; while [ $i -lt 500 ]; do echo line $i of many many words >&2; i=$((i+1)); done; printf 12345678; echo last >&2; exit 1";
    let (_, error) = read(&shell(script), 1);
    let text = error.to_string();
    assert!(text.ends_with("last") && text.len() < 1000, "{text}");
}

#[test]
fn a_frame_that_breaks_off_is_told_with_its_bytes_and_not_shown() {
    let (_, error) = read(&shell("printf 1234567812345"), 1);
    let text = error.to_string();
    assert!(
        text.contains("after 5 of 8 bytes") && text.contains("grey of 4x2"),
        "{text}"
    );
}

#[test]
fn a_program_that_is_not_there_is_told_and_is_no_passing_trouble() {
    let error = PipeSource::open(&pipe(&["no-such-program"], PixelFormat::Grey, (4, 2)))
        .err()
        .unwrap();
    assert!(error.to_string().contains("no-such-program"), "{error}");
    assert!(!error.is_passing());
    assert!(PipeSource::open(&pipe(&[], PixelFormat::Grey, (4, 2))).is_err());
}

#[test]
fn a_program_that_falls_silent_is_a_stall_after_the_timeout() {
    let settings = PipeSettings {
        timeout: Duration::from_millis(150),
        ..shell("printf 12345678; sleep 60")
    };
    let started = Instant::now();
    let (_, error) = read(&settings, 1);
    assert!(
        matches!(
            &error,
            CaptureError::Camera {
                fault: CameraFault::Stalled { .. },
                ..
            }
        ),
        "{error}"
    );
    assert!(started.elapsed() < Duration::from_secs(10));
}

/// Whether a process is there and no zombie.
fn is_running(id: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{id}/stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

#[test]
fn the_program_and_what_it_started_end_with_the_source() {
    // The shell waits for a child of its own, whose number it tells as a frame.
    let script = "sleep 300 & printf '%8d' $!; wait";
    let mut source = PipeSource::open(&shell(script)).unwrap();
    let mut frame = FrameBuffer::default();
    assert!(source.next_into(&mut frame).unwrap());
    let child: u32 = String::from_utf8_lossy(frame.luma())
        .trim()
        .parse()
        .unwrap();
    let shell = source.writer.id();
    assert!(is_running(child) && is_running(shell));
    drop(source);
    assert!(!Path::new(&format!("/proc/{shell}")).exists(), "reaped");
    // Its parent is gone: whoever adopts it reaps it, soon.
    let deadline = Instant::now() + Duration::from_secs(10);
    while is_running(child) {
        assert!(Instant::now() < deadline, "still running");
        std::thread::yield_now();
    }
}

#[test]
fn while_nobody_asks_outdated_frames_are_given_up_and_the_newest_is_next() {
    let mut source = PipeSource::open(&shell(
        "printf 11111111; printf 22222222; printf 33333333; printf 4444; sleep 300",
    ))
    .unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while source.timeline.dropped < 2 || source.inbox.unfinished() < 4 {
        source.keep_up();
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    let mut frame = FrameBuffer::default();
    assert!(source.next_into(&mut frame).unwrap());
    assert_eq!(frame.luma(), b"33333333");
    assert_eq!(source.condition().unwrap().dropped_frames, 2);
    assert_eq!(frame.info.index, 0);
}

#[test]
fn an_end_met_while_keeping_up_is_told_after_the_frame_that_came_before_it() {
    let mut source = PipeSource::open(&shell("printf 11111111; exit 4")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    while source.failed.is_none() {
        source.keep_up();
        assert!(Instant::now() < deadline);
        std::thread::yield_now();
    }
    let mut frame = FrameBuffer::default();
    assert!(source.next_into(&mut frame).unwrap());
    let error = source.next_into(&mut frame).unwrap_err();
    assert!(error.to_string().contains("exit code 4"), "{error}");
}

#[test]
fn pictures_of_another_size_are_told_with_both_sizes() {
    let settings = PipeSettings {
        width: 640,
        height: 480,
        ..pattern(PixelFormat::Mjpeg, 3)
    };
    let (_, error) = read(&settings, 0);
    let text = error.to_string();
    assert!(
        text.contains("322x182") && text.contains("640x480") && !error.is_passing(),
        "{text}"
    );
}
