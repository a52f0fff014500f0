//! PSTH term as published.

use crate::BatchTrials;
use refire_core::TrialLayout;
use refire_kernels::Real;
use refire_loss::trials::{for_each_bin, mean_over_trials, valid_trials};
use refire_loss::{LossError, LossTerm};
use refire_sim::{AdjointSink, Window};

const NAME: &str = "psth";

/// Least mean probability: a saturated one must give neither ln 0 nor a slope that `f32` cannot hold.
const FLOOR: f64 = 1e-30;

/// Cross-entropy of the trial-averaged recorded spikes of the batch against the
/// trial-averaged probabilities of the model, mean over (bin, unit), conditions weighted by their
/// trials.
///
/// ```text
/// P = mean_k p      Y = mean_k z      L = mean_{t,i} -(Y ln P + (1 - Y) ln (1 - P))
/// dL/dp[k,t,i] = ((1 - Y)/(1 - P) - Y/P) / (K T n)
/// ```
#[derive(Clone, Debug)]
pub struct PublishedPsth {
    batch: BatchTrials,
    observed: usize,
    errors: Vec<Errors>,
    weight: f64,
    value: Result<f64, LossError>,
}

/// What one condition adds to `dL/dp`.
#[derive(Clone, Debug)]
struct Errors {
    trials: Vec<usize>,
    /// Trials that are valid in each bin.
    valid: Vec<usize>,
    /// `1 / (T n)`, weighted by trials.
    scale: f64,
    /// `(1 - Y)/(1 - P) - Y/P`, `[bin][unit]`.
    errors: Vec<f64>,
}

impl PublishedPsth {
    /// The term for the first `observed` units.
    pub fn new(observed: usize, batch: BatchTrials) -> Self {
        Self {
            batch,
            observed,
            errors: Vec::new(),
            weight: 0.0,
            value: Ok(0.0),
        }
    }

    fn value_and_errors<T: Real>(&mut self, window: &Window<'_, T>) -> Result<f64, LossError> {
        let Some(recorded) = self.batch.get() else {
            return Err(LossError::NoRecordedTrials { term: NAME });
        };
        let (layout, n) = (window.layout, self.observed);
        let p = &window.trajectory.probability;
        let mut value = 0.0;
        self.errors.clear();
        for group in layout.groups() {
            let data = recorded
                .layout
                .groups()
                .iter()
                .find(|g| g.condition == group.condition)
                .ok_or(LossError::UnknownCondition {
                    term: NAME,
                    condition: group.condition,
                })?;
            let valid = valid_trials(layout, &group.slots);
            let model_row = |k, t| p.row(k, t);
            let mut errors = mean_over_trials(layout, &group.slots, n, model_row, T::f64);
            let data_row = |k, t| recorded.spikes.row(k, t);
            let y = mean_over_trials(&recorded.layout, &data.slots, n, data_row, f64::from);
            let end = errors.len().min(y.len()) / n.max(1);
            let share = group.slots.len() as f64 / layout.trials() as f64;
            let scale = share / ((end - layout.first_bin()) * n).max(1) as f64;
            errors.truncate(end * n);
            value += for_each_bin(
                &mut errors,
                n,
                layout.first_bin(),
                #[inline(always)]
                |t, row: &mut [f64]| {
                    let mut sum = 0.0;
                    for (p, &y) in row.iter_mut().zip(&y[t * n..]) {
                        let (model, complement) = (p.max(FLOOR), (1.0 - *p).max(FLOOR));
                        let ln = |x: f64| T::new(x).ln_fast().f64();
                        sum += y * ln(model) + (1.0 - y) * ln(complement);
                        *p = (1.0 - y) / complement - y / model;
                    }
                    -scale * sum
                },
            );
            self.errors.push(Errors {
                trials: group.slots.clone(),
                valid,
                scale,
                errors,
            });
        }
        Ok(value)
    }
}

impl<T: Real> LossTerm<T> for PublishedPsth {
    fn name(&self) -> &'static str {
        NAME
    }

    fn needs_all_bins(&self) -> bool {
        true
    }

    fn begin(&mut self, _whole: &TrialLayout, _with_adjoints: bool) -> Result<(), LossError> {
        Ok(())
    }

    fn measure(&mut self, window: &Window<'_, T>) {
        self.value = self.value_and_errors(window);
    }

    fn finish(&mut self, weight: f64) -> Result<(), LossError> {
        self.value.clone()?;
        self.weight = weight;
        Ok(())
    }

    fn add_adjoints(&mut self, _window: &Window<'_, T>, sink: &mut AdjointSink<'_, T>) {
        let n = self.observed;
        for of in &self.errors {
            let slope = |(at, error): (usize, &f64)| {
                let count = of.valid[at / n.max(1)] as f64;
                T::new(self.weight * of.scale * error / count)
            };
            let slopes: Vec<T> = of.errors.iter().enumerate().map(slope).collect();
            sink.add_probability(&of.trials, n, |_| &slopes);
        }
    }

    fn value(&self) -> f64 {
        self.value.clone().unwrap_or(f64::NAN)
    }
}
