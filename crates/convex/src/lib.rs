#![doc = include_str!("../README.md")]

mod cholesky;
mod curvature;
mod hessian;
mod lbfgs;
mod objective;
#[cfg(test)]
mod optimum_tests;
mod precondition;
mod ridge;
mod rows;
mod separable;
mod size;
mod solve;
#[cfg(test)]
mod testing;

pub use curvature::{Curvature, Tensors};
pub use ridge::{
    DriveRidge, RidgeChoice, RidgeFit, RidgePoint, choose_coupling_ridge, choose_ridge, try_ridge,
};
pub use size::ConvexSize;
pub use solve::{Solution, Solver, Status, UnitFit, solve};

use refire_core::{TrialArray, TrialLayout};
use refire_drive::Encoder;

/// Why a problem cannot be solved.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum ConvexError {
    /// A buffer does not have the shape the recording asks for.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// Name of the quantity, e.g. `bins of the drive`.
        what: &'static str,
        /// Size expected, or the least allowed.
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
        /// Name of the quantity, e.g. `bins of the drive`.
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
    /// Whether each unit also acts on those behind it in the same bin, in the order of their indices: the likelihood of
    /// a bin is then the product over units of `P(z_j | past, z_i of all i < j)`, and as convex.
    pub same_bin: bool,
    /// Threshold of the units, current: `v = (u - theta) / theta`.
    pub theta: f64,
}

impl<T> Clone for Problem<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Problem<'_, T> {}

impl<T> Problem<'_, T> {
    /// Lags of all couplings together: that of the same bin is the first, where there is one.
    pub(crate) fn all_lags(&self) -> usize {
        self.lags + usize::from(self.same_bin)
    }

    /// Bins from a spike to the first lag.
    pub(crate) fn ahead(&self) -> usize {
        usize::from(!self.same_bin)
    }
}

/// Precision of priors on the coefficients, in units of the potential: the objective of a unit is its negative
/// log-likelihood over all scored bins, in nats, plus `ridge/2 sum w^2`, or with [`Self::tails`] what a Student's t prior
/// adds for couplings. The intercept has none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ridge {
    /// Precision of the prior on couplings `W / theta`: 1 over its variance.
    pub couplings: f64,
    /// Precision of the prior on same-bin couplings `S / theta`: 1 over its variance.
    pub same_bin: f64,
    /// Precision of the prior on drive weights `x / theta`: 1 over its variance.
    pub drive: f64,
    /// Degrees of freedom `nu` of the prior of couplings, same-bin ones too, where it is Student's t of scale
    /// `1 / sqrt(ridge)`: `(nu + 1)/2 ln(1 + ridge w^2 / nu)`. It holds small couplings as a Gaussian does and hardly
    /// holds large ones. The objective is no longer convex then: what is found is the optimum next to the start. `None` is a Gaussian.
    pub tails: Option<f64>,
}

impl Ridge {
    /// No penalty.
    pub const NONE: Self = Self {
        couplings: 0.0,
        same_bin: 0.0,
        drive: 0.0,
        tails: None,
    };
}

/// When a unit counts as solved.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Euclidean norm of a unit's gradient divided by its scored bins.
    pub gradient_norm: f64,
    /// Most L-BFGS steps of a unit.
    pub iterations: usize,
}

impl Limits {
    /// Far below what tells two ridges apart by what they predict, in a tenth of the time.
    pub const ROUGH: Self = Self {
        gradient_norm: 1e-4,
        iterations: 500,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            gradient_norm: 1e-6,
            iterations: 500,
        }
    }
}
