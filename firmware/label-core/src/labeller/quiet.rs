//! Why nothing was said, counted frame by frame: what tells a far-away desk why a rig went quiet.

use crate::kind::AbstainReason;

/// How often a person's box and eyes had a value, and how often not, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Quiet {
    looks: u64,
    silent: [u64; AbstainReason::ALL.len()],
}

impl Quiet {
    /// Nothing counted.
    pub(super) const fn new() -> Self {
        Self {
            looks: 0,
            silent: [0; AbstainReason::ALL.len()],
        }
    }

    /// Counts one kind in one frame.
    pub(super) fn count<T>(&mut self, said: &Result<T, AbstainReason>) {
        self.looks += 1;
        if let Err(reason) = said {
            self.silent[*reason as usize] += 1;
        }
    }

    /// Adds what was counted elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.looks += other.looks;
        for (sum, more) in self.silent.iter_mut().zip(other.silent) {
            *sum += more;
        }
    }

    /// The reasons that came up, each with its share of all looks, 0 to 1.
    pub fn shares(&self) -> impl Iterator<Item = (AbstainReason, f32)> {
        let looks = self.looks.max(1) as f64;
        AbstainReason::ALL
            .into_iter()
            .zip(self.silent)
            .filter(|(_, count)| *count > 0)
            .map(move |(reason, count)| (reason, (count as f64 / looks) as f32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_all_looks_and_add_up_with_the_values_to_one() {
        let mut quiet = Quiet::default();
        for _ in 0..6 {
            quiet.count(&Ok(()));
        }
        let mut more = Quiet::default();
        for reason in [
            AbstainReason::TooDark,
            AbstainReason::TooDark,
            AbstainReason::NoLabeller,
        ] {
            more.count::<()>(&Err(reason));
        }
        quiet.add(&more);
        let shares: std::vec::Vec<_> = quiet.shares().collect();
        assert_eq!(
            shares,
            [
                (AbstainReason::TooDark, 2.0 / 9.0),
                (AbstainReason::NoLabeller, 1.0 / 9.0)
            ]
        );
    }
}
