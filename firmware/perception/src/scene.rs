//! What the picture as a whole is like: its light on a coarse grid, and how well it can be read.
//!
//! [`light_grid`] is cheap enough for every frame. [`SceneLook`] is meant for a few looks a second. Both read a fixed
//! number of pixels whatever the picture's size, and allocate nothing.
//!
//! Grey levels are 0 to 255 here, whatever the picture's own range was. Nothing is judged: what these measures mean for
//! a person is fitted elsewhere (`models/video-quality`).

use crate::faces::TrackedFace;
use crate::picture::{ColorRange, Picture};
use label_core::scene::{GRID_CELLS, GRID_COLUMNS, GRID_ROWS, LightGrid};

/// Pixels read along each side of a cell of the light grid.
const CELL_SAMPLES: usize = 8;

/// Places looked at along each side of the region that blur and exposure are read from.
const PLACES: usize = 48;

/// Noise is read in this many tiles across and down, each of this many pixels a side.
const NOISE_TILES: (usize, usize) = (16, 9);
const NOISE_TILE: usize = 10;
/// The smoothest tiles: this share of them holds noise and no texture.
const SMOOTH_SHARE: f32 = 0.25;
/// Tiles with a mean outside these levels are cut off by black or white, which hides noise.
const NOISE_LEVELS: (u32, u32) = (12, 243);

/// Rows in which the edges of coding blocks are looked for, and the side of a block.
const BLOCK_ROWS: usize = 48;
const BLOCK: usize = 8;

/// Levels that count as cut off.
const BLACK: u8 = 5;
const WHITE: u8 = 250;

/// A distance between the eyes, in units of which blur is read: lids are about this share of it thick.
const BLUR_STEPS: f32 = 24.0;

/// The distance between the eyes that is assumed where there is no face, as a share of the picture's longer side.
const ASSUMED_EYES: f32 = 0.07;

/// Mean light of each cell of a coarse grid.
pub fn light_grid(picture: &Picture<'_>) -> LightGrid {
    let luma = picture.luma();
    let along = |length: usize, place: usize, places: usize| {
        ((2 * place + 1) * length / (2 * places)).min(length - 1)
    };
    let mut sums = [0u32; GRID_CELLS];
    for row in 0..GRID_ROWS * CELL_SAMPLES {
        let start = along(picture.height, row, GRID_ROWS * CELL_SAMPLES) * picture.width;
        let line = &luma[start..start + picture.width];
        let sums = &mut sums[row / CELL_SAMPLES * GRID_COLUMNS..][..GRID_COLUMNS];
        for (column, sum) in sums.iter_mut().enumerate() {
            for sample in 0..CELL_SAMPLES {
                let place = column * CELL_SAMPLES + sample;
                let x = along(picture.width, place, GRID_COLUMNS * CELL_SAMPLES);
                *sum += u32::from(line[x]);
            }
        }
    }
    let samples = (CELL_SAMPLES * CELL_SAMPLES) as u32;
    let steps = u32::from(LightGrid::STEPS);
    LightGrid::new(sums.map(|sum| {
        let steps = match picture.range {
            ColorRange::Full => sum * steps / samples,
            ColorRange::Limited => {
                (sum.saturating_sub(16 * samples) * steps / samples * 255 / 219).min(255 * steps)
            }
        };
        steps as u16
    }))
}

/// How well a picture can be read: on the face where one is tracked, else on the whole of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SceneLook {
    light: f32,
    contrast: f32,
    dark_share: f32,
    bright_share: f32,
    tones: [f32; 3],
    fine_detail: [f32; 3],
    step_share: f32,
    noise: f32,
    blockiness: f32,
    chroma: f32,
    eye_distance: Option<f32>,
}

