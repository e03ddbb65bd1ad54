//! Verdicts by keyboard.

use crate::browser::Browser;
use crate::desk::{Desk, Host, SAVED, filmstrip_is_drawn, history, label_at, said, shows};
use crate::synthetic_drive::{EVENTS, Rig};
use label_core::LabelKind;
use label_core::wire::{CameraState, Shed};
use label_store::{Judgement, LabelStore, ReviewState};

#[tokio::test]
async fn a_reviewer_judges_by_keyboard_and_nothing_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("labels.db");
    let store = LabelStore::open(&database).await.unwrap();
    let mut rig = Rig::online(&store).await;
    rig.open().await;
    rig.label(&EVENTS[..8]).await;
    let host = Host::start(&database, "127.0.0.1:0".parse().unwrap());
    let address = host.address;
    let page = Browser::open(&format!("http://{address}/")).await;

    // The first waiting candidate is shown with its filmstrip, its curve and its confidence.
    page.until(&shows("112–118")).await;
    page.until(&filmstrip_is_drawn()).await;
    assert!(page.text(".confidence").await.contains("97 %"));
    assert_eq!(
        page.ask("return document.querySelectorAll('.curve:not(.neighbourhood) svg path').length")
            .await,
        2
    );

    // A verdict shows the next one.
    page.press("a").await;
    page.until(&shows("203–209")).await;
    page.press("r2").await;
    page.until(&shows("311–315")).await;
    page.until(SAVED).await;
    assert_eq!(label_at(&store, 112).await.1, Some(ReviewState::Accepted));
    let rejected = history(&store, 203).await;
    assert_eq!(said(&rejected), [(Judgement::Reject, Some("wrong-time"))]);
    assert!(rejected[0].spent_ms < 20_000);

    // Undo comes back to it and leaves both on record.
    page.press("u").await;
    page.until(&shows("203–209")).await;
    page.until(SAVED).await;
    assert_eq!(label_at(&store, 203).await.1, Some(ReviewState::Waiting));
    assert_eq!(
        said(&history(&store, 203).await),
        [
            (Judgement::Reject, Some("wrong-time")),
            (Judgement::Withdraw, None)
        ]
    );

    // Moving judges nothing; an eye that was not looked at is hatched and has no line.
    page.press("jjj").await;
    page.until(&shows("502–508")).await;
    page.until(&filmstrip_is_drawn()).await;
    assert_eq!(
        page.ask(
            "return document.querySelectorAll('.curve:not(.neighbourhood) .right path').length"
        )
        .await,
        0
    );
    assert_eq!(
        page.ask(
            "return document.querySelectorAll('.curve:not(.neighbourhood) .right .gap').length"
        )
        .await,
        1
    );

    // What is marked at the rig appears by itself, and a key leads to the candidate just before it.
    rig.mark(370).await;
    page.until("document.querySelectorAll('.flag').length === 1")
        .await;
    page.press("m").await;
    page.until(&shows("311–315")).await;
    assert_eq!(
        page.text(".beside").await,
        "⚑ marked 1.8 s after it, at 0:12.3"
    );
    assert!(page.text(".moment").await.contains("marked at the rig"));
    page.press("jj").await;
    page.until(&shows("502–508")).await;

    // So does what is wrong with the rig, in words.
    rig.be_born("failed: camera").await;
    rig.fare(Shed::HalfRate, CameraState::Unplugged).await;
    page.until("document.querySelectorAll('.condition .bad').length === 4")
        .await;
    let condition = page.text(".condition").await;
    for said in ["no camera", "every second frame", "84 °C", "failed: camera"] {
        assert!(condition.contains(said), "{said}: {condition}");
    }

    // What the rig labels meanwhile appears by itself.
    rig.label(&EVENTS[8..]).await;
    rig.be_silent().await;
    rig.close().await;
    page.until("document.querySelectorAll('.queue .row').length === 12")
        .await;
    page.until("document.querySelectorAll('.silence').length === 4")
        .await;
    page.until("document.querySelector('.balance').classList.contains('even')")
        .await;
    page.until(&shows("502–508")).await;

    // The host goes away under an open page: the verdict waits, and arrives once when it is back.
    host.vanish();
    page.press("a").await;
    page.until(&shows("640–646")).await;
    assert!(
        page.text(".trouble .bad")
            .await
            .starts_with("1 verdict is not saved yet")
    );
    assert_eq!(label_at(&store, 502).await.1, Some(ReviewState::Waiting));
    let host = Host::start(&database, address);
    page.until(SAVED).await;
    assert_eq!(
        said(&history(&store, 502).await),
        [(Judgement::Accept, None)]
    );

    // The page asked nobody else for anything.
    let elsewhere = "return performance.getEntriesByType('resource').map((entry) => entry.name)
        .filter((name) => !name.startsWith(location.origin) && !name.startsWith('blob:' + location.origin))";
    assert_eq!(page.ask(elsewhere).await, serde_json::json!([]));
    page.close().await;
    host.vanish();
}

#[tokio::test]
async fn a_link_opens_the_label_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("labels.db");
    let store = LabelStore::open(&database).await.unwrap();
    Rig::drive(&store).await;
    let host = Host::start(&database, "127.0.0.1:0".parse().unwrap());
    let (id, _) = label_at(&store, 758).await;
    let link = format!(
        "http://{}/#{}",
        host.address,
        label_store::label_key_text(&id)
    );
    let page = Browser::open(&link).await;
    page.until(&shows("758–779")).await;
    assert!(page.text("#item-title").await.starts_with("Long closure"));
    page.close().await;
    host.vanish();
}

#[tokio::test]
async fn a_verdict_shows_the_next_label_within_a_tenth_of_a_second() {
    let desk = Desk::open("Events").await;
    desk.show(LabelKind::Blink, 112).await;
    let mut waits = Vec::new();
    for next in ["203–209", "311–315", "420–427", "502–508", "640–646"] {
        // A reviewer looks at the filmstrip first; meanwhile what comes next is fetched.
        desk.page.until(&filmstrip_is_drawn()).await;
        desk.page.press("a").await;
        desk.page.until(&shows(next)).await;
        desk.page.until(&filmstrip_is_drawn()).await;
        let shown = "document.querySelector('main').dataset.nextShownMs !== undefined";
        desk.page.until(shown).await;
        let wait = "return Number(document.querySelector('main').dataset.nextShownMs)";
        waits.push(desk.page.ask(wait).await.as_u64().unwrap());
    }
    waits.sort_unstable();
    assert!(waits[2] < 100, "milliseconds to the next label: {waits:?}");
    desk.close().await;
}
