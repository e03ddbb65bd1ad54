//! The index of a recorded segment, which is the manifest of its pictures, as the rig reads it to answer the desk.

#![no_main]

use label_core::BootId;
use libfuzzer_sys::fuzz_target;
use rigeld::record::Segments;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("the system's folder for temporary files is writable");
    let boot = BootId::first(7);
    let base = folder
        .path()
        .join(format!("{:016}-000001-000001", boot.raw()));
    std::fs::write(base.with_extension("jsonl"), bytes).expect("the file can be written");
    std::fs::write(base.with_extension("mjpeg"), [0; 100]).expect("the file can be written");
    let found = Segments::new(folder.path())
        .of_clip(boot, 1, (2, 40))
        .expect("what cannot be read ends an index, and is no error");
    for segment in found {
        assert!(!segment.frames.is_empty());
        assert!(
            segment
                .frames
                .iter()
                .all(|line| (2..=40).contains(&line.frame))
        );
    }
});
