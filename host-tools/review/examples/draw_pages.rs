//! Pictures of the review page for `docs/images`, drawn from a drive that never was, by a real browser, light and dark:
//! `cargo run -p review --example draw_pages -- [FOLDER]`.

#[path = "../tests/browser/mod.rs"]
#[expect(dead_code, reason = "tests do more with a browser")]
mod browser;
#[path = "../tests/synthetic_drive/mod.rs"]
#[expect(dead_code, reason = "a shorter drive, for tests")]
mod synthetic_drive;

use browser::{ARROW_RIGHT, Browser, SHIFT, Theme};
use std::path::{Path, PathBuf};

/// The frames of an item, once it is shown with everything that it is judged by.
async fn shown(page: &Browser, title: &str) {
    let shows = format!("document.querySelector('#item-title')?.textContent.startsWith('{title}')");
    page.until(&shows).await;
    let drawn = "document.querySelector('.film img')?.naturalWidth > 0
        || document.querySelector('.which .quiet')?.textContent.includes('own picture')";
    page.until(drawn).await;
    page.until("document.querySelector('.no-picture') === null")
        .await;
}

async fn draw(page: &Browser, folder: &Path, theme: &str) {
    let file = |name: &str| folder.join(format!("review-{name}-{theme}.png"));
    page.click_button("Events").await;
    shown(page, "Blink · frames 112").await;
    page.press("jjj").await;
    shown(page, "Blink · frames 420").await;
    page.until("document.querySelectorAll('.neighbourhood path').length > 0")
        .await;
    page.press("]").await;
    page.picture(&file("events")).await;
    page.press("\u{e00c}").await;

    page.press("s").await;
    page.until("document.querySelectorAll('.row.chosen').length > 1")
        .await;
    page.picture(&file("many")).await;
    page.press("\u{e00c}").await;

    page.click_button("People and eyes").await;
    shown(page, "Person").await;
    page.press("ehhhh").await;
    page.chord(SHIFT, ARROW_RIGHT).await;
    page.picture(&file("box")).await;
    page.press("\u{e00c}").await;

    page.press("j").await;
    shown(page, "Left eye").await;
    page.press("e+++++").await;
    page.picture(&file("eye")).await;
    page.press("\u{e00c}").await;

    page.click_button("Attributes").await;
    shown(page, "Glasses").await;
    page.picture(&file("attribute")).await;
    page.press("jjj").await;
    shown(page, "Alertness").await;
    page.press("g").await;
    page.until("document.querySelector('.rubric table') !== null")
        .await;
    page.picture(&file("rule")).await;
    page.press("\u{e00c}").await;
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .unwrap_or_else(|| "docs/images".to_owned()),
    );
    let data = tempfile::tempdir()?;
    let store = label_store::LabelStore::open(&data.path().join("labels.db")).await?;
    synthetic_drive::Rig::drive_with_every_kind(&store).await;
    let (_stop, stop) = tokio::sync::watch::channel(false);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let listen = listener.local_addr()?;
    let options = review::Options {
        listen,
        names: Vec::new(),
        stop,
    };
    let page = review::router(store, options);
    tokio::spawn(async move { axum::serve(listener, page).await });
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let page = Browser::open_in(&format!("http://{listen}/"), theme).await;
        page.resize(1366, 768).await;
        draw(&page, &folder, name).await;
        page.close().await;
    }
    Ok(())
}
