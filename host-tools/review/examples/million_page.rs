//! How quickly the page itself works over a million candidates, in a real browser and by its own clock:
//! `cargo run --release -p review --example million -- 1000000 FOLDER` fills the store, then
//! `cargo run --release -p review --example million_page -- FOLDER`.
//!
//! The host is this program, on this machine's loopback; a wait ends with the frame in which the browser has drawn what was
//! waited for.
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "../tests/browser/mod.rs"]
#[expect(dead_code, reason = "tests do more with it")]
mod browser;

use browser::Browser;
use label_store::LabelStore;
use std::path::PathBuf;

type Failure = Box<dyn std::error::Error>;

/// How often each is done.
const ROUNDS: usize = 5;

const ROWS: &str = "document.querySelectorAll('.queue .row').length > 0";

fn report(name: &str, mut took: Vec<f64>) {
    took.sort_by(f64::total_cmp);
    let (middle, most) = (took[took.len() / 2], took[took.len() - 1]);
    println!("| {name} | {} | {middle:.0} | {most:.0} |", took.len());
}

/// Chooses from one of the filter's lists, and waits until rows of it are drawn.
async fn choose(page: &Browser, list: &str, value: &str) -> f64 {
    let act = format!(
        "document.querySelectorAll('.queue .row').forEach((row) => row.dataset.old = 1);
         const list = [...document.querySelectorAll('.filters label')].find((one) => one.textContent.startsWith('{list}')).querySelector('select');
         list.value = '{value}'; list.dispatchEvent(new Event('change', {{ bubbles: true }}));"
    );
    page.measure(
        &act,
        "document.querySelector('.queue .row:not([data-old])') !== null",
    )
    .await
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let folder: PathBuf = std::env::args()
        .nth(1)
        .ok_or("name the folder that the example million filled")?
        .into();
    let store = LabelStore::open(&folder.join("million.sqlite")).await?;
    let filter = label_store::QueueFilter::default();
    let there = store.queue(&filter).await?.total;
    let (_stop, stop) = tokio::sync::watch::channel(false);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let listen = listener.local_addr()?;
    let options = review::Options {
        listen,
        names: Vec::new(),
        exports: review::ExportPlace::default(),
        stop: stop.clone(),
        numbers: review::Numbers::default(),
    };
    let host = review::router(store, options);
    tokio::spawn(async move { review::serve(listener, host, stop).await });

    println!("{there} candidates\n\n| milliseconds | times | median | most |\n|---|---|---|---|");
    let page = Browser::open(&format!("http://{listen}/")).await;
    let mut opened = Vec::new();
    for _ in 0..ROUNDS {
        page.ask("window.before = true; location.reload()").await;
        page.until(&format!("window.before === undefined && {ROWS}"))
            .await;
        let since_navigation = "return performance.now()";
        opened.push(
            page.ask(since_navigation)
                .await
                .as_f64()
                .unwrap_or(f64::NAN),
        );
    }
    report("the page opened, until the queue is drawn", opened);

    page.press("f").await;
    page.until("document.querySelector('.filters form') !== null")
        .await;
    for (name, list, values) in [
        ("another order", "order", ["minutes", "doubt"]),
        ("another rig", "rig", ["rig-13", "rig-07"]),
    ] {
        let mut took = Vec::new();
        for round in 0..ROUNDS {
            took.push(choose(&page, list, values[round % 2]).await);
        }
        report(&format!("{name}, until its rows are drawn"), took);
    }
    // Keys are the desk's again.
    page.ask("document.activeElement.blur()").await;
    page.press("f").await;

    let mut frames = Vec::new();
    for _ in 0..ROUNDS {
        let scrolled = page
            .longest_frame(
                "const list = document.querySelector('.queue ol'); list.scrollBy(0, 120)",
            )
            .await;
        frames.push(scrolled);
    }
    report("a second of scrolling, its longest frame", frames);

    let mut shown = Vec::new();
    for _ in 0..ROUNDS * 2 {
        let before = page.text(".facts .id").await;
        page.press("a").await;
        page.until(&format!(
            "document.querySelector('.facts .id')?.textContent !== '{before}'"
        ))
        .await;
        page.until("document.querySelector('main').dataset.nextShownMs !== undefined")
            .await;
        let wait = "return Number(document.querySelector('main').dataset.nextShownMs)";
        shown.push(page.ask(wait).await.as_f64().unwrap_or(f64::NAN));
    }
    report("a verdict, until the next label is drawn", shown);
    page.close().await;
    Ok(())
}
