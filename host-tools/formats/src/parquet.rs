//! Parquet: the three tables of CSV, with types.
//!
//! A Parquet file cannot be gone on with where it was broken off, since what it holds is told at its end. So rows are kept as
//! text while clips come, and become Parquet after the last, a group of rows after the other: memory is that of a group.
//! Frames, sizes and times on the clip's own time line are whole numbers as in CSV; moments of the world are timestamps in
//! UTC, `utc` and `at`. What is empty in CSV is null.

use crate::clip::Clip;
use crate::error::FormatError;
use crate::format::{Target, Writer};
use crate::output::Output;
use crate::table::{Kept, append_rows};
use ::parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical};
use ::parquet::column::writer::ColumnWriter;
use ::parquet::data_type::ByteArray;
use ::parquet::errors::{ParquetError, Result as Encoded};
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::schema::types::Type;
use Holds::{Flag, Moment, Number, Share, Text};
use Need::{Always, Maybe};
use std::io::{BufReader, Write};
use std::sync::Arc;

pub(crate) struct Parquet;

/// Rows of a group: some megabytes of memory.
const GROUP: usize = 1 << 16;

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Text,
    Number,
    /// A share, a rate, or pixels.
    Share,
    Flag,
    /// Microseconds since 1970, UTC.
    Moment,
}

/// Whether every row has it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    Always,
    Maybe,
}

/// A column by its name.
pub(crate) type Column = (&'static str, Holds, Need);

/// Each table by its name, with the columns of CSV in their order.
pub(crate) const TABLES: [(&str, &[Column]); 3] = [
    (
        "clips",
        &[
            ("clip", Text, Always),
            ("subset", Text, Always),
            ("rig", Text, Always),
            ("name", Text, Maybe),
            ("frames", Number, Always),
            ("closed", Flag, Always),
            ("width", Number, Always),
            ("height", Number, Always),
            ("fps", Share, Always),
            ("steady", Flag, Always),
            ("repeats", Number, Always),
            ("dropped", Number, Always),
            ("utc", Moment, Maybe),
            ("clock", Text, Maybe),
            ("codec", Text, Maybe),
            ("media_sha256", Text, Maybe),
        ],
    ),
    (
        "labels",
        &[
            ("clip", Text, Always),
            ("label", Text, Always),
            ("kind", Text, Always),
            ("track", Number, Maybe),
            ("driver", Flag, Always),
            ("start_frame", Number, Always),
            ("end_frame", Number, Always),
            ("start_pts_us", Number, Maybe),
            ("end_pts_us", Number, Maybe),
            ("standing", Text, Always),
            ("flag", Flag, Maybe),
            ("level", Number, Maybe),
            ("eyes", Text, Maybe),
            ("peak_frame", Number, Maybe),
            ("opening", Share, Maybe),
            ("reason", Text, Maybe),
            ("cause", Text, Maybe),
            ("confidence", Share, Maybe),
            ("model", Text, Maybe),
            ("model_version", Text, Maybe),
            ("model_sha256", Text, Maybe),
            ("by", Text, Maybe),
            ("at", Moment, Maybe),
            ("signs", Text, Maybe),
        ],
    ),
    (
        "positions",
        &[
            ("clip", Text, Always),
            ("label", Text, Always),
            ("kind", Text, Always),
            ("track", Number, Maybe),
            ("frame", Number, Always),
            ("pts_us", Number, Maybe),
            ("x", Share, Always),
            ("y", Share, Always),
            ("width", Share, Maybe),
            ("height", Share, Maybe),
            ("confidence", Share, Always),
            ("standing", Text, Always),
        ],
    ),
];

impl Writer for Parquet {
    fn clip(&self, clip: &Clip, to: &mut Target<'_>) -> Result<(), FormatError> {
        append_rows(clip, to, Kept::AsParts)
    }

    fn end(&self, to: &mut Target<'_>) -> Result<(), FormatError> {
        for (table, columns) in TABLES {
            let path = format!("{table}.parquet");
            // The tables are of all subsets: the first end writes them.
            if to.output.is_new(&path) {
                write(to.output, table, columns)?;
            }
        }
        Ok(())
    }
}

/// A file of the export, as the encoder writes into it.
struct Sink<'a> {
    output: &'a mut Output,
    path: String,
    /// What went wrong, in our words.
    failed: Option<FormatError>,
}

