//! Named steps, run in their order and where they may several at a time, and what became of each.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::children::{Interrupted, check_interrupted};
use crate::progress::seconds;

/// Something that has to pass.
pub(super) struct Step<'a> {
    name: &'static str,
    /// Pointless where one of these has not passed.
    after: Vec<&'static str>,
    work: Box<dyn Fn() -> Result<()> + Send + Sync + 'a>,
}

impl<'a> Step<'a> {
    pub(super) fn new(
        name: &'static str,
        after: &[&'static str],
        work: impl Fn() -> Result<()> + Send + Sync + 'a,
    ) -> Self {
        Self {
            name,
            after: after.to_vec(),
            work: Box::new(work),
        }
    }
}

/// How a step ended.
#[derive(Debug, PartialEq)]
enum Outcome {
    Passed,
    Failed(String),
    /// Not run, with the reason.
    Skipped(String),
}

/// A step that is over.
#[derive(Debug)]
pub(super) struct Ended {
    name: &'static str,
    outcome: Outcome,
    time: Duration,
}

/// The steps that are wanted and all that they come after.
pub(super) fn chosen(mut steps: Vec<Step<'_>>, wanted: impl Fn(&str) -> bool) -> Vec<Step<'_>> {
    let mut names: Vec<&str> = Vec::new();
    // What a step comes after stands before it.
    for step in steps.iter().rev() {
        if wanted(step.name) || names.contains(&step.name) {
            names.push(step.name);
            names.extend(&step.after);
        }
    }
    steps.retain(|step| names.contains(&step.name));
    steps
}

/// Runs them, at most `lanes` at a time, each as soon as what it comes after has ended; an interrupt ends the run.
pub(super) fn run(steps: &[Step<'_>], lanes: usize) -> Result<Vec<Ended>> {
    let course = Course {
        steps,
        state: Mutex::new(State {
            waiting: (0..steps.len()).collect(),
            begun: 0,
            ended: Vec::new(),
            interrupted: false,
        }),
        moved: Condvar::new(),
    };
    std::thread::scope(|scope| {
        for _ in 1..lanes {
            scope.spawn(|| course.lane());
        }
        course.lane();
    });
    let state = course
        .state
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    if state.interrupted {
        return Err(Interrupted.into());
    }
    Ok(state.ended)
}

/// A run of the steps.
struct Course<'a> {
    steps: &'a [Step<'a>],
    state: Mutex<State>,
    /// A step has ended.
    moved: Condvar,
}

struct State {
    /// Places in the list of those that have not begun, in order.
    waiting: Vec<usize>,
    begun: usize,
    ended: Vec<Ended>,
    interrupted: bool,
}

impl Course<'_> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes one step after the other until none is left.
    fn lane(&self) {
        while let Some((step, broken)) = self.next() {
            let begun = Instant::now();
            let outcome = match broken {
                Some(earlier) => Outcome::Skipped(format!("{earlier} did not pass")),
                None => match check_interrupted().and_then(|()| (step.work)()) {
                    Ok(()) => Outcome::Passed,
                    Err(error) if error.is::<Interrupted>() => {
                        self.state().interrupted = true;
                        self.moved.notify_all();
                        return;
                    }
                    Err(error) => Outcome::Failed(format!("{error:#}")),
                },
            };
            let time = begun.elapsed();
            let name = step.name;
            eprintln!("=== {name}: {} ({})", outcome.describe(), seconds(time));
            self.state().ended.push(Ended {
                name,
                outcome,
                time,
            });
            self.moved.notify_all();
        }
    }

