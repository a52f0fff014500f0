//! The gradient a reverse sweep adds to.

use refire_core::TrialArray;
use refire_kernels::Real;
use refire_sim::{Coupling, Network};

/// Gradient of a loss with respect to what the engine knows.
#[derive(Clone, Debug, Default)]
pub struct Gradient<T> {
    /// Couplings, `[source][parameter]`; for dense couplings `[source][lag][target]`.
    pub couplings: Vec<T>,
    /// Bias, `[unit]`.
    pub bias: Vec<T>,
    /// Drive, `[condition][bin][unit]`, for the encoder to pull back to its own parameters.
    pub drive: TrialArray<T>,
}

impl<T: Real> Gradient<T> {
    /// A zero gradient for a network driven in `conditions` conditions of `bins` bins.
    pub fn zeros<C: Coupling<T>, E, U>(
        network: &Network<'_, T, C, E, U>,
        conditions: usize,
        bins: usize,
    ) -> Self {
        let units = network.coupling.units();
        let parameters = (0..units).map(|i| network.coupling.parameters(i)).sum();
        Self {
            couplings: vec![T::zero(); parameters],
            bias: vec![T::zero(); units],
            drive: TrialArray::zeros(conditions, bins, 0, units),
        }
    }

    /// Sets everything to zero.
    pub fn clear(&mut self) {
        self.couplings.fill(T::zero());
        self.bias.fill(T::zero());
        self.drive.clear();
    }
}
