//! Progress on the terminal: bars where one can be drawn, plain lines where not (a log, a pipe, CI).

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// One step's progress.
#[derive(Debug)]
pub(crate) struct Bar {
    drawn: ProgressBar,
    name: String,
    started: Instant,
    plain: bool,
}

impl Bar {
    /// Progress over a known number of bytes.
    pub(crate) fn bytes(name: &str, total: u64) -> Self {
        let bar = Self::new(
            name,
            ProgressBar::new(total),
            "{msg:28!} {bar:32} {bytes:>10}/{total_bytes:10} {eta:>4}",
        );
        if bar.plain {
            eprintln!("{name}: {:.1} MB", total as f64 / 1e6);
        }
        bar
    }

    /// Progress over a known number of things.
    pub(crate) fn count(name: &str, total: u64) -> Self {
        let bar = Self::new(
            name,
            ProgressBar::new(total),
            "{msg:28!} {bar:32} {pos:>5}/{len:5} {eta:>4}",
        );
        if bar.plain {
            eprintln!("{name}: {total} to do");
        }
        bar
    }

    /// A step whose size is not known.
    pub(crate) fn spinner(name: &str) -> Self {
        let bar = Self::new(
            name,
            ProgressBar::new_spinner(),
            "{spinner} {msg} {elapsed}",
        );
        if bar.plain {
            eprintln!("{name} ...");
        }
        bar
    }

    /// No output at all.
    pub(crate) fn hidden() -> Self {
        Self {
            drawn: ProgressBar::hidden(),
            name: String::new(),
            started: Instant::now(),
            plain: false,
        }
    }

    fn new(name: &str, bar: ProgressBar, style: &str) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = if plain { ProgressBar::hidden() } else { bar };
        let style = ProgressStyle::with_template(style).expect("the templates above are valid");
        bar.set_style(style.progress_chars("=> "));
        bar.set_message(name.to_owned());
        Self {
            drawn: bar,
            name: name.to_owned(),
            started: Instant::now(),
            plain,
        }
    }

    pub(crate) fn tick(&self) {
        self.drawn.tick();
    }

    pub(crate) fn set(&self, position: u64) {
        self.drawn.set_position(position);
    }

    pub(crate) fn advance(&self) {
        self.drawn.inc(1);
    }

    /// Ends the step with a line that stays.
    pub(crate) fn done(self, outcome: &str) {
        self.drawn.finish_and_clear();
        eprintln!(
            "{}: {outcome} ({})",
            self.name,
            seconds(self.started.elapsed())
        );
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        self.drawn.finish_and_clear();
    }
}

/// A duration for people: `4.2 s`, `3 min 05 s`.
pub(crate) fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    if whole < 60 {
        format!("{:.1} s", time.as_secs_f64())
    } else {
        format!("{} min {:02} s", whole / 60, whole % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(seconds(Duration::from_millis(4240)), "4.2 s");
        assert_eq!(seconds(Duration::from_secs(185)), "3 min 05 s");
    }
}
