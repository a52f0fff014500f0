//! Couplings of low rank.

use super::Coupling;
use crate::{LaggedSums, SimError};
use rayon::prelude::*;
use refire_core::{AlignedVec, SpikeIndex, TrialArray};
use refire_kernels::{
    LANES, MatrixMut, MatrixRef, Real, add_assign, add_scaled, dispatch, dot, matmul,
};
use std::ops::Range;

/// Components summed at once, so that their factors fit a register and the stack.
const COMPONENTS: usize = LANES;

/// Columns of one parallel task of the gradient; fixed, so that results do not depend on the number of
/// threads.
const COLUMNS: usize = 512;

/// Couplings through `rank` components, each driven by the sources and felt at every lag and target:
///
/// ```text
/// W[i,d,j] = sum_r left[i,r] * right[r,d,j]
/// ```
///
/// Parameters: `left` `[source][component]`, then `right` `[component][lag][target]`. What a bin costs
/// does not grow with the number of spikes in it.
#[derive(Clone, Copy, Debug)]
pub struct LowRankCoupling<'a, T> {
    left: &'a [T],
    right: &'a [T],
    units: usize,
    lags: usize,
    rank: usize,
}

impl<'a, T: Real> LowRankCoupling<'a, T> {
    /// Couplings of `units * rank + rank * lags * units` parameters.
    ///
    /// # Errors
    /// [`SimError::Shape`] where the number of parameters differs.
    pub fn new(
        parameters: &'a [T],
        units: usize,
        lags: usize,
        rank: usize,
    ) -> Result<Self, SimError> {
        let expected = units * rank + rank * lags * units;
        let wrong = SimError::Shape {
            what: "low-rank couplings [source][component] and [component][lag][target]",
            expected,
            found: parameters.len(),
        };
        if parameters.len() != expected {
            return Err(wrong);
        }
        let (left, right) = parameters.split_at(units * rank);
        Ok(Self {
            left,
            right,
            units,
            lags,
            rank,
        })
    }

    #[inline(always)]
    fn block_len(&self) -> usize {
        self.lags * self.units
    }

    /// Some components: their factors of a source, and where their factors of targets lie.
    #[inline(always)]
    fn left(&self, source: usize, components: &Range<usize>) -> &'a [T] {
        &self.left[source * self.rank..][components.clone()]
    }

    #[inline(always)]
    fn right(&self, component: usize) -> &'a [T] {
        &self.right[component * self.block_len()..][..self.block_len()]
    }

    /// All components, a few at a time.
    #[inline(always)]
    fn parts(&self) -> impl Iterator<Item = Range<usize>> + use<T> {
        let rank = self.rank;
        (0..rank)
            .step_by(COMPONENTS)
            .map(move |from| from..rank.min(from + COMPONENTS))
    }

    /// `out[.] = sum_r left[source,r] q[r]` with `q[r] = sum_{d,j} right[r,d,j] adjoints[d,j]`.
    #[inline(always)]
    fn gather_into(
        &self,
        sources: impl Iterator<Item = usize> + Clone,
        adjoints: &[T],
        out: &mut [T],
    ) {
        out.fill(T::zero());
        for part in self.parts() {
            let mut felt = [T::zero(); COMPONENTS];
            for (felt, component) in felt.iter_mut().zip(part.clone()) {
                *felt = dot(self.right(component), adjoints);
            }
            for (out, source) in out.iter_mut().zip(sources.clone()) {
                for (&left, &felt) in self.left(source, &part).iter().zip(&felt) {
                    *out += left * felt;
                }
            }
        }
    }
}

