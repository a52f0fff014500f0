//! Figure 6: bias and noise of the spike gradients, nothing sampled but the networks.

use refire_verify::studies::{EstimatorErrors, estimator_errors};
use serde::{Deserialize, Serialize};

use crate::figure::{Drawing, Figure};
use crate::{Plan, ReproduceError};

mod draw;

pub(crate) struct Estimators;

/// All estimators on one random network, of several strengths and rates.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Unit {
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

impl Figure for Estimators {
    type Unit = Unit;
    type Found = Vec<Case>;

    fn name(&self) -> &'static str {
        "estimators"
    }

    fn units(&self, plan: &Plan) -> Result<Vec<Unit>, ReproduceError> {
        let of = |seed| Unit {
            strengths: &STRENGTHS,
            biases: &BIASES,
            seed,
        };
        Ok(plan.seeds(6, 24, 60).into_iter().map(of).collect())
    }

    fn label(&self, unit: &Unit) -> String {
        format!("network {}", unit.seed)
    }

    fn seconds(&self, _unit: &Unit) -> f64 {
        3.0
    }

    fn measure(&self, unit: &Unit) -> Result<Vec<Case>, ReproduceError> {
        let mut cases = Vec::new();
        for through_spikes in [false, true] {
            for &bias in unit.biases {
                for &strength in unit.strengths {
                    cases.push(Case {
                        through_spikes,
                        bias,
                        strength,
                        errors: estimator_errors(strength, bias, through_spikes, unit.seed)?,
                    });
                }
            }
        }
        Ok(cases)
    }

    fn draw(&self, plan: &Plan, found: &[(Unit, Vec<Case>)]) -> Drawing {
        draw::drawing(plan, found)
    }
}
