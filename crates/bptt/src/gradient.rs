//! The gradient a reverse sweep adds to.

use refire_core::{AlignedVec, TrialArray, aligned_vec};
use refire_kernels::Real;
use refire_sim::{Coupling, Network};

/// Gradient of a loss with respect to what the engine knows.
#[derive(Clone, Debug)]
pub struct Gradient<T> {
    /// Couplings, `[source][parameter]`; for dense couplings `[source][lag][target]`.
    pub couplings: AlignedVec<T>,
    /// Bias, `[unit]`.
    pub bias: Vec<T>,
    /// Drive, `[condition][bin][unit]`, for the encoder to pull back to its own parameters.
    pub drive: TrialArray<T>,
}

impl<T> Default for Gradient<T> {
    fn default() -> Self {
        Self {
            couplings: aligned_vec(),
            bias: Vec::new(),
            drive: TrialArray::default(),
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
        let parameters = (0..units).map(|i| network.coupling.parameters(i)).sum();
        self.couplings.clear();
        self.couplings.resize(parameters, T::zero());
        self.bias.clear();
        self.bias.resize(units, T::zero());
        self.drive.reset(conditions, bins, 0, units);
    }
}
