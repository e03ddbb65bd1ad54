//! What looks after the line while it runs: signals, the button, the watchdog, heat and lateness, what others are told.

use super::signals::Signals;
use crate::budget::{Budget, Limits, Reading};
use crate::clock::monotonic_us;
use crate::live::{LiveHandle, unknown_camera};
use crate::pipeline::{ClipEnd, Control, Labelled, Order, Progress, picture_budget};
use crate::service::{self, Watchdog};
use crate::stages::{Stage, Stages};
use anyhow::{Result, ensure};
use capture::{CameraCondition, CaptureError, FrameBuffer};
use label_core::wire::{CameraHealth, CameraState, Policy, Shed};
use panel::{Link, Mode, Press};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};
use uplink::{LinkState, Uplink};

/// Time between two looks at everything that need not be known for each frame.
const LOOK: Duration = Duration::from_secs(1);

/// Waits are cut into pieces of this length, so that a signal ends them.
const STEP: Duration = Duration::from_millis(100);

/// Looks after the line.
pub(super) struct Attendant<'a> {
    live: LiveHandle,
    watchdog: Watchdog,
    signals: Signals,
    presses: Receiver<Press>,
    uplink: &'a Uplink,
    /// Changes of the policy that are in force.
    policy_seen: u64,
    budget: Option<Budget>,
    /// Whether a session is on.
    session: bool,
    end: End,
    /// Whether frames of the clip in progress were labelled.
    streaming: bool,
    begun: Instant,
    second: Second,
    /// Damaged frames of the clips before this one.
    damaged_before: u64,
    /// Why the camera gives no frames, as it was logged.
    trouble: Option<String>,
}

/// Whether the program is to end, and what then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    NotYet,
    Stop,
    PowerOff,
}

/// What was seen since the last look.
struct Second {
    since: Instant,
    frames: u32,
    /// Lost without being left out on purpose.
    lost: u32,
    latency: crate::live::Mean,
    /// Time that the line had waited for frames by then.
    waited: Duration,
    stages: Stages,
}

impl<'a> Attendant<'a> {
    pub(super) fn new(
        live: LiveHandle,
        signals: Signals,
        presses: Receiver<Press>,
        uplink: &'a Uplink,
        longest_wait: Duration,
    ) -> Self {
        let now = Instant::now();
        Self {
            live,
            watchdog: Watchdog::new(longest_wait),
            signals,
            presses,
            uplink,
            policy_seen: 0,
            budget: None,
            session: true,
            end: End::NotYet,
            streaming: false,
            begun: now,
            second: Second {
                since: now,
                frames: 0,
                lost: 0,
                latency: crate::live::Mean::default(),
                waited: Duration::ZERO,
                stages: Stages::default(),
            },
            damaged_before: 0,
            trouble: None,
        }
    }

    /// The source is live: it has a camera's state, and work may be shed.
    pub(super) fn watch_camera(&mut self, limits: Limits) {
        self.budget = Some(Budget::new(limits));
        self.live.lock().camera = Some(unknown_camera());
    }

    /// A session begins when somebody presses the button for long.
    pub(super) fn wait_for_button(&mut self) {
        self.session = false;
    }

    pub(super) const fn session_is_on(&self) -> bool {
        self.session
    }

    /// Whether the computer is to be switched off.
    pub(super) fn powers_off(&self) -> bool {
        self.end == End::PowerOff
    }

    /// Whether the program is to end.
    pub(super) fn is_over(&mut self) -> bool {
        if self.end == End::NotYet && self.signals.ended() {
            self.ends(End::Stop);
        }
        self.end != End::NotYet
    }

    fn ends(&mut self, end: End) {
        self.end = end;
        service::stopping();
        let (mode, asked) = match end {
            End::PowerOff => (Mode::PowerOff, "the button asks to switch off"),
            _ => (Mode::Stopping, "asked to end"),
        };
        self.live.lock().mode = mode;
        tracing::info!("{asked}: what was seen is labelled and delivered first");
    }

    /// Models and outbox are open.
    pub(super) fn ready(&mut self) {
        service::ready("ready");
        self.watchdog.progress();
    }

    /// Waits, or less long if there is something to do. The pipeline lives: what it does is wait.
    pub(super) fn pause(&mut self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        let session = self.session;
        loop {
            self.watchdog.progress();
            self.look(Instant::now())?;
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.is_over() || self.session != session {
                return Ok(());
            }
            match self.presses.recv_timeout(left.min(STEP)) {
                Ok(press) => {
                    self.pressed(press);
                }
                Err(RecvTimeoutError::Timeout) => {}
                // Without a button.
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(left.min(STEP)),
            }
        }
    }

