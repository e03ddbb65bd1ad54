//! Media beside the labels: found, compared with the manifest, and put there as the format wants them.
//!
//! Formats of pictures get the pictures that their files name, others a film whose n-th picture is frame n. What can be is copied to the byte: a
//! file that keeps to its rate, and the camera's own JPEGs. What is made anew is decoded as rigs decode, and read again at the end.

mod recorded;

use super::clip::{self, Chosen};
use super::write::Progress;
use crate::ffmpeg::{self, Feed, Film};
use crate::verify::{self, sha256, verify};
use anyhow::{Context, Result, bail, ensure};
use formats::{Beside, Clip, Format, Wanted};
use image::codecs::png::PngEncoder;
use image::{ImageEncoder as _, Rgb, RgbImage};
use label_core::FrameRange;
use label_store::{ClipId, LabelStore, StoredSegment, clip_id_text};
use recorded::Recorded;
use review::Selection;
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Component, Path, PathBuf};

/// Most pixels of a frame: what a stranger says its pictures are like takes three bytes each.
const MOST_PIXELS: u64 = 1 << 26;
/// Where a recording has no picture.
const GREY: Rgb<u8> = Rgb([128; 3]);
/// How often a bar moves, in frames.
const TELL_EVERY: u32 = 30;

/// Where pictures come from.
enum Source {
    File(PathBuf),
    Recorded(Recorded),
}

/// What becomes of a clip's media.
struct Plan {
    source: Source,
    size: (u32, u32),
    frames: u32,
    rate: (u32, u32),
    beside: Beside,
    how: How,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// The clip's file, byte by byte.
    Copied,
    /// The camera's JPEGs, byte by byte.
    OfCamera,
    Encoded,
}

/// Media of every clip that is exported.
pub(super) struct Media(HashMap<String, Plan>);

impl Media {
    /// Finds the media of every clip, and compares them with what was labelled. Where one is missing or differs, nothing is begun.
    pub(super) async fn found(
        root: &Path,
        store: &LabelStore,
        selection: &Selection,
        progress: &mut impl Progress,
    ) -> Result<Self> {
        let mut snapshot = store.snapshot().await?;
        let ids = snapshot.clips(&selection.filter).await?;
        let told = root
            .metadata()
            .with_context(|| format!("cannot read {}", root.display()))?;
        ensure!(
            told.is_dir() || ids.len() == 1,
            "{} is one file, and {} clips are chosen: choose one with --clip, or name a folder",
            root.display(),
            ids.len()
        );
        let (mut clips, mut missing) = (Vec::new(), Vec::new());
        for (id, _) in &ids {
            let chosen = clip::read(&mut snapshot, id, &selection.filter, selection.labels).await?;
            let Chosen::Clip(mut clip) = chosen else {
                continue;
            };
            clip.labels = Vec::new();
            let segments = store.recorded_segments(id).await?;
            match place_of(root, id, &clip, &segments) {
                Some(place) => clips.push((id.clone(), clip, segments, place)),
                None => missing.push(clip_id_text(id)),
            }
        }
        // Comparing takes long, and a reader keeps the store from tidying up.
        drop(snapshot);
        if !missing.is_empty() {
            let first: Vec<_> = missing.iter().take(5).map(String::as_str).collect();
            bail!(
                "{} holds no media of {} clip(s): {}{}. Looked for in it and in its folders by the rigs' names: the clip's file by its name, and \
                 segments of its recording; choose other clips, or leave --media out",
                root.display(),
                missing.len(),
                first.join(", "),
                if missing.len() > 5 { ", …" } else { "" }
            );
        }
        let (mut plans, of) = (HashMap::new(), clips.len() as u64);
        for (done, (id, clip, segments, place)) in clips.into_iter().enumerate() {
            progress.media("compared", done as u64, of)?;
            let report = verify(store, &id, Some(&place)).await?;
            if report.contradictions() > 0 {
                bail!(
                    "nothing is written, since the media differ from what was labelled:\n{}",
                    report.text(&id)
                );
            }
            let plan = Plan::of(selection.format, &clip, (&id, &segments), place, &report)?;
            if let Beside::Film { absent, .. } | Beside::Pictures { absent, .. } = &plan.beside
                && !absent.is_empty()
            {
                let frames: u32 = absent.iter().map(|range| range.frames()).sum();
                progress.tell(&format!(
                    "{}: of {frames} of its {} frames there is no picture",
                    clip.id, plan.frames
                ));
            }
            plans.insert(clip.id.clone(), plan);
        }
        Ok(Self(plans))
    }

