//! The work items of the figure.

use anyhow::Result;
use refire_fit::{
    Model, Objective, Optimiser, Ridge, Signs, Specification, Trainer, start_as_copies,
};
use refire_recording::Recording;
use refire_synth::{GroundTruth, StructuredSettings};

use super::{Found, Hidden, Item, LARGE, Method, RIDGE_OF_COPIES, SWEEP, draw, spec, with_kinds};
use crate::Plan;
use crate::connectivity::Recovery;
use crate::figure::{Drawing, Figure};
use crate::fits::{finish, fit};
use crate::recordings::recorded;

impl Figure for Hidden {
    type Item = Item;
    type Found = Found;

    fn name(&self) -> &'static str {
        "hidden"
    }

    fn items(&self, plan: &Plan) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        let mut push = |method, (n, observed): (usize, usize), trials, iterations, seed, swept| {
            items.push(Item {
                method,
                units: n,
                observed,
                trials,
                seed,
                swept,
                spec: spec(method, n - observed, iterations, seed),
            });
        };
        let large = plan.pick((50, 11), LARGE, LARGE);
        let trials = plan.pick(100, 1000, 2000);
        let iterations = plan.pick(60, 400, 2000);
        for seed in plan.seeds(2, 6, 12) {
            for method in Method::ALL {
                push(method, large, trials, iterations, seed, false);
            }
        }
        let units = plan.pick(50, SWEEP[0], SWEEP[0]);
        let sweep: &[usize] = plan.pick(&[50, 10], &SWEEP, &SWEEP);
        let iterations = plan.pick(60, 400, 2000);
        for seed in plan.seeds(2, 5, 12) {
            for &observed in sweep {
                for method in [Method::Mle, Method::MleSigns, Method::Corrected] {
                    push(method, (units, observed), trials, iterations, seed, true);
                }
            }
        }
        Ok(items)
    }

    fn label(&self, item: &Item) -> String {
        let (method, observed) = (item.method.name(), item.observed);
        format!(
            "{method}, {observed} of {} units, seed {}",
            item.units, item.seed
        )
    }

    fn seconds(&self, item: &Item) -> f64 {
        let size = (item.units as f64 / 500.0).powi(2);
        match item.method {
            Method::Oracle => 30.0 * size,
            Method::Mle => 5.0 * size,
            Method::MleSigns => 0.05 * item.spec.iterations() as f64,
            _ => (0.27 * size + 0.01) * item.spec.iterations() as f64,
        }
    }

    fn measure(&self, item: &Item) -> Result<Found> {
        let network = StructuredSettings::assemblies(item.units, item.observed, item.seed);
        let truth = GroundTruth::structured(&network)?;
        let all = item.method == Method::Oracle;
        let recording = recorded(&truth, all, item.trials, item.seed)?;
        let spec = with_kinds(&item.spec, &truth);
        let model = match item.method {
            Method::Corrected if spec.network.hidden > 0 => with_copies(&recording, &spec)?,
            _ => fit(&recording, &spec)?,
        };
        let found = model.summed_couplings(truth.observed)?;
        Ok(Found {
            recovery: Recovery::new(&found, &truth),
        })
    }

    fn draw(&self, plan: &Plan, found: &[(Item, Found)]) -> Drawing {
        draw::drawing(plan, found)
    }
}

/// Fits with hidden units that start as copies of the recorded ones of an MLE fit.
fn with_copies(recording: &Recording, spec: &Specification) -> Result<Model> {
    let mut first = spec.clone();
    first.network.hidden = 0;
    first.network.signs = Signs::default();
    first.objective = Objective::Mle { likelihood: 1.0 };
    first.optimiser = Optimiser::Lbfgs {
        ridge: Ridge::Given(RIDGE_OF_COPIES),
        then: None,
    };
    let first = fit(recording, &first)?;
    let start = start_as_copies(&first.parameters, spec, &first.training.baseline)?;
    let mut trainer = Trainer::new(recording, spec)?;
    trainer.start_from(start)?;
    finish(trainer)
}
