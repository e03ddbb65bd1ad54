//! What is said of the board's source; and how long to wait before it is opened again.

use board::Source;
use capture::{CameraFault, CaptureError};
use label_core::wire::CameraState;
use std::time::Duration;

/// Whether frames come at their own time.
pub(super) const fn is_live(source: &Source) -> bool {
    matches!(source, Source::Camera(_) | Source::Pipe(_))
}

/// Longest wait for a frame.
pub(super) fn longest_wait(source: &Source) -> Duration {
    let ms = match source {
        Source::Clip { .. } => 0,
        Source::Camera(camera) => camera.timeout_ms,
        Source::Pipe(pipe) => pipe.timeout_ms,
    };
    Duration::from_millis(u64::from(ms))
}

/// What stands for it in messages.
pub(super) fn name(source: &Source) -> String {
    match source {
        Source::Clip { path, .. } => path.display().to_string(),
        Source::Camera(camera) => camera.device.display().to_string(),
        Source::Pipe(pipe) => pipe.command.join(" "),
    }
}

/// What a failure says of the camera, and the few words that the panel has room for.
pub(super) fn state_of(error: &CaptureError) -> (CameraState, &'static str) {
    let CaptureError::Camera { fault, .. } = error else {
        return (CameraState::Failing, "source fails");
    };
    match fault {
        CameraFault::Missing | CameraFault::Unplugged => (CameraState::Unplugged, "no camera"),
        CameraFault::Stalled { .. } => (CameraState::Stalled, "camera stalled"),
        CameraFault::NotAllowed => (CameraState::Failing, "camera not allowed"),
        CameraFault::Busy => (CameraState::Failing, "camera in use"),
        CameraFault::NotACamera { .. } => (CameraState::Failing, "not a camera"),
        CameraFault::NoFormat { .. } | CameraFault::OtherFormat { .. } => {
            (CameraState::Failing, "camera format")
        }
        CameraFault::OnlyDamaged { .. } => (CameraState::Failing, "frames damaged"),
        CameraFault::NotStarted { .. } | CameraFault::NotAsAgreed { .. } => {
            (CameraState::Failing, "camera program")
        }
        CameraFault::Ended { .. } => (CameraState::Failing, "program ended"),
        _ => (CameraState::Failing, "camera fails"),
    }
}

/// Longer each time, without an end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Backoff {
    next: Duration,
}

impl Backoff {
    const SHORTEST: Duration = Duration::from_millis(200);
    const LONGEST: Duration = Duration::from_secs(10);

    /// The first wait is short: most cameras that were unplugged are back at once.
    pub(super) const fn new() -> Self {
        Self {
            next: Self::SHORTEST,
        }
    }

    /// How long to wait before the next attempt.
    pub(super) fn take(&mut self) -> Duration {
        let wait = self.next;
        self.next = (wait * 2).min(Self::LONGEST);
        wait
    }

    /// The source was there for so long. One that comes and goes does not begin anew each time: each would be a clip.
    pub(super) fn was_there(&mut self, time: Duration) {
        if time >= Self::LONGEST {
            *self = Self::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_that_stays_away_is_looked_for_less_often_but_for_ever_and_one_that_was_well_at_once()
     {
        let mut backoff = Backoff::new();
        let waits: Vec<u128> = (0..9).map(|_| backoff.take().as_millis()).collect();
        assert_eq!(
            waits,
            [200, 400, 800, 1600, 3200, 6400, 10_000, 10_000, 10_000]
        );
        backoff.was_there(Duration::from_secs(1));
        assert_eq!(backoff.take(), Duration::from_secs(10));
        backoff.was_there(Duration::from_mins(1));
        assert_eq!(backoff.take(), Duration::from_millis(200));
    }
}
