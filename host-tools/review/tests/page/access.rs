//! Whoever reviews without a mouse, with a screen reader, or on a small screen can.

use crate::browser::Browser;
use crate::desk::Desk;
use serde_json::json;

const GROUPS: [(&str, &str); 4] = [
    ("Events", "Blink"),
    ("People and eyes", "Person"),
    ("Attributes", "Glasses"),
    ("Scene", "Light change"),
];

async fn show_group(page: &Browser, (group, title): (&str, &str)) {
    page.click_button(group).await;
    let shown = format!("document.querySelector('#item-title')?.textContent.startsWith('{title}')");
    page.until(&shown).await;
    page.until(
        "document.querySelector('.film img')?.naturalWidth > 0 || document.querySelector('.over') !== null",
    )
    .await;
}

/// What can be acted on, or is a picture, and has no name that a screen reader could say.
const NAMELESS: &str = "
    const said = (one) => (one.getAttribute('aria-label') ?? '').trim() || (one.textContent ?? '').trim() || one.title
        || [...(one.labels ?? [])].map((label) => label.textContent.trim()).join('') || one.getAttribute('alt');
    return [...document.querySelectorAll('button, a[href], input, select, [role=slider], [role=img], [role=meter], img')]
        .filter((one) => one.checkVisibility() && one.closest('[aria-hidden=true]') === null)
        .filter((one) => !said(one) && one.getAttribute('alt') !== '')
        .map((one) => one.outerHTML.slice(0, 120));";

#[tokio::test]
async fn everything_that_can_be_acted_on_has_a_name() {
    let desk = Desk::open("Events").await;
    for group in GROUPS {
        show_group(&desk.page, group).await;
        assert_eq!(desk.page.ask(NAMELESS).await, json!([]), "{group:?}");
    }
    desk.page.press("f").await;
    desk.page
        .until("document.querySelector('.filters form') !== null")
        .await;
    assert_eq!(desk.page.ask(NAMELESS).await, json!([]));
    desk.close().await;
}

#[tokio::test]
async fn one_walks_through_the_page_by_tab_and_sees_where_one_is() {
    let desk = Desk::open("Events").await;
    show_group(&desk.page, GROUPS[0]).await;
    let mut seen = Vec::new();
    for _ in 0..60 {
        desk.page.press("\u{e004}").await;
        let here = desk
            .page
            .ask(
                "const on = document.activeElement; const style = getComputedStyle(on);
                 return [on.className || on.tagName, on === document.body || (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)]",
            )
            .await;
        assert_eq!(here[1], json!(true), "focus is not seen on {}", here[0]);
        seen.push(here[0].as_str().unwrap().to_owned());
    }
    for what in ["row waiting", "accept", "reject", "grip start", "grip end"] {
        assert!(seen.iter().any(|one| one == what), "{what}: {seen:?}");
    }
    // The edge that has the focus moves by arrow keys, as a slider does.
    let to_edge = "document.querySelector('.film .grip.end').focus()";
    desk.page.ask(to_edge).await;
    desk.page.press("\u{e014}").await;
    desk.page
        .until("document.querySelector('.film .grip.end').getAttribute('aria-valuenow') === '119'")
        .await;
    desk.close().await;
}

#[tokio::test]
async fn the_verdict_is_in_reach_on_a_small_screen_and_on_a_tablet() {
    let desk = Desk::open("Events").await;
    for (width, height) in [(1366, 768), (820, 1180), (1180, 820)] {
        desk.page.resize(width, height).await;
        for group in GROUPS {
            show_group(&desk.page, group).await;
            let out_of_reach = "
                const [wide, high] = [innerWidth, innerHeight];
                const out = [...document.querySelectorAll('.verdict button, .row[aria-current], #item-title')].filter((one) => {
                    const box = one.getBoundingClientRect();
                    return box.left < 0 || box.right > wide + 0.5 || box.bottom > high + 0.5 || box.height < 20;
                }).map((one) => one.textContent);
                return document.documentElement.scrollWidth > wide ? ['the page is too wide', ...out] : out;";
            assert_eq!(
                desk.page.ask(out_of_reach).await,
                json!([]),
                "{group:?} at {width}x{height}"
            );
        }
    }
    desk.close().await;
}
