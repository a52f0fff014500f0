//! Spikes of a batch, indexed by the unit that fired.

use crate::{TrialArray, TrialLayout};
use rayon::prelude::*;

/// Sources of one parallel task of [`SpikeIndex::for_each_source`].
const SOURCE_BLOCK: usize = 16;

/// The spikes of one trial by source unit.
#[derive(Clone, Debug, Default)]
pub struct TrialSpikes {
    /// Where the bins of each unit start, and the end of the last.
    start: Vec<u32>,
    bins: Vec<u32>,
    /// Spikes in the order they came in: unit and bin.
    listed: Vec<(u32, u32)>,
}

impl TrialSpikes {
    /// Forgets all spikes, not the allocations.
    pub fn clear(&mut self) {
        self.listed.clear();
    }

    /// Adds the spikes of one bin, room for which is found once; bins ascend from call to call.
    #[inline(always)]
    pub fn push(&mut self, units: &[usize], bin: usize) {
        let bin = bin as u32;
        self.listed
            .extend(units.iter().map(|&unit| (unit as u32, bin)));
    }

    /// Indexes the spikes of rows of `units`, 0 or 1, each with its bin; bins ascend.
    pub fn build<'a>(&mut self, rows: impl Iterator<Item = (usize, &'a [u8])>, units: usize) {
        self.clear();
        let mut fired = Vec::with_capacity(units);
        for (bin, row) in rows {
            fired.clear();
            for_each_fired(row, |unit| fired.push(unit));
            self.push(&fired, bin);
        }
        self.index(units);
    }

    /// Sorts the spikes pushed since [`Self::clear`] by unit.
    pub fn index(&mut self, units: usize) {
        self.start.clear();
        self.start.resize(units + 1, 0);
        for &(unit, _) in &self.listed {
            self.start[unit as usize] += 1;
        }
        let mut end = 0;
        for start in &mut self.start {
            end += std::mem::replace(start, end);
        }
        self.bins.resize(self.listed.len(), 0);
        for &(unit, bin) in &self.listed {
            let next = &mut self.start[unit as usize];
            self.bins[*next as usize] = bin;
            *next += 1;
        }
        // Every start has moved to its end, which is the next one's start.
        self.start.rotate_right(1);
        if let Some(first) = self.start.first_mut() {
            *first = 0;
        }
    }

    /// Bins in which a unit fired, ascending.
    #[inline(always)]
    pub fn bins_of(&self, unit: usize) -> &[u32] {
        &self.bins[self.start[unit] as usize..self.start[unit + 1] as usize]
    }
}

/// All spikes of a batch by trial and source unit.
///
/// The coupling gradient and the noise covariance sum over the spikes of one source at a time: the
/// order is fixed by the data, so sums do not depend on the number of threads.
#[derive(Clone, Debug, Default)]
pub struct SpikeIndex {
    trials: Vec<TrialSpikes>,
}

impl SpikeIndex {
    /// Indexes the valid bins of `spikes` (`[trial][bin][unit]`, 0 or 1).
    pub fn build(&mut self, spikes: &TrialArray<u8>, layout: &TrialLayout) {
        let units = spikes.units();
        self.trials_mut(layout.trials())
            .par_iter_mut()
            .enumerate()
            .for_each(|(k, trial)| {
                let rows = spikes.trial(k).chunks_exact(units.max(1));
                trial.build(rows.take(layout.bins(k)).enumerate(), units);
            });
    }

    /// Calls `f` with every trial, source, the bins in which it fired, and what is its own (`own[source]`):
    /// blocks of sources in parallel, the trials of each in order. Within a block trials are outside,
    /// so that what `f` reads of a trial stays in cache for all its sources.
    pub fn for_each_source<O: Send>(
        &self,
        own: &mut [O],
        f: impl Fn(usize, usize, &[u32], &mut O) + Sync,
    ) {
        own.par_chunks_mut(SOURCE_BLOCK)
            .enumerate()
            .for_each(|(block, own)| {
                for (k, trial) in self.trials.iter().enumerate() {
                    for (at, own) in own.iter_mut().enumerate() {
                        let source = block * SOURCE_BLOCK + at;
                        f(k, source, trial.bins_of(source), own);
                    }
                }
            });
    }

    /// The given number of trials, each to be filled, for instance in parallel.
    pub fn trials_mut(&mut self, trials: usize) -> &mut [TrialSpikes] {
        self.trials.resize_with(trials, TrialSpikes::default);
        &mut self.trials
    }

    /// The trials of the batch.
    pub fn trials(&self) -> &[TrialSpikes] {
        &self.trials
    }

    /// Number of spikes of all units.
    pub fn len(&self) -> usize {
        self.trials.iter().map(|trial| trial.bins.len()).sum()
    }

    /// Whether nobody fired.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Calls `f` with the index of every unit that fired in a bin (`row`: 0 or 1 per unit), ascending.
#[inline(always)]
pub fn for_each_fired(row: &[u8], mut f: impl FnMut(usize)) {
    // A bit per unit, so that one loop visits the few that fired among 64.
    for (at, units) in row.chunks(64).enumerate() {
        let (words, rest) = units.as_chunks::<8>();
        let mut fired = 0u64;
        for (at, word) in words.iter().enumerate() {
            // Gathers the lowest bits of eight bytes into the highest byte.
            let bits = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
            fired |= bits << (8 * at);
        }
        for (at, &z) in rest.iter().enumerate() {
            fired |= u64::from(z) << (8 * words.len() + at);
        }
        while fired != 0 {
            f(64 * at + fired.trailing_zeros() as usize);
            fired &= fired - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_who_fired_across_words_and_behind_them() {
        for units in [0, 1, 7, 8, 9, 21, 63, 64, 65, 150] {
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
        z.row_mut(0, 0)[1] = 1;
        z.row_mut(0, 2).fill(1);
        z.row_mut(1, 0)[1] = 1;
        z.row_mut(1, 2)[0] = 1; // beyond the second trial's end
        let mut index = SpikeIndex::default();
        for _ in 0..2 {
            index.build(&z, &layout);
            let of = |trial: usize| [0, 1].map(|unit| index.trials()[trial].bins_of(unit));
            assert_eq!(of(0), [&[2][..], &[0, 2][..]]);
            assert_eq!(of(1), [&[][..], &[0][..]]);
            assert_eq!(index.len(), 4);
        }
    }
}
