//! The work items of the figure.

use anyhow::Result;
use refire_verify::studies::estimator_errors;

use super::{BIASES, Case, Estimators, Item, STRENGTHS, draw};
use crate::Plan;
use crate::figure::{Drawing, Figure};

impl Figure for Estimators {
    type Item = Item;
    type Found = Vec<Case>;

    fn name(&self) -> &'static str {
        "estimators"
    }

    fn items(&self, plan: &Plan) -> Result<Vec<Item>> {
        let of = |seed| Item {
            strengths: &STRENGTHS,
            biases: &BIASES,
            seed,
        };
        Ok(plan.seeds(6, 24, 60).into_iter().map(of).collect())
    }

    fn label(&self, item: &Item) -> String {
        format!("network {}", item.seed)
    }

    fn seconds(&self, _item: &Item) -> f64 {
        3.0
    }

    fn measure(&self, item: &Item) -> Result<Vec<Case>> {
        let mut cases = Vec::new();
        for through_spikes in [false, true] {
            for &bias in item.biases {
                for &strength in item.strengths {
                    cases.push(Case {
                        through_spikes,
                        bias,
                        strength,
                        errors: estimator_errors(strength, bias, through_spikes, item.seed)?,
                    });
                }
            }
        }
        Ok(cases)
    }

    fn draw(&self, plan: &Plan, found: &[(Item, Vec<Case>)]) -> Drawing {
        draw::drawing(plan, found)
    }
}
