//! Where the time of a frame goes.

use label_core::wire::StageTime;
use std::time::Duration;

/// A stage of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Waiting for and reading the decoder's frame.
    Decode,
    /// Cutting out what models see.
    Crop,
    /// Face detectors.
    Detect,
    /// Face mesh.
    Mesh,
    /// Eye reader.
    Eyes,
    /// Person detector.
    Person,
    /// Glasses reader.
    Glasses,
    /// Occlusion reader.
    Occlusion,
    /// Eye tiles for filmstrips.
    Strip,
    /// Key pictures: made smaller, and some of them encoded.
    Picture,
    /// Light on the scene and on faces, quality of the picture.
    Light,
    /// Following faces, calibration, blinks, keyframes.
    Label,
    /// Writing labels.
    Write,
}

/// All stages with their names.
const STAGES: [(Stage, &str); 13] = [
    (Stage::Decode, "decode"),
    (Stage::Crop, "crop"),
    (Stage::Detect, "detect"),
    (Stage::Mesh, "mesh"),
    (Stage::Eyes, "eyes"),
    (Stage::Person, "person"),
    (Stage::Glasses, "glasses"),
    (Stage::Occlusion, "occlusion"),
    (Stage::Strip, "strip"),
    (Stage::Picture, "picture"),
    (Stage::Light, "light"),
    (Stage::Label, "label"),
    (Stage::Write, "write"),
];

/// Sums of time a stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stages {
    sums: [Duration; STAGES.len()],
    frames: u32,
}

impl Stages {
    /// Adds time to a stage.
    pub fn add(&mut self, stage: Stage, time: Duration) {
        self.sums[stage as usize] += time;
    }

    /// Counts a frame.
    pub fn count_frame(&mut self) {
        self.frames += 1;
    }

    /// Time spent in a stage.
    pub fn time(&self, stage: Stage) -> Duration {
        self.sums[stage as usize]
    }

    /// What was added since an earlier state of this.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut since = *self;
        for (sum, before) in since.sums.iter_mut().zip(earlier.sums) {
            *sum = sum.saturating_sub(before);
        }
        since.frames = since.frames.saturating_sub(earlier.frames);
        since
    }

    /// Milliseconds a frame.
    pub fn ms_a_frame(&self) -> impl Iterator<Item = (&'static str, f64)> {
        let frames = f64::from(self.frames.max(1));
        STAGES
            .iter()
            .zip(self.sums)
            .map(move |((_, name), sum)| (*name, sum.as_secs_f64() * 1e3 / frames))
    }

    /// As health messages carry it.
    pub fn for_health(&self) -> heapless::Vec<StageTime, 16> {
        self.ms_a_frame()
            .filter_map(|(name, ms)| {
                Some(StageTime {
                    stage: name.try_into().ok()?,
                    ms: (ms * 1000.0).round() as f32 / 1000.0,
                })
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_stand_in_the_order_of_their_numbers() {
        for (place, (stage, _)) in STAGES.iter().enumerate() {
            assert_eq!(*stage as usize, place);
        }
    }
}
