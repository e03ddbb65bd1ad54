//! `rigeld label`: a clip, a picture or a folder of pictures into a file of labels.

use crate::lines::{Lines, Tracks};
use crate::pipeline::{ClipEnd, Pipeline, ToTheEnd};
use crate::summary::Summary;
use anyhow::{Context, Result};
use board::Board;
use capture::{
    CaptureError, ClipSource, Ffmpeg, FrameSource, MjpegFileSource, StillSource, list_pictures,
};
use indicatif::{ProgressBar, ProgressStyle};
use perception::Search;
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Arguments of `rigeld label`.
#[derive(clap::Args)]
pub struct Arguments {
    /// Clip (mp4, avi, mkv …) or picture (jpg, png, bmp, webp); a folder of pictures with --stills
    clip: PathBuf,
    /// File for the labels, one JSON object a line
    #[arg(long)]
    out: PathBuf,
    /// Expand tracks to every frame
    #[arg(long)]
    every_frame: bool,
    /// The clip is a folder of pictures: each is a clip of one frame, and its lines carry its name
    #[arg(long)]
    stills: bool,
    /// Board file; its models and calibration are used [default: boards/sim.toml here or above the program]
    #[arg(long)]
    board: Option<PathBuf>,
    /// Also write the run in numbers to this file (JSON)
    #[arg(long)]
    summary: Option<PathBuf>,
}

/// Labels what the arguments name.
pub fn label(arguments: &Arguments) -> Result<()> {
    let board = Board::read(&crate::board_path(arguments.board.as_deref())?)?;
    // Bad input and output are told before models are loaded.
    let input = Input::open(arguments)?;
    refuse_overwriting(arguments)?;
    let partial = partial_path(&arguments.out);
    let file = create(&arguments.out, &partial)?;
    let mut pipeline = Pipeline::load(&board).inspect_err(|_| {
        let _ = std::fs::remove_file(&partial);
    })?;
    let tracks = if arguments.every_frame {
        Tracks::EveryFrame
    } else {
        Tracks::Keyframes
    };
    let mut lines = Lines::new(BufWriter::new(file), tracks);
    let start = Instant::now();
    let mut summary = Summary::default();
    let result = input.label(&mut pipeline, &mut lines, &mut summary);
    let counts = lines.counts;
    let file = lines
        .into_inner()
        .into_inner()
        .context("cannot write the last labels")?;
    file.sync_all()
        .with_context(|| format!("cannot write {}", partial.display()))?;
    if result.is_err() && counts.offered + counts.abstained == 0 {
        // Nothing was labelled: leave no file that looks as if something was.
        let _ = std::fs::remove_file(&partial);
        return result;
    }
    // Whoever finds the file finds all of it.
    std::fs::rename(&partial, &arguments.out).with_context(|| {
        format!(
            "cannot rename {} to {}",
            partial.display(),
            arguments.out.display()
        )
    })?;
    (summary.offered, summary.abstained, summary.blinks) =
        (counts.offered, counts.abstained, counts.blinks);
    summary.mesh_looks = pipeline.mesh_looks;
    let summary = summary.timed(&pipeline.stages, start.elapsed());
    summary.log();
    if let Some(path) = &arguments.summary {
        summary.write(path)?;
    }
    result
}

/// A recording cannot be made again: a slip of the hand must not replace it with its labels.
fn refuse_overwriting(arguments: &Arguments) -> Result<()> {
    let clip = std::fs::canonicalize(&arguments.clip).ok();
    for written in std::iter::once(&arguments.out).chain(&arguments.summary) {
        anyhow::ensure!(
            clip.is_none() || std::fs::canonicalize(written).ok() != clip,
            "{} is the clip itself: name another file for what is written",
            written.display()
        );
    }
    Ok(())
}

/// The file that is written until it is whole.
fn create(out: &Path, partial: &Path) -> Result<File> {
    anyhow::ensure!(
        !out.is_dir(),
        "cannot write {}: it is a folder; name a file in it",
        out.display()
    );
    File::create(partial).with_context(|| {
        format!(
            "cannot write {}: its folder must exist, have room and allow it",
            out.display()
        )
    })
}

fn partial_path(out: &Path) -> PathBuf {
    let mut name = out.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    out.with_file_name(name)
}

enum Input {
    One(Box<dyn FrameSource>, Search),
    Stills(Vec<PathBuf>),
}

impl Input {
    fn open(arguments: &Arguments) -> Result<Self> {
        let path = &arguments.clip;
        if arguments.stills {
            return Ok(Self::Stills(list_pictures(path)?));
        }
        if path.is_file() && StillSource::is_picture(path) {
            return Ok(Self::One(Box::new(StillSource::open(path)?), Search::Still));
        }
        Ok(Self::One(open_clip(path, None)?, Search::Video))
    }

