//! Offers as real cameras make them: the tables are what `v4l2-ctl --list-formats-ext` prints of such devices.

use super::*;
use crate::camera::offer::SizeOffer;
use proptest::prelude::*;
use std::time::Duration;

fn asked(formats: &[PixelFormat], width: u32, height: u32, fps: f32) -> CameraSettings {
    CameraSettings {
        device: "/dev/video0".into(),
        formats: formats.to_vec(),
        width,
        height,
        fps,
        exposure_us: None,
        gain: None,
        anti_flicker: None,
        infrared_lamp: None,
        timeout: Duration::from_secs(1),
    }
}

/// `YUYV 640x480 30 15`: a format, a size, its rates.
fn table(text: &str) -> Vec<Offer> {
    text.trim()
        .lines()
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            let (width, height) = words[1].split_once('x').unwrap();
            let rates = words[2..].iter().map(|rate| rate.parse().unwrap());
            Offer {
                fourcc: words[0].as_bytes().try_into().unwrap(),
                size: SizeOffer::One {
                    width: width.parse().unwrap(),
                    height: height.parse().unwrap(),
                },
                intervals: rates
                    .map(|fps| IntervalOffer::One(Interval::of_fps(fps)))
                    .collect(),
            }
        })
        .collect()
}

fn chosen(offers: &[Offer], wanted: &CameraSettings) -> String {
    let plan = negotiate(offers, wanted).unwrap();
    let scale = match plan.scale {
        Scale::Full => "",
        Scale::Half => " half",
        Scale::Quarter => " quarter",
    };
    format!(
        "{} {}x{} {}{scale}",
        plan.format,
        plan.width,
        plan.height,
        plan.fps()
    )
}

/// A desk camera of the C920 kind: raw frames fit the bus only when small or slow.
const DESK: &str = "
YUYV 640x480 30 24 20 15 10 7.5 5
YUYV 160x90 30 24 20 15 10 7.5 5
YUYV 640x360 30 24 20 15 10 7.5 5
YUYV 1280x720 10 7.5 5
YUYV 1920x1080 5
MJPG 640x480 30 24 20 15 10 7.5 5
MJPG 640x360 30 24 20 15 10 7.5 5
MJPG 1280x720 30 24 20 15 10 7.5 5
MJPG 1920x1080 30 24 20 15 10 7.5 5
H264 1920x1080 30";

/// A monochrome global-shutter module on USB.
const SHUTTER: &str = "
MJPG 1280x800 120
MJPG 1280x720 120
MJPG 640x400 210
YUYV 1280x800 10
YUYV 640x400 40";

/// The near-infrared half of a laptop's camera.
const INFRARED: &str = "
GREY 340x340 30
GREY 640x360 15";

/// What a bare sensor on a Jetson's CSI offers.
const BAYER: &str = "
RG10 3280x2464 21
RG10 1920x1080 30";

#[test]
fn the_asked_size_and_rate_are_taken_as_they_are() {
    use PixelFormat::{Mjpeg, Yuyv};
    let offers = table(DESK);
    for (formats, width, height, fps, expected) in [
        (&[Yuyv, Mjpeg][..], 640, 480, 30.0, "yuyv 640x480 30"),
        (&[Mjpeg, Yuyv], 640, 480, 30.0, "mjpeg 640x480 30"),
        (&[Mjpeg], 1280, 720, 30.0, "mjpeg 1280x720 30"),
        (&[Yuyv], 640, 360, 15.0, "yuyv 640x360 15"),
    ] {
        assert_eq!(
            chosen(&offers, &asked(formats, width, height, fps)),
            expected
        );
    }
}

#[test]
fn a_format_that_cannot_keep_the_rate_at_that_size_gives_way_to_one_that_can() {
    use PixelFormat::{Mjpeg, Yuyv};
    let offers = table(DESK);
    assert_eq!(
        chosen(&offers, &asked(&[Yuyv, Mjpeg], 1280, 720, 30.0)),
        "mjpeg 1280x720 30"
    );
    assert_eq!(
        chosen(&offers, &asked(&[Yuyv], 1280, 720, 30.0)),
        "yuyv 1280x720 10",
        "no other format may be used: the size is kept, the rate is what there is"
    );
    assert_eq!(
        chosen(
            &table(SHUTTER),
            &asked(&[PixelFormat::Grey, Yuyv, Mjpeg], 640, 400, 60.0)
        ),
        "mjpeg 640x400 210"
    );
}