impl Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self.output.append(&self.path, bytes) {
            Ok(()) => Ok(bytes.len()),
            Err(error) => {
                self.failed = Some(error);
                Err(std::io::ErrorKind::Other.into())
            }
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Makes a table of the rows that were kept.
fn write(output: &mut Output, table: &str, columns: &[Column]) -> Result<(), FormatError> {
    let part = output.part(&format!("{table}.csv"))?;
    let path = format!("{table}.parquet");
    let (rows, kept_in) = part.map_or((None, None), |(file, path)| (Some(file), Some(path)));
    let mut sink = Sink {
        output,
        path: path.clone(),
        failed: None,
    };
    let encoded = encode(&mut sink, (table, columns), rows.map(BufReader::new));
    match (sink.failed, encoded) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(()),
        // What is wrong is with what was kept: all else was written, or is memory.
        (None, Err(error)) => Err(FormatError::file(
            "make Parquet of",
            kept_in.unwrap_or_else(|| path.into()),
        )(std::io::Error::other(error))),
    }
}

fn encode(
    sink: &mut Sink<'_>,
    (table, columns): (&str, &[Column]),
    rows: Option<impl std::io::Read>,
) -> Encoded<()> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_created_by(format!("rigel {}", env!("CARGO_PKG_VERSION")))
        .build();
    let mut file = SerializedFileWriter::new(sink, schema(table, columns)?, Arc::new(properties))?;
    if let Some(rows) = rows {
        let mut rows = csv::ReaderBuilder::new()
            .has_headers(false)
            .from_reader(rows);
        let mut group: Vec<Filled> = columns.iter().map(Filled::of).collect();
        let (mut row, mut count) = (csv::StringRecord::new(), 0);
        while rows.read_record(&mut row).map_err(outside)? {
            if row.len() != columns.len() {
                let trouble = format!("a row of {table} has {} columns", row.len());
                return Err(ParquetError::General(trouble));
            }
            for (column, word) in group.iter_mut().zip(&row) {
                column.take(word)?;
            }
            count += 1;
            if count == GROUP {
                write_group(&mut file, &mut group)?;
                count = 0;
            }
        }
        if count > 0 {
            write_group(&mut file, &mut group)?;
        }
    }
    file.close()?;
    Ok(())
}

fn outside(error: impl std::error::Error + Send + Sync + 'static) -> ParquetError {
    ParquetError::External(Box::new(error))
}

fn schema(table: &str, columns: &[Column]) -> Encoded<Arc<Type>> {
    let fields = columns.iter().map(|(name, holds, need)| {
        let (physical, logical) = match holds {
            Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Number => (Physical::INT64, None),
            Share => (Physical::DOUBLE, None),
            Flag => (Physical::BOOLEAN, None),
            Moment => (
                Physical::INT64,
                Some(LogicalType::timestamp(true, TimeUnit::MICROS)),
            ),
        };
        let repetition = match need {
            Always => Repetition::REQUIRED,
            Maybe => Repetition::OPTIONAL,
        };
        let field = Type::primitive_type_builder(name, physical)
            .with_logical_type(logical)
            .with_repetition(repetition)
            .build()?;
        Ok(Arc::new(field))
    });
    let fields = fields.collect::<Encoded<Vec<_>>>()?;
    let table = Type::group_type_builder(table)
        .with_fields(fields)
        .build()?;
    Ok(Arc::new(table))
}

/// What a group has of a column.
struct Filled {
    name: &'static str,
    need: Need,
    values: Values,
    /// Whether each row has a value, where it need not: 1 or 0.
    levels: Vec<i16>,
}

enum Values {
    Texts(Vec<ByteArray>),
    Numbers(Vec<i64>),
    Shares(Vec<f64>),
    Flags(Vec<bool>),
}

impl Filled {
    fn of((name, holds, need): &Column) -> Self {
        Self {
            name,
            need: *need,
            values: match holds {
                Text => Values::Texts(Vec::new()),
                Number | Moment => Values::Numbers(Vec::new()),
                Share => Values::Shares(Vec::new()),
                Flag => Values::Flags(Vec::new()),
            },
            levels: Vec::new(),
        }
    }

    fn take(&mut self, word: &str) -> Encoded<()> {
        if self.need == Maybe {
            self.levels.push(i16::from(!word.is_empty()));
            if word.is_empty() {
                return Ok(());
            }
        }
        match &mut self.values {
            Values::Texts(values) => values.push(word.into()),
            Values::Numbers(values) => {
                values.push(word.parse().map_err(outside)?);
            }
            Values::Shares(values) => values.push(word.parse().map_err(outside)?),
            Values::Flags(values) => values.push(word.parse().map_err(outside)?),
        }
        Ok(())
    }
}

