//! Tells open pages that something changed, so that they ask again.
//!
//! The store is watched, not its writers: ingest may run in another process. It is looked at only while a page listens.

use axum::response::sse::Event;
use futures_util::{Stream, stream};
use label_store::LabelStore;
use std::convert::Infallible;
use std::time::Duration;
use tokio::sync::{OnceCell, watch};

/// How long a change stays unnoticed at most; well under what a reviewer spends on an item.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The changes of one store, for any number of pages.
pub(crate) struct Changes {
    store: LabelStore,
    stop: watch::Receiver<bool>,
    counter: OnceCell<watch::Sender<u64>>,
}

impl Changes {
    pub(crate) fn new(store: LabelStore, stop: watch::Receiver<bool>) -> Self {
        Self {
            store,
            stop,
            counter: OnceCell::new(),
        }
    }

    /// One event for each change, from now on, until the host stops. Changes that come faster than a page takes them
    /// are told as one.
    pub(crate) async fn listen(&self) -> impl Stream<Item = Result<Event, Infallible>> + use<> {
        let counter = self
            .counter
            .get_or_init(|| async { self.watch() })
            .await
            .subscribe();
        stream::unfold(
            (counter, self.stop.clone()),
            |(mut counter, mut stop)| async move {
                tokio::select! {
                    changed = counter.changed() => changed.ok()?,
                    _ = stop.wait_for(|stop| *stop) => return None,
                }
                let count = *counter.borrow_and_update();
                let event = Event::default().event("change").data(count.to_string());
                Some((Ok(event), (counter, stop)))
            },
        )
    }

    fn watch(&self) -> watch::Sender<u64> {
        let (sender, _) = watch::channel(0);
        let (counter, store, mut stop) = (sender.clone(), self.store.clone(), self.stop.clone());
        tokio::spawn(async move {
            let mut ticks = tokio::time::interval(LOOK_EVERY);
            ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
            let mut last = None;
            loop {
                tokio::select! {
                    _ = ticks.tick() => {}
                    // An error means that the host is gone altogether.
                    _ = stop.wait_for(|stop| *stop) => return,
                }
                if counter.receiver_count() == 0 {
                    // Whoever comes next asks for everything first.
                    last = None;
                    continue;
                }
                match store.revision().await {
                    Ok(now) => {
                        if last.replace(now).is_some_and(|before| before != now) {
                            counter.send_modify(|count| *count += 1);
                        }
                    }
                    Err(error) => {
                        tracing::warn!(
                            error = &error as &dyn std::error::Error,
                            "cannot look for changes"
                        );
                    }
                }
            }
        });
        sender
    }
}