    /// What lies beside this clip's labels.
    pub(super) fn beside(&self, clip: &str) -> Result<Beside> {
        match self.0.get(clip) {
            Some(plan) => Ok(plan.beside.clone()),
            None => bail!("{clip} came while media were compared: give the command again"),
        }
    }

    /// Writes what is wanted of a clip to this place.
    pub(super) fn write(
        &mut self,
        wanted: &Wanted,
        place: &Path,
        progress: &mut impl Progress,
    ) -> Result<()> {
        let plan = self
            .0
            .get_mut(&wanted.clip)
            .with_context(|| format!("{} has no media any more", wanted.clip))?;
        let mut tell = |done: u32, of: u32| {
            if done.is_multiple_of(TELL_EVERY) {
                progress.media(&wanted.clip, u64::from(done), u64::from(of))?;
            }
            Ok(())
        };
        if wanted.pictures.is_empty() {
            plan.film(place, &mut tell)
        } else {
            plan.pictures(&wanted.pictures, place, &mut tell)
        }
    }
}

/// Where a clip's media are. Names come from rigs: one that leads elsewhere is not looked for, and links are not followed.
fn place_of(root: &Path, id: &ClipId, clip: &Clip, segments: &[StoredSegment]) -> Option<PathBuf> {
    if !root.is_dir() {
        return Some(root.to_owned());
    }
    let within = |folder: &Path, name: &str| {
        let mut parts = Path::new(name).components();
        let is_plain = matches!((parts.next(), parts.next()), (Some(Component::Normal(part)), None) if part == name);
        is_plain.then(|| folder.join(name))
    };
    let of_rig = within(root, id.rig.as_str());
    let of_rig = of_rig.filter(|folder| folder.symlink_metadata().is_ok_and(|told| told.is_dir()));
    for folder in of_rig.iter().map(PathBuf::as_path).chain([root]) {
        let file = clip.name.as_deref().filter(|_| clip.sha256.is_some());
        if let Some(file) = file.and_then(|name| within(folder, name))
            && is_file(&file)
        {
            return Some(file);
        }
        let is_recorded = |segment: &StoredSegment| {
            let name = verify::segment_name(id, segment.segment);
            is_file(&folder.join(name).with_extension("mjpeg"))
        };
        if segments.iter().any(is_recorded) {
            return Some(folder.to_owned());
        }
    }
    None
}

fn is_file(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|told| told.is_file())
}

