//! What every store promises, whatever database is behind it: each function here takes a fresh store, and the list at
//! the end runs them on SQLite, each as a test, and on a real Postgres server, all in one.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests: a failure here is a failed test"
)]

mod balance;
mod disagreements;
mod disk;
mod drive;
mod exports;
mod lines;
mod made;
mod missed;
mod pictures;
mod purge;
mod queue;
mod requests;
mod schema;
mod second_looks;
#[expect(unreachable_pub, reason = "a part of the end-to-end tests, too")]
#[path = "../../../../tests/postgres.rs"]
mod server;
mod several;
mod verdicts;

use futures_util::FutureExt;
use label_core::wire::{
    Birth, Label, LabelCounts, LabelValue, Power, Signs, Status, Topic, WIRE_VERSION,
};
use label_core::{BootId, FrameRange, LabelKind};
use label_store::{Balance, Content, LabelStore, NamedMessage, Refusal, RefusalReason};
use made::*;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::time::Instant;

async fn watermark(store: &LabelStore) -> Vec<(BootId, u64)> {
    store.watermarks(&name("rig"), 8).await.unwrap()
}

async fn the_watermark_is_the_highest_number_without_a_gap_below(store: LabelStore) {
    let report = store.commit(&[opened(1), batch(3, &[])]).await.unwrap();
    assert_eq!((report.committed, report.duplicates), (2, 0));
    assert_eq!(report.watermarks[0].boots, [(boot(), 1)]);
    store.commit(&[batch(5, &[]), batch(4, &[])]).await.unwrap();
    assert_eq!(watermark(&store).await, [(boot(), 1)]);
    store.commit(&[batch(2, &[])]).await.unwrap();
    assert_eq!(watermark(&store).await, [(boot(), 5)]);
    store.commit(&[batch(8, &[])]).await.unwrap();
    assert_eq!(watermark(&store).await, [(boot(), 5)]);
}

async fn what_the_rig_gave_up_counts_as_present(store: LabelStore) {
    store.commit(&[batch(1, &[]), batch(6, &[])]).await.unwrap();
    store.commit(&[evicted(7, boot(), (2, 4))]).await.unwrap();
    assert_eq!(watermark(&store).await, [(boot(), 4)]);
    store.commit(&[batch(5, &[])]).await.unwrap();
    assert_eq!(watermark(&store).await, [(boot(), 7)]);
    let earlier = BootId::first(6);
    store.commit(&[evicted(8, earlier, (1, 9))]).await.unwrap();
    assert!(watermark(&store).await.contains(&(earlier, 9)));
    let summary = store.summary().await.unwrap();
    let lost: Vec<_> = summary.rigs[0]
        .boots
        .iter()
        .map(|boot| (boot.labels_lost, boot.evidence_lost))
        .collect();
    assert_eq!(lost, [(3, 1), (3, 1)]);
}

async fn the_same_message_again_changes_nothing(store: LabelStore) {
    let messages = [
        opened(1),
        batch(2, &[blink(0, 10, 0.9), silence(1)]),
        evidence(3, (2, 0)),
        evicted(4, boot(), (9, 9)),
    ];
    store.commit(&messages).await.unwrap();
    let before = store.summary().await.unwrap();
    let report = store.commit(&messages).await.unwrap();
    assert_eq!((report.committed, report.duplicates), (0, 4));
    assert_eq!(report.watermarks[0].boots, [(boot(), 4)], "told again");
    assert_eq!(store.summary().await.unwrap(), before);
}

async fn another_message_of_the_same_name_is_kept_aside_where_it_can_be_seen(store: LabelStore) {
    store
        .commit(&[batch(1, &[blink(0, 10, 0.9)])])
        .await
        .unwrap();
    let mut other = batch(1, &[blink(0, 99, 0.9)]);
    other.payload = b"other bytes".to_vec();
    for _ in 0..3 {
        let report = store.commit(&[other.clone()]).await.unwrap();
        assert_eq!((report.committed, report.quarantined), (0, 1));
    }
    let entries = store.quarantine(10).await.unwrap();
    assert_eq!(entries.len(), 1, "the same bytes are one entry");
    assert_eq!(
        (entries[0].reason.as_str(), entries[0].times),
        ("conflict", 3)
    );
    assert_eq!(entries[0].payload, b"other bytes");
    let label = store.label(&id(1, 0)).await.unwrap().unwrap();
    assert_eq!(
        label.label.frames,
        FrameRange::new(10, 16),
        "the first one stands"
    );
}

