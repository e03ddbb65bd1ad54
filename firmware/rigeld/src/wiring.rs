//! From the board file's words to what camera, display, pins and uplink are asked for.
//!
//! The crates below do not know board files; this is the one place that knows both.

use crate::label::open_clip;
use crate::record::RecordingSettings;
use board::{Board, PipeFormat, RecordingEncoder, Source};
use capture::{
    CameraSettings, CameraSource, CaptureError, Ffmpeg, FrameSource, PipeSettings, PipeSource,
    PixelFormat,
};
use std::time::Duration;
use uplink::UplinkConfig;

/// Opens the board's source of frames.
pub(crate) fn open_source(source: &Source) -> Result<Box<dyn FrameSource>, CaptureError> {
    Ok(match source {
        Source::Clip { path, seconds } => open_clip(path, *seconds)?,
        Source::Camera(camera) => Box::new(CameraSource::open(&camera_settings(camera))?),
        Source::Pipe(pipe) => Box::new(PipeSource::open(&pipe_settings(pipe))?),
    })
}

/// What a camera is asked for.
pub(crate) fn camera_settings(camera: &board::Camera) -> CameraSettings {
    let formats = camera.formats.iter().map(|format| match format {
        board::PixelFormat::Mjpeg => PixelFormat::Mjpeg,
        board::PixelFormat::I420 => PixelFormat::I420,
        board::PixelFormat::Nv12 => PixelFormat::Nv12,
        board::PixelFormat::Yuyv => PixelFormat::Yuyv,
        board::PixelFormat::Grey => PixelFormat::Grey,
    });
    CameraSettings {
        device: camera.device.clone(),
        formats: formats.collect(),
        width: camera.width,
        height: camera.height,
        fps: camera.fps,
        exposure_us: camera.exposure_us,
        gain: camera.gain,
        anti_flicker: camera.anti_flicker.map(|flicker| match flicker {
            board::AntiFlicker::Off => capture::AntiFlicker::Off,
            board::AntiFlicker::Hz50 => capture::AntiFlicker::Hz50,
            board::AntiFlicker::Hz60 => capture::AntiFlicker::Hz60,
            board::AntiFlicker::Auto => capture::AntiFlicker::Auto,
        }),
        infrared_lamp: camera.infrared_lamp,
        timeout: milliseconds(camera.timeout_ms),
    }
}

/// What a program that writes frames was told.
pub(crate) fn pipe_settings(pipe: &board::Pipe) -> PipeSettings {
    PipeSettings {
        command: pipe.command.clone(),
        format: match pipe.format {
            PipeFormat::Mjpeg => PixelFormat::Mjpeg,
            PipeFormat::I420 => PixelFormat::I420,
            PipeFormat::Nv12 => PixelFormat::Nv12,
            PipeFormat::Yuyv => PixelFormat::Yuyv,
            PipeFormat::Grey => PixelFormat::Grey,
        },
        width: pipe.width,
        height: pipe.height,
        fps: pipe.fps,
        timeout: milliseconds(pipe.timeout_ms),
    }
}

/// What is recorded; `None` where nothing is.
pub(crate) fn recording_settings(board: &Board) -> Option<RecordingSettings> {
    let recording = board.recording.as_ref()?;
    let fps = match &board.source {
        Source::Camera(camera) => camera.fps,
        Source::Pipe(pipe) => pipe.fps,
        Source::Clip { .. } => return None,
    };
    let ffmpeg = match recording.encoder {
        RecordingEncoder::Camera => None,
        // Without one, each try says so and its frames are counted as missed.
        RecordingEncoder::Ffmpeg => Ffmpeg::find(&crate::ffmpeg_candidates())
            .inspect_err(|error| tracing::error!("{error}; nothing is recorded"))
            .ok(),
    };
    Some(RecordingSettings {
        recording: recording.clone(),
        ffmpeg,
        fps,
    })
}

/// Where the display is.
pub(crate) fn display_settings(panel: &board::Panel) -> panel::DisplaySettings {
    panel::DisplaySettings {
        bus: panel.bus.clone(),
        address: panel.address,
        access: access(panel.access),
        upside_down: panel.upside_down,
    }
}

/// Where lights and button are.
pub(crate) fn pin_settings(pins: &board::Pins) -> panel::PinSettings {
    panel::PinSettings {
        access: access(pins.access),
        chip: pins.chip.clone(),
        heartbeat: pins.heartbeat,
        recording: pins.recording,
        fault: pins.fault,
        button: pins.button,
        button_active_low: pins.button_active_low,
    }
}

/// Where labels go.
pub(crate) fn uplink_config(board: &Board) -> UplinkConfig {
    let broker = &board.broker;
    UplinkConfig {
        tls: broker.tls.as_ref().map(tls_files),
        ..UplinkConfig::new(board.site.clone(), broker.host.clone(), broker.port)
    }
}

fn tls_files(tls: &board::Tls) -> uplink::Tls {
    uplink::Tls {
        ca: tls.ca.clone(),
        cert: tls.cert.clone(),
        key: tls.key.clone(),
    }
}

fn access(access: board::Access) -> panel::Access {
    match access {
        board::Access::Rppal => panel::Access::Rppal,
        board::Access::Kernel => panel::Access::Kernel,
    }
}

fn milliseconds(ms: u32) -> Duration {
    Duration::from_millis(u64::from(ms))
}
