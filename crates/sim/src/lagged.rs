//! What follows the spikes of each source: sums of a signal at lags behind them.

use rayon::prelude::*;
use refire_core::{AlignedVec, SpikeIndex, TrialArray, aligned_vec};
use refire_kernels::{LANES, Real, add_assign, add_blocks};

/// Least number of parallel tasks; fixed, so that results do not depend on the number of threads.
const TASKS: usize = 4;

/// Bytes of sums that a task may keep, where that is more than one tile's: they stay in the second-level cache.
const SUMS_OF_A_TASK: usize = 1 << 19;

/// Buffers of [`LaggedSums::add`].
#[derive(Clone, Debug)]
pub struct LaggedSums<T> {
    /// Sums of each task, `[tiles of a task][part of the trials][tile][source][lag][lane]`.
    sums: AlignedVec<T>,
}

impl<T> Default for LaggedSums<T> {
    fn default() -> Self {
        Self {
            sums: aligned_vec(),
        }
    }
}

/// Which spikes and rows of a signal belong together.
#[derive(Clone, Copy, Debug)]
pub struct Behind<'a> {
    /// Slots that count, ascending.
    pub slots: &'a [usize],
    /// First bin whose spikes count.
    pub from: usize,
    /// Rows of the signal from that of a spike's bin to the first that follows it.
    pub ahead: usize,
    /// Number of rows that follow a spike.
    pub lags: usize,
}

impl<T: Real> LaggedSums<T> {
    /// Adds to `sums`, `[source][lag][unit]`, for as many sources as it holds.
    ///
    /// ```text
    /// sums[i,d,j] += sum over slots k and spikes s >= from of source i of signal[k, s + ahead + d, j]
    /// ```
    ///
    /// The coupling gradient and the noise covariance are such sums. A task takes some trials, and tiles of a
    /// register's width of units, as many as it can keep sums of. Of each trial it copies one tile after the
    /// other: all bins of it then lie in the first-level cache while the spikes of the trial are visited, and the
    /// sums of a source stay in registers.
    ///
    /// # Panics
    /// If a row lies beyond the padding of the signal, or the index has fewer trials than `slots` say.
    pub fn add(
        &mut self,
        spikes: &SpikeIndex,
        signal: &TrialArray<T>,
        behind: Behind<'_>,
        sums: &mut [T],
    ) {
        let units = signal.units().max(1);
        let (tile_len, block) = (signal.trial_len() / units * LANES, behind.lags * units);
        let own_block = behind.lags * LANES;
        if sums.is_empty() || tile_len == 0 {
            return;
        }
        let (sources, tiles) = (sums.len() / block, units.div_ceil(LANES));
        let tile_sums = sources * own_block;
        let at_once = SUMS_OF_A_TASK / (tile_sums * size_of::<T>());
        let at_once = at_once.clamp(1, tiles);
        let part = behind.slots.len() / TASKS.div_ceil(tiles.div_ceil(at_once));
        let parts: Vec<&[usize]> = behind.slots.chunks(part.max(1)).collect();
        let own_len = at_once * tile_sums;
        self.sums.clear();
        self.sums
            .resize(tiles.div_ceil(at_once) * parts.len() * own_len, T::zero());
        let tasks = self.sums.par_chunks_mut(own_len).enumerate();
        tasks.for_each_init(aligned_vec, |copy, (task, own)| {
            copy.resize(tile_len, T::zero());
            let first_tile = task / parts.len() * at_once;
            for &k in parts[task % parts.len()] {
                let of_trial = &spikes.trials()[k];
                let tiles = (first_tile..tiles).zip(own.chunks_exact_mut(tile_sums));
                for (tile, own) in tiles {
                    copy_tile(copy, signal.trial(k), tile * LANES, units);
                    for (source, own) in own.chunks_exact_mut(own_block).enumerate() {
                        let bins = of_trial.bins_of(source);
                        let first = bins.partition_point(|&s| (s as usize) < behind.from);
                        add_blocks(copy, &bins[first..], behind.ahead, own);
                    }
                }
            }
        });
        let own = &self.sums;
        let of_sources = sums.par_chunks_mut(block).enumerate();
        of_sources.for_each(|(source, sums)| {
            for (task, own) in own.chunks_exact(own_len).enumerate() {
                let first_tile = task / parts.len() * at_once;
                for (tile, own) in (first_tile..tiles).zip(own.chunks_exact(tile_sums)) {
                    let unit = tile * LANES;
                    let wide = LANES.min(units - unit);
                    let own = own[source * own_block..][..own_block].chunks_exact(LANES);
                    for (own, sums) in own.zip(sums.chunks_exact_mut(units)) {
                        add_assign(&mut sums[unit..unit + wide], &own[..wide]);
                    }
                }
            }
        });
    }
}

/// Copies a register's width of the rows of a trial, from column `unit` on; what is missing is zero.
fn copy_tile<T: Real>(tile: &mut [T], trial: &[T], unit: usize, units: usize) {
    let rows = tile.chunks_exact_mut(LANES).zip(trial.chunks_exact(units));
    let wide = LANES.min(units - unit);
    for (to, row) in rows {
        copy_lanes(to, &row[unit..], wide);
    }
}

/// Copies the first `wide` numbers; whole rows in one go.
#[inline(always)]
fn copy_lanes<T: Real>(to: &mut [T], from: &[T], wide: usize) {
    match (to.first_chunk_mut::<LANES>(), from.first_chunk::<LANES>()) {
        (Some(to), Some(from)) if wide == LANES => *to = *from,
        _ => to[..wide].copy_from_slice(&from[..wide]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use refire_core::TrialLayout;

    proptest! {
        #[test]
        fn match_loops_over_spikes(
            (trials, bins, units, lags) in (1usize..12, 1usize..12, 1usize..40, 1usize..5),
            (ahead, from) in (0usize..3, 0usize..4),
            seed in 0u64..1000,
        ) {
            let number = |i: usize| (((i as u64 + 1) * (seed + 7919)) % 1009) as f64 / 500.0 - 1.0;
            let mut spikes = TrialArray::<u8>::zeros(trials, bins, 0, units);
            for (at, z) in spikes.as_mut_slice().iter_mut().enumerate() {
                *z = u8::from(number(at) > 0.5);
            }
            let layout = TrialLayout::uniform(trials, bins, 0).unwrap();
            let mut index = SpikeIndex::default();
            index.build(&spikes, &layout);
            let mut signal = TrialArray::<f64>::zeros(trials, bins, lags + ahead, units);
            for (at, x) in signal.as_mut_slice().iter_mut().enumerate() {
                *x = number(at + 3);
            }
            let slots: Vec<usize> = (0..trials).filter(|k| k % 3 != 1).collect();
            let behind = Behind { slots: &slots, from, ahead, lags };
            let mut sums: Vec<f64> = (0..units * lags * units).map(number).collect();
            let mut expected = sums.clone();
            LaggedSums::default().add(&index, &signal, behind, &mut sums);
            for (at, expected) in expected.iter_mut().enumerate() {
                let (i, d, j) = (at / (lags * units), at / units % lags, at % units);
                for &k in &slots {
                    for s in (from..bins).filter(|&s| spikes.row(k, s)[i] != 0) {
                        *expected += signal.block(k, s + ahead, lags)[d * units + j];
                    }
                }
            }
            for (found, expected) in sums.iter().zip(&expected) {
                prop_assert!((found - expected).abs() < 1e-12);
            }
        }
    }
}
