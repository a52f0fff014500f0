//! How sure ceilings are.

use crate::{Model, TestMetrics};
use refire_core::TrialLayout;
use refire_metrics::{Interval, Metric};
use serde::Serialize;

/// Intervals of ceilings: what other trials of the same number would give, on either side.
///
/// The mean over sets of training trials does not average out what the test trials bring, which is as much as one such
/// set does. Sets are drawn from few trials without replacement: their deviation is smaller than that of sets of new
/// ones, by the root of `1 - share`, where they hold this share of the training trials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct CeilingIntervals {
    /// Of the PSTH correlation; none where all training trials are in every set.
    pub psth_correlation: Option<Interval>,
    /// Of the Pearson correlation of noise correlations.
    pub noise_correlation_pearson: Option<Interval>,
    /// Of their R2.
    pub noise_correlation_r2: Option<Interval>,
}

impl CeilingIntervals {
    pub(crate) fn new(test: &TestMetrics, sd: &TestMetrics, share: f64) -> Self {
        let of = |ceiling: &Metric, sd: &Metric| {
            let sd = sd.value().filter(|&sd| sd > 0.0 && share < 1.0)?;
            Some(Interval::of_mean(
                ceiling.value()?,
                sd / (1.0 - share).sqrt(),
            ))
        };
        Self {
            psth_correlation: of(&test.psth_correlation_ceiling, &sd.psth_correlation_ceiling),
            noise_correlation_pearson: of(
                &test.noise_correlation_ceiling_pearson,
                &sd.noise_correlation_ceiling_pearson,
            ),
            noise_correlation_r2: of(
                &test.noise_correlation_ceiling_r2,
                &sd.noise_correlation_ceiling_r2,
            ),
        }
    }
}

/// Share of the training trials of the evaluated conditions that a set for a ceiling holds.
pub(crate) fn share_of_training(model: &Model, layout: &TrialLayout) -> f64 {
    let trials = layout.groups().iter().map(|group| {
        let training = model.training.of_condition(group.condition).len();
        (group.slots.len().min(training), training)
    });
    let (chosen, all) = trials.fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1));
    chosen as f64 / all.max(1) as f64
}
