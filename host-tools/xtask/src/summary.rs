//! What the programs say about their own run, and whether it adds up.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Stages of `rigeld` that run a model or a decoder; all others are our own arithmetic.
const INFERENCE_AND_DECODING: [&str; 4] = ["decode", "detect", "mesh", "person"];

/// `rigeld`'s account of one run. Other fields it may have are its own business.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RigSummary {
    pub(crate) frames: u64,
    pub(crate) seconds: f64,
    pub(crate) fps: f64,
    /// Milliseconds spent in each stage.
    pub(crate) stages_ms: BTreeMap<String, f64>,
    pub(crate) tracks: u64,
    pub(crate) blinks: u64,
    pub(crate) made: u64,
    pub(crate) offered: u64,
    pub(crate) abstained: u64,
    pub(crate) sent: u64,
    pub(crate) acked: u64,
}

/// The host's account of what it holds.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HostSummary {
    pub(crate) made: u64,
    pub(crate) offered: u64,
    pub(crate) abstained: u64,
    pub(crate) sent: u64,
    pub(crate) committed: u64,
    pub(crate) blinks: u64,
    pub(crate) evidence: u64,
}

impl RigSummary {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path)
            .with_context(|| format!("cannot read {}: did rigeld finish?", path.display()))?;
        serde_json::from_slice(&text).with_context(|| format!("{} is no summary", path.display()))
    }

    /// Share of the stages' time that goes neither into models nor into decoding; `None` without stages.
    pub(crate) fn own_share(&self) -> Option<f64> {
        let all: f64 = self.stages_ms.values().sum();
        let own: f64 = self
            .stages_ms
            .iter()
            .filter(|(name, _)| !INFERENCE_AND_DECODING.contains(&name.as_str()))
            .map(|(_, ms)| ms)
            .sum();
        (all > 0.0).then(|| own / all)
    }
}

/// Everything that does not add up, each as a sentence; empty when all is well.
pub(crate) fn imbalances(rig: &RigSummary, host: &HostSummary) -> Vec<String> {
    let mut found = Vec::new();
    let mut equal = |left: (&str, u64), right: (&str, u64)| {
        if left.1 != right.1 {
            found.push(format!(
                "{} is {}, but {} is {}",
                left.0, left.1, right.0, right.1
            ));
        }
    };
    equal(
        ("labels made on the rig", rig.made),
        ("offered + abstained", rig.offered + rig.abstained),
    );
    equal(
        ("labels made on the rig", rig.made),
        ("labels sent", rig.sent),
    );
    equal(
        ("labels sent by the rig", rig.sent),
        ("labels committed at the host", host.committed),
    );
    equal(
        ("labels sent by the rig", rig.sent),
        ("labels acknowledged to it", rig.acked),
    );
    equal(
        ("labels made on the rig", rig.made),
        ("labels made as the host counts", host.made),
    );
    equal(
        ("labels offered on the rig", rig.offered),
        ("labels offered as the host counts", host.offered),
    );
    equal(
        ("labels abstained on the rig", rig.abstained),
        ("labels abstained as the host counts", host.abstained),
    );
    equal(
        ("labels sent by the rig", rig.sent),
        ("labels sent as the host counts", host.sent),
    );
    equal(
        ("blinks on the rig", rig.blinks),
        ("blinks at the host", host.blinks),
    );
    if host.evidence < host.blinks {
        found.push(format!(
            "{} blinks arrived, but only {} pieces of evidence",
            host.blinks, host.evidence
        ));
    }
    if rig.frames == 0 {
        found.push("no frame was labelled".to_owned());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn balanced() -> (RigSummary, HostSummary) {
        let rig = RigSummary {
            frames: 9,
            made: 10,
            offered: 6,
            abstained: 4,
            sent: 10,
            acked: 10,
            blinks: 2,
            ..RigSummary::default()
        };
        let host = HostSummary {
            made: 10,
            offered: 6,
            abstained: 4,
            sent: 10,
            committed: 10,
            blinks: 2,
            evidence: 2,
        };
        (rig, host)
    }

    #[test]
    fn what_balances_is_not_complained_about() {
        let (rig, host) = balanced();
        assert_eq!(imbalances(&rig, &host), Vec::<String>::new());
    }

    #[test]
    fn what_differs_is_named_with_both_numbers() {
        let (rig, host) = balanced();
        let lost = HostSummary {
            committed: 9,
            ..host.clone()
        };
        assert_eq!(
            imbalances(&rig, &lost),
            ["labels sent by the rig is 10, but labels committed at the host is 9"]
        );
        let bare = HostSummary {
            evidence: 1,
            ..host.clone()
        };
        assert_eq!(
            imbalances(&rig, &bare),
            ["2 blinks arrived, but only 1 pieces of evidence"]
        );
        let forgot = RigSummary {
            abstained: 3,
            ..rig
        };
        let told = imbalances(&forgot, &host);
        assert!(
            told[0].contains("offered + abstained is 9")
                && told[1].contains("abstained as the host counts is 4"),
            "{told:?}"
        );
    }

    #[test]
    fn the_own_share_leaves_out_models_and_decoding() {
        let stages_ms = [
            ("decode", 10.0),
            ("mesh", 20.0),
            ("track", 5.0),
            ("blink", 5.0),
        ]
        .map(|(name, ms)| (name.to_owned(), ms))
        .into();
        assert_eq!(
            RigSummary {
                stages_ms,
                ..RigSummary::default()
            }
            .own_share(),
            Some(0.25)
        );
        assert_eq!(RigSummary::default().own_share(), None);
    }
}
