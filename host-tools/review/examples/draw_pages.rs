//! Pictures of the page for `docs/images`, drawn from a drive and a fleet that never were, by a real browser, light and dark:
//! `cargo run -p review --example draw_pages -- [FOLDER]`.

#[path = "../tests/browser/mod.rs"]
#[expect(dead_code, reason = "tests do more with a browser")]
mod browser;
#[path = "../tests/synthetic_drive/mod.rs"]
#[expect(dead_code, reason = "a shorter drive, for tests")]
mod synthetic_drive;
#[path = "../tests/synthetic_fleet/mod.rs"]
mod synthetic_fleet;

use browser::{ARROW_RIGHT, Browser, SHIFT, Theme};
use label_store::LabelStore;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use tokio::net::TcpListener;
use tokio::sync::watch;

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

async fn draw_desk(page: &Browser, folder: &Path, theme: &str) {
    for (view, drawn) in [
        (
            "quality",
            "document.querySelectorAll('.quality tbody tr').length > 1 && document.querySelector('.desk [role=status]') === null",
        ),
        (
            "fleet",
            "document.querySelectorAll('.rigs > li').length === 3",
        ),
    ] {
        page.ask(&format!("location.hash = '#/{view}'")).await;
        page.until(drawn).await;
        page.picture(&folder.join(format!("{view}-{theme}.png")))
            .await;
    }
}

/// Serves a store until the end of the program, and where.
async fn serve(store: LabelStore, stop: watch::Receiver<bool>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let listen = listener.local_addr()?;
    let options = review::Options {
        listen,
        names: Vec::new(),
        stop,
    };
    let page = review::router(store, options);
    tokio::spawn(async move { axum::serve(listener, page).await });
    Ok(listen)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = PathBuf::from(
        std::env::args()
            .nth(1)
            .unwrap_or_else(|| "docs/images".to_owned()),
    );
    let data = tempfile::tempdir()?;
    let (_stop, stop) = watch::channel(false);
    let drive = LabelStore::open(&data.path().join("drive.db")).await?;
    synthetic_drive::Rig::drive_with_every_kind(&drive).await;
    let drive = serve(drive, stop.clone()).await?;
    let fleet = LabelStore::open(&data.path().join("fleet.db")).await?;
    synthetic_fleet::drive(&fleet).await;
    let fleet = serve(fleet, stop).await?;
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let page = Browser::open_in(&format!("http://{drive}/"), theme).await;
        page.resize(1366, 768).await;
        draw(&page, &folder, name).await;
        page.close().await;
        let page = Browser::open_in(&format!("http://{fleet}/"), theme).await;
        page.resize(1366, 1100).await;
        draw_desk(&page, &folder, name).await;
        page.close().await;
    }
    Ok(())
}