#[test]
fn a_missing_size_becomes_the_next_larger_and_jpeg_is_then_decoded_smaller() {
    use PixelFormat::{Mjpeg, Yuyv};
    let offers = table(DESK);
    assert_eq!(
        chosen(&offers, &asked(&[Yuyv], 600, 400, 30.0)),
        "yuyv 640x480 30"
    );
    assert_eq!(
        chosen(&offers, &asked(&[Mjpeg], 960, 540, 30.0)),
        "mjpeg 1280x720 30"
    );
    let large_only = table("MJPG 1920x1080 30\nMJPG 3840x2160 30");
    assert_eq!(
        chosen(&large_only, &asked(&[Mjpeg], 960, 540, 30.0)),
        "mjpeg 1920x1080 30 half"
    );
    assert_eq!(
        chosen(&large_only, &asked(&[Mjpeg], 640, 480, 30.0)),
        "mjpeg 1920x1080 30 half",
        "a quarter would be 480x270"
    );
    assert_eq!(
        chosen(&large_only, &asked(&[Mjpeg], 480, 270, 30.0)),
        "mjpeg 1920x1080 30 quarter"
    );
}

#[test]
fn where_all_are_smaller_the_largest_is_taken() {
    assert_eq!(
        chosen(
            &table(INFRARED),
            &asked(&[PixelFormat::Grey], 1280, 720, 15.0)
        ),
        "grey 640x360 15"
    );
    assert_eq!(
        chosen(
            &table(INFRARED),
            &asked(&[PixelFormat::Grey], 1280, 720, 30.0)
        ),
        "grey 340x340 30",
        "among sizes that are all too small the rate decides first"
    );
}

#[test]
fn of_equal_pixel_counts_the_asked_shape_wins_and_then_the_cameras_order() {
    let offers = table("MJPG 1440x640 30\nMJPG 1280x720 30\nMJPG 960x960 30");
    let wanted = asked(&[PixelFormat::Mjpeg], 1024, 576, 30.0);
    assert_eq!(chosen(&offers, &wanted), "mjpeg 1280x720 30");
    let twice = table("MJPG 1280x720 30\nJPEG 1280x720 30");
    let plan = negotiate(&twice, &asked(&[PixelFormat::Mjpeg], 1280, 720, 30.0)).unwrap();
    assert_eq!(&plan.fourcc, b"MJPG");
}

#[test]
fn the_slowest_rate_that_suffices_is_taken_and_near_is_good_enough() {
    let rate = |rates: &str, fps| {
        let offers = table(&format!("YUYV 640x480 {rates}"));
        negotiate(&offers, &asked(&[PixelFormat::Yuyv], 640, 480, fps))
            .unwrap()
            .fps()
    };
    assert_eq!(rate("60 30 15", 25.0), 30.0);
    assert_eq!(rate("60 29.97 15", 30.0), 29.97);
    assert_eq!(rate("15 10 5", 30.0), 15.0);
    assert_eq!(
        rate("", 30.0),
        30.0,
        "a driver that tells no rates is asked"
    );
}

fn range(shortest: (u32, u32), longest: (u32, u32), step: (u32, u32)) -> Vec<Offer> {
    let interval = |(numerator, denominator)| Interval {
        numerator,
        denominator,
    };
    vec![Offer {
        fourcc: *b"NV12",
        size: SizeOffer::Range {
            width: [32, 3280, 2],
            height: [32, 2464, 2],
        },
        intervals: vec![IntervalOffer::Range {
            shortest: interval(shortest),
            longest: interval(longest),
            step: interval(step),
        }],
    }]
}

