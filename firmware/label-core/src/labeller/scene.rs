//! What is said of the scene as a whole.

use super::ModelIndexes;
use super::state::StateLabeller;
use crate::gate::Gate;
use crate::kind::{AbstainReason, LabelKind};
use crate::reading::Span;
use crate::scene::SceneFrame;
use crate::scene::light_change::LightChangeDetector;
use crate::scene::quality::QualityFilter;
use crate::wire::{Label, LabelValue};

pub(super) struct SceneLabeller {
    changes: LightChangeDetector,
    levels: QualityFilter,
    light: StateLabeller<bool>,
    quality: StateLabeller<u8>,
}

impl SceneLabeller {
    pub(super) const fn new(models: &ModelIndexes) -> Self {
        let (light, quality) = (LabelKind::LightChange, LabelKind::VideoQuality);
        Self {
            changes: LightChangeDetector::new(),
            levels: QualityFilter::new(),
            light: StateLabeller::new(light, None, models.of(light), LabelValue::Flag),
            quality: StateLabeller::new(quality, None, models.of(quality), LabelValue::Level),
        }
    }

    /// Takes the next frame.
    pub(super) fn observe(
        &mut self,
        frame: Span,
        scene: &SceneFrame,
        gate: &Gate,
        tell: &mut impl FnMut(Label),
    ) {
        let (index, at) = (frame.frames.start, frame.pts.0);
        let light = &mut self.light;
        let mut decided = |span, verdict| light.observe(span, verdict, gate, tell);
        match (&scene.light, &gate.light_calibration) {
            (Ok(grid), Some(calibration)) => {
                self.changes
                    .observe(index, at, grid, calibration, &mut decided);
            }
            (Ok(_), None) => {
                let reason = AbstainReason::NoLabeller;
                self.changes.be_silent(frame, reason, &mut decided);
            }
            (Err(reason), _) => self.changes.be_silent(frame, *reason, &mut decided),
        }
        let quality = &mut self.quality;
        self.levels
            .observe(frame, scene.quality, &mut |span, verdict| {
                quality.observe(span, verdict, gate, tell);
            });
    }

    pub(super) fn finish(&mut self, gate: &Gate, tell: &mut impl FnMut(Label)) {
        let light = &mut self.light;
        self.changes
            .finish(&mut |span, verdict| light.observe(span, verdict, gate, tell));
        light.finish(tell);
        let quality = &mut self.quality;
        self.levels
            .finish(&mut |span, verdict| quality.observe(span, verdict, gate, tell));
        quality.finish(tell);
    }
}
