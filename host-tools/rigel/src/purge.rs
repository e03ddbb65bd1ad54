//! `rigel purge`: deletes a clip, or a person of it, at the desk and on its rig.

use crate::store_place::StorePlace;
use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use label_store::{
    ClipId, LabelStore, PurgeOrder, PurgeReport, PurgeRun, PurgedLabels, clip_id_text, now_us,
    parse_clip_id,
};
use std::io::Write as _;
use std::time::Duration;

/// How long readers of what was there before may take to end.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  rigel purge rig-07:3145729:2 --labels keep              what would be deleted: every picture of the clip; nothing is
  rigel purge rig-07:3145729:2 --labels drop --really     deletes the clip's pictures, labels and verdicts, and asks the rig for its recording
  rigel purge rig-07:3145729:2 --track 3 --labels drop    one person, by the number that the page shows

Pictures always go: filmstrips, key pictures, what rigs were asked for, what lies in quarantine; of a person every picture of a frame from
their first to their last, whoever else is in it. What arrives later is not kept. Labels that were imported for the clip go with its labels.
A rig that is away is asked when it is back, for as long as it takes; `rigel purge --open` lists those that have not answered, and clips of which labels are
left because a command came to its end before: order the same again, and it goes on. Files exported
before, copies of the desk's folder, Postgres's own log and media that lie elsewhere are beyond this command. May run beside `rigel serve`; it needs room for a second copy
of the database while it writes it anew.

Exit codes: 0 done, or counted; 1 not, or not all of it (the message says what is left); 2 wrong arguments.")]
pub(crate) struct PurgeArguments {
    /// The clip, as `rig:boot:clip`
    #[arg(value_name = "CLIP", value_parser = parse, required_unless_present = "open", requires = "labels")]
    clip: Option<ClipId>,
    /// Only this person of the clip
    #[arg(long, value_name = "NUMBER", requires = "clip")]
    track: Option<u16>,
    /// What becomes of the labels, and of what people said of them
    #[arg(long, value_enum, requires = "clip")]
    labels: Option<Labels>,
    /// Do it; without this it is only counted
    #[arg(long, requires = "clip")]
    really: bool,
    /// List rigs that have not said yet that they deleted what they were asked to
    #[arg(long, conflicts_with = "clip")]
    open: bool,
    #[command(flatten)]
    place: StorePlace,
    /// For programs: one object
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Labels {
    /// They stay
    Keep,
    /// They are deleted
    Drop,
}

fn parse(text: &str) -> Result<ClipId, String> {
    parse_clip_id(text)
        .ok_or_else(|| "a clip is named rig:boot:clip, as the page and exports do".to_owned())
}

pub(crate) fn run(arguments: &PurgeArguments) -> Result<()> {
    let text = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(async {
            let store = arguments.place.open_existing().await?;
            let told = purge(arguments, &store).await;
            store.close().await;
            told
        })?;
    std::io::stdout()
        .lock()
        .write_all(text.as_bytes())
        .context("cannot write to the standard output")
}

async fn purge(arguments: &PurgeArguments, store: &LabelStore) -> Result<String> {
    let (Some(clip), Some(labels)) = (&arguments.clip, arguments.labels) else {
        return awaited(store, arguments.json).await;
    };
    let order = PurgeOrder {
        clip: clip.clone(),
        track: arguments.track,
        labels: match labels {
            Labels::Keep => PurgedLabels::Keep,
            Labels::Drop => PurgedLabels::Drop,
        },
    };
    let run = if arguments.really {
        PurgeRun::Real
    } else {
        PurgeRun::Dry
    };
    let report = store.purge(&order, run, &who(), now_us()).await?;
    if run == PurgeRun::Real {
        let told =
            "it is deleted from the tables and can still be read in the files of the database";
        let left = store.leave_no_trace(PATIENCE).await.with_context(|| {
            format!("{told}: make room for a second copy of it, and run the same command again")
        })?;
        if !left.is_empty() {
            bail!(
                "{told} ({}), since a program is reading them: end it (an export, `rigel serve`) and run the same command again",
                left.join(", ")
            );
        }
    }
    if arguments.json {
        return Ok(
            serde_json::to_string(&report).context("cannot write the counts as JSON")? + "\n",
        );
    }
    Ok(told(&report, run))
}

async fn awaited(store: &LabelStore, as_json: bool) -> Result<String> {
    let awaited = store.purges_awaited().await?;
    let unfinished = store.unfinished_purges().await?;
    if as_json {
        let rigs = awaited
            .iter()
            .map(|(rig, open)| serde_json::json!({"rig": rig.as_str(), "open": open}));
        let clips = unfinished
            .iter()
            .map(|(clip, track)| serde_json::json!({"clip": clip_id_text(clip), "track": track}));
        let all: serde_json::Value = rigs.chain(clips).collect();
        return Ok(all.to_string() + "\n");
    }
    if awaited.is_empty() && unfinished.is_empty() {
        return Ok("every rig has deleted what it was asked to\n".to_owned());
    }
    let rigs = awaited
        .iter()
        .map(|(rig, open)| format!("{rig} has not answered {open} of them\n"));
    let clips = unfinished.iter().map(|(clip, track)| {
        let clip = clip_id_text(clip);
        let person = track.map_or_else(String::new, |track| format!(" --track {track}"));
        format!("labels of {clip} may be left: rigel purge {clip}{person} --labels drop --really\n")
    });
    Ok(rigs.chain(clips).collect())
}

/// Who gives the order, by this machine's accounts.
fn who() -> String {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid());
    let name = user.ok().flatten().map(|user| user.name);
    let name = name.unwrap_or_else(|| nix::unistd::getuid().to_string());
    match std::env::var("SUDO_USER") {
        Ok(before) if name == "root" => format!("rigel purge by {before} as root"),
        _ => format!("rigel purge by {name}"),
    }
}

