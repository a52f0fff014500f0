//! Likelihood of the recorded spikes (MLE term).

use crate::{LossError, LossTerm};
use rayon::prelude::*;
use refire_core::TrialLayout;
use refire_kernels::{LANES, Real, dispatch};
use refire_neuron::EscapeNoise;
use refire_sim::{AdjointSink, Mode, Window};

/// Mean over (trial, bin, observed unit) of the Bernoulli cross-entropy of the recorded spike
/// against the teacher-forced potential, nats.
///
/// ```text
/// L = 1/N sum -ln P(z | v)        dL/dv = (1/N) d(-ln P(z | v))/dv     (logistic: (p - z)/N)
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Likelihood<E> {
    escape: E,
    observed: usize,
    /// Scored (trial, bin, observed unit) of the pass.
    count: f64,
    with_adjoints: bool,
    weight: f64,
    /// Nats of the windows so far.
    sum: f64,
}

impl<E> Likelihood<E> {
    /// The term for the first `observed` units.
    pub fn new(escape: E, observed: usize) -> Self {
        Self {
            escape,
            observed,
            count: 1.0,
            with_adjoints: false,
            weight: 0.0,
            sum: 0.0,
        }
    }
}

impl<T: Real, E: EscapeNoise<T> + Send> LossTerm<T> for Likelihood<E> {
    fn name(&self) -> &'static str {
        "mle"
    }

    fn mode(&self) -> Mode {
        Mode::TeacherForced
    }

    fn begin(&mut self, whole: &TrialLayout, with_adjoints: bool) -> Result<(), LossError> {
        self.count = (whole.scored_bins() * self.observed).max(1) as f64;
        self.with_adjoints = with_adjoints;
        self.sum = 0.0;
        Ok(())
    }

    // Every bin counts by itself, so that value and adjoints may be had in one go.
    fn measure(&mut self, window: &Window<'_, T>) {
        if self.with_adjoints {
            return;
        }
        let (layout, trajectory, observed) = (window.layout, window.trajectory, self.observed);
        let lanes = lanes(observed, trajectory.potential.units());
        let nats: Vec<f64> = (0..layout.trials())
            .into_par_iter()
            .map(|trial| {
                dispatch(
                    #[inline(always)]
                    || {
                        let mut sums = vec![0.0f64; lanes];
                        for t in layout.first_bin()..layout.bins(trial) {
                            let v = &trajectory.potential.row(trial, t)[..lanes];
                            let p = &trajectory.probability.row(trial, t)[..lanes];
                            let z = &trajectory.spikes.row(trial, t)[..lanes];
                            for ((sum, (&v, &p)), &z) in sums.iter_mut().zip(v.iter().zip(p)).zip(z)
                            {
                                *sum += self.escape.surprise_given(v, p, z != 0).f64();
                            }
                        }
                        sums[..observed].iter().sum::<f64>()
                    },
                )
            })
            .collect();
        self.sum += nats.iter().sum::<f64>();
    }

    fn finish(&mut self, weight: f64) -> Result<(), LossError> {
        self.weight = weight;
        Ok(())
    }

    fn add_adjoints(&mut self, window: &Window<'_, T>, sink: &mut AdjointSink<'_, T>) {
        let (layout, trajectory, observed) = (window.layout, window.trajectory, self.observed);
        let potential = sink.potential();
        let (units, len) = (potential.units(), potential.trial_len().max(1));
        // Units that are not observed get no adjoint, and their sums are left out.
        let lanes = lanes(observed, units);
        let mut scale = vec![T::new(self.weight / self.count); observed];
        scale.resize(lanes, T::zero());
        let nats: Vec<f64> = potential
            .as_mut_slice()
            .par_chunks_mut(len)
            .enumerate()
            .map(|(trial, adjoints)| {
                dispatch(
                    #[inline(always)]
                    || {
                        // A sum per unit, so that the units of a bin are added at once.
                        let mut sums = vec![0.0f64; lanes];
                        for t in layout.first_bin()..layout.bins(trial) {
                            let v = &trajectory.potential.row(trial, t)[..lanes];
                            let p = &trajectory.probability.row(trial, t)[..lanes];
                            let z = &trajectory.spikes.row(trial, t)[..lanes];
                            let into = &mut adjoints[t * units..][..lanes];
                            let rows = into.iter_mut().zip(&mut sums).zip(&scale);
                            for ((((into, sum), &scale), (&v, &p)), &z) in
                                rows.zip(v.iter().zip(p)).zip(z)
                            {
                                *sum += self.escape.surprise_given(v, p, z != 0).f64();
                                *into += scale * self.escape.surprise_slope(v, p, z != 0);
                            }
                        }
                        sums[..observed].iter().sum::<f64>()
                    },
                )
            })
            .collect();
        self.sum += nats.iter().sum::<f64>();
    }

    fn value(&self) -> f64 {
        self.sum / self.count
    }
}

/// Whole SIMD registers for `observed` units, where rows of `units` have as many.
fn lanes(observed: usize, units: usize) -> usize {
    observed.next_multiple_of(LANES).min(units)
}
