//! Messages from a stranger, one after the other: a byte for the topic, two for the length of the payload, the payload; what
//! is left at the end is the last one's.
//!
//! Whatever the host takes its store must be able to hold: a store that fails at a message would be handed it again for
//! ever. What it does not take goes into quarantine, which must hold it too.

#![no_main]

use label_core::wire::Topic;
use label_store::{Incoming, LabelStore};
use libfuzzer_sys::fuzz_target;
use std::cell::RefCell;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// How many inputs a store is given before it begins anew: it must not grow for ever, and what was found must be found again
/// with its input alone.
const INPUTS: u32 = 50;

/// A store, and how many inputs it has had.
struct Desk {
    runtime: Runtime,
    store: LabelStore,
    inputs: u32,
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
            inputs: 0,
            _folder: folder,
        }
    }
}

thread_local! {
    static DESK: RefCell<Option<Desk>> = const { RefCell::new(None) };
}

fn messages(mut bytes: &[u8]) -> Vec<Incoming> {
    let mut out = Vec::new();
    while let Some(([which, low, high], rest)) = bytes.split_first_chunk::<3>() {
        let length = usize::from(u16::from_le_bytes([*low, *high])).min(rest.len());
        let (payload, next) = rest.split_at(length);
        let topic = Topic::ALL[usize::from(*which) % Topic::ALL.len()];
        let topic = format!("rigel/v1/north/rig-07/{}", topic.leaf());
        out.push(ingest::decode(
            &topic,
            payload.to_vec(),
            1_790_000_000_000_000,
        ));
        bytes = next;
    }
    out
}

fuzz_target!(|bytes: &[u8]| {
    let messages = messages(bytes);
    DESK.with_borrow_mut(|place| {
        let desk = place.get_or_insert_with(Desk::new);
        let told = desk.runtime.block_on(async {
            desk.store.commit(&messages).await?;
            // Sums over what a stranger counted.
            desk.store.fleet(5000).await.map(drop)
        });
        told.expect("the store holds what the host took, and can tell of it");
        desk.inputs += 1;
        if desk.inputs == INPUTS {
            *place = None;
        }
    });
});
