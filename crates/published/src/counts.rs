//! Lagged covariance of the recorded trials of a batch, from what is counted once per trial.

use crate::panels::matmul_whole_rows;
use rayon::prelude::*;
use refire_core::{TrialArray, TrialLayout, for_each_fired};
use refire_kernels::{MatrixMut, MatrixRef, Real, dispatch};
use std::collections::BTreeMap;

/// Most counts kept: 64 MiB of them.
const MOST_KEPT: usize = 1 << 25;

/// Sources of one parallel task.
const SOURCES: usize = 12;

/// Counts of coinciding spikes of recorded trials, which batches draw again and again.
///
/// ```text
/// N_k[j,d,i] = sum_t z_j[k,t] z_i[k,t+d]                         counted once per trial
/// M[j,d,i]   = sum_k sum_t (z_j[k,t] - mean)(z_i[k,t+d] - mean)
///            = sum_k N_k[j,d,i] - sum_c 1/K_c sum_t S_j[c,t] S_i[c,t+d]     S = sum over trials of c
/// ```
#[derive(Clone, Debug)]
pub(crate) struct RecordedProducts {
    lags: usize,
    wrap: bool,
    /// `[source][lag][unit]` of each trial, by its key.
    counts: BTreeMap<u32, Vec<u16>>,
}

impl RecordedProducts {
    /// Products at lags `0..lags`; with `wrap`, time is circular.
    pub(crate) fn new(lags: usize, wrap: bool) -> Self {
        Self {
            lags,
            wrap,
            counts: BTreeMap::new(),
        }
    }

    /// Overwrites `products` with `M`, rows of `width`, whole registers, and returns true; false where trials differ in
    /// length or are too many, or too long, to keep counts of. `keys` tells trials apart.
    pub(crate) fn centred<T: Real>(
        &mut self,
        spikes: &TrialArray<u8>,
        layout: &TrialLayout,
        keys: &[u32],
        width: usize,
        products: &mut Vec<T>,
    ) -> bool {
        let (n, bins) = (spikes.units(), layout.max_bins());
        let equal = (0..layout.trials()).all(|k| layout.bins(k) == bins);
        let numbers = n * self.lags * n;
        let new = keys.iter().filter(|key| !self.counts.contains_key(key));
        let kept = (self.counts.len() + new.count()) * numbers;
        if !equal
            || bins > usize::from(u16::MAX)
            || kept > MOST_KEPT
            || keys.len() < layout.trials()
        {
            return false;
        }
        for (k, &key) in keys.iter().enumerate().take(layout.trials()) {
            let counted = self.counts.contains_key(&key);
            if !counted {
                let rows = &spikes.trial(k)[layout.first_bin() * n..bins * n];
                self.counts.insert(key, self.count(rows, n));
            }
        }
        let groups = layout.groups().iter().filter(|g| g.slots.len() > 1);
        let counts: Vec<&Vec<u16>> = groups
            .clone()
            .flat_map(|group| &group.slots)
            .filter_map(|&k| self.counts.get(&keys[k]))
            .collect();
        let sums: Vec<(f64, Vec<T>)> = groups
            .map(|group| {
                (
                    group.slots.len() as f64,
                    self.sums(spikes, layout, &group.slots, width),
                )
            })
            .collect();
        products.clear();
        products.resize(n * self.lags * width, T::zero());
        let (block, block_of_counts) = (self.lags * width, self.lags * n);
        products
            .par_chunks_mut((SOURCES * block).max(1))
            .enumerate()
            .for_each(|(task, products)| {
                let sources = products.len() / block;
                let rows = bins - layout.first_bin();
                for (at, (trials, sums)) in sums.iter().enumerate() {
                    // The sum comes first, with its sign, so that one product adds it.
                    let of_source = |at: &T| *at * T::new(-1.0 / trials);
                    let own: Vec<T> = sums[..rows * width]
                        .chunks_exact(width)
                        .flat_map(|row| row[task * SOURCES..][..sources].iter().map(of_source))
                        .collect();
                    matmul_whole_rows(
                        MatrixRef::rows(&own, rows, sources, sources).transposed(),
                        MatrixRef::rows(sums, rows, block, width),
                        at > 0,
                        MatrixMut::rows(products, sources, block, block),
                    );
                }
                let from = task * SOURCES * block_of_counts;
                dispatch(
                    #[inline(always)]
                    || {
                        let mut total = vec![0u32; sources * block_of_counts];
                        for counts in &counts {
                            let counts = &counts[from..][..total.len()];
                            for (sum, &count) in total.iter_mut().zip(counts) {
                                *sum += u32::from(count);
                            }
                        }
                        let rows = products.chunks_exact_mut(width);
                        for (out, total) in rows.zip(total.chunks_exact(n)) {
                            for (x, &count) in out.iter_mut().zip(total) {
                                *x += T::new(f64::from(count));
                            }
                        }
                    },
                );
            });
        true
    }

