//! Two people at one desk: each signs in, sees what the other works on, and loses nothing when a session ends.

use crate::browser::{Browser, ENTER, TAB};
use crate::desk::{Host, SAVED, Version, filmstrip_is_drawn, history, label_at, said, shows};
use crate::synthetic_drive::{EVENTS, Rig};
use label_store::{Judgement, LabelStore, Role, now_us};
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "a long walk in the rain";

const SIGN_IN: &str = "document.activeElement?.name === 'name'";

struct TwoPeople {
    store: LabelStore,
    host: Host,
    _folder: TempDir,
}

impl TwoPeople {
    async fn new() -> Self {
        Self::behind(Version::This).await
    }

    async fn behind(version: Version) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("labels.db");
        let store = LabelStore::open(&database).await.unwrap();
        let mut rig = Rig::online(&store).await;
        rig.open().await;
        rig.label(&EVENTS[..8]).await;
        let hash = review::hash_password(PASSWORD).unwrap();
        for name in ["ann", "bea"] {
            let made = store.add_user(name, Role::Reviewer, &hash, "test", now_us());
            made.await.unwrap();
        }
        let host = Host::serve(&database, "127.0.0.1:0".parse().unwrap(), version);
        Self {
            store,
            host,
            _folder: folder,
        }
    }

    async fn page(&self) -> Browser {
        let page = Browser::open(&format!("http://{}/", self.host.address)).await;
        page.until(SIGN_IN).await;
        page
    }
}

pub(crate) async fn sign_in(page: &Browser, name: &str, password: &str) {
    page.until(SIGN_IN).await;
    page.press(&format!("{name}{TAB}{password}{ENTER}")).await;
}

#[tokio::test]
async fn two_reviewers_work_at_one_queue_and_never_on_one_label() {
    let desk = TwoPeople::new().await;
    let ann = desk.page().await;
    sign_in(&ann, "ann", "not the password at all").await;
    let why = "document.querySelector('[role=alert]')?.textContent.includes('password is wrong')";
    ann.until(why).await;
    // The wrong password is marked, so typing replaces it.
    ann.press(&format!("{PASSWORD}{ENTER}")).await;
    ann.until(&shows("112–118")).await;
    assert!(ann.text(".who").await.contains("ann"));

    let bea = desk.page().await;
    sign_in(&bea, "bea", PASSWORD).await;
    bea.until(&shows("112–118")).await;
    assert!(
        bea.text(".held")
            .await
            .starts_with("ann is working on this label")
    );
    // What she says of it all the same is not taken, and she is told why.
    bea.press("a").await;
    bea.until("document.querySelector('.trouble')?.textContent.includes('ann is working')")
        .await;
    assert!(history(&desk.store, 112).await.is_empty());

    // The next one is hers, and Ann is led past it.
    bea.until(&shows("203–209")).await;
    ann.until("document.querySelector('.row:not([aria-current]) .chip')?.textContent === 'bea'")
        .await;
    ann.press("a").await;
    ann.until(&shows("311–315")).await;
    ann.until(SAVED).await;
    let judged = history(&desk.store, 112).await;
    assert_eq!(said(&judged), [(Judgement::Accept, None)]);
    assert_eq!(judged[0].reviewer, "ann");
    ann.close().await;
    bea.close().await;
    desk.host.vanish();
}

#[tokio::test]
async fn a_session_that_ends_in_mid_work_loses_no_verdict_and_gives_it_to_nobody_else() {
    let desk = TwoPeople::new().await;
    let page = desk.page().await;
    sign_in(&page, "ann", PASSWORD).await;
    page.until(&shows("112–118")).await;
    // A new password ends her sessions.
    let hash = review::hash_password(PASSWORD).unwrap();
    desk.store
        .set_password("ann", &hash, "test", now_us())
        .await
        .unwrap();
    page.press("a").await;
    page.until("document.querySelector('.sign-in')?.textContent.includes('1 verdict waits')")
        .await;
    assert!(history(&desk.store, 112).await.is_empty());
    sign_in(&page, "bea", PASSWORD).await;
    page.until(
        "document.querySelector('[role=alert]')?.textContent.includes('ann has to sign in here first')",
    )
    .await;
    page.ask("const name = document.querySelector('[name=name]'); name.focus(); name.select();")
        .await;
    sign_in(&page, "ann", PASSWORD).await;
    page.until(SAVED).await;
    let judged = history(&desk.store, 112).await;
    assert_eq!(said(&judged), [(Judgement::Accept, None)]);
    assert_eq!(judged[0].reviewer, "ann");
    assert!(label_at(&desk.store, 112).await.1.is_some());

    page.click_button("Sign out").await;
    page.until(SIGN_IN).await;
    assert_eq!(
        page.ask("return document.querySelectorAll('.row, img[src^=blob]').length")
            .await,
        0,
        "nothing of the labels is left on the screen"
    );
    page.close().await;
    desk.host.vanish();
}

#[tokio::test]
async fn a_desk_in_a_folder_behind_a_proxy_works_like_any_other() {
    let desk = TwoPeople::behind(Version::InFolder).await;
    let page = Browser::open(&format!("http://{}/desk/", desk.host.address)).await;
    sign_in(&page, "ann", PASSWORD).await;
    page.until(&shows("112–118")).await;
    page.until(&filmstrip_is_drawn()).await;
    page.press("a").await;
    page.until(SAVED).await;
    assert_eq!(history(&desk.store, 112).await[0].reviewer, "ann");
    // Whatever else lies at that address is not ours.
    let outside = page
        .ask("return fetch('/api/session').then((answer) => answer.status)")
        .await;
    assert_eq!(outside, 404);
    page.click_button("Sign out").await;
    page.until(SIGN_IN).await;
    page.close().await;
    desk.host.vanish();
}