async fn a_refused_message_with_a_name_counts_as_received(store: LabelStore) {
    let refusal = |named: Option<u64>| Refusal {
        reason: RefusalReason::OutOfRange,
        detail: "confidence is not between 0 and 1".to_owned(),
        named: named.map(|seq| {
            Box::new(NamedMessage {
                site: name("north"),
                rig: name("rig"),
                boot: boot(),
                seq,
                topic: Topic::Label,
            })
        }),
    };
    let report = store
        .commit(&[
            incoming(Content::Refused(refusal(Some(1))), "a"),
            incoming(Content::Refused(refusal(None)), "b"),
            batch(2, &[]),
        ])
        .await
        .unwrap();
    assert_eq!((report.committed, report.quarantined), (1, 2));
    assert_eq!(watermark(&store).await, [(boot(), 2)]);
    assert!(!store.summary().await.unwrap().is_balanced());
}

async fn marks_are_kept_in_the_order_of_frames_however_late_they_come(store: LabelStore) {
    // The mark may come before the clip's opening, and in another order than it was made.
    store.commit(&[mark(4, 300)]).await.unwrap();
    store
        .commit(&[opened(1), mark(3, 12), mark(2, 300), mark(3, 12)])
        .await
        .unwrap();
    let clip = store.summary().await.unwrap().clips.remove(0);
    assert_eq!(clip.marks, 3);
    let marks = store.operator_marks(clip.id()).await.unwrap();
    assert_eq!(
        marks
            .iter()
            .map(|stored| (stored.seq, stored.mark.frame))
            .collect::<Vec<_>>(),
        [(3, 12), (2, 300), (4, 300)]
    );
    assert_eq!(marks[0].mark.pts_us.us(), 480_000);
    assert_eq!((marks[0].mark.mono_us, marks[0].mark.utc_us), (7, 8));
}

async fn a_failing_batch_stores_nothing(store: LabelStore) {
    // Two labels of one identity cannot both be stored; ingest never lets this through.
    let broken = batch(2, &[blink(0, 1, 0.5), blink(0, 2, 0.5)]);
    assert!(store.commit(&[opened(1), broken]).await.is_err());
    assert!(store.summary().await.unwrap().rigs.is_empty());
    store.commit(&[opened(1)]).await.unwrap();
    assert_eq!(watermark(&store).await, [(boot(), 1)]);
}

async fn a_clip_balances_when_all_of_it_is_here(store: LabelStore) {
    let counts = LabelCounts {
        offered: 2,
        abstained: 1,
        evidence: 1,
    };
    store
        .commit(&[
            opened(1),
            part(2, 0, 100),
            part(3, 100, 50),
            batch(4, &[blink(0, 10, 0.9), silence(1)]),
        ])
        .await
        .unwrap();
    let summary = store.summary().await.unwrap();
    assert_eq!(summary.clips[0].balance, Balance::Open);
    assert!(!summary.is_balanced());
    store.commit(&[closed(7, 150, counts)]).await.unwrap();
    assert_eq!(
        store.summary().await.unwrap().clips[0].balance,
        Balance::Unbalanced {
            offered: 1,
            abstained: 0,
            evidence: 1,
            frames: 0
        }
    );
    store
        .commit(&[evidence(6, (4, 0)), batch(5, &[blink(0, 60, 0.8)])])
        .await
        .unwrap();
    let summary = store.summary().await.unwrap();
    assert!(summary.is_balanced(), "{summary:?}");
    let clip = &summary.clips[0];
    assert_eq!(
        (clip.tracks, clip.blinks, clip.manifest_frames),
        (1, 2, 150)
    );
    assert_eq!(clip.review.total(), clip.committed.offered);
    assert_eq!(clip.clip.name.as_deref(), Some("drive.mp4"));
}

async fn what_a_level_rests_on_and_who_drives_is_kept(store: LabelStore) {
    let signs = Signs {
        seen_s: 60.0,
        perclos: 0.0125,
        blinks: 14,
        blink_ratio: Some(1.5),
        ..Signs::default()
    };
    let level = Label {
        kind: LabelKind::Alertness,
        value: Some(LabelValue::Level(4)),
        signs: Some(signs),
        driver: true,
        ..blink(0, 10, 0.9)
    };
    store
        .commit(&[batch(1, &[level, blink(1, 10, 0.9)])])
        .await
        .unwrap();
    let stored = async |n| store.label(&id(1, n)).await.unwrap().unwrap().label;
    let level = stored(0).await;
    assert_eq!((level.signs, level.driver), (Some(signs), true));
    assert_eq!(level.value, Some(LabelValue::Level(4).into()));
    let other = stored(1).await;
    assert_eq!((other.signs, other.driver), (None, false));
}

