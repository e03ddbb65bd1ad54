use super::*;

const WIDTH: usize = 640;
const HEIGHT: usize = 360;

/// Luma of a scene with edges, whose corners are not those of coding blocks.
fn scene() -> Vec<u8> {
    (0..WIDTH * HEIGHT)
        .map(|at| {
            let (x, y) = (at % WIDTH, at / WIDTH);
            if (x / 37 + y / 29) % 2 == 0 { 70 } else { 160 }
        })
        .collect()
}

fn look(luma: &[u8]) -> SceneLook {
    let picture = Picture::new(WIDTH, HEIGHT, luma, None, ColorRange::Full).unwrap();
    SceneLook::read(&picture, None)
}

/// Numbers that look drawn at random, with mean 0 and a deviation of 1.
fn noise_of(seed: &mut u64) -> f32 {
    let mut sum = 0.0;
    for _ in 0..12 {
        *seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        sum += (*seed >> 40) as f32 / (1u64 << 24) as f32;
    }
    sum - 6.0
}

#[test]
fn noise_is_measured_in_grey_levels() {
    assert!(look(&scene()).noise() < 0.5);
    for deviation in [3.0, 8.0, 15.0] {
        let mut seed = 7;
        let noisy: Vec<u8> = scene()
            .into_iter()
            .map(|level| (f32::from(level) + deviation * noise_of(&mut seed)) as u8)
            .collect();
        let found = look(&noisy).noise();
        assert!(
            (found / deviation - 1.0).abs() < 0.15,
            "{found} of {deviation}"
        );
    }
}

#[test]
fn blur_takes_fine_detail_away() {
    let sharp = scene();
    let blurred: Vec<u8> = (0..WIDTH * HEIGHT)
        .map(|at| {
            let (x, y) = (at % WIDTH, at / WIDTH);
            let sum: usize = (0..5)
                .map(|by| usize::from(sharp[y * WIDTH + (x + by).min(WIDTH - 1)]))
                .sum();
            (sum / 5) as u8
        })
        .collect();
    let (before, after) = (look(&sharp).fine_detail(), look(&blurred).fine_detail());
    assert!(after[0] < before[0] - 0.3, "{before:?} {after:?}");
}

#[test]
fn blocks_show_where_every_eighth_edge_is_stronger() {
    let blocky: Vec<u8> = (0..WIDTH * HEIGHT)
        .map(|at| (((at % WIDTH) / 8 * 13) % 97 + 60) as u8)
        .collect();
    assert!(look(&blocky).blockiness() > 3.0);
    assert!(look(&scene()).blockiness() < 0.5);
}

#[test]
fn the_light_grid_is_the_mean_of_each_cell_in_full_range() {
    let luma: Vec<u8> = (0..WIDTH * HEIGHT)
        .map(|at| if at % WIDTH < WIDTH / 2 { 16 } else { 235 })
        .collect();
    let limited = Picture::new(WIDTH, HEIGHT, &luma, None, ColorRange::Limited).unwrap();
    let grid = light_grid(&limited);
    assert_eq!((grid.level(0), grid.level(GRID_COLUMNS - 1)), (0.0, 255.0));
    let full = Picture::new(WIDTH, HEIGHT, &luma, None, ColorRange::Full).unwrap();
    assert_eq!(light_grid(&full).level(0), 16.0);
}

#[test]
fn an_infrared_tint_is_grey_and_a_coloured_scene_is_not() {
    let luma = scene();
    let chroma = vec![150; WIDTH / 2 * HEIGHT / 2];
    let tinted = Picture::new(
        WIDTH,
        HEIGHT,
        &luma,
        Some((&chroma, &chroma)),
        ColorRange::Full,
    )
    .unwrap();
    assert!(SceneLook::read(&tinted, None).chroma() < 0.1);
    let mixed: Vec<u8> = (0..chroma.len())
        .map(|at| if at % 160 < 80 { 100 } else { 160 })
        .collect();
    let coloured = Picture::new(
        WIDTH,
        HEIGHT,
        &luma,
        Some((&mixed, &chroma)),
        ColorRange::Full,
    )
    .unwrap();
    assert!(SceneLook::read(&coloured, None).chroma() > 20.0);
}

#[test]
fn a_picture_of_a_few_pixels_is_read_without_fault() {
    for (width, height) in [(1, 1), (3, 9), (9, 3), (17, 16)] {
        let luma = vec![100; width * height];
        let picture = Picture::new(width, height, &luma, None, ColorRange::Full).unwrap();
        let look = SceneLook::read(&picture, None);
        assert_eq!(look.light(), 100.0);
        assert!(look.fine_detail().iter().all(|detail| detail.is_finite()));
    }
}
