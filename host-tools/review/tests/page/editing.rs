//! Corrections: a box by its keyframes, an event by its edges, attributes by one key.

use crate::browser::{ARROW_RIGHT, ENTER, SHIFT};
use crate::desk::{Desk, SAVED, label_of};
use label_core::wire::LabelValue;
use label_core::{FrameRange, LabelKind};
use label_store::{DeskValue, Judgement, ReviewState, Verdict};

/// What stands, which must be a correction.
fn correction(history: &[Verdict]) -> &label_store::Correction {
    let last = history.last().unwrap();
    assert_eq!(last.judgement, Judgement::Correct);
    last.correction.as_ref().unwrap()
}

#[tokio::test]
async fn a_box_is_corrected_by_one_moved_keyframe_and_what_lies_between_follows() {
    let desk = Desk::open("People and eyes").await;
    let key = desk.show(LabelKind::BboxPerson, 12).await;
    let page = &desk.page;
    page.until("document.querySelector('.own .handle') !== null")
        .await;
    page.until("document.querySelector('.which').textContent.includes('in its own picture')")
        .await;

    // The right side by ten pixels and one: a keyframe appears where there was none.
    page.press("e").await;
    page.press("hhhh").await;
    page.chord(SHIFT, ARROW_RIGHT).await;
    page.press(&ARROW_RIGHT.to_string()).await;
    page.until("document.querySelectorAll('.track-line .key').length === 5")
        .await;
    assert!(
        page.text(".legend").await.contains("more than 1.5 px"),
        "it says where the interpolation leaves what the rig measured"
    );
    page.press(&ENTER.to_string()).await;

    let history = desk.said_of(&key).await;
    let correction = correction(&history);
    assert_eq!(correction.frames, None);
    let Some(DeskValue::Offered(LabelValue::Boxes(boxes))) = &correction.value else {
        panic!("a box is corrected by boxes");
    };
    let offered = label_of(&desk.store, LabelKind::BboxPerson, 12).await;
    let Some(DeskValue::Offered(LabelValue::Boxes(before))) = offered.label.value else {
        panic!("a box was offered");
    };
    assert_eq!(boxes.len(), before.len() + 1);
    let frames: Vec<_> = before.iter().map(|one| one.0).collect();
    let set = boxes.iter().find(|one| !frames.contains(&one.0)).unwrap();
    // All the others stand as the rig told them.
    let kept = boxes.iter().filter(|one| one.0 != set.0);
    assert!(kept.zip(&before).all(|(one, other)| one == other));
    // The new one is as wide as the box was there, and eleven pixels.
    let after = frames.iter().position(|frame| *frame > set.0).unwrap();
    let (a, b) = (&before[after - 1], &before[after]);
    let share = f64::from(set.0 - a.0) / f64::from(b.0 - a.0);
    let width = f64::from(a.3) + share * f64::from(b.3 - a.3);
    let gained = f64::from(set.3) - width;
    assert!((gained - 11.0).abs() < 0.02, "{gained} px wider");
    desk.close().await;
}

#[tokio::test]
async fn an_events_edges_are_moved_by_keys_and_dragged_by_mouse() {
    let desk = Desk::open("Events").await;
    let key = desk.show(LabelKind::Blink, 112).await;
    desk.page
        .until("document.querySelector('.film .grip') !== null")
        .await;
    desk.page.press("[[]").await;
    desk.page.until(&crate::desk::shows("112–118")).await;
    // What is being changed is shown before it is saved.
    desk.page
        .until("document.querySelector('.facts .changed')?.textContent.includes('110–119')")
        .await;
    desk.page.press(&ENTER.to_string()).await;
    let history = desk.said_of(&key).await;
    assert_eq!(correction(&history).frames, Some(FrameRange::new(110, 119)));

    // The end of the next one, by mouse, two columns of the filmstrip further.
    let key = desk.show(LabelKind::Blink, 203).await;
    desk.page
        .until("document.querySelector('.film img')?.naturalWidth > 0")
        .await;
    let column = desk
        .page
        .ask("return document.querySelector('.numbers li').offsetWidth")
        .await
        .as_f64()
        .unwrap();
    desk.page.drag(".film .grip.end", 2.0 * column, 0.0).await;
    desk.page
        .until("document.querySelector('.save') !== null")
        .await;
    desk.page.press("a").await;
    let history = desk.said_of(&key).await;
    assert_eq!(correction(&history).frames, Some(FrameRange::new(203, 211)));
    desk.close().await;
}

#[tokio::test]
async fn one_key_says_what_is_so_and_corrects_or_accepts() {
    let desk = Desk::open("Attributes").await;
    let glasses = desk.show(LabelKind::WearingGlasses, 12).await;
    desk.page.press("n").await;
    let history = desk.said_of(&glasses).await;
    assert_eq!(
        correction(&history).value,
        Some(LabelValue::Flag(false).into())
    );

    let shadow = desk.show(LabelKind::InShadow, 12).await;
    desk.page.press("n").await;
    let history = desk.said_of(&shadow).await;
    assert_eq!(history.last().unwrap().judgement, Judgement::Accept);

    let level = desk.show(LabelKind::Alertness, 150).await;
    desk.page.press("g").await;
    assert!(desk.page.text(".rubric").await.contains("PERCLOS"));
    assert!(desk.page.text(".signs").await.contains("longest closure"));
    desk.page.press("4").await;
    let history = desk.said_of(&level).await;
    assert_eq!(
        correction(&history).value,
        Some(LabelValue::Level(4).into())
    );
    desk.close().await;
}