#[test]
fn ranges_of_sizes_and_rates_give_exactly_what_was_asked() {
    let wanted = asked(&[PixelFormat::Nv12], 1280, 720, 30.0);
    // Continuous, as the old driver of the Pi's camera has it.
    assert_eq!(
        chosen(&range((1, 90), (1, 1), (1, 1)), &wanted),
        "nv12 1280x720 30"
    );
    // In steps of 1/90 s: 1/90, 2/90, 3/90.
    assert_eq!(
        chosen(&range((1, 90), (9, 90), (1, 90)), &wanted),
        "nv12 1280x720 30"
    );
    assert_eq!(
        chosen(
            &range((1, 90), (9, 90), (1, 90)),
            &asked(&[PixelFormat::Nv12], 641, 481, 25.0)
        ),
        "nv12 642x482 30",
        "the step below 1/25 s is 1/30 s"
    );
    assert_eq!(
        chosen(&range((1, 20), (1, 1), (0, 0)), &wanted),
        "nv12 1280x720 20",
        "as fast as it can"
    );
}

#[test]
fn a_camera_without_a_usable_format_is_told_with_what_it_has() {
    let error = negotiate(
        &table(BAYER),
        &asked(&[PixelFormat::Mjpeg, PixelFormat::Yuyv], 1280, 720, 30.0),
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the camera has none of the formats asked for (mjpeg, yuyv); it offers RG10 1920x1080 to 3280x2464"
    );
    assert!(!error.is_passing());
}

fn any_interval() -> impl Strategy<Value = Interval> {
    (any::<u32>(), any::<u32>()).prop_map(|(numerator, denominator)| Interval {
        numerator,
        denominator,
    })
}

fn any_offer() -> impl Strategy<Value = Offer> {
    let fourcc = prop_oneof![
        Just(*b"MJPG"),
        Just(*b"YUYV"),
        Just(*b"NV12"),
        Just(*b"GREY"),
        any::<[u8; 4]>()
    ];
    let one =
        (any::<u32>(), any::<u32>()).prop_map(|(width, height)| SizeOffer::One { width, height });
    let many = (any::<[u32; 3]>(), any::<[u32; 3]>())
        .prop_map(|(width, height)| SizeOffer::Range { width, height });
    let intervals = prop_oneof![
        any_interval().prop_map(IntervalOffer::One),
        (any_interval(), any_interval(), any_interval()).prop_map(|(shortest, longest, step)| {
            IntervalOffer::Range {
                shortest,
                longest,
                step,
            }
        })
    ];
    (
        fourcc,
        prop_oneof![one, many],
        prop::collection::vec(intervals, 0..4),
    )
        .prop_map(|(fourcc, size, intervals)| Offer {
            fourcc,
            size,
            intervals,
        })
}

proptest! {
    #[test]
    fn whatever_a_driver_says_the_choice_is_of_an_asked_format_and_ends(
        offers in prop::collection::vec(any_offer(), 0..8),
        width in 1u32..4096, height in 1u32..4096, fps in 1.0f32..240.0,
    ) {
        let wanted = asked(&[PixelFormat::Yuyv, PixelFormat::Mjpeg], width, height, fps);
        if let Ok(plan) = negotiate(&offers, &wanted) {
            prop_assert!(wanted.formats.contains(&plan.format));
            prop_assert!(plan.width > 0 && plan.height > 0);
            prop_assert!(plan.fps() > 0.0);
        }
    }

    #[test]
    fn an_offer_of_just_what_is_asked_is_never_passed_over(
        offers in prop::collection::vec(any_offer(), 0..8), place in 0usize..8,
    ) {
        let wanted = asked(&[PixelFormat::Yuyv], 640, 480, 30.0);
        let mut offers = offers;
        offers.insert(place.min(offers.len()), table("YUYV 640x480 30").remove(0));
        let plan = negotiate(&offers, &wanted).unwrap();
        prop_assert_eq!((plan.format, plan.width, plan.height), (PixelFormat::Yuyv, 640, 480));
        prop_assert!(plan.fps() >= 28.5);
    }
}
