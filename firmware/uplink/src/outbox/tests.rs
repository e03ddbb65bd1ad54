//! What a power cut, a bad disk and a full disk do to an outbox.

mod restored;

use super::segment::{FILE_HEAD, Lane};
use super::*;
use label_core::wire::{Evicted, LabelBatch, Origin, parse_name};
use std::fs;
use std::path::Path;

const ROOMY: OutboxLimits = OutboxLimits {
    max_bytes: 64 * 1024 * 1024,
};

fn open(dir: &Path) -> (Outbox, OpenReport) {
    open_limited(dir, ROOMY)
}

fn open_limited(dir: &Path, limits: OutboxLimits) -> (Outbox, OpenReport) {
    Outbox::open(dir, parse_name("rig").unwrap(), limits).unwrap()
}

/// A label batch without labels, padded by its clip number's digits only: what matters here is that it carries its seq.
fn append(outbox: &mut Outbox, topic: Topic) -> Result<Seq, UplinkError> {
    let (rig, boot) = (outbox.rig().clone(), outbox.boot());
    outbox.append(topic, 2, |seq, into| {
        let from = Origin { rig, boot, seq };
        let nothing: &[u8] = &[];
        wire_encode(&LabelBatch::new(from, 1, nothing, nothing), into)
    })
}

fn wire_encode(message: &LabelBatch<&[u8], &[u8]>, into: &mut [u8]) -> Result<usize, EncodeError> {
    label_core::wire::encode(message, into)
}

fn drain(outbox: &mut Outbox) -> Vec<(BootId, Seq, Topic)> {
    let mut cursor = Cursor::default();
    let mut out = Vec::new();
    while let Some(record) = outbox.next(&mut cursor).unwrap() {
        let text = String::from_utf8(record.payload).unwrap();
        assert!(
            text.contains(&format!("\"seq\":{}", record.seq)),
            "a message carries its own number: {text}"
        );
        out.push((record.boot, record.seq, record.topic));
    }
    out
}

fn seqs(messages: &[(BootId, Seq, Topic)]) -> Vec<Seq> {
    messages.iter().map(|message| message.1).collect()
}

fn files(dir: &Path, lane: Lane, extension: &str) -> Vec<PathBuf> {
    let mut found: Vec<_> = fs::read_dir(dir.join(lane.folder()))
        .unwrap()
        .map(|item| item.unwrap().path())
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .collect();
    found.sort();
    found
}

#[test]
fn a_message_is_handed_out_only_when_it_is_durable() {
    let dir = tempfile::tempdir().unwrap();
    let (mut outbox, report) = open(dir.path());
    assert_eq!(report.origin, BootOrigin::Created);
    append(&mut outbox, Topic::Label).unwrap();
    assert_eq!(drain(&mut outbox), []);
    outbox.sync().unwrap();
    append(&mut outbox, Topic::Label).unwrap();
    assert_eq!(seqs(&drain(&mut outbox)), [1]);
}

#[test]
fn both_lanes_share_one_numbering_and_labels_go_first() {
    let dir = tempfile::tempdir().unwrap();
    let (mut outbox, _) = open(dir.path());
    for topic in [Topic::Clip, Topic::Evidence, Topic::Label, Topic::Evidence] {
        append(&mut outbox, topic).unwrap();
    }
    outbox.sync().unwrap();
    assert_eq!(seqs(&drain(&mut outbox)), [1, 3, 2, 4]);
}

#[test]
fn labels_do_not_run_far_ahead_of_waiting_evidence() {
    let dir = tempfile::tempdir().unwrap();
    let (mut outbox, _) = open(dir.path());
    append(&mut outbox, Topic::Evidence).unwrap();
    for _ in 0..300 {
        append(&mut outbox, Topic::Label).unwrap();
    }
    outbox.sync().unwrap();
    let at = drain(&mut outbox)
        .iter()
        .position(|message| message.2 == Topic::Evidence);
    assert_eq!(at, Some(128));
}

