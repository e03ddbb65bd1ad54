//! Is the board hot or slowed down?

use super::{Finding, Rig};
use crate::machine::{Machine, Sensors};

/// Temperature now: after the golden clip, so that the processor has worked.
pub(super) fn check(rig: &Rig) -> Finding {
    let machine = Sensors::new(&rig.board.outbox.dir).read();
    judge(machine, rig.board.budget.hot_c)
}

fn judge(machine: Machine, hot: f32) -> Finding {
    let slowed = machine.throttled.filter(|throttled| throttled.is_slowed());
    let finding = match (machine.temperature_c, slowed) {
        (Some(celsius), _) if celsius >= hot => Finding::failed(
            format!("{celsius:.0} °C; from {hot:.0} °C on the rig does less (budget.hot-c)"),
            "give the board air, a heat sink or a fan, or shade",
        ),
        (celsius, Some(throttled)) => {
            let (what, to_do) = throttled.to_string().split_once(": ").map_or_else(
                || (throttled.to_string(), "give the board air".to_owned()),
                |(what, to_do)| (what.to_owned(), to_do.to_owned()),
            );
            let at = celsius.map_or_else(String::new, |celsius| format!("{celsius:.0} °C; "));
            Finding::failed(format!("{at}{what}"), to_do)
        }
        (Some(celsius), None) => Finding::passed(format!(
            "{celsius:.0} °C, less than the {hot:.0} °C of budget.hot-c{}",
            if machine.throttled.is_some() {
                "; the processor is not slowed down"
            } else {
                ""
            }
        )),
        (None, None) if machine.throttled.is_some() => {
            Finding::passed("the processor is not slowed down; the kernel names no sensor")
        }
        (None, None) => Finding::skipped("the kernel names no temperature sensor"),
    };
    match machine.temperature_c {
        Some(celsius) => finding.with("celsius", celsius),
        None => finding,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;
    use crate::machine::Throttled;

    fn judged(temperature_c: Option<f32>, throttled: Option<Throttled>) -> Finding {
        let machine = Machine {
            temperature_c,
            throttled,
            disk_free_mib: None,
        };
        judge(machine, 80.0)
    }

    #[test]
    fn heat_and_a_weak_supply_fail_and_no_sensor_is_no_failure() {
        let fine = judged(Some(48.0), Some(Throttled::No));
        assert_eq!(fine.verdict, Verdict::Passed, "{}", fine.said);
        let hot = judged(Some(85.0), None);
        assert!(hot.said.contains("85 °C") && hot.to_do.unwrap().contains("air"));
        let weak = judged(Some(50.0), Some(Throttled::UnderVoltage));
        assert!(weak.said.contains("voltage is too low"), "{}", weak.said);
        assert!(weak.to_do.unwrap().contains("stronger supply"));
        assert_eq!(judged(None, None).verdict, Verdict::Skipped);
    }
}
