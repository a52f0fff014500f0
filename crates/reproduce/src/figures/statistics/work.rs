//! The work items of the figure.

use anyhow::Result;
use refire_fit::{DriveKind, Trainer, evaluate};

use super::examples::Examples;
use super::{Found, Item, OF_REAL, Source, Statistics, draw, network, spec, spec_of_long};
use crate::Plan;
use crate::figure::{Drawing, Figure};
use crate::fits::{Method, finish, fit};
use crate::plan::FIRST_SEED;
use crate::recordings::{Published, Real, synthetic};

impl Figure for Statistics {
    type Item = Item;
    type Found = Found;

    fn name(&self) -> &'static str {
        "statistics"
    }

    fn items(&self, plan: &Plan) -> Result<Vec<Item>> {
        let mut items = Vec::new();
        for seed in plan.seeds(2, 5, 12) {
            items.extend(Method::ALL.map(|method| Item {
                source: Source::Synthetic(network(plan, seed)),
                method,
                seed,
                spec: method.spec(&spec_of_long(plan, DriveKind::Features, seed)),
                examples: seed == FIRST_SEED,
            }));
        }
        for path in &plan.recordings {
            let real = Real::new(path, None)?;
            for seed in plan.seeds(2, 2, 5) {
                items.extend(OF_REAL.map(|method| Item {
                    source: Source::Real(real.clone()),
                    method,
                    seed,
                    spec: method.spec(&spec(plan, DriveKind::Condition, seed)),
                    examples: false,
                }));
            }
        }
        if let Some(folder) = &plan.published {
            let published = Published::new(folder)?;
            for seed in plan.seeds(2, 2, 5) {
                items.extend(Method::ALL.map(|method| Item {
                    source: Source::Published(published.clone()),
                    method,
                    seed,
                    spec: method.spec(&spec_of_long(plan, DriveKind::Movie, seed)),
                    examples: false,
                }));
            }
        }
        Ok(items)
    }

    fn label(&self, item: &Item) -> String {
        let (source, method) = (item.source.name(), item.method.name());
        format!("{source}, {method}, seed {}", item.seed)
    }

    fn seconds(&self, item: &Item) -> f64 {
        match (&item.source, item.method) {
            (Source::Published(_), _) => item.spec.iterations() as f64,
            (_, Method::Mle) => 20.0,
            _ => 0.08 * item.spec.iterations() as f64,
        }
    }

    fn measure(&self, item: &Item) -> Result<Found> {
        let (recording, split) = match &item.source {
            Source::Synthetic(network) => (synthetic(network, item.seed)?.1, None),
            Source::Real(real) => (real.recording()?, None),
            Source::Published(published) => {
                let published = published.open()?;
                (published.recording, Some(published.split))
            }
        };
        let model = match split {
            None => fit(&recording, &item.spec)?,
            Some(split) => finish(Trainer::with_split(&recording, &item.spec, split)?)?,
        };
        let evaluation = evaluate(&model, &recording, None)?;
        let examples = item
            .examples
            .then(|| Examples::new(&evaluation, recording.bin_width()));
        Ok(Found::new(&evaluation, examples))
    }

    fn draw(&self, plan: &Plan, found: &[(Item, Found)]) -> Drawing {
        draw::drawing(plan, found)
    }
}
