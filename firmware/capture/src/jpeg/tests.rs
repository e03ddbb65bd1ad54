//! Against plain arithmetic, and against all that may happen to a picture on its way.

use super::*;
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use proptest::prelude::*;

/// A soft picture: waves across and down in each plane, so that reduced chroma can be told beforehand.
fn waves(width: usize, height: usize) -> Vec<u8> {
    let wave = |x: usize, period: f32| 40.0 * (x as f32 / period).sin();
    let pixel = |x, y| {
        [
            (128.0 + wave(x, 17.0) + wave(y, 23.0)) as u8,
            (128.0 + wave(x + y, 61.0)) as u8,
            (128.0 - wave(x + 2 * y, 71.0)) as u8,
        ]
    };
    (0..height)
        .flat_map(|y| (0..width).flat_map(move |x| pixel(x, y)))
        .collect()
}

fn encode(width: usize, height: usize, sampling: SamplingFactor) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 97);
    encoder.set_sampling_factor(sampling);
    encoder
        .encode(
            &waves(width, height),
            width as u16,
            height as u16,
            ColorType::Ycbcr,
        )
        .unwrap();
    jpeg
}

fn encode_gray(width: usize, height: usize) -> Vec<u8> {
    let mut jpeg = Vec::new();
    let luma: Vec<u8> = waves(width, height)
        .chunks(3)
        .map(|pixel| pixel[0])
        .collect();
    Encoder::new(&mut jpeg, 97)
        .encode(&luma, width as u16, height as u16, ColorType::Luma)
        .unwrap();
    jpeg
}

fn mean_difference(a: &[u8], b: impl Iterator<Item = u8>) -> f32 {
    let mut count = 0;
    let sum: u32 = a
        .iter()
        .zip(b)
        .map(|(a, b)| {
            count += 1;
            u32::from(a.abs_diff(b))
        })
        .sum();
    assert_eq!(count, a.len());
    sum as f32 / count as f32
}

/// A plane of the picture as it was drawn, at every `step`th pixel.
fn drawn(size: (usize, usize), plane: usize, step: usize) -> impl Iterator<Item = u8> {
    let (width, height) = size;
    let picture = waves(width, height);
    let at = move |i: usize, end: usize| (i * step + step / 2).min(end - 1);
    (0..height.div_ceil(step)).flat_map(move |y| {
        let picture = picture.clone();
        (0..width.div_ceil(step))
            .map(move |x| picture[3 * (at(y, height) * width + at(x, width)) + plane])
    })
}

#[test]
fn luma_and_chroma_come_out_as_drawn_however_chroma_was_coded_and_at_every_scale() {
    for sampling in [
        SamplingFactor::R_4_4_4,
        SamplingFactor::R_4_2_2,
        SamplingFactor::R_4_2_0,
        SamplingFactor::R_4_4_0,
        SamplingFactor::R_4_1_1,
    ] {
        for size in [(160, 120), (161, 121), (322, 182)] {
            for scale in [Scale::Full, Scale::Half, Scale::Quarter] {
                let jpeg = encode(size.0, size.1, sampling);
                let mut frame = FrameBuffer::default();
                let expected = (size.0 as u32, size.1 as u32);
                JpegDecoder::new()
                    .decode(&jpeg, expected, scale, &mut frame)
                    .unwrap();
                let step = scale.divisor() as usize;
                let name = format!("{sampling:?} {size:?} {scale:?}");
                assert_eq!(
                    (frame.width, frame.height),
                    (size.0.div_ceil(step), size.1.div_ceil(step)),
                    "{name}"
                );
                assert!(frame.full_range);
                let luma = mean_difference(frame.luma(), drawn(size, 0, step));
                assert!(luma < 3.0, "{name}: luma is off by {luma}");
                let (blue, red) = frame.chroma().unwrap();
                for (plane, samples) in [(1, blue), (2, red)] {
                    // Sizes that do not divide round once here and twice there.
                    let per = (size.0.div_ceil(2 * step), size.1.div_ceil(2 * step));
                    if per.0 * per.1 != samples.len() {
                        continue;
                    }
                    let off = mean_difference(samples, drawn(size, plane, 2 * step));
                    assert!(off < 3.5, "{name}: plane {plane} is off by {off}");
                }
            }
        }
    }
}

#[test]
fn a_grey_picture_has_no_chroma() {
    let mut frame = FrameBuffer::default();
    JpegDecoder::new()
        .decode(&encode_gray(90, 70), (90, 70), Scale::Full, &mut frame)
        .unwrap();
    assert!(frame.chroma().is_none());
    assert!(mean_difference(frame.luma(), drawn((90, 70), 0, 1)) < 2.0);
}

#[test]
fn the_strongest_reduction_that_is_not_smaller_than_asked_is_taken() {
    assert_eq!(Scale::reaching((1920, 1080), (1920, 1080)), Scale::Full);
    assert_eq!(Scale::reaching((1920, 1080), (960, 540)), Scale::Half);
    assert_eq!(Scale::reaching((1920, 1080), (961, 540)), Scale::Full);
    assert_eq!(Scale::reaching((3840, 2160), (640, 360)), Scale::Quarter);
    assert_eq!(Scale::reaching((640, 480), (1280, 720)), Scale::Full);
    assert_eq!(Scale::Half.of((161, 121)), (81, 61));
}

