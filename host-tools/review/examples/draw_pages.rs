//! Pictures of the page for `docs/images`, drawn from a drive and a fleet that never were, by a real browser, light and dark:
//! `cargo run -p review --example draw_pages -- [FOLDER]`.

mod answers;
#[path = "../tests/browser/mod.rs"]
#[expect(dead_code, reason = "tests do more with a browser")]
mod browser;
#[path = "../tests/synthetic_drive/lines.rs"]
mod drawn_lines;
#[path = "../tests/synthetic_drive/mod.rs"]
#[expect(dead_code, reason = "a shorter drive, for tests")]
mod synthetic_drive;
#[path = "../tests/synthetic_fleet/mod.rs"]
mod synthetic_fleet;

use browser::{ARROW_RIGHT, Browser, SHIFT, Theme};
use label_core::LabelKind;
use label_store::{LabelStore, Sampling, Shares, now_us};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
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

    page.click_button("Lines").await;
    shown(page, "Face outline").await;
    page.press("j").await;
    shown(page, "Left eyelids").await;
    page.press("hhh\u{e013}\u{e013}\u{e013}").await;
    page.picture(&file("line")).await;
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
            "document.querySelectorAll('.quality tbody tr').length > 1 && document.querySelector('.desk [role=status]') === null && document.querySelectorAll('.agreement tbody tr').length > 2",
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
    page.ask("location.hash = '#/quality'").await;
    page.until("document.querySelectorAll('.agreement tbody tr').length > 2")
        .await;
    page.ask("document.querySelector('.agreement').scrollIntoView()")
        .await;
    page.picture(&folder.join(format!("agreement-{theme}.png")))
        .await;
}

/// Draws from these kinds alone.
fn only(kinds: &[LabelKind], shares: Shares) -> Sampling {
    let mut sampling = Sampling::of_all(1, Shares::NONE);
    for kind in kinds {
        sampling.shares.insert(*kind, shares);
    }
    sampling
}

const BLIND: Shares = Shares {
    blind: 1.0,
    ..Shares::NONE
};

const ASKED: &str = "document.querySelector('.second-look')?.dataset.phase === 'asked'";
const ANSWERED: &str = "document.querySelector('.second-look')?.dataset.phase === 'answered'";

async fn draw_looks(page: &Browser, folder: &Path, theme: &str) {
    page.ask("location.hash = '#/second-look'").await;
    page.until(ASKED).await;
    page.until("document.querySelector('.scratch .film img')?.naturalWidth > 0")
        .await;
    page.press("\u{e012}\u{e012}\u{e012}\u{e012}[").await;
    page.press("\u{e014}\u{e014}\u{e014}\u{e014}\u{e014}\u{e014}]")
        .await;
    page.picture(&folder.join(format!("second-look-{theme}.png")))
        .await;
    page.press("\u{e007}").await;
    page.until(ANSWERED).await;
    page.picture(&folder.join(format!("second-look-answered-{theme}.png")))
        .await;
    // What was answered stands against the rig's label, which is accepted all the same.
    page.press("u").await;
    page.until(ASKED).await;
    page.press("n").await;
    page.until(ANSWERED).await;
    page.press("a").await;
    page.ask("location.hash = '#/disagreements'").await;
    page.until("document.querySelector('.disagreements .strip img')?.naturalWidth > 0")
        .await;
    page.picture(&folder.join(format!("disagreements-{theme}.png")))
        .await;
}

const DAY_US: i64 = 24 * 60 * 60 * 1_000_000;

/// Serves a store until the end of the program, and where.
async fn serve(store: LabelStore, stop: watch::Receiver<bool>) -> std::io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let listen = listener.local_addr()?;
    let options = review::Options {
        listen,
        names: Vec::new(),
        exports: review::ExportPlace::default(),
        stop,
        numbers: review::Numbers::default(),
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
    drawn_lines::draw_lines(&drive).await;
    let drive = serve(drive, stop.clone()).await?;
    let fleet = LabelStore::open(&data.path().join("fleet.db")).await?;
    let shares = Shares {
        blind: 0.2,
        silence: 0.0,
        own: 0.15,
        other: 0.25,
    };
    let sampling = Sampling::of_all(1, shares);
    fleet.set_sampling(&sampling, "lea", now_us()).await?;
    synthetic_fleet::drive(&fleet).await;
    for reviewer in ["ada", "ben"] {
        let answers = answers::answer_all(&fleet, reviewer, now_us() + 2 * DAY_US);
        Box::pin(answers).await?;
    }
    while fleet.refresh_quality(Duration::from_mins(1)).await?.behind > 0 {}
    let fleet = serve(fleet, stop.clone()).await?;
    for (theme, name) in [(Theme::Light, "light"), (Theme::Dark, "dark")] {
        let page = Browser::open_in(&format!("http://{drive}/"), theme).await;
        page.resize(1366, 768).await;
        draw(&page, &folder, name).await;
        page.close().await;
        let page = Browser::open_in(&format!("http://{fleet}/"), theme).await;
        page.resize(1366, 1100).await;
        draw_desk(&page, &folder, name).await;
        page.close().await;
        let looks = LabelStore::open(&data.path().join(format!("looks-{name}.db"))).await?;
        let sampling = only(&[LabelKind::Blink], BLIND);
        looks.set_sampling(&sampling, "lea", now_us()).await?;
        synthetic_drive::Rig::drive_with_every_kind(&looks).await;
        let looks = serve(looks, stop.clone()).await?;
        let page = Browser::open_in(&format!("http://{looks}/"), theme).await;
        page.resize(1366, 768).await;
        draw_looks(&page, &folder, name).await;
        page.close().await;
    }
    Ok(())
}
