//! A host that goes away, comes back, and comes back as another version.

use crate::desk::{Desk, SAVED, Version, said, shows};
use label_core::LabelKind;
use label_store::Judgement;

#[tokio::test]
async fn what_was_decided_while_the_host_was_away_arrives_once_it_is_back() {
    let mut desk = Desk::open("Events").await;
    let first = desk.show(LabelKind::Blink, 112).await;
    let second = desk.show(LabelKind::Blink, 203).await;
    desk.show(LabelKind::Blink, 112).await;
    desk.lose_host();
    desk.page.press("a").await;
    desk.page.until(&shows("203–209")).await;
    desk.page.press("[\u{e007}").await;
    desk.page.until(&shows("311–315")).await;
    desk.page.press("u").await;
    desk.page.until(&shows("203–209")).await;
    desk.page
        .until("document.querySelector('main').dataset.unsaved === '3'")
        .await;
    desk.find_host(Version::This);
    desk.page.until(SAVED).await;
    assert_eq!(
        said(&desk.said_of(&first).await),
        [(Judgement::Accept, None)]
    );
    assert_eq!(
        said(&desk.said_of(&second).await),
        [(Judgement::Correct, None), (Judgement::Withdraw, None)]
    );
    desk.close().await;
}

#[tokio::test]
async fn a_page_of_yesterday_says_so_and_loses_nothing() {
    let mut desk = Desk::open("Events").await;
    let key = desk.show(LabelKind::Blink, 112).await;
    assert_eq!(
        desk.page
            .ask("return document.querySelectorAll('.stale').length")
            .await,
        0
    );
    desk.lose_host();
    desk.page.press("a").await;
    desk.find_host(Version::Later);
    assert!(
        desk.page
            .text(".stale")
            .await
            .starts_with("The host serves another version of this page now")
    );
    assert_eq!(said(&desk.said_of(&key).await), [(Judgement::Accept, None)]);
    desk.page.click_button("Load the new page").await;
    desk.page
        .until("document.title === 'a later version'")
        .await;
    desk.close().await;
}
