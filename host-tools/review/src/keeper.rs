//! Counts quality as verdicts come, and carries out what the rules allow without asking, whether or not a page is open.

use label_store::{LabelStore, now_us};
use std::time::Duration;
use tokio::sync::watch;

const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Counting goes on in steps of this long, so that stopping never waits longer.
const COUNT_FOR: Duration = Duration::from_millis(500);

/// Runs until `stop` turns true. Trouble with the store is logged once and tried again.
pub async fn keep(store: LabelStore, mut stop: watch::Receiver<bool>) {
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut troubled = false;
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
        match look(&store).await {
            Ok(()) => troubled = false,
            Err(error) if !troubled => {
                tracing::warn!(
                    error = &error as &dyn std::error::Error,
                    "cannot keep quality up to date; trying again"
                );
                troubled = true;
            }
            Err(_) => {}
        }
    }
}

async fn look(store: &LabelStore) -> Result<(), label_store::StoreError> {
    let refreshed = store.refresh_quality(COUNT_FOR).await?;
    if refreshed.clips > 0 && refreshed.behind == 0 {
        let steps = store.carry_out_proposals(now_us()).await?;
        if steps > 0 {
            tracing::info!(steps, "carried out what quality proposed");
        }
    }
    Ok(())
}
