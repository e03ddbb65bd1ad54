//! Every labeller of the desk, by what reviewers said: the table of the view *Quality*.

use super::{share, table};
use ::quality::{DeskKind, Reliability, Share};
use anyhow::Result;
use label_core::id::Name;
use label_store::{Dimension, LabelStore, QualityFilter, QualityRow};
use serde::Serialize;
use std::io::Write as _;
use std::time::Duration;

/// What changed is counted for this long at once.
const COUNT_FOR: Duration = Duration::from_secs(10);

#[derive(Serialize)]
struct Told {
    kind: DeskKind,
    model: String,
    rig: String,
    offered: u64,
    judged: u64,
    clips: u64,
    precision: Option<Share>,
    /// The line to clear.
    floor: f64,
    /// `clears`, `below` or `cannot-tell`.
    standing: &'static str,
    calibration_error: Option<f64>,
}

pub(super) async fn tell(
    store: &LabelStore,
    kind: Option<DeskKind>,
    rig: Option<&Name>,
    as_json: bool,
) -> Result<()> {
    while store.refresh_quality(COUNT_FOR).await?.behind > 0 {}
    let rules = store.policy_rules().await?;
    let filter = QualityFilter {
        kind,
        rig: rig.cloned(),
        by: vec![Dimension::Rig],
        ..QualityFilter::default()
    };
    let told = |row: QualityRow| {
        let (floor, precision) = (rules.floor_of(row.kind), row.moments.share());
        Told {
            kind: row.kind,
            rig: row.split.get(&Dimension::Rig).cloned().unwrap_or_default(),
            offered: row.offered,
            judged: row.moments.judged as u64,
            clips: row.moments.clips,
            standing: match precision.and_then(|share| share.interval) {
                Some(interval) if interval.low >= floor => "clears",
                Some(interval) if interval.high < floor => "below",
                _ => "cannot-tell",
            },
            calibration_error: Reliability::of(&row.bins).map(|one| one.error),
            model: row.model,
            precision,
            floor,
        }
    };
    let rows: Vec<Told> = store
        .quality(&filter)
        .await?
        .into_iter()
        .map(told)
        .collect();
    let mut out = std::io::stdout().lock();
    if as_json {
        let text = serde_json::to_string_pretty(&rows).expect("numbers and text always encode");
        let _ = writeln!(out, "{text}");
        return Ok(());
    }
    let head = [
        "kind",
        "rig",
        "model",
        "offered",
        "judged",
        "clips",
        "right",
        "line",
        "",
        "calibration error",
    ];
    let mut lines = vec![head.map(str::to_owned)];
    for row in &rows {
        lines.push([
            row.kind.name().to_owned(),
            row.rig.clone(),
            row.model.clone(),
            row.offered.to_string(),
            row.judged.to_string(),
            row.clips.to_string(),
            share(row.precision),
            format!("{:.0} %", 100.0 * row.floor),
            row.standing.replace('-', " "),
            row.calibration_error
                .map_or("-".to_owned(), |error| format!("{error:.3}")),
        ]);
    }
    table(&mut out, &lines);
    Ok(())
}
