//! The files of a set: those that lie in the folder, and no link.

use super::{MAX_FILES, ReadError};
use std::fs;
use std::path::{Path, PathBuf};

/// Deepest folder.
const MAX_FOLDERS: usize = 12;

/// Files with this extension in this folder or below it, in the order of their names; or the file itself.
pub(super) fn with_extension(place: &Path, extension: &str) -> Result<Vec<PathBuf>, ReadError> {
    let file = |path: &Path, source| ReadError::File {
        path: path.to_owned(),
        source,
    };
    let there = fs::metadata(place).map_err(|source| file(place, source))?;
    if there.is_file() {
        return Ok(vec![place.to_owned()]);
    }
    let mut found = Vec::new();
    let mut folders = vec![(place.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(|source| file(&folder, source))? {
            let entry = entry.map_err(|source| file(&folder, source))?;
            // Of the entry itself: what a link points to is not looked at.
            let kind = entry
                .file_type()
                .map_err(|source| file(&entry.path(), source))?;
            let path = entry.path();
            if kind.is_dir() && depth < MAX_FOLDERS {
                folders.push((path, depth + 1));
            } else if kind.is_file() && path.extension().is_some_and(|one| one == extension) {
                found.push(path);
            }
            if found.len() > MAX_FILES {
                return Err(ReadError::broken(
                    place,
                    None,
                    format!("it holds more than {MAX_FILES} files: divide the set"),
                ));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// The same, of which there is at least one.
pub(super) fn some_with_extension(
    place: &Path,
    extension: &str,
    what: &str,
) -> Result<Vec<PathBuf>, ReadError> {
    let found = with_extension(place, extension)?;
    if found.is_empty() {
        return Err(ReadError::broken(
            place,
            None,
            format!("there is no .{extension} file, and {what} is made of those"),
        ));
    }
    Ok(found)
}
