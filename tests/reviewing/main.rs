//! A reviewer's work on what the appliance really says of the demo clip: rig, host and browser are the real ones, and the
//! database is looked into afterwards.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where it cannot go on; its helpers too"
)]

#[path = "../../host-tools/review/tests/browser/mod.rs"]
#[expect(dead_code, reason = "the page's own tests do more with it")]
mod browser;

use browser::{ARROW_RIGHT, Browser, ENTER, SHIFT};
use end_to_end::{Host, Program, binary, wait_for};
use label_core::wire::LabelValue;
use label_core::{FrameRange, LabelKind};
use label_store::{
    DeskValue, Judgement, LabelKey, LabelStore, QueueFilter, QueueItem, ReviewState, Sampling,
    Shares, Verdict, label_key_text,
};
use std::path::Path;
use std::process::Command;

const FIXTURE: &str = env!("CARGO_BIN_EXE_fixture-rig");
const SAVED: &str = r#"document.querySelector('main[data-unsaved="0"]') !== null"#;

/// The shipped board, which labels the first minute of the demo clip, against this broker.
fn board(folder: &Path, broker: u16) -> String {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for needed in [".rigel/clips/franck.mp4", ".rigel/models"] {
        assert!(
            project.join(needed).exists(),
            "{needed} is not there: run `cargo xtask setup`"
        );
    }
    let shipped = std::fs::read_to_string(project.join("boards/sim.toml")).unwrap();
    shipped
        .replace("\"../", &format!("\"{}/", project.display()))
        .lines()
        .map(|line| match line.split('=').next().unwrap().trim() {
            "dir" => format!("dir = \"{}\"\n", folder.join("outbox").display()),
            "port" => format!("port = {broker}\n"),
            _ => format!("{line}\n"),
        })
        .collect()
}

struct Desk {
    store: LabelStore,
    page: Browser,
}

impl Desk {
    /// What the rig offered of these kinds, as it happened.
    async fn offered(&self, kinds: &[LabelKind]) -> Vec<QueueItem> {
        let filter = QueueFilter {
            kinds: kinds.iter().map(|kind| (*kind).into()).collect(),
            ..QueueFilter::default()
        };
        self.store.queue(&filter).await.unwrap().items
    }

    async fn show(&self, item: &QueueItem) {
        let id = label_key_text(&item.label.id);
        self.page
            .ask(&format!("location.hash = '#/review/{id}'"))
            .await;
        self.page
            .until(&format!(
                "document.querySelector('.facts .id')?.textContent === '{id}'"
            ))
            .await;
        self.page
            .until("document.querySelector('.film img')?.naturalWidth > 0 || document.querySelector('.over') !== null")
            .await;
    }

    async fn said_of(&self, label: &LabelKey) -> Vec<Verdict> {
        self.page.until(SAVED).await;
        self.store.verdicts(label).await.unwrap()
    }

