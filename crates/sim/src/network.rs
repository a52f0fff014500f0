//! A network: couplings, units and biases, borrowed.

use crate::SameBin;
use refire_kernels::Real;
use refire_neuron::{Logistic, Memoryless};

/// Threshold of the units unless said otherwise, current (published: 0.4).
pub const THRESHOLD: f64 = 0.4;

/// A network: parameters borrowed, nothing owned. Observed units come first.
///
/// ```
/// use refire_sim::{DenseCoupling, Network};
///
/// let weights = [0.0f32, 2.0, 0.0, 0.0]; // [source][lag][target], current per spike
/// let network = Network::new(DenseCoupling::new(&weights, 2, 1)?, &[0.0, -1.0]).with_observed(1);
/// assert_eq!((network.observed, network.live), (1, 2));
/// # Ok::<(), refire_sim::SimError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Network<'a, T, C, E, U> {
    /// Couplings: the current that a spike of a unit adds to each unit in each of the next `lags` bins.
    pub coupling: C,
    /// What it adds to the units behind it in its own bin, where there are such couplings.
    pub same_bin: Option<SameBin<'a, T>>,
    /// From the potential to the probability of a spike per bin.
    pub escape: E,
    /// From the current `u` to the potential `v`, dimensionless.
    pub dynamics: U,
    /// Bias `[unit]`, current.
    pub bias: &'a [T],
    /// Number of observed units.
    pub observed: usize,
    /// Number of units, observed and hidden. Where the coupling has more, the rest only fill up rows
    /// to whole SIMD registers: they never fire and have no adjoint.
    pub live: usize,
}

impl<'a, T: Real, C> Network<'a, T, C, Logistic, Memoryless<T>> {
    /// Memoryless units of the published threshold with logistic escape noise, all of them observed, one per
    /// `bias` (current).
    pub fn new(coupling: C, bias: &'a [T]) -> Self {
        Self {
            coupling,
            same_bin: None,
            escape: Logistic,
            dynamics: Memoryless::new(T::new(THRESHOLD)),
            bias,
            observed: bias.len(),
            live: bias.len(),
        }
    }
}

impl<'a, T, C, E, U> Network<'a, T, C, E, U> {
    /// The network with the first `observed` units observed, the others hidden.
    pub fn with_observed(self, observed: usize) -> Self {
        Self { observed, ..self }
    }

    /// The network in which units from `live` on only fill up rows.
    pub fn with_live(self, live: usize) -> Self {
        Self { live, ..self }
    }

    /// The network with same-bin couplings, in the order of its own observed and live units.
    pub fn with_same_bin(self, same_bin: SameBin<'a, T>) -> Self {
        Self {
            same_bin: Some(same_bin),
            ..self
        }
    }

    /// The network with another escape noise.
    pub fn with_escape<F>(self, escape: F) -> Network<'a, T, C, F, U> {
        Network {
            coupling: self.coupling,
            same_bin: self.same_bin,
            escape,
            dynamics: self.dynamics,
            bias: self.bias,
            observed: self.observed,
            live: self.live,
        }
    }

    /// The network with other unit dynamics.
    pub fn with_dynamics<V>(self, dynamics: V) -> Network<'a, T, C, E, V> {
        Network {
            coupling: self.coupling,
            same_bin: self.same_bin,
            escape: self.escape,
            dynamics,
            bias: self.bias,
            observed: self.observed,
            live: self.live,
        }
    }
}
