//! How long the page takes a reviewer, by a scripted one who thinks and types at the pace of the keystroke-level model
//! (Card, Moran and Newell 1980, *Communications of the ACM* 23, 396): 1.35 s to make up the mind, 0.28 s a key. What is
//! printed is what the desk has recorded. People also hesitate and err; this is what the page itself allows.
//!
//! `cargo run -p review --example scripted_reviewer`
#![expect(clippy::print_stdout, reason = "a measurement prints its figures")]

#[path = "../tests/browser/mod.rs"]
#[expect(dead_code, reason = "tests do more with a browser")]
mod browser;
#[path = "../tests/synthetic_drive/mod.rs"]
#[expect(dead_code, reason = "a shorter drive, for tests")]
mod synthetic_drive;

use browser::{Browser, ENTER};
use label_core::LabelKind;
use label_store::{Judgement, LabelStore, QueueFilter};
use std::time::Duration;

/// Making up one's mind.
const THINK: Duration = Duration::from_millis(1350);
/// Pressing a key, for somebody who types without looking.
const KEY: Duration = Duration::from_millis(280);

type Failure = Box<dyn std::error::Error>;

/// What is done, and how it is told apart in the store.
struct Task {
    name: &'static str,
    group: &'static str,
    kind: LabelKind,
    /// First frames of the labels that it is done on.
    labels: &'static [u32],
    /// Keys between two thoughts.
    thoughts: &'static [&'static str],
    judgement: Judgement,
}

const TASKS: [Task; 5] = [
    Task {
        name: "a blink accepted",
        group: "Events",
        kind: LabelKind::Blink,
        labels: &[112, 203, 420, 640, 1120],
        thoughts: &["a"],
        judgement: Judgement::Accept,
    },
    Task {
        name: "a blink rejected with its cause",
        group: "Events",
        kind: LabelKind::Blink,
        labels: &[311, 502, 905],
        thoughts: &["r2"],
        judgement: Judgement::Reject,
    },
    Task {
        name: "both edges of a blink corrected",
        group: "Events",
        kind: LabelKind::Blink,
        labels: &[1302, 1433, 1650],
        thoughts: &["[[", "]", "\u{e007}"],
        judgement: Judgement::Correct,
    },
    Task {
        name: "glasses corrected",
        group: "Attributes",
        kind: LabelKind::WearingGlasses,
        labels: &[12, 912],
        thoughts: &["n"],
        judgement: Judgement::Correct,
    },
    Task {
        name: "a box track corrected: one side, five pixels, one keyframe",
        group: "People and eyes",
        kind: LabelKind::BboxPerson,
        labels: &[12, 132, 252],
        thoughts: &[
            "ehhhh",
            "\u{e014}\u{e014}\u{e014}\u{e014}\u{e014}",
            "\u{e007}",
        ],
        judgement: Judgement::Correct,
    },
];

async fn think_and_press(page: &Browser, thoughts: &[&str]) {
    for keys in thoughts {
        tokio::time::sleep(THINK).await;
        for key in keys.chars() {
            tokio::time::sleep(KEY).await;
            page.press(&key.to_string()).await;
        }
    }
}

/// Shows a label as a link does, with all that it is judged by.
async fn show(page: &Browser, id: &str) {
    page.ask(&format!(
        "location.hash = '#/review/{}'",
        id.replace(':', "%3A")
    ))
    .await;
    page.until(&format!(
        "document.querySelector('.facts .id')?.textContent === '{id}'"
    ))
    .await;
    page.until(
        "document.querySelector('.film img')?.naturalWidth > 0
         || document.querySelector('.which .quiet')?.textContent.includes('own picture')",
    )
    .await;
}

async fn seconds(page: &Browser, store: &LabelStore, task: &Task) -> Result<Vec<f64>, Failure> {
    page.click_button(task.group).await;
    let filter = QueueFilter {
        kinds: vec![task.kind.into()],
        ..QueueFilter::default()
    };
    let queue = store.queue(&filter).await?;
    let mut spent = Vec::new();
    for first in task.labels {
        let item = queue
            .items
            .iter()
            .find(|item| item.label.frames.start == *first)
            .ok_or("the drive has no such label")?;
        show(page, &label_store::label_key_text(&item.label.id)).await;
        think_and_press(page, task.thoughts).await;
        page.until("document.querySelector('main[data-unsaved=\"0\"]') !== null")
            .await;
        let verdicts = store.verdicts(&item.label.id).await?;
        let last = verdicts.last().ok_or("no verdict was recorded")?;
        if last.judgement != task.judgement {
            return Err(format!("{}: {:?} was recorded", task.name, last.judgement).into());
        }
        spent.push(Duration::from_millis(last.spent_ms).as_secs_f64());
    }
    Ok(spent)
}

/// An event that the machine missed: six frames beside another, made and one edge moved.
async fn missed(page: &Browser, store: &LabelStore) -> Result<Vec<f64>, Failure> {
    page.click_button("Events").await;
    let events = QueueFilter {
        kinds: vec![LabelKind::Blink.into()],
        ..QueueFilter::default()
    };
    let queue = store.queue(&events).await?;
    for item in queue.items.iter().take(3) {
        show(page, &label_store::label_key_text(&item.label.id)).await;
        think_and_press(page, &["......n", "]", &ENTER.to_string()]).await;
        page.until("document.querySelector('main[data-unsaved=\"0\"]') !== null")
            .await;
    }
    let mut spent = Vec::new();
    for item in store.queue(&events).await?.items {
        for verdict in store.verdicts(&item.label.id).await? {
            if verdict.judgement == Judgement::Create {
                spent.push(Duration::from_millis(verdict.spent_ms).as_secs_f64());
            }
        }
    }
    Ok(spent)
}

fn print(name: &str, mut spent: Vec<f64>) {
    spent.sort_by(f64::total_cmp);
    let (least, most) = (spent[0], spent[spent.len() - 1]);
    let median = spent[spent.len() / 2];
    println!(
        "| {name} | {} | {median:.1} [{least:.1}, {most:.1}] |",
        spent.len()
    );
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let data = tempfile::tempdir()?;
    let store = LabelStore::open(&data.path().join("labels.db")).await?;
    synthetic_drive::Rig::drive_with_every_kind(&store).await;
    let (_stop, stop) = tokio::sync::watch::channel(false);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let listen = listener.local_addr()?;
    let options = review::Options {
        listen,
        names: Vec::new(),
        exports: review::ExportPlace::default(),
        stop,
        numbers: review::Numbers::default(),
    };
    let host = review::router(store.clone(), options);
    tokio::spawn(async move { axum::serve(listener, host).await });
    let page = Browser::open(&format!("http://{listen}/")).await;
    println!("| what | times | seconds: median [least, most] |");
    println!("|---|---|---|");
    for task in &TASKS {
        print(task.name, seconds(&page, &store, task).await?);
    }
    print("a missed blink made", missed(&page, &store).await?);
    page.close().await;
    Ok(())
}
