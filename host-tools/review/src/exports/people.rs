//! Who is in which clip: a list that a team keeps, since no rig knows.

use std::collections::BTreeMap;

/// The people of each clip, from lines `clip,person`; `called` is what the list is called where a line is wrong.
pub fn parse(text: &str, called: &str) -> Result<BTreeMap<String, Vec<String>>, String> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut people: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for record in reader.records() {
        let record = record.map_err(|error| format!("{called}: {error}"))?;
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
            _ => {
                return Err(format!(
                    "{called}, line {line}: write `clip,person`, such as `rig-07:3145729:2,ann`"
                ));
            }
        }
    }
    Ok(people)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_by_clip_and_a_bad_line_is_named() {
        let list = "clip,person\nr:1:1,\"Ann, the elder\"\nr:1:1,Bob\nr:1:2,Bob\n";
        let people = parse(list, "people.csv").unwrap();
        assert_eq!(people["r:1:1"], ["Ann, the elder", "Bob"]);
        assert_eq!(people["r:1:2"], ["Bob"]);
        let error = parse("r:1:1,Ann\nr:1:2\n", "people.csv").unwrap_err();
        assert!(error.contains("people.csv, line 2"), "{error}");
    }
}
