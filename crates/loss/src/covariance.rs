//! Lagged covariances about the trial mean, from the spikes of the sources.
//!
//! With `a'` a signal centred over the trials of a condition in every bin,
//! `sum_k a'_i[k,t] (b_j[k,t-d] - mean) = sum_k a'_i[k,t] b_j[k,t-d]`: only one side needs
//! centring, and where `b` is spikes the sum visits spikes only.

use rayon::prelude::*;
use refire_core::{SpikeIndex, TrialArray, TrialLayout};
use refire_kernels::{Real, add_assign, dispatch};

/// The trials of one condition that are averaged together: all of them, or one part.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub condition: usize,
    pub part: usize,
    pub slots: Vec<usize>,
}

/// Deals the trials of every condition to `count` parts in turn (two: even and odd trials).
pub(crate) fn parts(layout: &TrialLayout, count: usize) -> Vec<Part> {
    let mut out = Vec::with_capacity(layout.groups().len() * count);
    for group in layout.groups() {
        for part in 0..count {
            out.push(Part {
                condition: group.condition,
                part,
                slots: group
                    .slots
                    .iter()
                    .copied()
                    .skip(part)
                    .step_by(count)
                    .collect(),
            });
        }
    }
    out
}

/// Trials of a part that are valid in bin `t`.
pub(crate) fn valid(layout: &TrialLayout, slots: &[usize], t: usize) -> usize {
    slots.iter().filter(|&&k| layout.bins(k) > t).count()
}

/// Last valid bin of a part, plus one.
pub(crate) fn longest(layout: &TrialLayout, slots: &[usize]) -> usize {
    slots.iter().map(|&k| layout.bins(k)).max().unwrap_or(0)
}

/// `a'[k,t] = w(K_t) (a[k,t] - mean_k a[k,t])` over the valid trials of a part, in place; bins with
/// fewer than two valid trials become zero. The map is its own adjoint.
pub(crate) fn centre<T: Real>(
    signal: &mut TrialArray<T>,
    layout: &TrialLayout,
    slots: &[usize],
    weight: impl Fn(usize) -> f64,
) {
    let mut mean = vec![0.0f64; signal.units()];
    for t in layout.first_bin()..longest(layout, slots) {
        let count = valid(layout, slots, t);
        mean.fill(0.0);
        for &k in slots.iter().filter(|&&k| layout.bins(k) > t) {
            for (m, &a) in mean.iter_mut().zip(signal.row(k, t)) {
                *m += a.f64();
            }
        }
        mean.iter_mut().for_each(|m| *m /= count.max(1) as f64);
        let w = T::of(if count < 2 { 0.0 } else { weight(count) });
        for &k in slots.iter().filter(|&&k| layout.bins(k) > t) {
            for (a, &m) in signal.row_mut(k, t).iter_mut().zip(&mean) {
                *a = w * (*a - T::of(m));
            }
        }
    }
}

/// `M[j,d,i] += sum_k sum_t a'_i[k,t] z_j[k,t-d]` for the first `signal.units()` sources, one sum
/// per part; both bins at or after `first_bin`. Bin `t` lies in row `t + margin` of `signal`, which
/// goes on for at least `lags - 1` rows behind the last bin.
pub(crate) fn add_lagged_products<T: Real>(
    by_source: &SpikeIndex,
    signal: &TrialArray<T>,
    margin: usize,
    first_bin: usize,
    lags: usize,
    part_of_slot: &[usize],
    sums: &mut [Vec<T>],
) {
    let block = lags * signal.units();
    let mut per_source: Vec<Vec<&mut [T]>> = (0..signal.units()).map(|_| Vec::new()).collect();
    for part in sums {
        for (source, own) in part.chunks_exact_mut(block).enumerate() {
            per_source[source].push(own);
        }
    }
    per_source
        .into_par_iter()
        .enumerate()
        .for_each(|(source, mut own)| {
            dispatch(
                #[inline(always)]
                || {
                    for spike in by_source.of(source) {
                        let (k, s) = (spike.trial as usize, spike.bin as usize);
                        if s >= first_bin {
                            add_assign(
                                &mut *own[part_of_slot[k]],
                                signal.block(k, s + margin, lags),
                            );
                        }
                    }
                },
            );
        });
}

/// `sum over t >= first_bin + d, K_t >= 2, of K_t`, for each lag `d`.
pub(crate) fn trial_bins(layout: &TrialLayout, slots: &[usize], lags: usize) -> Vec<f64> {
    let first = layout.first_bin();
    let end = longest(layout, slots);
    let mut tail = vec![0.0f64; end.saturating_sub(first) + 1];
    for t in (first..end).rev() {
        let count = valid(layout, slots, t);
        tail[t - first] = tail[t - first + 1] + if count < 2 { 0.0 } else { count as f64 };
    }
    (0..lags)
        .map(|d| tail.get(d).copied().unwrap_or(0.0))
        .collect()
}

/// `K/(K-1)`: makes the sum over trials about their mean an unbiased covariance.
pub(crate) fn unbiased(count: usize) -> f64 {
    count as f64 / (count as f64 - 1.0)
}
