//! The other views: how good labellers are and what follows, how rigs fare, what arrives.

use crate::browser::Browser;
use crate::desk::{Host, shows};
use crate::people::{PASSWORD, sign_in};
use crate::synthetic_drive::{EVENTS, Rig};
use crate::synthetic_fleet;
use label_core::LabelKind;
use label_store::{LabelStore, PolicyWord, Role, now_us};
use serde_json::{Value, json};
use std::time::Duration;
use tempfile::TempDir;

struct Seen {
    store: LabelStore,
    host: Host,
    page: Browser,
    _folder: TempDir,
}

/// Three rigs with verdicts, and Lea, who leads, before one of the views.
async fn fleet(view: &str) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("labels.db");
    let store = LabelStore::open(&database).await.unwrap();
    synthetic_fleet::drive(&store).await;
    while store
        .refresh_quality(Duration::from_mins(1))
        .await
        .unwrap()
        .behind
        > 0
    {}
    store.begin_sampling(now_us()).await.unwrap();
    let hash = review::hash_password(PASSWORD).unwrap();
    let made = store.add_user("lea", Role::Lead, &hash, "test", now_us());
    made.await.unwrap();
    let host = Host::start(&database, "127.0.0.1:0".parse().unwrap());
    let page = Browser::open(&format!("http://{}/#/{view}", host.address)).await;
    sign_in(&page, "lea", PASSWORD).await;
    Seen {
        store,
        host,
        page,
        _folder: folder,
    }
}

impl Seen {
    /// What the desk asks of a rig, by kind.
    async fn asked_of(&self, rig: &str) -> Value {
        let policies = self.store.policies().await.unwrap();
        let of_rig = policies.into_iter().find(|(_, name, _)| name == rig);
        json!(of_rig.map(|(_, _, policy)| policy.kinds.to_vec()))
    }

    async fn close(self) {
        self.page.close().await;
        self.host.vanish();
    }
}

const BLINKS_OF_EAST: &str =
    "[...document.querySelectorAll('table.quality tbody tr')].find((row) =>
    row.querySelector('th').textContent === 'blink' && row.textContent.includes('rig-east'))";

#[tokio::test]
async fn a_lead_sees_which_labeller_fails_withdraws_it_and_takes_that_back() {
    let seen = fleet("quality").await;
    let page = &seen.page;
    page.until("document.querySelectorAll('table.quality tbody tr').length > 0")
        .await;
    page.ask(
        "const by = document.querySelector('.title select');
         by.value = 'rig'; by.dispatchEvent(new Event('change', { bubbles: true }));",
    )
    .await;
    page.until(&format!("{BLINKS_OF_EAST} !== undefined")).await;
    let row = page
        .ask(&format!("return {BLINKS_OF_EAST}.textContent"))
        .await;
    assert!(row.as_str().unwrap().contains("below"), "{row}");
    let clears = "[...document.querySelectorAll('table.quality tbody tr')].filter((row) =>
        row.querySelector('th').textContent === 'blink' && row.querySelector('.is-clears')).length";
    assert_eq!(page.ask(&format!("return {clears}")).await, 2);

    // The plot of the row that is chosen, in figures for whoever cannot see it.
    page.ask(&format!("{BLINKS_OF_EAST}.querySelector('button').click()"))
        .await;
    page.until("document.querySelector('.detail h3')?.textContent.endsWith('blink, rig-east')")
        .await;
    let plot = "document.querySelector('.detail svg.reliability').getAttribute('aria-label')";
    let said = page.ask(&format!("return {plot}")).await;
    let said = said.as_str().unwrap();
    assert!(
        said.starts_with("Calibration of blink, rig-east: of "),
        "{said}"
    );
    assert!(page.text(".detail").await.contains("more than it keeps"));

    let offer = "document.querySelector('.proposal[aria-label=\"Withdraw: blink on rig-east\"]')";
    page.until(&format!("{offer} !== null")).await;
    assert_eq!(seen.asked_of("rig-east").await, json!(null));
    page.ask(&format!("{offer}.querySelector('button.main').click()"))
        .await;
    page.until("document.querySelector('.asked')?.textContent.includes('blink withdrawn')")
        .await;
    assert_eq!(
        seen.asked_of("rig-east").await,
        json!([{"kind": "blink", "mode": "abstain"}])
    );
    let steps = seen.store.policy_steps(None).await.unwrap();
    assert_eq!(steps.len(), 1);
    assert_eq!(steps[0].word, PolicyWord::Demote);
    assert_eq!(
        (steps[0].decided_by.as_str(), steps[0].automatic),
        ("lea", false)
    );

    page.ask("document.querySelector('.folds details').open = true")
        .await;
    page.click_button("Take back").await;
    page.until(
        "document.querySelector('.asked')?.textContent.includes('offers what its own files say')",
    )
    .await;
    assert_eq!(seen.asked_of("rig-east").await, json!([]));
    let steps = seen.store.policy_steps(None).await.unwrap();
    assert_eq!(steps.len(), 2, "what was decided stays on record");
    assert_eq!(steps[1].word, PolicyWord::Revert);
    seen.close().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_rig_stands_there_in_words() {
    let seen = fleet("fleet").await;
    let page = &seen.page;
    page.until("document.querySelectorAll('.rigs > .rig').length === 3")
        .await;
    let east = page.text("[aria-label='The rig rig-east']").await;
    for said in [
        "Its clock is not set",
        "Give it a time server",
        "failed: clock: not set",
        "limited by noise",
        "eye turned away 12 %",
    ] {
        assert!(east.contains(said), "{said}: {east}");
    }
    let first = "return document.querySelector('.rigs > .rig h3').textContent";
    assert_eq!(page.ask(first).await, "rig-east", "the troubled come first");
    let north = page.text("[aria-label='The rig rig-north']").await;
    assert!(
        north.contains("online") && !north.contains("clock is not set"),
        "{north}"
    );
    let south = page.text("[aria-label='The rig rig-south']").await;
    assert!(
        south.contains("412 messages wait") && south.contains("dark"),
        "{south}"
    );
    seen.close().await;
}

