//! Neuron models: how a current becomes a potential, a potential a spike probability, and what
//! stands in for the derivative of a spike. Each comes with its pullback, side by side.
//!
//! ```
//! use refire_neuron::{EscapeNoise, Logistic, Memoryless, SpikeGradient, UnitDynamics};
//!
//! // u = theta is the middle of the escape function: p = 1/2.
//! let dynamics = Memoryless::new(0.4f64);
//! let mut row = [0.4, 0.0];
//! dynamics.integrate(&mut row, None);
//! let p = Logistic.probability(row[0]);
//! assert_eq!(p, 0.5);
//! assert!(Logistic.probability(row[1]) < 0.27);
//! let slope = Logistic.slope(row[0], p);
//! let surprise = Logistic.surprise_slope(row[0], p, true);
//! assert_eq!(SpikeGradient::Escape.factor(row[0], slope, surprise), 0.25);
//! ```
//!
//! Layer 1: uses `refire-kernels`. Source: Bellec, Wang et al., NeurIPS 2021 (arXiv 2106.10064).
//!
//! A new escape noise or dynamics is one new file that implements [`EscapeNoise`] or
//! [`UnitDynamics`]; engine and losses are generic over both.

mod dynamics;
mod escape;
mod gradient;

pub use dynamics::{Memoryless, Past, UnitDynamics};
pub use escape::{EscapeNoise, Logistic};
pub use gradient::SpikeGradient;
