//! Mean rate of hidden units, held near a target.

use crate::{LossError, LossTerm, Sample, WindowedTerm};
use refire_core::TrialLayout;
use refire_kernels::Real;
use refire_neuron::EscapeNoise;
use refire_sim::{Cotangents, Mode};
use std::ops::Range;

/// Published form: mean over hidden units of `(r_i - target)^2`, `r_i` the mean spike count per
/// bin.
///
/// ```text
/// dL/dz[k,t,i] = 2 (r_i - target) / (H N)        N scored (trial, bin) pairs, H hidden units
/// ```
#[derive(Clone, Debug)]
pub struct PublishedHiddenRate {
    hidden: Range<usize>,
    target: f64,
}

impl PublishedHiddenRate {
    /// The indices of the hidden units; `target` in spikes per bin (published: 0.17).
    pub fn new(hidden: Range<usize>, target: f64) -> Self {
        Self { hidden, target }
    }
}

impl<T: Real> LossTerm<T> for PublishedHiddenRate {
    fn name(&self) -> &'static str {
        "hidden-rate"
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
        let layout = sample.layout;
        let hidden = self.hidden.len();
        let count = layout.scored_bins() as f64;
        let mut error = vec![0.0f64; hidden];
        for slot in 0..layout.trials() {
            for t in layout.first_bin()..layout.bins(slot) {
                let z = &sample.trajectory.spikes.row(slot, t)[self.hidden.clone()];
                for (e, &z) in error.iter_mut().zip(z) {
                    *e += f64::from(z);
                }
            }
        }
        for e in &mut error {
            *e = *e / count - self.target;
        }
        let scale = 2.0 * weight / (hidden.max(1) as f64 * count);
        let d_spikes = cotangents.spikes_mut();
        for slot in 0..layout.trials() {
            for t in layout.first_bin()..layout.bins(slot) {
                let cotangent = &mut d_spikes.row_mut(slot, t)[self.hidden.clone()];
                for (c, &e) in cotangent.iter_mut().zip(&error) {
                    *c += T::of(scale * e);
                }
            }
        }
        Ok(error.iter().map(|e| e * e).sum::<f64>() / hidden.max(1) as f64)
    }
}

/// Corrected form: from probabilities, whose mean is the same and whose noise is usually smaller, and in
/// units of the standard deviation of a unit at the target rate, so that a weight means the same
/// at every bin width.
///
/// ```text
/// L = mean_i ((r_i - target)/s)^2     r_i = mean p_i     s^2 = target (1 - target)
/// dL/dp[k,t,i] = 2 (r_i - target) / (s^2 H N)
/// ```
#[derive(Clone, Debug)]
pub struct HiddenRate<E> {
    escape: E,
    hidden: Range<usize>,
    target: f64,
    /// Per hidden unit: the sum of its probabilities, then `r_i - target`.
    error: Vec<f64>,
    /// Scored (trial, bin) pairs of the pass.
    count: f64,
    /// `2 weight / (s^2 H N)`.
    scale: f64,
}

impl<E> HiddenRate<E> {
    /// The indices of the hidden units; `target` in spikes per bin, strictly between 0
    /// and 1: the mean rate of the observed units, where nothing better is known.
    pub fn new(escape: E, hidden: Range<usize>, target: f64) -> Self {
        Self {
            escape,
            error: vec![0.0; hidden.len()],
            hidden,
            target,
            count: 0.0,
            scale: 0.0,
        }
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> LossTerm<T> for HiddenRate<E> {
    fn name(&self) -> &'static str {
        "hidden-rate"
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
        // The whole pass is one window.
        WindowedTerm::<T>::begin(self, sample.layout, true)?;
        self.measure(sample, 0);
        let value = WindowedTerm::<T>::finish(self, weight)?;
        self.add_cotangents(sample, 0, cotangents);
        Ok(value)
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> WindowedTerm<T> for HiddenRate<E> {
    fn begin(&mut self, whole: &TrialLayout, _replayed: bool) -> Result<(), LossError> {
        self.error.fill(0.0);
        self.count = whole.scored_bins() as f64;
        Ok(())
    }

    fn measure(&mut self, window: &Sample<'_, T>, _start: usize) {
        let (layout, trajectory) = (window.layout, window.trajectory);
        for slot in 0..layout.trials() {
            for t in layout.first_bin()..layout.bins(slot) {
                let p = &trajectory.probability.row(slot, t)[self.hidden.clone()];
                for (e, &p) in self.error.iter_mut().zip(p) {
                    *e += p.f64();
                }
            }
        }
    }

    fn finish(&mut self, weight: f64) -> Result<f64, LossError> {
        let (hidden, count) = (self.hidden.len(), self.count);
        let variance = self.target * (1.0 - self.target);
        for e in &mut self.error {
            *e = *e / count - self.target;
        }
        self.scale = 2.0 * weight / (variance * hidden.max(1) as f64 * count);
        Ok(self.error.iter().map(|e| e * e).sum::<f64>() / (variance * hidden.max(1) as f64))
    }

    fn add_cotangents(
        &mut self,
        window: &Sample<'_, T>,
        _start: usize,
        cotangents: &mut Cotangents<T>,
    ) {
        let (layout, trajectory) = (window.layout, window.trajectory);
        for slot in 0..layout.trials() {
            for t in layout.first_bin()..layout.bins(slot) {
                let v = &trajectory.potential.row(slot, t)[self.hidden.clone()];
                let p = &trajectory.probability.row(slot, t)[self.hidden.clone()];
                let cotangent = &mut cotangents.potential.row_mut(slot, t)[self.hidden.clone()];
                for (((c, &e), &v), &p) in cotangent.iter_mut().zip(&self.error).zip(v).zip(p) {
                    *c += T::of(self.scale * e) * self.escape.slope(v, p);
                }
            }
        }
    }
}
