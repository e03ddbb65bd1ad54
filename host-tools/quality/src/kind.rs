//! What the desk keeps labels of: what rigs offer, and lines, which people draw.

use label_core::LabelKind;
use label_core::kind::LabelScope;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;

/// What a line follows. Left and right are the subject's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LineKind {
    /// The edge of both lids of the left eye.
    LeftEyelid,
    /// The edge of both lids of the right eye.
    RightEyelid,
    /// The edge of the face, with the hairline or without.
    FaceOutline,
}

impl LineKind {
    /// Every kind, in the order in which tables show them.
    pub const ALL: [Self; 3] = [Self::LeftEyelid, Self::RightEyelid, Self::FaceOutline];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::LeftEyelid => "polyline-left-eyelid",
            Self::RightEyelid => "polyline-right-eyelid",
            Self::FaceOutline => "polyline-face-outline",
        }
    }

    /// The kind of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// A kind of label at the desk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DeskKind {
    /// One that rigs offer.
    Offered(LabelKind),
    /// A line; rigs offer none.
    Line(LineKind),
}

impl DeskKind {
    /// Every kind, in the order in which tables show them.
    pub const ALL: [Self; LabelKind::ALL.len() + LineKind::ALL.len()] = {
        let mut all =
            [Self::Line(LineKind::FaceOutline); LabelKind::ALL.len() + LineKind::ALL.len()];
        let mut at = 0;
        while at < all.len() {
            all[at] = if at < LabelKind::ALL.len() {
                Self::Offered(LabelKind::ALL[at])
            } else {
                Self::Line(LineKind::ALL[at - LabelKind::ALL.len()])
            };
            at += 1;
        }
        all
    };

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Offered(kind) => kind.name(),
            Self::Line(kind) => kind.name(),
        }
    }

    /// The kind of this fixed name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Whether labels of this kind belong to a person or to the scene.
    pub const fn scope(self) -> LabelScope {
        match self {
            Self::Offered(kind) => kind.scope(),
            Self::Line(_) => LabelScope::Track,
        }
    }

    /// Whether a label of this kind is an event.
    pub const fn is_event(self) -> bool {
        match self {
            Self::Offered(kind) => kind.is_event(),
            Self::Line(_) => false,
        }
    }

    /// The same as rigs know it; none of a line.
    pub const fn offered(self) -> Option<LabelKind> {
        match self {
            Self::Offered(kind) => Some(kind),
            Self::Line(_) => None,
        }
    }
}

impl From<LabelKind> for DeskKind {
    fn from(kind: LabelKind) -> Self {
        Self::Offered(kind)
    }
}

impl From<LineKind> for DeskKind {
    fn from(kind: LineKind) -> Self {
        Self::Line(kind)
    }
}

impl PartialEq<LabelKind> for DeskKind {
    fn eq(&self, other: &LabelKind) -> bool {
        self.offered() == Some(*other)
    }
}

impl std::fmt::Display for DeskKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for DeskKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for DeskKind {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<'_, str>::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            D::Error::custom(format!("a kind is one of {}", names.join(", ")))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_desk_knows_what_rigs_offer_and_lines_each_by_one_name() {
        let names: BTreeSet<_> = DeskKind::ALL.map(DeskKind::name).into();
        assert_eq!(names.len(), 14);
        for kind in DeskKind::ALL {
            assert_eq!(DeskKind::from_name(kind.name()), Some(kind));
        }
        assert!(
            LabelKind::ALL
                .iter()
                .all(|kind| DeskKind::ALL.contains(&(*kind).into()))
        );
        assert!(
            LineKind::ALL
                .iter()
                .all(|kind| LabelKind::from_name(kind.name()).is_none())
        );
    }
}
