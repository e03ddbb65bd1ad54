//! What the camera of the drawn drive would see: two seats, a driver, a passenger, light that comes and goes.
//!
//! Everything is given in pixels of the source image, 1280 x 720, and drawn at half that size.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

use label_core::FrameIndex;

/// Width and height of the drive's frames.
pub(crate) const SOURCE: (u32, u32) = (1280, 720);
/// Width and height of the pictures.
pub(crate) const SIZE: (u16, u16) = (640, 360);
/// Frames from one turn of a head's way to the next; between them it moves in a straight line.
pub(crate) const KNOT: u32 = 60;

/// A face and a body.
#[derive(Clone, Copy)]
pub(crate) struct Person {
    /// Where the head is at rest.
    rest: (f32, f32),
    /// Half of the head's width.
    radius: f32,
    skin: [f32; 3],
    shirt: [f32; 3],
    pub(crate) wears_glasses: bool,
    seed: u32,
}

pub(crate) const DRIVER: Person = Person {
    rest: (430.0, 290.0),
    radius: 105.0,
    skin: [205.0, 160.0, 130.0],
    shirt: [60.0, 82.0, 120.0],
    wears_glasses: true,
    seed: 3,
};

pub(crate) const PASSENGER: Person = Person {
    rest: (950.0, 315.0),
    radius: 84.0,
    skin: [150.0, 108.0, 84.0],
    shirt: [126.0, 60.0, 58.0],
    wears_glasses: false,
    seed: 11,
};

/// The headrest between the seats: x, y, width, height. No person.
pub(crate) const HEADREST: (f32, f32, f32, f32) = (640.0, 250.0, 120.0, 200.0);

impl Person {
    /// Middle of the head.
    fn head(&self, frame: FrameIndex) -> (f32, f32) {
        let knot = |number: u32| {
            let hash = (number.wrapping_mul(2_654_435_761) ^ self.seed.wrapping_mul(40_503)) >> 7;
            let spread = |bits: u32| (bits % 101) as f32 / 50.0 - 1.0;
            (spread(hash) * 26.0, spread(hash / 101) * 12.0)
        };
        let (from, to) = (knot(frame / KNOT), knot(frame / KNOT + 1));
        let way = (frame % KNOT) as f32 / KNOT as f32;
        (
            self.rest.0 + from.0 + (to.0 - from.0) * way,
            self.rest.1 + from.1 + (to.1 - from.1) * way,
        )
    }

    /// Centre of an eye's opening; the subject's left eye is to the right in the picture.
    pub(crate) fn eye(&self, frame: FrameIndex, left: bool) -> (f32, f32) {
        let (x, y) = self.head(frame);
        let aside = if left { 0.42 } else { -0.42 };
        (x + aside * self.radius, y - 0.18 * self.radius)
    }

    /// The box round what is seen of the person: x, y, width, height.
    pub(crate) fn body(&self, frame: FrameIndex) -> (f32, f32, f32, f32) {
        let (x, y) = self.head(frame);
        let top = y - 1.5 * self.radius;
        let half = 2.3 * self.radius;
        (x - half, top, 2.0 * half, SOURCE.1 as f32 - top)
    }
}

/// How somebody looks in one frame.
#[derive(Clone, Copy)]
pub(crate) struct Looks {
    pub(crate) person: Person,
    /// Openness of the right and the left eye; none of a head that is turned away.
    pub(crate) eyes: Option<(f32, f32)>,
    /// A hand lies on the face.
    pub(crate) covered: bool,
    /// Shade lies on the left half of the face.
    pub(crate) shaded: bool,
}

/// The frame as a JPEG of [`SIZE`]; `light` is 1 in daylight.
pub(crate) fn picture(frame: FrameIndex, people: &[Looks], light: f32) -> Vec<u8> {
    let mut canvas = Canvas::cabin(frame);
    let (x, y, width, height) = HEADREST;
    let middle = (x + width / 2.0, y + height / 2.0);
    canvas.ellipse(middle, (width / 2.0, height / 2.0), [58.0, 60.0, 66.0]);
    for looks in people {
        canvas.person(frame, looks);
    }
    let pixels: Vec<u8> = canvas
        .pixels
        .iter()
        .map(|value| (value * light) as u8)
        .collect();
    let mut jpeg = Vec::new();
    jpeg_encoder::Encoder::new(&mut jpeg, 78)
        .encode(&pixels, SIZE.0, SIZE.1, jpeg_encoder::ColorType::Rgb)
        .unwrap();
    jpeg
}

struct Canvas {
    pixels: Vec<f32>,
}

impl Canvas {
    /// The inside of a car with what goes by behind its windows.
    fn cabin(frame: FrameIndex) -> Self {
        let (width, height) = (usize::from(SIZE.0), usize::from(SIZE.1));
        let mut pixels = vec![0.0; width * height * 3];
        for y in 0..height {
            let window = (30..135).contains(&y);
            for x in 0..width {
                let in_window = window && (x + 40) % 300 > 50;
                let passing = ((x as u32 + frame * 5) / 46) % 3;
                let colour = if in_window {
                    [
                        150.0 + 18.0 * passing as f32,
                        178.0 + 9.0 * passing as f32,
                        196.0,
                    ]
                } else {
                    let fall = 70.0 - 30.0 * y as f32 / height as f32;
                    [fall, fall + 2.0, fall + 7.0]
                };
                pixels[(y * width + x) * 3..][..3].copy_from_slice(&colour);
            }
        }
        Self { pixels }
    }

