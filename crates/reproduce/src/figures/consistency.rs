//! Figure 3: error against the truth over the number of trials, for both objectives (claim 3).

use refire_verify::studies::{FitErrors, fit_errors};
use serde::{Deserialize, Serialize};

use crate::figure::{Drawing, Figure};
use crate::{Plan, ReproduceError};

mod draw;

pub(crate) struct Consistency;

/// Both fits of one recording of a fully observed network.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Unit {
    units: usize,
    trials: usize,
    seed: u64,
}

/// Units of each network.
const UNITS: usize = 4;

impl Figure for Consistency {
    type Unit = Unit;
    type Found = FitErrors;

    fn name(&self) -> &'static str {
        "consistency"
    }

    fn units(&self, plan: &Plan) -> Result<Vec<Unit>, ReproduceError> {
        let sizes: &[usize] = plan.pick(
            &[40, 160],
            &[60, 190, 600, 1900],
            &[60, 190, 600, 1900, 6000],
        );
        let mut units = Vec::new();
        for &trials in sizes {
            let of = |seed| Unit {
                units: UNITS,
                trials,
                seed,
            };
            units.extend(plan.seeds(3, 10, 30).into_iter().map(of));
        }
        Ok(units)
    }

    fn label(&self, unit: &Unit) -> String {
        format!("{} trials, seed {}", unit.trials, unit.seed)
    }

    fn seconds(&self, unit: &Unit) -> f64 {
        0.025 * unit.trials as f64
    }

    fn measure(&self, unit: &Unit) -> Result<FitErrors, ReproduceError> {
        Ok(fit_errors(unit.units, unit.trials, unit.seed)?)
    }

    fn draw(&self, plan: &Plan, found: &[(Unit, FitErrors)]) -> Drawing {
        draw::drawing(plan, found)
    }
}
