//! Lines: one corrected by mouse and keys, one drawn by clicks, one by keys alone.

use crate::browser::{ARROW_DOWN, ARROW_RIGHT, ENTER, SHIFT};
use crate::desk::{Desk, SAVED, label_of};
use crate::drawn_lines::draw_lines;
use label_core::{FrameRange, LabelKind};
use label_store::{DeskValue, Judgement, LineKind, LineValue, ReviewState};

/// The first frame of the drawn lines, and the points of the lids.
const FROM: u32 = 12;
const POINTS: usize = 12;

fn line(value: Option<&DeskValue>) -> &LineValue {
    let Some(DeskValue::Line { line }) = value else {
        panic!("a line's value is a line: {value:?}");
    };
    line
}

/// The page shows a picture of its own for the frame, and a line of so many points.
async fn shown(desk: &Desk, points: usize) {
    desk.page
        .until("document.querySelector('.which').textContent.includes('in its own picture')")
        .await;
    desk.page.until(&has_points(points)).await;
}

fn has_points(count: usize) -> String {
    format!("document.querySelectorAll('[data-point]').length === {count}")
}

async fn number(desk: &Desk, script: &str) -> f64 {
    desk.page.ask(script).await.as_f64().unwrap()
}

/// CSS pixels a pixel of the source.
async fn scale(desk: &Desk) -> f64 {
    let script = "return Number(document.querySelector('.over').dataset.scale)";
    number(desk, script).await
}

#[tokio::test]
async fn a_lines_points_are_dragged_nudged_added_and_deleted() {
    let desk = Desk::open("Lines").await;
    draw_lines(&desk.store).await;
    let key = desk.show(LineKind::LeftEyelid, FROM).await;
    let offered = label_of(&desk.store, LineKind::LeftEyelid, FROM).await;
    let offered = line(offered.label.value.as_ref()).clone();
    let page = &desk.page;
    shown(&desk, POINTS).await;
    let frame = number(
        &desk,
        "return Number(document.querySelector('.which strong').textContent)",
    )
    .await as u32;
    let before = offered.at(frame).unwrap().points;

    // By mouse: the third point, and one more in the middle of the side that leads from the sixth.
    let scale = scale(&desk).await;
    page.drag("[data-point='2']", 20.0, -8.0).await;
    page.until("document.querySelector('.save') !== null").await;
    page.double_click_between("[data-point='5']", "[data-point='6']")
        .await;
    page.until(&has_points(POINTS + 1)).await;
    // By keys: that one is chosen; the next one goes right by eleven pixels and down by one, the one after it goes.
    page.press("h").await;
    page.chord(SHIFT, ARROW_RIGHT).await;
    page.press(&format!("{ARROW_RIGHT}{ARROW_DOWN}h")).await;
    page.chord(SHIFT, 'd').await;
    page.until(&has_points(POINTS)).await;
    // One too many in the middle of a side, taken back.
    page.press("d").await;
    page.until(&has_points(POINTS + 1)).await;
    page.press("u").await;
    page.until(&has_points(POINTS)).await;
    assert!(
        page.text(".said-line")
            .await
            .contains("from the line as it came"),
        "it says how far the line has left what it was"
    );
    page.press(&ENTER.to_string()).await;

    let history = desk.said_of(&key).await;
    let last = history.last().unwrap();
    assert_eq!(last.judgement, Judgement::Correct);
    let correction = last.correction.as_ref().unwrap();
    assert_eq!(correction.frames, None);
    let after = line(correction.value.as_ref());
    assert!(after.closed);
    // What was keyed before stands as it was; the shown frame has a keyframe of its own.
    let kept: Vec<_> = after.keys.iter().filter(|key| key.0 != frame).collect();
    let told: Vec<_> = offered.keys.iter().filter(|key| key.0 != frame).collect();
    assert_eq!(kept, told);
    let set = &after.keys.iter().find(|key| key.0 == frame).unwrap().1;
    let mut wanted = before.clone();
    wanted[2][0] += 20.0 / scale;
    wanted[2][1] -= 8.0 / scale;
    let middle = |a: [f64; 2], b: [f64; 2]| [a[0].midpoint(b[0]), a[1].midpoint(b[1])];
    wanted.insert(6, middle(before[5], before[6]));
    wanted[7][0] += 11.0;
    wanted[7][1] += 1.0;
    wanted.remove(8);
    assert_eq!(set.len(), wanted.len());
    for (at, wanted) in set.iter().zip(&wanted) {
        // A mouse hits whole CSS pixels, which are less than half a pixel of the source here.
        let off = (f64::from(at[0]) - wanted[0]).hypot(f64::from(at[1]) - wanted[1]);
        assert!(off < 0.8, "{at:?} is not {wanted:?}");
    }
    desk.close().await;
}

