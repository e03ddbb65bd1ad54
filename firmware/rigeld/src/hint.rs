//! What to do about an error, where we know.

use capture::CaptureError;
use perception::ModelError;

/// What to do about an error, where we know.
pub fn hint(error: &anyhow::Error) -> Option<&'static str> {
    if let Some(error) = error.downcast_ref::<ModelError>() {
        return Some(match error {
            ModelError::Read { .. }
            | ModelError::Digest { .. }
            | ModelError::UnknownRuntime { .. } => {
                "fetch models and runtime with `cargo xtask setup`, or correct the paths under [perception] of the board file"
            }
            ModelError::Library { .. } => {
                "the library is for another processor or needs a newer C library than this system has"
            }
            _ => return None,
        });
    }
    match error.downcast_ref::<CaptureError>()? {
        CaptureError::Open { source, .. } => Some(match source.kind() {
            std::io::ErrorKind::NotFound => "check the path: nothing has this name",
            std::io::ErrorKind::NotADirectory => {
                "--stills wants a folder; leave it out for a clip or one picture"
            }
            _ => "check that you may read it",
        }),
        CaptureError::Empty { .. } => {
            Some("copy or record the file again: nothing was written into it")
        }
        CaptureError::NoPictures { .. } => {
            Some("name the folder that holds the pictures; folders within it are not searched")
        }
        CaptureError::Picture { .. } => {
            Some("check that the file was copied whole and that its name's ending is right")
        }
        CaptureError::NotAContainer { .. } => {
            Some("name the video file itself, such as an mp4, mov, mkv, webm, avi or ts")
        }
        CaptureError::Ffmpeg { .. } => {
            Some("install ffmpeg (apt-get install ffmpeg), or fetch it with `cargo xtask setup`")
        }
        CaptureError::NotAVideo { .. } => Some(
            "check that the file was copied whole; a recording that was cut off before its index was written cannot be decoded",
        ),
        CaptureError::Folder { .. } => Some("rigeld label --stills FOLDER --out FILE.jsonl"),
        _ => None,
    }
}
