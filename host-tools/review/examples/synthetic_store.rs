//! A store that `rigel serve` can be started on, with labels of every kind, rigs and verdicts that never were:
//! `cargo run -p review --example synthetic_store -- FOLDER && rigel serve --data FOLDER`.

#[path = "../tests/synthetic_drive/mod.rs"]
#[expect(dead_code, reason = "a shorter drive, for tests")]
mod synthetic_drive;
#[path = "../tests/synthetic_fleet/mod.rs"]
mod synthetic_fleet;

use std::path::PathBuf;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args()
        .nth(1)
        .map(PathBuf::from)
        .ok_or("name the folder, which will be the host's --data")?;
    std::fs::create_dir_all(&folder)?;
    let store = label_store::LabelStore::open(&folder.join("rigel.sqlite")).await?;
    synthetic_drive::Rig::drive_with_every_kind(&store).await;
    synthetic_fleet::drive(&store).await;
    store.close().await;
    Ok(())
}
