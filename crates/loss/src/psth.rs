//! PSTH terms: trial-averaged activity of model and data.

use crate::covariance::{longest, parts, valid};
use crate::{DataStatistics, LossError, LossTerm, Sample};
use refire_core::{TrialArray, TrialLayout};
use refire_kernels::Real;
use refire_neuron::EscapeNoise;
use refire_sim::{Cotangents, Mode, Trajectory};
use std::sync::Arc;

const NAME: &str = "psth";

/// Published form: cross-entropy of the trial-averaged recorded spikes of the batch against the
/// trial-averaged probabilities of the model, mean over (bin, unit), conditions weighted by their
/// trials.
///
/// ```text
/// P = mean_k p   Q = mean_k (1 - p)   Y = mean_k z        L = mean_{t,i} -(Y ln P + (1 - Y) ln Q)
/// dL/dp[k,t,i] = ((1 - Y)/Q - Y/P) / (K T n)
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
        let (layout, n) = (sample.layout, self.observed);
        let mut value = 0.0;
        let (mut p_mean, mut q_mean, mut y_mean) = (vec![0.0; n], vec![0.0; n], vec![0.0; n]);
        let mut slope = vec![0.0f64; n];
        for group in layout.groups() {
            let data = recorded_layout
                .groups()
                .iter()
                .find(|g| g.condition == group.condition)
                .ok_or(LossError::UnknownCondition {
                    term: NAME,
                    condition: group.condition,
                })?;
            let end = longest(layout, &group.slots).min(longest(recorded_layout, &data.slots));
            let share = group.slots.len() as f64 / layout.trials() as f64;
            let scale = share / ((end - layout.first_bin()) * n).max(1) as f64;
            for t in layout.first_bin()..end {
                mean_probability(
                    sample.trajectory,
                    layout,
                    &group.slots,
                    t,
                    &mut p_mean,
                    false,
                );
                mean_probability(
                    sample.trajectory,
                    layout,
                    &group.slots,
                    t,
                    &mut q_mean,
                    true,
                );
                mean_spikes(recorded, recorded_layout, &data.slots, t, &mut y_mean);
                let count = valid(layout, &group.slots, t) as f64;
                for i in 0..n {
                    // A saturated probability must not give ln 0.
                    let p = p_mean[i].max(f64::MIN_POSITIVE);
                    let q = q_mean[i].max(f64::MIN_POSITIVE);
                    value -= scale * (y_mean[i] * p.ln() + (1.0 - y_mean[i]) * q.ln());
                    slope[i] = weight * scale * ((1.0 - y_mean[i]) / q - y_mean[i] / p) / count;
                }
                for &k in group.slots.iter().filter(|&&k| layout.bins(k) > t) {
                    add_through_escape(&self.escape, sample.trajectory, k, t, &slope, cotangents);
                }
            }
        }
        Ok(value)
    }
}

/// Corrected form: product of the errors of two independent halves of the free-running trials, in
/// units of each unit's standard deviation. Its expectation at the true parameters is zero for any
/// number of trials, while a plain square has the model's own trial-to-trial variance over K as
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
                let end = longest(layout, &pair[0].slots)
                    .min(longest(layout, &pair[1].slots))
                    .min(data.bins);
                (end > layout.first_bin()).then_some((pair, data, end))
            })
            .collect();
        let trials: usize = usable.iter().map(|(_, data, _)| data.trials).sum();
        if trials == 0 || spiking == 0 {
            return Err(LossError::NoUsableCondition {
                term: NAME,
                needed: 2,
            });
        }
        let mut value = 0.0;
        let mut error = [vec![0.0f64; n], vec![0.0f64; n]];
        let mut slope = vec![0.0f64; n];
        for (pair, data, end) in usable {
            let share = data.trials as f64 / trials as f64;
            let scale = share / ((end - layout.first_bin()) * spiking) as f64;
            for t in layout.first_bin()..end {
                for (part, error) in pair.iter().zip(&mut error) {
                    mean_probability(sample.trajectory, layout, &part.slots, t, error, false);
                    let y = &data.psth[t * n..(t + 1) * n];
                    for ((e, &y), &s) in error.iter_mut().zip(y).zip(sd) {
                        *e = if s > 0.0 { (y - *e) / s } else { 0.0 };
                    }
                }
                value += scale
                    * error[0]
                        .iter()
                        .zip(&error[1])
                        .map(|(a, b)| a * b)
                        .sum::<f64>();
                for (half, part) in pair.iter().enumerate() {
                    let count = valid(layout, &part.slots, t) as f64;
                    for ((d, &e), &s) in slope.iter_mut().zip(&error[1 - half]).zip(sd) {
                        *d = if s > 0.0 {
                            -weight * scale * e / (s * count)
                        } else {
                            0.0
                        };
                    }
                    for &k in part.slots.iter().filter(|&&k| layout.bins(k) > t) {
                        add_through_escape(
                            &self.escape,
                            sample.trajectory,
                            k,
                            t,
                            &slope,
                            cotangents,
                        );
                    }
                }
            }
        }
        Ok(value)
    }
}

/// Mean over the valid trials of `p` (or of `1 - p`), f64.
fn mean_probability<T: Real>(
    trajectory: &Trajectory<T>,
    layout: &TrialLayout,
    slots: &[usize],
    t: usize,
    mean: &mut [f64],
    complement: bool,
) {
    mean.fill(0.0);
    let count = valid(layout, slots, t).max(1) as f64;
    for &k in slots.iter().filter(|&&k| layout.bins(k) > t) {
        for (m, &p) in mean.iter_mut().zip(trajectory.probability.row(k, t)) {
            *m += if complement {
                (T::one() - p).f64()
            } else {
                p.f64()
            };
        }
    }
    mean.iter_mut().for_each(|m| *m /= count);
}

fn mean_spikes(
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    slots: &[usize],
    t: usize,
    mean: &mut [f64],
) {
    mean.fill(0.0);
    let count = valid(layout, slots, t).max(1) as f64;
    for &k in slots.iter().filter(|&&k| layout.bins(k) > t) {
        for (m, &z) in mean.iter_mut().zip(spikes.row(k, t)) {
            *m += f64::from(z);
        }
    }
    mean.iter_mut().for_each(|m| *m /= count);
}

/// `dL/dv += dL/dp * dp/dv` for one bin of one trial.
fn add_through_escape<T: Real, E: EscapeNoise<T>>(
    escape: &E,
    trajectory: &Trajectory<T>,
    slot: usize,
    t: usize,
    d_probability: &[f64],
    cotangents: &mut Cotangents<T>,
) {
    let (v, p) = (
        trajectory.potential.row(slot, t),
        trajectory.probability.row(slot, t),
    );
    let cotangent = cotangents.potential.row_mut(slot, t);
    for (((c, &d), &v), &p) in cotangent.iter_mut().zip(d_probability).zip(v).zip(p) {
        *c += T::of(d) * escape.slope(v, p);
    }
}
