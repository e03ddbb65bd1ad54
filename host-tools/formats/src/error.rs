//! What can go wrong while files are written.

use std::path::PathBuf;

/// Why an export could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FormatError {
    /// A file could not be written, read or put in place.
    #[error("cannot {doing} {path}")]
    File {
        /// What was being done, as a verb.
        doing: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The result is there already.
    #[error("{0} is there already: name another folder with --out, or delete this one")]
    Exists(PathBuf),
    /// An unfinished export of something else lies where this one would be made.
    #[error(
        "{0} is an unfinished export of another selection: delete it, or name another folder with --out"
    )]
    OtherSelection(PathBuf),
    /// What an unfinished export has written is no longer what would be written.
    #[error("labels have changed since the export in {0} was broken off")]
    Changed(PathBuf),
    /// Shares of subsets that mean nothing.
    #[error("{0}")]
    Split(String),
}

impl FormatError {
    pub(crate) fn file(
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::File {
            doing,
            path,
            source,
        }
    }
}
