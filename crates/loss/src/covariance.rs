//! Lagged covariances about the trial mean, from the spikes of the sources: for those who write a term.
//!
//! With `a'` a signal centred over the trials of a condition in every bin,
//! `sum_k a'_i[k,t] (b_j[k,t-d] - mean) = sum_k a'_i[k,t] b_j[k,t-d]`: only one side needs
//! centring, and where `b` is spikes the sum visits spikes only.

use crate::trials::{mean_over_trials, valid_trials};
use rayon::prelude::*;
use refire_core::{SpikeIndex, TrialArray, TrialLayout};
use refire_kernels::{Real, dispatch};
use refire_sim::{Behind, LaggedSums};

/// Fills the first `units` numbers of the scored bins of every trial, and the rest of the signal with
/// zeros; bin `t` lies in row `t + margin` of `signal`.
pub fn fill_signal<T: Real>(
    signal: &mut TrialArray<T>,
    layout: &TrialLayout,
    margin: usize,
    units: usize,
    fill: impl Fn(usize, usize, &mut [T]) + Sync,
) {
    let width = signal.units();
    let len = signal.trial_len().max(1);
    let trials = signal.as_mut_slice().par_chunks_mut(len).enumerate();
    trials.for_each(|(k, trial)| {
        let scored = layout.first_bin() + margin..layout.bins(k) + margin;
        trial[..scored.start * width].fill(T::zero());
        trial[scored.end * width..].fill(T::zero());
        for row in scored {
            let (filled, rest) = trial[row * width..][..width].split_at_mut(units);
            fill(k, row - margin, filled);
            rest.fill(T::zero());
        }
    });
}

/// `a'[k,t] = w(K_t) (a[k,t] - mean_k a[k,t])` over the valid trials of a part, in place; bins with
/// fewer than two valid trials become zero. The map is its own adjoint. Bin `t` lies in row
/// `t + margin` of `signal`.
pub fn centre<T: Real>(
    signal: &mut TrialArray<T>,
    margin: usize,
    layout: &TrialLayout,
    slots: &[usize],
    weight: impl Fn(usize) -> f64 + Sync,
) {
    let units = signal.units();
    let of_bin = |k, t| signal.row(k, t + margin);
    let mean: Vec<T> = mean_over_trials(layout, slots, units, of_bin, T::f64)
        .into_iter()
        .map(T::new)
        .collect();
    let valid = valid_trials(layout, slots);
    let len = signal.trial_len().max(1);
    signal
        .as_mut_slice()
        .par_chunks_mut(len)
        .enumerate()
        .filter(|(k, _)| slots.binary_search(k).is_ok())
        .for_each(|(k, trial)| {
            dispatch(
                #[inline(always)]
                || {
                    let mut t = layout.first_bin();
                    // Bins with as many valid trials have one weight: all of them in one go.
                    for run in valid[t..layout.bins(k)].chunk_by(|a, b| a == b) {
                        let weight = T::new(if run[0] < 2 { 0.0 } else { weight(run[0]) });
                        let rows = &mut trial[(t + margin) * units..][..run.len() * units];
                        for (a, &m) in rows.iter_mut().zip(&mean[t * units..]) {
                            *a = weight * (*a - m);
                        }
                        t += run.len();
                    }
                },
            );
        });
}

/// What belongs together in a sum of lagged products.
#[derive(Clone, Copy, Debug)]
pub struct Lagged<'a, T> {
    /// Spikes of the sources, by trial and source unit.
    pub by_source: &'a SpikeIndex,
    /// What follows them, `[trial][row][unit]`; goes on for at least `lags - 1` rows behind the last bin.
    pub signal: &'a TrialArray<T>,
    /// Row of the signal that bin 0 of the spikes lies in.
    pub margin: usize,
    /// First bin whose spikes count.
    pub first_bin: usize,
    /// Number of lags, lag 0 counted.
    pub lags: usize,
    /// Index of the sum that each trial belongs to, `[trial]`.
    pub part_of_trial: &'a [usize],
}

impl<T: Real> Lagged<'_, T> {
    /// `M[j,d,i] += sum_k sum_t a'_i[k,t] z_j[k,t-d]` for as many sources as the sums hold, one sum per
    /// part, `[source][lag][signal.units()]`.
    pub fn add_products(&self, buffers: &mut LaggedSums<T>, sums: &mut [Vec<T>]) {
        for (part, sums) in sums.iter_mut().enumerate() {
            let slots = self.part_of_trial.iter().enumerate();
            let slots = slots.filter_map(|(k, &of)| (of == part).then_some(k));
            let slots: Vec<usize> = slots.collect();
            let behind = Behind {
                slots: &slots,
                from: self.first_bin,
                ahead: self.margin,
                lags: self.lags,
            };
            buffers.add(self.by_source, self.signal, behind, sums);
        }
    }
}

/// `sum over t >= first_bin + d, K_t >= 2, of K_t`, for each lag `d`.
pub fn trial_bins(layout: &TrialLayout, slots: &[usize], lags: usize) -> Vec<f64> {
    let mut tail: Vec<f64> = valid_trials(layout, slots)
        .into_iter()
        .skip(layout.first_bin())
        .map(|count| if count < 2 { 0.0 } else { count as f64 })
        .collect();
    for at in (1..tail.len()).rev() {
        tail[at - 1] += tail[at];
    }
    (0..lags)
        .map(|d| tail.get(d).copied().unwrap_or(0.0))
        .collect()
}

/// `K/(K-1)`: makes the sum over trials about their mean an unbiased covariance.
pub fn unbiased(count: usize) -> f64 {
    count as f64 / (count as f64 - 1.0)
}
