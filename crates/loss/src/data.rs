//! The data side of the sample-and-measure terms, computed once from all training trials.

use crate::covariance::{Lagged, centre, fill_signal, trial_bins, unbiased};
use crate::trials::{mean_over_trials, parts};
use rayon::prelude::*;
use refire_core::{SpikeIndex, TrialArray, TrialLayout};
use refire_sim::LaggedSums;

/// Statistics of the recorded spikes of the training trials.
#[derive(Clone, Debug)]
pub struct DataStatistics {
    pub(crate) lags: usize,
    pub(crate) total_sd: Vec<f64>,
    pub(crate) conditions: Vec<Option<ConditionStatistics>>,
}

#[derive(Clone, Debug)]
pub(crate) struct ConditionStatistics {
    pub trials: usize,
    /// `[bin][unit]`, spikes per bin, mean over the trials valid in the bin; bins of history stay zero.
    pub psth: Vec<f64>,
    pub bins: usize,
    /// `[source][lag][target]`, sum over trials and bins of centred products, spikes per bin squared.
    pub products: Vec<f64>,
    /// What the products are divided by, `[lag]`: (trial, bin) pairs in bins that two trials share.
    pub trial_bins: Vec<f64>,
}

impl DataStatistics {
    /// Statistics of spikes `[trial][bin][observed]`, covariances at lags `0..lags`, bins before
    /// the layout's first one left out at both ends of a lag. The covariances hold
    /// `lags * observed^2` numbers per condition.
    pub fn new(spikes: &TrialArray<u8>, layout: &TrialLayout, lags: usize) -> Self {
        Self::by_windows(spikes, layout, lags, None)
    }

    /// [`Self::new`] up to rounding, with the deviations of `window` bins held at a time, or of all: those
    /// take eight times the memory of the spikes.
    pub fn by_windows(
        spikes: &TrialArray<u8>,
        layout: &TrialLayout,
        lags: usize,
        window: Option<usize>,
    ) -> Self {
        let mut statistics = Self::without_pairs(spikes, layout);
        statistics.add_covariances(spikes, layout, lags, window);
        statistics
    }

    /// The statistics of single units alone: no lag has a covariance, and no number of these is one
    /// per pair of units.
    pub fn without_pairs(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Self {
        let units = spikes.units();
        let groups = parts(layout, 1);
        let n_conditions = groups.last().map_or(0, |g| g.condition + 1);
        let mut conditions: Vec<Option<ConditionStatistics>> = vec![None; n_conditions];
        for group in &groups {
            let of_bin = |k, t| spikes.row(k, t);
            let psth = mean_over_trials(layout, &group.slots, units, of_bin, f64::from);
            conditions[group.condition] = Some(ConditionStatistics {
                trials: group.slots.len(),
                bins: psth.len() / units.max(1),
                psth,
                products: Vec::new(),
                trial_bins: Vec::new(),
            });
        }
        Self {
            lags: 0,
            total_sd: Self::total_sd_of(spikes, layout),
            conditions,
        }
    }

    /// `sqrt(r (1 - r))` of every unit's rate over all scored bins.
    pub(crate) fn total_sd_of(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Vec<f64> {
        let mut total = vec![0.0f64; spikes.units()];
        for k in 0..layout.trials() {
            for t in layout.first_bin()..layout.bins(k) {
                for (sum, &z) in total.iter_mut().zip(spikes.row(k, t)) {
                    *sum += f64::from(z);
                }
            }
        }
        let count = layout.scored_bins().max(1) as f64;
        let of_rate = |rate: f64| (rate * (1.0 - rate)).max(0.0).sqrt();
        total.iter().map(|&sum| of_rate(sum / count)).collect()
    }

    fn add_covariances(
        &mut self,
        spikes: &TrialArray<u8>,
        layout: &TrialLayout,
        lags: usize,
        window: Option<usize>,
    ) {
        let (units, groups) = (spikes.units(), parts(layout, 1));
        let reach = lags.saturating_sub(1);
        let mut position = vec![0; layout.trials()];
        for (at, group) in groups.iter().enumerate() {
            group.slots.iter().for_each(|&slot| position[slot] = at);
        }
        let mut products = vec![vec![0.0f64; units * lags * units]; groups.len()];
        let (mut signal, mut by_source) = (TrialArray::<f64>::default(), SpikeIndex::default());
        let mut lagged = LaggedSums::default();
        let window = window.unwrap_or(layout.max_bins()).max(1);
        for start in (0..layout.max_bins()).step_by(window) {
            let bins = layout.window(start..start.saturating_add(window));
            // Spikes act on deviations up to `reach` bins behind them.
            let before = reach.min(start);
            let rows = before + bins.max_bins();
            signal.reshape(layout.trials(), rows, reach, units);
            fill_signal(&mut signal, &bins, before, units, |k, t, row| {
                for (a, &z) in row.iter_mut().zip(spikes.row(k, start + t)) {
                    *a = f64::from(z);
                }
            });
            for group in &groups {
                centre(&mut signal, before, &bins, &group.slots, unbiased);
            }
            let trials = by_source.trials_mut(layout.trials()).par_iter_mut();
            trials.enumerate().for_each(|(k, own)| {
                let from = start - before;
                let scored = from.max(layout.first_bin())..layout.bins(k).min(from + rows);
                own.build(scored.map(|t| (t - from, spikes.row(k, t))), units);
            });
            let of_window = Lagged {
                by_source: &by_source,
                signal: &signal,
                margin: 0,
                first_bin: 0,
                lags,
                part_of_trial: &position,
            };
            of_window.add_products(&mut lagged, &mut products);
        }
        for (group, products) in groups.iter().zip(products) {
            if let Some(condition) = &mut self.conditions[group.condition] {
                condition.products = products;
                condition.trial_bins = trial_bins(layout, &group.slots, lags);
            }
        }
        self.lags = lags;
    }

    /// Total standard deviation per unit over all scored bins, spikes per bin; 0 for a unit that
    /// never spikes.
    pub fn total_sd(&self) -> &[f64] {
        &self.total_sd
    }

    /// Number of lags of the covariances, lag 0 included.
    pub fn lags(&self) -> usize {
        self.lags
    }

    pub(crate) fn condition(&self, condition: usize) -> Option<&ConditionStatistics> {
        self.conditions.get(condition)?.as_ref()
    }

    /// Noise covariance pooled over `conditions`, weighted by their trials:
    /// `[source][lag][target]`, 0 where no condition has two trials. Spikes per bin, squared.
    pub fn noise_covariance(&self, conditions: &[usize]) -> Vec<f64> {
        let units = self.total_sd.len();
        let mut pooled = vec![0.0; units * self.lags * units];
        let mut norm = vec![0.0; self.lags];
        for condition in conditions.iter().filter_map(|&c| self.condition(c)) {
            for (sum, &product) in pooled.iter_mut().zip(&condition.products) {
                *sum += product;
            }
            for (n, &bins) in norm.iter_mut().zip(&condition.trial_bins) {
                *n += bins;
            }
        }
        for (at, sum) in pooled.iter_mut().enumerate() {
            let n = norm[at / units % self.lags];
            *sum = if n > 0.0 { *sum / n } else { 0.0 };
        }
        pooled
    }
}
