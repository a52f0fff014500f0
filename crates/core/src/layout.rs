//! Which condition each trial of a batch belongs to, and how many of its bins are valid.

use std::ops::Range;

/// Why a batch of trials cannot be laid out.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum LayoutError {
    /// The lists of conditions and lengths differ in length.
    #[error("trial layout: {conditions} conditions for {lengths} trial lengths")]
    Unequal {
        /// Number of conditions given.
        conditions: usize,
        /// Number of trial lengths given.
        lengths: usize,
    },
    /// A length in bins does not end in the last bin of its trial.
    #[error("trial {trial} of {bins} bins: its length is {found} bins")]
    Length {
        /// Slot of the trial in the batch, from 0.
        trial: usize,
        /// Bins of the trial.
        bins: usize,
        /// The length given, in bins.
        found: f64,
    },
    /// A trial has no bin after its history.
    #[error("trial {trial} has {bins} bins, of which the first {first_bin} are history: none left")]
    TooShort {
        /// Slot of the trial in the batch, from 0.
        trial: usize,
        /// Length of the trial, bins, history included.
        bins: usize,
        /// Bins that only serve as history.
        first_bin: usize,
    },
}

/// The trials of one condition in a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Dense index of the condition.
    pub condition: usize,
    /// Slots of the batch that hold its trials, ascending.
    pub slots: Vec<usize>,
}

/// Layout of a batch of trials: condition and number of valid bins of each slot.
///
/// Bins before `first_bin` are history: given, without loss. Bins from a trial's length on are
/// padding, which is not silence: no pass, loss or statistic uses them.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialLayout {
    condition: Vec<usize>,
    bins: Vec<usize>,
    first_bin: usize,
    groups: Vec<Group>,
    /// Length of each trial in bins; `None` where all last bins are whole.
    lengths: Option<Vec<f64>>,
}

impl TrialLayout {
    /// A layout of `condition.len()` slots.
    ///
    /// # Errors
    /// [`LayoutError::Unequal`] for lists of unequal length, [`LayoutError::TooShort`] for a trial
    /// without a bin after `first_bin`.
    pub fn new(
        condition: Vec<usize>,
        bins: Vec<usize>,
        first_bin: usize,
    ) -> Result<Self, LayoutError> {
        if condition.len() != bins.len() {
            return Err(LayoutError::Unequal {
                conditions: condition.len(),
                lengths: bins.len(),
            });
        }
        if let Some((trial, &b)) = bins.iter().enumerate().find(|&(_, &b)| b <= first_bin) {
            return Err(LayoutError::TooShort {
                trial,
                bins: b,
                first_bin,
            });
        }
        let n_conditions = condition.iter().max().map_or(0, |&c| c + 1);
        let mut slots = vec![Vec::new(); n_conditions];
        for (slot, &c) in condition.iter().enumerate() {
            slots[c].push(slot);
        }
        let groups = slots
            .into_iter()
            .enumerate()
            .filter(|(_, slots)| !slots.is_empty())
            .map(|(condition, slots)| Group { condition, slots })
            .collect();
        Ok(Self {
            condition,
            bins,
            first_bin,
            groups,
            lengths: None,
        })
    }

    /// The same for trials that last a fraction of a bin less than their bins do, or more: `lengths` in bins, that
    /// of each slot within one bin of its number of bins. Rates are by these.
    ///
    /// # Errors
    /// [`LayoutError::Unequal`], or [`LayoutError::Length`] for one that is further from its bins.
    pub fn with_lengths(self, lengths: Vec<f64>) -> Result<Self, LayoutError> {
        if lengths.len() != self.bins.len() {
            return Err(LayoutError::Unequal {
                conditions: self.bins.len(),
                lengths: lengths.len(),
            });
        }
        for (trial, (&bins, &found)) in self.bins.iter().zip(&lengths).enumerate() {
            let near = (found - bins as f64).abs() < 1.0 && found > 0.0;
            if !near {
                return Err(LayoutError::Length { trial, bins, found });
            }
        }
        let whole = self.bins.iter().zip(&lengths).all(|(&b, &l)| l == b as f64);
        let lengths = (!whole).then_some(lengths);
        Ok(Self { lengths, ..self })
    }

    /// A layout of `trials` equal trials of one condition.
    ///
    /// # Errors
    /// [`LayoutError::TooShort`] where `bins <= first_bin`.
    pub fn uniform(trials: usize, bins: usize, first_bin: usize) -> Result<Self, LayoutError> {
        Self::new(vec![0; trials], vec![bins; trials], first_bin)
    }

