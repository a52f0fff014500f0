//! Likelihood of the recorded spikes (MLE term).

use crate::{LossError, LossTerm, Sample};
use refire_kernels::Real;
use refire_neuron::EscapeNoise;
use refire_sim::{Cotangents, Mode};

/// Mean over (trial, bin, observed unit) of the Bernoulli cross-entropy of the recorded spike
/// against the clamped potential, nats.
///
/// ```text
/// L = 1/N sum -ln P(z | v)        dL/dv = (1/N) d(-ln P(z | v))/dv     (logistic: (p - z)/N)
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Likelihood<E> {
    escape: E,
    observed: usize,
}

impl<E> Likelihood<E> {
    /// The term for the first `observed` units.
    pub fn new(escape: E, observed: usize) -> Self {
        Self { escape, observed }
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> LossTerm<T> for Likelihood<E> {
    fn name(&self) -> &'static str {
        "mle"
    }

    fn pass(&self) -> Mode {
        Mode::Clamped
    }

    fn evaluate(
        &mut self,
        sample: &Sample<'_, T>,
        weight: f64,
        cotangents: &mut Cotangents<T>,
    ) -> Result<f64, LossError> {
        let count = (sample.layout.scored_bins() * self.observed).max(1) as f64;
        let scale = T::of(weight / count);
        let mut sum = 0.0f64;
        for slot in 0..sample.layout.trials() {
            for t in sample.layout.first_bin()..sample.layout.bins(slot) {
                let v = &sample.trajectory.potential.row(slot, t)[..self.observed];
                let p = &sample.trajectory.probability.row(slot, t)[..self.observed];
                let z = &sample.trajectory.spikes.row(slot, t)[..self.observed];
                let cotangent = &mut cotangents.potential.row_mut(slot, t)[..self.observed];
                for (((c, &v), &p), &z) in cotangent.iter_mut().zip(v).zip(p).zip(z) {
                    sum += self.escape.surprise(v, z != 0).f64();
                    *c += scale * self.escape.surprise_slope(v, p, z != 0);
                }
            }
        }
        Ok(sum / count)
    }
}
