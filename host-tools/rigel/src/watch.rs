//! `rigel watch`: labels as they arrive, in the terminal.

use crate::store_place::StorePlace;
use anyhow::{Context, bail};
use clap::Args;
use label_core::wire::parse_name;
use label_store::{LabelStore, Live, LiveLabel, label_key_text, now_us};
use quality::DeskKind;
use serde_json::json;
use std::collections::HashSet;
use std::io::{ErrorKind, Write};
use std::time::Duration;

/// Labels come in batches of a second; looking more often would only show the same.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// What is taken twice to be sure of once: messages are dated before they are committed.
const OVERLAP_US: i64 = 5_000_000;
/// Candidates shown at a look, at most: far more than rigs send in the overlap.
const AT_ONCE: u32 = 5000;
/// Rates are of the last minute.
const WINDOW_US: i64 = 60_000_000;
/// Lines of labels between two lines of rates.
const RATES_EVERY: Duration = Duration::from_secs(10);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel watch                                   what this machine's desk receives
  rigel watch --data /srv/rigel --rig rig-07    of one rig
  rigel watch --kind blink --kind long-closure  of these kinds
  rigel watch --json | jq .confidence           for programs: one object a line
  rigel watch --seconds 60                      for a minute, then end

Reads the desk's labels beside the running `rigel serve`; it changes nothing. Ends with Ctrl-C. Lag is from a label's last
frame until it was here; it is left out for clips from files and where a rig's clock is not set.")]
pub(crate) struct WatchArguments {
    #[command(flatten)]
    place: StorePlace,
    /// Of this rig only
    #[arg(long, value_name = "NAME")]
    rig: Option<String>,
    /// Of this kind only; may be repeated
    #[arg(long = "kind", value_name = "KIND", value_parser = parse_kind)]
    kinds: Vec<DeskKind>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    /// End after this many seconds
    #[arg(long, value_name = "S")]
    seconds: Option<u64>,
}

fn parse_kind(text: &str) -> Result<DeskKind, String> {
    DeskKind::from_name(text).ok_or_else(|| {
        let names = DeskKind::ALL.map(DeskKind::name);
        format!("a kind is one of {}", names.join(", "))
    })
}

pub(crate) fn run(arguments: &WatchArguments) -> anyhow::Result<()> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(watch(arguments))
}

async fn watch(arguments: &WatchArguments) -> anyhow::Result<()> {
    if let Some(rig) = &arguments.rig
        && parse_name(rig).is_err()
    {
        bail!("{rig:?} is no rig's name: 1 to 48 letters, digits, '-', '_' or '.'");
    }
    let store = arguments.place.open_existing().await?;
    let looking = look(arguments, &store);
    let ended = tokio::select! {
        ended = looking => ended,
        signal = tokio::signal::ctrl_c() => signal.context("cannot listen for Ctrl-C"),
        () = async {
            match arguments.seconds {
                Some(seconds) => tokio::time::sleep(Duration::from_secs(seconds)).await,
                None => std::future::pending().await,
            }
        } => Ok(()),
    };
    store.close().await;
    match ended {
        // Whoever read us has seen enough.
        Err(error) if is_broken_pipe(&error) => Ok(()),
        ended => ended,
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}

async fn look(arguments: &WatchArguments, store: &LabelStore) -> anyhow::Result<()> {
    let wanted = |label: &LiveLabel| {
        arguments
            .rig
            .as_ref()
            .is_none_or(|rig| label.id.rig == rig.as_str())
            && (arguments.kinds.is_empty() || arguments.kinds.contains(&label.kind))
    };
    let mut ticks = tokio::time::interval(LOOK_EVERY);
    let mut after_us = now_us();
    // Of the overlap only, so it stays small.
    let mut shown: HashSet<String> = HashSet::new();
    let mut rated = tokio::time::Instant::now();
    loop {
        ticks.tick().await;
        let live = store.live(after_us - OVERLAP_US, AT_ONCE).await?;
        let mut seen = HashSet::new();
        for label in &live.latest {
            let id = label_key_text(&label.id.clone().into());
            if label.received_us > after_us - OVERLAP_US && !shown.contains(&id) && wanted(label) {
                say(&line(label, &id, arguments.json))?;
            }
            after_us = after_us.max(label.received_us);
            seen.insert(id);
        }
        shown = seen;
        if rated.elapsed() >= RATES_EVERY && !arguments.json {
            rated = tokio::time::Instant::now();
            say(&rates(
                &store.live(now_us() - WINDOW_US, 0).await?,
                arguments,
            ))?;
        }
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}

fn line(label: &LiveLabel, id: &str, as_json: bool) -> String {
    if as_json {
        return json!({
            "id": id,
            "rig": label.id.rig.as_str(),
            "clip": label.clip,
            "kind": label.kind,
            "track": label.track,
            "frames": label.frames,
            "confidence": label.confidence,
            "value": label.value,
            "received_us": label.received_us,
            "lag_s": label.lag_s,
        })
        .to_string();
    }
    let confidence = label
        .confidence
        .map_or(String::new(), |share| format!("  {:.0} %", 100.0 * share));
    let lag = label
        .lag_s
        .map_or(String::new(), |lag| format!("  lag {lag:.1} s"));
    format!(
        "{:<16} {:<19} clip {} frames {}-{}{confidence}{lag}",
        label.id.rig.as_str(),
        label.kind.name(),
        label.clip,
        label.frames.start,
        label.frames.end
    )
}

fn rates(live: &Live, arguments: &WatchArguments) -> String {
    let mut parts: Vec<String> = live
        .kinds
        .iter()
        .filter(|one| {
            arguments
                .rig
                .as_ref()
                .is_none_or(|rig| one.rig == rig.as_str())
                && (arguments.kinds.is_empty() || arguments.kinds.contains(&one.kind))
        })
        .map(|one| {
            format!(
                "{} {} {} offered, {} silent",
                one.rig, one.kind, one.offered, one.abstained
            )
        })
        .collect();
    if parts.is_empty() {
        parts.push("nothing arrived".to_owned());
    }
    format!("-- last minute: {}", parts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use label_core::{BootId, FrameRange, LabelId};

    fn label() -> LiveLabel {
        LiveLabel {
            id: LabelId {
                rig: parse_name("rig-07").unwrap(),
                boot: BootId::first(3),
                seq: 17,
                n: 0,
            },
            clip: 2,
            kind: label_core::LabelKind::Blink.into(),
            track: Some(1),
            frames: FrameRange::new(758, 764),
            confidence: Some(0.934),
            value: None,
            received_us: 5,
            lag_s: Some(1.25),
        }
    }

    #[test]
    fn a_line_reads_in_words_and_parses_as_json() {
        assert_eq!(
            line(&label(), "rig-07:3145729:17:0", false),
            "rig-07           blink               clip 2 frames 758-764  93 %  lag 1.2 s"
        );
        let parsed: serde_json::Value =
            serde_json::from_str(&line(&label(), "rig-07:3145729:17:0", true)).unwrap();
        assert_eq!(
            (&parsed["kind"], &parsed["frames"]),
            (&json!("blink"), &json!([758, 764]))
        );
    }
}
