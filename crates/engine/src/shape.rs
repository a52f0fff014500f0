//! What a network has besides its tensors.

use crate::{EngineError, Wiring};
use refire_kernels::Real;
use refire_neuron::{Logistic, Memoryless};
use refire_sim::{AnyCoupling, Network};

/// The network that is fitted: couplings of some kind, logistic escape noise, memoryless units.
pub type FittedNetwork<'a, T> = Network<'a, T, AnyCoupling<'a, T>, Logistic, Memoryless<T>>;

/// What a network has besides its tensors.
#[derive(Clone, Debug)]
pub struct NetworkShape {
    /// Observed units, which come first.
    pub observed: usize,
    /// Hidden units.
    pub hidden: usize,
    /// Lags of the couplings, bins.
    pub lags: usize,
    /// Which couplings there are.
    pub wiring: Wiring,
    /// Threshold of the units, current.
    pub theta: f64,
}

impl NetworkShape {
    /// Observed and hidden units.
    pub fn units(&self) -> usize {
        self.observed + self.hidden
    }

    /// Borrows tensors with rows of `units`, of which some may only fill up rows.
    ///
    /// # Errors
    /// As [`Wiring::coupling`].
    pub fn network<'a, T: Real>(
        &'a self,
        units: usize,
        couplings: &'a [T],
        bias: &'a [T],
    ) -> Result<FittedNetwork<'a, T>, EngineError> {
        Ok(Network {
            coupling: self.wiring.coupling(couplings, units, self.lags)?,
            escape: Logistic,
            dynamics: Memoryless::new(T::new(self.theta)),
            bias,
            observed: self.observed,
            live: self.units(),
        })
    }
}
