//! Couplings along given synapses only.

use super::{Connectivity, Coupling};
use crate::{LaggedSums, SimError};
use refire_core::{AlignedVec, SpikeIndex, TrialArray};
use refire_kernels::{LANES, MatrixMut, MatrixRef, Real, dispatch};
use std::ops::Range;

/// Free weights for every lag of every synapse, `[source][lag][synapse of the source]`: memory and time
/// grow with the number of synapses.
#[derive(Clone, Copy, Debug)]
pub struct SparseCoupling<'a, T> {
    weights: &'a [T],
    connectivity: &'a Connectivity,
    units: usize,
    lags: usize,
}

impl<'a, T: Real> SparseCoupling<'a, T> {
    /// Couplings along the synapses of `connectivity` in rows of `units`, of which those beyond the
    /// connectivity's only fill up rows.
    ///
    /// # Errors
    /// [`SimError::Shape`] where `weights` are not one per synapse and lag, or `units` are fewer than
    /// those of the connectivity.
    pub fn new(
        weights: &'a [T],
        connectivity: &'a Connectivity,
        units: usize,
        lags: usize,
    ) -> Result<Self, SimError> {
        let expected = connectivity.synapses() * lags;
        if weights.len() != expected {
            return Err(SimError::Shape {
                what: "coupling weights [source][lag][synapse]",
                expected,
                found: weights.len(),
            });
        }
        if units < connectivity.units() {
            return Err(SimError::Shape {
                what: "units of the synapses (at most)",
                expected: units,
                found: connectivity.units(),
            });
        }
        Ok(Self {
            weights,
            connectivity,
            units,
            lags,
        })
    }

    /// Which synapses there are.
    pub(crate) fn connectivity(&self) -> &'a Connectivity {
        self.connectivity
    }

    /// Targets of a source, and its weights `[lag][synapse]`.
    #[inline(always)]
    fn synapses(&self, source: usize) -> (&'a [u32], &'a [T]) {
        let range = self.connectivity.range(source);
        let weights = &self.weights[range.start * self.lags..range.end * self.lags];
        (self.connectivity.targets_of(source), weights)
    }
}

/// `sum_s weights[s] * row[targets[s]]` in four partial sums, which do not wait for each other.
#[inline(always)]
fn dot_at<T: Real>(targets: &[u32], weights: &[T], row: &[T]) -> T {
    let (targets, last_targets) = targets.as_chunks::<4>();
    let (weights, last_weights) = weights.as_chunks::<4>();
    let mut sums = [T::zero(); 4];
    for (targets, weights) in targets.iter().zip(weights) {
        for ((sum, &j), &w) in sums.iter_mut().zip(targets).zip(weights) {
            *sum += w * row[j as usize];
        }
    }
    for ((sum, &j), &w) in sums.iter_mut().zip(last_targets).zip(last_weights) {
        *sum += w * row[j as usize];
    }
    (sums[0] + sums[1]) + (sums[2] + sums[3])
}

/// Fewer trials are gathered one by one.
const LEAST_SIDE_BY_SIDE: usize = 4;

/// Some trials of `adjoints` as lanes of `side`, `[lag and target][trial]`; those of other lanes are left as
/// they are, since nothing comes of them.
#[inline(always)]
fn lay_side_by_side<T: Real>(
    adjoints: MatrixRef<'_, T>,
    trials: Range<usize>,
    side: &mut [[T; LANES]],
) {
    // As much of each trial at once as the first-level cache holds of all.
    const RUN: usize = 64;
    for (run, side) in side.chunks_mut(RUN).enumerate() {
        for (lane, trial) in trials.clone().enumerate() {
            let lambda = &adjoints.row(trial)[run * RUN..];
            for (side, &lambda) in side.iter_mut().zip(lambda) {
                side[lane] = lambda;
            }
        }
    }
}

impl<T: Real> SparseCoupling<'_, T> {
    /// [`Coupling::gather`] for trials side by side.
    #[inline(always)]
    pub(crate) fn gather_side_by_side(&self, source: usize, side: &[[T; LANES]]) -> [T; LANES] {
        let (targets, weights) = self.synapses(source);
        let mut sums = [T::zero(); LANES];
        if targets.is_empty() {
            return sums;
        }
        let rows = side.chunks_exact(self.units);
        for (row, weights) in rows.zip(weights.chunks_exact(targets.len())) {
            for (&j, &w) in targets.iter().zip(weights) {
                let lambda = &row[j as usize];
                for lane in 0..LANES {
                    sums[lane] += w * lambda[lane];
                }
            }
        }
        sums
    }
}

