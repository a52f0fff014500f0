//! Noise-covariance term on a random sample of pairs of units, for networks of thousands.

use crate::{DataStatistics, LossError, LossTerm, NoiseCovariance};
use rayon::prelude::*;
use refire_core::{Recorded, SpikeIndex, TrialArray, TrialLayout};
use refire_kernels::Real;
use refire_random::Stream;
use refire_sim::{AdjointSink, Trajectory, Window};
use std::sync::Arc;

/// [`NoiseCovariance`] on all pairs within `m` of the `n` units that spike, another random subset in
/// every iteration. Time and memory grow with `m^2`, never with `n^2`.
///
/// ```text
/// L_S = sum_{(d,i,j): i,j in S} w_ij E^2[d,i,j] / sum_{(d,i,j): i,j in S} w_ij
/// w_ij = 1 (i != j), (m-1)/(n-1) (i = j)           S of size m, all subsets alike
///
/// P(i,j in S) w_ij = m(m-1)/(n(n-1)) for every entry, and sum w is that times the entries of the
/// population for every S: hence E_S[L_S] = L, and so for any function of E, L in parts and dL.
/// ```
///
/// The data side of a subset is measured when it is drawn. Silent units are no part of the
/// population. Derivation and variance: `docs/estimators.md`.
#[derive(Clone, Debug)]
pub struct SampledNoiseCovariance<T> {
    term: NoiseCovariance<T>,
    sample: PairSample,
    layout: TrialLayout,
    recorded: SpikeIndex,
    /// Units that spike in the recorded trials, ascending.
    population: Vec<u32>,
    /// Units of the subset, ascending, and their recorded spikes `[trial][bin][unit of the subset]`.
    drawn: Vec<u32>,
    columns: TrialArray<u8>,
    /// The subset's part of the window at `gathered`.
    trajectory: Trajectory<T>,
    gathered: Option<usize>,
    d_spikes: TrialArray<T>,
}

/// Which pairs of units a [`SampledNoiseCovariance`] measures, and how.
#[derive(Clone, Copy, Debug)]
pub struct PairSample {
    /// Lags, lag 0 counted.
    pub lags: usize,
    /// Parts of the free-running trials, as in [`NoiseCovariance::new`].
    pub parts: usize,
    /// Ordered pairs of units, about ([`units_for_pairs`]; all of them, where the units that spike make no more).
    pub pairs: usize,
    /// Whether units act on those behind them in the same bin ([`NoiseCovariance::with_same_bin`]).
    pub same_bin: bool,
    /// Bins whose recorded deviations are held at a time ([`DataStatistics::by_windows`]), or all.
    pub window: Option<usize>,
    /// Draws the subsets.
    pub stream: Stream,
}

/// Units among which there are at least `pairs` ordered pairs: the least `m` with
/// `m (m - 1) >= pairs`, and at least 2.
pub fn units_for_pairs(pairs: usize) -> usize {
    let enough = |m: usize| (m as u128) * (m as u128 - 1) >= pairs as u128;
    let mut m = (((pairs as f64).sqrt() + 0.5).ceil() as usize).max(2);
    // The root is right to rounding only.
    while m > 2 && enough(m - 1) {
        m -= 1;
    }
    while !enough(m) {
        m += 1;
    }
    m
}

impl<T: Real> SampledNoiseCovariance<T> {
    /// The term against recorded spikes `[trial][bin][observed]`.
    pub fn new(recorded: Recorded<'_>, sample: PairSample) -> Self {
        let Recorded { spikes, layout } = recorded;
        let mut recorded = SpikeIndex::default();
        recorded.build(spikes, layout);
        let total_sd = DataStatistics::total_sd_of(spikes, layout);
        let units = (0..).zip(total_sd);
        let population: Vec<u32> = units.filter(|&(_, sd)| sd > 0.0).map(|(i, _)| i).collect();
        let units = units_for_pairs(sample.pairs).min(population.len());
        let mut drawn = Vec::new();
        subset(&population, units, sample.stream, 0, &mut drawn);
        let mut columns = TrialArray::default();
        let data = statistics(&recorded, layout, &sample, &drawn, &mut columns);
        Self {
            term: NoiseCovariance::of_subset(data, sample.parts, population.len())
                .with_same_bin(sample.same_bin),
            sample,
            layout: layout.clone(),
            recorded,
            population,
            drawn,
            columns,
            trajectory: Trajectory::default(),
            gathered: None,
            d_spikes: TrialArray::default(),
        }
    }

    /// The units of the present subset, ascending.
    pub fn units(&self) -> &[u32] {
        &self.drawn
    }

    /// Measures the data side of other units, `drawn`.
    fn take(&mut self, drawn: Vec<u32>) {
        self.drawn = drawn;
        self.term.set_data(statistics(
            &self.recorded,
            &self.layout,
            &self.sample,
            &self.drawn,
            &mut self.columns,
        ));
    }

