//! Noise-covariance term as published.

use crate::BatchTrials;
use crate::counts::RecordedProducts;
use crate::fft::Transformable;
use crate::spectral::{Deviations, LaggedProducts};
use rayon::prelude::*;
use refire_core::{RecordedTrials, SpikeIndex, TrialArray, TrialLayout};
use refire_kernels::{LANES, Real};
use refire_loss::covariance::{Lagged, centre, fill_signal};
use refire_loss::trials::{Part, mean_over_trials, parts};
use refire_loss::{LossError, LossTerm};
use refire_sim::{AdjointSink, LaggedSums, ProbabilityRows, Window};

const NAME: &str = "nc";

/// Mean square difference of the lagged covariances about the trial mean, probabilities on both
/// sides of the model and spikes on both sides of the data (those of the batch), diagonal included,
/// in spikes per bin squared.
///
/// ```text
/// C[d,i,j] = sum_{k,t} x_i[k,t] x_j[k,t-d] / N_d       x = p - mean, time circular, N_d = K T
/// L        = 1/(D n^2) sum_{d,i,j} (C_data - C_model)^2
/// G        = dL/dC / N_d = -2 (C_data - C_model) / (D n^2 N_d)
/// dL/dx_i[k,t] = sum_{d,j} G[d,i,j] x_j[k,t-d] + sum_{d,j} G[d,j,i] x_j[k,t+d]
/// ```
///
/// Without `wrap` the end of a trial does not meet its start, and `N_d = K (T - d)`.
#[derive(Clone, Debug)]
pub struct PublishedNoiseCovariance<T> {
    batch: BatchTrials,
    observed: usize,
    lags: usize,
    wrap: bool,
    gradient: TrialArray<T>,
    /// `M` of model and data; that of the model becomes `weight * G` ([`LossTerm::finish`]).
    products: [Vec<T>; 2],
    /// `N_d` of both.
    norms: Vec<(f64, f64)>,
    lagged: LaggedProducts<T>,
    recorded: RecordedSide<T>,
    value: Option<f64>,
}

impl<T: Transformable> PublishedNoiseCovariance<T> {
    /// The term for the first `observed` units at lags `0..lags`; `wrap` as published.
    pub fn new(observed: usize, lags: usize, wrap: bool, batch: BatchTrials) -> Self {
        Self {
            batch,
            observed,
            lags,
            wrap,
            gradient: TrialArray::default(),
            products: [Vec::new(), Vec::new()],
            norms: Vec::new(),
            lagged: LaggedProducts::new(lags),
            recorded: RecordedSide {
                lags,
                wrap,
                kept: RecordedProducts::new(lags, wrap),
                signal: TrialArray::default(),
                lagged: LaggedProducts::new(lags),
                spikes: SpikeIndex::default(),
                sums: LaggedSums::default(),
            },
            value: None,
        }
    }

    /// Numbers that the term holds for so many units: half of a block per frequency, of which there are up to
    /// twelve per lag, each of real and imaginary units.
    pub fn numbers(units: f64, lags: usize) -> f64 {
        12.0 * lags as f64 * 2.0 * units.powi(2)
    }

    fn norm(&self, layout: &TrialLayout, lag: usize) -> f64 {
        let cut = if self.wrap { 0 } else { lag };
        let bins = |k| (layout.bins(k) - layout.first_bin()).saturating_sub(cut);
        (0..layout.trials()).map(bins).sum::<usize>().max(1) as f64
    }
}