/// Writes what was taken, and forgets it.
fn write_group(
    file: &mut SerializedFileWriter<&mut Sink<'_>>,
    columns: &mut [Filled],
) -> Encoded<()> {
    let mut group = file.next_row_group()?;
    for column in columns {
        let Some(mut writer) = group.next_column()? else {
            return Err(ParquetError::General("a column has no place".to_owned()));
        };
        let levels = (column.need == Maybe).then_some(column.levels.as_slice());
        match (writer.untyped(), &mut column.values) {
            (ColumnWriter::ByteArrayColumnWriter(writer), Values::Texts(values)) => {
                writer.write_batch(values, levels, None)?;
                values.clear();
            }
            (ColumnWriter::Int64ColumnWriter(writer), Values::Numbers(values)) => {
                writer.write_batch(values, levels, None)?;
                values.clear();
            }
            (ColumnWriter::DoubleColumnWriter(writer), Values::Shares(values)) => {
                writer.write_batch(values, levels, None)?;
                values.clear();
            }
            (ColumnWriter::BoolColumnWriter(writer), Values::Flags(values)) => {
                writer.write_batch(values, levels, None)?;
                values.clear();
            }
            _ => {
                return Err(ParquetError::General(format!(
                    "{} has another type",
                    column.name
                )));
            }
        }
        column.levels.clear();
        writer.close()?;
    }
    group.close()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Density, Event, Export, Format, Frames, Label, Plan, Standing, Value};
    use label_core::wire::EventEyes;
    use label_core::{FrameRange, LabelKind};

    fn clip(number: u32, labels: u32) -> Clip {
        let label = |n: u32| Label {
            id: format!("rig:1:{number}:{n}"),
            kind: LabelKind::Blink.into(),
            track: Some(1),
            driver: true,
            frames: FrameRange::new(n * 10, n * 10 + 6),
            standing: Standing::Machine,
            value: Some(Value::Event(Event {
                eyes: EventEyes::Both,
                peak: n * 10 + 3,
                opening: 0.1,
            })),
            reason: None,
            cause: None,
            confidence: Some(0.9),
            model: None,
            by: None,
            at_us: None,
            signs: None,
        };
        Clip {
            id: format!("rig:1:{number}"),
            stem: format!("rig_1_{number}"),
            rig: "rig".to_owned(),
            name: None,
            width: 640,
            height: 480,
            codec: None,
            sha256: None,
            utc_us: None,
            clock: None,
            closed: true,
            frames: Frames {
                count: labels * 10,
                ..Frames::default()
            },
            beside: crate::Beside::Nothing,
            labels: (0..labels).map(label).collect(),
        }
    }

    fn write(format: Format, place: &std::path::Path, clips: &[Clip]) {
        let plan = Plan {
            format,
            density: Density::Keyframes,
            subsets: vec!["test".to_owned(), "train".to_owned()],
            selection: serde_json::json!({}),
        };
        let mut export = Export::begin(place, plan).unwrap();
        for clip in clips {
            export.clip(clip, "train").unwrap();
        }
        export.finish().unwrap();
    }

    #[test]
    fn every_column_of_csv_is_in_parquet() {
        let folder = tempfile::tempdir().unwrap();
        let mut of_a_box = clip(1, 1);
        let key = crate::Key {
            frame: 0,
            at: crate::PointAt { x: 1.0, y: 2.0 },
            confidence: 0.9,
        };
        of_a_box.labels[0].kind = LabelKind::KeypointLeftEye.into();
        of_a_box.labels[0].value = Some(Value::Points(vec![key]));
        let place = folder.path().join("set");
        write(Format::Csv, &place, &[of_a_box]);
        for (table, columns) in TABLES {
            let text = std::fs::read_to_string(place.join(format!("{table}.csv"))).unwrap();
            let names: Vec<_> = columns
                .iter()
                .map(|(name, holds, _)| match holds {
                    Moment => format!("{name}_us"),
                    _ => (*name).to_owned(),
                })
                .collect();
            assert_eq!(text.lines().next().unwrap(), names.join(","));
        }
    }

    #[test]
    fn a_table_of_many_rows_is_written_in_groups_and_a_table_of_none_has_its_columns() {
        use ::parquet::file::metadata::RowGroupMetaData;
        use ::parquet::file::reader::{FileReader, SerializedFileReader};
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("set");
        let half = GROUP as u32 / 2 + 1;
        write(Format::Parquet, &place, &[clip(1, half), clip(2, half)]);
        let open = |table: &str| {
            let file = std::fs::File::open(place.join(format!("{table}.parquet"))).unwrap();
            SerializedFileReader::new(file).unwrap()
        };
        let labels = open("labels");
        let groups = labels.metadata().row_groups();
        let rows: Vec<_> = groups.iter().map(RowGroupMetaData::num_rows).collect();
        assert_eq!(rows, [GROUP as i64, 2]);
        let last = labels.get_row_iter(None).unwrap().last().unwrap().unwrap();
        assert!(
            last.to_string().contains("label: \"rig:1:2:32768\""),
            "{last}"
        );
        let positions = open("positions");
        assert_eq!(positions.metadata().file_metadata().num_rows(), 0);
        assert_eq!(
            positions
                .metadata()
                .file_metadata()
                .schema()
                .get_fields()
                .len(),
            12
        );
    }
}
