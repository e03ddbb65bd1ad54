//! Quality, fleet and live over three rigs that never were, for work on these views and for pictures of them:
//! `cargo run -p review --example synthetic_fleet -- [ADDRESS]`.

#[path = "../tests/synthetic_fleet/mod.rs"]
mod synthetic_fleet;

use std::net::SocketAddr;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let listen: SocketAddr = std::env::args()
        .nth(1)
        .as_deref()
        .unwrap_or("127.0.0.1:8098")
        .parse()?;
    let folder = tempfile::tempdir()?;
    let store = label_store::LabelStore::open(&folder.path().join("labels.db")).await?;
    synthetic_fleet::drive(&store).await;
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