impl<T: Real> Coupling<T> for LowRankCoupling<'_, T> {
    fn lags(&self) -> usize {
        self.lags
    }

    fn units(&self) -> usize {
        self.units
    }

    #[inline(always)]
    fn scatter(&self, source: usize, currents: &mut [T]) {
        self.scatter_all(&[source], currents);
    }

    #[inline(always)]
    fn scatter_all(&self, sources: &[usize], currents: &mut [T]) {
        if sources.is_empty() {
            return;
        }
        for part in self.parts() {
            let mut driven = [T::zero(); COMPONENTS];
            for &source in sources {
                for (driven, &left) in driven.iter_mut().zip(self.left(source, &part)) {
                    *driven += left;
                }
            }
            for (&driven, component) in driven.iter().zip(part) {
                add_scaled(currents, driven, self.right(component));
            }
        }
    }

    #[inline(always)]
    fn gather(&self, source: usize, adjoints: &[T]) -> T {
        let mut out = [T::zero()];
        self.gather_into(std::iter::once(source), adjoints, &mut out);
        out[0]
    }

    #[inline(always)]
    fn gather_some(&self, sources: &[usize], adjoints: &[T], out: &mut [T]) {
        if !sources.is_empty() {
            self.gather_into(sources.iter().copied(), adjoints, out);
        }
    }

    fn gather_block(
        &self,
        sources: Range<usize>,
        adjoints: MatrixRef<'_, T>,
        mut out: MatrixMut<'_, T>,
        _: &mut AlignedVec<T>,
    ) {
        dispatch(
            #[inline(always)]
            || {
                for trial in 0..adjoints.row_count() {
                    self.gather_into(sources.clone(), adjoints.row(trial), out.row_mut(trial));
                }
            },
        );
    }

    fn parameter_count(&self) -> usize {
        self.left.len() + self.right.len()
    }

    /// ```text
    /// q[k,s,r] = sum_{d,j} right[r,d,j] lambda[k,s+d,j]     y[k,s,r] = sum_i z[k,s,i] left[i,r]
    /// dleft[i,r]    += sum over the spikes (k, s) of i of q[k,s,r]
    /// dright[r,d,j] += sum_{k,s} y[k,s,r] lambda[k,s+d,j]
    /// ```
    ///
    /// Two matrix products per trial over the overlapping blocks of `lambda`. Trials in parallel for `q`
    /// and `y`, then sources and blocks of columns, each summed in the order of trials.
    fn add_gradient(
        &self,
        spikes: &SpikeIndex,
        lambda: &TrialArray<T>,
        ahead: usize,
        _buffers: &mut LaggedSums<T>,
        gradient: &mut [T],
    ) {
        let (rank, bins, block) = (self.rank, lambda.bins(), self.block_len());
        if rank == 0 || bins == 0 || block == 0 {
            return;
        }
        let (d_left, d_right) = gradient.split_at_mut(self.left.len());
        let per_trial: Vec<(Vec<T>, Vec<T>)> = spikes
            .trials()
            .par_iter()
            .enumerate()
            .map(|(k, of_trial)| {
                let mut felt = vec![T::zero(); bins * rank];
                matmul(
                    MatrixRef::rows(
                        &lambda.trial(k)[ahead * self.units..],
                        bins,
                        block,
                        self.units,
                    ),
                    MatrixRef::rows(self.right, rank, block, block).transposed(),
                    T::zero(),
                    MatrixMut::rows(&mut felt, bins, rank, rank),
                );
                let mut driven = vec![T::zero(); bins * rank];
                for source in 0..self.units {
                    for &s in of_trial.bins_of(source) {
                        let driven = &mut driven[s as usize * rank..][..rank];
                        add_assign(driven, self.left(source, &(0..rank)));
                    }
                }
                (felt, driven)
            })
            .collect();
        let mut per_source: Vec<&mut [T]> = d_left.chunks_exact_mut(rank).collect();
        spikes.for_each_source(&mut per_source, |k, _, bins, own| {
            for &s in bins {
                add_assign(own, &per_trial[k].0[s as usize * rank..][..rank]);
            }
        });
        // Blocks of columns `[block][component][column]`, to be taken apart afterwards.
        let mut columns = vec![T::zero(); rank * block];
        columns
            .par_chunks_mut(rank * COLUMNS)
            .enumerate()
            .for_each(|(at, columns)| {
                let (from, wide) = (at * COLUMNS, columns.len() / rank);
                for (k, (_, driven)) in per_trial.iter().enumerate() {
                    matmul(
                        MatrixRef::rows(driven, bins, rank, rank).transposed(),
                        MatrixRef::rows(
                            &lambda.trial(k)[self.units + from..],
                            bins,
                            wide,
                            self.units,
                        ),
                        T::one(),
                        MatrixMut::rows(columns, rank, wide, wide),
                    );
                }
            });
        for (at, columns) in columns.chunks(rank * COLUMNS).enumerate() {
            let wide = columns.len() / rank;
            for (component, columns) in columns.chunks_exact(wide).enumerate() {
                let from = component * block + at * COLUMNS;
                add_assign(&mut d_right[from..from + wide], columns);
            }
        }
    }
}
