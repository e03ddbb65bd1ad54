//! The pages, drawn.

use std::time::Duration;

use crate::{PanelState, Picture};

/// A page of the panel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Page {
    /// What the rig is doing, and what it sees.
    #[default]
    State,
    /// Whether labels reach the host.
    Delivery,
    /// Whether the rig is well.
    Health,
}

impl Page {
    /// All pages, in the order in which they are turned.
    pub const ALL: [Self; 3] = [Self::State, Self::Delivery, Self::Health];

    /// The page a short press turns to.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::State => Self::Delivery,
            Self::Delivery => Self::Health,
            Self::Health => Self::State,
        }
    }
}

/// A page as the glass shows it after `uptime`.
pub fn draw(_state: &PanelState, _page: Page, _uptime: Duration) -> Picture {
    Picture::default()
}
