//! A folder that appears whole or not at all, and is gone on with where it was broken off.
//!
//! Files are written into `<name>.unfinished/files` beside the final place. Every few seconds everything is synced, and a
//! note of how far it came is put beside them, in `work`; an interrupted run cuts its files back to the last note and goes
//! on. At the end the folder gets its name and place. Nothing here depends on the time at which it runs, so that equal
//! labels give equal bytes.

use crate::error::FormatError;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How much work an interruption may cost.
const NOTE_EVERY: Duration = Duration::from_secs(5);
/// What becomes the folder.
const FILES: &str = "files/";
/// What goes away at the end.
const WORK: &str = "work/";
const NOTE: &str = "work/note.json";

/// How far an export came.
#[derive(Debug, Deserialize, Serialize)]
struct Note<T> {
    /// What is exported, in the words of the one who does.
    selection: String,
    /// Clips that are written.
    clips: u64,
    /// SHA-256 of what these clips hold.
    digest: String,
    /// Lengths of the files that more is appended to.
    lengths: BTreeMap<String, u64>,
    /// What the format counts.
    tally: T,
}

/// What an earlier run left.
pub(crate) struct Earlier<T> {
    /// How many clips it had written.
    pub(crate) clips: u64,
    /// Their digest.
    pub(crate) digest: String,
    /// What the format had counted.
    pub(crate) tally: T,
}

/// A file that grows.
#[derive(Debug)]
struct Growing {
    file: BufWriter<File>,
    length: u64,
}

/// Where an array is written, and what stands before its first element.
#[derive(Clone, Copy)]
pub(crate) enum Array<'a> {
    /// In a file.
    File(&'a str, &'a str),
    /// In a part that a file will absorb.
    Part(&'a str, &'a str),
}

/// The folder while it is being written.
#[derive(Debug)]
pub struct Output {
    place: PathBuf,
    folder: PathBuf,
    growing: BTreeMap<String, Growing>,
    noted: Instant,
}

impl Output {
    /// Where the files of this place wait until they are whole.
    pub fn waiting(place: &Path) -> PathBuf {
        let mut name = OsString::from(place);
        name.push(".unfinished");
        PathBuf::from(name)
    }