impl Plan {
    fn of(
        format: Format,
        clip: &Clip,
        (id, segments): (&ClipId, &[StoredSegment]),
        place: PathBuf,
        report: &verify::Report,
    ) -> Result<Self> {
        let frames = clip.frames.count;
        let size = (clip.width, clip.height);
        ensure!(
            frames > 0 && clip.closed,
            "{}: its rig has not told its end, so nobody can say which frames its media should have",
            clip.id
        );
        ensure!(
            u64::from(size.0) * u64::from(size.1) <= MOST_PIXELS,
            "{}: frames of {} x {} pixels are too large",
            clip.id,
            size.0,
            size.1
        );
        let (source, absent, how, ending) = if place.is_dir() {
            let recorded = Recorded::open(&place, id, segments)?;
            let absent = recorded.absent(frames);
            let is_as_labelled = recorded.size() == Some(size);
            let how = if is_as_labelled && !format.is_by_time() {
                How::OfCamera
            } else {
                How::Encoded
            };
            (Source::Recorded(recorded), absent, how, "mov")
        } else {
            let ending = place.extension().unwrap_or_default().to_string_lossy();
            let ending = ending.to_ascii_lowercase();
            let is_plain = ending.len() < 8
                && !ending.is_empty()
                && ending.bytes().all(|byte| byte.is_ascii_alphanumeric());
            let is_played = !format.is_by_time()
                || (clip.codec.as_deref() == Some("h264")
                    && ["mp4", "m4v", "mov"].contains(&ending.as_str()));
            let is_kept = is_plain
                && is_played
                && report.frames_of_file == Some(frames as usize)
                && clip.frames.is_steady()
                && !format.is_of_pictures()
                && !ffmpeg::is_turned(&place)?;
            let how = if is_kept { How::Copied } else { How::Encoded };
            (Source::File(place), Vec::new(), how, "")
        };
        let stem = &clip.stem;
        let beside = if format.is_of_pictures() {
            let (ending, made) = match how {
                How::OfCamera => ("jpg", "the recorded pictures, byte by byte"),
                How::Copied | How::Encoded => ("png", "decoded"),
            };
            Beside::Pictures {
                ending,
                made,
                absent,
            }
        } else {
            let (ending, made) = match (how, &source) {
                (How::OfCamera, _) => (ending.to_owned(), "the recorded pictures, byte by byte"),
                (How::Copied, Source::File(file)) => {
                    let ending = file.extension().unwrap_or_default().to_string_lossy();
                    (ending.to_ascii_lowercase(), "the file, byte by byte")
                }
                _ => ("mp4".to_owned(), "encoded"),
            };
            Beside::Film {
                path: format!("media/{stem}.{ending}"),
                made,
                absent,
            }
        };
        Ok(Self {
            source,
            size,
            frames,
            rate: clip.frames.film_rate(),
            beside,
            how,
        })
    }

    fn blank(&self) -> RgbImage {
        RgbImage::from_pixel(self.size.0, self.size.1, GREY)
    }

    fn film(&mut self, place: &Path, tell: &mut Tell<'_>) -> Result<()> {
        match (self.how, &self.source) {
            (How::Copied, Source::File(file)) => {
                let before = sha256(file)?;
                copy(file, place)?;
                ensure!(
                    sha256(place)? == before,
                    "{} was changed while it was copied",
                    file.display()
                );
                return Ok(());
            }
            (How::OfCamera, _) => self.film_of_camera(place, tell)?,
            _ => self.film_encoded(place, tell)?,
        }
        self.check_film(place)
    }

    fn film_of_camera(&mut self, place: &Path, tell: &mut Tell<'_>) -> Result<()> {
        let Source::Recorded(recorded) = &mut self.source else {
            bail!("a file has no pictures of a camera");
        };
        let blank = RgbImage::from_pixel(self.size.0, self.size.1, GREY);
        let mut grey = Vec::new();
        blank.write_with_encoder(image::codecs::jpeg::JpegEncoder::new(&mut grey))?;
        let mut film = Film::begin(place, Feed::Jpeg, self.rate)?;
        let mut digests = Vec::with_capacity(self.frames as usize);
        for frame in 0..self.frames {
            tell(frame, self.frames)?;
            let jpeg = match recorded.shot(frame) {
                Some(shot) => recorded.jpeg(&shot, self.size)?,
                None => &grey,
            };
            digests.push(Sha256::digest(jpeg));
            film.put(jpeg)?;
        }
        film.end()?;
        let there = ffmpeg::packets(place)?;
        let same = digests
            .iter()
            .map(|digest| verify::hex(digest))
            .eq(there.iter().cloned());
        ensure!(
            same,
            "the film does not hold the recorded pictures to the byte: nothing is written"
        );
        Ok(())
    }

    fn film_encoded(&mut self, place: &Path, tell: &mut Tell<'_>) -> Result<()> {
        let mut film = Film::begin(place, Feed::Frames(self.size.0, self.size.1), self.rate)?;
        let of = self.frames;
        self.each(&mut |_| true, &mut |frame, picture| {
            tell(frame, of)?;
            film.put(picture)
        })?;
        film.end()
    }

