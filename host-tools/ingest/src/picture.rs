//! Whether a key picture can be true.

use crate::check::{Check, MAX_SIDE, require, time};
use label_core::FrameIndex;
use label_core::wire::{MAX_PICTURE_BYTES, PictureHeader, picture_size};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;

/// Looks at what the header says and at the JPEG's own header; whether the pixels can be decoded is not tried.
pub(crate) fn check(header: &PictureHeader, jpeg: &[u8]) -> Check {
    let shows = &header.picture;
    require(
        shows.frame < FrameIndex::MAX,
        "picture.frame",
        "is no frame of a clip",
    )?;
    time(shows.pts_us, "picture.pts_us")?;
    let (width, height) = shows.of;
    require(
        width <= MAX_SIDE && height <= MAX_SIDE && picture_size(shows.of).is_some(),
        "picture.of",
        "is no size of a picture",
    )?;
    require(
        picture_size(shows.of) == Some(shows.size),
        "picture.size",
        "is not the source's size, made smaller to fit 640",
    )?;
    require(
        jpeg.len() <= MAX_PICTURE_BYTES,
        "picture",
        "is longer than a key picture may be",
    )?;
    let mut decoder = JpegDecoder::new(ZCursor::new(jpeg));
    require(decoder.decode_headers().is_ok(), "picture", "is not a JPEG")?;
    let size = (usize::from(shows.size.0), usize::from(shows.size.1));
    require(
        decoder.dimensions() == Some(size),
        "picture.size",
        "is not the size of the JPEG",
    )
}

#[cfg(test)]
mod tests {
    use crate::decode;
    use label_store::{Content, RefusalReason};

    const TOPIC: &str = "rigel/v1/north/rig/evidence";
    const HEADER: &str = r#"{"v":1,"from":{"rig":"rig","boot":1048577,"seq":4},"clip":1,"picture":{"frame":120,"pts_us":4000000,"size":[640,360],"of":[1920,1080]}}"#;

    /// The parts of a JPEG that say how large it is: start, frame header, start of the scan, end.
    fn jpeg(width: u16, height: u16) -> Vec<u8> {
        let pixels = vec![128; usize::from(width) * usize::from(height)];
        let mut jpeg = Vec::new();
        jpeg_encoder::Encoder::new(&mut jpeg, 50)
            .encode(&pixels, width, height, jpeg_encoder::ColorType::Luma)
            .unwrap();
        jpeg
    }

    fn message(header: &str, jpeg: &[u8]) -> Vec<u8> {
        let mut message = b"RGE1".to_vec();
        message.extend((header.len() as u32).to_le_bytes());
        message.extend(header.as_bytes());
        message.extend(jpeg);
        message
    }

    #[test]
    fn a_sound_picture_is_taken() {
        let content = decode(TOPIC, message(HEADER, &jpeg(640, 360)), 0).content;
        let Content::Picture {
            header, jpeg_at, ..
        } = content
        else {
            panic!("{content:?}")
        };
        assert_eq!(header.picture.of, (1920, 1080));
        assert_eq!(jpeg_at, 8 + HEADER.len());
    }

    #[test]
    fn pictures_that_cannot_be_are_kept_aside_with_the_reason_and_their_number_counts() {
        let sound = jpeg(640, 360);
        let mut long = sound.clone();
        long.resize(48 * 1024 + 1, 0);
        for (header, jpeg, detail) in [
            (
                HEADER.replace("[640,360]", "[960,540]"),
                jpeg(960, 540),
                "picture.size is not the source's size, made smaller to fit 640",
            ),
            (
                HEADER.replace("[640,360]", "[640,300]"),
                jpeg(640, 300),
                "picture.size is not the source's size, made smaller to fit 640",
            ),
            (
                HEADER.replace("[1920,1080]", "[0,0]"),
                sound.clone(),
                "picture.of is no size of a picture",
            ),
            (
                HEADER.replace("[1920,1080]", "[4000000000,1080]"),
                sound.clone(),
                "picture.of is no size of a picture",
            ),
            (
                HEADER.replace("120", "4294967295"),
                sound.clone(),
                "picture.frame is no frame of a clip",
            ),
            (
                HEADER.replace("4000000", "9000000000000000000"),
                sound.clone(),
                "picture.pts_us is thirty years away",
            ),
            (
                HEADER.to_owned(),
                long,
                "picture is longer than a key picture may be",
            ),
            (HEADER.to_owned(), Vec::new(), "picture is not a JPEG"),
            (
                HEADER.to_owned(),
                b"<svg/>".to_vec(),
                "picture is not a JPEG",
            ),
            (
                HEADER.to_owned(),
                vec![0xff, 0xd8, 0xff, 0xe0],
                "picture is not a JPEG",
            ),
            (
                HEADER.to_owned(),
                jpeg(640, 352),
                "picture.size is not the size of the JPEG",
            ),
        ] {
            let content = decode(TOPIC, message(&header, &jpeg), 0).content;
            let Content::Refused(refused) = content else {
                panic!("taken: {header}")
            };
            assert_eq!(
                (
                    refused.reason,
                    refused.detail.as_str(),
                    refused.named.is_some()
                ),
                (RefusalReason::OutOfRange, detail, true)
            );
        }
        let wild = HEADER.replace("[640,360]", "[-1,360]");
        let content = decode(TOPIC, message(&wild, &sound), 0).content;
        assert!(
            matches!(&content, Content::Refused(refused) if refused.reason == RefusalReason::Malformed && refused.named.is_some()),
            "{content:?}"
        );
    }
}
