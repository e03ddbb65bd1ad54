//! What is measured of the scene as a whole, in one frame.

use crate::kind::AbstainReason;
use crate::reading::Verdict;

/// The scene in one frame.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SceneFrame {
    /// Quality of the picture, 1 to 5.
    pub quality: Verdict<u8>,
}

impl Default for SceneFrame {
    /// Nothing was measured.
    fn default() -> Self {
        Self {
            quality: Err(AbstainReason::NoLabeller),
        }
    }
}
