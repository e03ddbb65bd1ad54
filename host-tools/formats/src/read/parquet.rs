//! Parquet: the tables of CSV with types, as an export writes them, row by row. Columns are flat, compressed by Snappy or not at all.
//!
//! The library believes what a file says of itself: it makes room for a page of two gigabytes, or for a dictionary of as many words, because
//! twenty bytes claim one. So whatever is claimed is compared with what is there before the library sees it, and pages are decompressed here.

use super::guard::length_of;
use super::{MAX_FILE_BYTES, MAX_PLACES, MAX_WORD_BYTES, ReadError};
use crate::parquet::{Holds, TABLES};
use ::csv::StringRecord;
use ::parquet::basic::{Compression, Encoding, LogicalType, TimeUnit, Type as Physical};
use ::parquet::column::page::{Page, PageMetadata, PageReader};
use ::parquet::column::reader::{ColumnReader, get_column_reader};
use ::parquet::data_type::ByteArray;
use ::parquet::errors::{ParquetError, Result as Decoded};
use ::parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaDataReader};
use ::parquet::file::serialized_reader::SerializedPageReader;
use ::parquet::schema::types::ColumnDescriptor;
use serde::de::DeserializeOwned;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::panic::AssertUnwindSafe;
use std::path::Path;
use std::sync::Arc;

/// Longest description of a file: that of a table of ours has 3 kB a group of 65,536 rows.
const MAX_FOOTER_BYTES: u64 = 16 << 20;
/// Largest page: writers aim at one megabyte.
const MAX_PAGE_BYTES: usize = 8 << 20;
/// Most bytes of a column in one group of rows.
const MAX_CHUNK_BYTES: i64 = 256 << 20;
/// Rows that are held at a time.
const BATCH: usize = 1024;
/// Magic at both ends.
const MAGIC: &[u8; 4] = b"PAR1";

/// Calls with each row and its number, from 1.
pub(super) fn rows<T: DeserializeOwned>(
    path: &Path,
    table: &str,
    mut take: impl FnMut(T, u64) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let broken = |trouble: ParquetError| ReadError::broken(path, None, words(trouble));
    let file = open(path)?;
    let metadata =
        tried(|| ParquetMetaDataReader::new().parse_and_finish(&file)).map_err(broken)?;
    let length = length_of(&file, path)?;
    let file = Arc::new(file);
    let columns = metadata.file_metadata().schema_descr().columns();
    let known = TABLES.iter().find(|(name, _)| *name == table);
    let known = known.map_or(&[][..], |(_, columns)| columns);
    // What others add of their own is passed over.
    let mut wanted = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let is_flat = column.path().parts().len() == 1;
        if let Some((_, holds, _)) = known
            .iter()
            .find(|(name, ..)| is_flat && *name == column.name())
        {
            check_type(column, *holds).map_err(broken)?;
            wanted.push((at, *holds));
        }
    }
    let header = wanted.iter().map(|(at, holds)| match holds {
        Holds::Moment => format!("{}_us", columns[*at].name()),
        _ => columns[*at].name().to_owned(),
    });
    let header: StringRecord = header.collect();
    let (mut number, mut text) = (0_u64, 0_u64);
    let mut row = StringRecord::new();
    for group in metadata.row_groups() {
        let count = usize::try_from(group.num_rows()).unwrap_or(usize::MAX);
        if count > MAX_PLACES - (number as usize).min(MAX_PLACES) {
            let trouble = format!("more than {MAX_PLACES} rows: divide the set");
            return Err(ReadError::broken(path, None, trouble));
        }
        let mut chunks = wanted
            .iter()
            .map(|(at, holds)| {
                let chunk = group.columns().get(*at).ok_or_else(|| {
                    general(format!("a group has no column {}", columns[*at].name()))
                })?;
                Column::open(&file, length, chunk, count, *holds)
            })
            .collect::<Decoded<Vec<_>>>()
            .map_err(broken)?;
        let mut left = count;
        while left > 0 {
            let some = left.min(BATCH);
            for column in &mut chunks {
                tried(|| column.fill(some)).map_err(broken)?;
            }
            for at in 0..some {
                number += 1;
                row.clear();
                for column in &mut chunks {
                    column
                        .put(at, &mut row)
                        .map_err(|error| ReadError::broken(path, number, words(error)))?;
                }
                let bytes = row.as_slice().len() as u64;
                text += bytes;
                if bytes > MAX_WORD_BYTES || text > MAX_FILE_BYTES {
                    let trouble = format!(
                        "a row of more than {MAX_WORD_BYTES} bytes, or a table of more than {MAX_FILE_BYTES} when it is unpacked"
                    );
                    return Err(ReadError::broken(path, number, trouble));
                }
                let read = row.deserialize(Some(&header)).map_err(|error| {
                    let said = match error.kind() {
                        ::csv::ErrorKind::Deserialize { err, .. } => err.to_string(),
                        _ => error.to_string(),
                    };
                    ReadError::broken(path, number, said)
                })?;
                take(read, number)?;
            }
            left -= some;
        }
    }
    Ok(())
}

