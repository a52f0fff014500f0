//! Noise-covariance term, published form.

use crate::covariance::{add_lagged_products, centre, fill_signal};
use crate::trials::{add_through_escape, parts};
use crate::{LossError, LossTerm, Sample};
use rayon::prelude::*;
use refire_core::{SpikeIndex, TrialArray, TrialLayout};
use refire_kernels::{MatrixMut, MatrixRef, Real, matmul};
use refire_neuron::EscapeNoise;
use refire_sim::{Cotangents, Mode};

const NAME: &str = "nc";

/// Up to this number of units the gradient is computed for two bins at once: a matrix product whose
/// result has few columns wastes some of them.
const FEW_UNITS: usize = 128;

/// Mean square difference of the lagged covariances about the trial mean, probabilities on both
/// sides of the model and spikes on both sides of the data (those of the batch), diagonal included,
/// in spikes per bin squared.
///
/// ```text
/// C[d,i,j] = sum_{k,t} x_i[k,t] x_j[k,t-d] / N_d       x = p - mean, time circular, N_d = K T
/// L        = 1/(D n^2) sum_{d,i,j} (C_data - C_model)^2
/// G        = dL/dC / N_d = -2 (C_data - C_model) / (D n^2 N_d)
/// dL/dx_i[k,t] = sum_{d,j} G[d,i,j] x_j[k,t-d] + sum_{d,j} G[d,j,i] x_j[k,t+d]
///              = sum_{o,j} kernel[o,j,i] x_j[k,t+o]      o = 1-D ..= D-1
/// ```
///
/// Without `wrap` the end of a trial does not meet its start, and `N_d = K (T - d)`.
#[derive(Clone, Debug)]
pub struct PublishedNoiseCovariance<T, E> {
    escape: E,
    observed: usize,
    lags: usize,
    wrap: bool,
    model: TrialArray<T>,
    data: TrialArray<T>,
    gradient: TrialArray<T>,
    products: [Vec<T>; 2],
    kernel: Vec<T>,
    recorded: SpikeIndex,
}

impl<T: Real, E> PublishedNoiseCovariance<T, E> {
    /// The term for the first `observed` units at lags `0..lags`; `wrap` as published.
    pub fn new(escape: E, observed: usize, lags: usize, wrap: bool) -> Self {
        Self {
            escape,
            observed,
            lags,
            wrap,
            model: TrialArray::default(),
            data: TrialArray::default(),
            gradient: TrialArray::default(),
            products: [Vec::new(), Vec::new()],
            kernel: Vec::new(),
            recorded: SpikeIndex::default(),
        }
    }