async fn a_late_will_of_an_earlier_boot_does_not_hide_the_rig(store: LabelStore) {
    let status = |boot, state| {
        incoming(
            Content::Status {
                site: name("north"),
                message: Status {
                    v: WIRE_VERSION,
                    rig: name("rig"),
                    boot,
                    state,
                },
            },
            "status",
        )
    };
    let birth = Birth {
        v: WIRE_VERSION,
        rig: name("rig"),
        boot: boot(),
        hardware: "x86_64".try_into().unwrap(),
        firmware: "0.1.0".try_into().unwrap(),
        runtime: model(),
        models: heapless::Vec::new(),
        board: "sim".try_into().unwrap(),
        board_sha256: "cd".try_into().unwrap(),
        self_test: None,
    };
    let birth = Content::Birth {
        site: name("north"),
        message: Box::new(birth),
    };
    let second = boot().next().unwrap();
    store
        .commit(&[
            status(second, Power::Online),
            status(boot(), Power::Offline),
            incoming(birth, "birth"),
        ])
        .await
        .unwrap();
    let rig = store.summary().await.unwrap().rigs.remove(0);
    assert_eq!(rig.power.as_deref(), Some("online"));
    assert_eq!(rig.birth.unwrap()["board"], "sim");
    // A wiped rig draws another base; whether it is greater says nothing.
    store
        .commit(&[status(BootId::first(1), Power::Stopped)])
        .await
        .unwrap();
    let rig = store.summary().await.unwrap().rigs.remove(0);
    assert_eq!(rig.power.as_deref(), Some("stopped"));
}

use balance::*;
use disagreements::*;
use exports::*;
use lines::*;
use missed::*;
use pictures::*;
use purge::*;
use queue::*;
use requests::*;
use second_looks::*;
use several::*;
use verdicts::*;

type Promise = fn(LabelStore) -> Pin<Box<dyn Future<Output = ()>>>;

macro_rules! on_both_engines {
    ($($test:ident),* $(,)?) => {
        const PROMISES: &[(&str, Promise)] =
            &[$((stringify!($test), |store| Box::pin($test(store)))),*];

        mod sqlite {
            $(
                #[tokio::test]
                async fn $test() {
                    let dir = tempfile::tempdir().unwrap();
                    let store = super::LabelStore::open(&dir.path().join("test.sqlite")).await.unwrap();
                    super::$test(store).await;
                }
            )*
        }
    };
}

