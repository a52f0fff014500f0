//! Figure 6: bias and noise of the spike gradients, nothing sampled but the networks.

use refire_verify::studies::EstimatorErrors;
use serde::{Deserialize, Serialize};

mod draw;
mod work;

pub(crate) struct Estimators;

/// All estimators on one random network, of several strengths and rates.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Item {
    strengths: &'static [f64],
    biases: &'static [f64],
    seed: u64,
}

/// What was found at one strength and rate.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Case {
    /// Whether only parameters that act through spikes are looked at.
    through_spikes: bool,
    /// Units of the potential.
    bias: f64,
    /// Standard deviation of the couplings, units of the potential.
    strength: f64,
    errors: Vec<EstimatorErrors>,
}

/// Coupling strengths.
const STRENGTHS: [f64; 6] = [0.1, 0.3, 0.6, 1.0, 2.0, 3.0];

/// Biases: without input 0.27, 0.12 and 0.03 spikes per bin.
const BIASES: [f64; 3] = [-1.0, -2.0, -3.5];
