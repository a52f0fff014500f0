//! Experiments of the suite as functions of a seed, for figures with intervals over seeds.

pub use crate::claims::consistency::FitErrors;
use crate::claims::consistency::{BINS, network, replicate};
use crate::claims::gradients::{ESTIMATORS, Part, figures_of, two_units};
use anyhow::Result;
use serde::{Deserialize, Serialize};

/// Bins of a trial of [`fit_errors`].
pub const CONSISTENCY_BINS: usize = BINS;

/// Draws a fully observed random network of two lags from the seed, simulates trials of
/// [`CONSISTENCY_BINS`] bins and fits them by both objectives (claim 3 of the method).
///
/// # Errors
/// Where the likelihood has no optimum (few trials) or a fit fails.
pub fn fit_errors(units: usize, trials: usize, seed: u64) -> Result<FitErrors> {
    replicate(&network(units, seed), trials, seed, 0)
}

/// Bias and noise of one estimator of the gradient on one network, relative to the norm of the exact
/// gradient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EstimatorErrors {
    /// Its name.
    pub estimator: String,
    /// Norm of the bias.
    pub bias: f64,
    /// Standard deviation of one trial.
    pub sd: f64,
}

/// Every spike gradient on all 1024 spike paths of a random network of two units over five bins: nothing is
/// sampled but the network. Couplings have standard deviation `strength`, biases are `bias`, both in units
/// of the potential; `through_spikes` looks at parameters that act only through spikes.
///
/// # Errors
/// Where the oracle has no answer.
pub fn estimator_errors(
    strength: f64,
    bias: f64,
    through_spikes: bool,
    seed: u64,
) -> Result<Vec<EstimatorErrors>> {
    let network = two_units(strength, bias, seed);
    let part = if through_spikes {
        Part::ThroughSpikes
    } else {
        Part::Whole
    };
    let named = ESTIMATORS.iter().zip(figures_of(&network, part)?);
    Ok(named
        .map(|((name, _), found)| EstimatorErrors {
            estimator: (*name).to_string(),
            bias: found.relative_bias,
            sd: found.relative_sd,
        })
        .collect())
}