/// Does what the library does of damaged values in some places, which is to panic, as an error.
fn tried<T>(what: impl FnOnce() -> Decoded<T>) -> Decoded<T> {
    std::panic::catch_unwind(AssertUnwindSafe(what))
        .unwrap_or_else(|_| Err(general("its pages contradict each other: it is damaged")))
}

/// Opens a file whose two ends are those of Parquet, and whose description is no longer than it can be.
fn open(path: &Path) -> Result<File, ReadError> {
    let unreadable = |source| ReadError::File {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let length = length_of(&file, path)?;
    let (mut head, mut tail) = ([0; 4], [0; 8]);
    if length >= 12 {
        file.read_exact(&mut head).map_err(unreadable)?;
        file.seek(SeekFrom::End(-8)).map_err(unreadable)?;
        file.read_exact(&mut tail).map_err(unreadable)?;
    }
    let [a, b, c, d, end @ ..] = tail;
    if head != *MAGIC || end != *MAGIC {
        return Err(ReadError::broken(path, None, "this is no Parquet file"));
    }
    let footer = u64::from(u32::from_le_bytes([a, b, c, d]));
    if footer > length - 12 || footer > MAX_FOOTER_BYTES {
        let trouble = format!(
            "its description claims {footer} bytes: a file of {length} has no room for it, or it is longer than the {MAX_FOOTER_BYTES} that are read"
        );
        return Err(ReadError::broken(path, None, trouble));
    }
    Ok(file)
}

fn general(trouble: impl Into<String>) -> ParquetError {
    ParquetError::General(trouble.into())
}

/// Without the name of the library's error.
fn words(error: ParquetError) -> String {
    match error {
        ParquetError::General(said) | ParquetError::EOF(said) => said,
        other => other.to_string(),
    }
}

fn check_type(column: &ColumnDescriptor, holds: Holds) -> Decoded<()> {
    let (physical, said) = match holds {
        Holds::Text => (Physical::BYTE_ARRAY, "text"),
        Holds::Number => (Physical::INT64, "64-bit whole numbers"),
        Holds::Share => (Physical::DOUBLE, "doubles"),
        Holds::Flag => (Physical::BOOLEAN, "booleans"),
        Holds::Moment => (Physical::INT64, "timestamps of microseconds"),
    };
    let is_moment = matches!(
        column.logical_type_ref(),
        Some(LogicalType::Timestamp(stamp)) if stamp.unit == TimeUnit::MICROS
    );
    let is_flat = column.max_rep_level() == 0 && column.max_def_level() <= 1;
    if column.physical_type() == physical && is_flat && is_moment == (holds == Holds::Moment) {
        Ok(())
    } else {
        Err(general(format!(
            "column {} holds {:?}, and {said} are expected: write it so, or import the table as csv",
            column.name(),
            column.physical_type()
        )))
    }
}

/// A column of a group of rows, some rows at a time.
struct Column {
    name: String,
    reader: ColumnReader,
    words: Words,
    /// Whether each row has a value, where it need not: 1 or 0.
    levels: Vec<i16>,
    is_optional: bool,
    /// Values given out of those that are held.
    given: usize,
}

enum Words {
    Texts(Vec<ByteArray>),
    Numbers(Vec<i64>),
    Shares(Vec<f64>),
    Flags(Vec<bool>),
}

impl Column {
    fn open(
        file: &Arc<File>,
        length: u64,
        chunk: &ColumnChunkMetaData,
        rows: usize,
        holds: Holds,
    ) -> Decoded<Self> {
        let description = chunk.column_descr_ptr();
        let name = description.name().to_owned();
        let is_snappy = match chunk.compression() {
            Compression::SNAPPY => true,
            Compression::UNCOMPRESSED => false,
            other => {
                return Err(general(format!(
                    "column {name} is compressed by {other}: write it with Snappy or without compression"
                )));
            }
        };
        let start = chunk
            .dictionary_page_offset()
            .unwrap_or(chunk.data_page_offset());
        let bytes = chunk.compressed_size();
        let is_there = |start: i64| {
            let end = u64::try_from(start).ok()?.checked_add(bytes as u64)?;
            (end <= length).then_some(())
        };
        if !(0..=MAX_CHUNK_BYTES).contains(&bytes) || is_there(start).is_none() {
            return Err(general(format!(
                "column {name} claims {bytes} bytes from {start} on: they are not there, or more than {MAX_CHUNK_BYTES} of one group of rows"
            )));
        }
        // The library leaves what it holds to be uncompressed as it is.
        let as_it_is = chunk
            .clone()
            .into_builder()
            .set_compression(Compression::UNCOMPRESSED)
            .build()?;
        let pages = Pages {
            source: SerializedPageReader::new(Arc::clone(file), &as_it_is, rows, None)?,
            snappy: is_snappy.then(snap::raw::Decoder::new),
            rows,
        };
        Ok(Self {
            name,
            is_optional: description.max_def_level() > 0,
            reader: get_column_reader(description, Box::new(pages)),
            words: match holds {
                Holds::Text => Words::Texts(Vec::new()),
                Holds::Number | Holds::Moment => Words::Numbers(Vec::new()),
                Holds::Share => Words::Shares(Vec::new()),
                Holds::Flag => Words::Flags(Vec::new()),
            },
            levels: Vec::new(),
            given: 0,
        })
    }

    /// Holds the next rows instead of those before.
    fn fill(&mut self, rows: usize) -> Decoded<()> {
        self.levels.clear();
        self.given = 0;
        let levels = Some(&mut self.levels);
        let (read, ..) = match (&mut self.reader, &mut self.words) {
            (ColumnReader::ByteArrayColumnReader(reader), Words::Texts(values)) => {
                values.clear();
                reader.read_records(rows, levels, None, values)
            }
            (ColumnReader::Int64ColumnReader(reader), Words::Numbers(values)) => {
                values.clear();
                reader.read_records(rows, levels, None, values)
            }
            (ColumnReader::DoubleColumnReader(reader), Words::Shares(values)) => {
                values.clear();
                reader.read_records(rows, levels, None, values)
            }
            (ColumnReader::BoolColumnReader(reader), Words::Flags(values)) => {
                values.clear();
                reader.read_records(rows, levels, None, values)
            }
            _ => Err(general(format!("column {} has another type", self.name))),
        }?;
        if read == rows {
            Ok(())
        } else {
            Err(general(format!(
                "column {} has fewer rows than its group",
                self.name
            )))
        }
    }

    /// Puts the word of this row behind those of the columns before, as CSV has it.
    fn put(&mut self, at: usize, row: &mut StringRecord) -> Decoded<()> {
        if self.is_optional && self.levels.get(at) != Some(&1) {
            row.push_field("");
            return Ok(());
        }
        let at = self.given;
        self.given += 1;
        let missing = || general(format!("column {} has too few values", self.name));
        match &self.words {
            Words::Texts(values) => {
                let text = values.get(at).ok_or_else(missing)?.as_utf8();
                row.push_field(
                    text.map_err(|_| general(format!("{} is not UTF-8 text", self.name)))?,
                );
            }
            Words::Numbers(values) => {
                row.push_field(&values.get(at).ok_or_else(missing)?.to_string());
            }
            Words::Shares(values) => {
                row.push_field(&values.get(at).ok_or_else(missing)?.to_string());
            }
            Words::Flags(values) => {
                row.push_field(&values.get(at).ok_or_else(missing)?.to_string());
            }
        }
        Ok(())
    }
}

/// The pages of a column, each looked at before it is decoded.
struct Pages {
    source: SerializedPageReader<File>,
    snappy: Option<snap::raw::Decoder>,
    rows: usize,
}

impl Pages {
    /// What follows the first bytes, decompressed behind them.
    fn unpacked(&mut self, packed: &[u8], plain: usize) -> Decoded<Vec<u8>> {
        let (plain, packed) = packed
            .split_at_checked(plain)
            .ok_or_else(|| general("a page is shorter than its levels"))?;
        let mut all = plain.to_vec();
        if let (Some(snappy), false) = (&mut self.snappy, packed.is_empty()) {
            let outside = |error| ParquetError::External(Box::new(error));
            let length = snap::raw::decompress_len(packed).map_err(outside)?;
            if length > MAX_PAGE_BYTES {
                return Err(too_long(length));
            }
            all.extend(snappy.decompress_vec(packed).map_err(outside)?);
        } else {
            all.extend_from_slice(packed);
        }
        if all.len() > MAX_PAGE_BYTES {
            return Err(too_long(all.len()));
        }
        Ok(all)
    }

    fn looked_at(&mut self, mut page: Page) -> Decoded<Page> {
        match &mut page {
            Page::DataPage { buf, .. } => *buf = self.unpacked(buf, 0)?.into(),
            Page::DataPageV2 {
                buf,
                def_levels_byte_len,
                rep_levels_byte_len,
                is_compressed,
                ..
            } => {
                let levels = def_levels_byte_len.saturating_add(*rep_levels_byte_len) as usize;
                let plain = if *is_compressed { levels } else { buf.len() };
                *buf = self.unpacked(buf, plain)?.into();
                *is_compressed = false;
            }
            Page::DictionaryPage {
                buf, num_values, ..
            } => {
                *buf = self.unpacked(buf, 0)?.into();
                // A word has four bytes at least, which tell its length; nothing that is shorter comes in dictionaries.
                if *num_values as usize > buf.len() / 4 {
                    return Err(general(format!(
                        "a dictionary of {} bytes claims {num_values} words",
                        buf.len()
                    )));
                }
            }
        }
        if !page.is_dictionary_page() && page.num_values() as usize > self.rows {
            return Err(general(format!(
                "a page claims {} values, and its group has {} rows",
                page.num_values(),
                self.rows
            )));
        }
        // Others make room for as many values as they claim.
        let is_known = matches!(
            page.encoding(),
            Encoding::PLAIN | Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY | Encoding::RLE
        );
        if is_known {
            Ok(page)
        } else {
            Err(general(format!(
                "values are encoded as {}: write them plain or with a dictionary",
                page.encoding()
            )))
        }
    }
}

fn too_long(length: usize) -> ParquetError {
    general(format!(
        "a page of {length} bytes, and {MAX_PAGE_BYTES} are read: write it with pages of a megabyte"
    ))
}

impl Iterator for Pages {
    type Item = Decoded<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Pages {
    fn get_next_page(&mut self) -> Decoded<Option<Page>> {
        match self.source.get_next_page()? {
            Some(page) => self.looked_at(page).map(Some),
            None => Ok(None),
        }
    }

    fn peek_next_page(&mut self) -> Decoded<Option<PageMetadata>> {
        self.source.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Decoded<()> {
        self.source.skip_next_page()
    }
}
