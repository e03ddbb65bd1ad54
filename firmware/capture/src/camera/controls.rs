//! Which controls of a camera are set: a pure function of the controls it has and of what is asked.
//!
//! Cameras differ in what they have; what is missing is told and is no error.

use super::{AntiFlicker, CameraSettings};

/// What kind of value a control takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlKind {
    /// A number within bounds.
    Number,
    /// On or off.
    Switch,
    /// One of the items of a list.
    Menu,
    /// Something else, which we do not set.
    Other,
}

/// A control that a camera has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlOffer {
    /// The kernel's number.
    pub id: u32,
    /// The driver's name.
    pub name: String,
    /// What it takes.
    pub kind: ControlKind,
    /// Smallest value.
    pub minimum: i64,
    /// Largest value.
    pub maximum: i64,
    /// Between two values.
    pub step: i64,
    /// Of a menu, the items that exist.
    pub items: Vec<i64>,
    /// Whether it can be set at all.
    pub is_writable: bool,
}

/// A control to set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControlSetting {
    /// The kernel's number.
    pub id: u32,
    /// The driver's name.
    pub name: String,
    /// The value.
    pub value: i64,
}

/// What is to be set, in this order, and what cannot be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ControlPlan {
    /// In this order: a mode goes before the value that it frees.
    pub set: Vec<ControlSetting>,
    /// What was asked and is not there, or is there only within narrower bounds; one sentence each.
    pub amiss: Vec<String>,
}

/// Numbers of `linux/v4l2-controls.h`.
mod id {
    pub(super) const AUTOGAIN: u32 = 0x0098_0912;
    pub(super) const GAIN: u32 = 0x0098_0913;
    pub(super) const POWER_LINE_FREQUENCY: u32 = 0x0098_0918;
    pub(super) const ILLUMINATORS_1: u32 = 0x0098_0925;
    pub(super) const EXPOSURE_AUTO: u32 = 0x009a_0901;
    pub(super) const EXPOSURE_ABSOLUTE: u32 = 0x009a_0902;
    pub(super) const EXPOSURE_AUTO_PRIORITY: u32 = 0x009a_0903;
    pub(super) const FLASH_LED_MODE: u32 = 0x009c_0901;
    pub(super) const ANALOGUE_GAIN: u32 = 0x009e_0903;
}

/// Items of the exposure mode's menu.
const EXPOSURE_FULLY_AUTOMATIC: i64 = 0;
const EXPOSURE_MANUAL: i64 = 1;
const EXPOSURE_TIME_GIVEN: i64 = 2;
const EXPOSURE_APERTURE_GIVEN: i64 = 3;
/// Items of the lamp's menu.
const LAMP_OFF: i64 = 0;
const LAMP_TORCH: i64 = 2;

/// Exposure is counted in these.
const EXPOSURE_UNIT_US: u32 = 100;

/// Chooses what to set.
pub fn plan_controls(offered: &[ControlOffer], wanted: &CameraSettings) -> ControlPlan {
    let mut plan = ControlPlan::default();
    let controls = Controls(offered);
    plan_exposure(&controls, wanted, &mut plan);
    plan_gain(&controls, wanted, &mut plan);
    if let Some(anti_flicker) = wanted.anti_flicker {
        let item = match anti_flicker {
            AntiFlicker::Off => 0,
            AntiFlicker::Hz50 => 1,
            AntiFlicker::Hz60 => 2,
            AntiFlicker::Auto => 3,
        };
        match controls.menu(id::POWER_LINE_FREQUENCY, &[item]) {
            Some((control, item)) => plan.set(control, item),
            None => plan.amiss("anti-flicker: the camera has no such setting"),
        }
    }
    if let Some(on) = wanted.infrared_lamp {
        plan_lamp(&controls, on, &mut plan);
    }
    plan
}

fn plan_exposure(controls: &Controls<'_>, wanted: &CameraSettings, plan: &mut ControlPlan) {
    // A camera that may lengthen its exposure beyond a frame lowers its rate in the dark: blinks need the rate.
    if let Some(control) = controls.find(id::EXPOSURE_AUTO_PRIORITY) {
        plan.set(control, 0);
    }
    let modes = match wanted.exposure_us {
        None => [EXPOSURE_FULLY_AUTOMATIC, EXPOSURE_APERTURE_GIVEN],
        Some(_) => [EXPOSURE_MANUAL, EXPOSURE_TIME_GIVEN],
    };
    let mode = controls.menu(id::EXPOSURE_AUTO, &modes);
    if let Some((control, item)) = mode {
        plan.set(control, item);
    }
    let Some(exposure_us) = wanted.exposure_us else {
        return;
    };
    match controls.find(id::EXPOSURE_ABSOLUTE) {
        Some(control) => {
            let units = (exposure_us + EXPOSURE_UNIT_US / 2) / EXPOSURE_UNIT_US;
            plan.set_within(control, i64::from(units), "exposure (in 100 microseconds)");
        }
        None => plan.amiss("exposure-us: the camera has no exposure time to set"),
    }
}

