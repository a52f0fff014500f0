//! What follows the spikes of each source: sums of a signal at lags behind them.

use rayon::prelude::*;
use refire_core::{AlignedVec, SpikeIndex, TrialArray, aligned_vec};
use refire_kernels::{LANES, Real, add_blocks};

/// Sources of one parallel task; fixed, so that results do not depend on the number of threads.
const SOURCES: usize = 12;

/// Buffers of [`LaggedSums::add`].
#[derive(Clone, Debug)]
pub struct LaggedSums<T> {
    tiles: AlignedVec<T>,
}

impl<T> Default for LaggedSums<T> {
    fn default() -> Self {
        Self {
            tiles: aligned_vec(),
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
    /// The coupling gradient and the noise covariance are such sums. Tiles of a register's width of
    /// units are copied out first: all bins of a trial then lie in the first-level cache while its
    /// spikes are visited, and the sums of a source stay in registers.
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
        let (units, rows) = (signal.units(), signal.trial_len() / signal.units().max(1));
        let (len, block) = (rows * LANES, behind.lags * units);
        if sums.is_empty() || len == 0 {
            return;
        }
        self.tiles.resize(behind.slots.len() * len, T::zero());
        for unit in (0..units).step_by(LANES) {
            let wide = LANES.min(units - unit);
            let tiles = self.tiles.par_chunks_mut(len);
            tiles.zip(behind.slots).for_each(|(tile, &k)| {
                let rows = signal.trial(k).chunks_exact(units);
                for (to, row) in tile.chunks_exact_mut(LANES).zip(rows) {
                    copy_lanes(to, &row[unit..], wide);
                }
            });
            let tiles = &self.tiles;
            sums.par_chunks_mut(SOURCES * block)
                .enumerate()
                .for_each(|(at, sums)| {
                    let mut own = aligned_vec();
                    own.resize(sums.len() / units * LANES, T::zero());
                    for (own, sums) in own.chunks_exact_mut(LANES).zip(sums.chunks_exact(units)) {
                        copy_lanes(own, &sums[unit..], wide);
                    }
                    for (tile, &k) in tiles.chunks_exact(len).zip(behind.slots) {
                        let of_trial = &spikes.trials()[k];
                        let owns = own.chunks_exact_mut(behind.lags * LANES);
                        for (source, own) in (at * SOURCES..).zip(owns) {
                            let bins = of_trial.of(source);
                            let first = bins.partition_point(|&s| (s as usize) < behind.from);
                            add_blocks(tile, &bins[first..], behind.ahead, own);
                        }
                    }
                    for (own, sums) in own.chunks_exact(LANES).zip(sums.chunks_exact_mut(units)) {
                        sums[unit..unit + wide].copy_from_slice(&own[..wide]);
                    }
                });
        }
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
            (trials, bins, units, lags) in (1usize..5, 1usize..12, 1usize..40, 1usize..5),
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
