//! `rigel verify`: whether a clip's media, its manifest and its labels speak of the same frames.

mod file;
mod recording;

pub(crate) use file::{hex, sha256};
pub(crate) use recording::{index, segment_name};

use crate::store_place::StorePlace;
use anyhow::{Result, bail};
use clap::Args;
use label_store::{
    ClipId, ClipRecord, LabelStore, QueueFilter, StoredDecision, StoredSegment, clip_id_text,
    parse_clip_id,
};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Of one kind of trouble no more are told one by one.
const TOLD: usize = 10;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel verify rig-07:3145729:2                               manifest and labels
  rigel verify rig-07:3145729:2 --media drive.mp4             and the file that the rig labelled
  rigel verify rig-07:3145729:2 --media /media/card/recording and the segments that the rig recorded of it

Checked are: that every frame has a time and times go on; that no label lies outside the clip, and each begins and ends at the
times of its frames; of a file, its SHA-256 and the number and times of its frames; of a recording, the SHA-256 and length of
each segment, and of each picture its place, checksum, frame and times. A wrong picture is named.

Exit codes: 0 everything agrees, 1 something differs or cannot be read (the report says what), 2 wrong arguments.")]
pub(crate) struct VerifyArguments {
    /// The clip, as the review page and exports name it
    #[arg(value_name = "RIG:BOOT:CLIP", value_parser = |text: &str| parse_clip_id(text).ok_or("write rig:boot:clip"))]
    clip: ClipId,
    /// The clip's file, or a folder of recorded segments copied from the rig
    #[arg(long, value_name = "PATH")]
    media: Option<PathBuf>,
    #[command(flatten)]
    place: StorePlace,
}

pub(crate) fn run(arguments: &VerifyArguments) -> Result<()> {
    let report = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let store = arguments.place.open_existing().await?;
            let report = verify(&store, &arguments.clip, arguments.media.as_deref()).await;
            store.close().await;
            report
        })?;
    std::io::stdout().write_all(report.text(&arguments.clip).as_bytes())?;
    match report.wrong() {
        0 => Ok(()),
        wrong => bail!("{}: {wrong} differences", clip_id_text(&arguments.clip)),
    }
}

/// What was compared, and what differs.
#[derive(Debug, Default)]
pub(crate) struct Report {
    agrees: Vec<String>,
    /// What is amiss, and how often more than [`TOLD`] times.
    differs: Vec<(String, usize)>,
    /// What is not there to be compared.
    missing: usize,
    /// Frames that were decoded of a file.
    pub(crate) frames_of_file: Option<usize>,
}

impl Report {
    fn agrees(&mut self, what: String) {
        self.agrees.push(what);
    }

    /// One finding for all troubles of a kind: the first are told one by one.
    fn differs(&mut self, what: &str, troubles: &[String]) {
        if troubles.is_empty() {
            return;
        }
        let mut text = format!(
            "{what}: {}",
            troubles[..troubles.len().min(TOLD)].join("; ")
        );
        if troubles.len() > TOLD {
            // Writing to a String cannot fail.
            let _ = write!(text, "; and {} more", troubles.len() - TOLD);
        }
        self.differs.push((text, troubles.len()));
    }

    /// The same of what is not there.
    fn missing(&mut self, what: &str, troubles: &[String]) {
        self.differs(what, troubles);
        self.missing += troubles.len();
    }

    /// How many differences there are.
    pub(crate) fn wrong(&self) -> usize {
        self.differs.iter().map(|(_, count)| count).sum()
    }

    /// How many of them are of what is there.
    pub(crate) fn contradictions(&self) -> usize {
        self.wrong() - self.missing
    }

    /// For a person.
    pub(crate) fn text(&self, clip: &ClipId) -> String {
        let mut text = format!("{}\n", clip_id_text(clip));
        for line in &self.agrees {
            let _ = writeln!(text, "  good   {line}");
        }
        for (line, _) in &self.differs {
            let _ = writeln!(text, "  WRONG  {line}");
        }
        text
    }
}

/// What the store knows of a clip.
struct Known {
    record: ClipRecord,
    segments: Vec<StoredSegment>,
}

/// Compares a clip's manifest, its labels and, where they are given, its media.
pub(crate) async fn verify(
    store: &LabelStore,
    clip: &ClipId,
    media: Option<&Path>,
) -> Result<Report> {
    let segments = store.recorded_segments(clip).await?;
    let mut snapshot = store.snapshot().await?;
    let record = snapshot.clip(clip).await?;
    let mut report = Report::default();
    manifest(&record, &mut report);
    let (mut count, mut outside, mut elsewhere) = (0, Vec::new(), Vec::new());
    let frames = record.pts_us.len();
    snapshot
        .labels(clip, &QueueFilter::default(), |label| {
            let label = label.label;
            count += 1;
            let (start, end) = (label.frames.start, label.frames.end);
            let name = format!("{} at frames {start} to {end}", label.kind.name());
            if start > end || end as usize >= frames {
                outside.push(name);
                return;
            }
            // What a person made has the times of the manifest by then, which may have grown since.
            if label.decision == StoredDecision::Made {
                return;
            }
            let told = [label.pts_us.0.us(), label.pts_us.1.us()];
            let known = [start, end].map(|frame| record.pts_us[frame as usize]);
            if known
                .iter()
                .zip(told)
                .any(|(known, told)| known.is_some_and(|known| known != told))
            {
                elsewhere.push(format!("{name} says {told:?} µs, the manifest {known:?}"));
            }
        })
        .await?;
    if outside.is_empty() && elsewhere.is_empty() {
        report.agrees(format!(
            "{count} labels lie within the clip, at the times of its frames"
        ));
    }
    report.differs("labels outside the clip", &outside);
    report.differs("labels at other times than their frames", &elsewhere);
    // Media may take hours, and a reader keeps the store from tidying up.
    drop(snapshot);
    let known = Known { record, segments };
    match media {
        None => report.agrees("media were not compared: name them with --media".to_owned()),
        Some(path) if path.is_dir() => recording::compare(&known, clip, path, &mut report)?,
        Some(path) => file::compare(&known.record, path, &mut report)?,
    }
    Ok(report)
}

fn manifest(record: &ClipRecord, report: &mut Report) {
    let mut troubles = Vec::new();
    if !record.closed {
        troubles.push("the rig has not told the clip's end".to_owned());
    }
    let times = &record.pts_us;
    if let Some(frames) = record.clip.frames
        && frames as usize != times.len()
    {
        troubles.push(format!(
            "the rig counts {frames} frames and told of {}",
            times.len()
        ));
    }
    let unknown = times.iter().filter(|time| time.is_none()).count();
    if unknown > 0 {
        troubles.push(format!("{unknown} frames have no time"));
    }
    let known: Vec<i64> = times.iter().flatten().copied().collect();
    if let Some(at) = known.windows(2).position(|pair| pair[0] >= pair[1]) {
        troubles.push(format!("time does not go on after {} µs", known[at]));
    }
    if troubles.is_empty() {
        report.agrees(format!(
            "the manifest has {} frames, {} of them repeats, and {} gaps",
            times.len(),
            record.repeats.len(),
            record.dropped.len()
        ));
    }
    report.differs("the manifest", &troubles);
}
