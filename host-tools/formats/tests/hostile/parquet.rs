//! Parquet of strangers: what a file claims of itself costs nothing before it is there.

use crate::common::{clips, read_with, write};
use crate::{peak_bytes, refused};
use formats::{Density, Format};
use parquet::basic::{Compression, Encoding};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::path::Path;
use std::sync::Arc;

const SCHEMA: &str = "message labels { required binary clip (UTF8); required binary kind (UTF8);
    required int64 start_frame; required int64 end_frame; }";

/// A table of labels whose clips have this name, as this writer would write it.
fn labels(schema: &str, properties: WriterPropertiesBuilder, name: &str, rows: usize) -> Vec<u8> {
    let schema = Arc::new(parse_message_type(schema).unwrap());
    let properties = properties
        .set_statistics_enabled(EnabledStatistics::None)
        .build();
    let mut file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties)).unwrap();
    let mut group = file.next_row_group().unwrap();
    let (name, kind) = (ByteArray::from(name), ByteArray::from("blink"));
    let mut texts = [name, kind].into_iter();
    while let Some(mut column) = group.next_column().unwrap() {
        match column.untyped() {
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                let text = texts.next().unwrap();
                for _ in 0..rows.div_ceil(1000) {
                    let some = vec![text.clone(); rows.min(1000)];
                    writer.write_batch(&some, None, None).unwrap();
                }
            }
            ColumnWriter::Int64ColumnWriter(writer) => {
                for _ in 0..rows.div_ceil(1000) {
                    let some = vec![1; rows.min(1000)];
                    writer.write_batch(&some, None, None).unwrap();
                }
            }
            _ => panic!("the schema has texts and whole numbers alone"),
        }
        column.close().unwrap();
    }
    group.close().unwrap();
    file.into_inner().unwrap()
}

fn snappy() -> WriterPropertiesBuilder {
    WriterProperties::builder().set_compression(Compression::SNAPPY)
}

fn refused_table(bytes: &[u8]) -> String {
    refused(Format::Parquet, "labels.parquet", bytes)
}

#[test]
fn what_is_cut_off_or_claims_a_description_that_is_not_there_is_refused() {
    let good = labels(SCHEMA, snappy(), "a", 3);
    let with_footer = |claimed: u32| {
        let mut bytes = good.clone();
        let at = bytes.len() - 8;
        bytes[at..at + 4].copy_from_slice(&claimed.to_le_bytes());
        bytes
    };
    for claimed in [u32::MAX, 1 << 31, good.len() as u32] {
        let error = refused_table(&with_footer(claimed));
        assert!(
            error.contains(&format!("claims {claimed} bytes")),
            "{error}"
        );
    }
    for end in [0, 4, 11, good.len() / 2, good.len() - 1] {
        let error = refused_table(&good[..end]);
        assert!(error.contains("no Parquet file"), "{error}");
    }
}

#[test]
fn a_page_that_unpacks_to_much_more_than_it_is_and_a_word_without_end_are_refused() {
    let before = peak_bytes();
    let long = "x".repeat(60 << 20);
    let plain = || snappy().set_dictionary_enabled(false);
    let bomb = labels(SCHEMA, plain(), &long, 1);
    assert!(bomb.len() < 4 << 20);
    drop(long);
    let written = peak_bytes();
    let error = refused_table(&bomb);
    assert!(error.contains("a page of 62914"), "{error}");
    let grown = peak_bytes() - written;
    assert!(grown < 8 << 20, "{grown} bytes beyond {}", written - before);
    // As a word of the dictionary, which many rows share.
    let error = refused_table(&labels(SCHEMA, snappy(), &"x".repeat(2 << 20), 20));
    assert!(
        error.contains("a row of more than 1048576 bytes"),
        "{error}"
    );
}

#[test]
fn more_rows_than_a_set_may_have_are_refused_before_they_are_read() {
    let many = labels(SCHEMA, snappy(), "a", 5_001_000);
    assert!(many.len() < 1 << 20);
    let before = peak_bytes();
    let error = refused_table(&many);
    assert!(error.contains("more than 5000000 rows"), "{error}");
    let grown = peak_bytes() - before;
    assert!(grown < 4 << 20, "{grown} bytes for nothing");
}

#[test]
fn another_type_encoding_or_nesting_is_told_with_the_column() {
    let other = SCHEMA.replace("required int64 end_frame", "required binary end_frame");
    let schema = other.replace("required binary kind (UTF8);", "");
    let error = refused_table(&labels(&schema, snappy(), "a", 1));
    assert!(error.contains("end_frame holds BYTE_ARRAY"), "{error}");
    let nested = SCHEMA.replace("required int64 end_frame", "repeated int64 end_frame");
    let error = refused(Format::Parquet, "labels.parquet", &{
        let schema = Arc::new(parse_message_type(&nested).unwrap());
        let properties = Arc::new(snappy().build());
        let file = SerializedFileWriter::new(Vec::new(), schema, properties).unwrap();
        file.into_inner().unwrap()
    });
    assert!(error.contains("end_frame holds INT64"), "{error}");
    let delta = snappy()
        .set_dictionary_enabled(false)
        .set_encoding(Encoding::DELTA_BINARY_PACKED);
    let delta = delta.set_column_encoding("clip".into(), Encoding::PLAIN);
    let delta = delta.set_column_encoding("kind".into(), Encoding::PLAIN);
    let error = refused_table(&labels(SCHEMA, delta, "a", 3));
    assert!(error.contains("DELTA_BINARY_PACKED"), "{error}");
}

/// Whatever a byte is changed to, the set is read or refused: nothing panics, and no claim costs memory.
#[test]
fn no_byte_of_a_table_can_be_changed_so_that_reading_it_ends_badly() {
    let folder = tempfile::tempdir().unwrap();
    let known = clips();
    let first = folder.path().join("first");
    let written = write(Format::Parquet, Density::Keyframes, &known, &first);
    let place = folder.path().join("changed");
    std::fs::create_dir(&place).unwrap();
    for (name, bytes) in &written {
        std::fs::write(place.join(Path::new(name).file_name().unwrap()), bytes).unwrap();
    }
    // What the library panics at becomes an error; the trace that would be printed first costs tens of megabytes itself.
    std::panic::set_hook(Box::new(|_| {}));
    let before = peak_bytes();
    let (mut read, mut refused) = (0, 0);
    for table in ["clips", "labels", "positions"] {
        let path = place.join(format!("{table}.parquet"));
        let good = std::fs::read(&path).unwrap();
        // Each byte would take a minute; no structure in the file repeats every seven.
        for at in (0..good.len()).step_by(7) {
            let mut bad = good.clone();
            // A sign, a size, a type: each a different bit, and all of them.
            bad[at] ^= [0x80, 0x01, 0xff, 0x10, 0x42][at / 7 % 5];
            std::fs::write(&path, &bad).unwrap();
            match read_with(Format::Parquet, &place, &known) {
                Ok(_) => read += 1,
                Err(_) => refused += 1,
            }
        }
        std::fs::write(&path, good).unwrap();
    }
    let grown = peak_bytes() - before;
    drop(std::panic::take_hook());
    assert!(read > 50 && refused > 200, "{read} read, {refused} refused");
    assert!(grown < 64 << 20, "{grown} bytes");
}
