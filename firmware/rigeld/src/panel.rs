//! `rigeld panel`: the panel's picture as a file, of the rig that runs or of a state that is written down.

use ::panel::{Page, PanelState, draw};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

const EXAMPLES: &str = "Examples:
  rigeld panel --png panel.png                             what the glass of the rig that runs here shows
  rigeld panel --png health.png --page 3                   its page of health
  rigeld panel --png fault.png --state fault.json          another state, such as a copy of /run/rigel/panel.json

Pages: 1 state, 2 delivery, 3 health, 4 camera. On the glass the picture stands up to two dots further right and down,
elsewhere each minute, so that nothing burns in.";

/// The file into which a rig that runs writes its panel's state, in its run-time folder.
pub const SNAPSHOT: &str = "panel.json";

/// Where the service's run-time folder is.
const RUN: &str = "/run/rigel";

/// A rig that runs writes at least every 10 s. Twice that, and some more for a busy one.
const STALE: Duration = Duration::from_secs(30);

/// What to draw.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Where the picture goes
    #[arg(long, value_name = "FILE")]
    png: PathBuf,
    /// Which page
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=4))]
    page: u8,
    /// Draw the state in this file instead of the running rig's
    #[arg(long, value_name = "FILE.json")]
    state: Option<PathBuf>,
    /// Pixels a dot, across and down
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=32))]
    scale: u32,
}

/// Draws the picture.
pub fn panel(arguments: &Arguments) -> Result<()> {
    let state = match &arguments.state {
        Some(path) => read(path)?,
        None => running(&snapshot_path(), SystemTime::now())?,
    };
    let page = Page::ALL[usize::from(arguments.page - 1)];
    draw(&state, page, Duration::ZERO).write_png(&arguments.png, arguments.scale)?;
    Ok(())
}

/// Where a rig that runs on this machine writes its panel's state.
pub fn snapshot_path() -> PathBuf {
    let folder = std::env::var_os("RUNTIME_DIRECTORY").map_or_else(|| RUN.into(), PathBuf::from);
    folder.join(SNAPSHOT)
}

/// The state of the rig that runs here.
fn running(path: &Path, now: SystemTime) -> Result<PanelState> {
    let Ok(written) = path.metadata().and_then(|file| file.modified()) else {
        bail!(
            "no rig runs here: there is no {}; start one (systemctl start rigeld), or draw a state that is written down with --state FILE.json",
            path.display()
        );
    };
    let age = now.duration_since(written).unwrap_or_default();
    if age > STALE {
        bail!(
            "no rig runs here: {} was last written {} s ago; see journalctl -u rigeld for how it ended, or draw that state with --state {}",
            path.display(),
            age.as_secs(),
            path.display()
        );
    }
    read(path)
}

fn read(path: &Path) -> Result<PanelState> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text)
        .with_context(|| format!("{} is no state of a panel", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ::panel::Mode;

    /// A message with the test's own folder out of it.
    fn message(error: &anyhow::Error, folder: &Path) -> String {
        format!("{error:#}").replace(&*folder.to_string_lossy(), "/run/rigel")
    }

    #[test]
    fn without_a_rig_that_runs_the_message_says_how_to_go_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SNAPSHOT);
        let absent = running(&path, SystemTime::now()).unwrap_err();
        insta::assert_snapshot!(message(&absent, folder.path()), @"no rig runs here: there is no /run/rigel/panel.json; start one (systemctl start rigeld), or draw a state that is written down with --state FILE.json");
        std::fs::write(&path, "{}").unwrap();
        let written = path.metadata().unwrap().modified().unwrap();
        assert!(running(&path, written + STALE).is_ok());
        let ended = running(&path, written + Duration::from_secs(90)).unwrap_err();
        insta::assert_snapshot!(message(&ended, folder.path()), @"no rig runs here: /run/rigel/panel.json was last written 90 s ago; see journalctl -u rigeld for how it ended, or draw that state with --state /run/rigel/panel.json");
    }

    #[test]
    fn a_state_with_a_wrong_key_is_refused_with_its_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(SNAPSHOT);
        std::fs::write(&path, "{\n  \"temperature\": 61.5\n}").unwrap();
        let error = message(&read(&path).unwrap_err(), folder.path());
        assert!(
            error.starts_with(
                "/run/rigel/panel.json is no state of a panel: unknown field `temperature`"
            ),
            "{error}"
        );
        assert!(error.contains("`temperature-c`"), "{error}");
        assert!(error.ends_with("line 2 column 15"), "{error}");
    }

    #[test]
    fn the_picture_is_that_of_the_state_and_page_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let state = PanelState {
            rig: "bus-7".into(),
            mode: Mode::Fault("no model".into()),
            ..PanelState::default()
        };
        let file = folder.path().join("fault.json");
        std::fs::write(&file, serde_json::to_string(&state).unwrap()).unwrap();
        for page in 1..=4 {
            let png = folder.path().join("panel.png");
            panel(&Arguments {
                png: png.clone(),
                page,
                state: Some(file.clone()),
                scale: 4,
            })
            .unwrap();
            let wanted = folder.path().join("wanted.png");
            draw(&state, Page::ALL[usize::from(page - 1)], Duration::ZERO)
                .write_png(&wanted, 4)
                .unwrap();
            assert_eq!(
                std::fs::read(&png).unwrap(),
                std::fs::read(&wanted).unwrap()
            );
        }
    }
}