on_both_engines!(
    the_watermark_is_the_highest_number_without_a_gap_below,
    what_the_rig_gave_up_counts_as_present,
    the_same_message_again_changes_nothing,
    another_message_of_the_same_name_is_kept_aside_where_it_can_be_seen,
    a_refused_message_with_a_name_counts_as_received,
    marks_are_kept_in_the_order_of_frames_however_late_they_come,
    a_failing_batch_stores_nothing,
    a_clip_balances_when_all_of_it_is_here,
    what_a_level_rests_on_and_who_drives_is_kept,
    labels_of_every_kind_come_in_order_with_what_there_is_to_see,
    the_queue_can_be_filtered_by_everything_a_reviewer_chooses_by,
    however_many_match_pages_follow_each_other_without_gap_or_repeat,
    a_minute_goes_first_to_quick_doubtful_labels,
    labels_are_found_by_what_they_were_seen_under,
    a_flag_that_is_judged_changes_what_others_were_seen_under,
    pictures_come_in_the_order_of_frames_and_count_as_evidence,
    a_picture_that_is_not_of_its_clip_is_kept_aside,
    verdicts_add_up_and_undo_brings_back_what_stood_before,
    redo_brings_back_what_was_taken_back_until_something_else_is_said,
    verdicts_that_say_too_little_are_refused,
    corrections_that_cannot_be_true_are_refused,
    a_request_that_comes_again_changes_nothing,
    what_somebody_works_on_nobody_else_judges_or_edits,
    many_labels_are_judged_at_once_or_not_at_all,
    what_the_machine_missed_is_made_listed_edited_and_removed,
    a_label_that_cannot_be_is_not_made,
    a_split_track_is_seen_as_two_and_undo_joins_them_again,
    merged_tracks_are_seen_as_one,
    a_label_made_on_an_edited_track_follows_its_person,
    a_track_is_extended_by_its_last_value,
    a_curve_is_joined_from_the_evidence_that_came,
    a_late_will_of_an_earlier_boot_does_not_hide_the_rig,
    only_the_boots_heard_last_are_told,
    what_is_drawn_blind_is_listed_to_nobody_until_somebody_answered_it,
    anybody_can_draw_the_sample_anew_from_what_is_on_record,
    silence_is_asked_about_where_it_can_be_seen_and_what_was_missed_becomes_a_label,
    frames_of_a_person_without_an_event_are_silence_too,
    a_judged_item_comes_again_to_its_judge_after_a_day_and_to_others_at_once,
    answers_that_cannot_be_are_refused,
    a_disagreement_is_settled_by_somebody_who_said_nothing_yet,
    what_stays_split_is_decided_by_a_lead_and_nothing_is_overwritten,
    where_nobody_is_left_to_be_asked_a_lead_need_not_wait,
    a_look_at_a_verdict_that_was_taken_back_is_not_wanted,
    writers_side_by_side_lose_and_double_nothing,
    what_a_rig_gives_up_though_it_is_here_is_not_lost,
    text_that_an_engine_cannot_hold_does_not_stop_the_stream,
    agreement_is_counted_by_kind_and_sort_apart_from_what_was_seen,
    labels_under_way_are_no_imbalance_and_labels_that_are_nowhere_are,
    a_closed_clip_is_judged_once_all_before_its_end_is_here_or_given_up,
    a_clip_that_lacks_what_nobody_gave_up_is_told_though_its_rig_goes_on,
    what_a_rig_gave_up_without_a_number_is_no_loss_and_what_is_here_after_all_was_not_given_up,
    a_number_that_the_rig_does_not_have_any_more_is_a_hole,
    an_answer_that_brings_nothing_ends_the_request_and_so_does_another_whole_a_second_time,
    a_picture_is_no_answer_to_a_question_for_frames,
    what_came_goes_after_thirty_days_though_nobody_asks_for_more,
    a_source_of_imported_labels_is_asked_for_nothing_and_told_nothing,
    what_another_ingester_took_in_since_it_was_asked_stands,
    one_program_at_a_time_asks_rigs,
    a_segment_that_a_rig_recorded_is_as_it_told_last,
    what_was_running_when_the_host_went_down_goes_before_what_waits,
    exports_go_when_they_are_old_or_too_much_and_numbers_do_not_come_back,
    an_export_is_told_as_far_as_it_came_and_with_what_is_in_it,
    hosts_on_one_store_write_and_forget_their_own_exports_and_eight_at_most_wait,
    a_clip_that_is_purged_is_gone_from_the_tables_and_not_missed,
    while_somebody_reads_what_was_there_before_it_is_said_to_be_still_there,
    labels_that_are_kept_stay_with_their_verdicts_and_the_clip_balances,
    what_comes_late_of_a_purged_clip_is_acknowledged_and_not_kept,
    of_one_person_go_their_labels_and_every_picture_they_may_be_in_and_no_other,
    a_person_of_a_clip_that_goes_on_cannot_be_purged_yet_and_an_unknown_clip_never,
    what_was_asked_of_the_rig_goes_too_and_cannot_be_asked_again,
    pictures_that_are_too_old_go_and_are_not_missed_and_labels_stay,
    beyond_a_size_the_oldest_pictures_go_and_no_more_than_needed,
    labels_go_with_their_clip_when_their_run_is_too_old_and_once_only,
    a_rig_is_asked_when_it_is_there_until_it_says_that_nothing_is_left,
    a_large_purge_lets_others_write_and_goes_on_where_a_kill_left_it,
    rigs_that_bring_new_models_at_once_do_not_wait_for_each_other_in_a_ring,
    while_labels_are_imported_rigs_and_people_go_on_where_the_engine_can,
    a_line_is_kept_judged_and_found_as_other_labels_are,
    a_line_goes_along_where_its_track_is_edited_or_extended,
    of_lines_nobody_is_asked_for_a_second_look,
);

/// One server for all, and tables made once: both take a second.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_promises_the_same() {
    let server = server::Postgres::start_unsynced();
    let empty = server.database();
    let made = LabelStore::open_postgres(&empty).await.unwrap();
    made.close().await;
    let mut broken = Vec::new();
    for (name, promise) in PROMISES {
        let began = Instant::now();
        let address = server.copy_of(&empty);
        let store = LabelStore::open_postgres(&address).await.unwrap();
        let promise = AssertUnwindSafe(promise(store.clone())).catch_unwind();
        if promise.await.is_err() {
            broken.push(name);
        }
        store.close().await;
        println!("{:6} ms {name}", began.elapsed().as_millis());
    }
    assert!(broken.is_empty(), "{broken:#?}");
}
