//! Noise-covariance term, published form.

use crate::covariance::{add_lagged_products, centre, parts};
use crate::{LossError, LossTerm, Sample};
use rayon::prelude::*;
use refire_core::{SpikeIndex, TrialArray, TrialLayout};
use refire_kernels::{MatrixMut, MatrixRef, Real, matmul};
use refire_neuron::EscapeNoise;
use refire_sim::{Cotangents, Mode};

const NAME: &str = "nc";

/// Sources of one parallel task; fixed, so that results do not depend on the number of threads.
const SOURCE_BLOCK: usize = 24;

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
pub struct PublishedNoiseCovariance<T, E> {
    escape: E,
    observed: usize,
    lags: usize,
    wrap: bool,
    model: TrialArray<T>,
    data: TrialArray<T>,
    gradient: TrialArray<T>,
    products: [Vec<T>; 2],
    reversed: Vec<T>,
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
            reversed: Vec::new(),
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
        for products in &mut self.products {
            products.clear();
            products.resize(n * lags * n, T::zero());
        }
        let [model, data] = &mut self.products;
        add_dense_products(&self.model, first + margin, lags, model);
        let equal = (0..recorded_layout.trials())
            .all(|k| recorded_layout.bins(k) == recorded_layout.max_bins());
        if equal || !self.wrap {
            // One centred side is enough, so the other may be the spikes themselves; with
            // unequal trials that wrap it is not.
            self.recorded.build(recorded, recorded_layout);
            let half = vec![0; recorded_layout.trials()];
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
            add_dense_products(&self.data, first + margin, lags, data);
        }

        let entries = (n * lags * n) as f64;
        let norms: Vec<(f64, f64)> = (0..lags)
            .map(|d| (self.norm(layout, d), self.norm(recorded_layout, d)))
            .collect();
        let mut value = 0.0;
        let [model, data] = &mut self.products;
        self.reversed.clear();
        self.reversed.resize(n * lags * n, T::zero());
        for (at, (model, &data)) in model.iter_mut().zip(&*data).enumerate() {
            let (j, d, i) = (at / (lags * n), at / n % lags, at % n);
            let error = data.f64() / norms[d].1 - model.f64() / norms[d].0;
            value += error * error;
            *model = T::of(-2.0 * weight * error / (entries * norms[d].0));
            self.reversed[((lags - 1 - d) * n + j) * n + i] = *model;
        }
        self.add_cotangents(sample, cotangents);
        Ok(value / entries)
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> PublishedNoiseCovariance<T, E> {
    fn add_cotangents(&mut self, sample: &Sample<'_, T>, cotangents: &mut Cotangents<T>) {
        let (layout, n, lags) = (sample.layout, self.observed, self.lags);
        let (first, rows) = (layout.first_bin(), layout.max_bins() - layout.first_bin());
        self.gradient
            .reset(layout.trials(), layout.max_bins(), 0, n);
        let len = self.gradient.trial_len().max(1);
        let (signal, slopes, reversed) = (&self.model, &self.products[0], &self.reversed);
        self.gradient
            .as_mut_slice()
            .par_chunks_mut(len)
            .enumerate()
            .for_each(|(k, gradient)| {
                let behind = &signal.trial(k)[first * n..];
                let ahead = &signal.trial(k)[(first + lags - 1) * n..];
                let gradient = &mut gradient[first * n..];
                matmul(
                    MatrixRef::rows(behind, rows, lags * n, n),
                    MatrixRef::rows(reversed, lags * n, n, n),
                    T::zero(),
                    MatrixMut::rows(gradient, rows, n, n),
                );
                matmul(
                    MatrixRef::rows(ahead, rows, lags * n, n),
                    MatrixRef::rows(slopes, n, lags * n, lags * n).transposed(),
                    T::one(),
                    MatrixMut::rows(gradient, rows, n, n),
                );
            });
        for part in parts(layout, 1) {
            centre(&mut self.gradient, layout, &part.slots, |_| 1.0);
            for &k in &part.slots {
                for t in first..layout.bins(k) {
                    let v = sample.trajectory.potential.row(k, t);
                    let p = sample.trajectory.probability.row(k, t);
                    let cotangent = cotangents.potential.row_mut(k, t);
                    let d = self.gradient.row(k, t);
                    for (((c, &d), &v), &p) in cotangent.iter_mut().zip(d).zip(v).zip(p) {
                        *c += d * self.escape.slope(v, p);
                    }
                }
            }
        }
    }
}

/// Fills a signal, centres it over the trials of each condition, and puts `margin` bins on either
/// side of the scored window: its other end where time wraps, zeros elsewhere. Bin `t` of a trial
/// lies in row `t + margin`.
fn surround<T: Real>(
    signal: &mut TrialArray<T>,
    layout: &TrialLayout,
    units: usize,
    margin: usize,
    wrap: bool,
    mut fill: impl FnMut(usize, usize, &mut [T]),
) {
    let (first, bins) = (layout.first_bin(), layout.max_bins());
    let mut plain = TrialArray::<T>::zeros(layout.trials(), bins, 0, units);
    for k in 0..layout.trials() {
        for t in first..layout.bins(k) {
            fill(k, t, plain.row_mut(k, t));
        }
    }
    for part in parts(layout, 1) {
        centre(&mut plain, layout, &part.slots, |_| 1.0);
    }
    signal.reset(layout.trials(), bins + margin, margin, units);
    let window = bins - first;
    for k in 0..layout.trials() {
        for row in first..bins + 2 * margin {
            let offset = row as isize - (first + margin) as isize;
            let inside = (0..window as isize).contains(&offset);
            if inside || wrap {
                let t = first + offset.rem_euclid(window as isize) as usize;
                signal.row_mut(k, row).copy_from_slice(plain.row(k, t));
            }
        }
    }
}

/// `M[j,d,i] += sum_{k,s} x_j[k,s] x_i[k,s+d]` over the window that starts in row `start`: one
/// matrix product per trial and block of sources.
fn add_dense_products<T: Real>(
    signal: &TrialArray<T>,
    start: usize,
    lags: usize,
    products: &mut [T],
) {
    let n = signal.units();
    let rows = signal.bins() - start;
    products
        .par_chunks_mut(SOURCE_BLOCK * lags * n)
        .enumerate()
        .for_each(|(block, products)| {
            let sources = products.len() / (lags * n);
            for k in 0..signal.trials() {
                let window = &signal.trial(k)[start * n..];
                let own = &window[block * SOURCE_BLOCK..];
                matmul(
                    MatrixRef::rows(own, rows, sources, n).transposed(),
                    MatrixRef::rows(window, rows, lags * n, n),
                    T::one(),
                    MatrixMut::rows(products, sources, lags * n, lags * n),
                );
            }
        });
}
