//! Mean rate of hidden units, held near a target.

use crate::{LossError, LossTerm};
use refire_core::TrialLayout;
use refire_kernels::Real;
use refire_sim::{AdjointSink, Window};
use std::ops::Range;

/// Square error of the mean rates, from probabilities, in units of the standard deviation of a unit at the
/// target rate, so that a weight means the same at every bin width.
///
/// ```text
/// L = mean_i ((r_i - target)/s)^2     r_i = mean p_i     s^2 = target (1 - target)
/// dL/dp[k,t,i] = 2 (r_i - target) / (s^2 H N)         N scored (trial, bin) pairs, H hidden units
/// ```
#[derive(Clone, Debug)]
pub struct HiddenRate {
    hidden: Range<usize>,
    /// The same, one by one.
    units: Vec<u32>,
    /// Spikes per bin.
    target: f64,
    /// Per hidden unit: the sum of its probabilities, then `r_i - target`.
    error: Vec<f64>,
    /// Scored (trial, bin) pairs of the pass.
    count: f64,
    /// `2 weight / (s^2 H N)`.
    scale: f64,
    value: f64,
}

impl HiddenRate {
    /// The indices of the hidden units; `target` in spikes per bin, strictly between 0
    /// and 1: the mean rate of the observed units, where nothing better is known.
    pub fn new(hidden: Range<usize>, target: f64) -> Self {
        Self {
            units: hidden.clone().map(|unit| unit as u32).collect(),
            error: vec![0.0; hidden.len()],
            hidden,
            target,
            count: 0.0,
            scale: 0.0,
            value: 0.0,
        }
    }
}

impl<T: Real> LossTerm<T> for HiddenRate {
    fn name(&self) -> &'static str {
        "hidden-rate"
    }

    fn begin(&mut self, whole: &TrialLayout, _with_adjoints: bool) -> Result<(), LossError> {
        self.error.fill(0.0);
        self.count = whole.scored_bins() as f64;
        Ok(())
    }

    fn measure(&mut self, window: &Window<'_, T>) {
        let (layout, trajectory) = (window.layout, window.trajectory);
        for trial in 0..layout.trials() {
            for t in layout.first_bin()..layout.bins(trial) {
                let p = &trajectory.probability.row(trial, t)[self.hidden.clone()];
                for (e, &p) in self.error.iter_mut().zip(p) {
                    *e += p.f64();
                }
            }
        }
    }

    fn finish(&mut self, weight: f64) -> Result<(), LossError> {
        let (hidden, count) = (self.hidden.len().max(1) as f64, self.count);
        let variance = self.target * (1.0 - self.target);
        for e in &mut self.error {
            *e = *e / count - self.target;
        }
        self.scale = 2.0 * weight / (variance * hidden * count);
        self.value = self.error.iter().map(|e| e * e).sum::<f64>() / (variance * hidden);
        Ok(())
    }

    fn add_adjoints(&mut self, window: &Window<'_, T>, sink: &mut AdjointSink<'_, T>) {
        let layout = window.layout;
        let slopes = self.error.iter().map(|&e| T::new(self.scale * e));
        let row: Vec<T> = slopes.collect();
        let rows = row.repeat(layout.max_bins());
        let trials: Vec<usize> = (0..layout.trials()).collect();
        sink.of_units(&self.units)
            .add_probability(&trials, row.len(), |_| &rows);
    }

    fn value(&self) -> f64 {
        self.value
    }
}
