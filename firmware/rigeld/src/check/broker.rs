//! Does the broker take this rig?

use super::Finding;
use board::Board;
use uplink::{ProbeError, probe};

/// Connects as the rig would, under another name, and takes leave.
pub(super) fn check(board: &Board) -> Finding {
    let broker = &board.broker;
    let place = format!("{}:{}", broker.host, broker.port);
    let config = crate::wiring::uplink_config(board);
    match probe(&config, &board.rig) {
        Ok(answer) => {
            let ms = answer.took.as_millis();
            Finding::passed(format!("{place} takes this rig ({ms} ms)"))
                .with("address", answer.address.to_string())
                .with("ms", ms as u64)
        }
        Err(error) => {
            let to_do = to_do(&error);
            Finding::failed(format!("{:#}", anyhow::Error::new(error)), to_do)
        }
    }
}

fn to_do(error: &ProbeError) -> &'static str {
    match error {
        ProbeError::Unresolved { .. } => {
            "correct broker.host in the board file, or give the rig a name server; an address works without one"
        }
        ProbeError::Tls(_) => {
            "put the files that [broker.tls] names in place, readable for the user rigel: `rigel provision` makes them"
        }
        ProbeError::Unreachable { .. } => {
            "start the broker on the host (rigel serve) and let its port through the firewall; labels wait in the outbox meanwhile"
        }
        ProbeError::NotABroker { .. } => {
            "check broker.port, and that [broker] has TLS keys if, and only if, the broker wants them"
        }
        ProbeError::Refused { .. } => {
            "let the broker accept this rig: its certificate, its name, its rights; the broker's log says which"
        }
        _ => "check again",
    }
}
