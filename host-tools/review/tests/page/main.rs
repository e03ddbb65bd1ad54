//! A reviewer's work in a real browser, on a real store, checked in the database afterwards.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

#[path = "../browser/mod.rs"]
#[expect(dead_code, reason = "pictures for the docs are drawn by an example")]
mod browser;
#[path = "../synthetic_drive/lines.rs"]
mod drawn_lines;
#[path = "../synthetic_drive/mod.rs"]
mod synthetic_drive;
#[path = "../synthetic_fleet/mod.rs"]
mod synthetic_fleet;

mod access;
mod connection;
mod desk;
mod desk_views;
mod editing;
mod hostile;
mod judging;
mod lines;
mod many;
mod people;
mod requests;
mod second_look;