fn told(report: &PurgeReport, run: PurgeRun) -> String {
    let mut lines = vec![match run {
        PurgeRun::Dry => "would be deleted (nothing was; --really does it):".to_owned(),
        PurgeRun::Real => "deleted:".to_owned(),
    }];
    if let Some((first, last)) = report.frames {
        lines.push(format!(
            "  pictures of frames {first} to {last}, whoever is in them"
        ));
    }
    for (count, what) in [
        (report.filmstrips, "filmstrips"),
        (report.pictures, "key pictures"),
        (report.requests, "requests, with what arrived of them"),
        (report.quarantined, "messages in quarantine"),
        (report.labels, "labels that machines made"),
        (report.made, "labels that people made"),
        (report.said, "verdicts and answers"),
    ] {
        lines.push(format!("  {count} {what}"));
    }
    lines.push(format!("  {} bytes of pictures in all", report.bytes));
    for clip in &report.imported {
        lines.push(format!(
            "  the imported clip {clip}, whose media are the same"
        ));
    }
    if let Some(segments) = report.segments {
        let asks = match run {
            PurgeRun::Dry => "would be asked",
            PurgeRun::Real => "is asked",
        };
        lines.push(format!(
            "the rig {asks} to delete its recording, {segments} segments as far as it told; `rigel purge --open` says whether it has"
        ));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dry_run_says_so_before_anything_else() {
        let report = PurgeReport {
            filmstrips: 4,
            frames: Some((10, 90)),
            segments: Some(2),
            ..PurgeReport::default()
        };
        let text = told(&report, PurgeRun::Dry);
        assert!(text.starts_with("would be deleted (nothing was"), "{text}");
        assert!(text.contains("\n  4 filmstrips\n"), "{text}");
        assert!(text.contains("frames 10 to 90"), "{text}");
        assert!(text.contains("the rig would be asked"), "{text}");
        assert!(told(&report, PurgeRun::Real).starts_with("deleted:"));
    }
}
