//! PSTH terms: trial-averaged activity of model and data.

use crate::trials::{add_through_escape, for_each_bin, mean_over_trials, parts, valid_trials};
use crate::{DataStatistics, LossError, LossTerm, Sample};
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
                        sum -= scale * (y * model.ln() + (1.0 - y) * complement.ln());
                        *p = weight * scale * ((1.0 - y) / complement - y / model) / count;
                    }
                    sum
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
}

impl<E> Psth<E> {
    /// The term against the statistics of the training trials.
    pub fn new(escape: E, data: Arc<DataStatistics>) -> Self {
        Self { escape, data }
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> LossTerm<T> for Psth<E> {
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
        let (layout, sd) = (sample.layout, &self.data.total_sd);
        let n = sd.len();
        let spiking = sd.iter().filter(|&&s| s > 0.0).count();
        let halves = parts(layout, 2);
        // Even trials come first in each pair of parts; the shorter half decides.
        let usable: Vec<_> = halves
            .chunks_exact(2)
            .filter_map(|pair| {
                let data = self.data.condition(pair[0].condition)?;
                let valid = [0, 1].map(|half| valid_trials(layout, &pair[half].slots));
                let end = valid[0].len().min(valid[1].len()).min(data.bins);
                (end > layout.first_bin()).then_some((pair, valid, data, end))
            })
            .collect();
        let trials: usize = usable.iter().map(|(_, _, data, _)| data.trials).sum();
        if trials == 0 || spiking == 0 {
            return Err(LossError::NoUsableCondition {
                term: NAME,
                needed: 2,
            });
        }
        let p = &sample.trajectory.probability;
        let mut value = 0.0;
        for (pair, valid, data, end) in usable {
            let share = data.trials as f64 / trials as f64;
            let scale = share / ((end - layout.first_bin()) * spiking) as f64;
            let mut errors = [0, 1].map(|half: usize| {
                let row = |k, t| p.row(k, t);
                let mut error = mean_over_trials(layout, &pair[half].slots, n, row, T::f64);
                for_each_bin(
                    &mut error[..end * n],
                    n,
                    layout.first_bin(),
                    #[inline(always)]
                    |t, row: &mut [f64]| {
                        for ((e, &y), &s) in row.iter_mut().zip(&data.psth[t * n..]).zip(sd) {
                            *e = if s > 0.0 { (y - *e) / s } else { 0.0 };
                        }
                        0.0
                    },
                );
                error
            });
            let [even, odd] = &mut errors;
            // Each half's errors become the slopes of the other half.
            value += for_each_bin(
                &mut even[..end * n],
                n,
                layout.first_bin(),
                #[inline(always)]
                |t, even: &mut [f64]| {
                    let products = even.iter().zip(&odd[t * n..]).map(|(a, b)| a * b);
                    scale * products.sum::<f64>()
                },
            );
            for (half, error) in errors.iter_mut().rev().enumerate() {
                for_each_bin(
                    &mut error[..end * n],
                    n,
                    layout.first_bin(),
                    #[inline(always)]
                    |t, row: &mut [f64]| {
                        let count = valid[half][t] as f64;
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
                    (layout, &pair[half].slots, end),
                    |_, t| &error[t * n..(t + 1) * n],
                    T::of,
                    cotangents,
                );
            }
        }
        Ok(value)
    }
}