impl<T: Real> Coupling<T> for SparseCoupling<'_, T> {
    fn lags(&self) -> usize {
        self.lags
    }

    fn units(&self) -> usize {
        self.units
    }

    #[inline(always)]
    fn scatter(&self, source: usize, currents: &mut [T]) {
        let (targets, weights) = self.synapses(source);
        if targets.is_empty() {
            return;
        }
        let rows = currents.chunks_exact_mut(self.units);
        for (row, weights) in rows.zip(weights.chunks_exact(targets.len())) {
            for (&j, &w) in targets.iter().zip(weights) {
                row[j as usize] += w;
            }
        }
    }

    #[inline(always)]
    fn gather(&self, source: usize, adjoints: &[T]) -> T {
        let (targets, weights) = self.synapses(source);
        if targets.is_empty() {
            return T::zero();
        }
        let rows = adjoints.chunks_exact(self.units);
        let mut sum = T::zero();
        for (row, weights) in rows.zip(weights.chunks_exact(targets.len())) {
            sum += dot_at(targets, weights, row);
        }
        sum
    }

    /// Trials side by side, so that a synapse finds the adjoints of all of them in one place:
    ///
    /// ```text
    /// side[d,j,k] = lambda[k,s+d,j]      out[k,i] = sum over d and the synapses j of i of W[i,d,j] side[d,j,k]
    /// ```
    fn gather_block(
        &self,
        sources: Range<usize>,
        adjoints: MatrixRef<'_, T>,
        mut out: MatrixMut<'_, T>,
        scratch: &mut AlignedVec<T>,
    ) {
        let trials = adjoints.row_count();
        if trials < LEAST_SIDE_BY_SIDE {
            dispatch(
                #[inline(always)]
                || {
                    for trial in 0..trials {
                        let lambda = adjoints.row(trial);
                        for (out, source) in out.row_mut(trial).iter_mut().zip(sources.clone()) {
                            *out = self.gather(source, lambda);
                        }
                    }
                },
            );
            return;
        }
        scratch.resize(adjoints.row_len() * LANES, T::zero());
        for from in (0..trials).step_by(LANES) {
            let some = from..trials.min(from + LANES);
            dispatch(
                #[inline(always)]
                || {
                    let (side, _) = scratch.as_chunks_mut::<LANES>();
                    lay_side_by_side(adjoints, some.clone(), side);
                    for (at, source) in sources.clone().enumerate() {
                        let sums = self.gather_side_by_side(source, side);
                        for (trial, &sum) in some.clone().zip(&sums) {
                            out.row_mut(trial)[at] = sum;
                        }
                    }
                },
            );
        }
    }

    fn parameter_count(&self) -> usize {
        self.weights.len()
    }

    /// ```text
    /// dW[i,d,s] += sum over the spikes (k, t) of i of lambda[k, t + ahead + d, target s of i]
    /// ```
    ///
    /// Sources in parallel, each summed in the order of trials.
    fn add_gradient(
        &self,
        spikes: &SpikeIndex,
        lambda: &TrialArray<T>,
        ahead: usize,
        _buffers: &mut LaggedSums<T>,
        gradient: &mut [T],
    ) {
        let mut rest = gradient;
        let mut per_source = Vec::with_capacity(self.connectivity.units());
        for source in 0..self.connectivity.units() {
            let targets = self.connectivity.targets_of(source);
            let (own, others) = rest.split_at_mut(targets.len() * self.lags);
            per_source.push((targets, own));
            rest = others;
        }
        spikes.for_each_source(&mut per_source, |k, _, bins, (targets, own)| {
            if targets.is_empty() {
                return;
            }
            dispatch(
                #[inline(always)]
                || {
                    for &s in bins {
                        let rows = lambda.block(k, s as usize + ahead, self.lags);
                        let rows = rows.chunks_exact(self.units);
                        for (own, row) in own.chunks_exact_mut(targets.len()).zip(rows) {
                            for (own, &j) in own.iter_mut().zip(*targets) {
                                *own += row[j as usize];
                            }
                        }
                    }
                },
            );
        });
    }
}