#[test]
fn a_second_start_is_a_later_boot_and_sends_the_earlier_one_first() {
    let dir = tempfile::tempdir().unwrap();
    let (mut outbox, first) = open(dir.path());
    append(&mut outbox, Topic::Label).unwrap();
    append(&mut outbox, Topic::Evidence).unwrap();
    drop(outbox);
    let (mut outbox, second) = open(dir.path());
    assert_eq!(second.origin, BootOrigin::Counted);
    assert!(second.boot > first.boot);
    assert_eq!(second.waiting, 2);
    append(&mut outbox, Topic::Label).unwrap();
    outbox.sync().unwrap();
    assert_eq!(
        drain(&mut outbox),
        [
            (first.boot, 1, Topic::Label),
            (first.boot, 2, Topic::Evidence),
            (second.boot, 1, Topic::Label)
        ]
    );
}

#[test]
fn an_outbox_is_open_once() {
    let dir = tempfile::tempdir().unwrap();
    let _held = open(dir.path());
    let again = Outbox::open(dir.path(), parse_name("rig").unwrap(), ROOMY);
    assert!(matches!(again, Err(UplinkError::InUse { .. })));
}

#[test]
fn whether_an_outbox_is_in_use_can_be_asked_without_taking_it() {
    let dir = tempfile::tempdir().unwrap();
    assert!(!Outbox::is_in_use(&dir.path().join("not there")));
    let held = open(dir.path());
    assert!(Outbox::is_in_use(dir.path()));
    drop(held);
    assert!(!Outbox::is_in_use(dir.path()));
    drop(open(dir.path()));
}

#[test]
fn a_tail_torn_at_any_byte_is_cut_at_the_last_whole_record() {
    let whole = tempfile::tempdir().unwrap();
    let (mut outbox, _) = open(whole.path());
    let mut ends = vec![FILE_HEAD];
    for _ in 0..3 {
        append(&mut outbox, Topic::Label).unwrap();
        ends.push(outbox.bytes() as usize);
    }
    drop(outbox);
    let file = files(whole.path(), Lane::Labels, "open").remove(0);
    let bytes = fs::read(&file).unwrap();
    for cut in 0..=bytes.len() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("labels")).unwrap();
        let copy = dir.path().join("labels").join(file.file_name().unwrap());
        fs::write(&copy, &bytes[..cut]).unwrap();
        let (mut outbox, report) = open(dir.path());
        let kept = ends
            .iter()
            .filter(|end| **end <= cut)
            .count()
            .saturating_sub(1);
        assert_eq!(
            seqs(&drain(&mut outbox)),
            (1..=kept as Seq).collect::<Vec<_>>(),
            "cut at {cut}"
        );
        let expected = if kept == 0 { 0 } else { ends[kept] };
        assert_eq!(report.torn_bytes, (cut - expected) as u64, "cut at {cut}");
        assert_eq!(
            (report.corrupt, report.lost),
            (vec![], vec![]),
            "cut at {cut}"
        );
    }
}

#[test]
fn a_damaged_byte_costs_one_record_and_the_host_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (mut outbox, _) = open(dir.path());
    let boot = outbox.boot();
    let mut ends = vec![FILE_HEAD];
    for _ in 0..3 {
        append(&mut outbox, Topic::Label).unwrap();
        ends.push(outbox.bytes() as usize);
    }
    outbox.sync().unwrap();
    drop(outbox);
    let file = files(dir.path(), Lane::Labels, "open").remove(0);
    let bytes = fs::read(&file).unwrap();
    for at in ends[1]..ends[2] {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("labels")).unwrap();
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x55;
        fs::write(
            dir.path().join("labels").join(file.file_name().unwrap()),
            &damaged,
        )
        .unwrap();
        let (mut outbox, report) = open(dir.path());
        assert_eq!(report.corrupt.len(), 1, "byte {at}");
        assert_eq!(
            fs::read(&report.corrupt[0]).unwrap(),
            damaged,
            "set aside as it was found"
        );
        assert_eq!(
            report.lost,
            [LostRange {
                boot,
                first: 2,
                last: 2
            }],
            "byte {at}"
        );
        outbox.sync().unwrap();
        let sent = drain(&mut outbox);
        assert_eq!(sent[0], (outbox.boot(), 1, Topic::Evicted));
        assert_eq!(seqs(&sent[1..]), [1, 3], "byte {at}");
        drop(outbox);
        let (_, report) = open(dir.path());
        assert_eq!((report.corrupt, report.lost), (vec![], vec![]), "told once");
    }
}

