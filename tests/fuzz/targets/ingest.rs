//! A message from a stranger. The first byte chooses the topic, the rest is the payload.
//!
//! Whatever the host takes its store must be able to hold: a store that fails at a message would be handed it again for
//! ever. What it does not take goes into quarantine, which must hold it too.

#![no_main]

use label_core::wire::Topic;
use label_store::LabelStore;
use libfuzzer_sys::fuzz_target;
use std::cell::OnceCell;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// A store, and how many messages it was handed: it begins anew before it grows.
struct Desk {
    runtime: Runtime,
    store: LabelStore,
    _folder: TempDir,
}

impl Desk {
    fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime can be made");
        let folder =
            tempfile::tempdir().expect("the system's folder for temporary files is writable");
        let store = runtime
            .block_on(LabelStore::open(&folder.path().join("fuzz.sqlite")))
            .expect("a new store opens");
        Self {
            runtime,
            store,
            _folder: folder,
        }
    }
}

thread_local! {
    static DESK: OnceCell<Desk> = const { OnceCell::new() };
}

fuzz_target!(|bytes: &[u8]| {
    let Some((which, payload)) = bytes.split_first() else {
        return;
    };
    let topic = Topic::ALL[*which as usize % Topic::ALL.len()];
    let topic = format!("rigel/v1/north/rig-07/{}", topic.leaf());
    let incoming = ingest::decode(&topic, payload.to_vec(), 1_790_000_000_000_000);
    DESK.with(|desk| {
        let desk = desk.get_or_init(Desk::new);
        desk.runtime
            .block_on(desk.store.commit(&[incoming]))
            .expect("the store holds what the host took");
    });
});