impl<T: Transformable> LossTerm<T> for PublishedNoiseCovariance<T> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs_all_bins(&self) -> bool {
        true
    }

    fn begin(&mut self, _whole: &TrialLayout, _with_adjoints: bool) -> Result<(), LossError> {
        self.value = None;
        match self.batch.get() {
            Some(_) => Ok(()),
            None => Err(LossError::NoRecordedTrials { term: NAME }),
        }
    }

    fn measure(&mut self, window: &Window<'_, T>) {
        let Some(recorded) = self.batch.get() else {
            return;
        };
        let (layout, n, lags) = (window.layout, self.observed, self.lags);
        let (first, p) = (layout.first_bin(), &window.trajectory.probability);
        self.norms = (0..lags)
            .map(|d| (self.norm(layout, d), self.norm(&recorded.layout, d)))
            .collect();
        let [model, data] = &mut self.products;
        let width = n.next_multiple_of(LANES);
        let (recorded_side, lagged) = (&mut self.recorded, &mut self.lagged);
        rayon::join(
            || recorded_side.products(&recorded, width, data),
            || {
                lagged.forward(
                    Means::new(p, layout, n).deviations(p, self.wrap),
                    n,
                    width,
                    first,
                    layout.max_bins() - first,
                    model,
                );
            },
        );
    }

    fn finish(&mut self, weight: f64) -> Result<(), LossError> {
        let (n, lags) = (self.observed, self.lags);
        let width = n.next_multiple_of(LANES);
        let [model, data] = &mut self.products;
        let (norms, entries) = (&self.norms, (n * lags * n) as f64);
        let len = (lags * width).max(1);
        let sources = model.par_chunks_mut(len).zip(data.par_chunks(len));
        let values = sources.map(|(model, data)| {
            let mut value = 0.0;
            let rows = model.chunks_exact_mut(width).zip(data.chunks_exact(width));
            for ((model, data), &(model_norm, data_norm)) in rows.zip(norms) {
                for (model, data) in model[..n].iter_mut().zip(data) {
                    let error = data.f64() / data_norm - model.f64() / model_norm;
                    value += error * error;
                    *model = T::new(-2.0 * weight * error / (entries * model_norm));
                }
            }
            value
        });
        let values: Vec<f64> = values.collect();
        self.value = Some(values.iter().sum::<f64>() / entries);
        Ok(())
    }

    /// Back from the products, which have become slopes, through the centring.
    fn add_adjoints(&mut self, window: &Window<'_, T>, sink: &mut AdjointSink<'_, T>) {
        let layout = window.layout;
        let (first, bins) = (layout.first_bin(), layout.max_bins());
        let width = self.observed.next_multiple_of(LANES);
        // The mean over trials of what goes back through their deviations is zero where all of a condition
        // are as long.
        let parts = parts(layout, 1);
        let is_even = |part: &Part| {
            let mut neighbours = part.slots.windows(2);
            neighbours.all(|k| layout.bins(k[0]) == layout.bins(k[1]))
        };
        let slopes = &self.products[0];
        if parts.iter().all(is_even) {
            let (potential, through) = sink.through_slopes();
            let (units, trial_len) = (potential.units(), potential.trial_len());
            let into = potential.as_mut_slice();
            (self.lagged).backward(slopes, width, into, trial_len, |trial, into, rows| {
                let d_probability = ProbabilityRows {
                    trial,
                    first_bin: first,
                    rows: &rows[..(bins - first) * width],
                    units: width.min(units),
                    width,
                    which: None,
                };
                through.add(d_probability, into, units);
            });
            return;
        }
        self.gradient.reshape(layout.trials(), bins, 0, width);
        let trial_len = self.gradient.trial_len();
        let into = self.gradient.as_mut_slice();
        (self.lagged).backward(slopes, width, into, trial_len, |_, gradient, rows| {
            let scored = &mut gradient[first * width..];
            scored.copy_from_slice(&rows[..scored.len()]);
        });
        for part in parts {
            centre(&mut self.gradient, 0, layout, &part.slots, |_| 1.0);
            sink.add_probability(&part.slots, width, |k| self.gradient.trial(k));
        }
    }

    fn value(&self) -> f64 {
        self.value.unwrap_or(f64::NAN)
    }
}

/// The products of the recorded trials of a batch.
#[derive(Clone, Debug)]
struct RecordedSide<T> {
    lags: usize,
    wrap: bool,
    kept: RecordedProducts,
    /// For trials whose products are not kept.
    signal: TrialArray<T>,
    lagged: LaggedProducts<T>,
    spikes: SpikeIndex,
    sums: LaggedSums<T>,
}