    /// Paints where `inside` (1 within, 0 without, between at the edge) says so, in a box of source pixels.
    fn paint(
        &mut self,
        (x, y): (f32, f32),
        (half_width, half_height): (f32, f32),
        colour: [f32; 3],
        inside: impl Fn(f32, f32) -> f32,
    ) {
        let scale = f32::from(SIZE.0) / SOURCE.0 as f32;
        let range = |middle: f32, half: f32, most: u16| {
            let from = ((middle - half) * scale - 1.0).max(0.0) as usize;
            from..(((middle + half) * scale + 2.0).max(0.0) as usize).min(usize::from(most))
        };
        for row in range(y, half_height, SIZE.1) {
            for column in range(x, half_width, SIZE.0) {
                let at = |pixel: usize| (pixel as f32 + 0.5) / scale;
                let share = inside(at(column) - x, at(row) - y).clamp(0.0, 1.0);
                let place = (row * usize::from(SIZE.0) + column) * 3;
                for (value, wanted) in self.pixels[place..place + 3].iter_mut().zip(colour) {
                    *value += (wanted - *value) * share;
                }
            }
        }
    }

    fn ellipse(&mut self, middle: (f32, f32), radii: (f32, f32), colour: [f32; 3]) {
        self.paint(middle, radii, colour, |dx, dy| {
            let out = ((dx / radii.0).powi(2) + (dy / radii.1).powi(2)).sqrt();
            (1.0 - out) * radii.0.min(radii.1) / 2.0
        });
    }

    fn person(&mut self, frame: FrameIndex, looks: &Looks) {
        let person = &looks.person;
        let (x, y) = person.head(frame);
        let r = person.radius;
        let hair = [44.0, 34.0, 30.0];
        self.ellipse((x, y + 3.6 * r), (2.3 * r, 2.2 * r), person.shirt);
        let neck = person.skin.map(|value| value * 0.82);
        self.ellipse((x, y + 1.25 * r), (0.5 * r, 0.7 * r), neck);
        self.ellipse((x, y - 0.25 * r), (1.06 * r, 1.25 * r), hair);
        let Some((right, left)) = looks.eyes else {
            // Turned away: an ear, and hair where the eyes would be.
            self.ellipse((x + 0.5 * r, y + 0.1 * r), (0.7 * r, 1.1 * r), person.skin);
            self.ellipse((x - 0.1 * r, y - 0.3 * r), (0.8 * r, 0.9 * r), hair);
            self.ellipse((x - 0.15 * r, y + 0.1 * r), (0.16 * r, 0.26 * r), neck);
            return;
        };
        self.ellipse((x, y + 0.1 * r), (0.92 * r, 1.2 * r), person.skin);
        if looks.shaded {
            let dark = person.skin.map(|value| value * 0.45);
            self.paint((x, y + 0.1 * r), (0.92 * r, 1.2 * r), dark, |dx, dy| {
                let out = (dx / (0.92 * r)).powi(2) + (dy / (1.2 * r)).powi(2);
                if out < 1.0 { dx / (0.1 * r) } else { 0.0 }
            });
        }
        let mouth = [150.0, 74.0, 74.0];
        self.ellipse((x, y + 0.8 * r), (0.34 * r, 0.07 * r), mouth);
        self.ellipse((x, y + 0.35 * r), (0.12 * r, 0.2 * r), neck);
        for (is_left, opening) in [(false, right), (true, left)] {
            let (x, y) = person.eye(frame, is_left);
            self.ellipse((x, y - 0.24 * r), (0.26 * r, 0.05 * r), hair);
            let height = 0.11 * r * opening.clamp(0.0, 1.2);
            self.ellipse((x, y), (0.21 * r, height + 3.0), hair);
            if height > 2.0 {
                self.ellipse((x, y), (0.2 * r, height), [236.0, 232.0, 226.0]);
                let iris = (0.085 * r).min(height);
                self.ellipse((x, y), (iris, iris), [52.0, 40.0, 34.0]);
            }
            if person.wears_glasses {
                let (wide, high) = (0.33 * r, 0.25 * r);
                self.paint((x, y), (wide, high), [26.0, 26.0, 30.0], |dx, dy| {
                    let out = ((dx / wide).powi(4) + (dy / high).powi(4)).sqrt();
                    4.0 - (out - 0.9).abs() * 40.0
                });
            }
        }
        if looks.covered {
            let hand = person.skin.map(|value| value * 0.94);
            for finger in 0u8..4 {
                let dy = f32::from(finger) * 0.26 * r;
                self.ellipse((x + 0.25 * r, y + dy), (0.75 * r, 0.15 * r), hand);
            }
            self.ellipse((x + 0.9 * r, y + 0.5 * r), (0.5 * r, 0.6 * r), hand);
        }
    }
}
