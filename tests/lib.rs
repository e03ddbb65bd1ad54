//! What end-to-end tests share: starting real programs on free ports, waiting for what they say, and ending them.
//!
//! Nothing here waits for a fixed time. Programs write state files, the store can be counted; [`wait_for`] looks again
//! until a deadline and then says what it was waiting for.

mod fixture;
mod postgres;
mod programs;

pub use fixture::{
    CLIP, Journal, Made, MadeCounts, encode_message, labels, message_of, model, picture,
};
pub use postgres::Postgres;
pub use programs::{Broker, Host, Program, binary, free_port, rig_command};

use std::time::{Duration, Instant};

/// Long enough for a loaded machine, short enough for a person.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// Looks until `look` finds something; panics after [`PATIENCE`] with what it was waiting for.
pub fn wait_for<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_for_at_most(PATIENCE, what, look)
}

/// Looks until `look` finds something; panics after this time with what it was waiting for.
pub fn wait_for_at_most<T>(
    patience: Duration,
    what: &str,
    mut look: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Instant::now() + patience;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(
            Instant::now() < deadline,
            "waited {patience:?} in vain for {what}"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
}
