//! Couplings of a kind chosen at run time.

use super::{Coupling, DenseCoupling, LowRankCoupling, SparseCoupling};
use crate::LaggedSums;
use refire_core::{AlignedVec, SpikeIndex, TrialArray};
use refire_kernels::{MatrixMut, MatrixRef, Real};
use std::ops::Range;

/// One of the kinds of couplings; chosen once per bin of a pass, not per spike.
#[derive(Clone, Copy, Debug)]
pub enum AnyCoupling<'a, T> {
    /// Free weights between all units, `[source][lag][target]`, current per spike.
    Dense(DenseCoupling<'a, T>),
    /// Free weights along given synapses, `[source][lag][synapse of the source]`, current per spike.
    Sparse(SparseCoupling<'a, T>),
    /// Sums over a few components of `[source][component]` times `[component][lag][target]`.
    LowRank(LowRankCoupling<'a, T>),
}

macro_rules! delegate {
    ($any:expr, $one:ident => $call:expr) => {
        match $any {
            AnyCoupling::Dense($one) => $call,
            AnyCoupling::Sparse($one) => $call,
            AnyCoupling::LowRank($one) => $call,
        }
    };
}

impl<T: Real> Coupling<T> for AnyCoupling<'_, T> {
    #[inline(always)]
    fn lags(&self) -> usize {
        delegate!(self, one => one.lags())
    }

    #[inline(always)]
    fn units(&self) -> usize {
        delegate!(self, one => one.units())
    }

    #[inline(always)]
    fn scatter(&self, source: usize, currents: &mut [T]) {
        delegate!(self, one => one.scatter(source, currents));
    }

    #[inline(always)]
    fn scatter_all(&self, sources: &[usize], currents: &mut [T]) {
        delegate!(self, one => one.scatter_all(sources, currents));
    }

    #[inline(always)]
    fn gather(&self, source: usize, adjoints: &[T]) -> T {
        delegate!(self, one => one.gather(source, adjoints))
    }

    #[inline(always)]
    fn gather_some(&self, sources: &[usize], adjoints: &[T], out: &mut [T]) {
        delegate!(self, one => one.gather_some(sources, adjoints, out));
    }

    #[inline(always)]
    fn gather_block(
        &self,
        sources: Range<usize>,
        adjoints: MatrixRef<'_, T>,
        out: MatrixMut<'_, T>,
        scratch: &mut AlignedVec<T>,
    ) {
        delegate!(self, one => one.gather_block(sources, adjoints, out, scratch));
    }

    fn parameter_count(&self) -> usize {
        delegate!(self, one => one.parameter_count())
    }

    fn add_gradient(
        &self,
        spikes: &SpikeIndex,
        lambda: &TrialArray<T>,
        ahead: usize,
        buffers: &mut LaggedSums<T>,
        gradient: &mut [T],
    ) {
        delegate!(self, one => one.add_gradient(spikes, lambda, ahead, buffers, gradient));
    }
}