    fn norm(&self, layout: &TrialLayout, lag: usize) -> f64 {
        let cut = if self.wrap { 0 } else { lag };
        let bins = |k| (layout.bins(k) - layout.first_bin()).saturating_sub(cut);
        (0..layout.trials()).map(bins).sum::<usize>().max(1) as f64
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> LossTerm<T> for PublishedNoiseCovariance<T, E> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pass(&self) -> Mode {
        Mode::FreeRunning
    }

    fn evaluate(
        &mut self,
        sample: &Sample<'_, T>,
        weight: f64,
        cotangents: &mut Cotangents<T>,
    ) -> Result<f64, LossError> {
        let Some((recorded, recorded_layout)) = sample.recorded else {
            return Err(LossError::NoRecordedTrials { term: NAME });
        };
        let (layout, n, lags) = (sample.layout, self.observed, self.lags);
        let (first, margin) = (layout.first_bin(), lags - 1);
        let p = &sample.trajectory.probability;
        surround(
            &mut self.model,
            layout,
            n,
            margin,
            self.wrap,
            |k, t, row| {
                row.copy_from_slice(&p.row(k, t)[..n]);
            },
        );
        surround(
            &mut self.data,
            recorded_layout,
            n,
            margin,
            self.wrap,
            |k, t, row| {
                for (x, &z) in row.iter_mut().zip(recorded.row(k, t)) {
                    *x = T::of(f64::from(z));
                }
            },
        );
        let [model, data] = &mut self.products;
        dense_products(&self.model, first + margin, layout, lags, model);
        let equal = (0..recorded_layout.trials())
            .all(|k| recorded_layout.bins(k) == recorded_layout.max_bins());
        if equal || !self.wrap {
            // One centred side is enough, so the other may be the spikes themselves; with
            // unequal trials that wrap it is not.
            self.recorded.build(recorded, recorded_layout);
            let half = vec![0; recorded_layout.trials()];
            data.clear();
            data.resize(n * lags * n, T::zero());
            let mut sums = [std::mem::take(data)];
            add_lagged_products(
                &self.recorded,
                &self.data,
                margin,
                first,
                lags,
                &half,
                &mut sums,
            );
            let [sums] = sums;
            *data = sums;
        } else {
            dense_products(&self.data, first + margin, recorded_layout, lags, data);
        }

        let entries = (n * lags * n) as f64;
        let norms: Vec<(f64, f64)> = (0..lags)
            .map(|d| (self.norm(layout, d), self.norm(recorded_layout, d)))
            .collect();
        let at_once = if n <= FEW_UNITS { 2 } else { 1 };
        let columns = at_once * n;
        self.kernel.clear();
        self.kernel
            .resize((2 * lags - 2 + at_once) * n * columns, T::zero());
        let mut value = 0.0;
        let [model, data] = &self.products;
        for (at, (model, data)) in model.iter().zip(data).enumerate() {
            let (j, d, i) = (at / (lags * n), at / n % lags, at % n);
            let error = data.f64() / norms[d].1 - model.f64() / norms[d].0;
            value += error * error;
            let slope = T::of(-2.0 * weight * error / (entries * norms[d].0));
            for bin in 0..at_once {
                let mut add = |offset: usize, from: usize, to: usize| {
                    self.kernel[((offset + bin) * n + from) * columns + bin * n + to] += slope;
                };
                add(lags - 1 - d, j, i);
                add(lags - 1 + d, i, j);
            }
        }
        self.add_cotangents(sample, at_once, cotangents);
        Ok(value / entries)
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> PublishedNoiseCovariance<T, E> {
    /// `dL/dx[t] = x[t-L+1 ..= t+L-1] . kernel`, `at_once` bins by one row of a matrix product per
    /// trial, then back through the centring and the escape function.
    fn add_cotangents(
        &mut self,
        sample: &Sample<'_, T>,
        at_once: usize,
        cotangents: &mut Cotangents<T>,
    ) {
        let (layout, n) = (sample.layout, self.observed);
        let (first, bins) = (layout.first_bin(), layout.max_bins());
        let (columns, window) = (at_once * n, (2 * self.lags - 2 + at_once) * n);
        self.gradient.reset(layout.trials(), bins, at_once - 1, n);
        let len = self.gradient.trial_len().max(1);
        let (signal, kernel) = (&self.model, &self.kernel);
        self.gradient
            .as_mut_slice()
            .par_chunks_mut(len)
            .enumerate()
            .for_each(|(k, gradient)| {
                let rows = (layout.bins(k) - first).div_ceil(at_once);
                matmul(
                    MatrixRef::rows(&signal.trial(k)[first * n..], rows, window, columns),
                    MatrixRef::rows(kernel, window, columns, columns),
                    T::zero(),
                    MatrixMut::rows(&mut gradient[first * n..], rows, columns, columns),
                );
            });
        for part in parts(layout, 1) {
            centre(&mut self.gradient, 0, layout, &part.slots, |_| 1.0);
            add_through_escape(
                &self.escape,
                sample.trajectory,
                (layout, &part.slots, bins),
                |k, t| self.gradient.row(k, t),
                |d| d,
                cotangents,
            );
        }
    }
}

/// Fills a signal, centres it over the trials of each condition, and puts `margin` bins on either
/// side of the scored window: its other end where time wraps, zeros elsewhere. Bin `t` of a trial
/// lies in row `t + margin`; one more row of zeros follows.
fn surround<T: Real>(
    signal: &mut TrialArray<T>,
    layout: &TrialLayout,
    units: usize,
    margin: usize,
    wrap: bool,
    fill: impl Fn(usize, usize, &mut [T]) + Sync,
) {
    let (first, bins) = (layout.first_bin(), layout.max_bins());
    signal.reset(layout.trials(), bins + margin, margin + 1, units);
    fill_signal(signal, layout, margin, fill);
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
            trial.copy_within(from * units..(from + 1) * units, row * units);
        }
    }
}

/// `M[j,d,i] = sum_{k,s} x_j[k,s] x_i[k,s+d]` over the window that starts in row `start`: one
/// matrix product per lag and trial.
fn dense_products<T: Real>(
    signal: &TrialArray<T>,
    start: usize,
    layout: &TrialLayout,
    lags: usize,
    products: &mut Vec<T>,
) {
    let n = signal.units();
    let rows = layout.max_bins() - layout.first_bin();
    let mut by_lag = vec![T::zero(); lags * n * n];
    by_lag
        .par_chunks_mut((n * n).max(1))
        .enumerate()
        .for_each(|(lag, products)| {
            for k in 0..signal.trials() {
                let window = &signal.trial(k)[start * n..];
                matmul(
                    MatrixRef::rows(window, rows, n, n).transposed(),
                    MatrixRef::rows(&window[lag * n..], rows, n, n),
                    T::one(),
                    MatrixMut::rows(products, n, n, n),
                );
            }
        });
    products.clear();
    for source in 0..n {
        for lag in by_lag.chunks_exact((n * n).max(1)) {
            products.extend_from_slice(&lag[source * n..(source + 1) * n]);
        }
    }
}