    /// What a press asks for.
    fn pressed(&mut self, press: Press) -> Order {
        match press {
            Press::Short if self.streaming => {
                self.live.lock().marks += 1;
                tracing::info!("this moment was marked");
                Order::Mark
            }
            Press::Short => Order::GoOn,
            Press::Long => {
                self.session = !self.session;
                tracing::info!(
                    "the button {} the session",
                    if self.session { "starts" } else { "ends" }
                );
                Order::End
            }
            Press::VeryLong => {
                self.ends(End::PowerOff);
                Order::End
            }
        }
    }

    /// The source is being opened. After trouble the trouble stands until a frame comes.
    pub(super) fn opening(&mut self, what: &str) {
        if self.trouble.is_none() {
            self.camera_is(CameraState::Starting, Mode::Starting, || {
                format!("opening {what}")
            });
        }
    }

    /// No session is on.
    pub(super) fn off(&mut self) {
        self.trouble = None;
        self.camera_is(CameraState::Off, Mode::Ready, || {
            "ready; a long press of the button starts a session".into()
        });
    }

    /// The source cannot be opened, or gives no frames any more.
    pub(super) fn in_trouble(&mut self, error: &CaptureError) {
        let (state, words) = super::source::state_of(error);
        let text = error.to_string();
        let mode = match state {
            CameraState::Stalled | CameraState::Unplugged => Mode::NoCamera,
            _ => Mode::Fault(words.to_owned()),
        };
        self.camera_is(state, mode, || format!("{}: {text}", state.name()));
        if self.trouble.as_ref() != Some(&text) {
            tracing::warn!(camera = state.name(), "{text}; trying again until it works");
            self.trouble = Some(text);
        }
    }

    /// Another clip was opened after trouble, or none was yet.
    pub(super) fn reopened(&mut self) {
        if self.trouble.is_some()
            && let Some(camera) = &mut self.live.lock().camera
        {
            camera.reopened += 1;
        }
    }

    /// A source was closed.
    pub(super) fn closed(&mut self, end: &ClipEnd) {
        self.streaming = false;
        if let Some(condition) = &end.condition {
            self.damaged_before += condition.damaged_frames;
        }
        let mut live = self.live.lock();
        live.nothing_in_view();
        if let Some(camera) = &mut live.camera {
            camera.damaged = self.damaged_before;
            camera.measured_fps = 0.0;
        }
        if end.frames == 0 {
            // No clip tells of these.
            live.frames.captured += u64::from(end.dropped);
            live.frames.dropped += u64::from(end.dropped);
        }
    }

    /// Tells the log, the service manager and everybody who asks for [`crate::live`], once.
    fn camera_is(&self, state: CameraState, mode: Mode, status: impl FnOnce() -> String) {
        let mut live = self.live.lock();
        let before = live.camera.as_ref().map(|camera| camera.state);
        if let Some(camera) = &mut live.camera {
            camera.state = state;
        }
        if self.end == End::NotYet {
            live.mode = mode;
        }
        drop(live);
        if before != Some(state) {
            let status = status();
            // Trouble is told where it is known, with its own words.
            if matches!(
                state,
                CameraState::Starting | CameraState::Streaming | CameraState::Off
            ) {
                tracing::info!(camera = state.name(), "{status}");
            }
            if self.end == End::NotYet {
                service::status(&status);
            }
        }
    }

    fn labelled(&mut self, labelled: &Labelled<'_>) {
        if !self.streaming {
            self.streaming = true;
            self.trouble = None;
            let (width, height) = (labelled.frame.width, labelled.frame.height);
            self.camera_is(CameraState::Streaming, Mode::Recording, || {
                format!("labelling {width}x{height}")
            });
        }
        let info = &labelled.frame.info;
        let latency_ms = info
            .captured_us
            .map(|captured| (monotonic_us() - captured) as f64 * 1e-3);
        self.second.frames += 1;
        self.second.lost += info.dropped_before.saturating_sub(labelled.left_out);
        self.second.stages = *labelled.stages;
        if let Some(ms) = latency_ms {
            self.second.latency.add(ms);
        }
        let first = labelled.persons.first().map(|person| person.frame);
        let mut live = self.live.lock();
        live.left_out += u64::from(labelled.left_out);
        live.person = Some(first.is_some());
        live.eyes = [
            Some(first.is_some_and(|person| person.left.is_ok())),
            Some(first.is_some_and(|person| person.right.is_ok())),
        ];
        live.quiet.add(&labelled.quiet);
        live.scene.clone_from(&labelled.scene);
        if let Some(ms) = latency_ms {
            live.latency.add(ms);
        }
    }