fn plan_gain(controls: &Controls<'_>, wanted: &CameraSettings, plan: &mut ControlPlan) {
    if let Some(control) = controls.find(id::AUTOGAIN) {
        plan.set(control, i64::from(wanted.gain.is_none()));
    }
    let Some(gain) = wanted.gain else { return };
    let control = controls
        .find(id::GAIN)
        .or_else(|| controls.find(id::ANALOGUE_GAIN));
    match control {
        Some(control) => plan.set_within(control, i64::from(gain), "gain"),
        None => plan.amiss("gain: the camera has no gain to set"),
    }
}

/// There is no standard control for it: illuminators, a flash's torch, or a switch that says so in its name.
fn plan_lamp(controls: &Controls<'_>, on: bool, plan: &mut ControlPlan) {
    let torch = if on { LAMP_TORCH } else { LAMP_OFF };
    let by_name = || {
        controls
            .0
            .iter()
            .find(|control| control.is_writable && names_a_lamp(control))
    };
    if let Some(control) = controls.find(id::ILLUMINATORS_1).or_else(by_name) {
        plan.set(control, i64::from(on));
    } else if let Some((control, item)) = controls.menu(id::FLASH_LED_MODE, &[torch]) {
        plan.set(control, item);
    } else {
        plan.amiss("infrared-lamp: the camera has no switch for a lamp");
    }
}

fn names_a_lamp(control: &ControlOffer) -> bool {
    let name = control.name.to_ascii_lowercase();
    let words = || name.split(|c: char| !c.is_ascii_alphanumeric());
    let has = |wanted: &[&str]| words().any(|word| wanted.contains(&word));
    control.kind == ControlKind::Switch
        && has(&["ir", "infrared"])
        && has(&["led", "leds", "lamp", "light", "illuminator", "emitter"])
}

struct Controls<'a>(&'a [ControlOffer]);

impl<'a> Controls<'a> {
    fn find(&self, id: u32) -> Option<&'a ControlOffer> {
        self.0
            .iter()
            .find(|control| control.id == id && control.is_writable)
    }

    /// The control and the first of these items that it has.
    fn menu(&self, id: u32, items: &[i64]) -> Option<(&'a ControlOffer, i64)> {
        let control = self.find(id)?;
        let item = items.iter().find(|item| control.items.contains(item))?;
        Some((control, *item))
    }
}

impl ControlPlan {
    fn set(&mut self, control: &ControlOffer, value: i64) {
        self.set.push(ControlSetting {
            id: control.id,
            name: control.name.clone(),
            value,
        });
    }

    fn set_within(&mut self, control: &ControlOffer, wanted: i64, what: &str) {
        let (low, high) = (control.minimum, control.maximum.max(control.minimum));
        let step = control.step.max(1);
        let within = wanted.clamp(low, high);
        let value = low.saturating_add(within.saturating_sub(low) / step * step);
        if (value - wanted).abs() >= step {
            self.amiss(&format!(
                "{what}: {wanted} was asked, the camera goes from {low} to {high}; it gets {value}"
            ));
        }
        self.set(control, value);
    }

