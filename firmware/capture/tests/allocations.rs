//! After warm-up a live frame allocates nothing in our code: its own test binary, for it counts every allocation.
#![expect(
    clippy::unwrap_used,
    reason = "a test: whatever fails is to be seen at once"
)]

#[path = "../../../tests/hot_path/counting.rs"]
mod counting;

use capture::convert::RawLayout;
use capture::jpeg::{JpegDecoder, Scale};
use capture::{FrameBuffer, FrameSource, MjpegFileSource, PipeSettings, PipeSource, PixelFormat};
use counting::Allocations;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use std::path::PathBuf;
use std::time::Duration;

const SIZE: (u16, u16) = (320, 180);
/// Frames until every buffer has its size.
const WARM_UP: usize = 8;
/// Frames that may allocate nothing.
const WATCHED: usize = 30;

/// How often this thread allocates in some work.
fn allocations_of(work: impl FnOnce()) -> u64 {
    let mut count = Allocations::now();
    work();
    count.restart()
}

/// A picture that differs from number to number, and with it the bytes that it takes.
fn picture(number: usize, sampling: SamplingFactor) -> Vec<u8> {
    let (width, height) = (usize::from(SIZE.0), usize::from(SIZE.1));
    let rgb: Vec<u8> = (0..width * height * 3)
        .map(|at| (at * (number % 7 + 1) / 50 % 251) as u8)
        .collect();
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 85);
    encoder.set_sampling_factor(sampling);
    encoder
        .encode(&rgb, SIZE.0, SIZE.1, ColorType::Rgb)
        .unwrap();
    jpeg
}

#[test]
fn a_raw_frame_of_any_format_is_converted_without_an_allocation() {
    let mut frame = FrameBuffer::default();
    for format in [
        PixelFormat::I420,
        PixelFormat::Nv12,
        PixelFormat::Yuyv,
        PixelFormat::Grey,
    ] {
        let layout = RawLayout::packed(format, 640, 360, false);
        let bytes = vec![77; layout.least_bytes()];
        assert!(layout.fill(&bytes, &mut frame));
        let count = allocations_of(|| assert!(layout.fill(&bytes, &mut frame)));
        assert_eq!(count, 0, "{format}");
    }
}

#[test]
fn a_jpeg_is_decoded_without_an_allocation_however_its_chroma_is_coded() {
    for sampling in [
        SamplingFactor::R_4_2_0,
        SamplingFactor::R_4_2_2,
        SamplingFactor::R_4_4_4,
    ] {
        for scale in [Scale::Full, Scale::Half, Scale::Quarter] {
            let pictures: Vec<_> = (0..WARM_UP).map(|n| picture(n, sampling)).collect();
            let (mut decoder, mut frame) = (JpegDecoder::new(), FrameBuffer::default());
            let size = (u32::from(SIZE.0), u32::from(SIZE.1));
            let mut decode = |jpeg: &[u8]| decoder.decode(jpeg, size, scale, &mut frame).unwrap();
            decode(&pictures[0]);
            for jpeg in &pictures {
                assert_eq!(allocations_of(|| decode(jpeg)), 0, "{sampling:?} {scale:?}");
            }
        }
    }
}

/// How often each frame after warm-up allocated.
fn watch(source: &mut dyn FrameSource) -> Vec<u64> {
    let mut frame = FrameBuffer::default();
    for _ in 0..WARM_UP {
        assert!(source.next_into(&mut frame).unwrap());
    }
    (0..WATCHED)
        .map(|number| {
            allocations_of(|| {
                if number % 3 == 0 {
                    source.keep_up();
                }
                assert!(source.next_into(&mut frame).unwrap());
            })
        })
        .collect()
}

#[test]
fn pictures_from_a_file_come_without_an_allocation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mjpeg");
    let clip: Vec<u8> = (0..WARM_UP + WATCHED)
        .flat_map(|number| picture(number, SamplingFactor::R_4_2_2))
        .collect();
    std::fs::write(&path, clip).unwrap();
    let mut source = MjpegFileSource::open(&path, 30.0).unwrap();
    assert_eq!(watch(&mut source), [0; WATCHED]);
}

/// A program that writes a file without end.
fn repeat(path: PathBuf, format: PixelFormat) -> PipeSettings {
    let script = "while cat \"$0\"; do :; done".to_owned();
    let path = path.into_os_string().into_string().unwrap();
    PipeSettings {
        command: vec!["sh".to_owned(), "-c".to_owned(), script, path],
        format,
        width: u32::from(SIZE.0),
        height: u32::from(SIZE.1),
        fps: 30.0,
        timeout: Duration::from_secs(20),
    }
}

#[test]
fn frames_from_a_program_come_without_an_allocation_also_while_it_is_kept_up_with() {
    let folder = tempfile::tempdir().unwrap();
    let pictures: Vec<u8> = (0..40)
        .flat_map(|number| picture(number, SamplingFactor::R_4_2_2))
        .collect();
    let raw: Vec<u8> = (0..8 * 2 * usize::from(SIZE.0) * usize::from(SIZE.1))
        .map(|at| (at / 97 % 256) as u8)
        .collect();
    for (format, bytes) in [(PixelFormat::Mjpeg, pictures), (PixelFormat::Yuyv, raw)] {
        let path = folder.path().join(format.name());
        std::fs::write(&path, bytes).unwrap();
        let mut source = PipeSource::open(&repeat(path, format)).unwrap();
        // Keeping up reads two frames ahead: room is made for them before anything is watched.
        let mut frame = FrameBuffer::default();
        for _ in 0..WARM_UP {
            source.keep_up();
            assert!(source.next_into(&mut frame).unwrap());
        }
        assert_eq!(watch(&mut source), [0; WATCHED], "{format}");
    }
}
