//! Is the board hot or slowed down?

use super::{Finding, Rig};
use crate::machine::Sensors;

/// Temperature now: after the golden clip, so that the processor has worked.
pub(super) fn check(rig: &Rig) -> Finding {
    let Some(celsius) = Sensors::new(&rig.board.outbox.dir).read().temperature_c else {
        return Finding::skipped("the kernel names no temperature sensor");
    };
    let hot = rig.board.budget.hot_c;
    let finding = if celsius >= hot {
        Finding::failed(
            format!("{celsius:.0} °C; from {hot:.0} °C on the rig does less (budget.hot-c)"),
            "give the board air, a heat sink or a fan, or shade",
        )
    } else {
        Finding::passed(format!(
            "{celsius:.0} °C, less than the {hot:.0} °C of budget.hot-c"
        ))
    };
    finding.with("celsius", celsius)
}
