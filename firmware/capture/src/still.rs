//! A picture as a clip of one frame.

use crate::{CaptureError, FrameBuffer, FrameInfo, FrameSource, SourceInfo};
use image::{DynamicImage, ImageDecoder, ImageReader};
use std::path::{Path, PathBuf};

/// Endings of the pictures that are looked for in a folder.
const ENDINGS: [&str; 5] = ["jpg", "jpeg", "png", "bmp", "webp"];

/// One picture.
pub struct StillSource {
    info: SourceInfo,
    picture: Option<DynamicImage>,
}

impl StillSource {
    /// Decodes a picture and turns it upright as its metadata say.
    pub fn open(path: &Path) -> Result<Self, CaptureError> {
        let open = |source| CaptureError::Open {
            path: path.to_owned(),
            source,
        };
        let decode = |source| CaptureError::Picture {
            path: path.to_owned(),
            source,
        };
        if std::fs::metadata(path).map_err(open)?.len() == 0 {
            return Err(CaptureError::Empty {
                path: path.to_owned(),
            });
        }
        let reader = ImageReader::open(path)
            .map_err(open)?
            .with_guessed_format()
            .map_err(open)?;
        let mut decoder = reader.into_decoder().map_err(decode)?;
        let orientation = decoder.orientation().map_err(decode)?;
        let mut picture = DynamicImage::from_decoder(decoder).map_err(decode)?;
        picture.apply_orientation(orientation);
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let (width, height) = (picture.width() as usize, picture.height() as usize);
        let codec = "still".to_owned();
        Ok(Self {
            info: SourceInfo {
                name,
                width,
                height,
                nominal_fps: None,
                expected_frames: Some(1),
                codec,
            },
            picture: Some(picture),
        })
    }

    /// Whether the name ends like a picture's.
    pub fn is_picture(path: &Path) -> bool {
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        ending.is_some_and(|ending| ENDINGS.contains(&ending.as_str()))
    }
}

impl FrameSource for StillSource {
    fn info(&self) -> &SourceInfo {
        &self.info
    }

    fn next_into(&mut self, frame: &mut FrameBuffer) -> Result<bool, CaptureError> {
        let Some(picture) = self.picture.take() else {
            return Ok(false);
        };
        let (width, height) = (self.info.width, self.info.height);
        frame.info = FrameInfo::default();
        frame.full_range = true;
        frame.shape(width, height, false);
        fill_planes(&picture.into_rgb8(), frame);
        Ok(true)
    }

    fn damage(&self) -> Option<String> {
        None
    }
}

/// RGB to luma and chroma at half size, ITU-R BT.601, full range.
fn fill_planes(rgb: &image::RgbImage, frame: &mut FrameBuffer) {
    let (width, height) = (frame.width, frame.height);
    let half = width.div_ceil(2);
    let (luma, chroma) = frame.bytes.split_at_mut(width * height);
    let (blue, red) = chroma.split_at_mut(half * height.div_ceil(2));
    // Sums over up to 4 pixels of one chroma sample: r, g, b, count.
    let mut sums = vec![[0.0f32; 4]; blue.len()];
    for (at, pixel) in rgb.as_raw().chunks_exact(3).enumerate() {
        let [r, g, b] = [
            f32::from(pixel[0]),
            f32::from(pixel[1]),
            f32::from(pixel[2]),
        ];
        luma[at] = (0.299 * r + 0.587 * g + 0.114 * b + 0.5) as u8;
        let sum = &mut sums[(at / width / 2) * half + (at % width) / 2];
        for (sum, value) in sum.iter_mut().zip([r, g, b, 1.0]) {
            *sum += value;
        }
    }
    for ((blue, red), [r, g, b, n]) in blue.iter_mut().zip(red).zip(sums) {
        let [r, g, b] = [r / n, g / n, b / n];
        *blue = (128.5 - 0.168_736 * r - 0.331_264 * g + 0.5 * b) as u8;
        *red = (128.5 + 0.5 * r - 0.418_688 * g - 0.081_312 * b) as u8;
    }
}

/// The pictures of a folder, by name.
pub fn list_pictures(folder: &Path) -> Result<Vec<PathBuf>, CaptureError> {
    let open = |source| CaptureError::Open {
        path: folder.to_owned(),
        source,
    };
    let mut pictures = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(open)? {
        let path = entry.map_err(open)?.path();
        if path.is_file() && StillSource::is_picture(&path) {
            pictures.push(path);
        }
    }
    if pictures.is_empty() {
        return Err(CaptureError::NoPictures {
            path: folder.to_owned(),
        });
    }
    pictures.sort();
    Ok(pictures)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_comes_out_as_planes_of_its_colours() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("red.png");
        image::RgbImage::from_pixel(5, 3, image::Rgb([255, 0, 0]))
            .save(&path)
            .unwrap();
        let mut source = StillSource::open(&path).unwrap();
        let mut frame = FrameBuffer::default();
        assert!(source.next_into(&mut frame).unwrap());
        assert_eq!((frame.width, frame.height, frame.full_range), (5, 3, true));
        assert!(frame.luma().iter().all(|y| *y == 76));
        let (blue, red) = frame.chroma().unwrap();
        assert_eq!((blue.len(), red.len()), (6, 6));
        assert!(
            blue.iter().all(|u| u.abs_diff(85) <= 1) && red.iter().all(|v| *v == 255 || *v == 254)
        );
        assert!(!source.next_into(&mut frame).unwrap());
    }

    #[test]
    fn a_text_file_named_like_a_picture_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("note.jpg");
        std::fs::write(&path, "not a picture").unwrap();
        let error = StillSource::open(&path).err().unwrap();
        assert!(error.to_string().contains("note.jpg"), "{error}");
        assert!(matches!(
            list_pictures(&folder.path().join("none")),
            Err(CaptureError::Open { .. })
        ));
        std::fs::remove_file(&path).unwrap();
        assert!(matches!(
            list_pictures(folder.path()),
            Err(CaptureError::NoPictures { .. })
        ));
    }
}
