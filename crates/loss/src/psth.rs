//! PSTH terms: trial-averaged activity of model and data.

use crate::trials::{add_through_escape, for_each_bin, mean_over_trials, parts, valid_trials};
use crate::{DataStatistics, LossError, LossTerm, Sample, WindowedTerm};
use refire_core::TrialLayout;
use refire_kernels::Real;
use refire_neuron::EscapeNoise;
use refire_sim::{Cotangents, Mode};
use std::sync::Arc;

const NAME: &str = "psth";

/// Least mean probability: a saturated one must give neither ln 0 nor a slope that `f32` cannot hold.
const FLOOR: f64 = 1e-30;

/// Published form: cross-entropy of the trial-averaged recorded spikes of the batch against the
/// trial-averaged probabilities of the model, mean over (bin, unit), conditions weighted by their
/// trials.
///
/// ```text
/// P = mean_k p      Y = mean_k z      L = mean_{t,i} -(Y ln P + (1 - Y) ln (1 - P))
/// dL/dp[k,t,i] = ((1 - Y)/(1 - P) - Y/P) / (K T n)
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PublishedPsth<E> {
    escape: E,
    observed: usize,
}

impl<E> PublishedPsth<E> {
    /// The term for the first `observed` units.
    pub fn new(escape: E, observed: usize) -> Self {
        Self { escape, observed }
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> LossTerm<T> for PublishedPsth<E> {
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
        let (layout, n, p) = (sample.layout, self.observed, &sample.trajectory.probability);
        let mut value = 0.0;
        for group in layout.groups() {
            let data = recorded_layout
                .groups()
                .iter()
                .find(|g| g.condition == group.condition)
                .ok_or(LossError::UnknownCondition {
                    term: NAME,
                    condition: group.condition,
                })?;
            let valid = valid_trials(layout, &group.slots);
            let model_row = |k, t| p.row(k, t);
            let mut slope = mean_over_trials(layout, &group.slots, n, model_row, T::f64);
            let data_row = |k, t| recorded.row(k, t);
            let y = mean_over_trials(recorded_layout, &data.slots, n, data_row, f64::from);
            let end = slope.len().min(y.len()) / n.max(1);
            let share = group.slots.len() as f64 / layout.trials() as f64;
            let scale = share / ((end - layout.first_bin()) * n).max(1) as f64;
            value += for_each_bin(
                &mut slope[..end * n],
                n,
                layout.first_bin(),
                #[inline(always)]
                |t, row: &mut [f64]| {
                    let mut sum = 0.0;
                    let count = valid[t] as f64;
                    for (p, &y) in row.iter_mut().zip(&y[t * n..]) {
                        let (model, complement) = (p.max(FLOOR), (1.0 - *p).max(FLOOR));
                        let ln = |x: f64| T::of(x).ln_fast().f64();
                        sum += y * ln(model) + (1.0 - y) * ln(complement);
                        *p = weight * scale * ((1.0 - y) / complement - y / model) / count;
                    }
                    -scale * sum
                },
            );
            add_through_escape(
                &self.escape,
                sample.trajectory,
                (layout, &group.slots, end),
                |_, t| &slope[t * n..(t + 1) * n],
                T::of,
                cotangents,
            );
        }
        Ok(value)
    }
}

/// Corrected form: product of the errors of two independent halves of the free-running trials, in
/// units of each unit's standard deviation. Its expected gradient vanishes at the true parameters for
/// any number of trials, while a plain square has the model's own trial-to-trial variance over K as
/// bias.
///
/// ```text
/// e_h[c,t,i] = (Y[c,t,i] - mean_{k in h} p[k,t,i]) / s_i
/// L = sum_c K_c/K mean_{t,i} e_0 e_1
/// dL/dp[k,t,i] = -K_c/K e_{other half} / (s_i K_h T n)
/// ```
#[derive(Clone, Debug)]
pub struct Psth<E> {
    escape: E,
    data: Arc<DataStatistics>,
    /// What is measured of a pass that comes window by window, and what it has come to.
    measured: Vec<Measured>,
    value: f64,
    weight: f64,
}

/// A condition that both sides can measure.
#[derive(Clone, Debug)]
struct Measured {
    condition: usize,
    /// Slots of even and odd trials.
    halves: [Vec<usize>; 2],
    /// The end of the shorter half, or of the recorded trials.
    end: usize,
    /// `K_c / (K T n)`.
    scale: f64,
}

impl<E> Psth<E> {
    /// The term against the statistics of the training trials.
    pub fn new(escape: E, data: Arc<DataStatistics>) -> Self {
        Self {
            escape,
            data,
            measured: Vec::new(),
            value: 0.0,
            weight: 0.0,
        }
    }

