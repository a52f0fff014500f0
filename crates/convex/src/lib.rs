//! Maximum likelihood of a fully observed network.
//!
//! Without hidden units a clamped pass has no sampling in it: the likelihood is convex in couplings, drive
//! weights and biases and separates by target unit. [`solve`] takes every unit to its optimum, all of them in
//! one pass over the spikes: L-BFGS (Nocedal, Math. Comp. 35:773, 1980) on all columns at once, each with its
//! own steps and end, behind a preconditioner they share, since they share their design. Units for which that
//! is a poor guess get their own Hessian, counted from pairs of spikes and factored. [`choose_ridge`] picks the
//! strength of the penalty on validation trials.
//!
//! ```
//! use refire_convex::{Limits, Problem, Ridge, Status, solve};
//! use refire_core::{TrialArray, TrialLayout};
//! use refire_drive::NoDrive;
//!
//! // Unit 1 mostly fires one bin after unit 0.
//! let spikes: Vec<u8> = vec![1, 0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0];
//! let spikes = TrialArray::from_vec(spikes, 1, 10, 2).unwrap();
//! let layout = TrialLayout::uniform(1, 10, 0)?;
//! let encoder = NoDrive::new(1, 10, 2);
//! let problem: Problem<f64> = Problem { spikes: &spikes, layout: &layout, encoder: &encoder, lags: 1, theta: 0.4 };
//! let ridge = Ridge { couplings: 1.0, drive: 1.0 };
//! let solution = solve(problem, ridge, Limits::default(), None)?;
//! assert!(solution.couplings[1] > 0.0); // [source 0][lag 1][target 1]
//! assert_eq!(solution.units[1].status, Status::Converged);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Layer 3: uses `refire-core`, `refire-drive`, `refire-kernels`, `refire-sim`.

mod cholesky;
mod hessian;
mod lbfgs;
mod objective;
mod precondition;
mod ridge;
mod rows;
mod separable;
mod solve;
#[cfg(test)]
mod testing;

pub use ridge::{RidgeChoice, RidgePoint, choose_ridge};
pub use solve::{Solution, Status, UnitFit, solve};

use refire_core::{TrialArray, TrialLayout};
use refire_drive::Encoder;

/// Why a problem cannot be solved.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum ConvexError {
    /// A buffer does not have the shape the recording asks for.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// The quantity.
        what: &'static str,
        /// Its expected size.
        expected: usize,
        /// The size found.
        found: usize,
    },
    /// A drive that makes the likelihood one of many optima.
    #[error("drive: expected one that is linear in its weights, found one that is not")]
    NotLinear,
    /// A penalty or tolerance out of range.
    #[error("{what}: expected {expected}, found {found}")]
    Range {
        /// The quantity.
        what: &'static str,
        /// What is allowed.
        expected: &'static str,
        /// The value found.
        found: f64,
    },
}

/// Recorded trials and what drives them.
pub struct Problem<'a, T> {
    /// Spikes `[trial][bin][unit]`, 0 or 1.
    pub spikes: &'a TrialArray<u8>,
    /// Conditions, lengths and history of the trials.
    pub layout: &'a TrialLayout,
    /// The drive, of as many units, linear in its weights, which are `[weight][unit]`.
    pub encoder: &'a dyn Encoder<T>,
    /// Lags of the couplings, bins.
    pub lags: usize,
    /// Threshold of the units: `v = (u - theta) / theta`.
    pub theta: f64,
}

impl<T> Clone for Problem<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Problem<'_, T> {}

/// Precision of Gaussian priors on the coefficients, in units of the potential: the objective of a unit is
/// its negative log-likelihood over all scored bins, in nats, plus `ridge/2 sum w^2`. The intercept has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ridge {
    /// Of couplings `W / theta`.
    pub couplings: f64,
    /// Of drive weights `x / theta`.
    pub drive: f64,
}

impl Ridge {
    /// No penalty.
    pub const NONE: Self = Self {
        couplings: 0.0,
        drive: 0.0,
    };
}

/// When a unit counts as solved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Euclidean norm of a unit's gradient divided by its scored bins.
    pub gradient_norm: f64,
    /// Most steps.
    pub iterations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            gradient_norm: 1e-6,
            iterations: 500,
        }
    }
}