#[test]
fn a_file_of_rubbish_is_set_aside() {
    let dir = tempfile::tempdir().unwrap();
    let (mut outbox, _) = open(dir.path());
    let name = segment::file_stem(outbox.boot(), 1);
    append(&mut outbox, Topic::Evidence).unwrap();
    drop(outbox);
    let rubbish = dir.path().join("labels").join(name).with_extension("seg");
    fs::write(&rubbish, vec![7; 5000]).unwrap();
    fs::write(dir.path().join("boot"), "nonsense").unwrap();
    fs::write(dir.path().join("watermarks"), [0xff; 9]).unwrap();
    let (mut outbox, report) = open(dir.path());
    assert_eq!(report.origin, BootOrigin::Redrawn);
    assert_eq!(report.corrupt.len(), 1);
    assert_eq!(seqs(&drain(&mut outbox)), [1]);
}

#[test]
fn a_damaged_record_found_while_sending_is_given_up_and_told() {
    let dir = tempfile::tempdir().unwrap();
    let (mut outbox, _) = open(dir.path());
    for _ in 0..3 {
        append(&mut outbox, Topic::Label).unwrap();
    }
    outbox.sync().unwrap();
    let file = files(dir.path(), Lane::Labels, "open").remove(0);
    let mut bytes = fs::read(&file).unwrap();
    bytes[FILE_HEAD + 30] ^= 1;
    fs::write(&file, bytes).unwrap();
    assert_eq!(seqs(&drain(&mut outbox)), [2, 3]);
    outbox.sync().unwrap();
    assert_eq!(seqs(&drain(&mut outbox)), [4, 2, 3]);
    assert_eq!(outbox.counters().disk_errors, 1);
}

#[test]
fn what_is_acknowledged_is_deleted_and_stays_so() {
    let dir = tempfile::tempdir().unwrap();
    let limits = OutboxLimits { max_bytes: 8192 };
    let (mut outbox, _) = open_limited(dir.path(), limits);
    let boot = outbox.boot();
    while files(dir.path(), Lane::Labels, "open").len() < 3 {
        append(&mut outbox, Topic::Label).unwrap();
    }
    outbox.sync().unwrap();
    assert_eq!(files(dir.path(), Lane::Labels, "seg").len(), 2);
    let last = outbox.last_seq();
    outbox.acked(boot, last + 1).unwrap();
    assert_eq!(outbox.watermark(boot), 0, "beyond what was numbered");
    outbox.acked(boot, last - 1).unwrap();
    assert_eq!(files(dir.path(), Lane::Labels, "seg").len(), 0);
    assert_eq!(seqs(&drain(&mut outbox)), [last]);
    assert_eq!(outbox.counters().waiting, 1);
    outbox.acked(boot, last - 2).unwrap();
    assert_eq!(outbox.watermark(boot), last - 1, "never goes back");
    drop(outbox);
    let (mut outbox, report) = open_limited(dir.path(), limits);
    assert_eq!((report.waiting, report.lost), (1, vec![]));
    assert_eq!(seqs(&drain(&mut outbox)), [last]);
    outbox.acked(boot, last).unwrap();
    assert_eq!(outbox.counters().waiting, 0);
    assert_eq!(files(dir.path(), Lane::Labels, "seg").len(), 0);
}

#[test]
fn evidence_is_given_up_before_labels_and_every_loss_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let limits = OutboxLimits { max_bytes: 16384 };
    let (mut outbox, _) = open_limited(dir.path(), limits);
    let boot = outbox.boot();
    while outbox.counters().evicted_labels == 0 {
        append(&mut outbox, Topic::Label).unwrap();
        append(&mut outbox, Topic::Evidence).unwrap();
        if outbox.counters().evicted == 0 {
            assert!(outbox.bytes() <= limits.max_bytes);
        }
        assert!(outbox.last_seq() < 2000, "labels are given up at last");
    }
    outbox.sync().unwrap();
    let mut cursor = Cursor::default();
    let mut covered = std::collections::BTreeSet::new();
    while let Some(record) = outbox.next(&mut cursor).unwrap() {
        assert!(covered.insert(record.seq), "{} twice", record.seq);
        if record.topic == Topic::Evicted {
            let notice: Evicted = serde_json::from_slice(&record.payload).unwrap();
            assert_eq!((notice.boot, notice.from.seq), (boot, record.seq));
            for seq in notice.seqs.0..=notice.seqs.1 {
                assert!(covered.insert(seq), "{seq} both sent and given up");
            }
        }
    }
    assert_eq!(
        covered.into_iter().collect::<Vec<_>>(),
        (1..=outbox.last_seq()).collect::<Vec<_>>(),
        "sent or told, nothing missing"
    );
}

