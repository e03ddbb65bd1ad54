//! Names of things as they stand in addresses.

use crate::error::ApiError;
use label_store::{ClipId, LabelKey, PictureId, parse_clip_id, parse_label_key, parse_picture_id};

/// The identity of a clip, from an address.
pub(crate) fn clip_id(text: &str) -> Result<ClipId, ApiError> {
    parse_clip_id(text).ok_or(ApiError::ClipId)
}

/// The identity of a label, from an address.
pub(crate) fn label_key(text: &str) -> Result<LabelKey, ApiError> {
    parse_label_key(text).ok_or(ApiError::LabelId)
}

/// The identity of a picture, from an address.
pub(crate) fn picture_id(text: &str) -> Result<PictureId, ApiError> {
    parse_picture_id(text).ok_or(ApiError::PictureId)
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_store::clip_id_text;

    #[test]
    fn a_clip_id_survives_an_address() {
        let id = clip_id("rig-07:3145729:2").unwrap();
        assert_eq!(clip_id_text(&id), "rig-07:3145729:2");
        for bad in [
            "",
            "rig",
            "rig:1",
            "rig:1:2:3",
            "rig:0:1",
            "a/b:1:1",
            "rig:1:-1",
        ] {
            assert!(matches!(clip_id(bad), Err(ApiError::ClipId)), "{bad}");
        }
    }

    #[test]
    fn a_seq_that_the_database_cannot_hold_names_no_label() {
        assert!(label_key("rig:1:9223372036854775807:0").is_ok());
        assert!(label_key("rig:1:9223372036854775808:0").is_err());
    }
}