impl SceneLook {
    /// Looks at a picture, and at the largest face in it.
    pub fn read(picture: &Picture<'_>, face: Option<&TrackedFace>) -> Self {
        let grid = light_grid(picture);
        let mut cells = *grid.cells();
        cells.sort_unstable();
        let cell = |share: f32| {
            f32::from(cells[(share * (GRID_CELLS - 1) as f32) as usize])
                / f32::from(LightGrid::STEPS)
        };
        let (region, eyes) = match face {
            Some(face) => (Part::of_face(picture, face), face.eyes.distance().max(1.0)),
            None => (
                Part::whole(picture),
                ASSUMED_EYES * picture.width.max(picture.height) as f32,
            ),
        };
        let noise = noise(picture);
        let step = (eyes / BLUR_STEPS).round().max(1.0) as usize;
        let tones = Tones::read(picture, &region);
        Self {
            light: grid.mean(),
            contrast: cell(0.95) - cell(0.05),
            dark_share: tones.dark_share,
            bright_share: tones.bright_share,
            tones: tones.levels,
            fine_detail: fine_detail(picture, &region, step, noise),
            step_share: step as f32 * BLUR_STEPS / eyes,
            noise,
            blockiness: blockiness(picture),
            chroma: chroma(picture),
            eye_distance: face.map(|_| eyes),
        }
    }

    /// Mean grey level of the whole picture, 0 to 255.
    pub fn light(&self) -> f32 {
        self.light
    }

    /// Grey levels between the darkest and the brightest twentieth of the light grid's cells.
    pub fn contrast(&self) -> f32 {
        self.contrast
    }

    /// Share of the region's pixels that are black.
    pub fn dark_share(&self) -> f32 {
        self.dark_share
    }

    /// Share of the region's pixels that are white.
    pub fn bright_share(&self) -> f32 {
        self.bright_share
    }

    /// Grey levels below which 5, 50 and 95 % of the region's pixels lie.
    pub fn tones(&self) -> [f32; 3] {
        self.tones
    }

    /// Variance of the Laplacian over variance of the grey levels (normalised by contrast as in Pertuz et al., "Analysis
    /// of focus measure operators for shape-from-focus", 2013), less what noise adds, at one, two and four blur steps;
    /// natural logarithm.
    pub fn fine_detail(&self) -> [f32; 3] {
        self.fine_detail
    }

    /// Size of a blur step in 24ths of the distance between the eyes: steps are whole pixels.
    pub fn step_share(&self) -> f32 {
        self.step_share
    }

    /// Deviation of the noise in grey levels: Immerkær, "Fast noise variance estimation" (1996), in the smoothest tiles.
    pub fn noise(&self) -> f32 {
        self.noise
    }

    /// How much stronger edges are on the border of 8-pixel coding blocks than inside them: 0 is not at all.
    pub fn blockiness(&self) -> f32 {
        self.blockiness
    }

    /// Mean distance of a pixel's colour from the picture's mean colour, in chroma levels; 0 is grey, or all of one tint
    /// as by an infrared lamp.
    pub fn chroma(&self) -> f32 {
        self.chroma
    }

    /// Distance between the eyes of the face that was looked at, pixels.
    pub fn eye_distance(&self) -> Option<f32> {
        self.eye_distance
    }
}

/// A rectangle of whole pixels that holds at least one.
#[derive(Clone, Copy)]
struct Part {
    left: usize,
    top: usize,
    width: usize,
    height: usize,
}

impl Part {
    fn whole(picture: &Picture<'_>) -> Self {
        Self {
            left: 0,
            top: 0,
            width: picture.width,
            height: picture.height,
        }
    }

    fn of_face(picture: &Picture<'_>, face: &TrackedFace) -> Self {
        let place = |value: f32, length: usize| value.clamp(0.0, length as f32 - 1.0) as usize;
        let b = face.bounds;
        let (left, top) = (place(b.x, picture.width), place(b.y, picture.height));
        Self {
            left,
            top,
            width: (place(b.x + b.width, picture.width) - left).max(1),
            height: (place(b.y + b.height, picture.height) - top).max(1),
        }
    }

    /// Evenly spread places, each at least `margin` from the picture's edges.
    fn places(
        self,
        picture: &Picture<'_>,
        margin: usize,
    ) -> impl Iterator<Item = (usize, usize)> + use<> {
        let limit = move |at: usize, length: usize| {
            (margin * 2 < length).then(|| at.clamp(margin, length - 1 - margin))
        };
        let (width, height) = (picture.width, picture.height);
        (0..PLACES * PLACES).filter_map(move |place| {
            let along = |start: usize, length: usize, place: usize| {
                start + (2 * place + 1) * length / (2 * PLACES)
            };
            let x = limit(along(self.left, self.width, place % PLACES), width)?;
            let y = limit(along(self.top, self.height, place / PLACES), height)?;
            Some((x, y))
        })
    }
}

