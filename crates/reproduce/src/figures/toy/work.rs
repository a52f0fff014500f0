//! The work items of the figure.

use anyhow::Result;
use refire_synth::{TOY_TRIALS, toy_three_populations};

use super::{Found, Item, Method, Toy, draw};
use crate::Plan;
use crate::connectivity::Recovery;
use crate::figure::{Drawing, Figure};
use crate::fits::fit;
use crate::recordings::recorded;

impl Figure for Toy {
    type Item = Item;
    type Found = Found;

    fn name(&self) -> &'static str {
        "toy"
    }

    fn items(&self, plan: &Plan) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for method in Method::ALL {
            items.extend(plan.seeds(3, 12, 30).into_iter().map(|seed| Item {
                method,
                trials: TOY_TRIALS,
                seed,
                spec: method.spec(plan, seed),
            }));
        }
        Ok(items)
    }

    fn label(&self, item: &Item) -> String {
        format!("{}, seed {}", item.method.name(), item.seed)
    }

    fn seconds(&self, item: &Item) -> f64 {
        match item.method {
            Method::Oracle | Method::Mle => 0.5,
            _ => 0.012 * item.spec.iterations() as f64,
        }
    }

    fn measure(&self, item: &Item) -> Result<Found> {
        let truth = toy_three_populations(item.seed)?;
        let all = item.method == Method::Oracle;
        let recording = recorded(&truth, all, item.trials, item.seed)?;
        let model = fit(&recording, &item.spec)?;
        let seen = Recovery::new(&model.summed_couplings(truth.observed)?, &truth);
        let all = match model.units() == truth.units() {
            true => Some(Recovery::new(
                &model.summed_couplings(truth.units())?,
                &truth,
            )),
            false => None,
        };
        Ok(Found { seen, all })
    }

    fn draw(&self, plan: &Plan, found: &[(Item, Found)]) -> Drawing {
        draw::drawing(plan, found)
    }
}
