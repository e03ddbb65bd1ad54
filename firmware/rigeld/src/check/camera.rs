//! Does the camera give frames, in time, and is there a picture in them?

use super::{Finding, Rig};
use crate::wiring;
use board::Source;
use capture::{CameraFault, CaptureError, FrameBuffer, FrameSource};
use std::time::{Duration, Instant};

/// A camera's exposure settles before anything is measured.
const SETTLE: Duration = Duration::from_millis(500);

/// How long frames are counted.
const WATCH: Duration = Duration::from_secs(2);

/// Frames of a clip that are looked at: it is not live, its rate is the decoder's.
const CLIP_FRAMES: u32 = 10;

/// Of the rate asked for: a webcam in the dark halves it.
const LEAST_RATE: f64 = 0.8;

/// Mean luma (0 black, 255 white) of a picture that shows anything. A lens under its cap gives 0 to 5.
const LUMA: std::ops::RangeInclusive<f64> = 8.0..=247.0;

/// What was seen in a while.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Watched {
    frames: u32,
    /// Of these, those that show just what the one before showed.
    same: u32,
    fps: f64,
    dropped: u32,
    damaged: u64,
    mean_luma: f64,
}

/// Opens the source as the rig would and looks at two seconds of it.
pub(super) fn check(rig: &Rig) -> Finding {
    let source = &rig.board.source;
    if rig.running && !matches!(source, Source::Clip { .. }) {
        return Finding::skipped(
            "in use by the running rigel; to check it too: sudo systemctl stop rigeld, check, sudo systemctl start rigeld",
        );
    }
    let name = match source {
        Source::Clip { path, .. } => path.display().to_string(),
        Source::Camera(camera) => camera.device.display().to_string(),
        Source::Pipe(pipe) => pipe.command.join(" "),
    };
    let mut opened = match wiring::open_source(source) {
        Ok(opened) => opened,
        Err(error) => return failed(error),
    };
    match watch(opened.as_mut()) {
        Ok(watched) => judge(&name, opened.as_ref(), &watched),
        Err(error) => failed(error),
    }
}

fn watch(source: &mut dyn FrameSource) -> Result<Watched, CaptureError> {
    let mut frame = FrameBuffer::default();
    let start = Instant::now();
    let settle = if source.is_live() {
        SETTLE
    } else {
        Duration::ZERO
    };
    while start.elapsed() < settle && source.next_into(&mut frame)? {}
    let damaged = |source: &dyn FrameSource| source.condition().map_or(0, |now| now.damaged_frames);
    let damaged_before = damaged(source);
    let (mut watched, mut luma) = (Watched::default(), 0.0);
    let start = Instant::now();
    while start.elapsed() < WATCH && (source.is_live() || watched.frames < CLIP_FRAMES) {
        if !source.next_into(&mut frame)? {
            break;
        }
        watched.frames += 1;
        watched.same += u32::from(frame.info.same_pixels);
        watched.dropped += frame.info.dropped_before;
        luma += mean_luma(&frame);
    }
    watched.fps = f64::from(watched.frames) / start.elapsed().as_secs_f64();
    watched.damaged = damaged(source) - damaged_before;
    watched.mean_luma = luma / f64::from(watched.frames.max(1));
    Ok(watched)
}

/// Of every 17th pixel, with 0 for black and 255 for white whatever the range.
fn mean_luma(frame: &FrameBuffer) -> f64 {
    let (sum, count) = frame
        .luma()
        .iter()
        .step_by(17)
        .fold((0_u64, 0_u32), |(sum, count), &luma| {
            (sum + u64::from(luma), count + 1)
        });
    let mean = sum as f64 / f64::from(count.max(1));
    if frame.full_range {
        mean
    } else {
        ((mean - 16.0) * 255.0 / 219.0).clamp(0.0, 255.0)
    }
}

fn judge(name: &str, source: &dyn FrameSource, watched: &Watched) -> Finding {
    let info = source.info();
    let condition = source.condition();
    let format = condition.map_or_else(|| info.codec.clone(), |now| now.format.to_string());
    let asked = condition.map_or(0.0, |now| f64::from(now.asked_fps));
    let measured = condition
        .and_then(|now| now.measured_fps)
        .map_or(watched.fps, f64::from);
    let picture = format!("{name}: {format} {}x{}", info.width, info.height);
    if !source.is_live() {
        return if watched.frames > 0 {
            Finding::passed(format!(
                "{picture}, a clip; its first {} frames can be read",
                watched.frames
            ))
        } else {
            Finding::failed(
                format!("{name}: no frames in it"),
                "name another clip as source.path",
            )
        };
    }
    let found = format!(
        "{picture}, {measured:.1} of {asked:.1} frames a second, {} dropped, {} damaged, mean luma {:.0}",
        watched.dropped, watched.damaged, watched.mean_luma
    );
    judge_live(found, asked, measured, watched)
        .with("format", format)
        .with("width", info.width)
        .with("height", info.height)
        .with("frames", watched.frames)
        .with("asked_fps", round(asked))
        .with("measured_fps", round(measured))
        .with("dropped", watched.dropped)
        .with("damaged", watched.damaged)
        .with("mean_luma", round(watched.mean_luma))
}

