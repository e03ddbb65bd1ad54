//! What the programs say about their own run, and whether it adds up.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Deserialize;

/// Stages of `rigeld` that run a model or a decoder; all others are our own arithmetic.
const INFERENCE_AND_DECODING: [&str; 5] = ["decode", "detect", "mesh", "eyes", "person"];

/// `rigeld`'s account of one run. Other fields it may have are its own business.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct RigSummary {
    pub(crate) frames: u64,
    pub(crate) seconds: f64,
    pub(crate) fps: f64,
    /// Milliseconds a frame, by stage.
    pub(crate) stages_ms: BTreeMap<String, f64>,
    pub(crate) tracks: u64,
    pub(crate) blinks: u64,
    pub(crate) made: u64,
    pub(crate) offered: u64,
    pub(crate) abstained: u64,
    pub(crate) sent: u64,
    pub(crate) acked: u64,
}

/// The host's account of what it holds. A number it does not tell is no zero: it cannot be checked, and that is said.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct HostSummary {
    pub(crate) made: Option<u64>,
    pub(crate) offered: Option<u64>,
    pub(crate) abstained: Option<u64>,
    pub(crate) committed: Option<u64>,
    pub(crate) frames: Option<u64>,
    pub(crate) tracks: Option<u64>,
    pub(crate) blinks: Option<u64>,
    pub(crate) evidence: Option<u64>,
    /// What the host itself makes of it: every clip closed and complete, no gap in the messages, none set aside.
    pub(crate) balanced: Option<bool>,
    pub(crate) kinds: Vec<KindCount>,
}

/// Labels of one kind at the host.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct KindCount {
    kind: String,
    offered: u64,
    abstained: u64,
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
        (all > 0.0).then(|| self.own_ms() / all)
    }

    /// Seconds of the whole run that went neither into models nor into decoding.
    pub(crate) fn own_seconds(&self) -> f64 {
        self.own_ms() * self.frames as f64 / 1e3
    }

    fn own_ms(&self) -> f64 {
        let own = |name: &str| !INFERENCE_AND_DECODING.contains(&name);
        self.stages_ms
            .iter()
            .filter(|(name, _)| own(name))
            .map(|(_, ms)| ms)
            .sum()
    }
}

/// Everything that does not add up, each as a sentence; empty when all is well.
pub(crate) fn imbalances(rig: &RigSummary, host: &HostSummary) -> Vec<String> {
    let mut found = Vec::new();
    let made = ("labels made on the rig", Some(rig.made));
    let sent = ("labels sent by the rig", Some(rig.sent));
    let mut equal = |(left, ours): (&str, Option<u64>), (right, theirs): (&str, Option<u64>)| match (
        ours, theirs,
    ) {
        (Some(ours), Some(theirs)) if ours == theirs => {}
        (Some(ours), Some(theirs)) => found.push(format!("{left}: {ours}, but {right}: {theirs}")),
        _ => found.push(format!(
            "nobody told of {right}, so {left} could not be checked"
        )),
    };
    equal(
        made,
        ("offered + abstained", Some(rig.offered + rig.abstained)),
    );
    equal(made, ("labels sent by the rig", Some(rig.sent)));
    equal(sent, ("labels committed at the host", host.committed));
    equal(sent, ("labels acknowledged to the rig", Some(rig.acked)));
    equal(made, ("labels made as the host was told", host.made));
    equal(
        ("labels offered on the rig", Some(rig.offered)),
        ("labels offered at the host", host.offered),
    );
    equal(
        ("labels abstained on the rig", Some(rig.abstained)),
        ("labels abstained at the host", host.abstained),
    );
    equal(
        ("frames on the rig", Some(rig.frames)),
        ("frames at the host", host.frames),
    );
    equal(
        ("blinks on the rig", Some(rig.blinks)),
        ("blinks at the host", host.blinks),
    );
    if host.evidence < host.blinks {
        let count = |number: Option<u64>| {
            number.map_or_else(
                || "an unknown number of".to_owned(),
                |number| number.to_string(),
            )
        };
        found.push(format!(
            "{} blinks, but {} pieces of evidence at the host",
            count(host.blinks),
            count(host.evidence)
        ));
    }
    if host.balanced != Some(true) {
        found.push("the host does not find its own counts balanced".to_owned());
    }
    if rig.frames == 0 {
        found.push("no frame was labelled".to_owned());
    }
    found
}

