//! `rigel quality`: how good labels are, by what reviewers said of each labeller, or one set against another.

mod fleet;
mod sets;

use crate::export::named;
use crate::import::size;
use crate::store_place::StorePlace;
use ::quality::{DeskKind, LineRow, Row, Share, Spread};
use anyhow::{Context, Result};
use clap::Args;
use label_core::LabelKind;
use label_store::LabelStore;
use serde::Serialize;
use sets::{Compared, SetName};
use std::io::Write as _;
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel quality                                                      every labeller of the desk, by what reviewers said
  rigel quality --rig rig-07 --kind blink --json                     of one rig and kind, for programs
  rigel quality --truth truth --pred candidates                      what reviewers made of it against what was offered
  rigel quality --truth truth:gt-2026 --pred candidates:rig-07       a rig against imported truth
  rigel quality --truth coco:val.json --pred coco:results/           two files
  rigel quality --truth truth:gt-2026 --pred raw:out.jsonl --mapping model.toml

A set is `truth` (what persons stand behind), `candidates` (what machines offered), either followed by `:NAME` of a rig or an imported source,
or `FORMAT:PATH` of files as `rigel import` reads them. Clips are the same where identity, digest of the media, or a name that no other
has are. Of the desk's own truth only frames count of which somebody said something of that kind and person; of files and imported truth the whole clip, or
every picture that is listed.

The standard: boxes at IoU 0.8 (0.65 where the true one is under 100 px), points within 8 px, lines at an
RMSE of 10 px, events one to one at temporal IoU 0.5, states frame by
frame. Intervals (95 %) take the clip as the unit of chance; there is none of fewer than 5 clips or 20 judgements. docs/quality.md has the formulas.

Exit codes: 0 told, 1 not (the message says why), 2 wrong arguments.")]
pub(crate) struct QualityArguments {
    #[command(flatten)]
    place: StorePlace,
    /// The set that is true
    #[arg(long, value_name = "SET", requires = "pred")]
    truth: Option<SetName>,
    /// The set that is measured
    #[arg(long, value_name = "SET", requires = "truth", conflicts_with = "rig")]
    pred: Option<SetName>,
    /// Of this kind only
    #[arg(long, value_name = "KIND", value_parser = named(DeskKind::ALL, DeskKind::name))]
    kind: Option<DeskKind>,
    /// Of this rig or source only
    #[arg(long, value_name = "NAME", value_parser = |text: &str| label_core::wire::parse_name(text).map_err(|error| error.to_string()))]
    rig: Option<label_core::id::Name>,
    /// How `raw:PATH` is read, and names in files of other formats
    #[arg(long, value_name = "FILE", requires = "pred")]
    mapping: Option<PathBuf>,
    /// Width and height of clips that neither files nor the desk tell, pixels
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size, requires = "pred")]
    size: Option<(u32, u32)>,
    /// Their frames a second
    #[arg(long, value_name = "RATE", requires = "pred")]
    fps: Option<f64>,
    /// For programs: one object
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &QualityArguments) -> Result<()> {
    let both = arguments.truth.as_ref().zip(arguments.pred.as_ref());
    let only_files = both.is_some_and(|(truth, pred)| truth.is_of_files() && pred.is_of_files());
    // Two sets of files need no desk: an empty one knows no clip.
    let nowhere = if only_files && !arguments.place.exists()? {
        Some(tempfile::tempdir().context("cannot make a folder")?)
    } else {
        None
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            let store = match &nowhere {
                Some(folder) => LabelStore::open(&folder.path().join("rigel.sqlite")).await?,
                None => arguments.place.open_existing().await?,
            };
            let told = match both {
                Some((truth, pred)) => sets::compare(arguments, &store, truth, pred)
                    .await
                    .map(|compared| say(arguments, &compared)),
                None => {
                    fleet::tell(
                        &store,
                        arguments.kind,
                        arguments.rig.as_ref(),
                        arguments.json,
                    )
                    .await
                }
            };
            store.close().await;
            told
        })
}

#[derive(Serialize)]
struct Told<'a> {
    truth: String,
    pred: String,
    clips: u64,
    /// Clips of the truth that were not predicted, and the other way round: neither counts.
    only_true: u64,
    only_predicted: u64,
    kinds: &'a [Row],
    /// Kinds that were predicted and of which the truth says nothing: they are in no row.
    unspoken: &'a [LabelKind],
    lines: &'a [LineRow],
}

