//! Labels in the files that other tools read: a neutral model of a clip, and one module a format.
//!
//! It knows no store and no network: who exports hands over clips, one after the other ([`Export`]), and memory is that of
//! the largest clip, however many there are. Each module says what its format counts from 0 or 1, where its boxes begin,
//! and what it cannot hold; `docs/exports.md` has the tables.
//!
//! Frames are 0-based indexes of decoded frames, ranges inclusive; pixels are of the upright source image.

mod beside;
mod clip;
mod coco;
mod cvat;
mod datumaro;
mod elan;
mod error;
mod format;
mod label_studio;
mod line;
mod loss;
mod moments;
mod openlabel;
mod output;
mod parquet;
mod pieces;
mod read;
mod split;
mod table;
mod xml;
mod yolo;

pub use beside::{Beside, Wanted};
pub use clip::{
    Between, BoxAt, Clip, Event, Frames, Key, Label, Model, PointAt, Standing, Value, place_at,
};
pub use error::FormatError;
pub use format::{Export, Finished, Format, Plan};
pub use line::{Line, LineKey, LineKind, MAX_LINE_POINTS};
pub use loss::Loss;
pub use moments::{Density, Moment, Person, Place, has_place, moments};
pub use output::Output;
pub use pieces::{Piece, one_a_frame, pieces};
pub use read::{
    Dropped, MAX_FILE_BYTES, Mapping, ReadClip, ReadError, ReadSet, Reading, read, read_raw,
};
pub use split::{Group, Share, Split, parse_shares};