#[tokio::test]
async fn labels_appear_while_one_watches_and_lead_to_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("labels.db");
    let store = LabelStore::open(&database).await.unwrap();
    let mut rig = Rig::online(&store).await;
    rig.open().await;
    let host = Host::start(&database, "127.0.0.1:0".parse().unwrap());
    let page = Browser::open(&format!("http://{}/#/live", host.address)).await;
    page.until("document.querySelector('.live')?.textContent.includes('No label arrived')")
        .await;
    for (events, shown) in [(&EVENTS[..4], 4), (&EVENTS[4..8], 8)] {
        rig.label(events).await;
        page.until(&format!(
            "document.querySelectorAll('.latest li').length === {shown}"
        ))
        .await;
    }
    let newest = page.text(".latest li:first-child").await;
    assert!(
        newest.contains("rig-sim") && newest.contains("905–912"),
        "{newest}"
    );
    let blinks = "[...document.querySelectorAll('.live tbody tr')].find((row) => row.cells[1].textContent === 'blink')";
    let offered = page
        .ask(&format!("return {blinks}.cells[2].textContent"))
        .await;
    assert_eq!(offered, "7", "and one long closure");
    page.ask("document.querySelector('.latest li:first-child a').click()")
        .await;
    page.until(&shows("905–912")).await;
    page.close().await;
    host.vanish();
}

#[tokio::test]
async fn a_lead_sets_how_much_is_asked_a_second_time_and_the_earlier_shares_stay_on_record() {
    let seen = fleet("quality").await;
    let page = &seen.page;
    let before = seen.store.sample_rules().await.unwrap();
    let field = "[...document.querySelectorAll('.shares input')].find((one) =>
        one.getAttribute('aria-label') === 'blink: candidates answered unseen, per cent')";
    page.until(&format!("{field} !== undefined")).await;
    assert_eq!(page.ask(&format!("return {field}.value")).await, "3");
    page.ask(&format!(
        "document.querySelector('.shares').closest('details').open = true;
         const field = {field};
         field.value = '12.5'; field.dispatchEvent(new Event('change', {{ bubbles: true }}));"
    ))
    .await;
    page.until("!document.querySelector('.shares button').disabled")
        .await;
    page.ask("document.querySelector('.shares button').click()")
        .await;
    page.until("document.querySelectorAll('ol[aria-label=\"Earlier shares\"] li').length === 1")
        .await;
    let rules = seen.store.sample_rules().await.unwrap();
    let shares = |at: usize| &rules[at].sampling.shares;
    assert_eq!((rules.len(), before.len()), (2, 1));
    assert_eq!(rules[0].decided_by, "lea");
    assert_eq!(rules[0].sampling.seed, before[0].sampling.seed);
    for (kind, then) in shares(1) {
        let now = shares(0)[kind];
        let blind = if *kind == LabelKind::Blink {
            0.125
        } else {
            then.blind
        };
        assert_eq!(now, label_store::Shares { blind, ..*then }, "{kind}");
    }
    seen.close().await;
}
