//! Exports that are asked for on the page: rig, desk and browser are real, and what is downloaded is what the command line writes.

use crate::Desk;
use crate::browser::Browser;
use crate::folder::files_of;
use end_to_end::{Host, binary, wait_for};
use label_store::{Archive, ExportState, LabelStore, StoredExport};
use serde_json::json;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};

fn serve(desk: &Desk) -> Host {
    let rigel = binary("rigel", env!("CARGO_BIN_EXE_fixture-rig"));
    Host::start(
        &rigel,
        desk.folder.path(),
        &["--embedded-broker", "127.0.0.1:0"],
    )
}

/// What is in an archive, by name.
fn unpacked(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut archive = zip::ZipArchive::new(std::fs::File::open(path).unwrap()).unwrap();
    (0..archive.len())
        .map(|n| {
            let mut file = archive.by_index(n).unwrap();
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            (file.name().unwrap().into_owned(), bytes)
        })
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

fn archive_of(desk: &Desk, export: i64) -> PathBuf {
    desk.folder.path().join(format!("exports/{export}.zip"))
}

#[tokio::test]
async fn what_is_exported_on_the_page_is_byte_by_byte_what_the_command_line_writes() {
    let desk = Desk::made_now().await;
    let host = serve(&desk);
    let page = Browser::open(&format!("http://{}/#/export", host.http)).await;
    page.until("document.querySelector('.wish select') !== null")
        .await;
    page.until("[...document.querySelectorAll('.wish label')].find((one) => one.textContent.startsWith('rig'))?.querySelectorAll('option').length > 4")
        .await;
    // As a person chooses in a form.
    let choose = |name: &str, value: &str| {
        format!(
            "const field = [...document.querySelectorAll('.wish label')].find((one) => one.querySelector('span').textContent === '{name}')
                .querySelector('select, input');
             const of = field instanceof HTMLSelectElement ? HTMLSelectElement : HTMLInputElement;
             Object.getOwnPropertyDescriptor(of.prototype, 'value').set.call(field, '{value}');
             field.dispatchEvent(new Event('input', {{ bubbles: true }}));
             field.dispatchEvent(new Event('change', {{ bubbles: true }}));
             return field.value;"
        )
    };
    for (name, value) in [
        ("format", "csv"),
        ("labels", "both"),
        ("state", "waiting"),
        ("subsets", "train=2,val=1"),
    ] {
        assert_eq!(page.ask(&choose(name, value)).await, value, "{name}");
    }
    page.until("document.querySelector('.wish input[type=file]') !== null")
        .await;
    page.click_button("Export").await;
    page.until(
        "document.querySelector('tr[data-export=\"1\"][data-state=\"here\"] a[download]') !== null",
    )
    .await;
    // What the browser gets by the link.
    page.ask(
        "window.got = null;
         fetch(document.querySelector('a[download]').href).then((answer) => answer.arrayBuffer())
            .then((bytes) => crypto.subtle.digest('SHA-256', bytes))
            .then((digest) => { window.got = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join(''); });",
    )
    .await;
    page.until("window.got !== null").await;
    let got = page.ask("return window.got").await;
    let title = page
        .ask("return document.querySelector('a[download]').title")
        .await;
    let archive = archive_of(&desk, 1);
    let digest = sha256(&std::fs::read(&archive).unwrap());
    assert_eq!(
        (got, title),
        (json!(digest), json!(format!("SHA-256 {digest}")))
    );

    let more = [
        "--labels",
        "both",
        "--state",
        "waiting",
        "--split",
        "train=2,val=1",
    ];
    let folder = desk.export("csv", "by-hand", &more);
    let by_hand = files_of(&folder);
    assert!(by_hand.contains_key("labels.csv"));
    assert!(unpacked(&archive) == by_hand, "the files differ");

    // Deleted on the page, it is gone from the disk too.
    page.click_button("Delete").await;
    page.click_button("Delete it?").await;
    page.until("document.querySelector('tr[data-export]') === null")
        .await;
    wait_for("the archive to be deleted", || {
        (!archive.exists()).then_some(())
    });
    page.close().await;
    host.stop();
}

async fn stands(store: &LabelStore, export: i64) -> StoredExport {
    store.export(export).await.unwrap().unwrap()
}

async fn ended(store: &LabelStore, export: i64) -> StoredExport {
    let until = std::time::Instant::now() + end_to_end::PATIENCE;
    loop {
        let stored = stands(store, export).await;
        if matches!(stored.state, ExportState::Here | ExportState::Failed) {
            return stored;
        }
        assert!(std::time::Instant::now() < until, "in vain: {stored:?}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_export_survives_the_death_of_its_host_and_leaves_no_rest() {
    let desk = Desk::made_now().await;
    let store = LabelStore::open(&desk.folder.path().join("rigel.sqlite"))
        .await
        .unwrap();
    let wish = json!({"format": "parquet", "labels": "both"});
    let host = serve(&desk);
    let name = std::fs::read_to_string(desk.folder.path().join("exports/host")).unwrap();
    let ask = || store.ask_export(&name, &wish, "ada", 0);
    let first = ask().await.unwrap().export;
    // Wherever it is by now.
    host.kill();
    // What a host leaves that dies after the files were whole and before they were packed, and while it packed.
    let second = ask().await.unwrap().export;
    let folder = desk.folder.path().join("exports");
    std::fs::create_dir_all(folder.join(second.to_string())).unwrap();
    std::fs::write(folder.join(second.to_string()).join("rest.txt"), "rest").unwrap();
    std::fs::write(folder.join(format!("{second}.zip.partial")), "PK").unwrap();
    // Of an export that was deleted, and of somebody else.
    std::fs::create_dir_all(folder.join("999.unfinished")).unwrap();
    std::fs::write(folder.join("mine.txt"), "mine").unwrap();

    let host = serve(&desk);
    let by_hand = files_of(&desk.export("parquet", "by-hand", &["--labels", "both"]));
    for export in [first, second] {
        let stored = ended(&store, export).await;
        assert_eq!(stored.state, ExportState::Here, "{:?}", stored.reason);
        let archive = archive_of(&desk, export);
        let bytes = std::fs::read(&archive).unwrap();
        let told = stored.archive.unwrap();
        let clips = told.summary["clips"].clone();
        assert_eq!(
            told,
            Archive {
                bytes: bytes.len() as u64,
                sha256: sha256(&bytes),
                summary: told.summary.clone()
            }
        );
        assert_eq!(clips, desk.world.clips.len());
        assert!(unpacked(&archive) == by_hand, "export {export} differs");
    }
    let same = [first, second].map(|export| std::fs::read(archive_of(&desk, export)).unwrap());
    assert!(same[0] == same[1], "the same labels give the same bytes");

    // One that cannot be written says why, and the next goes on.
    let nothing = json!({"format": "coco", "filter": {"model": "nobody@1"}});
    let nothing = store
        .ask_export(&name, &nothing, "ada", 0)
        .await
        .unwrap()
        .export;
    let third = ask().await.unwrap().export;
    let failed = ended(&store, nothing).await;
    assert_eq!(failed.state, ExportState::Failed);
    let reason = failed.reason.unwrap();
    assert!(reason.contains("no label matches"), "{reason}");
    assert_eq!(ended(&store, third).await.state, ExportState::Here);
    host.stop();
    store.close().await;
    let mut names: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let archives = [first, second, third].map(|export| format!("{export}.zip"));
    assert_eq!(
        names,
        [&archives[..], &["host".to_owned(), "mine.txt".to_owned()]].concat()
    );
}
