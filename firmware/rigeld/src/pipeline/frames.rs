//! The capture thread, and the buffers between it and the line.
//!
//! From a file no frame is lost: where the line is slower, the capture thread waits. From a camera the newest frame wins:
//! while no buffer is free, the source is asked to keep up, and gives back what became outdated.

use anyhow::{Context, Result};
use capture::{CameraCondition, CaptureError, FrameBuffer, FrameSource};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Buffers of a file: decoding runs ahead.
const CLIP_BUFFERS: usize = 4;
/// Buffers of a camera: one is labelled while the next waits. More would only make labels late.
const LIVE_BUFFERS: usize = 2;

/// The line waits no longer than this for a frame before it looks after other things.
const WAIT: Duration = Duration::from_millis(250);
/// How often a live source is asked to keep up while no buffer is free.
const KEEP_UP: Duration = Duration::from_millis(5);

/// How a source ended.
#[derive(Debug, Default)]
pub(super) struct Ending {
    pub(super) damage: Option<String>,
    pub(super) error: Option<CaptureError>,
    pub(super) condition: Option<CameraCondition>,
}

/// What comes next.
pub(super) enum Next {
    Frame(FrameBuffer, Option<CameraCondition>),
    /// No frame yet; the capture thread said meanwhile that it lives.
    Nothing,
    /// No frame, and no word from the capture thread.
    Silence,
    End(Ending),
}

enum Filled {
    Frame(FrameBuffer, Option<CameraCondition>),
    End(Ending),
}

#[derive(Default)]
struct Shared {
    /// The capture thread is to end.
    stop: AtomicBool,
    /// The capture thread got on since the line looked last: a frame came, or a wait for one ended.
    lives: AtomicBool,
}

pub(super) struct Frames {
    filled: Receiver<Filled>,
    empty: SyncSender<FrameBuffer>,
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Frames {
    /// Frames are captured into copies of `empty`.
    pub(super) fn start(source: Box<dyn FrameSource>, empty_frame: &FrameBuffer) -> Result<Self> {
        let buffers = if source.is_live() {
            LIVE_BUFFERS
        } else {
            CLIP_BUFFERS
        };
        // Bounded, so that they allocate once; there is room for every buffer and the end.
        let (empty, to_fill) = sync_channel::<FrameBuffer>(buffers);
        let (fill, filled) = sync_channel(buffers + 1);
        for _ in 0..buffers {
            empty
                .send(empty_frame.clone())
                .context("the receiver is held here")?;
        }
        let shared = Arc::new(Shared::default());
        let told = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("capture".into())
            .spawn(move || capture(source, &to_fill, &fill, &told))
            .context("cannot start the capture thread")?;
        Ok(Self {
            filled,
            empty,
            shared,
            thread: Some(thread),
        })
    }

    pub(super) fn next(&mut self) -> Result<Next> {
        Ok(match self.filled.recv_timeout(WAIT) {
            Ok(Filled::Frame(frame, condition)) => Next::Frame(frame, condition),
            Ok(Filled::End(ending)) => {
                self.join()?;
                Next::End(ending)
            }
            Err(RecvTimeoutError::Timeout) if self.shared.lives.swap(false, Relaxed) => {
                Next::Nothing
            }
            Err(RecvTimeoutError::Timeout) => Next::Silence,
            Err(RecvTimeoutError::Disconnected) => {
                self.join()?;
                anyhow::bail!("the capture thread ended without a word")
            }
        })
    }

    pub(super) fn give_back(&self, frame: FrameBuffer) {
        // After the end nobody takes it; then it is dropped.
        let _ = self.empty.try_send(frame);
    }

    /// Asks the capture thread to end; what it filled by then still comes.
    pub(super) fn stop(&self) {
        self.shared.stop.store(true, Relaxed);
    }

    /// When it returns, the source is closed.
    fn join(&mut self) -> Result<()> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Err(_)) => anyhow::bail!("the capture thread panicked; the log has its words"),
            _ => Ok(()),
        }
    }
}

impl Drop for Frames {
    fn drop(&mut self) {
        // Not joined: it may hang in the driver, which is why we may be here.
        self.stop();
    }
}

