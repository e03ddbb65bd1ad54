//! Films of pictures that say their own number: ten stripes, dark or bright, its bits.

use capture::{ClipSource, Ffmpeg, FrameBuffer, FrameSource};
use image::{GrayImage, Luma, RgbImage};
use label_core::wire::{IndexLine, RecordedFrame, RecordedSegment, SegmentHead};
use label_core::{BootId, CaptureTime};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const BITS: u32 = 10;

fn ffmpeg() -> PathBuf {
    let fetched = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.rigel/bin/ffmpeg"));
    if fetched.is_file() {
        fetched.to_owned()
    } else {
        "ffmpeg".into()
    }
}

pub(super) fn sha256(path: &Path) -> String {
    hex(&std::fs::read(path).unwrap())
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// The picture of this number.
fn picture(number: u32, (width, height): (u32, u32)) -> RgbImage {
    RgbImage::from_fn(width, height, |x, _| {
        let bit = number >> (x * BITS / width) & 1;
        image::Rgb([if bit == 1 { 210 } else { 40 }; 3])
    })
}

/// H.264 with frames told out of order, of these pictures at these times (an expression of ffmpeg's in 90,000ths of a second).
pub(super) fn film(
    path: &Path,
    size: (u32, u32),
    rate: &str,
    count: u32,
    (times, number): (&str, fn(u32) -> u32),
) {
    let mut child = Command::new(ffmpeg())
        .args([
            "-nostdin", "-v", "error", "-f", "rawvideo", "-pix_fmt", "rgb24",
        ])
        .args(["-s", &format!("{}x{}", size.0, size.1), "-framerate", rate])
        .args([
            "-i",
            "pipe:0",
            "-vf",
            &format!("settb=1/90000,setpts='{times}'"),
        ])
        .args(["-fps_mode", "passthrough", "-enc_time_base", "1:90000"])
        .args([
            "-c:v", "libx264", "-bf", "2", "-crf", "10", "-pix_fmt", "yuv420p",
        ])
        .args(["-video_track_timescale", "90000"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    for frame in 0..count {
        stdin.write_all(&picture(number(frame), size)).unwrap();
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

/// Has players turn the frames by a quarter, as films of telephones do: the matrix of the track's header.
pub(super) fn turn(path: &Path, height: u32) {
    let mut bytes = std::fs::read(path).unwrap();
    let header = bytes.windows(4).position(|four| four == b"tkhd").unwrap();
    let one = 1_u32 << 16;
    let matrix = [
        0,
        one,
        0,
        one.wrapping_neg(),
        0,
        0,
        height << 16,
        0,
        1 << 30,
    ];
    let matrix = matrix.map(u32::to_be_bytes).concat();
    let at = header + 4 + 40;
    bytes[at..at + matrix.len()].copy_from_slice(&matrix);
    std::fs::write(path, bytes).unwrap();
}

/// A frame as somebody sees it.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) pts_us: i64,
    pub(super) size: (u32, u32),
    luma: Vec<u8>,
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {} µs", self.code(), self.pts_us)
    }
}

impl Seen {
    /// The number that it shows, if it shows one: grey is none.
    pub(super) fn code(&self) -> Option<u32> {
        let (width, height) = self.size;
        let mut number = 0;
        for bit in 0..BITS {
            let along = |side: u32| (2 * bit + 1) * side / (2 * BITS);
            // Of a film that was turned the stripes lie one above the other.
            let (x, y) = if height > width {
                (width / 2, along(height))
            } else {
                (along(width), height / 2)
            };
            let level = self.luma[(y * width + x) as usize];
            match level {
                0..=90 => {}
                160.. => number |= 1 << bit,
                _ => return None,
            }
        }
        Some(number)
    }
}

/// Every frame of a film, as a rig decodes it.
pub(super) fn of_file(path: &Path) -> Vec<Seen> {
    let ffmpeg = Ffmpeg::find(&[ffmpeg()]).unwrap();
    let mut source = ClipSource::open(path, &ffmpeg, None).unwrap();
    let (mut frame, mut seen) = (FrameBuffer::default(), Vec::new());
    while source.next_into(&mut frame).unwrap() {
        let luma = frame.luma().iter();
        // To what a screen shows.
        let (black, range) = if frame.full_range {
            (0.0, 255.0)
        } else {
            (16.0, 219.0)
        };
        let level = |luma: u8| {
            ((f32::from(luma) - black) * 255.0 / range)
                .round()
                .clamp(0.0, 255.0) as u8
        };
        seen.push(Seen {
            pts_us: frame.info.at.us(),
            size: (frame.width as u32, frame.height as u32),
            luma: luma.map(|luma| level(*luma)).collect(),
        });
    }
    seen
}

pub(super) fn of_png(path: &Path) -> Seen {
    let picture: GrayImage = image::open(path).unwrap().into_luma8();
    Seen {
        pts_us: 0,
        size: picture.dimensions(),
        luma: picture.pixels().map(|Luma([level])| *level).collect(),
    }
}

/// Whether what lies beside the labels of a frame is what the rig saw then, and of all it saw most like it. A film of odd sides has a row or a
/// column more.
pub(super) fn alike(picture: &Seen, seen: &[Seen], frame: u32, clip: &str) {
    let was = &seen[frame as usize];
    let even = |side: u32| side + side % 2;
    assert!(
        picture.size == was.size || picture.size == (even(was.size.0), even(was.size.1)),
        "{clip} {frame}: {:?}",
        picture.size
    );
    let rows = |of: &Seen| -> Vec<Vec<u8>> {
        let rows = of.luma.chunks(of.size.0 as usize).take(was.size.1 as usize);
        rows.map(|row| row[..was.size.0 as usize].to_vec())
            .collect()
    };
    let apart = |other: &Seen| -> f64 {
        let (a, b) = (rows(picture).concat(), rows(other).concat());
        let sum: u64 = a
            .iter()
            .zip(&b)
            .map(|(a, b)| u64::from(a.abs_diff(*b)))
            .sum();
        sum as f64 / a.len() as f64
    };
    let here = apart(was);
    assert!(
        here < 3.0,
        "{clip} {frame}: {here} levels apart, it shows {picture:?}"
    );
    for other in seen.iter().filter(|other| other.code() != was.code()) {
        assert!(
            apart(other) > here + 2.0,
            "{clip} {frame}: rather {other:?}"
        );
    }
}

/// The recording of a clip of 40 frames in three segments, without pictures of these frames: what the rig tells of it, and its pictures.
pub(super) fn recording(
    folder: &Path,
    clip: &str,
    size: (u32, u32),
    without: &[u32],
) -> (Vec<RecordedSegment>, Vec<Vec<u8>>) {
    std::fs::create_dir_all(folder).unwrap();
    let id = label_store::parse_clip_id(clip).unwrap();
    let boot: BootId = id.boot;
    let (mut told, mut jpegs) = (Vec::new(), Vec::new());
    for (segment, frames) in (0..).zip([0..20, 20..30, 30..40_u32]) {
        let head = SegmentHead {
            v: label_core::wire::WIRE_VERSION,
            rig: id.rig.clone(),
            boot,
            clip: id.clip,
            segment,
            width: 160,
            height: 96,
        };
        let unsteady = if without.is_empty() { 0 } else { 900 };
        let mut lines = vec![IndexLine::Head(head)];
        let mut media = Vec::new();
        for frame in frames.clone() {
            let mut jpeg = Vec::new();
            let encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut jpeg, 90);
            picture(frame, size).write_with_encoder(encoder).unwrap();
            if !without.contains(&frame) {
                let time = i64::from(frame) * 41_000;
                lines.push(IndexLine::Frame(RecordedFrame {
                    frame,
                    pts_us: CaptureTime(time + unsteady * i64::from(frame % 3)),
                    mono_us: None,
                    offset: media.len() as u64,
                    bytes: jpeg.len() as u32,
                    crc32: crc32(&jpeg),
                    repeat: false,
                    dropped: 0,
                }));
                media.extend_from_slice(&jpeg);
            }
            jpegs.push(jpeg);
        }
        let whole = RecordedSegment {
            boot,
            segment,
            frames: (frames.start, frames.end - 1),
            pictures: lines.len() as u32 - 1,
            bytes: media.len() as u64,
            sha256: hex(&media).as_str().try_into().unwrap(),
            torn: false,
        };
        lines.push(IndexLine::End(whole.clone()));
        let lines: Vec<_> = lines
            .iter()
            .map(|line| serde_json::to_string(line).unwrap())
            .collect();
        let name = format!("{:016}-{:06}-{segment:06}", boot.raw(), id.clip);
        let base = folder.join(name);
        std::fs::write(base.with_extension("jsonl"), lines.join("\n") + "\n").unwrap();
        std::fs::write(base.with_extension("mjpeg"), media).unwrap();
        told.push(whole);
    }
    (told, jpegs)
}

/// IEEE 802.3, bit by bit: the store's and the rig's come from one library, and this does not.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg())
        })
    })
}
