//! Couplings: what a spike of one unit adds to the currents of the bins that follow.

use crate::SimError;
use refire_kernels::{MatrixMut, MatrixRef, Real, add_assign, add_rows, dot, matmul};
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

    /// [`Self::gather`] for several sources and trials at once: row `k` of `adjoints` is the block
    /// of trial `k`, row `k` of `out` receives one number per source.
    fn gather_block(
        &self,
        sources: Range<usize>,
        adjoints: MatrixRef<'_, T>,
        out: MatrixMut<'_, T>,
    );

    /// Parameters of one source; the gradient of all is `[source][parameter]`.
    fn parameters(&self, source: usize) -> usize;

    /// Gradient: `dW[i, d, j] += lambda[s+d, j]` for a spike of source `i`.
    fn accumulate(&self, source: usize, adjoints: &[T], gradient: &mut [T]);

    /// [`Self::accumulate`] for several spikes of a source, in order.
    #[inline(always)]
    fn accumulate_all<'a>(
        &self,
        source: usize,
        adjoints: impl Iterator<Item = &'a [T]>,
        gradient: &mut [T],
    ) {
        for adjoints in adjoints {
            self.accumulate(source, adjoints, gradient);
        }
    }
}

/// Free weights for every source, lag and target: `[source][lag][target]`.
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

    #[inline(always)]
    fn block(&self, source: usize) -> &'a [T] {
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

    fn gather_block(
        &self,
        sources: Range<usize>,
        adjoints: MatrixRef<'_, T>,
        out: MatrixMut<'_, T>,
    ) {
        let len = self.lags * self.units;
        let weights = &self.weights[sources.start * len..sources.end * len];
        let weights = MatrixRef::rows(weights, sources.len(), len, len);
        matmul(adjoints, weights.transposed(), T::zero(), out);
    }

    fn parameters(&self, _source: usize) -> usize {
        self.lags * self.units
    }

    #[inline(always)]
    fn accumulate(&self, _source: usize, adjoints: &[T], gradient: &mut [T]) {
        add_assign(gradient, adjoints);
    }

    #[inline(always)]
    fn accumulate_all<'a>(
        &self,
        _source: usize,
        adjoints: impl Iterator<Item = &'a [T]>,
        gradient: &mut [T],
    ) {
        add_rows(gradient, adjoints);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// <scatter(z), lambda> = <z, gather(lambda)>, for single sources and for blocks of trials.
        #[test]
        fn scatter_and_gather_are_adjoint(
            units in 1usize..6,
            lags in 1usize..5,
            numbers in prop::collection::vec(-1.0f64..1.0, 400),
        ) {
            let block = lags * units;
            let weights = &numbers[..units * block];
            let adjoints = &numbers[units * block..units * block + 2 * block];
            let coupling = DenseCoupling::new(weights, units, lags).unwrap();
            let mut out = vec![9.0; 2 * units];
            coupling.gather_block(
                0..units,
                MatrixRef::rows(adjoints, 2, block, block),
                MatrixMut::rows(&mut out, 2, units, units),
            );
            for source in 0..units {
                for trial in 0..2 {
                    let lambda = &adjoints[trial * block..(trial + 1) * block];
                    let mut scattered = vec![0.0; block];
                    coupling.scatter(source, &mut scattered);
                    let left: f64 = scattered.iter().zip(lambda).map(|(a, b)| a * b).sum();
                    prop_assert!((left - coupling.gather(source, lambda)).abs() < 1e-12);
                    prop_assert!((left - out[trial * units + source]).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn a_wrong_number_of_weights_is_refused() {
        let error = DenseCoupling::new(&[0.0f32; 7], 2, 2).unwrap_err();
        assert!(error.to_string().contains("expected 8, found 7"));
    }
}
