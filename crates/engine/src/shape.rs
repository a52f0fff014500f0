//! What a network has besides its tensors.

use crate::{EngineError, Wiring};
use refire_kernels::Real;
use refire_neuron::{Logistic, Memoryless};
use refire_sim::{AnyCoupling, Network, SameBin, UnitOrder};

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
    /// Which same-bin couplings there are ([`Wiring::same_bin`]), if any.
    pub same_bin: Option<Wiring>,
    /// Threshold of the units, current.
    pub theta: f64,
}

/// Tensors that a network borrows.
#[derive(Clone, Copy, Debug)]
pub struct NetworkTensors<'a, T> {
    /// As [`crate::Parameters::couplings`].
    pub couplings: &'a [T],
    /// As [`crate::Parameters::same_bin`].
    pub same_bin: &'a [T],
    /// As [`crate::Parameters::bias`].
    pub bias: &'a [T],
}

impl NetworkShape {
    /// Observed and hidden units.
    pub fn units(&self) -> usize {
        self.observed + self.hidden
    }

    /// The order in which the units of a bin are drawn where there are same-bin couplings.
    pub fn order(&self) -> UnitOrder {
        UnitOrder {
            observed: self.observed,
            live: self.units(),
        }
    }

    /// Number of same-bin couplings `[source][target]`, those that are 0 by the order among them; of sparse ones, of
    /// their synapses; `None` where that is more than can be counted.
    pub fn same_bin_parameters(&self) -> Option<usize> {
        let wiring = self.same_bin.as_ref();
        wiring.map_or(Some(0), |wiring| wiring.parameters(self.units(), 1))
    }

    /// Borrows tensors with rows of `units`, of which some may only fill up rows.
    ///
    /// # Errors
    /// As [`Wiring::coupling`], and [`EngineError::Sim`] where same-bin couplings act against the order.
    pub fn network<'a, T: Real>(
        &'a self,
        units: usize,
        tensors: NetworkTensors<'a, T>,
    ) -> Result<FittedNetwork<'a, T>, EngineError> {
        let NetworkTensors {
            couplings,
            same_bin,
            bias,
        } = tensors;
        let same_bin = match &self.same_bin {
            None => None,
            Some(wiring) => {
                let coupling = wiring.coupling(same_bin, units, 1)?;
                Some(SameBin::new(coupling, self.order())?)
            }
        };
        Ok(Network {
            coupling: self.wiring.coupling(couplings, units, self.lags)?,
            same_bin,
            escape: Logistic,
            dynamics: Memoryless::new(T::new(self.theta)),
            bias,
            observed: self.observed,
            live: self.units(),
        })
    }
}