    /// The layout of the bins `start..end` of every trial, counted from `start`, all of them whole: a trial that
    /// ends before has none, and conditions and slots stay what they are.
    pub fn window(&self, bins: Range<usize>) -> Self {
        let within = |bin: usize| bin.clamp(bins.start, bins.end.max(bins.start)) - bins.start;
        Self {
            condition: self.condition.clone(),
            bins: self.bins.iter().map(|&bins| within(bins)).collect(),
            first_bin: within(self.first_bin),
            groups: self.groups.clone(),
            lengths: None,
        }
    }

    /// Number of slots.
    pub fn trials(&self) -> usize {
        self.bins.len()
    }

    /// Dense condition index of a slot.
    pub fn condition(&self, slot: usize) -> usize {
        self.condition[slot]
    }

    /// Valid bins of a slot, history included.
    pub fn bins(&self, slot: usize) -> usize {
        self.bins[slot]
    }

    /// Longest trial, bins.
    pub fn max_bins(&self) -> usize {
        self.bins.iter().copied().max().unwrap_or(0)
    }

    /// First bin that carries loss and statistics.
    pub fn first_bin(&self) -> usize {
        self.first_bin
    }

    /// The slots of each condition present, by ascending condition.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Number of (trial, bin) pairs that carry loss.
    pub fn scored_bins(&self) -> usize {
        self.bins.iter().map(|b| b - self.first_bin).sum()
    }

    /// Length of a slot, bins: that of [`Self::bins`] where its last bin is whole.
    pub fn length(&self, slot: usize) -> f64 {
        match &self.lengths {
            Some(lengths) => lengths[slot],
            None => self.bins[slot] as f64,
        }
    }

    /// What carries loss, in bins, of which the last of a trial counts by its share.
    pub fn scored_length(&self) -> f64 {
        let beyond = |slot| self.length(slot) - self.bins[slot] as f64;
        self.scored_bins() as f64 + (0..self.trials()).map(beyond).sum::<f64>()
    }

    /// How much of a bin of a slot there is: less or more than 1 where the last one is not whole.
    pub fn share_of_bin(&self, slot: usize, bin: usize) -> f64 {
        if bin + 1 == self.bins[slot] {
            1.0 + self.length(slot) - self.bins[slot] as f64
        } else {
            1.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_by_condition_and_refuses_short_trials() {
        let l = TrialLayout::new(vec![2, 0, 2], vec![5, 4, 3], 2).unwrap();
        assert_eq!(l.groups()[1].slots, vec![0, 2]);
        assert_eq!(l.groups()[1].condition, 2);
        assert_eq!(l.scored_bins(), 6);
        assert_eq!(
            TrialLayout::uniform(2, 3, 3),
            Err(LayoutError::TooShort {
                trial: 0,
                bins: 3,
                first_bin: 3
            })
        );
        assert!(TrialLayout::new(vec![0], vec![], 0).is_err());
    }

    #[test]
    fn lengths_count_last_bins_by_their_share() {
        let layout = |bins: Vec<usize>| TrialLayout::new(vec![0; bins.len()], bins, 1).unwrap();
        let l = layout(vec![2, 3]).with_lengths(vec![1.25, 3.05]).unwrap();
        assert_eq!(l.scored_bins(), 3);
        assert!((l.scored_length() - 2.3).abs() < 1e-12);
        assert_eq!([0, 1].map(|t| l.share_of_bin(0, t)), [1.0, 0.25]);
        assert!((l.share_of_bin(1, 2) - 1.05).abs() < 1e-12);
        let whole = layout(vec![2, 3]);
        assert_eq!(
            whole.clone().with_lengths(vec![2.0, 3.0]),
            Ok(whole.clone())
        );
        assert_eq!(
            (whole.scored_length(), whole.share_of_bin(1, 2)),
            (3.0, 1.0)
        );
        for bad in [vec![2.0], vec![2.0, 4.0], vec![2.0, f64::NAN]] {
            assert!(whole.clone().with_lengths(bad).is_err());
        }
    }

    #[test]
    fn windows_share_out_the_scored_bins() {
        let whole = TrialLayout::new(vec![2, 0, 2], vec![5, 7, 3], 2).unwrap();
        let inner = whole.window(4..6);
        assert_eq!([0, 1, 2].map(|k| inner.bins(k)), [1, 2, 0]);
        assert_eq!((inner.first_bin(), inner.groups()), (0, whole.groups()));
        let first = whole.window(0..3);
        assert_eq!((first.first_bin(), first.scored_bins()), (2, 3));
        // History alone.
        assert_eq!(whole.window(0..1).scored_bins(), 0);
        for size in 1..9 {
            let windows = (0..7).step_by(size);
            let scored = windows.map(|start| whole.window(start..start + size).scored_bins());
            assert_eq!(scored.sum::<usize>(), whole.scored_bins());
        }
    }
}
