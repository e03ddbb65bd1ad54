//! What is known of the rig right now: written by the line, read by health messages and the panel.

use crate::clock::wall_clock;
use crate::machine::{Machine, Throttled};
use crate::stages::Stages;
use label_core::BootId;
use label_core::id::Name;
use label_core::labeller::Quiet;
use label_core::wire::{
    CameraHealth, CameraState, ClockState, Counters, FrameCounters, Health, OutboxState,
    QuietShare, RecordingHealth, SceneHealth, Shed, WIRE_VERSION,
};
use panel::{Link, Mode, PanelState, SelfTest};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Blinks remembered for the panel: nobody blinks oftener than twice a second for a minute.
const BLINKS: usize = 128;

/// What is known of the rig right now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Live {
    pub(crate) frames: FrameCounters,
    pub(crate) labels: Counters,
    pub(crate) stages: Stages,
    /// Those of the last health message.
    stages_told: Stages,
    /// `None` where clips are read from files.
    pub(crate) camera: Option<CameraHealth>,
    pub(crate) shed: Shed,
    /// From capture to label since the last health message.
    pub(crate) latency: Mean,
    pub(crate) machine: Machine,
    pub(crate) mode: Mode,
    /// Frames labelled a second.
    pub(crate) fps: Option<f32>,
    /// Whether somebody is in view, and their left and right eye.
    pub(crate) person: Option<bool>,
    pub(crate) eyes: [Option<bool>; 2],
    pub(crate) marks: u32,
    /// Of the dropped frames, those left out because work is shed.
    pub(crate) left_out: u64,
    pub(crate) scene_luma: Option<f32>,
    pub(crate) link: Link,
    pub(crate) waiting: Option<u64>,
    pub(crate) self_test: Option<SelfTest>,
    /// Why nothing was said since the last health message.
    pub(crate) quiet: Quiet,
    /// How the picture looked last.
    pub(crate) scene: Option<SceneHealth>,
    /// The budget of key pictures in force; `None` until there is one.
    pub(crate) picture_bytes_a_minute: Option<u32>,
    /// `None` where nothing is recorded.
    pub(crate) recording: Option<RecordingHealth>,
    /// Frames labelled and not recorded, as they are counted.
    pub(crate) not_recorded: Arc<AtomicU64>,
    /// Recorded segments were deleted for the desk.
    pub(crate) purged: Arc<AtomicBool>,
    blinks: heapless::Deque<Instant, BLINKS>,
}

/// A mean that is built up and taken.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    sum: f64,
    count: u32,
}

impl Mean {
    pub(crate) fn add(&mut self, value: f64) {
        self.sum += value;
        self.count += 1;
    }

    /// The mean since the last time; `None` where nothing was added.
    pub(crate) fn take(&mut self) -> Option<f32> {
        let Self { sum, count } = std::mem::take(self);
        (count > 0).then(|| (sum / f64::from(count)) as f32)
    }
}

impl Live {
    /// A blink was told.
    pub(crate) fn blinked(&mut self, now: Instant) {
        if self.blinks.is_full() {
            self.blinks.pop_front();
        }
        let _ = self.blinks.push_back(now);
    }

    /// The recording, with what is missed by now.
    pub(crate) fn recording(&self) -> Option<RecordingHealth> {
        let missed = self.not_recorded.load(Relaxed);
        self.recording
            .map(|told| RecordingHealth { missed, ..told })
    }

    /// Nobody is looked at any more.
    pub(crate) fn nothing_in_view(&mut self) {
        (self.person, self.eyes, self.fps, self.scene_luma) = (None, [None; 2], None, None);
        self.scene = None;
    }

    fn panel(&self, rig: &str, now: Instant) -> PanelState {
        let lately = |at: &&Instant| now.duration_since(**at) < Duration::from_mins(1);
        let camera = self.camera.as_ref().filter(|camera| camera.width > 0);
        PanelState {
            rig: rig.to_owned(),
            mode: self.mode.clone(),
            frames: self.frames.processed,
            fps: self.fps,
            person: self.person,
            eyes: self.eyes,
            blinks_last_minute: Some(self.blinks.iter().filter(lately).count() as u32),
            marks: self.marks,
            link: self.link,
            outbox_messages: self.waiting,
            disk_free_mib: self.machine.disk_free_mib,
            temperature_c: self.machine.temperature_c,
            throttled: self.machine.throttled.map(Throttled::is_slowed),
            clock: Some(clock_name(wall_clock().1).to_owned()),
            shed: (self.shed != Shed::Nothing).then(|| self.shed.name().to_owned()),
            camera: camera.map(|camera| panel::CameraState {
                format: camera.format.as_str().to_owned(),
                width: camera.width,
                height: camera.height,
                asked_fps: Some(camera.asked_fps).filter(|fps| *fps > 0.0),
                measured_fps: Some(camera.measured_fps).filter(|fps| *fps > 0.0),
                lost_frames: self.frames.dropped.saturating_sub(self.left_out),
            }),
            self_test: self.self_test.clone(),
            scene_luma: self.scene_luma,
        }
    }
}

/// As it travels on the wire.
const fn clock_name(clock: ClockState) -> &'static str {
    match clock {
        ClockState::Unsynced => "unsynced",
        ClockState::Rtc => "rtc",
        ClockState::Ntp => "ntp",
        ClockState::Ptp => "ptp",
        ClockState::Corrected => "corrected",
    }
}

/// What is known of the rig right now, as threads share it.
#[derive(Clone, Debug, Default)]
pub struct LiveHandle(Arc<Mutex<Live>>);

impl LiveHandle {
    /// Held for a few assignments at a time.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Live> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the panel shows, each time it is asked for.
    pub(crate) fn for_panel(&self, rig: &Name) -> impl FnMut() -> PanelState + Send + use<> {
        let (live, rig) = (self.clone(), rig.clone());
        move || live.lock().panel(&rig, Instant::now())
    }

    /// What health messages tell, each time one is due.
    pub(crate) fn for_health(
        &self,
        rig: &Name,
        boot: BootId,
    ) -> impl FnMut() -> Health + Send + use<> {
        let (live, rig, started) = (self.clone(), rig.clone(), Instant::now());
        move || {
            let mut live = live.lock();
            let stages = live.stages.since(&live.stages_told).for_health();
            live.stages_told = live.stages;
            Health {
                v: WIRE_VERSION,
                rig: rig.clone(),
                boot,
                uptime_s: started.elapsed().as_secs(),
                frames: live.frames,
                labels: live.labels,
                outbox: OutboxState::default(),
                stages,
                clock: wall_clock().1,
                temperature_c: live.machine.temperature_c,
                disk_free_mib: live.machine.disk_free_mib,
                camera: live.camera.clone(),
                shed: live.shed,
                throttled: live.machine.throttled.map(Throttled::is_slowed),
                latency_ms: live.latency.take(),
                policy: None,
                picture_bytes_a_minute: live.picture_bytes_a_minute,
                scene: live.scene.clone(),
                recording: live.recording(),
                commands: None,
                quiet: std::mem::take(&mut live.quiet)
                    .shares()
                    .map(|(reason, share)| QuietShare {
                        reason,
                        share: (share * 1e4).round() / 1e4,
                    })
                    .collect(),
            }
        }
    }
}

/// A camera of which nothing is known yet.
pub(crate) const fn unknown_camera() -> CameraHealth {
    CameraHealth {
        state: CameraState::Off,
        format: heapless::String::new(),
        width: 0,
        height: 0,
        asked_fps: 0.0,
        measured_fps: 0.0,
        damaged: 0,
        reopened: 0,
    }
}