/// Both accounts side by side, for people.
pub(crate) fn table(rig: &RigSummary, host: &HostSummary) -> String {
    let told =
        |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let mut lines = vec![format!("{:24} {:>10} {:>10}", "", "rig", "host")];
    let mut line = |name: &str, ours: Option<u64>, theirs: Option<u64>| {
        lines.push(format!("{name:24} {:>10} {:>10}", told(ours), told(theirs)));
    };
    line("frames", Some(rig.frames), host.frames);
    line("tracks", Some(rig.tracks), host.tracks);
    line("blinks", Some(rig.blinks), host.blinks);
    line("evidence", None, host.evidence);
    line("labels made", Some(rig.made), host.made);
    line("  offered", Some(rig.offered), host.offered);
    line("  abstained", Some(rig.abstained), host.abstained);
    line("labels sent", Some(rig.sent), None);
    line("labels committed", Some(rig.acked), host.committed);
    lines.push(String::new());
    for count in &host.kinds {
        lines.push(format!(
            "  {:24} {:>6} offered {:>6} abstained",
            count.kind, count.offered, count.abstained
        ));
    }
    lines.push(format!(
        "\n{:.1} frames a second over {:.1} s; ms a frame:",
        rig.fps, rig.seconds
    ));
    for (stage, ms) in &rig.stages_ms {
        lines.push(format!("  {stage:12} {ms:8.3}"));
    }
    if let Some(share) = rig.own_share() {
        lines.push(format!(
            "outside models and decoding: {:.1} % of the time",
            100.0 * share
        ));
    }
    lines.join("\n")
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
        let host = r#"{"made":10,"offered":6,"abstained":4,"committed":10,"balanced":true,"frames":9,"blinks":2,"evidence":2,"kinds":[{"kind":"blink","offered":2,"abstained":0}]}"#;
        (rig, serde_json::from_str(host).unwrap())
    }

    #[test]
    fn what_balances_is_not_complained_about_and_is_shown() {
        let (rig, host) = balanced();
        assert_eq!(imbalances(&rig, &host), Vec::<String>::new());
        let shown = table(&rig, &host);
        assert!(
            shown.contains("labels committed                 10         10"),
            "{shown}"
        );
    }

    #[test]
    fn what_differs_is_named_with_both_numbers() {
        let (rig, host) = balanced();
        let lost = HostSummary {
            committed: Some(9),
            ..host.clone()
        };
        assert_eq!(
            imbalances(&rig, &lost),
            ["labels sent by the rig: 10, but labels committed at the host: 9"]
        );
        let bare = HostSummary {
            evidence: Some(1),
            ..host.clone()
        };
        assert_eq!(
            imbalances(&rig, &bare),
            ["2 blinks, but 1 pieces of evidence at the host"]
        );
        let forgot = RigSummary {
            abstained: 3,
            ..rig
        };
        let told = imbalances(&forgot, &host).join("\n");
        assert!(
            told.contains("offered + abstained: 9")
                && told.contains("labels abstained at the host: 4"),
            "{told}"
        );
    }

    #[test]
    fn a_number_nobody_told_is_not_taken_for_good() {
        let (rig, host) = balanced();
        let silent = HostSummary {
            committed: None,
            ..host
        };
        let told = imbalances(&rig, &silent);
        assert_eq!(
            told,
            [
                "nobody told of labels committed at the host, so labels sent by the rig could not be checked"
            ]
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