    fn label<W: Write>(
        self,
        pipeline: &mut Pipeline,
        lines: &mut Lines<W>,
        summary: &mut Summary,
    ) -> Result<()> {
        match self {
            Self::One(source, search) => {
                let bar = progress_bar(source.info().expected_frames, "frames");
                let mut sink = Progress {
                    sink: lines,
                    bar: &bar,
                };
                let name = source.info().name.clone();
                let end = pipeline.label(source, search, &mut sink, &mut ToTheEnd);
                bar.finish_and_clear();
                let end = end?;
                add(summary, &name, &end);
                end.failure.map_or(Ok(()), |failure| Err(failure.into()))
            }
            Self::Stills(pictures) => {
                let bar = progress_bar(Some(pictures.len() as u32), "pictures");
                let mut failed = 0;
                for path in &pictures {
                    lines.name_clip(&path.file_stem().unwrap_or_default().to_string_lossy());
                    match label_still(path, pipeline, lines) {
                        Ok(end) => add(summary, &path.to_string_lossy(), &end),
                        Err(error) => {
                            // One bad picture does not cost the others.
                            failed += 1;
                            bar.suspend(|| tracing::error!("{error:#}"));
                        }
                    }
                    bar.inc(1);
                }
                bar.finish_and_clear();
                anyhow::ensure!(
                    failed == 0,
                    "{failed} of {} pictures could not be labelled",
                    pictures.len()
                );
                Ok(())
            }
        }
    }
}

/// Pictures a second of a file of JPEGs, which tells no times: what FFmpeg and players take it to be.
const PICTURES_A_SECOND: f32 = 25.0;

/// Starts decoding a clip. A file of JPEGs needs no ffmpeg: it is decoded as a camera's pictures are.
pub(crate) fn open_clip(
    path: &Path,
    seconds: Option<f64>,
) -> Result<Box<dyn FrameSource>, CaptureError> {
    // Told first: without ffmpeg a missing file would be called a missing program.
    if let Err(source) = std::fs::metadata(path) {
        return Err(CaptureError::Open {
            path: path.to_owned(),
            source,
        });
    }
    // Recordings of several sizes put together are brought to the first one's by ffmpeg.
    if is_file_of_jpegs(path) && MjpegFileSource::open(path, PICTURES_A_SECOND)?.has_one_size()? {
        let source = MjpegFileSource::open(path, PICTURES_A_SECOND)?;
        return Ok(Box::new(source.ending_at(seconds.unwrap_or(f64::INFINITY))));
    }
    let ffmpeg = Ffmpeg::find(&crate::ffmpeg_candidates())?;
    Ok(Box::new(ClipSource::open(path, &ffmpeg, seconds)?))
}

/// By name and by its first bytes: an AVI is sometimes called the same.
fn is_file_of_jpegs(path: &Path) -> bool {
    let mut start = [0; 3];
    path.extension().is_some_and(|ending| {
        ["mjpeg", "mjpg"]
            .iter()
            .any(|name| ending.eq_ignore_ascii_case(name))
    }) && File::open(path).is_ok_and(|mut file| file.read_exact(&mut start).is_ok())
        && start == [0xff, 0xd8, 0xff]
}

fn label_still<W: Write>(
    path: &Path,
    pipeline: &mut Pipeline,
    lines: &mut Lines<W>,
) -> Result<ClipEnd> {
    pipeline.label(
        Box::new(StillSource::open(path)?),
        Search::Still,
        lines,
        &mut ToTheEnd,
    )
}

fn add(summary: &mut Summary, name: &str, end: &ClipEnd) {
    summary.frames += u64::from(end.frames);
    summary.repeated += u64::from(end.repeated);
    summary.tracks += u64::from(end.tracks);
    if let Some(damage) = &end.damage {
        tracing::warn!(
            "{name} is damaged; what could be decoded ({} frames) is labelled: {damage}",
            end.frames
        );
    }
}

/// A bar on the terminal, with the total where it is known.
pub(crate) fn progress_bar(total: Option<u32>, unit: &str) -> ProgressBar {
    let bar = total.map_or_else(ProgressBar::no_length, |total| {
        ProgressBar::new(u64::from(total))
    });
    let style = ProgressStyle::with_template(&format!(
        "{{spinner}} labelling [{{bar:40}}] {{pos}}/{{len}} {unit}, {{per_sec}}, {{msg}}"
    ));
    bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Counts frames and blinks on the bar.
pub(crate) struct Progress<'a> {
    pub(crate) sink: &'a mut dyn crate::pipeline::Sink,
    pub(crate) bar: &'a ProgressBar,
}

impl crate::pipeline::Sink for Progress<'_> {
    fn opened(&mut self, info: &capture::SourceInfo) -> Result<()> {
        self.sink.opened(info)
    }

    fn frame(&mut self, info: &capture::FrameInfo) -> Result<()> {
        self.bar.inc(1);
        self.sink.frame(info)
    }

    fn empty_frame(&self) -> capture::FrameBuffer {
        self.sink.empty_frame()
    }

    fn record(&mut self, frame: &mut capture::FrameBuffer) {
        self.sink.record(frame);
    }

    fn label(
        &mut self,
        label: label_core::wire::Label,
        strip: Option<&mut perception::Filmstrip>,
    ) -> Result<()> {
        self.sink.label(label, strip)
    }

    fn shed(&mut self, change: label_core::wire::ShedChange) -> Result<()> {
        self.sink.shed(change)
    }

    fn takes_pictures(&self) -> bool {
        self.sink.takes_pictures()
    }

    fn picture(&mut self, shows: label_core::wire::KeyPicture, jpeg: &[u8]) -> Result<()> {
        self.sink.picture(shows, jpeg)
    }

    fn mark(&mut self, at: &capture::FrameInfo) -> Result<()> {
        self.sink.mark(at)
    }

    fn waited(&mut self) -> Result<()> {
        self.sink.waited()
    }

    fn closed(&mut self, clip: &ClipEnd) -> Result<()> {
        self.sink.closed(clip)
    }
}