    /// Looks at what need not be known for each frame, once a second.
    fn look(&mut self, now: Instant) -> Result<()> {
        let passed = now.duration_since(self.second.since);
        if passed < LOOK {
            return Ok(());
        }
        ensure!(
            !self.uplink.has_ended(),
            "the uplink's thread ended: nothing would be delivered any more"
        );
        let second = &mut self.second;
        let seconds = passed.as_secs_f32();
        let waited = second.stages.time(Stage::Decode);
        let reading = Reading {
            at: now.duration_since(self.begun),
            latency_ms: second.latency.take(),
            lost_share: second.lost as f32 / (second.frames + second.lost).max(1) as f32,
            spare_share: waited.saturating_sub(second.waited).as_secs_f32() / seconds,
            ..Reading::default()
        };
        let frames = second.frames;
        (second.since, second.waited) = (now, waited);
        (second.frames, second.lost) = (0, 0);
        let report = self.uplink.report();
        let waiting = self.uplink.outbox().counters().waiting;
        let mut live = self.live.lock();
        live.stages = self.second.stages;
        live.fps = self.streaming.then_some(frames as f32 / seconds);
        live.link = match report.state {
            LinkState::Held if report.refused > 0 => Link::Refused,
            LinkState::Online | LinkState::Held => Link::Online,
            LinkState::Offline | LinkState::Connecting if report.turned_away => Link::Refused,
            LinkState::Offline | LinkState::Connecting | LinkState::Stopped => Link::Offline,
        };
        live.waiting = Some(waiting);
        let machine = live.machine;
        drop(live);
        self.judge(&Reading {
            temperature_c: machine.temperature_c,
            throttled: machine
                .throttled
                .is_some_and(crate::machine::Throttled::is_slowed),
            ..reading
        });
        Ok(())
    }

    fn judge(&mut self, reading: &Reading) {
        if let Some(budget) = &mut self.budget
            && let Some((shed, cause)) = budget.judge(reading)
        {
            tracing::warn!(shed = shed.name(), "{cause}: from now on left out");
            self.live.lock().shed = shed;
        }
    }

    fn note_condition(&self, condition: &CameraCondition, frame: &FrameBuffer) {
        let mut live = self.live.lock();
        live.scene_luma = Some(mean_luma(frame));
        let Some(camera) = &mut live.camera else {
            return;
        };
        *camera = CameraHealth {
            format: condition.format.name().try_into().unwrap_or_default(),
            width: condition.width,
            height: condition.height,
            asked_fps: condition.asked_fps,
            measured_fps: condition.measured_fps.unwrap_or(0.0),
            damaged: self.damaged_before + condition.damaged_frames,
            ..camera.clone()
        };
    }
}

impl Control for Attendant<'_> {
    fn next(&mut self, progress: &Progress<'_>) -> Result<Order> {
        let now = Instant::now();
        match progress {
            Progress::Labelled(labelled) => {
                self.watchdog.progress();
                let looks = !self.streaming || now.duration_since(self.second.since) >= LOOK;
                if let Some(condition) = labelled.condition.filter(|_| looks) {
                    self.note_condition(condition, labelled.frame);
                }
                self.labelled(labelled);
            }
            Progress::Waited => self.watchdog.progress(),
            Progress::Silence => {}
        }
        self.look(now)?;
        let order = self
            .presses
            .try_recv()
            .map_or(Order::GoOn, |press| self.pressed(press));
        Ok(if self.is_over() || !self.session {
            Order::End
        } else {
            order
        })
    }

    fn policy(&mut self) -> Option<Option<Policy>> {
        let changed = self.uplink.policy().changed(&mut self.policy_seen)?;
        self.live.lock().picture_bytes_a_minute = Some(picture_budget(changed.as_ref()));
        Some(changed)
    }

    fn shed(&self) -> Shed {
        self.budget.as_ref().map_or(Shed::Nothing, Budget::shed)
    }
}

/// Mean brightness by every 32nd pixel of every 32nd row: the panel needs to know night from day.
fn mean_luma(frame: &FrameBuffer) -> f32 {
    let rows = frame.luma().chunks_exact(frame.width.max(1)).step_by(32);
    let (sum, count) = rows
        .flat_map(|row| row.iter().step_by(32))
        .fold((0u32, 0u32), |(sum, count), luma| {
            (sum + u32::from(*luma), count + 1)
        });
    sum as f32 / count.max(1) as f32
}
