//! The review page over a drive that never was, for work on the page and for pictures of it:
//! `cargo run -p review --example synthetic_desk -- [ADDRESS]`.

#[path = "../tests/synthetic_drive/mod.rs"]
#[expect(dead_code, reason = "a shorter drive, for tests")]
mod synthetic_drive;

use std::net::SocketAddr;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen: SocketAddr = std::env::args()
        .nth(1)
        .as_deref()
        .unwrap_or("127.0.0.1:8099")
        .parse()?;
    let folder = tempfile::tempdir()?;
    let store = label_store::LabelStore::open(&folder.path().join("labels.db")).await?;
    synthetic_drive::Rig::drive_with_every_kind(&store).await;
    let (_stop, stop) = tokio::sync::watch::channel(false);
    let options = review::Options {
        listen,
        names: Vec::new(),
        exports: review::ExportPlace::default(),
        stop: stop.clone(),
        numbers: review::Numbers::default(),
    };
    let listener = tokio::net::TcpListener::bind(listen).await?;
    review::serve(listener, review::router(store, options), stop).await;
    Ok(())
}
