//! What is read of the light: on faces, on the scene, and how good the picture is.
//!
//! The light grid is read in every frame, since a change of light is told to the frame. Faces and quality are looked at a
//! few times a second, all in the same frames.

use crate::labeller_card::LabellerCard;
use crate::quality::{QualityFactor, Rubric};
use anyhow::{Result, ensure};
use label_core::confidence::LogisticCalibration;
use label_core::scene::light_change::LightCalibration;
use label_core::scene::quality::QualityLook;
use label_core::wire::SceneHealth;
use label_core::{AbstainReason, CaptureTime, Gate, LabelKind, Look, SceneFrame};
use perception::{FaceShade, NoShade, Picture, SHADE_FEATURES, SceneLook, TrackedFace, light_grid};
use serde::Deserialize;

/// Time from one look to the next, seconds.
const LOOK_AGE_S: f32 = 0.25;

/// What the card of shade says.
struct ShadeNumbers {
    calibration: LogisticCalibration<SHADE_FEATURES>,
    parameters: ShadeParameters,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct ShadeParameters {
    /// Turn of the head up to which the halves of a face are compared, degrees.
    max_yaw: f32,
    /// A face whose halves differ by more stops is never surely in no shadow …
    even_sides: f32,
    /// … but by this at most.
    uneven_ceiling: f32,
}

impl ShadeNumbers {
    /// How probably a face with this light lies in shadow.
    fn probability(&self, shade: &FaceShade) -> f32 {
        let parameters = &self.parameters;
        let least = if shade.sides > parameters.even_sides {
            1.0 - parameters.uneven_ceiling
        } else {
            0.0
        };
        let probability = self.calibration.confidence(shade.features()).get();
        probability.max(least)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct LightChangeParameters {
    /// The most that is promised where the light did not change.
    surest_none: f32,
}

/// Reads the light.
#[derive(Default)]
pub(super) struct LightReaders {
    shade: Option<ShadeNumbers>,
    rubric: Option<Rubric>,
    has_light: bool,
    looked: Option<CaptureTime>,
    is_due: bool,
    last: Option<(SceneLook, Option<QualityFactor>)>,
}

impl LightReaders {
    /// Takes the numbers of a card, if it is of a kind that is read here.
    pub(super) fn take(
        &mut self,
        kind: LabelKind,
        card: &LabellerCard,
        gate: &mut Gate,
    ) -> Result<()> {
        match kind {
            LabelKind::InShadow => {
                let parameters: ShadeParameters = card.parameters()?;
                ensure!(
                    (0.5..=1.0).contains(&parameters.uneven_ceiling),
                    "[parameters] uneven-ceiling: must lie between 0.5 and 1"
                );
                self.shade = Some(ShadeNumbers {
                    calibration: card.calibration()?,
                    parameters,
                });
            }
            LabelKind::LightChange => {
                let LightChangeParameters { surest_none } = card.parameters()?;
                ensure!(
                    (0.5..=1.0).contains(&surest_none),
                    "[parameters] surest-none: must lie between 0.5 and 1"
                );
                gate.light_calibration = Some(LightCalibration {
                    changed: card.calibration()?,
                    surest_none,
                });
                self.has_light = true;
            }
            LabelKind::VideoQuality => self.rubric = Some(Rubric::read(card)?),
            _ => {}
        }
        Ok(())
    }

    /// The next frame belongs to another clip.
    pub(super) fn reset(&mut self) {
        (self.looked, self.is_due, self.last) = (None, false, None);
    }

    /// The last look at the scene of this clip, as health messages carry it.
    pub(super) fn for_health(&self) -> Option<SceneHealth> {
        let (look, limit) = self.last.as_ref()?;
        let rounded = |value: f32| (value * 10.0).round() / 10.0;
        Some(SceneHealth {
            light: rounded(look.light()),
            contrast: rounded(look.contrast()),
            noise: rounded(look.noise()),
            chroma: rounded(look.chroma()),
            limit: limit.and_then(|factor| factor.name().try_into().ok()),
        })
    }

    /// Reads the scene of the next frame; without `looks` only its light.
    pub(super) fn scene(
        &mut self,
        picture: &Picture<'_>,
        at: CaptureTime,
        faces: &[TrackedFace],
        looks: bool,
    ) -> SceneFrame {
        self.is_due = looks
            && self
                .looked
                .is_none_or(|looked| !(0.0..LOOK_AGE_S).contains(&at.seconds_since(looked)));
        let light = if self.has_light {
            Ok(light_grid(picture))
        } else {
            Err(AbstainReason::NoLabeller)
        };
        let mut quality = if looks {
            QualityLook::NotLooked
        } else {
            QualityLook::Cannot(AbstainReason::Shed)
        };
        if self.is_due {
            self.looked = Some(at);
            let area = |face: &&TrackedFace| face.bounds.width * face.bounds.height;
            let largest = faces.iter().max_by(|a, b| area(a).total_cmp(&area(b)));
            let look = SceneLook::read(picture, largest);
            let judged = self.rubric.as_ref().map(|rubric| rubric.judge(&look));
            quality = judged.map_or(
                QualityLook::Cannot(AbstainReason::NoLabeller),
                |(look, _)| look,
            );
            self.last = Some((look, judged.map(|(_, limit)| limit)));
        }
        SceneFrame { light, quality }
    }

    /// Whether a face lies in shadow; asked after [`Self::scene`] of the same frame.
    pub(super) fn shadow(&self, picture: &Picture<'_>, face: Option<&TrackedFace>) -> Look {
        let Some(numbers) = self.shade.as_ref().filter(|_| self.is_due) else {
            return Look::NotLooked;
        };
        let Some(face) = face else {
            return Look::Cannot(AbstainReason::EyeTurnedAway);
        };
        if face.eyes.yaw.abs() > numbers.parameters.max_yaw {
            return Look::Cannot(AbstainReason::EyeTurnedAway);
        }
        match FaceShade::read(picture, face) {
            Ok(shade) => Look::Seen {
                probability: numbers.probability(&shade),
                raw: shade.sides,
            },
            Err(NoShade::TooSmall) => Look::Cannot(AbstainReason::TooSmall),
            Err(NoShade::TurnedAway) => Look::Cannot(AbstainReason::EyeTurnedAway),
            Err(NoShade::OutOfPicture) => Look::Cannot(AbstainReason::Occluded),
            Err(NoShade::TooDark) => Look::Cannot(AbstainReason::TooDark),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_face_lit_unevenly_is_never_surely_in_no_shadow() {
        let numbers = ShadeNumbers {
            calibration: LogisticCalibration {
                ceiling: 1.0,
                bias: -6.0,
                weights: [1.0, 1.0, 0.0],
                ranges: [(-2.0, 1.0), (0.0, 6.0), (0.0, 1.0)],
            },
            parameters: ShadeParameters {
                max_yaw: 20.0,
                even_sides: 0.5,
                uneven_ceiling: 0.89,
            },
        };
        let probability = |sides: f32, evenness| {
            numbers.probability(&FaceShade {
                sides,
                evenness,
                backlight: 0.0,
                highlight: 0.5,
                level: 120.0,
            })
        };
        assert!(probability(0.3, 0.5) < 0.01);
        assert!((probability(0.8, 0.5) - 0.11).abs() < 1e-6);
        assert!(probability(2.5, 6.0) > 0.5, "nor does it hide a shadow");
    }
}
