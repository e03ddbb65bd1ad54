//! A second look by the keys alone: what is said from scratch, what it is then held against, and what the database keeps.

use crate::browser::{ARROW_RIGHT, Browser, ENTER, SHIFT};
use crate::desk::{Host, SAVED, label_at, shows};
use crate::synthetic_drive::Rig;
use label_core::wire::LabelValue;
use label_core::{FrameRange, LabelKind};
use label_store::{
    Judgement, LabelStore, LookDetail, LookSort, ReviewState, Role, Said, Sampling, Shares, now_us,
};
use tempfile::TempDir;

const ARROW_LEFT: char = '\u{e012}';
const ARROW_DOWN: char = '\u{e015}';

struct Looked {
    store: LabelStore,
    host: Host,
    page: Browser,
    _folder: TempDir,
}

/// A desk of one person that draws from one kind alone.
async fn desk(kind: LabelKind, shares: Shares) -> Looked {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("labels.db");
    let store = LabelStore::open(&database).await.unwrap();
    let mut sampling = Sampling::of_all(5, Shares::NONE);
    sampling.shares.insert(kind, shares);
    store.set_sampling(&sampling, "test", 1).await.unwrap();
    Rig::drive_with_every_kind(&store).await;
    let host = Host::start(&database, "127.0.0.1:0".parse().unwrap());
    let page = Browser::open(&format!("http://{}/#/second-look", host.address)).await;
    page.until(ASKED).await;
    Looked {
        store,
        host,
        page,
        _folder: folder,
    }
}

const ASKED: &str = "document.querySelector('.second-look')?.dataset.phase === 'asked'";
const ANSWERED: &str = "document.querySelector('.second-look')?.dataset.phase === 'answered'";
const BLIND: Shares = Shares {
    blind: 1.0,
    ..Shares::NONE
};

impl Looked {
    async fn shown(&self) -> LookDetail {
        let number = "return Number(document.querySelector('.second-look').dataset.look)";
        let number = self.page.ask(number).await.as_i64().unwrap();
        self.store.look(number).await.unwrap()
    }

    async fn after(&self, number: i64) {
        let another = format!(
            "document.querySelector('.second-look[data-phase=asked]:not([data-look=\"{number}\"])') !== null"
        );
        self.page.until(&another).await;
    }

    /// Steps through the filmstrip to a frame.
    async fn step_to(&self, frame: u32) {
        let now = "return Number(document.querySelector('.verdict .moves').textContent.replace('frame ', ''))";
        let now = self.page.ask(now).await.as_u64().unwrap() as u32;
        let way = if now < frame { ARROW_RIGHT } else { ARROW_LEFT };
        let keys = vec![way; now.abs_diff(frame) as usize];
        self.page.press(&keys.iter().collect::<String>()).await;
        let there =
            format!("document.querySelector('.verdict .moves').textContent === 'frame {frame}'");
        self.page.until(&there).await;
    }

    async fn close(self) {
        self.page.close().await;
        self.host.vanish();
    }
}

#[tokio::test]
async fn a_blink_is_marked_before_it_is_seen_and_then_corrected_to_the_marks() {
    let desk = desk(LabelKind::Blink, BLIND).await;
    desk.page
        .until("document.querySelector('.scratch .film img')?.naturalWidth > 0")
        .await;
    let before = desk.page.text(".second-look").await;
    assert!(
        !before.contains("confidence") && !before.contains('%'),
        "{before}"
    );
    let asked = desk.shown().await.look;
    let label = asked.label.clone().unwrap();
    let offered = desk
        .store
        .label(&label)
        .await
        .unwrap()
        .unwrap()
        .label
        .frames;
    let mine = FrameRange::new(offered.start + 1, offered.end - 1);
    desk.step_to(mine.start).await;
    desk.page.press("[").await;
    desk.step_to(mine.end).await;
    desk.page.press("]").await;
    desk.page.press(&ENTER.to_string()).await;
    desk.page.until(ANSWERED).await;
    let held = desk.page.text(".held-against").await;
    assert!(
        held.contains("the rig says") && held.contains("agrees"),
        "{held}"
    );
    let rigs = format!("frames {}–{}", offered.start, offered.end);
    assert!(held.contains(&rigs), "{held}");

    desk.page.press("t").await;
    desk.after(asked.look).await;
    let verdicts = desk.store.verdicts(&label).await.unwrap();
    let said: Vec<_> = verdicts.iter().map(|verdict| verdict.judgement).collect();
    assert_eq!(said, [Judgement::Correct]);
    let right = verdicts[0].correction.as_deref().unwrap();
    assert_eq!(right.frames, Some(mine));
    let kept = desk.store.look(asked.look).await.unwrap();
    assert_eq!(
        (kept.look.sort, kept.agrees()),
        (LookSort::Blind, Some(true))
    );
    desk.close().await;
}

#[tokio::test]
async fn an_answer_is_taken_back_by_one_key_and_the_candidate_waits_in_the_queue() {
    let desk = desk(LabelKind::WearingGlasses, BLIND).await;
    let asked = desk.shown().await.look;
    let label = asked.label.clone().unwrap();
    desk.page.press("c").await;
    desk.page.until(ANSWERED).await;
    assert_eq!(desk.shown().await.answer.unwrap().said, Said::CannotTell);
    desk.page.press("u").await;
    desk.after(asked.look).await;
    assert_eq!(desk.store.look(asked.look).await.unwrap().answer, None);
    let label = desk.store.label(&label).await.unwrap().unwrap().label;
    assert_eq!(label.state, Some(ReviewState::Waiting));
    desk.close().await;
}