/// A byte of luma as a grey level of the full range.
fn level(picture: &Picture<'_>, byte: u8) -> u8 {
    match picture.range {
        ColorRange::Full => byte,
        ColorRange::Limited => (u32::from(byte.saturating_sub(16)) * 255 / 219).min(255) as u8,
    }
}

/// By how much a difference of bytes is smaller than that of grey levels.
fn gain(picture: &Picture<'_>) -> f32 {
    match picture.range {
        ColorRange::Full => 1.0,
        ColorRange::Limited => 255.0 / 219.0,
    }
}

/// How a region's grey levels are spread.
struct Tones {
    levels: [f32; 3],
    dark_share: f32,
    bright_share: f32,
}

impl Tones {
    fn read(picture: &Picture<'_>, region: &Part) -> Self {
        let mut counts = [0u32; 256];
        for (x, y) in region.places(picture, 0) {
            counts[usize::from(level(picture, picture.luma[y * picture.width + x]))] += 1;
        }
        let total = (PLACES * PLACES) as f32;
        let share = |levels: core::ops::RangeInclusive<u8>| {
            let sum: u32 = levels.map(|level| counts[usize::from(level)]).sum();
            sum as f32 / total
        };
        let below = |share: f32| {
            let mut left = share * total;
            let place = counts.iter().position(|count| {
                left -= *count as f32;
                left <= 0.0
            });
            place.unwrap_or(255) as f32
        };
        Self {
            levels: [below(0.05), below(0.5), below(0.95)],
            dark_share: share(0..=BLACK),
            bright_share: share(WHITE..=255),
        }
    }
}

/// See [`SceneLook::fine_detail`].
fn fine_detail(picture: &Picture<'_>, region: &Part, step: usize, noise: f32) -> [f32; 3] {
    /// Of the detail of a region in which there is none.
    const LEAST: f32 = 1e-4;
    /// The Laplacian takes one pixel four times and four pixels once.
    const LAPLACIAN_NOISE: f32 = 20.0;
    let (luma, width) = (picture.luma, picture.width);
    let (mut count, mut sum, mut squares) = (0u32, 0.0f32, 0.0f32);
    let mut laplacians = [0.0f32; 3];
    for (x, y) in region.places(picture, step * 4) {
        let at = y * width + x;
        let center = i32::from(luma[at]);
        count += 1;
        sum += center as f32;
        squares += (center * center) as f32;
        for (scale, laplacian) in laplacians.iter_mut().enumerate() {
            let by = step << scale;
            let around: i32 = [at - by, at + by, at - by * width, at + by * width]
                .into_iter()
                .map(|at| i32::from(luma[at]))
                .sum();
            let value = 4 * center - around;
            *laplacian += (value * value) as f32;
        }
    }
    if count == 0 {
        return [LEAST.ln(); 3];
    }
    let count = count as f32;
    let variance = squares / count - (sum / count) * (sum / count);
    let noise = (noise / gain(picture)).powi(2);
    let contrast = (variance - noise).max(1.0);
    laplacians.map(|laplacian| {
        ((laplacian / count - LAPLACIAN_NOISE * noise) / contrast)
            .max(LEAST)
            .ln()
    })
}