    /// Begins a folder, or goes on with what an earlier run left.
    pub(crate) fn open<T: for<'a> Deserialize<'a>>(
        place: &Path,
        selection: &str,
    ) -> Result<(Self, Option<Earlier<T>>), FormatError> {
        if place.symlink_metadata().is_ok() {
            return Err(FormatError::Exists(place.to_owned()));
        }
        let folder = Self::waiting(place);
        let mut output = Self {
            place: place.to_owned(),
            folder: folder.clone(),
            growing: BTreeMap::new(),
            noted: Instant::now(),
        };
        let note = match fs::read(folder.join(NOTE)) {
            Ok(text) => Some(serde_json::from_slice::<Note<serde_json::Value>>(&text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(FormatError::file("read", folder.join(NOTE))(error)),
        };
        match note {
            Some(Ok(note)) if note.selection == selection && note.clips == 0 => Ok((output, None)),
            // A note that cannot be read is of another version: it is not ours to go on with.
            Some(Ok(note)) if note.selection == selection => {
                for (path, length) in note.lengths {
                    output.open_growing(&path, Some(length))?;
                }
                match serde_json::from_value(note.tally) {
                    Ok(tally) => {
                        let earlier = Earlier {
                            clips: note.clips,
                            digest: note.digest,
                            tally,
                        };
                        Ok((output, Some(earlier)))
                    }
                    Err(_) => Err(FormatError::OtherSelection(folder)),
                }
            }
            Some(_) => Err(FormatError::OtherSelection(folder)),
            None => {
                // Without a note nothing that counts is there; but what others put there is not ours to delete.
                if fs::read_dir(&folder).is_ok_and(|mut inside| inside.next().is_some()) {
                    return Err(FormatError::OtherSelection(folder));
                }
                for inside in [FILES, WORK] {
                    let inside = folder.join(inside);
                    fs::create_dir_all(&inside).map_err(FormatError::file("create", inside))?;
                }
                output.write_note(selection, (0, String::new()), &serde_json::Value::Null)?;
                Ok((output, None))
            }
        }
    }

    /// Opens a file that grows: from this length on, or anew, whatever an interrupted run left there.
    fn open_growing(&mut self, path: &str, length: Option<u64>) -> Result<(), FormatError> {
        let whole = self.make_way(path)?;
        let mut options = OpenOptions::new();
        let options = match length {
            Some(_) => options.append(true),
            None => options.write(true).create(true).truncate(true),
        };
        let file = options
            .open(&whole)
            .map_err(FormatError::file("open", &whole))?;
        if let Some(length) = length {
            let there = file
                .metadata()
                .map_err(FormatError::file("read", &whole))?
                .len();
            if there < length {
                return Err(self.changed());
            }
            file.set_len(length)
                .map_err(FormatError::file("shorten", &whole))?;
        }
        let growing = Growing {
            file: BufWriter::with_capacity(1 << 16, file),
            length: length.unwrap_or(0),
        };
        self.growing.insert(path.to_owned(), growing);
        Ok(())
    }

    pub(crate) fn changed(&self) -> FormatError {
        FormatError::Changed(self.folder.clone())
    }

    fn make_way(&self, path: &str) -> Result<PathBuf, FormatError> {
        let whole = self.folder.join(path);
        if let Some(parent) = whole.parent() {
            fs::create_dir_all(parent).map_err(FormatError::file("create", parent))?;
        }
        Ok(whole)
    }

    /// Whether nothing was appended to this file yet.
    pub(crate) fn is_new(&self, path: &str) -> bool {
        !self.growing.contains_key(&format!("{FILES}{path}"))
    }

    /// Appends to a file that grows from clip to clip.
    pub(crate) fn append(&mut self, path: &str, bytes: &[u8]) -> Result<(), FormatError> {
        self.grow(&format!("{FILES}{path}"), bytes)
    }

    /// Appends to a part, which does not become a file of the folder.
    pub(crate) fn append_part(&mut self, part: &str, bytes: &[u8]) -> Result<(), FormatError> {
        self.grow(&format!("{WORK}{part}"), bytes)
    }

    /// Appends an element of a JSON array.
    pub(crate) fn element<T: Serialize>(
        &mut self,
        place: Array<'_>,
        element: &T,
    ) -> Result<(), FormatError> {
        let (path, opening) = match place {
            Array::File(path, opening) => (format!("{FILES}{path}"), opening),
            Array::Part(part, opening) => (format!("{WORK}{part}"), opening),
        };
        let opening = if self.growing.contains_key(&path) {
            ",\n"
        } else {
            opening
        };
        let mut text = opening.as_bytes().to_vec();
        serde_json::to_writer(&mut text, element).expect("text and numbers always encode");
        self.grow(&path, &text)
    }

    fn grow(&mut self, path: &str, bytes: &[u8]) -> Result<(), FormatError> {
        if !self.growing.contains_key(path) {
            self.open_growing(path, None)?;
        }
        let whole = self.folder.join(path);
        let growing = self.growing.get_mut(path).expect("it is opened above");
        growing
            .file
            .write_all(bytes)
            .map_err(FormatError::file("write", whole))?;
        growing.length += bytes.len() as u64;
        Ok(())
    }

    /// Writes a file at once.
    pub(crate) fn whole(&mut self, path: &str, bytes: &[u8]) -> Result<(), FormatError> {
        let whole = self.make_way(&format!("{FILES}{path}"))?;
        fs::write(&whole, bytes).map_err(FormatError::file("write", whole))
    }

    /// Writes a file piece by piece.
    pub(crate) fn streamed(
        &mut self,
        path: &str,
        write: impl FnOnce(&mut dyn Write) -> std::io::Result<()>,
    ) -> Result<(), FormatError> {
        let whole = self.make_way(&format!("{FILES}{path}"))?;
        let file = File::create(&whole).map_err(FormatError::file("create", &whole))?;
        let mut file = BufWriter::with_capacity(1 << 16, file);
        write(&mut file)
            .and_then(|()| file.flush())
            .map_err(FormatError::file("write", whole))
    }

    /// A part from its beginning, with its path; none where nothing was appended to it.
    pub(crate) fn part(&mut self, part: &str) -> Result<Option<(File, PathBuf)>, FormatError> {
        let part = format!("{WORK}{part}");
        let Some(growing) = self.growing.get_mut(&part) else {
            return Ok(None);
        };
        let whole = self.folder.join(&part);
        growing
            .file
            .flush()
            .map_err(FormatError::file("write", &whole))?;
        let part = File::open(&whole).map_err(FormatError::file("read", &whole))?;
        Ok(Some((part, whole)))
    }

    /// Appends a part to a file. The part stays until the end: who is interrupted here goes on from the last note.
    pub(crate) fn absorb(&mut self, into: &str, part: &str) -> Result<(), FormatError> {
        let Some((mut part, whole)) = self.part(part)? else {
            return Ok(());
        };
        let mut piece = vec![0; 1 << 16];
        loop {
            let read = part
                .read(&mut piece)
                .map_err(FormatError::file("read", &whole))?;
            if read == 0 {
                return Ok(());
            }
            self.append(into, &piece[..read])?;
        }
    }

    /// Notes how far it came, if the last note is old enough.
    pub(crate) fn note<T: Serialize>(
        &mut self,
        (selection, clips, digest): (&str, u64, &Sha256),
        tally: &T,
    ) -> Result<(), FormatError> {
        if self.noted.elapsed() < NOTE_EVERY {
            return Ok(());
        }
        self.note_now((selection, clips, digest), tally)
    }

    /// Notes how far it came, however old the last note is.
    pub(crate) fn note_now<T: Serialize>(
        &mut self,
        (selection, clips, digest): (&str, u64, &Sha256),
        tally: &T,
    ) -> Result<(), FormatError> {
        let digest = hex(&digest.clone().finalize());
        self.write_note(selection, (clips, digest), tally)
    }

    /// Has a file or a folder written elsewhere and puts it in its place when it is whole, unless it is there.
    pub(crate) fn appear<E: From<FormatError>>(
        &mut self,
        path: &str,
        write: impl FnOnce(&Path) -> Result<(), E>,
    ) -> Result<(), E> {
        let place = self.make_way(&format!("{FILES}{path}"))?;
        if place.symlink_metadata().is_ok() {
            return Ok(());
        }
        let waiting = self.folder.join(WORK).join("appearing");
        remove(&waiting).map_err(FormatError::file("delete", &waiting))?;
        write(&waiting)?;
        self.sync()?;
        fs::rename(&waiting, &place).map_err(FormatError::file("put in place", place))?;
        Ok(())
    }

    fn write_note<T: Serialize>(
        &mut self,
        selection: &str,
        (clips, digest): (u64, String),
        tally: &T,
    ) -> Result<(), FormatError> {
        self.sync()?;
        let lengths = self
            .growing
            .iter()
            .map(|(path, file)| (path.clone(), file.length));
        let note = Note {
            selection: selection.to_owned(),
            clips,
            digest,
            lengths: lengths.collect(),
            tally,
        };
        let text = serde_json::to_vec(&note).expect("text and numbers always encode");
        let (new, place) = (self.folder.join("work/note.new"), self.folder.join(NOTE));
        fs::write(&new, text).map_err(FormatError::file("write", &new))?;
        self.sync()?;
        fs::rename(&new, &place).map_err(FormatError::file("put in place", place))?;
        self.noted = Instant::now();
        Ok(())
    }

    /// Makes what was written survive a power cut: one call for however many small files there are.
    fn sync(&mut self) -> Result<(), FormatError> {
        for (path, growing) in &mut self.growing {
            growing
                .file
                .flush()
                .map_err(FormatError::file("write", self.folder.join(path)))?;
        }
        let folder = File::open(&self.folder).map_err(FormatError::file("open", &self.folder))?;
        nix::unistd::syncfs(&folder)
            .map_err(|errno| FormatError::file("sync", &self.folder)(errno.into()))
    }

    /// Has the next call of [`Output::note`] note.
    #[cfg(test)]
    pub(crate) fn forget_noting(&mut self) {
        self.noted -= NOTE_EVERY;
    }

    /// Lists every file with its length and digest, in order of their paths.
    pub(crate) fn list(
        &mut self,
        each: &mut dyn FnMut(&mut Self, &Listed) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        for (path, growing) in &mut self.growing {
            growing
                .file
                .flush()
                .map_err(FormatError::file("write", self.folder.join(path)))?;
        }
        self.list_folder("", each)
    }

    fn list_folder(
        &mut self,
        under: &str,
        each: &mut dyn FnMut(&mut Self, &Listed) -> Result<(), FormatError>,
    ) -> Result<(), FormatError> {
        let folder = self.folder.join(FILES).join(under);
        let read = |error| FormatError::file("read", &folder)(error);
        let mut names = Vec::new();
        for entry in fs::read_dir(&folder).map_err(read)? {
            let entry = entry.map_err(|error| FormatError::file("read", &folder)(error))?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            names.push((entry.file_name().to_string_lossy().into_owned(), is_folder));
        }
        names.sort();
        for (name, is_folder) in names {
            let path = format!("{under}{name}");
            if is_folder {
                self.list_folder(&format!("{path}/"), each)?;
            } else {
                let whole = self.folder.join(FILES).join(&path);
                let listed = digest_of(&whole, path).map_err(FormatError::file("read", whole))?;
                each(self, &listed)?;
            }
        }
        Ok(())
    }

    /// Gives the folder its name.
    pub(crate) fn finish(mut self) -> Result<(), FormatError> {
        self.sync()?;
        self.growing.clear();
        if self.place.symlink_metadata().is_ok() {
            return Err(FormatError::Exists(self.place));
        }
        fs::rename(self.folder.join(FILES), &self.place)
            .map_err(FormatError::file("put in place", &self.place))?;
        let parent = match self.place.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
            _ => PathBuf::from("."),
        };
        File::open(&parent)
            .and_then(|folder| folder.sync_all())
            .map_err(FormatError::file("sync", parent))?;
        Self::discard(&self.place)
    }

    /// Deletes what an unfinished export of this place has written.
    pub fn discard(place: &Path) -> Result<(), FormatError> {
        let folder = Self::waiting(place);
        fs::remove_dir_all(&folder).map_err(FormatError::file("delete", folder))
    }
}

/// Deletes a file or a folder, if it is there.
fn remove(path: &Path) -> std::io::Result<()> {
    match path.symlink_metadata() {
        Ok(there) if there.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// A file of the export.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    pub(crate) path: String,
    bytes: u64,
    sha256: String,
}

fn digest_of(whole: &Path, path: String) -> std::io::Result<Listed> {
    let mut file = File::open(whole)?;
    let mut digest = Sha256::new();
    let mut piece = vec![0; 1 << 16];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut piece)?;
        if read == 0 {
            break;
        }
        digest.update(&piece[..read]);
        bytes += read as u64;
    }
    Ok(Listed {
        path,
        bytes,
        sha256: hex(&digest.finalize()),
    })
}

pub(crate) fn hex(digest: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in digest {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