fn judge_live(found: String, asked: f64, measured: f64, watched: &Watched) -> Finding {
    if watched.frames < 2 {
        return Finding::failed(
            found,
            "plug the camera in again; if it stays so, try another port, cable or camera",
        );
    }
    if !LUMA.contains(&watched.mean_luma) {
        let (what, to_do) = if watched.mean_luma < *LUMA.start() {
            (
                "black",
                "take the cap off the lens, make light (source.infrared-lamp), or let exposure-us and gain out of the board file",
            )
        } else {
            (
                "white",
                "shade the camera, or let exposure-us and gain out of the board file",
            )
        };
        return Finding::failed(format!("{found}; the picture is {what}"), to_do);
    }
    if watched.same + 1 >= watched.frames {
        return Finding::failed(
            format!("{found}; every frame shows the very same picture"),
            "the camera hangs: plug it in again",
        );
    }
    if asked > 0.0 && measured < LEAST_RATE * asked {
        return Finding::failed(
            format!("{found}; too slow"),
            "more light or a fixed source.exposure-us (a camera in the dark exposes longer), a USB port of its own, or a lower source.fps",
        );
    }
    // A lossy cable is worth a look before a frame that matters is lost.
    if watched.damaged * 20 > u64::from(watched.frames) {
        return Finding::failed(
            format!("{found}; more than one frame in twenty is damaged"),
            "another cable or USB port, or a smaller picture",
        );
    }
    Finding::passed(found)
}

fn round(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// What is wrong, and apart from it what to do: a camera's faults say both, parted by the first colon.
fn failed(error: CaptureError) -> Finding {
    let parted = match &error {
        CaptureError::Camera { camera, fault } => match fault {
            CameraFault::Missing
            | CameraFault::NotAllowed
            | CameraFault::Busy
            | CameraFault::OtherFormat { .. }
            | CameraFault::Stalled { .. }
            | CameraFault::OnlyDamaged { .. } => fault
                .to_string()
                .split_once(": ")
                .map(|(what, to_do)| Finding::failed(format!("{camera}: {what}"), to_do)),
            _ => None,
        },
        _ => None,
    };
    parted.unwrap_or_else(|| {
        let error = anyhow::Error::new(error);
        let to_do = crate::hint(&error)
            .unwrap_or("correct [source] in the board file, or the camera's plug and cable");
        Finding::failed(format!("{error:#}"), to_do)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: Watched = Watched {
        frames: 60,
        same: 0,
        fps: 30.0,
        dropped: 0,
        damaged: 0,
        mean_luma: 110.0,
    };

    fn said(watched: &Watched, measured: f64) -> String {
        judge_live("x".to_owned(), 30.0, measured, watched).said
    }

    #[test]
    fn what_a_camera_wants_done_stands_apart_from_what_is_wrong() {
        let finding = failed(CaptureError::Camera {
            camera: "/dev/video7".to_owned(),
            fault: CameraFault::Busy,
        });
        assert_eq!(finding.said, "/dev/video7: another program uses the camera");
        assert!(finding.to_do.unwrap().contains("fuser"));
        let finding = failed(CaptureError::Camera {
            camera: "/dev/video7".to_owned(),
            fault: CameraFault::NotACamera {
                what: "a radio".to_owned(),
            },
        });
        assert!(
            finding
                .said
                .ends_with("this device gives no video: a radio")
        );
    }

    #[test]
    fn a_camera_that_sees_nothing_hangs_or_is_slow_is_told_apart() {
        assert_eq!(said(&GOOD, 30.0), "x");
        assert!(
            said(
                &Watched {
                    mean_luma: 2.0,
                    ..GOOD
                },
                30.0
            )
            .contains("black")
        );
        assert!(
            said(
                &Watched {
                    mean_luma: 252.0,
                    ..GOOD
                },
                30.0
            )
            .contains("white")
        );
        assert!(said(&Watched { same: 59, ..GOOD }, 30.0).contains("very same picture"));
        assert!(said(&GOOD, 15.0).contains("too slow"));
        assert!(said(&Watched { damaged: 9, ..GOOD }, 30.0).contains("damaged"));
    }
}