    /// The first step that may begin, and which step before it did not pass.
    fn next(&self) -> Option<(&Step<'_>, Option<&'static str>)> {
        let mut state = self.state();
        loop {
            if state.interrupted {
                return None;
            }
            let ready = state.waiting.iter().position(|&place| {
                let after = &self.steps[place].after;
                after
                    .iter()
                    .all(|name| state.ended.iter().any(|one| one.name == *name))
            });
            if let Some(ready) = ready {
                let step = &self.steps[state.waiting.remove(ready)];
                state.begun += 1;
                let number = state.begun;
                eprintln!("\n=== [{number}/{}] {}", self.steps.len(), step.name);
                let failed = |name: &&&str| {
                    let good = |one: &Ended| one.name == **name && one.outcome == Outcome::Passed;
                    !state.ended.iter().any(good)
                };
                return Some((step, step.after.iter().find(failed).copied()));
            }
            if state.waiting.is_empty() {
                return None;
            }
            state = self
                .moved
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Outcome {
    fn describe(&self) -> String {
        match self {
            Self::Passed => "passed".to_owned(),
            Self::Failed(why) => format!("FAILED: {why}"),
            Self::Skipped(why) => format!("skipped: {why}"),
        }
    }
}

pub(super) fn all_passed(ended: &[Ended]) -> bool {
    ended.iter().all(|one| one.outcome == Outcome::Passed)
}

/// The list of steps, and the counts alone on the last line.
pub(super) fn closing(ended: &[Ended], total: Duration) -> String {
    let mut lines: Vec<String> = ended
        .iter()
        .map(|one| {
            format!(
                "{:28} {:>12}  {}",
                one.name,
                seconds(one.time),
                one.outcome.describe()
            )
        })
        .collect();
    lines.push(format!("{:28} {:>12}", "together", seconds(total)));
    let count =
        |wanted: fn(&Outcome) -> bool| ended.iter().filter(|one| wanted(&one.outcome)).count();
    let failed = count(|outcome| matches!(outcome, Outcome::Failed(_)));
    let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
    let passed = ended.len() - failed - skipped;
    let rest = if skipped > 0 {
        format!(", {skipped} skipped")
    } else {
        String::new()
    };
    lines.push(format!("{passed} passed, {failed} failed{rest}"));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;
    use std::sync::Barrier;

    fn last_line(ended: &[Ended]) -> String {
        let text = closing(ended, Duration::from_secs(1));
        text.lines().last().unwrap().to_owned()
    }

    #[test]
    fn what_comes_after_a_failed_step_is_skipped_and_the_rest_runs() {
        let steps = [
            Step::new("a", &[], || bail!("why")),
            Step::new("b", &["a"], || panic!("a did not pass")),
            Step::new("c", &["b"], || panic!("b did not pass")),
            Step::new("d", &[], || Ok(())),
        ];
        for lanes in [1, 3] {
            let ended = run(&steps, lanes).unwrap();
            assert!(!all_passed(&ended));
            assert_eq!(last_line(&ended), "1 passed, 1 failed, 2 skipped");
        }
    }

    #[test]
    fn two_lanes_run_two_steps_at_once() {
        // Neither gets past it alone.
        let both = Barrier::new(2);
        let work = || {
            both.wait();
            Ok(())
        };
        let steps = [
            Step::new("first", &[], || Ok(())),
            Step::new("one", &["first"], work),
            Step::new("other", &["first"], work),
        ];
        let ended = run(&steps, 2).unwrap();
        assert!(all_passed(&ended));
        assert_eq!(last_line(&ended), "3 passed, 0 failed");
    }

    #[test]
    fn a_step_begins_when_all_before_it_have_ended() {
        let made = Mutex::new(Vec::new());
        let make = |name: &'static str| {
            let made = &made;
            move || {
                made.lock().unwrap().push(name);
                Ok(())
            }
        };
        let steps = [
            Step::new("left", &[], make("left")),
            Step::new("right", &[], make("right")),
            Step::new("both", &["left", "right"], make("both")),
        ];
        run(&steps, 2).unwrap();
        assert_eq!(made.lock().unwrap().last(), Some(&"both"));
    }

    #[test]
    fn a_wanted_step_brings_all_it_rests_on() {
        let steps = || {
            vec![
                Step::new("a", &[], || Ok(())),
                Step::new("b", &["a"], || Ok(())),
                Step::new("c", &["b"], || Ok(())),
                Step::new("d", &["a"], || Ok(())),
            ]
        };
        let names = |wanted: &str| -> Vec<_> {
            let chosen = chosen(steps(), |name| name == wanted);
            chosen.iter().map(|step| step.name).collect()
        };
        assert_eq!(names("c"), ["a", "b", "c"]);
        assert_eq!(names("d"), ["a", "d"]);
    }
}
