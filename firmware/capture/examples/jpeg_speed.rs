//! How long a JPEG takes to become planes: the decoder that cameras are read with, and the one for stills.
//!
//! ```text
//! cargo run --release -p capture --example jpeg_speed
//! ```
//!
//! The picture is noisy, as cameras' are, and coded as they do it: 4:2:2, quality 80. With `--hit COUNT` it is damaged at
//! random places COUNT times over instead, and what became of it is counted.

#![expect(clippy::print_stdout, reason = "a tool speaks to its user")]

use capture::FrameBuffer;
use capture::jpeg::{JpegDecoder, Scale};
use jpeg_encoder::{ColorType, Encoder, SamplingFactor};
use nix::time::{ClockId, clock_gettime};

/// Numbers that look random and are the same each time.
struct Noise(u64);

impl Noise {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) as usize % below
    }
}

fn picture(width: u16, height: u16, sampling: SamplingFactor) -> Vec<u8> {
    let mut noise = Noise(1);
    let mut rgb = Vec::new();
    for y in 0..u32::from(height) {
        for x in 0..u32::from(width) {
            let wave = |period: f32, at: u32| 50.0 * (at as f32 / period).sin();
            let base = 128.0 + wave(31.0, x) + wave(47.0, y) + wave(5.0, x + y) * 0.3;
            for tint in [0.0, 12.0, -18.0] {
                rgb.push((base + tint + noise.next(9) as f32 - 4.0) as u8);
            }
        }
    }
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, 80);
    encoder.set_sampling_factor(sampling);
    encoder
        .encode(&rgb, width, height, ColorType::Rgb)
        .expect("a picture that small can be coded");
    jpeg
}

/// Milliseconds that this thread has had a processor.
fn worked_ms() -> f64 {
    let time =
        clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).expect("every thread has this clock");
    time.tv_sec() as f64 * 1e3 + time.tv_nsec() as f64 / 1e6
}

/// Milliseconds of work of the middle one of many runs: what else the machine does counts little.
fn middle(mut work: impl FnMut()) -> f64 {
    let mut times: Vec<f64> = (0..201)
        .map(|_| {
            let start = worked_ms();
            work();
            worked_ms() - start
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() == Some("--hit") {
        let count = arguments.next().and_then(|count| count.parse().ok());
        hit(count.unwrap_or(10_000));
        return;
    }
    for (name, sampling) in [
        ("4:2:2", SamplingFactor::R_4_2_2),
        ("4:2:0", SamplingFactor::R_4_2_0),
    ] {
        for (width, height) in [(1280, 720), (1920, 1080)] {
            let jpeg = picture(width, height, sampling);
            let size = (u32::from(width), u32::from(height));
            println!("{width}x{height}, {name}, {} kB:", jpeg.len() / 1000);
            let mut decoder = JpegDecoder::new();
            let mut frame = FrameBuffer::default();
            for scale in [Scale::Full, Scale::Half, Scale::Quarter] {
                let time = middle(|| {
                    decoder
                        .decode(&jpeg, size, scale, &mut frame)
                        .expect("a sound picture");
                });
                println!("  {:<7} {time:6.2} ms", format!("{scale:?}").to_lowercase());
            }
            let time = middle(|| {
                image::load_from_memory(&jpeg).expect("a sound picture");
            });
            println!("  crate image (zune-jpeg), to colours: {time:6.2} ms");
        }
    }
}

fn hit(count: u32) {
    let mut noise = Noise(7);
    let mut decoder = JpegDecoder::new();
    let mut frame = FrameBuffer::default();
    let (mut shown, mut refused, mut after) = (0, 0, 0);
    let samplings = [
        SamplingFactor::R_4_2_2,
        SamplingFactor::R_4_2_0,
        SamplingFactor::R_4_4_4,
        SamplingFactor::R_4_1_1,
    ];
    for round in 0..count {
        let (width, height) = (16 + noise.next(90) as u16, 16 + noise.next(90) as u16);
        let size = (u32::from(width), u32::from(height));
        let sound = picture(width, height, samplings[round as usize % samplings.len()]);
        for _ in 0..20 {
            let mut jpeg = sound.clone();
            let within = if noise.next(2) == 0 {
                640.min(jpeg.len())
            } else {
                jpeg.len()
            };
            for _ in 0..=noise.next(8) {
                jpeg[noise.next(within)] = noise.next(256) as u8;
            }
            if noise.next(4) == 0 {
                jpeg.truncate(noise.next(jpeg.len()));
            }
            let scale = [Scale::Full, Scale::Half, Scale::Quarter][noise.next(3)];
            // Half of the time the picture's own word on its size is taken.
            let claimed = decoder
                .size(&jpeg)
                .ok()
                .filter(|size| size.0 * size.1 < 1 << 22);
            let size = claimed.filter(|_| noise.next(2) == 0).unwrap_or(size);
            match decoder.decode(&jpeg, size, scale, &mut frame) {
                Ok(()) => shown += 1,
                Err(_) => refused += 1,
            }
        }
        after += u32::from(
            decoder
                .decode(&sound, size, Scale::Full, &mut frame)
                .is_ok(),
        );
    }
    println!(
        "{shown} shown, {refused} refused; {after} of {count} sound ones right after were decoded"
    );
}