#[test]
fn a_message_that_does_not_fit_uses_no_number() {
    let dir = tempfile::tempdir().unwrap();
    let (mut outbox, _) = open(dir.path());
    append(&mut outbox, Topic::Label).unwrap();
    let refused = outbox.append(Topic::Label, 1, |_, into| {
        Err(EncodeError {
            capacity: into.len(),
        })
    });
    assert!(matches!(refused, Err(UplinkError::Encode { .. })));
    assert!(matches!(
        outbox.append(Topic::Health, 0, |_, _| Ok(0)),
        Err(UplinkError::NotDurable { .. })
    ));
    assert_eq!(append(&mut outbox, Topic::Label).unwrap(), 2);
}

#[test]
fn a_full_disk_is_survived_without_a_gap_wherever_it_strikes() {
    for room in 0..400 {
        let dir = tempfile::tempdir().unwrap();
        let (mut outbox, _) = open(dir.path());
        outbox.room = Some(room);
        let mut written = 0;
        let refused = loop {
            match append(&mut outbox, Topic::Label) {
                Ok(seq) => written = seq,
                Err(error) => break error,
            }
        };
        assert!(matches!(refused, UplinkError::DiskFull { .. }), "{refused}");
        assert_eq!(outbox.counters().disk_full, 1);
        outbox.room = None;
        assert_eq!(append(&mut outbox, Topic::Label).unwrap(), written + 1);
        assert_eq!(append(&mut outbox, Topic::Evidence).unwrap(), written + 2);
        outbox.sync().unwrap();
        assert_eq!(
            seqs(&drain(&mut outbox)),
            (1..=written + 2).collect::<Vec<_>>()
        );
        drop(outbox);
        let (mut outbox, report) = open(dir.path());
        assert_eq!((report.corrupt, report.lost), (vec![], vec![]));
        assert_eq!(drain(&mut outbox).len() as Seq, written + 2);
    }
}

#[test]
fn a_label_lost_by_a_power_cut_below_a_surviving_picture_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (mut outbox, _) = open(dir.path());
    let boot = outbox.boot();
    append(&mut outbox, Topic::Label).unwrap();
    append(&mut outbox, Topic::Evidence).unwrap();
    drop(outbox);
    fs::remove_file(files(dir.path(), Lane::Labels, "open").remove(0)).unwrap();
    let (_, report) = open(dir.path());
    assert_eq!(
        report.lost,
        [LostRange {
            boot,
            first: 1,
            last: 1
        }]
    );
}

#[test]
fn on_a_full_disk_what_the_host_has_is_deleted_even_from_the_file_being_written() {
    let dir = tempfile::tempdir().unwrap();
    let (mut outbox, _) = open(dir.path());
    for _ in 0..3 {
        append(&mut outbox, Topic::Label).unwrap();
    }
    outbox.sync().unwrap();
    outbox.acked(outbox.boot(), 3).unwrap();
    assert_eq!(files(dir.path(), Lane::Labels, "open").len(), 1);
    outbox.room = Some(0);
    append(&mut outbox, Topic::Label).unwrap_err();
    outbox.room = None;
    assert_eq!(append(&mut outbox, Topic::Label).unwrap(), 4);
    outbox.sync().unwrap();
    assert_eq!(seqs(&drain(&mut outbox)), [4]);
    let left = files(dir.path(), Lane::Labels, "open");
    assert!(left[0].to_string_lossy().ends_with("4.open"), "{left:?}");
    drop(outbox);
    let (_, report) = open(dir.path());
    assert_eq!((report.waiting, report.lost), (1, vec![]));
}