    fn amiss(&mut self, what: &str) {
        self.amiss.push(what.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::PixelFormat;
    use std::time::Duration;

    fn asked() -> CameraSettings {
        CameraSettings {
            device: "/dev/video0".into(),
            formats: vec![PixelFormat::Mjpeg],
            width: 640,
            height: 480,
            fps: 30.0,
            exposure_us: None,
            gain: None,
            anti_flicker: None,
            infrared_lamp: None,
            timeout: Duration::from_secs(1),
        }
    }

    fn control(id: u32, name: &str, kind: ControlKind, bounds: [i64; 3]) -> ControlOffer {
        let items = match kind {
            ControlKind::Menu => (bounds[0]..=bounds[1]).collect(),
            _ => Vec::new(),
        };
        ControlOffer {
            id,
            name: name.to_owned(),
            kind,
            minimum: bounds[0],
            maximum: bounds[1],
            step: bounds[2],
            items,
            is_writable: true,
        }
    }

    /// A desk camera: its exposure menu has manual and aperture priority only.
    fn desk() -> Vec<ControlOffer> {
        use ControlKind::{Menu, Number, Switch};
        let mut exposure = control(id::EXPOSURE_AUTO, "Auto Exposure", Menu, [0, 3, 1]);
        exposure.items = vec![1, 3];
        vec![
            control(0x0098_0900, "Brightness", Number, [0, 255, 1]),
            control(id::GAIN, "Gain", Number, [0, 255, 1]),
            control(
                id::POWER_LINE_FREQUENCY,
                "Power Line Frequency",
                Menu,
                [0, 2, 1],
            ),
            exposure,
            control(
                id::EXPOSURE_ABSOLUTE,
                "Exposure Time, Absolute",
                Number,
                [3, 2047, 1],
            ),
            control(
                id::EXPOSURE_AUTO_PRIORITY,
                "Exposure, Dynamic Framerate",
                Switch,
                [0, 1, 1],
            ),
        ]
    }

    fn values(plan: &ControlPlan) -> Vec<(u32, i64)> {
        plan.set
            .iter()
            .map(|setting| (setting.id, setting.value))
            .collect()
    }

    #[test]
    fn by_itself_a_camera_exposes_automatically_but_keeps_its_rate() {
        let plan = plan_controls(&desk(), &asked());
        assert_eq!(
            values(&plan),
            [(id::EXPOSURE_AUTO_PRIORITY, 0), (id::EXPOSURE_AUTO, 3)]
        );
        assert!(plan.amiss.is_empty());
    }

    #[test]
    fn a_given_exposure_is_set_after_its_mode_and_in_the_kernels_unit() {
        let plan = plan_controls(
            &desk(),
            &CameraSettings {
                exposure_us: Some(8_000),
                gain: Some(64),
                anti_flicker: Some(AntiFlicker::Hz50),
                ..asked()
            },
        );
        assert_eq!(
            values(&plan)[1..],
            [
                (id::EXPOSURE_AUTO, 1),
                (id::EXPOSURE_ABSOLUTE, 80),
                (id::GAIN, 64),
                (id::POWER_LINE_FREQUENCY, 1)
            ]
        );
        assert!(plan.amiss.is_empty(), "{:?}", plan.amiss);
    }

    #[test]
    fn what_lies_beyond_the_cameras_bounds_is_brought_within_and_said() {
        let plan = plan_controls(
            &desk(),
            &CameraSettings {
                exposure_us: Some(1_000_000),
                gain: Some(-5),
                ..asked()
            },
        );
        assert_eq!(
            values(&plan)[2..],
            [(id::EXPOSURE_ABSOLUTE, 2047), (id::GAIN, 0)]
        );
        assert_eq!(plan.amiss.len(), 2);
        assert!(plan.amiss[0].contains("from 3 to 2047"), "{:?}", plan.amiss);
    }

    #[test]
    fn a_camera_without_controls_is_no_error_and_each_missing_one_is_named() {
        let plan = plan_controls(
            &[],
            &CameraSettings {
                exposure_us: Some(8_000),
                gain: Some(1),
                anti_flicker: Some(AntiFlicker::Auto),
                infrared_lamp: Some(true),
                ..asked()
            },
        );
        assert!(plan.set.is_empty());
        let told = plan.amiss.join("\n");
        for name in ["exposure-us", "gain", "anti-flicker", "infrared-lamp"] {
            assert!(told.contains(name), "{told}");
        }
    }

    #[test]
    fn an_item_that_the_menu_lacks_is_not_set() {
        let plan = plan_controls(
            &desk(),
            &CameraSettings {
                anti_flicker: Some(AntiFlicker::Auto),
                ..asked()
            },
        );
        assert!(
            !values(&plan)
                .iter()
                .any(|(id, _)| *id == id::POWER_LINE_FREQUENCY)
        );
        assert_eq!(plan.amiss.len(), 1);
    }

    #[test]
    fn a_lamp_is_found_by_its_standard_number_or_by_its_name() {
        use ControlKind::{Menu, Number, Switch};
        let lamp = |id, name: &str, kind, on| {
            let wanted = CameraSettings {
                infrared_lamp: Some(on),
                ..asked()
            };
            values(&plan_controls(
                &[control(id, name, kind, [0, 2, 1])],
                &wanted,
            ))
        };
        assert_eq!(
            lamp(id::ILLUMINATORS_1, "Illuminator 1", Switch, true),
            [(id::ILLUMINATORS_1, 1)]
        );
        assert_eq!(
            lamp(id::FLASH_LED_MODE, "LED Mode", Menu, true),
            [(id::FLASH_LED_MODE, 2)]
        );
        assert_eq!(lamp(7, "IR LED", Switch, true), [(7, 1)]);
        assert_eq!(lamp(7, "Infrared Light", Switch, false), [(7, 0)]);
        assert_eq!(lamp(7, "Iris, Absolute", Switch, true), []);
        assert_eq!(lamp(7, "Mirror", Switch, true), []);
        assert_eq!(lamp(7, "IR LED", Number, true), []);
    }

    #[test]
    fn a_control_that_cannot_be_set_counts_as_missing() {
        let mut offered = desk();
        for control in &mut offered {
            control.is_writable = false;
        }
        let plan = plan_controls(
            &offered,
            &CameraSettings {
                gain: Some(10),
                ..asked()
            },
        );
        assert!(plan.set.is_empty());
        assert_eq!(plan.amiss.len(), 1);
    }
}
