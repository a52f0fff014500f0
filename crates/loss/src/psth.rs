//! PSTH term: trial-averaged activity of model and data.

use crate::trials::{for_each_bin, mean_over_trials, parts, valid_trials};
use crate::{DataStatistics, LossError, LossTerm};
use refire_core::TrialLayout;
use refire_kernels::Real;
use refire_sim::{AdjointSink, Window};
use std::sync::Arc;

const NAME: &str = "psth";

/// Product of the errors of two independent halves of the free-running trials, in
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
pub struct Psth {
    data: Arc<DataStatistics>,
    /// What is measured of the pass.
    measured: Vec<Measured>,
    /// Errors of both halves in the last window, per condition `[bin][unit]`.
    errors: Vec<[Vec<f64>; 2]>,
    /// First bin of that window, until its errors have become slopes.
    window: Option<usize>,
    value: f64,
    weight: f64,
}

/// A condition that both sides can measure.
#[derive(Clone, Debug)]
struct Measured {
    condition: usize,
    /// Trials with even and with odd places.
    halves: [Vec<usize>; 2],
    /// The end of the shorter half, or of the recorded trials.
    end: usize,
    /// `K_c / (K T n)`.
    scale: f64,
}

impl Measured {
    /// Its scored bins in a window.
    fn bins<T>(&self, window: &Window<'_, T>) -> std::ops::Range<usize> {
        let end = self.end.saturating_sub(window.start);
        window.layout.first_bin()..end.min(window.layout.max_bins())
    }
}

impl Psth {
    /// The term against the statistics of the training trials.
    pub fn new(data: Arc<DataStatistics>) -> Self {
        Self {
            data,
            measured: Vec::new(),
            errors: Vec::new(),
            window: None,
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

    /// Takes the errors of both halves in the bins of a window.
    fn take_errors<T: Real>(&mut self, window: &Window<'_, T>) {
        let Window {
            layout,
            start,
            trajectory,
        } = *window;
        let sd = &self.data.total_sd;
        let n = sd.len();
        self.errors
            .resize_with(self.measured.len(), Default::default);
        for (of, errors) in self.measured.iter().zip(&mut self.errors) {
            let bins = of.bins(window);
            let data = self.data.condition(of.condition);
            let Some(data) = data.filter(|_| !bins.is_empty()) else {
                *errors = Default::default();
                continue;
            };
            let recorded = &data.psth[start * n..];
            let p = &trajectory.probability;
            *errors = [0, 1].map(|half: usize| {
                let row = |k, t| p.row(k, t);
                let mut error = mean_over_trials(layout, &of.halves[half], n, row, T::f64);
                for_each_bin(
                    &mut error[..bins.end * n],
                    n,
                    bins.start,
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
        }
        self.window = Some(start);
    }
}

impl<T: Real> LossTerm<T> for Psth {
    fn name(&self) -> &'static str {
        NAME
    }

    // Every bin counts by itself; only what it is divided by belongs to the whole.
    fn begin(&mut self, whole: &TrialLayout, _with_adjoints: bool) -> Result<(), LossError> {
        self.measured = self.measured(whole)?;
        self.value = 0.0;
        Ok(())
    }

    fn measure(&mut self, window: &Window<'_, T>) {
        self.take_errors(window);
        let n = self.data.total_sd.len();
        for (of, [even, odd]) in self.measured.iter().zip(&mut self.errors) {
            let bins = of.bins(window);
            if even.is_empty() {
                continue;
            }
            self.value += for_each_bin(
                &mut even[..bins.end * n],
                n,
                bins.start,
                #[inline(always)]
                |t, even: &mut [f64]| {
                    let products = even.iter().zip(&odd[t * n..]).map(|(a, b)| a * b);
                    of.scale * products.sum::<f64>()
                },
            );
        }
    }

    fn finish(&mut self, weight: f64) -> Result<(), LossError> {
        self.weight = weight;
        Ok(())
    }

    fn add_adjoints(&mut self, window: &Window<'_, T>, sink: &mut AdjointSink<'_, T>) {
        if self.window.take() != Some(window.start) {
            self.take_errors(window);
            self.window = None;
        }
        let (layout, sd) = (window.layout, &self.data.total_sd);
        let n = sd.len();
        for (of, errors) in self.measured.iter().zip(&mut self.errors) {
            let bins = of.bins(window);
            // Each half's errors become the slopes of the other half.
            for (half, error) in errors.iter_mut().rev().enumerate() {
                if error.is_empty() {
                    continue;
                }
                let (valid, scale) = (valid_trials(layout, &of.halves[half]), of.scale);
                let weight = self.weight;
                for_each_bin(
                    &mut error[..bins.end * n],
                    n,
                    bins.start,
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
                let slopes: Vec<T> = error[..bins.end * n].iter().map(|&x| T::new(x)).collect();
                sink.add_probability(&of.halves[half], n, |_| &slopes);
            }
        }
    }

    fn value(&self) -> f64 {
        self.value
    }
}