#[tokio::test]
async fn a_missed_line_is_drawn_by_clicks_and_closed_on_its_first_point() {
    let desk = Desk::open("People and eyes").await;
    desk.show(LabelKind::BboxPerson, 12).await;
    let page = &desk.page;
    page.until("document.querySelector('.which').textContent.includes('in its own picture')")
        .await;
    page.press("n").await;
    page.until("document.querySelectorAll('.causes button').length === 4")
        .await;
    page.press("3").await;
    page.until("document.querySelector('.over.drawing') !== null")
        .await;
    for (n, (x, y)) in [(-60.0, -40.0), (60.0, -40.0), (0.0, 70.0)]
        .into_iter()
        .enumerate()
    {
        page.click_beside(".over", x, y).await;
        page.until(&has_points(n + 1)).await;
    }
    page.click_beside("[data-point='0']", 0.0, 0.0).await;
    page.until("document.querySelector('.save') !== null").await;
    // Three frames further it is elsewhere: extended, and as a whole moved by ten pixels.
    page.press("...we").await;
    page.chord(SHIFT, ARROW_RIGHT).await;
    page.press(&ENTER.to_string()).await;
    page.until("document.querySelectorAll('.row.created').length === 1")
        .await;
    page.until(SAVED).await;
    let frame = number(
        &desk,
        "return Number(document.querySelector('.which strong').textContent)",
    )
    .await as u32;
    let made = label_of(&desk.store, LineKind::FaceOutline, frame)
        .await
        .label;
    assert_eq!(made.frames, FrameRange::new(frame, frame + 3));
    assert_eq!(made.track, Some(1));
    assert_eq!(made.state, Some(ReviewState::Created));
    let drawn = line(made.value.as_ref());
    assert!(drawn.closed);
    let keyed: Vec<_> = drawn.keys.iter().map(|key| (key.0, key.1.len())).collect();
    assert_eq!(keyed, [(frame, 3), (frame + 3, 3)]);
    for (a, b) in drawn.keys[0].1.iter().zip(&drawn.keys[1].1) {
        assert!((b[0] - a[0] - 10.0).abs() < 0.02 && (b[1] - a[1]).abs() < 0.02);
    }
    // It is taken back and brought back like any step.
    page.press("u").await;
    page.until("document.querySelectorAll('.row.removed').length === 1")
        .await;
    page.chord(SHIFT, 'u').await;
    page.until("document.querySelectorAll('.row.created').length === 1")
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
async fn a_missed_line_is_drawn_by_keys_alone_and_keeps_its_least_points() {
    let desk = Desk::open("People and eyes").await;
    desk.show(LabelKind::BboxPerson, 12).await;
    let page = &desk.page;
    page.until("document.querySelector('.which').textContent.includes('in its own picture')")
        .await;
    page.press("n2 ").await;
    page.until(&has_points(1)).await;
    // One point is no line; two are an open one; a letter judges nothing meanwhile.
    page.press(&format!("{ENTER}a")).await;
    page.until("document.querySelector('.over.drawing') !== null")
        .await;
    page.chord(SHIFT, ARROW_RIGHT).await;
    page.press(&format!("{ARROW_RIGHT} ")).await;
    page.until(&has_points(2)).await;
    page.press(&format!("c{ENTER}")).await;
    page.until("document.querySelector('.trouble')?.textContent.includes('3 points')")
        .await;
    page.press(&format!("c{ENTER}")).await;
    page.until("document.querySelector('.save') !== null").await;
    page.press("h").await;
    page.chord(SHIFT, 'd').await;
    page.until("document.querySelector('.trouble')?.textContent.includes('2 points')")
        .await;
    page.press(&ENTER.to_string()).await;
    page.until("document.querySelectorAll('.row.created').length === 1")
        .await;
    page.until(SAVED).await;
    let frame = number(
        &desk,
        "return Number(document.querySelector('.which strong').textContent)",
    )
    .await as u32;
    let made = label_of(&desk.store, LineKind::RightEyelid, frame)
        .await
        .label;
    let drawn = line(made.value.as_ref());
    assert!(!drawn.closed);
    let points = &drawn.keys[0].1;
    assert_eq!(points.len(), 2);
    assert_eq!(
        [points[1][0] - points[0][0], points[1][1] - points[0][1]],
        [11.0, 0.0]
    );
    desk.close().await;
}
