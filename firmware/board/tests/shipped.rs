//! The board files that are shipped.

#![expect(clippy::unwrap_used, reason = "tests may panic")]

use board::{Board, Source};
use std::path::{Path, PathBuf};

fn shipped() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../boards");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    files.sort();
    files
}

#[test]
fn every_shipped_board_is_valid_and_named_like_its_file() {
    let files = shipped();
    assert!(!files.is_empty());
    for path in files {
        let board = Board::read(&path).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(
            board.name.as_str(),
            path.file_stem().unwrap().to_str().unwrap()
        );
    }
}

#[test]
fn the_simulated_rig_finds_its_clip_whatever_the_working_directory() {
    let path = shipped()
        .into_iter()
        .find(|path| path.ends_with("sim.toml"))
        .unwrap();
    let Source::Clip { path: clip, .. } = Board::read(&path).unwrap().source else {
        panic!("the simulated rig labels a clip");
    };
    assert_eq!(
        clip,
        path.parent().unwrap().join("../.rigel/clips/franck.mp4")
    );
}
