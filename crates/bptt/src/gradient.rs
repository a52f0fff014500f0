//! The gradient a reverse sweep adds to.

use rayon::prelude::*;
use refire_core::{AlignedVec, TrialArray, aligned_vec};
use refire_kernels::{Real, add_assign, dispatch};
use refire_sim::{Coupling, LaggedSums, Network};

/// Numbers of one parallel task of [`Gradient::add`].
const BLOCK: usize = 1 << 14;

/// Gradient of a loss with respect to what the engine knows.
#[derive(Clone, Debug)]
pub struct Gradient<T> {
    /// `dL/dW`, in the order of the parameters of the couplings; for dense ones `[source][lag][target]`.
    pub couplings: AlignedVec<T>,
    /// `dL/dS`, in the order of the parameters of the same-bin couplings, dense ones `[source][target]`; empty without.
    pub same_bin: AlignedVec<T>,
    /// `dL/db`, `[unit]`, per unit of current.
    pub bias: Vec<T>,
    /// `dL/dx`, `[condition][bin][unit]`, per unit of current, for the encoder to pull back.
    pub drive: TrialArray<T>,
    pub(crate) buffers: LaggedSums<T>,
}

impl<T> Default for Gradient<T> {
    fn default() -> Self {
        Self {
            couplings: aligned_vec(),
            same_bin: aligned_vec(),
            bias: Vec::new(),
            drive: TrialArray::default(),
            buffers: LaggedSums::default(),
        }
    }
}

impl<T: Real> Gradient<T> {
    /// A zero gradient for a network driven in `conditions` conditions of `bins` bins.
    pub fn zeros<C: Coupling<T>, E, U>(
        network: &Network<'_, T, C, E, U>,
        conditions: usize,
        bins: usize,
    ) -> Self {
        let mut gradient = Self::default();
        gradient.reset(network, conditions, bins);
        gradient
    }

    /// Takes the shape of [`Self::zeros`], all zero, keeping allocations.
    pub fn reset<C: Coupling<T>, E, U>(
        &mut self,
        network: &Network<'_, T, C, E, U>,
        conditions: usize,
        bins: usize,
    ) {
        let units = network.coupling.units();
        self.couplings.clear();
        let parameters = network.coupling.parameter_count();
        self.couplings.resize(parameters, T::zero());
        self.same_bin.clear();
        let parameters = (network.same_bin).map_or(0, |same_bin| same_bin.parameter_count());
        self.same_bin.resize(parameters, T::zero());
        self.bias.clear();
        self.bias.resize(units, T::zero());
        self.drive.reset(conditions, bins, 0, units);
    }

    /// Adds a gradient of the same shape.
    pub fn add(&mut self, other: &Self) {
        let pairs = [
            (&mut self.couplings[..], &other.couplings[..]),
            (&mut self.same_bin[..], &other.same_bin[..]),
            (&mut self.bias, &other.bias),
            (self.drive.as_mut_slice(), other.drive.as_slice()),
        ];
        for (own, other) in pairs {
            let blocks = own.par_chunks_mut(BLOCK).zip(other.par_chunks(BLOCK));
            blocks.for_each(|(own, other)| dispatch(|| add_assign(own, other)));
        }
    }
}
