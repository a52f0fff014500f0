//! Figures of single sets of trials, compared with the trials evaluated, and of many sets.

use crate::sets::OverSets;
use refire_core::{TrialArray, TrialLayout};
use refire_metrics::{
    Autocorrelation, IntervalHistogram, LaggedAgreement, LaggedNoise, Metric, NoiseCorrelation,
    PopulationCounts, Psth, Rates, TrialFeatures, autocorrelation, fano_factors, intervals,
    lagged_noise, noise_agreement, noise_correlation, population_counts, psth, psth_correlation,
    rates, told_apart,
};
use serde::Serialize;

/// What single sets of trials are compared with.
pub(crate) struct OfData {
    pub psth: Psth,
    pub noise: NoiseCorrelation,
    pub counts: PopulationCounts,
    rates: Rates,
    lagged: LaggedNoise,
    intervals: Vec<IntervalHistogram>,
    autocorrelation: Autocorrelation,
    features: TrialFeatures,
    lags: Vec<usize>,
    bin_width: f64,
}

/// Figures of one set of trials.
pub(crate) struct OfSet {
    pub psth: Metric,
    pub pearson: Metric,
    pub r2: Metric,
    pub lagged: LaggedAgreement,
    pub rate_hz: Metric,
    pub rate_distance: Metric,
    pub fano_factor: Metric,
    pub isi_distance: Metric,
    pub autocorrelation_distance: Metric,
    pub population_count_distance: Metric,
    pub synchronous_triplets: Metric,
    pub told_apart: Metric,
    /// Trials that were told apart.
    pub told: usize,
}

/// Lags of noise correlations that are told, bins: powers of two up to those of the couplings.
pub(crate) fn told_lags(lags: usize) -> Vec<usize> {
    let powers = std::iter::successors(Some(1usize), |lag| lag.checked_mul(2));
    std::iter::once(0)
        .chain(powers.take_while(|&lag| lag <= lags))
        .collect()
}

impl OfData {
    /// Of trials that are evaluated; noise correlations at the [`told_lags`] of couplings of so many lags.
    pub fn new(spikes: &TrialArray<u8>, layout: &TrialLayout, bin_width: f64, lags: usize) -> Self {
        let lags = told_lags(lags);
        Self {
            psth: psth(spikes, layout),
            noise: noise_correlation(spikes, layout),
            counts: population_counts(spikes, layout),
            rates: rates(spikes, layout, bin_width),
            lagged: lagged_noise(spikes, layout, &lags),
            intervals: intervals(spikes, layout),
            autocorrelation: autocorrelation(spikes, layout),
            features: TrialFeatures::new(spikes, layout),
            lags,
            bin_width,
        }
    }

    /// Compares a set of trials, of the same conditions.
    pub fn compare(&self, spikes: &TrialArray<u8>, layout: &TrialLayout) -> OfSet {
        let pairs = || {
            let noise = noise_agreement(&self.noise, &noise_correlation(spikes, layout));
            let lagged = lagged_noise(spikes, layout, &self.lags);
            (noise, self.lagged.agreement(&lagged))
        };
        let trials = || told_apart(&self.features, &TrialFeatures::new(spikes, layout));
        let ((noise, lagged), (told, others)) = rayon::join(pairs, || {
            rayon::join(trials, || self.of_units(spikes, layout))
        });
        OfSet {
            pearson: noise.pearson,
            r2: noise.r2,
            lagged,
            told: told.trials,
            told_apart: told.accuracy,
            ..others
        }
    }

    /// Figures that pairs of units and single trials have no part in.
    fn of_units(&self, spikes: &TrialArray<u8>, layout: &TrialLayout) -> OfSet {
        let own = intervals(spikes, layout);
        let distances = self.intervals.iter().zip(&own).map(|(a, b)| a.distance(b));
        let counts = population_counts(spikes, layout);
        let own_rates = rates(spikes, layout, self.bin_width);
        let none = || Metric::Missing(String::new());
        OfSet {
            psth: psth_correlation(&self.psth, &psth(spikes, layout)).mean,
            rate_distance: self.rates.distance(&own_rates),
            rate_hz: own_rates.mean,
            fano_factor: fano_factors(spikes, layout).mean,
            isi_distance: mean_of(distances, "no unit has intervals on both sides"),
            autocorrelation_distance: self
                .autocorrelation
                .distance(&autocorrelation(spikes, layout)),
            population_count_distance: self.counts.distance(&counts),
            synchronous_triplets: counts.synchronous_triplets(),
            pearson: none(),
            r2: none(),
            lagged: LaggedAgreement::default(),
            told_apart: none(),
            told: 0,
        }
    }

    /// Agreement of noise correlations at each lag: means over sets.
    pub fn lagged_figures(&self, of_model: &[OfSet], ceilings: &[OfSet]) -> LaggedFigures {
        let over = |sets: &[OfSet], of: fn(&LaggedAgreement) -> &Vec<Metric>| -> Vec<Metric> {
            let at_lag = |lag: usize| {
                let values = sets.iter().map(|set| of(&set.lagged)[lag].clone());
                OverSets::new(&values.collect::<Vec<Metric>>()).mean
            };
            (0..self.lags.len()).map(at_lag).collect()
        };
        LaggedFigures {
            pearson: over(of_model, |lagged| &lagged.pearson),
            r2: over(of_model, |lagged| &lagged.r2),
            ceiling_pearson: over(ceilings, |lagged| &lagged.pearson),
            ceiling_r2: over(ceilings, |lagged| &lagged.r2),
            lags: self.lags.clone(),
        }
    }
}

/// Agreement of noise correlations of model and data by lag, over ordered pairs of different units; the lists are as
/// long as `lags`.
#[derive(Clone, Debug, Serialize)]
pub struct LaggedFigures {
    /// Bins.
    pub lags: Vec<usize>,
    /// Pearson correlation, mean over sets.
    pub pearson: Vec<Metric>,
    /// R2, mean over sets.
    pub r2: Vec<Metric>,
    /// The same of training trials and data.
    pub ceiling_pearson: Vec<Metric>,
    /// The same of training trials and data.
    pub ceiling_r2: Vec<Metric>,
}

/// Mean of the metrics that exist.
fn mean_of(metrics: impl Iterator<Item = Metric>, missing: &str) -> Metric {
    let values: Vec<f64> = metrics.filter_map(|metric| metric.value()).collect();
    if values.is_empty() {
        Metric::Missing(missing.to_string())
    } else {
        Metric::Value(values.iter().sum::<f64>() / values.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_leave_out_what_is_missing() {
        let none = || Metric::Missing(String::new());
        let mean = mean_of(
            [Metric::Value(2.0), none(), Metric::Value(5.0)].into_iter(),
            "nothing",
        );
        assert_eq!(mean.value(), Some(3.5));
        assert_eq!(
            mean_of([none()].into_iter(), "nothing").reason(),
            Some("nothing")
        );
    }

    #[test]
    fn lags_that_are_told() {
        assert_eq!(told_lags(9), [0, 1, 2, 4, 8]);
        assert_eq!(told_lags(1), [0, 1]);
    }
}
