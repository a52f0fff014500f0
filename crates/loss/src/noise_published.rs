//! Noise-covariance term, published form.

use crate::covariance::{add_lagged_products, centre, fill_signal};
use crate::recorded::RecordedProducts;
use crate::spectral::{LaggedProducts, Signal};
use crate::trials::{add_through_escape, mean_over_trials, parts};
use crate::{LossError, LossTerm, Sample};
use refire_core::{SpikeIndex, TrialArray, TrialLayout};
use refire_kernels::{LANES, Real};
use refire_neuron::EscapeNoise;
use refire_sim::{Cotangents, LaggedSums, Mode};

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
pub struct PublishedNoiseCovariance<T, E> {
    escape: E,
    observed: usize,
    lags: usize,
    wrap: bool,
    model: TrialArray<T>,
    data: TrialArray<T>,
    gradient: TrialArray<T>,
    products: [Vec<T>; 2],
    lagged: LaggedProducts<T>,
    recorded: RecordedProducts,
    spikes: SpikeIndex,
    sums: LaggedSums<T>,
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
            lagged: LaggedProducts::new(lags),
            recorded: RecordedProducts::new(lags, wrap),
            spikes: SpikeIndex::default(),
            sums: LaggedSums::default(),
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
        let norms: Vec<(f64, f64)> = (0..lags)
            .map(|d| (self.norm(layout, d), self.norm(recorded_layout, d)))
            .collect();
        let [model, data] = &mut self.products;
        let width = n.next_multiple_of(LANES);
        let kept = &mut self.recorded;
        if !kept.centred(recorded, recorded_layout, sample.recorded_keys, width, data) {
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
            let equal = (0..recorded_layout.trials())
                .all(|k| recorded_layout.bins(k) == recorded_layout.max_bins());
            if equal || !self.wrap {
                // One centred side is enough, so the other may be the spikes themselves; with
                // unequal trials that wrap it is not.
                self.spikes.build(recorded, recorded_layout);
                let part_of_slot = vec![0; recorded_layout.trials()];
                data.clear();
                data.resize(n * lags * width, T::zero());
                add_lagged_products(
                    &self.spikes,
                    &self.data,
                    margin,
                    first,
                    lags,
                    &part_of_slot,
                    (&mut self.sums, std::slice::from_mut(data)),
                );
            } else {
                let bins = recorded_layout.max_bins() - first;
                let signal = Signal::Surrounded(&self.data);
                self.lagged.forward(signal, (n, width), first, bins, data);
            }
        }
        // The model's last: the way back needs its spectra.
        let bins = layout.max_bins() - first;
        if self.wrap {
            let fill = |k, t, row: &mut [T]| row.copy_from_slice(&p.row(k, t)[..n]);
            surround(&mut self.model, layout, n, margin, true, fill);
            let signal = Signal::Surrounded(&self.model);
            self.lagged.forward(signal, (n, width), first, bins, model);
        } else {
            let (means, of_slot) = means_of_conditions(p, layout, n);
            let means: Vec<&[T]> = of_slot.iter().map(|&group| &means[group][..]).collect();
            let ends: Vec<usize> = (0..layout.trials()).map(|k| layout.bins(k)).collect();
            let signal = Signal::Deviations {
                rows: p,
                means: &means,
                bins: &ends,
            };
            self.lagged.forward(signal, (n, width), first, bins, model);
        }

        let entries = (n * lags * n) as f64;
        let mut value = 0.0;
        let rows = model.chunks_exact_mut(width).zip(data.chunks_exact(width));
        for ((model, data), &(model_norm, data_norm)) in rows.zip(norms.iter().cycle()) {
            for (model, data) in model[..n].iter_mut().zip(data) {
                let error = data.f64() / data_norm - model.f64() / model_norm;
                value += error * error;
                *model = T::of(-2.0 * weight * error / (entries * model_norm));
            }
        }
        self.add_cotangents(sample, cotangents);
        Ok(value / entries)
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> PublishedNoiseCovariance<T, E> {
    /// Back from the products, which have become slopes, through the centring and the escape
    /// function.
    fn add_cotangents(&mut self, sample: &Sample<'_, T>, cotangents: &mut Cotangents<T>) {
        let layout = sample.layout;
        let (first, bins) = (layout.first_bin(), layout.max_bins());
        let width = self.observed.next_multiple_of(LANES);
        let shape = (layout.trials(), bins, width);
        let gradient = &self.gradient;
        if (gradient.trials(), gradient.bins(), gradient.units()) != shape {
            // What fills up rows is never written: once zero, always zero.
            self.gradient.reset(layout.trials(), bins, 0, width);
        }
        let slopes = &self.products[0];
        self.lagged.backward(
            slopes,
            self.observed,
            first,
            bins - first,
            &mut self.gradient,
        );
        for part in parts(layout, 1) {
            // A linear map of deviations, whose mean over trials is zero where all are as long.
            let bins_of_first = part.slots.first().map(|&k| layout.bins(k));
            let equal = |&k: &usize| Some(layout.bins(k)) == bins_of_first;
            if !part.slots.iter().all(equal) {
                centre(&mut self.gradient, 0, layout, &part.slots, |_| 1.0);
            }
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

/// Mean over the trials of each condition, `[bin][unit]`, and the condition's place of every slot.
fn means_of_conditions<T: Real>(
    rows: &TrialArray<T>,
    layout: &TrialLayout,
    units: usize,
) -> (Vec<Vec<T>>, Vec<usize>) {
    let mut of_slot = vec![0; layout.trials()];
    let mut means = Vec::with_capacity(layout.groups().len());
    for (at, group) in layout.groups().iter().enumerate() {
        group.slots.iter().for_each(|&k| of_slot[k] = at);
        let row = |k, t| rows.row(k, t);
        let mean = mean_over_trials(layout, &group.slots, units, row, T::f64);
        means.push(mean.into_iter().map(T::of).collect());
    }
    (means, of_slot)
}

/// Fills a signal, centres it over the trials of each condition, and puts `margin` bins on either
/// side of the scored window: its other end where time wraps, zeros elsewhere. Bin `t` of a trial
/// lies in row `t + margin`; one more row of zeros follows, and zeros fill up every row to whole
/// SIMD registers.
fn surround<T: Real>(
    signal: &mut TrialArray<T>,
    layout: &TrialLayout,
    units: usize,
    margin: usize,
    wrap: bool,
    fill: impl Fn(usize, usize, &mut [T]) + Sync,
) {
    let (first, bins) = (layout.first_bin(), layout.max_bins());
    let width = units.next_multiple_of(LANES);
    signal.reshape(layout.trials(), bins + margin, margin + 1, width);
    fill_signal(signal, layout, margin, units, fill);
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
