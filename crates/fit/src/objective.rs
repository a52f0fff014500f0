//! From settings and training trials to the terms of the objective.

use crate::engine::WeightedTerm;
use crate::{FitError, Form, Settings};
use refire_core::{TrialArray, TrialLayout};
use refire_kernels::Real;
use refire_loss::{
    DataStatistics, HiddenRate, Likelihood, LossTerm, NoiseCovariance, Psth, PublishedHiddenRate,
    PublishedNoiseCovariance, PublishedPsth, SampledNoiseCovariance,
};
use refire_neuron::Logistic;
use refire_random::{Purpose, Stream};
use std::sync::Arc;

/// Spikes per bin that the published hidden-rate term aims at.
const PUBLISHED_HIDDEN_RATE: f64 = 0.17;

/// The terms of a fit, with their weights, against the statistics of recorded trials
/// `[trial][bin][observed]`. Terms the trials cannot measure (a noise covariance without two trials
/// of one condition) are left out and named in the second result.
pub fn terms<T: Real>(
    settings: &Settings,
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
) -> (Vec<WeightedTerm<T>>, Vec<String>) {
    let (observed, weights) = (spikes.units(), settings.weights);
    let mut terms: Vec<WeightedTerm<T>> = Vec::new();
    let mut left_out = Vec::new();
    if settings.objective.has_likelihood() {
        terms.push(WeightedTerm {
            term: Box::new(Likelihood::new(Logistic, observed)),
            weight: weights.mle,
        });
    }
    if !settings.objective.has_statistics() {
        return (terms, left_out);
    }
    let lags = settings.lags_of_noise();
    // Whatever holds a number per pair of units is left to the term that needs it.
    let all_pairs = settings.form == Form::Corrected && settings.noise_pairs == 0;
    let data = Arc::new(if all_pairs {
        DataStatistics::by_windows(spikes, layout, lags, settings.checkpoint_bins)
    } else {
        DataStatistics::without_pairs(spikes, layout)
    });
    let spiking = data.total_sd().iter().filter(|&&sd| sd > 0.0).count();
    let reach = lags_in_reach(layout);
    let mut add = |term, weight, missing: Option<String>| match missing {
        None => terms.push(WeightedTerm { term, weight }),
        Some(reason) => left_out.push(reason),
    };
    let silent = (spiking == 0).then(|| "psth: no unit spikes".to_string());
    // A unit by itself has no lag 0.
    let alone = spiking == 1 && lags.min(reach) == 1;
    let uncorrelated = (reach == 0 || spiking == 0 || alone)
        .then(|| "nc: no pair of spiking units has two trials of one condition".to_string());
    match settings.form {
        Form::Corrected => {
            add(
                Box::new(Psth::new(Logistic, data.clone())),
                weights.psth,
                silent,
            );
            let parts = settings.noise_parts;
            let nc: Box<dyn LossTerm<T>> = if all_pairs {
                Box::new(NoiseCovariance::new(Logistic, data, parts))
            } else {
                let pairs = settings.noise_pairs;
                let stream = Stream::new(settings.seed, Purpose::NoisePairs);
                let (recorded, window) = ((spikes, layout), settings.checkpoint_bins);
                Box::new(SampledNoiseCovariance::new(
                    Logistic, recorded, lags, parts, pairs, window, stream,
                ))
            };
            add(nc, weights.nc, uncorrelated);
        }
        Form::Published => {
            add(
                Box::new(PublishedPsth::new(Logistic, observed)),
                weights.psth,
                silent,
            );
            let nc = PublishedNoiseCovariance::new(Logistic, observed, lags, true);
            add(Box::new(nc), weights.nc, uncorrelated);
        }
    }
    if settings.hidden > 0 {
        let hidden = observed..observed + settings.hidden;
        let term: Box<dyn LossTerm<T>> = match settings.form {
            Form::Published => Box::new(PublishedHiddenRate::new(hidden, PUBLISHED_HIDDEN_RATE)),
            Form::Corrected => {
                let target = mean_rate(spikes, layout);
                Box::new(HiddenRate::new(Logistic, hidden, target))
            }
        };
        add(term, weights.hidden_rate, None);
    }
    (terms, left_out)
}

/// The [`terms`] of training trials, of which at least one must count.
///
/// # Errors
/// [`FitError::NothingToFit`] where none does.
pub(crate) fn to_fit<T: Real>(
    settings: &Settings,
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
) -> Result<(Vec<WeightedTerm<T>>, Vec<String>), FitError> {
    let (terms, left_out) = terms(settings, spikes, layout);
    if counts(&terms) {
        return Ok((terms, left_out));
    }
    let reasons = left_out.join("; ");
    Err(FitError::NothingToFit { reasons })
}

/// Whether any term counts for the objective.
pub(crate) fn counts<T>(terms: &[WeightedTerm<T>]) -> bool {
    terms.iter().any(|t| t.weight > 0.0)
}

/// Lags, lag 0 included, that two trials of one condition are long enough for; 0 where no condition
/// has two.
fn lags_in_reach(layout: &TrialLayout) -> usize {
    let of_group = layout.groups().iter().filter_map(|group| {
        let mut bins: Vec<usize> = group.slots.iter().map(|&k| layout.bins(k)).collect();
        bins.sort_unstable();
        bins.iter().rev().nth(1).copied()
    });
    let second_longest = of_group.max().unwrap_or(0);
    second_longest.saturating_sub(layout.first_bin())
}

/// Mean over observed units, spikes per bin; at least half a spike in all, so that a target exists
/// for a silent recording.
fn mean_rate(spikes: &TrialArray<u8>, layout: &TrialLayout) -> f64 {
    let mut count = 0u64;
    for slot in 0..layout.trials() {
        for t in layout.first_bin()..layout.bins(slot) {
            count += spikes
                .row(slot, t)
                .iter()
                .map(|&z| u64::from(z))
                .sum::<u64>();
        }
    }
    let bins = (layout.scored_bins() * spikes.units()).max(1) as f64;
    (count as f64).max(0.5) / bins.max(1.0)
}
