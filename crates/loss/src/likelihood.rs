//! Likelihood of the recorded spikes (MLE term).

use crate::{LossError, LossTerm, Sample};
use rayon::prelude::*;
use refire_kernels::{LANES, Real, dispatch};
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

    fn is_mean_of_bins(&self) -> bool {
        true
    }

    fn evaluate(
        &mut self,
        sample: &Sample<'_, T>,
        weight: f64,
        cotangents: &mut Cotangents<T>,
    ) -> Result<f64, LossError> {
        let (layout, trajectory, observed) = (sample.layout, sample.trajectory, self.observed);
        let count = (layout.scored_bins() * observed).max(1) as f64;
        let units = cotangents.potential.units();
        // Whole SIMD registers where there are units enough; those that are not observed get no
        // cotangent, and their sums are left out.
        let lanes = observed.next_multiple_of(LANES).min(units);
        let mut scale = vec![T::of(weight / count); observed];
        scale.resize(lanes, T::zero());
        let len = cotangents.potential.trial_len().max(1);
        let per_slot: Vec<f64> = cotangents
            .potential
            .as_mut_slice()
            .par_chunks_mut(len)
            .enumerate()
            .map(|(slot, cotangents)| {
                dispatch(
                    #[inline(always)]
                    || {
                        // A sum per unit, so that the units of a bin are added at once.
                        let mut sums = vec![0.0f64; lanes];
                        for t in layout.first_bin()..layout.bins(slot) {
                            let v = &trajectory.potential.row(slot, t)[..lanes];
                            let p = &trajectory.probability.row(slot, t)[..lanes];
                            let z = &trajectory.spikes.row(slot, t)[..lanes];
                            let cotangent = &mut cotangents[t * units..][..lanes];
                            let rows = cotangent.iter_mut().zip(&mut sums).zip(&scale);
                            for ((((c, sum), &scale), (&v, &p)), &z) in
                                rows.zip(v.iter().zip(p)).zip(z)
                            {
                                *sum += self.escape.surprise_given(v, p, z != 0).f64();
                                *c += scale * self.escape.surprise_slope(v, p, z != 0);
                            }
                        }
                        sums[..observed].iter().sum::<f64>()
                    },
                )
            })
            .collect();
        Ok(per_slot.iter().sum::<f64>() / count)
    }
}