/// Where tables for the codes are left out, the standard's hold: many cameras save those bytes.
#[test]
fn a_picture_without_code_tables_is_decoded_with_those_of_the_standard() {
    let jpeg = encode(64, 48, SamplingFactor::R_4_2_2);
    let mut stripped = jpeg[..2].to_vec();
    let mut at = 2;
    let mut removed = 0;
    while jpeg[at + 1] != 0xda {
        let len = 2 + usize::from(u16::from_be_bytes([jpeg[at + 2], jpeg[at + 3]]));
        if jpeg[at + 1] == 0xc4 {
            removed += 1;
        } else {
            stripped.extend(&jpeg[at..at + len]);
        }
        at += len;
    }
    stripped.extend(&jpeg[at..]);
    assert!(removed > 0);
    let mut decoder = JpegDecoder::new();
    let (mut whole, mut without) = (FrameBuffer::default(), FrameBuffer::default());
    decoder
        .decode(&jpeg, (64, 48), Scale::Full, &mut whole)
        .unwrap();
    decoder
        .decode(&stripped, (64, 48), Scale::Full, &mut without)
        .unwrap();
    assert_eq!(whole.luma(), without.luma());
}

#[test]
fn a_picture_that_is_cut_off_is_damaged_wherever_it_is_cut() {
    let jpeg = encode(160, 120, SamplingFactor::R_4_2_2);
    let mut decoder = JpegDecoder::new();
    let mut frame = FrameBuffer::default();
    for len in (0..jpeg.len() - 16).step_by(13) {
        let result = decoder.decode(&jpeg[..len], (160, 120), Scale::Full, &mut frame);
        assert!(result.is_err(), "{len} of {} bytes", jpeg.len());
    }
    decoder
        .decode(&jpeg, (160, 120), Scale::Full, &mut frame)
        .unwrap();
}

#[test]
fn bytes_after_the_picture_and_bytes_before_its_end_mark_do_no_harm() {
    let jpeg = encode(160, 120, SamplingFactor::R_4_2_0);
    let mut frame = FrameBuffer::default();
    let padded = [&jpeg[..], &[0; 500]].concat();
    let mut decoder = JpegDecoder::new();
    decoder
        .decode(&padded, (160, 120), Scale::Full, &mut frame)
        .unwrap();
    let mut early = jpeg[..jpeg.len() - 2].to_vec();
    early.extend([0, 0, 0, 0, 0xff, 0xd9]);
    decoder
        .decode(&early, (160, 120), Scale::Full, &mut frame)
        .unwrap();
    assert!(mean_difference(frame.luma(), drawn((160, 120), 0, 1)) < 2.0);
}

#[test]
fn another_size_is_told_with_both_sizes() {
    let jpeg = encode(64, 48, SamplingFactor::R_4_2_0);
    let mut decoder = JpegDecoder::new();
    assert_eq!(decoder.size(&jpeg), Ok((64, 48)));
    let error = decoder
        .decode(&jpeg, (640, 480), Scale::Full, &mut FrameBuffer::default())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "a JPEG of 64x48 where 640x480 was expected"
    );
}

/// Where the frame header says width and height.
fn set_size(jpeg: &mut [u8], width: u16, height: u16) {
    let at = jpeg
        .windows(2)
        .position(|pair| pair == [0xff, 0xc0])
        .unwrap();
    jpeg[at + 5..at + 7].copy_from_slice(&height.to_be_bytes());
    jpeg[at + 7..at + 9].copy_from_slice(&width.to_be_bytes());
}

#[test]
fn a_picture_that_claims_to_be_huge_costs_no_memory() {
    let mut jpeg = encode(64, 48, SamplingFactor::R_4_2_0);
    set_size(&mut jpeg, 65_500, 65_500);
    let mut frame = FrameBuffer::default();
    let result = JpegDecoder::new().decode(&jpeg, (64, 48), Scale::Full, &mut frame);
    assert!(
        matches!(result, Err(JpegFault::Damaged { .. })),
        "{result:?}"
    );
    set_size(&mut jpeg, 8000, 8000);
    let result = JpegDecoder::new().decode(&jpeg, (64, 48), Scale::Full, &mut frame);
    assert!(
        matches!(result, Err(JpegFault::OtherSize { .. })),
        "{result:?}"
    );
    assert!(frame.bytes.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_picture_with_wrong_bytes_is_decoded_or_refused_and_the_next_one_is_sound(
        sampling in prop::sample::select(vec![
            SamplingFactor::R_4_4_4, SamplingFactor::R_4_2_2, SamplingFactor::R_4_2_0, SamplingFactor::R_4_1_1]),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        in_header in any::<bool>(), scale in prop::sample::select(vec![Scale::Full, Scale::Half, Scale::Quarter]),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let sound = encode(50, 37, sampling);
        let mut jpeg = sound.clone();
        let within = if in_header { 700.min(jpeg.len()) } else { jpeg.len() };
        for (at, value) in hits {
            jpeg[at.index(within)] = value;
        }
        if let Some(cut) = cut {
            jpeg.truncate(cut.index(jpeg.len()));
        }
        let mut decoder = JpegDecoder::new();
        let mut frame = FrameBuffer::default();
        let _ = decoder.decode(&jpeg, (50, 37), scale, &mut frame);
        // The same, told its own size: what the header claims is then believed.
        if let Ok((width, height)) = decoder.size(&jpeg) && width * height < 1 << 22 {
            let _ = decoder.decode(&jpeg, (width, height), scale, &mut frame);
        }
        prop_assert_eq!(decoder.decode(&sound, (50, 37), Scale::Full, &mut frame), Ok(()));
    }

    #[test]
    fn random_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let result = JpegDecoder::new().decode(&bytes, (8, 8), Scale::Full, &mut FrameBuffer::default());
        prop_assert!(result.is_err());
    }
}
