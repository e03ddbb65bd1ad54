//! A board file: taken, or refused with places that lie within it.

#![no_main]

use board::Board;
use libfuzzer_sys::fuzz_target;
use std::path::Path;

fuzz_target!(|text: &str| {
    if let Err(error) = Board::parse(Path::new("/etc/rigel/board.toml"), text.to_owned()) {
        assert!(error.to_string().contains("board.toml"));
    }
});
