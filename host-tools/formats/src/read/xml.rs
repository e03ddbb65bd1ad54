//! Elements of an XML file, one after the other. There is no document type and no entity but the five that XML has.

use super::guard::{Guard, Text};
use super::{MAX_DEPTH, ReadError};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use std::collections::BTreeMap;
use std::path::Path;

/// What stands in the file.
#[derive(Debug)]
pub(super) enum Node<'a> {
    Start(&'a str, &'a BTreeMap<String, String>),
    /// The end of an element, with its text.
    End(&'a str, &'a str),
}

/// Calls with every beginning and end of an element, and the line.
pub(super) fn walk(
    path: &Path,
    mut take: impl FnMut(&Node<'_>, u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let guard = Guard::open(path, Text::Xml)?;
    let line = guard.line();
    let mut reader = Reader::from_reader(guard);
    let mut buffer = Vec::new();
    let (mut depth, mut text) = (0_u32, String::new());
    let mut is_empty = true;
    loop {
        buffer.clear();
        let broken = |trouble: String| ReadError::broken(path, line.get(), trouble);
        let event = reader.read_event_into(&mut buffer);
        match event.map_err(|error| broken(error.to_string()))? {
            Event::Start(element) => {
                depth += 1;
                is_empty = false;
                if depth > MAX_DEPTH {
                    return Err(broken(format!("it nests deeper than {MAX_DEPTH}")));
                }
                text.clear();
                let (name, attributes) = parts(&element).map_err(broken)?;
                take(&Node::Start(&name, &attributes), line.get())?;
            }
            Event::Empty(element) => {
                is_empty = false;
                let (name, attributes) = parts(&element).map_err(broken)?;
                take(&Node::Start(&name, &attributes), line.get())?;
                take(&Node::End(&name, ""), line.get())?;
            }
            Event::End(element) => {
                depth = depth.saturating_sub(1);
                let name: String = element.name().as_ref().to_owned();
                take(&Node::End(&name, &text), line.get())?;
                text.clear();
            }
            Event::Text(piece) => text.push_str(&piece.xml10_content()),
            Event::CData(piece) => text.push_str(&piece.xml10_content()),
            Event::GeneralRef(reference) => {
                let letter = reference
                    .resolve_char_ref()
                    .map_err(|error| broken(error.to_string()))?;
                let name: String = reference.into_inner().into_owned();
                let known = || quick_xml::escape::resolve_predefined_entity(&name);
                match letter
                    .map(String::from)
                    .or_else(|| known().map(str::to_owned))
                {
                    Some(letter) => text.push_str(&letter),
                    None => {
                        return Err(broken(format!(
                            "entity &{name}; is none that XML has by itself"
                        )));
                    }
                }
            }
            Event::DocType(_) => {
                return Err(broken(
                    "it has a document type (<!DOCTYPE …>), in which entities could expand: take that line out".to_owned(),
                ));
            }
            Event::Eof if is_empty => return Err(broken("this is no XML".to_owned())),
            Event::Eof if depth > 0 => {
                return Err(broken("the file ends in the middle".to_owned()));
            }
            Event::Eof => return Ok(()),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
        }
        if text.len() as u64 > super::MAX_WORD_BYTES {
            return Err(broken(format!(
                "a text is longer than {} bytes",
                super::MAX_WORD_BYTES
            )));
        }
    }
}

fn parts(element: &BytesStart<'_>) -> Result<(String, BTreeMap<String, String>), String> {
    let mut attributes = BTreeMap::new();
    for attribute in element.attributes() {
        let attribute = attribute.map_err(|error| error.to_string())?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0);
        let value = value.map_err(|error| error.to_string())?.into_owned();
        attributes.insert(attribute.key.as_ref().to_owned(), value);
    }
    Ok((element.name().as_ref().to_owned(), attributes))
}