#[tokio::test]
async fn a_box_is_drawn_by_keys_from_corner_to_corner() {
    let desk = desk(LabelKind::BboxPerson, BLIND).await;
    desk.page.press(" ").await;
    for _ in 0..12 {
        desk.page.chord(SHIFT, ARROW_RIGHT).await;
        desk.page.chord(SHIFT, ARROW_DOWN).await;
    }
    desk.page.press(&format!(" {ENTER}")).await;
    desk.page.until(ANSWERED).await;
    let detail = desk.shown().await;
    let answer = detail.answer.as_ref().unwrap();
    let quality::Reading::Here(frames, LabelValue::Boxes(keys)) = &answer.reading else {
        panic!("{answer:?}");
    };
    assert_eq!(frames.frames(), 1);
    assert_eq!((keys[0].3, keys[0].4), (120.0, 120.0));
    assert!(
        detail.agrees() == Some(false),
        "a small box in the middle is nobody"
    );
    desk.close().await;
}

#[tokio::test]
async fn an_eye_that_the_rig_was_silent_about_becomes_a_label() {
    let shares = Shares {
        silence: 1.0,
        ..Shares::NONE
    };
    let desk = desk(LabelKind::KeypointLeftEye, shares).await;
    desk.page
        .press(&format!("{ARROW_RIGHT}{ARROW_RIGHT}{ENTER}"))
        .await;
    desk.page.until(ANSWERED).await;
    assert!(
        desk.page
            .text(".held-against")
            .await
            .contains("made into a label")
    );
    let made = desk.shown().await.answer.unwrap().made.unwrap();
    let label = desk.store.label(&made).await.unwrap().unwrap().label;
    assert_eq!(
        (label.kind, label.state),
        (
            LabelKind::KeypointLeftEye.into(),
            Some(ReviewState::Created)
        )
    );
    desk.close().await;
}

const PASSWORD: &str = "a long walk in the rain";

async fn sign_in(host: &Host, name: &str, view: &str) -> Browser {
    let page = Browser::open(&format!("http://{}/#/{view}", host.address)).await;
    page.until("document.activeElement?.name === 'name'").await;
    page.press(&format!("{name}\u{e004}{PASSWORD}{ENTER}"))
        .await;
    page
}

#[tokio::test]
async fn two_disagree_a_third_is_asked_and_a_lead_decides_side_by_side() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("labels.db");
    let store = LabelStore::open(&database).await.unwrap();
    let mut sampling = Sampling::of_all(5, Shares::NONE);
    let others = Shares {
        other: 1.0,
        ..Shares::NONE
    };
    sampling.shares.insert(LabelKind::Blink, others);
    store.set_sampling(&sampling, "test", 1).await.unwrap();
    Rig::drive(&store).await;
    let hash = review::hash_password(PASSWORD).unwrap();
    for (name, role) in [
        ("amy", Role::Reviewer),
        ("bea", Role::Reviewer),
        ("cid", Role::Reviewer),
        ("lea", Role::Lead),
    ] {
        store
            .add_user(name, role, &hash, "test", now_us())
            .await
            .unwrap();
    }
    let host = Host::start(&database, "127.0.0.1:0".parse().unwrap());
    // Amy accepts the first blink of the queue.
    let amy = sign_in(&host, "amy", "review").await;
    amy.until(&shows("112–118")).await;
    amy.press("a").await;
    amy.until(SAVED).await;
    amy.close().await;
    let (label, _) = label_at(&store, 112).await;

    // Bea and Cid, asked from scratch, find none; each in a browser of their own, and both at work.
    let bea = sign_in(&host, "bea", "second-look").await;
    bea.until(ASKED).await;
    let cid = sign_in(&host, "cid", "second-look").await;
    cid.until("document.querySelector('.nothing h2')?.textContent.includes('No second look')")
        .await;
    assert!(!bea.text(".second-look").await.contains("amy"));
    bea.press("n").await;
    bea.until(ANSWERED).await;
    let held = bea.text(".held-against").await;
    assert!(
        held.contains("differs") && held.contains("somebody else said"),
        "{held}"
    );
    assert!(!held.contains("amy"), "{held}");
    cid.until("document.querySelector('.views .waits') !== null")
        .await;
    cid.until(ASKED).await;
    cid.press("n").await;
    cid.until(ANSWERED).await;
    bea.close().await;
    cid.close().await;

    let lea = sign_in(&host, "lea", "disagreements").await;
    lea.until(
        "document.querySelectorAll('.disagreements footer button[class^=side]').length === 3",
    )
    .await;
    let before = lea.text(".disagreements").await;
    for name in ["amy", "bea", "cid"] {
        assert!(!before.contains(name), "{before}");
    }
    lea.until("document.querySelector('.disagreements .strip img')?.naturalWidth > 0")
        .await;
    let nothing = "return [...document.querySelectorAll('.disagreements footer button[class^=side]')].findIndex((side) => side.textContent.includes('nothing')) + 1";
    let nothing = lea.ask(nothing).await.to_string();
    lea.press(&nothing).await;
    lea.until("document.querySelector('#decided-title') !== null")
        .await;
    let after = lea.text(".disagreements section").await;
    for name in ["amy", "bea", "cid", "lea replaced the verdict"] {
        assert!(after.contains(name), "{after}");
    }
    let kept = store.verdicts(&label).await.unwrap();
    let said: Vec<_> = kept
        .iter()
        .map(|one| (one.judgement, one.reviewer.as_str()))
        .collect();
    assert_eq!(
        said,
        [(Judgement::Accept, "amy"), (Judgement::Reject, "lea")]
    );
    lea.press("u").await;
    lea.until("document.querySelector('#decided-title') === null")
        .await;
    assert_eq!(label_at(&store, 112).await.1, Some(ReviewState::Accepted));
    lea.close().await;
    host.vanish();
}