#[tokio::test]
async fn a_missed_blink_is_made_at_the_frame_that_is_looked_at() {
    let desk = Desk::open("Events").await;
    desk.show(LabelKind::Blink, 112).await;
    desk.page
        .until("document.querySelector('.film .grip') !== null")
        .await;
    // From the frame of the smallest opening twelve frames on, then an edge.
    desk.page.press("............n]").await;
    desk.page.press(&ENTER.to_string()).await;
    desk.page
        .until("document.querySelectorAll('.row.created').length === 1")
        .await;
    desk.page.until(SAVED).await;
    let made = label_of(&desk.store, LabelKind::Blink, 123).await.label;
    assert_eq!(made.frames, FrameRange::new(123, 130));
    assert_eq!(made.track, Some(1));
    assert_eq!(made.state, Some(ReviewState::Created));
    // It is taken back and brought back like any step.
    desk.page.press("u").await;
    desk.page
        .until("document.querySelectorAll('.row.removed').length === 1")
        .await;
    desk.page.chord(SHIFT, 'u').await;
    desk.page
        .until("document.querySelectorAll('.row.created').length === 1")
        .await;
    let history = desk.said_of(&made.id).await;
    let judgements: Vec<_> = history.iter().map(|verdict| verdict.judgement).collect();
    assert_eq!(
        judgements,
        [Judgement::Create, Judgement::Withdraw, Judgement::Restore]
    );
    desk.close().await;
}

#[tokio::test]
async fn a_track_is_split_where_one_looks_and_joined_again_by_undo() {
    let desk = Desk::open("People and eyes").await;
    desk.show(LabelKind::BboxPerson, 12).await;
    desk.page
        .until("document.querySelector('.which').textContent.includes('in its own picture')")
        .await;
    desk.page.press("t").await;
    let other = "[...document.querySelectorAll('.tools option')].length > 4";
    desk.page.until(other).await;
    desk.page.press("u").await;
    desk.page.until(&format!("!({other})")).await;
    desk.close().await;
}

#[tokio::test]
async fn keyframes_are_deleted_and_a_label_extended_step_by_step_with_undo() {
    let desk = Desk::open("People and eyes").await;
    let key = desk.show(LabelKind::BboxPerson, 12).await;
    let keys =
        |count: usize| format!("document.querySelectorAll('.track-line .key').length === {count}");
    desk.page.until(&keys(4)).await;
    let at =
        |frame: u32| format!("document.querySelector('.which strong').textContent === '{frame}'");
    desk.page.until(&at(71)).await;
    // The keyframe before is gone, then back, then gone for good.
    desk.page.press("[").await;
    desk.page.until(&at(60)).await;
    desk.page.press("\u{e017}").await;
    desk.page.until(&keys(3)).await;
    desk.page.press("u").await;
    desk.page.until(&keys(4)).await;
    desk.page.press("\u{e017}").await;
    desk.page.until(&keys(3)).await;
    // Three frames beyond its end.
    desk.page.press("]]").await;
    desk.page.until(&at(131)).await;
    desk.page.press("...w").await;
    desk.page.until(&keys(4)).await;
    desk.page.press(&ENTER.to_string()).await;
    let history = desk.said_of(&key).await;
    let correction = correction(&history);
    assert_eq!(correction.frames, Some(FrameRange::new(12, 134)));
    let Some(DeskValue::Offered(LabelValue::Boxes(boxes))) = &correction.value else {
        panic!("a box is corrected by boxes");
    };
    let frames: Vec<_> = boxes.iter().map(|one| one.0).collect();
    assert_eq!(frames, [12, 120, 131, 134]);
    desk.close().await;
}

#[tokio::test]
async fn two_tracks_of_one_person_are_merged() {
    let desk = Desk::open("People and eyes").await;
    desk.show(LabelKind::BboxPerson, 1210).await;
    let before = label_of(&desk.store, LabelKind::BboxPerson, 1210).await;
    assert_eq!(before.label.track, Some(3));
    desk.page
        .until("[...document.querySelectorAll('.tools option')].some((one) => one.value === '2')")
        .await;
    desk.page
        .ask(
            "const into = document.querySelector('.tools select');
             into.value = '2'; into.dispatchEvent(new Event('change', { bubbles: true }));",
        )
        .await;
    desk.page
        .until("document.querySelector('.side .facts dd').textContent.startsWith('track 2')")
        .await;
    let after = label_of(&desk.store, LabelKind::BboxPerson, 1210).await;
    assert_eq!(after.label.track, Some(2));
    desk.close().await;
}
