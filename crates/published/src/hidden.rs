//! Mean rate of hidden units as published.

use refire_core::TrialLayout;
use refire_kernels::Real;
use refire_loss::{LossError, LossTerm};
use refire_sim::{AdjointSink, Window};
use std::ops::Range;

/// Mean over hidden units of `(r_i - target)^2`, `r_i` the mean spike count per bin.
///
/// ```text
/// dL/dz[k,t,i] = 2 (r_i - target) / (H N)        N scored (trial, bin) pairs, H hidden units
/// ```
#[derive(Clone, Debug)]
pub struct PublishedHiddenRate {
    hidden: Range<usize>,
    /// Spikes per bin.
    target: f64,
    /// Per hidden unit: its spikes, then `r_i - target`.
    error: Vec<f64>,
    /// Scored (trial, bin) pairs of the pass.
    count: f64,
    weight: f64,
}

impl PublishedHiddenRate {
    /// The indices of the hidden units; `target` in spikes per bin (published: 0.17).
    pub fn new(hidden: Range<usize>, target: f64) -> Self {
        Self {
            error: vec![0.0; hidden.len()],
            hidden,
            target,
            count: 0.0,
            weight: 0.0,
        }
    }
}

impl<T: Real> LossTerm<T> for PublishedHiddenRate {
    fn name(&self) -> &'static str {
        "hidden-rate"
    }

    fn needs_all_bins(&self) -> bool {
        true
    }

    fn begin(&mut self, whole: &TrialLayout, _with_adjoints: bool) -> Result<(), LossError> {
        self.count = whole.scored_bins() as f64;
        self.error.fill(0.0);
        Ok(())
    }

    fn measure(&mut self, window: &Window<'_, T>) {
        let layout = window.layout;
        for trial in 0..layout.trials() {
            for t in layout.first_bin()..layout.bins(trial) {
                let z = &window.trajectory.spikes.row(trial, t)[self.hidden.clone()];
                for (e, &z) in self.error.iter_mut().zip(z) {
                    *e += f64::from(z);
                }
            }
        }
    }

    fn finish(&mut self, weight: f64) -> Result<(), LossError> {
        for e in &mut self.error {
            *e = *e / self.count - self.target;
        }
        self.weight = weight;
        Ok(())
    }

    fn add_adjoints(&mut self, window: &Window<'_, T>, sink: &mut AdjointSink<'_, T>) {
        let layout = window.layout;
        let scale = 2.0 * self.weight / (self.hidden.len().max(1) as f64 * self.count);
        let d_spikes = sink.spikes();
        for trial in 0..layout.trials() {
            for t in layout.first_bin()..layout.bins(trial) {
                let into = &mut d_spikes.row_mut(trial, t)[self.hidden.clone()];
                for (into, &e) in into.iter_mut().zip(&self.error) {
                    *into += T::new(scale * e);
                }
            }
        }
    }

    fn value(&self) -> f64 {
        let hidden = self.hidden.len().max(1) as f64;
        self.error.iter().map(|e| e * e).sum::<f64>() / hidden
    }
}
