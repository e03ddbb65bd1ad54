//! The outbox's files after anything may have happened to them.
//!
//! The first byte says how the rest becomes files: as a segment byte for byte, as a segment of records whose checksums are
//! right and whose fields are anything, or as the two small files. Opening repairs, reports and never fails; a second
//! opening finds nothing to repair and the same messages; a message appended afterwards comes out last.

#![no_main]

use label_core::BootId;
use label_core::wire::{Topic, parse_name};
use libfuzzer_sys::fuzz_target;
use std::path::Path;
use uplink::{Cursor, OpenReport, Outbox, OutboxLimits, Record};

const BOOT: u64 = (7 << 20) | 1;

fn head(boot: u64, first: u64) -> Vec<u8> {
    let mut head = b"RGOUTBX1".to_vec();
    head.extend(boot.to_le_bytes());
    head.extend(first.to_le_bytes());
    head.extend(crc32fast::hash(&head).to_le_bytes());
    head
}

/// Step to the next `seq`, topic, labels, length of the payload: 6 bytes a record, as many as there are.
fn records(mut plan: &[u8], first: u64) -> Vec<u8> {
    let (mut file, mut seq) = (Vec::new(), first.wrapping_sub(1));
    while let Some((fields, rest)) = plan.split_at_checked(6) {
        plan = rest;
        seq = match fields[0] {
            0..=199 => seq.wrapping_add(1),
            200..=250 => seq.wrapping_add_signed(i64::from(fields[0]) - 225),
            251 => u64::MAX,
            252 => 0,
            _ => seq,
        };
        let payload = vec![b'x'; usize::from(u16::from_le_bytes([fields[3], fields[4]])) % 700];
        let mut record = (payload.len() as u32).to_le_bytes().to_vec();
        let mut rest = seq.to_le_bytes().to_vec();
        rest.extend([fields[1], 0, fields[2], fields[5] & 1]);
        rest.extend(payload);
        let mut crc = crc32fast::Hasher::new();
        crc.update(&record);
        crc.update(&rest);
        record.extend(crc.finalize().to_le_bytes());
        record.extend(rest);
        file.extend(record);
    }
    file
}

fn lay_out(folder: &Path, how: u8, bytes: &[u8]) {
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().expect("it has one"))
            .expect("the folder can be made");
        std::fs::write(path, bytes).expect("the file can be written");
    };
    let first = u64::from(how >> 5);
    let ending = if how & 8 == 0 { "seg" } else { "open" };
    let lane = ["labels", "evidence", "notices"][usize::from(how >> 6) % 3];
    let name = format!("{lane}/{BOOT:013x}-{first:016x}.{ending}");
    match how % 4 {
        0 => write(&name, bytes),
        1 => write(&name, &[head(BOOT, first), bytes.to_vec()].concat()),
        2 => write(&name, &[head(BOOT, first), records(bytes, first)].concat()),
        _ => {
            let checked = |text: &[u8]| {
                [format!("{:08x}\n", crc32fast::hash(text)).as_bytes(), text].concat()
            };
            let (boot, watermarks) = bytes.split_at(bytes.len() / 3);
            let file = |text: &[u8]| {
                if how & 16 == 0 {
                    checked(text)
                } else {
                    text.to_vec()
                }
            };
            write("boot", &file(boot));
            write("watermarks", &file(watermarks));
            write(
                &name,
                &[head(BOOT, first), records(&[0, 2, 1, 9, 0, 0], first)].concat(),
            );
        }
    }
}

fn open(folder: &Path) -> (Outbox, OpenReport) {
    let rig = parse_name("rig-07").expect("a name");
    Outbox::open(folder, rig, OutboxLimits::default()).expect("damage never keeps an outbox shut")
}

fn all(outbox: &mut Outbox) -> Vec<Record> {
    let (mut cursor, mut out) = (Cursor::default(), Vec::new());
    while let Some(record) = outbox
        .next(&mut cursor)
        .expect("what is listed can be read")
    {
        out.push(record);
        assert!(out.len() < 100_000, "it never ends");
    }
    out
}

fuzz_target!(|bytes: &[u8]| {
    let Some((how, rest)) = bytes.split_first() else {
        return;
    };
    let folder = tempfile::tempdir().expect("the system's folder for temporary files is writable");
    lay_out(folder.path(), *how, rest);
    let before = {
        let (mut outbox, _) = open(folder.path());
        outbox.sync().expect("what was found lost can be told");
        all(&mut outbox)
    };
    let (mut outbox, report) = open(folder.path());
    assert_eq!(report.lost, [], "told once is told");
    assert_eq!(
        (report.torn_bytes, report.corrupt.len()),
        (0, 0),
        "repaired once is repaired"
    );
    assert_eq!(before, all(&mut outbox));
    let seq = outbox
        .append(Topic::Label, 1, |_, buffer| {
            buffer[..2].copy_from_slice(b"{}");
            Ok(2)
        })
        .expect("an empty disk takes a message");
    outbox.sync().expect("and keeps it");
    let last = all(&mut outbox);
    let boot: BootId = outbox.boot();
    assert!(
        last.iter()
            .any(|record| (record.boot, record.seq) == (boot, seq))
    );
    assert_eq!(last.len(), before.len() + 1);
});
