//! The work items of the figure.

use anyhow::Result;
use refire_verify::studies::{FitErrors, fit_errors};

use super::{Consistency, Item, UNITS, draw};
use crate::Plan;
use crate::figure::{Drawing, Figure};

impl Figure for Consistency {
    type Item = Item;
    type Found = FitErrors;

    fn name(&self) -> &'static str {
        "consistency"
    }

    fn items(&self, plan: &Plan) -> Result<Vec<Item>> {
        let sizes: &[usize] = plan.pick(
            &[40, 160],
            &[60, 190, 600, 1900],
            &[60, 190, 600, 1900, 6000],
        );
        let mut items = Vec::new();
        for &trials in sizes {
            let of = |seed| Item {
                units: UNITS,
                trials,
                seed,
            };
            items.extend(plan.seeds(3, 10, 30).into_iter().map(of));
        }
        Ok(items)
    }

    fn label(&self, item: &Item) -> String {
        format!("{} trials, seed {}", item.trials, item.seed)
    }

    fn seconds(&self, item: &Item) -> f64 {
        0.025 * item.trials as f64
    }

    fn measure(&self, item: &Item) -> Result<FitErrors> {
        fit_errors(item.units, item.trials, item.seed)
    }

    fn draw(&self, plan: &Plan, found: &[(Item, FitErrors)]) -> Drawing {
        draw::drawing(plan, found)
    }
}
