//! A set divided into subsets, never within a person or a rig.
//!
//! Clips that share a rig, or a person that somebody named, are one group; a group goes to one subset as a whole. The order
//! in which groups are dealt out is drawn by a seed: each goes to the subset that lacks most of its share.

use crate::error::FormatError;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A subset, and its share of the whole.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Share {
    /// The subset: letters, digits, `-` and `_`.
    pub subset: String,
    /// Its share; shares count in proportion to their sum.
    pub share: f64,
}

/// The shares of text such as `train=80,val=10,test=10`.
pub fn parse_shares(text: &str) -> Result<Vec<Share>, FormatError> {
    let wrong = |why: &str| FormatError::Split(format!("{text:?} divides nothing: {why}"));
    let mut shares: Vec<Share> = Vec::new();
    for word in text.split(',') {
        let parts = word.split_once('=');
        let (subset, share) = parts.ok_or_else(|| wrong("write train=80,val=10,test=10"))?;
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
        if subset.is_empty() || !subset.chars().all(is_plain) {
            return Err(wrong("a subset's name is letters, digits, '-' and '_'"));
        }
        if shares.iter().any(|there| there.subset == subset) {
            return Err(wrong("a subset is named twice"));
        }
        let share: f64 = share.parse().map_err(|_| wrong("a share is a number"))?;
        if !(share.is_finite() && share > 0.0) {
            return Err(wrong("a share is above 0"));
        }
        shares.push(Share {
            subset: subset.to_owned(),
            share,
        });
    }
    if shares.len() < 2 {
        return Err(wrong("there are at least two subsets"));
    }
    Ok(shares)
}

/// Clips that stay together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// What they share: names of rigs or persons, sorted.
    pub of: Vec<String>,
    /// The clips.
    pub clips: Vec<String>,
    /// Labels in them: what shares are of.
    pub labels: u64,
}

/// Where each clip goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Split {
    subset_of: BTreeMap<String, String>,
    /// The groups, each with its subset, in the order of their names.
    pub groups: Vec<(Group, String)>,
}

impl Split {
    /// Deals out clips, each given with its labels and what it shares with others.
    pub fn of(
        clips: &[(String, u64, Vec<String>)],
        shares: &[Share],
        seed: u64,
    ) -> Result<Self, FormatError> {
        let mut groups = groups(clips);
        if groups.len() < shares.len() {
            return Err(FormatError::Split(format!(
                "there are {} subsets and only {} group(s) of clips that may be parted: clips of one rig or person stay \
                 together. Ask for fewer subsets, or say with --people who is in which clip",
                shares.len(),
                groups.len()
            )));
        }
        let draw = |group: &Group| Sha256::digest(format!("{seed}\n{}", group.of.join("\n")));
        groups.sort_by_cached_key(|group| (draw(group).to_vec(), group.of.clone()));
        let all: f64 = shares.iter().map(|share| share.share).sum();
        // Groups without labels weigh something too.
        let weight = |group: &Group| (group.labels + 1) as f64;
        let total: f64 = groups.iter().map(weight).sum();
        let mut has = vec![0.0; shares.len()];
        let mut split = Self::default();
        let count = groups.len();
        for (place, group) in groups.into_iter().enumerate() {
            let empty = has.iter().filter(|has| **has == 0.0).count();
            let must_fill = count - place <= empty;
            let lacks = |n: usize| shares[n].share / all - has[n] / total;
            let chosen = (0..shares.len())
                .filter(|n| !must_fill || has[*n] == 0.0)
                .max_by(|a, b| lacks(*a).total_cmp(&lacks(*b)).then(b.cmp(a)))
                .unwrap_or(0);
            has[chosen] += weight(&group);
            let subset = &shares[chosen].subset;
            let ids = group.clips.iter();
            split
                .subset_of
                .extend(ids.map(|clip| (clip.clone(), subset.clone())));
            split.groups.push((group, subset.clone()));
        }
        split.groups.sort_by(|a, b| a.0.of.cmp(&b.0.of));
        Ok(split)
    }

    /// The subset of a clip.
    pub fn subset(&self, clip: &str) -> Option<&str> {
        self.subset_of.get(clip).map(String::as_str)
    }
}

/// Clips that share anything, directly or through others.
fn groups(clips: &[(String, u64, Vec<String>)]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (clip, labels, of) in clips {
        let mut joined = Group {
            of: of.clone(),
            clips: vec![clip.clone()],
            labels: *labels,
        };
        groups.retain_mut(|group| {
            let apart = !group.of.iter().any(|name| of.contains(name));
            if !apart {
                joined.of.append(&mut group.of);
                joined.clips.append(&mut group.clips);
                joined.labels += group.labels;
            }
            apart
        });
        joined.of.sort();
        joined.of.dedup();
        groups.push(joined);
    }
    for group in &mut groups {
        group.clips.sort();
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clips(rigs: u64) -> Vec<(String, u64, Vec<String>)> {
        (0..rigs * 3)
            .map(|n| (format!("clip-{n}"), 10, vec![format!("rig-{}", n % rigs)]))
            .collect()
    }

    #[test]
    fn a_rig_is_never_divided_and_shares_are_kept_as_far_as_rigs_allow() {
        let shares = parse_shares("train=80,val=10,test=10").unwrap();
        let clips = clips(20);
        let split = Split::of(&clips, &shares, 7).unwrap();
        for (group, subset) in &split.groups {
            assert_eq!(group.of.len(), 1);
            for clip in &group.clips {
                assert_eq!(split.subset(clip), Some(subset.as_str()));
            }
        }
        let count = |name| {
            split
                .groups
                .iter()
                .filter(|(_, subset)| subset == name)
                .count()
        };
        assert_eq!((count("train"), count("val"), count("test")), (16, 2, 2));
    }

    #[test]
    fn the_same_seed_gives_the_same_subsets_and_another_gives_others() {
        let shares = parse_shares("train=1,test=1").unwrap();
        let clips = clips(20);
        let draw = |seed| Split::of(&clips, &shares, seed).unwrap();
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn clips_that_share_a_person_through_a_third_stay_together() {
        let of = |clip: &str, people: &[&str]| {
            (
                clip.to_owned(),
                1,
                people.iter().map(|&one| one.to_owned()).collect(),
            )
        };
        let clips = [
            of("a", &["ann"]),
            of("b", &["bob"]),
            of("c", &["ann", "bob"]),
            of("d", &["eve"]),
        ];
        let shares = parse_shares("train=1,test=1").unwrap();
        for seed in 0..10 {
            let split = Split::of(&clips, &shares, seed).unwrap();
            assert_eq!(split.subset("a"), split.subset("b"), "seed {seed}");
            assert_ne!(split.subset("a"), split.subset("d"), "no subset is empty");
        }
        let error = Split::of(&clips[..3], &shares, 1).unwrap_err().to_string();
        assert!(error.contains("only 1 group"), "{error}");
    }

    #[test]
    fn shares_that_mean_nothing_are_refused() {
        for text in [
            "",
            "train",
            "train=80",
            "a=1,a=2",
            "a=0,b=1",
            "a=x,b=1",
            "a/b=1,c=1",
        ] {
            assert!(parse_shares(text).is_err(), "{text}");
        }
    }
}
