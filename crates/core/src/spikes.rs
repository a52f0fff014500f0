//! Spikes of a batch, indexed by the unit that fired.

use crate::{TrialArray, TrialLayout};

/// Where a unit fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spike {
    /// Slot in the batch.
    pub trial: u32,
    /// Bin in the trial.
    pub bin: u32,
}

/// All spikes of a batch by source unit, each unit's in the order of trials, then bins.
///
/// The coupling gradient and the noise covariance sum over the spikes of one source at a time: the
/// order is fixed by the data, so sums do not depend on the number of threads.
#[derive(Clone, Debug, Default)]
pub struct SpikeIndex {
    start: Vec<usize>,
    spikes: Vec<Spike>,
}

impl SpikeIndex {
    /// Indexes the valid bins of `spikes` (`[trial][bin][unit]`, 0 or 1).
    pub fn build(&mut self, spikes: &TrialArray<u8>, layout: &TrialLayout) {
        let units = spikes.units();
        self.start.clear();
        self.start.resize(units + 1, 0);
        for trial in 0..layout.trials() {
            for bin in 0..layout.bins(trial) {
                for (count, &z) in self.start[1..].iter_mut().zip(spikes.row(trial, bin)) {
                    *count += usize::from(z);
                }
            }
        }
        for unit in 0..units {
            self.start[unit + 1] += self.start[unit];
        }
        let mut next = self.start.clone();
        self.spikes.clear();
        self.spikes
            .resize(self.start[units], Spike { trial: 0, bin: 0 });
        for trial in 0..layout.trials() {
            for bin in 0..layout.bins(trial) {
                for_each_fired(spikes.row(trial, bin), |unit| {
                    self.spikes[next[unit]] = Spike {
                        trial: trial as u32,
                        bin: bin as u32,
                    };
                    next[unit] += 1;
                });
            }
        }
    }

    /// Spikes of one source unit, by trial, then bin.
    pub fn of(&self, unit: usize) -> &[Spike] {
        &self.spikes[self.start[unit]..self.start[unit + 1]]
    }

    /// Number of units indexed.
    pub fn units(&self) -> usize {
        self.start.len().saturating_sub(1)
    }

    /// Number of spikes of all units.
    pub fn len(&self) -> usize {
        self.spikes.len()
    }

    /// Whether nobody fired.
    pub fn is_empty(&self) -> bool {
        self.spikes.is_empty()
    }
}

/// Calls `f` with the index of every unit that fired in a bin (`row`: 0 or 1 per unit), ascending.
#[inline(always)]
pub fn for_each_fired(row: &[u8], mut f: impl FnMut(usize)) {
    // Most units are silent: eight at a time.
    let (words, rest) = row.as_chunks::<8>();
    for (at, word) in words.iter().enumerate() {
        let mut word = u64::from_le_bytes(*word);
        while word != 0 {
            f(8 * at + (word.trailing_zeros() / 8) as usize);
            word &= word - 1;
        }
    }
    for (at, _) in rest.iter().enumerate().filter(|&(_, &z)| z != 0) {
        f(8 * words.len() + at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_who_fired_across_words_and_behind_them() {
        for units in [0, 1, 7, 8, 9, 21] {
            let row: Vec<u8> = (0..units)
                .map(|i| u8::from(i % 3 == 1 || i % 8 == 7))
                .collect();
            let mut found = Vec::new();
            for_each_fired(&row, |unit| found.push(unit));
            let expected: Vec<usize> = (0..units).filter(|&i| row[i] != 0).collect();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn indexes_by_source_and_ignores_padding() {
        let layout = TrialLayout::new(vec![0, 0], vec![3, 2], 0).unwrap();
        let mut z = TrialArray::<u8>::zeros(2, 3, 0, 2);
        z.row_mut(0, 2)[1] = 1;
        z.row_mut(1, 0)[1] = 1;
        z.row_mut(1, 2)[0] = 1; // beyond the second trial's end
        let mut index = SpikeIndex::default();
        index.build(&z, &layout);
        assert!(index.of(0).is_empty());
        assert_eq!(
            index.of(1),
            &[Spike { trial: 0, bin: 2 }, Spike { trial: 1, bin: 0 }]
        );
    }
}
