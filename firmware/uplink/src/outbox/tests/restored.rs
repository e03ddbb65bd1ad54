//! A host that has less than it once had, and a disk that is full when it says so.

use super::*;
use crate::OutboxHandle;

/// An outbox whose segments hold one record each, all of them committed and deleted; the boot.
fn committed_and_deleted(dir: &Path, messages: Seq) -> BootId {
    let (mut outbox, _) = open(dir);
    outbox.segment_bytes = 1;
    for _ in 0..messages {
        append(&mut outbox, Topic::Label).unwrap();
    }
    outbox.sync().unwrap();
    outbox.acked(outbox.boot(), messages).unwrap();
    outbox.write_watermarks().unwrap();
    outbox.boot()
}

/// What the host is told to be lost.
fn declared(outbox: &mut Outbox) -> Vec<(BootId, (Seq, Seq))> {
    outbox.sync().unwrap();
    let mut cursor = Cursor::default();
    let mut declared = Vec::new();
    while let Some(record) = outbox.next(&mut cursor).unwrap() {
        if record.topic == Topic::Evicted {
            let notice: Evicted = serde_json::from_slice(&record.payload).unwrap();
            declared.push((notice.boot, notice.seqs));
        }
    }
    declared
}

#[test]
fn a_host_put_back_to_a_copy_gets_again_what_is_still_here_and_hears_what_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let earlier = committed_and_deleted(dir.path(), 9);
    let between = committed_and_deleted(dir.path(), 4);
    let (mut outbox, _) = open(dir.path());
    outbox.segment_bytes = 1;
    let now = outbox.boot();
    for _ in 0..5 {
        append(&mut outbox, Topic::Label).unwrap();
    }
    outbox.sync().unwrap();
    // The segment being written is kept although all of it is committed.
    outbox.acked(now, 5).unwrap();
    assert_eq!(drain(&mut outbox), []);
    // It knows the earlier run in part, and neither of the others.
    assert!(outbox.host_has(&[(earlier, 6)]).unwrap());
    assert_eq!(
        declared(&mut outbox),
        [(earlier, (7, 9)), (between, (1, 4)), (now, (1, 4))]
    );
    let again = drain(&mut outbox);
    assert!(again.contains(&(now, 5, Topic::Label)), "{again:?}");
}

#[test]
fn a_host_that_has_all_it_had_is_told_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let earlier = committed_and_deleted(dir.path(), 9);
    let (mut outbox, _) = open(dir.path());
    assert!(!outbox.host_has(&[(earlier, 9)]).unwrap());
    assert_eq!(declared(&mut outbox), []);
}

#[test]
fn of_a_host_that_knows_more_boots_than_it_can_tell_the_older_ones_are_not_taken_for_lost() {
    let dir = tempfile::tempdir().unwrap();
    let boots: Vec<BootId> = (0..10)
        .map(|_| committed_and_deleted(dir.path(), 2))
        .collect();
    let (mut outbox, _) = open(dir.path());
    let told: Vec<_> = boots[1..9].iter().map(|boot| (*boot, 2)).collect();
    outbox.host_has(&told).unwrap();
    assert_eq!(declared(&mut outbox), [(boots[9], (1, 2))]);
}

#[test]
fn how_far_the_host_was_is_remembered_for_64_boots_and_not_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let boots: Vec<BootId> = (0..70)
        .map(|_| committed_and_deleted(dir.path(), 1))
        .collect();
    let (mut outbox, _) = open(dir.path());
    outbox.host_has(&[]).unwrap();
    let lost: Vec<BootId> = declared(&mut outbox).iter().map(|one| one.0).collect();
    assert_eq!(lost, boots[6..]);
}

/// Two runs that the host had: of the first, three messages lie here still, of this one nothing. Then the disk is full.
fn full_with_two_runs(dir: &Path) -> (Outbox, BootId) {
    let (mut outbox, _) = open(dir);
    let earlier = outbox.boot();
    for _ in 0..5 {
        append(&mut outbox, Topic::Label).unwrap();
    }
    outbox.sync().unwrap();
    outbox.acked(earlier, 3).unwrap();
    outbox.write_watermarks().unwrap();
    drop(outbox);
    let (mut outbox, _) = open(dir);
    outbox.segment_bytes = 1;
    for _ in 0..3 {
        append(&mut outbox, Topic::Label).unwrap();
    }
    outbox.sync().unwrap();
    outbox.acked(outbox.boot(), 2).unwrap();
    outbox.room = Some(0);
    (outbox, earlier)
}

#[test]
fn what_a_full_disk_kept_from_being_declared_is_sent_and_declared_at_the_hosts_next_word() {
    let dir = tempfile::tempdir().unwrap();
    let (mut outbox, earlier) = full_with_two_runs(dir.path());
    let now = outbox.boot();
    let told = [(earlier, 1)];
    outbox.host_has(&told).unwrap_err();
    outbox.room = None;
    assert!(outbox.host_has(&told).unwrap());
    assert_eq!(declared(&mut outbox), [(now, (1, 2))]);
    let again = drain(&mut outbox);
    assert!(again.contains(&(earlier, 2, Topic::Label)), "{again:?}");
}

#[test]
fn a_host_put_back_makes_room_on_a_full_disk_by_what_it_has_committed() {
    let dir = tempfile::tempdir().unwrap();
    let (outbox, earlier) = full_with_two_runs(dir.path());
    let outbox = OutboxHandle::new(outbox);
    assert_eq!(outbox.counters().waiting, 3);
    // It has all of the earlier run, and lost this one.
    outbox.acknowledged(&[(earlier, 5)], true).unwrap_err();
    assert_eq!(outbox.counters().waiting, 1);
    assert_eq!(files(dir.path(), Lane::Labels, "seg").len(), 0);
}
