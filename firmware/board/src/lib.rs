//! Board files: one complete TOML a rig says what it is made of and where its labels go.
//!
//! A [`Board`] is checked: names are safe in topics, numbers are in range, values go together, paths are absolute or
//! relative to the working directory. Nothing is opened here; whoever uses a path says so if it is not there.
//!
//! A wrong file is told whole: every [`Problem`] with its line, its column, its key, and what would be allowed there.

mod problem;
mod read;
mod rules;
mod schema;
mod section;

pub use problem::{BoardError, Problem};
pub use schema::{
    Access, AntiFlicker, Board, Broker, Budget, Camera, Hardware, Outbox, Panel, Perception, Pins,
    Pipe, PipeFormat, PixelFormat, Recording, RecordingEncoder, Session, SessionStart, Source, Tls,
    Word,
};
