//! Couplings: what a spike of one unit adds to the currents of the bins that follow.

mod any;
mod connectivity;
mod low_rank;
mod sparse;

pub use any::AnyCoupling;
pub use connectivity::Connectivity;
pub use low_rank::LowRankCoupling;
pub use sparse::SparseCoupling;

use crate::{Behind, LaggedSums, SimError};
use refire_core::{AlignedVec, SpikeIndex, TrialArray};
use refire_kernels::{MatrixMut, MatrixRef, Real, add_assign, add_rows, dot, dots, dots_of_rows};
use std::ops::Range;

/// A linear map from the spikes of a source to the currents of the next `lags` bins, with its
/// adjoint and its parameter gradient.
///
/// A block is `lags * units` numbers, `[lag][target]`, lag 1 first: it lines up with the currents
/// `u[s+1 ..= s+lags]` behind a spike in bin `s`.
pub trait Coupling<T: Real>: Sync {
    /// Number of lags, bins.
    fn lags(&self) -> usize;

    /// Number of units, as sources and as targets.
    fn units(&self) -> usize;

    /// Forward: `u[s+d, j] += W[i, d, j]` for a spike of source `i`.
    fn scatter(&self, source: usize, currents: &mut [T]);

    /// [`Self::scatter`] for all sources that fired in one bin.
    #[inline(always)]
    fn scatter_all(&self, sources: &[usize], currents: &mut [T]) {
        for &source in sources {
            self.scatter(source, currents);
        }
    }

    /// Adjoint of [`Self::scatter`]: `sum_{d,j} W[i, d, j] lambda[s+d, j]`.
    fn gather(&self, source: usize, adjoints: &[T]) -> T;

    /// [`Self::gather`] for several sources, one number of `out` each.
    fn gather_some(&self, sources: &[usize], adjoints: &[T], out: &mut [T]) {
        for (out, &source) in out.iter_mut().zip(sources) {
            *out = self.gather(source, adjoints);
        }
    }

    /// [`Self::gather`] for several sources and trials at once: row `k` of `adjoints` is the block
    /// of trial `k`, row `k` of `out` receives one number per source. `scratch` is kept from bin to bin.
    fn gather_block(
        &self,
        sources: Range<usize>,
        adjoints: MatrixRef<'_, T>,
        out: MatrixMut<'_, T>,
        scratch: &mut AlignedVec<T>,
    );

    /// Number of parameters.
    fn parameter_count(&self) -> usize;

    /// Adds the gradient of all parameters, in their order, from every spike of a batch and the adjoints
    /// `lambda` `[trial][bin][unit]` of all currents; the first lag acts `ahead` bins behind a spike (1, or 0 for
    /// same-bin couplings). That of the weights is
    ///
    /// ```text
    /// dW[i,d,j] += sum over the spikes (k, s) of i of lambda[k, s + ahead + d, j]        d from 0
    /// ```
    ///
    /// In parallel, but every sum in the order of trials.
    fn add_gradient(
        &self,
        spikes: &SpikeIndex,
        lambda: &TrialArray<T>,
        ahead: usize,
        buffers: &mut LaggedSums<T>,
        gradient: &mut [T],
    );
}

/// Free weights for every source, lag and target: `[source][lag][target]`, current per spike.
#[derive(Clone, Copy, Debug)]
pub struct DenseCoupling<'a, T> {
    weights: &'a [T],
    units: usize,
    lags: usize,
}

impl<'a, T: Real> DenseCoupling<'a, T> {
    /// Couplings `[source][lag][target]` of `units * lags * units` numbers.
    ///
    /// # Errors
    /// [`SimError::Shape`] where the number of weights differs.
    pub fn new(weights: &'a [T], units: usize, lags: usize) -> Result<Self, SimError> {
        let expected = units * lags * units;
        if weights.len() != expected {
            return Err(SimError::Shape {
                what: "coupling weights [source][lag][target]",
                expected,
                found: weights.len(),
            });
        }
        Ok(Self {
            weights,
            units,
            lags,
        })
    }

    /// All weights.
    pub(crate) fn weights(&self) -> &'a [T] {
        self.weights
    }

    #[inline(always)]
    pub(crate) fn block(&self, source: usize) -> &'a [T] {
        let len = self.lags * self.units;
        &self.weights[source * len..(source + 1) * len]
    }
}

impl<T: Real> Coupling<T> for DenseCoupling<'_, T> {
    fn lags(&self) -> usize {
        self.lags
    }

    fn units(&self) -> usize {
        self.units
    }

    #[inline(always)]
    fn scatter(&self, source: usize, currents: &mut [T]) {
        add_assign(currents, self.block(source));
    }

    #[inline(always)]
    fn scatter_all(&self, sources: &[usize], currents: &mut [T]) {
        add_rows(currents, sources.iter().map(|&source| self.block(source)));
    }

    #[inline(always)]
    fn gather(&self, source: usize, adjoints: &[T]) -> T {
        dot(self.block(source), adjoints)
    }

    #[inline(always)]
    fn gather_some(&self, sources: &[usize], adjoints: &[T], out: &mut [T]) {
        dots_of_rows(self.weights, sources, adjoints, out);
    }

    fn gather_block(
        &self,
        sources: Range<usize>,
        adjoints: MatrixRef<'_, T>,
        out: MatrixMut<'_, T>,
        _: &mut AlignedVec<T>,
    ) {
        let len = self.lags * self.units;
        let weights = &self.weights[sources.start * len..sources.end * len];
        let weights = MatrixRef::rows(weights, sources.len(), len, len);
        dots(adjoints, weights, out);
    }

    fn parameter_count(&self) -> usize {
        self.weights.len()
    }

    fn add_gradient(
        &self,
        spikes: &SpikeIndex,
        lambda: &TrialArray<T>,
        ahead: usize,
        buffers: &mut LaggedSums<T>,
        gradient: &mut [T],
    ) {
        let slots: Vec<usize> = (0..spikes.trials().len()).collect();
        let behind = Behind {
            slots: &slots,
            from: 0,
            ahead,
            lags: self.lags,
        };
        buffers.add(spikes, lambda, behind, gradient);
    }
}

#[cfg(test)]
mod tests;
