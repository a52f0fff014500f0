//! Probabilities given the past alone, where units of one bin act on each other.

use crate::{FitError, Model};
use rayon::prelude::*;
use refire_core::{TrialLayout, for_each_fired};
use refire_kernels::dispatch;
use refire_neuron::{EscapeNoise, Logistic, UnitDynamics};
use refire_random::{KeyedUniforms, Purpose, Stream, Uniforms};
use refire_sim::{BinRows, Trajectory};

/// Draws of the spikes of a bin that a probability is the mean of. The mean of a logarithm is then below the logarithm of
/// the mean by half the variance of `p` over `p^2` and this number: about 0.002 nats per spike where `p` varies by half of
/// itself.
pub const DRAWS: u32 = 64;

/// Negative log-likelihood of recorded spikes given the past alone, nats, over all scored bins; `None` without same-bin
/// couplings, as [`joint_surprise`] is that already:
///
/// ```text
/// -ln P(z_j | past)       P(z_j = 1 | past) = E[p_j] over the spikes of the units before j in the bin
/// ```
///
/// `forced` are potentials of a teacher-forced pass over `layout`, with what the recorded spikes of each bin add to them.
///
/// # Errors
/// [`FitError`] where the model cannot be run.
pub(crate) fn surprise(
    model: &Model,
    forced: &Trajectory<f32>,
    layout: &TrialLayout,
) -> Result<Option<f64>, FitError> {
    let (padded, observed) = (model.network()?, model.observed());
    let network = padded.network()?;
    let keys: Vec<u32> = (0..layout.trials() as u32).collect();
    let stream = Stream::new(model.spec.seed, Purpose::PastOnly);
    let units = padded.units();
    let Some(same_bin) = &network.same_bin else {
        return Ok(None);
    };
    let gain = network.dynamics.gain();
    let of_trials: Vec<f64> = (0..layout.trials())
        .into_par_iter()
        .map(|k| {
            dispatch(
                #[inline(always)]
                || {
                    let (mut without, mut within) = (vec![0.0; units], vec![0.0; units]);
                    let (mut potential, mut draws) = (vec![0.0; units], vec![0.0; units]);
                    let (mut spikes, mut mean) = (vec![0; units], vec![0.0; observed]);
                    let mut fired = Vec::with_capacity(units);
                    let mut sum = 0.0;
                    for t in layout.first_bin()..layout.bins(k) {
                        let z = forced.spikes.row(k, t);
                        without.copy_from_slice(forced.potential.row(k, t));
                        within.fill(0.0);
                        for_each_fired(z, |source| same_bin.scatter(source, &mut within));
                        for (v, &current) in without.iter_mut().zip(&within) {
                            *v -= gain * current;
                        }
                        mean.fill(0.0);
                        for draw in 0..DRAWS {
                            let uniforms = KeyedUniforms::new(stream, draw, &keys);
                            uniforms.fill(k, t, 0, &mut draws[..network.live]);
                            potential.copy_from_slice(&without);
                            let bin = BinRows {
                                potential: &mut potential,
                                draws: &mut draws,
                                within: &mut within,
                                spikes: &mut spikes,
                                fired: &mut fired,
                            };
                            same_bin.run_bin(
                                &network.escape,
                                &network.dynamics,
                                0..network.live,
                                bin,
                            );
                            for (mean, &v) in mean.iter_mut().zip(&potential) {
                                *mean += network.escape.probability(f64::from(v));
                            }
                        }
                        for (&mean, &z) in mean.iter().zip(z) {
                            let p = mean / f64::from(DRAWS);
                            sum -= if z != 0 { p.ln() } else { (-p).ln_1p() };
                        }
                    }
                    sum
                },
            )
        })
        .collect();
    Ok(Some(of_trials.iter().sum()))
}

/// Negative log-likelihood of recorded spikes by the chain rule, each given the past and the spikes of the units before it
/// in its bin, nats, over all scored bins.
pub(crate) fn joint_surprise(
    forced: &Trajectory<f32>,
    layout: &TrialLayout,
    observed: usize,
) -> f64 {
    let mut sum = 0.0;
    for k in 0..layout.trials() {
        for t in layout.first_bin()..layout.bins(k) {
            let v = &forced.potential.row(k, t)[..observed];
            for (&v, &z) in v.iter().zip(forced.spikes.row(k, t)) {
                sum += Logistic.surprise(f64::from(v), z != 0);
            }
        }
    }
    sum
}