fn say(arguments: &QualityArguments, compared: &Compared) {
    let name = |set: &Option<SetName>| set.as_ref().map_or(String::new(), ToString::to_string);
    let (truth, pred) = (name(&arguments.truth), name(&arguments.pred));
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let told = Told {
            truth,
            pred,
            clips: compared.clips,
            only_true: compared.only_true,
            only_predicted: compared.only_predicted,
            kinds: &compared.rows,
            unspoken: &compared.unspoken,
            lines: &compared.lines,
        };
        let text = serde_json::to_string_pretty(&told).expect("numbers and text always encode");
        let _ = writeln!(out, "{text}");
        return;
    }
    let _ = writeln!(out, "{pred} against {truth}: {} clip(s)", compared.clips);
    for (count, what) in [
        (compared.only_true, "of the truth were not predicted"),
        (
            compared.only_predicted,
            "were predicted and are not in the truth",
        ),
    ] {
        if count > 0 {
            let _ = writeln!(out, "{count} clip(s) {what}: left out");
        }
    }
    if !compared.unspoken.is_empty() {
        let kinds: Vec<_> = compared.unspoken.iter().map(|kind| kind.name()).collect();
        let _ = writeln!(
            out,
            "of {} the truth says nothing: left out",
            kinds.join(", ")
        );
    }
    let mut lines = vec![
        [
            "kind",
            "unit",
            "true",
            "predicted",
            "precision",
            "recall",
            "in place",
            "apart (median, 90 %)",
        ]
        .map(str::to_owned),
    ];
    for row in &compared.rows {
        lines.push([
            row.kind.name().to_owned(),
            row.unit.to_owned(),
            row.truth.to_string(),
            row.predicted.to_string(),
            share(row.precision),
            share(row.recall),
            share(row.agreement),
            apart(row),
        ]);
    }
    for row in &compared.lines {
        lines.push([
            row.kind.to_owned(),
            row.unit.to_owned(),
            row.truth.to_string(),
            row.predicted.to_string(),
            share(row.precision),
            share(row.recall),
            share(row.agreement),
            row.error.map_or("-".to_owned(), |spread| two(spread, "px")),
        ]);
    }
    table(&mut out, &lines);
    for row in &compared.rows {
        if let Some(coco) = row.coco {
            let _ = writeln!(
                out,
                "{} as COCO counts: AP {:.3}, AP50 {:.3}, AP75 {:.3}, AP80 {:.3}, AR {:.3}",
                row.kind, coco.ap, coco.ap50, coco.ap75, coco.ap80, coco.ar
            );
        }
    }
}

/// A share with its interval, in hundredths; `?` where there is none yet.
fn share(share: Option<Share>) -> String {
    let Some(share) = share else {
        return "-".to_owned();
    };
    let interval = share.interval.map_or("?".to_owned(), |interval| {
        format!("{:.0}–{:.0}", 100.0 * interval.low, 100.0 * interval.high)
    });
    format!("{:.1} % [{interval}]", 100.0 * share.value)
}

fn two(spread: Spread, unit: &str) -> String {
    format!("{:.2}, {:.2} {unit}", spread.median, spread.p90)
}

fn apart(row: &Row) -> String {
    let unit = if row.kind.is_event() { "frames" } else { "px" };
    let mut words: Vec<String> = row
        .error
        .map(|spread| two(spread, unit))
        .into_iter()
        .collect();
    words.extend(row.error_of_eyes.map(|spread| {
        format!(
            "{:.1}, {:.1} % of the eyes' distance",
            100.0 * spread.median,
            100.0 * spread.p90
        )
    }));
    if words.is_empty() {
        "-".to_owned()
    } else {
        words.join("; ")
    }
}

/// Columns as wide as they need.
fn table<const N: usize>(out: &mut impl std::io::Write, lines: &[[String; N]]) {
    let mut widths = [0; N];
    for line in lines {
        for (width, cell) in widths.iter_mut().zip(line) {
            *width = cell.chars().count().max(*width);
        }
    }
    for line in lines {
        let mut text = String::new();
        for (cell, width) in line.iter().zip(widths) {
            let gap = width - cell.chars().count() + 2;
            text.push_str(cell);
            text.push_str(&" ".repeat(gap));
        }
        let _ = writeln!(out, "{}", text.trim_end());
    }
}
