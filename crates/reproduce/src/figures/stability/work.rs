//! The work items of the figure.

use anyhow::Result;
use refire_fit::{SplitChoice, Training, evaluate};

use super::{Found, Item, Source, Stability, TRACES, draw, regimes};
use crate::Plan;
use crate::figure::{Drawing, Figure};
use crate::fits::{Method, fit};
use crate::recordings::synthetic;

impl Figure for Stability {
    type Item = Item;
    type Found = Found;

    fn name(&self) -> &'static str {
        "stability"
    }

    fn items(&self, plan: &Plan) -> Result<Vec<Item>> {
        let mut items = regimes::synthetic(plan);
        items.extend(regimes::real(plan)?);
        Ok(items)
    }

    fn label(&self, item: &Item) -> String {
        let (source, method) = (item.source.name(), item.method.name());
        format!(
            "{source}, {method}, {} trials, seed {}",
            item.trials, item.seed
        )
    }

    fn seconds(&self, item: &Item) -> f64 {
        match (&item.source, item.method) {
            (Source::Synthetic { .. }, Method::Mle) => 2.0,
            (Source::Synthetic { .. }, _) => 8.0,
            (Source::Real(_), Method::Mle) => 20.0,
            (Source::Real(_), _) => 60.0,
        }
    }

    fn measure(&self, item: &Item) -> Result<Found> {
        let recording = match &item.source {
            Source::Synthetic { network, .. } => synthetic(network, item.seed)?.1,
            Source::Real(real) => real.recording()?,
        };
        let mut model = fit(&recording, &item.spec)?;
        // The range of all trials, the same for fits of few and of many.
        let all: Vec<usize> = (0..recording.n_trials()).collect();
        let first_bin = item.spec.first_bin();
        model.training.range = Training::new(&recording, &all, first_bin)?.range;
        let evaluation = evaluate(&model, &recording, Some(SplitChoice::Test))?;
        let stability = &evaluation.stability;
        let bins = recording.bins().iter().copied().max().unwrap_or(0);
        let mut traces = stability.traces_hz.clone();
        traces.truncate(TRACES);
        Ok(Found {
            divergent_share: stability.stability.divergent_share,
            verdict: stability.stability.verdict,
            bits_per_spike: evaluation.test.bits_per_spike.value(),
            rate_model_hz: evaluation.test.rate_hz_model.value(),
            rate_data_hz: evaluation.test.rate_hz_data.value(),
            traces_hz: traces,
            limit_hz: stability.limit_hz,
            trial_s: bins as f64 * recording.bin_width(),
        })
    }

    fn draw(&self, plan: &Plan, found: &[(Item, Found)]) -> Drawing {
        draw::drawing(plan, found)
    }
}