impl<T: Transformable> RecordedSide<T> {
    fn products(&mut self, recorded: &RecordedTrials, width: usize, products: &mut Vec<T>) {
        let RecordedTrials {
            spikes: recorded,
            layout,
            keys,
        } = recorded;
        if self.kept.centred(recorded, layout, keys, width, products) {
            return;
        }
        let (n, lags, first) = (recorded.units(), self.lags, layout.first_bin());
        let (bins, margin) = (layout.max_bins(), lags - 1);
        let equal = (0..layout.trials()).all(|k| layout.bins(k) == bins);
        if equal || !self.wrap {
            // One centred side is enough, so the other may be the spikes themselves; with unequal
            // trials that wrap it is not.
            surround(&mut self.signal, recorded, layout, margin, self.wrap);
            self.spikes.build(recorded, layout);
            let part_of_slot = vec![0; layout.trials()];
            products.clear();
            products.resize(n * lags * width, T::zero());
            let lagged = Lagged {
                by_source: &self.spikes,
                signal: &self.signal,
                margin,
                first_bin: first,
                lags,
                part_of_trial: &part_of_slot,
            };
            lagged.add_products(&mut self.sums, std::slice::from_mut(products));
        } else {
            self.signal.reshape(layout.trials(), bins, 0, n);
            fill_signal(&mut self.signal, layout, 0, n, spikes_of(recorded));
            let means = Means::new(&self.signal, layout, n);
            let deviations = means.deviations(&self.signal, true);
            (self.lagged).forward(deviations, n, width, first, bins - first, products);
        }
    }
}

/// Mean over the trials of each condition, and what belongs to which.
struct Means<T> {
    /// `[bin][unit]` of each condition.
    means: Vec<Vec<T>>,
    /// Of each slot.
    conditions: Vec<usize>,
    ends: Vec<usize>,
}

impl<T: Real> Means<T> {
    fn new(rows: &TrialArray<T>, layout: &TrialLayout, units: usize) -> Self {
        let mut conditions = vec![0; layout.trials()];
        let mut means = Vec::with_capacity(layout.groups().len());
        for (at, group) in layout.groups().iter().enumerate() {
            group.slots.iter().for_each(|&k| conditions[k] = at);
            let row = |k, t| rows.row(k, t);
            let mean = mean_over_trials(layout, &group.slots, units, row, T::f64);
            means.push(mean.into_iter().map(T::new).collect());
        }
        Self {
            means,
            conditions,
            ends: (0..layout.trials()).map(|k| layout.bins(k)).collect(),
        }
    }

    fn deviations<'a>(&'a self, rows: &'a TrialArray<T>, wrap: bool) -> Deviations<'a, T> {
        Deviations {
            rows,
            means: &self.means,
            conditions: &self.conditions,
            ends: &self.ends,
            wrap,
        }
    }
}

/// Spikes as numbers, bin by bin.
fn spikes_of<T: Real>(spikes: &TrialArray<u8>) -> impl Fn(usize, usize, &mut [T]) {
    |k, t, row| {
        for (x, &z) in row.iter_mut().zip(spikes.row(k, t)) {
            *x = T::new(f64::from(z));
        }
    }
}

/// Spikes, centred over the trials of each condition, with `margin` bins on either side of the scored
/// window: its other end where time wraps, zeros elsewhere. Bin `t` of a trial lies in row `t + margin`;
/// one more row of zeros follows, and zeros fill up every row to whole SIMD registers.
fn surround<T: Real>(
    signal: &mut TrialArray<T>,
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    margin: usize,
    wrap: bool,
) {
    let (first, bins, units) = (layout.first_bin(), layout.max_bins(), spikes.units());
    let width = units.next_multiple_of(LANES);
    signal.reshape(layout.trials(), bins + margin, margin + 1, width);
    fill_signal(signal, layout, margin, units, spikes_of(spikes));
    for part in parts(layout, 1) {
        centre(signal, margin, layout, &part.slots, |_| 1.0);
    }
    if !wrap {
        return;
    }
    let (start, window) = (first + margin, bins - first);
    for k in 0..layout.trials() {
        let trial = signal.trial_mut(k);
        for row in (first..start).chain(start + window..start + window + margin) {
            let from = start + (row as isize - start as isize).rem_euclid(window as isize) as usize;
            trial.copy_within(from * width..(from + 1) * width, row * width);
        }
    }
}
