//! Progress on the terminal: bars where one can be drawn, plain lines where not (a log, a pipe, CI).

use std::cell::Cell;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// One step's progress.
#[derive(Debug)]
pub(crate) struct Bar {
    drawn: ProgressBar,
    name: String,
    started: Instant,
    plain: bool,
    /// Tenths that plain lines have told of; all of them where there is nothing worth telling.
    told: Cell<u64>,
}

/// Where a log has no bar, it hears of every tenth of at least so many things, or bytes.
const MANY: u64 = 50;
const MANY_BYTES: u64 = 20_000_000;
const TENTHS: u64 = 10;

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
        bar.told.set(if total < MANY_BYTES { TENTHS } else { 0 });
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
        bar.told.set(if total < MANY { TENTHS } else { 0 });
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
            told: Cell::new(0),
        }
    }

    fn new(name: &str, bar: ProgressBar, style: &str) -> Self {
        let plain = !std::io::stderr().is_terminal();
        if plain {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        let style = ProgressStyle::with_template(style).expect("the templates above are valid");
        bar.set_style(style.progress_chars("=> "));
        bar.set_message(name.to_owned());
        Self {
            drawn: bar,
            name: name.to_owned(),
            started: Instant::now(),
            plain,
            told: Cell::new(0),
        }
    }

    pub(crate) fn tick(&self) {
        self.drawn.tick();
    }

    pub(crate) fn set(&self, position: u64) {
        self.drawn.set_position(position);
        self.tell();
    }

    pub(crate) fn advance(&self) {
        self.drawn.inc(1);
        self.tell();
    }

    fn tell(&self) {
        let (done, all) = (self.drawn.position(), self.drawn.length().unwrap_or(0));
        if self.plain
            && let Some(tenth) = tenth_reached(done, all, self.told.get())
        {
            self.told.set(tenth);
            let time = seconds(self.started.elapsed());
            eprintln!("{}: {} % ({time})", self.name, tenth * 10);
        }
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

/// The tenth of `all` that was reached since `told` tenths; the whole is told at the end.
fn tenth_reached(done: u64, all: u64, told: u64) -> Option<u64> {
    let tenth = (done * TENTHS).checked_div(all)?;
    (tenth > told && tenth < TENTHS).then_some(tenth)
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
    fn a_log_hears_of_long_work_and_not_of_short() {
        let told = |total| {
            let mut bar = Bar::count("things", total);
            bar.plain = true;
            bar.drawn.set_draw_target(ProgressDrawTarget::hidden());
            bar.set(total / 2);
            bar.told.get()
        };
        assert_eq!(told(1000), 5);
        assert_eq!(told(10), TENTHS, "nothing more is told");
    }

    #[test]
    fn a_log_hears_of_each_tenth_once() {
        let mut told = 0;
        let mut lines = Vec::new();
        for done in [0, 999, 1000, 1001, 3500, 9999, 10_000] {
            if let Some(tenth) = tenth_reached(done, 10_000, told) {
                told = tenth;
                lines.push(tenth);
            }
        }
        assert_eq!(lines, [1, 3, 9]);
        assert_eq!(tenth_reached(5, 9, TENTHS), None);
        assert_eq!(tenth_reached(0, 0, 0), None);
    }

    #[test]
    fn durations_read_like_speech() {
        assert_eq!(seconds(Duration::from_millis(4240)), "4.2 s");
        assert_eq!(seconds(Duration::from_secs(185)), "3 min 05 s");
    }
}
