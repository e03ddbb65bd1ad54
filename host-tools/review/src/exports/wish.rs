//! What somebody wants to be exported, as they say it and as it is meant.

use super::people;
use crate::error::ApiError;
use crate::queue::{LabelsQuery, filter};
use formats::{Density, Format, Share, parse_shares};
use label_store::QueueFilter;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Labels {
    /// What persons stand behind, and what they rejected.
    #[default]
    Truth,
    /// What machines offered, as they offered it.
    Candidates,
    /// The truth, and what waits for review.
    Both,
}

impl Labels {
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Truth, Self::Candidates, Self::Both];

    /// The fixed name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Truth => "truth",
            Self::Candidates => "candidates",
            Self::Both => "both",
        }
    }
}

/// What is to be exported, and how.
#[derive(Clone, Debug)]
pub struct Selection {
    /// Into which format.
    pub format: Format,
    /// Which labels.
    pub labels: Labels,
    /// Of these.
    pub filter: QueueFilter,
    /// Which pictures there are to be, in formats of pictures.
    pub density: Density,
    /// Into which subsets, if any.
    pub subsets: Option<Subsets>,
}

/// Readers of JSON with doubles keep numbers exact up to here: a seed that comes back as another one divides otherwise.
const MAX_SEED: u64 = (1 << 53) - 1;

/// How clips are divided.
#[derive(Clone, Debug)]
pub struct Subsets {
    /// The subsets and their shares.
    pub shares: Vec<Share>,
    /// What the division is drawn by.
    pub seed: u64,
    /// Who is in which clip; without it clips are divided by rig.
    pub people: Option<BTreeMap<String, Vec<String>>>,
}

/// A wish as it is sent and kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wish {
    format: String,
    #[serde(default)]
    labels: Labels,
    /// As the queue is filtered; without order and place.
    #[serde(default)]
    filter: LabelsQuery,
    #[serde(default)]
    every_frame: bool,
    #[serde(default)]
    split: Option<String>,
    #[serde(default)]
    seed: u64,
    /// Lines `clip,person`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) people: Option<String>,
}

impl Wish {
    /// What is meant, or why it cannot be.
    pub fn selection(&self) -> Result<Selection, String> {
        let format = Format::ALL
            .into_iter()
            .find(|one| one.name() == self.format);
        let format = format.ok_or_else(|| {
            format!(
                "a format is one of {}",
                Format::ALL.map(Format::name).join(", ")
            )
        })?;
        if !self.filter.is_unordered() {
            return Err("an export has no order and no place in the queue".to_owned());
        }
        if self.seed > MAX_SEED {
            return Err(format!("seed: at most {MAX_SEED}"));
        }
        let filter = filter(self.filter.clone()).map_err(|error: ApiError| error.to_string())?;
        let subsets = match (&self.split, &self.people) {
            (None, Some(_)) => return Err("people divide a set: say into which subsets".to_owned()),
            (None, None) => None,
            (Some(text), people) => Some(Subsets {
                shares: parse_shares(text).map_err(|error| error.to_string())?,
                seed: self.seed,
                people: people
                    .as_deref()
                    .map(|text| people::parse(text, "the list of people"))
                    .transpose()?,
            }),
        };
        Ok(Selection {
            format,
            labels: self.labels,
            filter,
            density: if self.every_frame {
                Density::EveryFrame
            } else {
                Density::Keyframes
            },
            subsets,
        })
    }

    /// The format as a word that is safe in a file's name; what is no format has none.
    pub(super) fn format_word(&self) -> &'static str {
        let format = Format::ALL
            .into_iter()
            .find(|one| one.name() == self.format);
        format.map_or("labels", Format::name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_that_a_page_would_give_back_as_another_is_refused() {
        let wish = |seed: u64| -> Wish {
            let json = serde_json::json!({"format": "csv", "split": "a=1,b=1", "seed": seed});
            serde_json::from_value(json).unwrap()
        };
        assert!(wish(MAX_SEED).selection().is_ok());
        let refused = wish(MAX_SEED + 1).selection().err().unwrap();
        assert!(refused.contains("seed"), "{refused}");
    }
}
