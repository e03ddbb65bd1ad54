//! Who is in which clip: a list that a team keeps, since no rig knows.

use anyhow::{Context, Result, bail};
use std::collections::BTreeMap;
use std::path::Path;

/// The people of each clip, from lines `clip,person`.
pub(super) fn read(file: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let shown = file.display();
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_path(file)
        .with_context(|| format!("cannot read {shown}"))?;
    let mut people: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in reader.records() {
        let record = record.with_context(|| format!("cannot read {shown}"))?;
        let line = record.position().map_or(0, csv::Position::line);
        let words: Vec<_> = record.iter().collect();
        match words[..] {
            ["clip", "person"] if line == 1 => {}
            [clip, person] if !clip.is_empty() && !person.is_empty() => {
                people
                    .entry(clip.to_owned())
                    .or_default()
                    .push(person.to_owned());
            }
            _ => bail!("{shown}, line {line}: write `clip,person`, such as `rig-07:3145729:2,ann`"),
        }
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_by_clip_and_a_bad_line_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("people.csv");
        std::fs::write(
            &file,
            "clip,person\nr:1:1,\"Ann, the elder\"\nr:1:1,Bob\nr:1:2,Bob\n",
        )
        .unwrap();
        let people = read(&file).unwrap();
        assert_eq!(people["r:1:1"], ["Ann, the elder", "Bob"]);
        assert_eq!(people["r:1:2"], ["Bob"]);
        std::fs::write(&file, "r:1:1,Ann\nr:1:2\n").unwrap();
        let error = read(&file).unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