/// See [`SceneLook::noise`].
fn noise(picture: &Picture<'_>) -> f32 {
    let (luma, width) = (picture.luma, picture.width);
    if width < NOISE_TILE || picture.height < NOISE_TILE {
        return 0.0;
    }
    let inner = NOISE_TILE - 2;
    let mut deviations = [0.0f32; NOISE_TILES.0 * NOISE_TILES.1];
    let mut count = 0;
    for tile in 0..deviations.len() {
        let place = |length: usize, at: usize, tiles: usize| {
            ((2 * at + 1) * length / (2 * tiles))
                .saturating_sub(NOISE_TILE / 2)
                .min(length - NOISE_TILE)
        };
        let left = place(width, tile % NOISE_TILES.0, NOISE_TILES.0);
        let top = place(picture.height, tile / NOISE_TILES.0, NOISE_TILES.1);
        let (mut sum, mut levels) = (0u32, 0u32);
        for y in top + 1..=top + inner {
            let rows = [y - 1, y, y + 1].map(|y| &luma[y * width + left..][..NOISE_TILE]);
            let [above, own, below] = rows.map(|row| row.windows(3));
            for ((above, own), below) in above.zip(own).zip(below) {
                levels += u32::from(own[1]);
                let sum_of = |bytes: [u8; 4]| bytes.into_iter().map(i32::from).sum::<i32>();
                let cross = sum_of([above[1], own[0], own[2], below[1]]);
                let corners = sum_of([above[0], above[2], below[0], below[2]]);
                sum += (corners - 2 * cross + 4 * i32::from(own[1])).unsigned_abs();
            }
        }
        let pixels = (inner * inner) as u32;
        if (NOISE_LEVELS.0..=NOISE_LEVELS.1).contains(&(levels / pixels)) {
            deviations[count] =
                (core::f32::consts::PI / 2.0).sqrt() / 6.0 * sum as f32 / pixels as f32;
            count += 1;
        }
    }
    if count == 0 {
        return 0.0;
    }
    let deviations = &mut deviations[..count];
    deviations.sort_unstable_by(f32::total_cmp);
    deviations[(SMOOTH_SHARE * (count - 1) as f32) as usize] * gain(picture)
}

/// See [`SceneLook::blockiness`].
fn blockiness(picture: &Picture<'_>) -> f32 {
    /// Levels between neighbours that pass as none: without it a flat picture's last bit would decide.
    const FLAT: f32 = 0.5;
    let mut sums = [0u32; BLOCK];
    let mut counts = [0u32; BLOCK];
    for row in 0..BLOCK_ROWS {
        let y = (2 * row + 1) * picture.height / (2 * BLOCK_ROWS);
        let line = &picture.luma[y * picture.width..][..picture.width];
        for pixels in line.windows(BLOCK + 3).step_by(BLOCK) {
            for phase in 0..BLOCK {
                let jump = |place: usize| {
                    i32::from(pixels[phase + place + 1]).abs_diff(i32::from(pixels[phase + place]))
                };
                // A jump that its neighbours share is a slope.
                sums[phase] += (2 * jump(1)).saturating_sub(jump(0) + jump(2));
                counts[phase] += 1;
            }
        }
    }
    let mut means = [0.0f32; BLOCK];
    for ((mean, sum), count) in means.iter_mut().zip(sums).zip(counts) {
        *mean = sum as f32 / 2.0 / count.max(1) as f32;
    }
    means.sort_unstable_by(f32::total_cmp);
    let inside = f32::midpoint(means[BLOCK / 2 - 1], means[BLOCK / 2]);
    (means[BLOCK - 1] - inside) / (inside + FLAT)
}

/// See [`SceneLook::chroma`].
fn chroma(picture: &Picture<'_>) -> f32 {
    const COLUMNS: usize = 32;
    const ROWS: usize = 18;
    let Some(planes) = picture.chroma else {
        return 0.0;
    };
    let (width, height) = (picture.width.div_ceil(2), picture.height.div_ceil(2));
    let spread = |plane: &[u8]| {
        let mut levels = [0.0f32; COLUMNS * ROWS];
        for (place, level) in levels.iter_mut().enumerate() {
            let x = (2 * (place % COLUMNS) + 1) * width / (2 * COLUMNS);
            let y = (2 * (place / COLUMNS) + 1) * height / (2 * ROWS);
            *level = f32::from(plane[y * width + x]);
        }
        let count = levels.len() as f32;
        let mean = levels.iter().sum::<f32>() / count;
        levels.iter().map(|level| (level - mean).abs()).sum::<f32>() / count
    };
    (spread(planes.0) + spread(planes.1)) * gain(picture)
}

#[cfg(test)]
mod tests;