/// Ends with the source, with the line, or when asked to.
fn capture(
    mut source: Box<dyn FrameSource>,
    to_fill: &Receiver<FrameBuffer>,
    fill: &SyncSender<Filled>,
    shared: &Shared,
) {
    let patience = if source.is_live() { KEEP_UP } else { WAIT };
    let mut error = None;
    // It may have been open for a while.
    source.keep_up();
    while !shared.stop.load(Relaxed) {
        shared.lives.store(true, Relaxed);
        let mut frame = match to_fill.recv_timeout(patience) {
            Ok(frame) => frame,
            Err(RecvTimeoutError::Timeout) => {
                source.keep_up();
                continue;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        };
        match source.next_into(&mut frame) {
            Ok(true) => {
                if fill.send(Filled::Frame(frame, source.condition())).is_err() {
                    return;
                }
            }
            Ok(false) => break,
            Err(failure) => {
                error = Some(failure);
                break;
            }
        }
    }
    let _ = fill.send(Filled::End(Ending {
        damage: source.damage(),
        error,
        condition: source.condition(),
    }));
}

#[cfg(test)]
mod tests {
    use super::*;
    use capture::SourceInfo;
    use std::sync::mpsc::Sender;

    struct Panicking(SourceInfo);

    impl FrameSource for Panicking {
        fn info(&self) -> &SourceInfo {
            &self.0
        }
        fn next_into(&mut self, _: &mut FrameBuffer) -> Result<bool, CaptureError> {
            panic!("on purpose")
        }
        fn damage(&self) -> Option<String> {
            None
        }
    }

    /// Gives a frame for each message, and tells when it was asked to keep up.
    struct Live {
        info: SourceInfo,
        frames: Receiver<()>,
        kept_up: Sender<()>,
    }

    impl FrameSource for Live {
        fn info(&self) -> &SourceInfo {
            &self.info
        }
        fn next_into(&mut self, _: &mut FrameBuffer) -> Result<bool, CaptureError> {
            Ok(self.frames.recv().is_ok())
        }
        fn damage(&self) -> Option<String> {
            None
        }
        fn is_live(&self) -> bool {
            true
        }
        fn keep_up(&mut self) {
            let _ = self.kept_up.send(());
        }
    }

    fn info() -> SourceInfo {
        SourceInfo {
            name: "made".into(),
            width: 8,
            height: 8,
            nominal_fps: None,
            expected_frames: None,
            codec: "made".into(),
        }
    }

    #[test]
    fn a_panic_of_the_capture_thread_is_an_error_and_not_the_end_of_the_clip() {
        let mut frames =
            Frames::start(Box::new(Panicking(info())), &FrameBuffer::default()).unwrap();
        let error = loop {
            match frames.next() {
                Ok(Next::End(_)) => panic!("taken for the end"),
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert!(error.to_string().contains("panicked"), "{error}");
    }

    #[test]
    fn a_camera_is_asked_to_keep_up_while_both_buffers_are_taken_and_not_before() {
        let (frame, frames) = std::sync::mpsc::channel();
        let (kept_up, asked) = std::sync::mpsc::channel();
        let source = Live {
            info: info(),
            frames,
            kept_up,
        };
        let mut frames = Frames::start(Box::new(source), &FrameBuffer::default()).unwrap();
        let next = |frames: &mut Frames| {
            frame.send(()).unwrap();
            loop {
                match frames.next().unwrap() {
                    Next::Frame(buffer, _) => return buffer,
                    Next::End(_) => panic!("the camera goes on"),
                    _ => {}
                }
            }
        };
        asked.recv().unwrap();
        let (first, _second) = (next(&mut frames), next(&mut frames));
        for _ in 0..3 {
            asked.recv_timeout(Duration::from_secs(10)).unwrap();
        }
        frames.give_back(first);
        let _third = next(&mut frames);
    }

    #[test]
    fn a_capture_thread_that_hangs_in_the_driver_is_not_taken_for_one_that_waits() {
        let (_frame, frames) = std::sync::mpsc::channel();
        let (kept_up, _asked) = std::sync::mpsc::channel();
        let source = Live {
            info: info(),
            frames,
            kept_up,
        };
        let mut frames = Frames::start(Box::new(source), &FrameBuffer::default()).unwrap();
        // The first wait still sees that the thread began.
        let _ = frames.next().unwrap();
        assert!(matches!(frames.next().unwrap(), Next::Silence));
        assert!(matches!(frames.next().unwrap(), Next::Silence));
    }
}