    /// Copies the units of the subset out of the scored bins of a window.
    fn gather(&mut self, window: &Window<'_, T>) {
        let (layout, pass, m) = (window.layout, window.trajectory, self.drawn.len());
        let (trials, bins) = (layout.trials(), layout.max_bins());
        let own = &mut self.trajectory;
        own.probability.reshape(trials, bins, 0, m);
        own.spikes.reshape(trials, bins, 0, m);
        let (len, drawn) = ((bins * m).max(1), &self.drawn);
        (own.probability.as_mut_slice().par_chunks_mut(len))
            .zip(own.spikes.as_mut_slice().par_chunks_mut(len))
            .zip(own.by_source.trials_mut(trials))
            .enumerate()
            .for_each(|(k, ((probability, spikes), by_source))| {
                for t in layout.first_bin()..layout.bins(k) {
                    let row = t * m..(t + 1) * m;
                    let p = pass.probability.row(k, t);
                    pick(p, drawn, &mut probability[row.clone()]);
                    pick(pass.spikes.row(k, t), drawn, &mut spikes[row]);
                }
                let scored = layout.first_bin()..layout.bins(k);
                by_source.build(scored.map(|t| (t, &spikes[t * m..][..m])), m);
            });
        self.gathered = Some(window.start);
    }
}

impl<T: Real> LossTerm<T> for SampledNoiseCovariance<T> {
    fn name(&self) -> &'static str {
        self.term.name()
    }

    fn draw(&mut self, iteration: u32) {
        let mut drawn = Vec::with_capacity(self.drawn.len());
        let (units, stream) = (self.drawn.len(), self.sample.stream);
        subset(&self.population, units, stream, iteration, &mut drawn);
        // Validation draws the same again and again.
        if drawn != self.drawn {
            self.take(drawn);
        }
    }

    fn sampled(&self) -> Option<String> {
        let pairs = |units: usize| units * units.saturating_sub(1);
        let (measured, all) = (pairs(self.drawn.len()), pairs(self.population.len()));
        (measured < all).then(|| {
            format!(
                "noise covariance on a random sample of {measured} of {all} ordered pairs of units \
                 per iteration"
            )
        })
    }

    fn begin(&mut self, whole: &TrialLayout, with_adjoints: bool) -> Result<(), LossError> {
        self.gathered = None;
        self.term.begin(whole, with_adjoints)
    }

    fn measure(&mut self, window: &Window<'_, T>) {
        self.gather(window);
        self.term.measure(&Window {
            trajectory: &self.trajectory,
            ..*window
        });
    }

    fn finish(&mut self, weight: f64) -> Result<(), LossError> {
        self.term.finish(weight)
    }

    fn add_adjoints(&mut self, window: &Window<'_, T>, sink: &mut AdjointSink<'_, T>) {
        if self.gathered != Some(window.start) {
            self.gather(window);
        }
        let layout = window.layout;
        let own = Window {
            trajectory: &self.trajectory,
            ..*window
        };
        self.term.go_back_to(&own);
        let (trials, bins) = (layout.trials(), layout.max_bins());
        self.d_spikes.reset(trials, bins, 0, self.drawn.len());
        self.term.add_spike_adjoints(&own, &mut self.d_spikes);
        add_columns(sink.spikes(), &self.d_spikes, layout, &self.drawn);
        let mut sink = sink.of_units(&self.drawn);
        self.term.add_probability_adjoints(&own, &mut sink);
    }

    fn value(&self) -> f64 {
        self.term.value()
    }
}

/// `units` of the population, every subset with the same chance, ascending: the first places of a
/// keyed shuffle (Fisher & Yates).
fn subset(population: &[u32], units: usize, stream: Stream, iteration: u32, drawn: &mut Vec<u32>) {
    drawn.clear();
    drawn.extend_from_slice(population);
    for place in 0..units {
        let left = population.len() - place;
        let other = place + stream.below(left, iteration, place as u32, 0);
        drawn.swap(place, other);
    }
    drawn.truncate(units);
    drawn.sort_unstable();
}

/// Statistics of the recorded spikes of some units, by way of `columns`.
fn statistics(
    recorded: &SpikeIndex,
    layout: &TrialLayout,
    sample: &PairSample,
    units: &[u32],
    columns: &mut TrialArray<u8>,
) -> Arc<DataStatistics> {
    columns.reset(layout.trials(), layout.max_bins(), 0, units.len());
    if units.is_empty() {
        // The term says that it can measure no lag.
        return Arc::new(DataStatistics::without_pairs(columns, layout));
    }
    for (k, trial) in recorded.trials().iter().enumerate() {
        for (at, &unit) in units.iter().enumerate() {
            for &bin in trial.bins_of(unit as usize) {
                columns.row_mut(k, bin as usize)[at] = 1;
            }
        }
    }
    Arc::new(DataStatistics::by_windows(
        columns,
        layout,
        sample.lags,
        sample.window,
    ))
}

/// The numbers of some units out of those of all.
fn pick<X: Copy>(all: &[X], units: &[u32], own: &mut [X]) {
    for (own, &unit) in own.iter_mut().zip(units) {
        *own = all[unit as usize];
    }
}

/// Adds the numbers of some units to those of all, in the scored bins.
fn add_columns<T: Real>(
    all: &mut TrialArray<T>,
    own: &TrialArray<T>,
    layout: &TrialLayout,
    units: &[u32],
) {
    let (width, len) = (all.units(), all.trial_len().max(1));
    let trials = all.as_mut_slice().par_chunks_mut(len).enumerate();
    trials.for_each(|(k, trial)| {
        for t in layout.first_bin()..layout.bins(k) {
            let row = &mut trial[t * width..][..width];
            for (&number, &unit) in own.row(k, t).iter().zip(units) {
                row[unit as usize] += number;
            }
        }
    });
}

#[cfg(test)]
mod tests;