    /// `N_k` of one trial, `[bin][unit]`.
    fn count(&self, rows: &[u8], n: usize) -> Vec<u16> {
        let mut counts = vec![0; n * self.lags * n];
        // The units that fire, bin after bin, and where each bin begins.
        let (mut fired, mut begins) = (Vec::new(), vec![0]);
        for row in rows.chunks_exact(n) {
            for_each_fired(row, |unit| fired.push(unit));
            begins.push(fired.len());
        }
        let bins = begins.len() - 1;
        let of_bin = |t: usize| &fired[begins[t]..begins[t + 1]];
        for t in 0..bins {
            for d in 0..self.lags {
                let later = if self.wrap { (t + d) % bins } else { t + d };
                if later >= bins {
                    break;
                }
                let targets = of_bin(later);
                for &j in of_bin(t) {
                    let row = &mut counts[(j * self.lags + d) * n..][..n];
                    for &i in targets {
                        row[i] += 1;
                    }
                }
            }
        }
        counts
    }

    /// `S` of some trials, `[bin][width]`, and `lags - 1` rows more: the first ones again, or zeros.
    fn sums<T: Real>(
        &self,
        spikes: &TrialArray<u8>,
        layout: &TrialLayout,
        slots: &[usize],
        width: usize,
    ) -> Vec<T> {
        let (n, first) = (spikes.units(), layout.first_bin());
        let bins = layout.max_bins() - first;
        let rows = if self.wrap {
            bins + self.lags - 1
        } else {
            bins
        };
        let mut sums = vec![T::zero(); (bins + self.lags - 1) * width];
        sums.par_chunks_mut(width)
            .take(rows)
            .enumerate()
            .for_each(|(t, sums)| {
                dispatch(
                    #[inline(always)]
                    || {
                        for &k in slots {
                            let row = spikes.row(k, first + t % bins);
                            for (sum, &z) in sums[..n].iter_mut().zip(row) {
                                *sum += T::new(f64::from(z));
                            }
                        }
                    },
                );
            });
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use refire_kernels::LANES;

    proptest! {
        #[test]
        fn match_loops_over_centred_spikes(
            conditions in prop::collection::vec(0usize..3, 1..7),
            (bins, first, n, lags) in (1usize..12, 0usize..3, 1usize..15, 1usize..5),
            wrap in any::<bool>(),
            seed in 0u64..1000,
        ) {
            let trials = conditions.len();
            let layout = TrialLayout::new(conditions.clone(), vec![first + bins; trials], first).unwrap();
            let mut spikes = TrialArray::<u8>::zeros(trials, first + bins, 0, n);
            for (at, z) in spikes.as_mut_slice().iter_mut().enumerate() {
                *z = u8::from((at as u64 + 1) * (2 * seed + 7919) % 101 < 40);
            }
            let width = (n + 2).next_multiple_of(LANES);
            let keys: Vec<u32> = (0..trials as u32).map(|k| 10 * k).collect();
            let mut kept = RecordedProducts::new(lags, wrap);
            let mut products = vec![9.0f64];
            // A second time from the counts kept.
            for _ in 0..2 {
                prop_assert!(kept.centred(&spikes, &layout, &keys, width, &mut products));
            }
            let centred = |k: usize, t: usize, i: usize| {
                let same = (0..trials).filter(|&l| conditions[l] == conditions[k]);
                let of = |k: usize| f64::from(spikes.row(k, first + t)[i]);
                let trials = same.clone().count() as f64;
                if trials < 2.0 { 0.0 } else { of(k) - same.map(of).sum::<f64>() / trials }
            };
            for (at, &found) in products.iter().enumerate() {
                let (j, d, i) = (at / (lags * width), at / width % lags, at % width);
                let mut sum = 0.0;
                for k in 0..trials {
                    for t in (0..bins).filter(|t| i < n && (wrap || t + d < bins)) {
                        sum += centred(k, t, j) * centred(k, (t + d) % bins, i);
                    }
                }
                prop_assert!((found - sum).abs() < 1e-10, "{found}, not {sum}");
            }
        }
    }
}