    /// Calls with the frames that are wanted, decoded, in order: grey where there is none.
    fn each(
        &mut self,
        wanted: &mut dyn FnMut(u32) -> bool,
        take: &mut dyn FnMut(u32, &RgbImage) -> Result<()>,
    ) -> Result<()> {
        let mut picture = self.blank();
        match &mut self.source {
            Source::File(file) => {
                let mut frames = ffmpeg::Frames::of(file)?;
                for frame in 0..self.frames {
                    ensure!(
                        frames.next_into(&mut picture)?,
                        "{} ends at frame {frame}, and the manifest has {}",
                        file.display(),
                        self.frames
                    );
                    if wanted(frame) {
                        take(frame, &picture)?;
                    }
                }
            }
            Source::Recorded(recorded) => {
                for frame in (0..self.frames).filter(|frame| wanted(*frame)) {
                    match recorded.shot(frame) {
                        Some(shot) => recorded.decoded(&shot, &mut picture)?,
                        None => picture.pixels_mut().for_each(|pixel| *pixel = GREY),
                    }
                    take(frame, &picture)?;
                }
            }
        }
        Ok(())
    }

    /// Whether what was made has frame n at n intervals.
    fn check_film(&self, place: &Path) -> Result<()> {
        let times = ffmpeg::times(place)?;
        let interval_us = 1e6 * f64::from(self.rate.1) / f64::from(self.rate.0);
        let is_there = |(frame, time): (usize, &f64)| {
            (time - times[0] - frame as f64 * interval_us).abs() < 500.0
        };
        ensure!(
            times.len() == self.frames as usize && times.iter().enumerate().all(is_there),
            "the film has {} frames, and the manifest {}, or they are not where they should be: nothing is written",
            times.len(),
            self.frames
        );
        Ok(())
    }

    /// Makes a folder of these pictures.
    fn pictures(
        &mut self,
        wanted: &[(u32, String)],
        folder: &Path,
        tell: &mut Tell<'_>,
    ) -> Result<()> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create {}", folder.display()))?;
        let of = wanted.len() as u32;
        if let (How::OfCamera, Source::Recorded(recorded)) = (self.how, &mut self.source) {
            for (done, (frame, name)) in (0..).zip(wanted) {
                tell(done, of)?;
                let shot = recorded.shot(*frame);
                let shot = shot.with_context(|| format!("frame {frame} has no picture"))?;
                write(&folder.join(name), recorded.jpeg(&shot, self.size)?)?;
            }
            return Ok(());
        }
        let names: HashMap<u32, &str> = wanted
            .iter()
            .map(|(frame, name)| (*frame, name.as_str()))
            .collect();
        let (mut done, mut png) = (0, Vec::new());
        self.each(
            &mut |frame| names.contains_key(&frame),
            &mut |frame, picture| {
                done += 1;
                tell(done, of)?;
                png.clear();
                PngEncoder::new(&mut png).write_image(
                    picture,
                    picture.width(),
                    picture.height(),
                    image::ExtendedColorType::Rgb8,
                )?;
                write(&folder.join(names[&frame]), &png)
            },
        )?;
        ensure!(
            done == of,
            "{done} of the {of} pictures that the labels name are in the media"
        );
        Ok(())
    }
}

/// Hears how many are done, of how many.
type Tell<'a> = dyn FnMut(u32, u32) -> Result<()> + 'a;

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to)
        .with_context(|| format!("cannot copy {} to {}", from.display(), to.display()))?;
    Ok(())
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let written = File::create(path).and_then(|file| {
        let mut file = BufWriter::new(file);
        file.write_all(bytes)?;
        file.flush()
    });
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Frames of a clip that are not among these, which ascend.
fn others(count: u32, there: impl Iterator<Item = u32>) -> Vec<FrameRange> {
    let (mut ranges, mut from) = (Vec::new(), 0);
    for frame in there.take_while(|frame| *frame < count).chain([count]) {
        if frame > from {
            ranges.push(FrameRange::new(from, frame - 1));
        }
        from = frame + 1;
    }
    ranges
}
