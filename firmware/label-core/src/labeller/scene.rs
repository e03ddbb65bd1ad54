//! What is said of the scene as a whole.

use super::ModelIndexes;
use super::state::StateLabeller;
use crate::gate::Gate;
use crate::kind::{AbstainReason, LabelKind};
use crate::reading::Span;
use crate::scene::SceneFrame;
use crate::wire::{Label, LabelValue};

pub(super) struct SceneLabeller {
    light: StateLabeller<bool>,
    quality: StateLabeller<u8>,
}

impl SceneLabeller {
    pub(super) const fn new(models: &ModelIndexes) -> Self {
        let (light, quality) = (LabelKind::LightChange, LabelKind::VideoQuality);
        Self {
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
        let nothing = AbstainReason::NoLabeller;
        self.light.observe(frame, Err(nothing), gate, tell);
        self.quality.observe(frame, scene.quality, gate, tell);
    }

    pub(super) fn finish(&mut self, tell: &mut impl FnMut(Label)) {
        self.light.finish(tell);
        self.quality.finish(tell);
    }
}