    async fn judgements(&self, label: &LabelKey) -> Vec<Judgement> {
        let said = self.said_of(label).await;
        said.iter().map(|verdict| verdict.judgement).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reviewer_works_on_what_the_rig_says_of_the_demo_clip() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("host");
    std::fs::create_dir_all(&data).unwrap();
    let store = LabelStore::open(&data.join("rigel.sqlite")).await.unwrap();
    // Nothing is kept back to be asked from scratch: the whole queue is this reviewer's.
    let sampling = Sampling::of_all(1, Shares::NONE);
    store.set_sampling(&sampling, "test", 1).await.unwrap();
    let rigel = binary("rigel", FIXTURE);
    let host = Host::start(&rigel, &data, &["--embedded-broker", "127.0.0.1:0"]);
    let file = folder.path().join("board.toml");
    std::fs::write(&file, board(folder.path(), host.broker)).unwrap();
    let rigeld = binary("rigeld", FIXTURE);
    let mut run = Command::new(rigeld);
    let rig = Program::start("rigeld", run.arg("run").arg("--board").arg(&file));
    let ended = wait_for_each_message(&store, rig).await;
    assert!(ended, "the rig delivers everything and ends");
    assert!(store.summary().await.unwrap().clips[0].committed.offered > 0);

    let page = Browser::open(&format!("http://{}/", host.http)).await;
    let desk = Desk { store, page };
    let page = &desk.page;

    // Events: accepted, corrected at an edge, rejected with a cause, each in front of its own filmstrip.
    let events = desk
        .offered(&[LabelKind::Blink, LabelKind::LongClosure])
        .await;
    assert!(events.len() >= 4, "{} events", events.len());
    desk.show(&events[0]).await;
    page.press("a").await;
    assert_eq!(
        desk.judgements(&events[0].label.id).await,
        [Judgement::Accept]
    );
    desk.show(&events[1]).await;
    page.until("document.querySelector('.film .grip') !== null")
        .await;
    page.press(&format!("]{ENTER}")).await;
    let said = desk.said_of(&events[1].label.id).await;
    let frames = events[1].label.frames;
    assert_eq!(
        said[0].correction.as_ref().unwrap().frames,
        Some(FrameRange::new(frames.start, frames.end + 1))
    );
    desk.show(&events[2]).await;
    page.press("r2").await;
    let said = desk.said_of(&events[2].label.id).await;
    assert_eq!(said[0].cause.as_deref(), Some("wrong-time"));

    // A reload forgets nothing: what was said before it is taken back and said again.
    page.ask("window.before = true; location.reload()").await;
    page.until(&format!("window.before === undefined && {SAVED}"))
        .await;
    desk.show(&events[2]).await;
    page.until("document.querySelector('.state.rejected') !== null")
        .await;
    page.press("u").await;
    page.until("document.querySelector('.state.rejected') === null")
        .await;
    assert_eq!(
        desk.judgements(&events[2].label.id).await,
        [Judgement::Reject, Judgement::Withdraw]
    );

    // A person's box, wider by one pixel at one keyframe; the rest of it as the rig measured.
    page.click_button("People and eyes").await;
    let person = desk.offered(&[LabelKind::BboxPerson]).await.remove(0);
    desk.show(&person).await;
    page.until("document.querySelector('.own .handle') !== null")
        .await;
    page.press("ehhhh").await;
    page.press(&ARROW_RIGHT.to_string()).await;
    page.press(&ENTER.to_string()).await;
    let said = desk.said_of(&person.label.id).await;
    let Some(DeskValue::Offered(LabelValue::Boxes(offered))) = &person.label.value else {
        panic!("a box was offered");
    };
    let right = said[0].correction.as_ref().unwrap().value.as_ref();
    let Some(DeskValue::Offered(LabelValue::Boxes(boxes))) = right else {
        panic!("a box is corrected by boxes");
    };
    let changed = boxes.iter().filter(|one| !offered.contains(one)).count();
    assert_eq!(changed, 1, "{offered:?} became {boxes:?}");

    // All eyes that are alike at once, and all of it back and forth as one step.
    let eyes = desk.offered(&[LabelKind::KeypointLeftEye]).await;
    desk.show(&eyes[0]).await;
    page.press("s").await;
    page.until("document.querySelectorAll('.row.chosen').length > 1")
        .await;
    page.press("a").await;
    let accepted = async || {
        page.until(SAVED).await;
        let all = desk.offered(&[LabelKind::KeypointLeftEye]).await;
        let accepted = |item: &&QueueItem| item.label.state == Some(ReviewState::Accepted);
        all.iter().filter(accepted).count()
    };
    let chosen = accepted().await;
    assert!(
        chosen > 1 && chosen <= eyes.len(),
        "{chosen} of {}",
        eyes.len()
    );
    page.press("u").await;
    assert_eq!(accepted().await, 0);
    page.chord(SHIFT, 'u').await;
    assert_eq!(accepted().await, chosen);

    // Nothing was lost on the way, and everything that was said is counted.
    let summary = desk.store.summary().await.unwrap();
    let review = summary.clips[0].review;
    assert_eq!(review.total(), summary.clips[0].committed.offered);
    assert_eq!(
        (review.accepted, review.corrected, review.rejected),
        (1 + chosen as u64, 2, 0)
    );
    desk.page.close().await;
    host.stop();
}

/// Whether the rig ended by itself with everything committed. It reads a file as fast as the machine lets it, which on a busy
/// one is slower than the film.
async fn wait_for_each_message(store: &LabelStore, rig: Program) -> bool {
    loop {
        let before = messages(store).await;
        let summary = store.summary().await.unwrap();
        if summary
            .clips
            .first()
            .is_some_and(|clip| clip.balance == label_store::Balance::Balanced)
        {
            return rig.wait().success();
        }
        let handle = tokio::runtime::Handle::current();
        tokio::task::block_in_place(|| {
            wait_for("another message of the rig", || {
                (handle.block_on(messages(store)) > before).then_some(())
            });
        });
    }
}

async fn messages(store: &LabelStore) -> u64 {
    let summary = store.summary().await.unwrap();
    summary
        .rigs
        .iter()
        .flat_map(|rig| rig.boots.iter().map(|boot| boot.messages))
        .sum()
}