    /// The conditions of a pass that both sides can measure.
    fn measured(&self, layout: &TrialLayout) -> Result<Vec<Measured>, LossError> {
        let spiking = self.data.total_sd.iter().filter(|&&s| s > 0.0).count();
        // Even trials come first in each pair of parts; the shorter half decides.
        let mut measured = Vec::new();
        let mut trials = 0;
        for pair in parts(layout, 2).chunks_exact(2) {
            let Some(data) = self.data.condition(pair[0].condition) else {
                continue;
            };
            let bins = [0, 1].map(|half| valid_trials(layout, &pair[half].slots).len());
            let end = bins[0].min(bins[1]).min(data.bins);
            if end > layout.first_bin() {
                trials += data.trials;
                measured.push(Measured {
                    condition: pair[0].condition,
                    halves: [0, 1].map(|half| pair[half].slots.clone()),
                    end,
                    scale: data.trials as f64,
                });
            }
        }
        if trials == 0 || spiking == 0 {
            return Err(LossError::NoUsableCondition {
                term: NAME,
                needed: 2,
            });
        }
        for of in &mut measured {
            let share = of.scale / trials as f64;
            of.scale = share / ((of.end - layout.first_bin()) * spiking) as f64;
        }
        Ok(measured)
    }

    /// What the bins of a sample, which starts at bin `start` of the pass, add to the value; adds their
    /// cotangents where these are given.
    fn add_bins<T: Real>(
        &self,
        of: &Measured,
        sample: &Sample<'_, T>,
        start: usize,
        cotangents: Option<(f64, &mut Cotangents<T>)>,
    ) -> f64
    where
        E: EscapeNoise<T>,
    {
        let (layout, sd, scale) = (sample.layout, &self.data.total_sd, of.scale);
        let Some(data) = self.data.condition(of.condition) else {
            return 0.0;
        };
        let (n, first) = (sd.len(), layout.first_bin());
        let end = of.end.saturating_sub(start).min(layout.max_bins());
        if end <= first {
            return 0.0;
        }
        let recorded = &data.psth[start * n..];
        let p = &sample.trajectory.probability;
        let mut errors = [0, 1].map(|half: usize| {
            let row = |k, t| p.row(k, t);
            let mut error = mean_over_trials(layout, &of.halves[half], n, row, T::f64);
            for_each_bin(
                &mut error[..end * n],
                n,
                first,
                #[inline(always)]
                |t, row: &mut [f64]| {
                    for ((e, &y), &s) in row.iter_mut().zip(&recorded[t * n..]).zip(sd) {
                        *e = if s > 0.0 { (y - *e) / s } else { 0.0 };
                    }
                    0.0
                },
            );
            error
        });
        let [even, odd] = &mut errors;
        // Each half's errors become the slopes of the other half.
        let value = for_each_bin(
            &mut even[..end * n],
            n,
            first,
            #[inline(always)]
            |t, even: &mut [f64]| {
                let products = even.iter().zip(&odd[t * n..]).map(|(a, b)| a * b);
                scale * products.sum::<f64>()
            },
        );
        let Some((weight, cotangents)) = cotangents else {
            return value;
        };
        for (half, error) in errors.iter_mut().rev().enumerate() {
            let valid = valid_trials(layout, &of.halves[half]);
            for_each_bin(
                &mut error[..end * n],
                n,
                first,
                #[inline(always)]
                |t, row: &mut [f64]| {
                    let count = valid[t] as f64;
                    for (e, &s) in row.iter_mut().zip(sd) {
                        *e *= if s > 0.0 {
                            -weight * scale / (s * count)
                        } else {
                            0.0
                        };
                    }
                    0.0
                },
            );
            add_through_escape(
                &self.escape,
                sample.trajectory,
                (layout, &of.halves[half], end),
                |_, t| &error[t * n..(t + 1) * n],
                T::of,
                cotangents,
            );
        }
        value
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> LossTerm<T> for Psth<E> {
    fn name(&self) -> &'static str {
        NAME
    }

    fn pass(&self) -> Mode {
        Mode::FreeRunning
    }

    fn windowed(&mut self) -> Option<&mut dyn WindowedTerm<T>> {
        Some(self)
    }

    fn evaluate(
        &mut self,
        sample: &Sample<'_, T>,
        weight: f64,
        cotangents: &mut Cotangents<T>,
    ) -> Result<f64, LossError> {
        let mut value = 0.0;
        for of in self.measured(sample.layout)? {
            value += self.add_bins(&of, sample, 0, Some((weight, &mut *cotangents)));
        }
        Ok(value)
    }
}

/// Every bin counts by itself; only what it is divided by belongs to the whole.
impl<T: Real, E: EscapeNoise<T> + Send> WindowedTerm<T> for Psth<E> {
    fn begin(&mut self, whole: &TrialLayout, _replayed: bool) -> Result<(), LossError> {
        self.measured = self.measured(whole)?;
        self.value = 0.0;
        Ok(())
    }

    fn measure(&mut self, window: &Sample<'_, T>, start: usize) {
        let of_conditions = self.measured.iter();
        let values = of_conditions.map(|of| self.add_bins(of, window, start, None));
        self.value += values.sum::<f64>();
    }

    fn finish(&mut self, weight: f64) -> Result<f64, LossError> {
        self.weight = weight;
        Ok(self.value)
    }

    fn add_cotangents(
        &mut self,
        window: &Sample<'_, T>,
        start: usize,
        cotangents: &mut Cotangents<T>,
    ) {
        for of in &self.measured {
            self.add_bins(of, window, start, Some((self.weight, &mut *cotangents)));
        }
    }
}
