//! Couplings along given synapses only.

use super::{Connectivity, Coupling};
use crate::{LaggedSums, SimError};
use refire_core::{SpikeIndex, TrialArray};
use refire_kernels::{MatrixMut, MatrixRef, Real, dispatch};
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

    /// Targets of a source, and its weights `[lag][synapse]`.
    #[inline(always)]
    fn synapses(&self, source: usize) -> (&'a [u32], &'a [T]) {
        let range = self.connectivity.range(source);
        let weights = &self.weights[range.start * self.lags..range.end * self.lags];
        (self.connectivity.of(source), weights)
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

    fn gather_block(
        &self,
        sources: Range<usize>,
        adjoints: MatrixRef<'_, T>,
        mut out: MatrixMut<'_, T>,
    ) {
        dispatch(
            #[inline(always)]
            || {
                for trial in 0..adjoints.row_count() {
                    let lambda = adjoints.row(trial);
                    for (out, source) in out.row_mut(trial).iter_mut().zip(sources.clone()) {
                        *out = self.gather(source, lambda);
                    }
                }
            },
        );
    }

    fn parameter_count(&self) -> usize {
        self.weights.len()
    }

    /// ```text
    /// dW[i,d,s] += sum over the spikes (k, t) of i of lambda[k, t+d, target s of i]
    /// ```
    ///
    /// Sources in parallel, each summed in the order of trials.
    fn add_gradient(
        &self,
        spikes: &SpikeIndex,
        lambda: &TrialArray<T>,
        _buffers: &mut LaggedSums<T>,
        gradient: &mut [T],
    ) {
        let mut rest = gradient;
        let mut per_source = Vec::with_capacity(self.connectivity.units());
        for source in 0..self.connectivity.units() {
            let targets = self.connectivity.of(source);
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
                        let rows = lambda.block(k, s as usize + 1, self.lags);
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
