//! Free-running trials of a ground truth, and what its electrodes see of them.

use std::ops::Range;

use refire_core::{TrialArray, TrialLayout};
use refire_neuron::{Logistic, Memoryless};
use refire_random::{KeyedUniforms, Purpose, Stream};
use refire_recording::{Label, Recording, RecordingParts};
use refire_sim::{Connectivity, DenseCoupling, Network, Pass, SparseCoupling, Trajectory, run};

use crate::size::check_spikes;
use crate::{GroundTruth, SynthError};

/// Trials held in full (potentials, probabilities) at a time.
const BLOCK: usize = 64;

/// Spikes `[trial][bin][unit]` of all units, free-running from a history of zeros.
///
/// Conditions take turns: trial `k` has condition `k % conditions`, so that a longer simulation
/// from the same seed begins with the trials of a shorter one.
///
/// # Errors
/// Those of [`GroundTruth::check`], and [`SynthError::Value`] for no trial or more than can be held.
pub fn simulate(
    truth: &GroundTruth,
    trials_per_condition: usize,
    seed: u64,
) -> Result<TrialArray<u8>, SynthError> {
    truth.check()?;
    let (bins, units) = (truth.bins(), truth.units());
    let trials = trials_per_condition.saturating_mul(truth.conditions());
    check_spikes(trials, bins, units)?;
    let stream = Stream::new(seed, Purpose::Synthetic);
    let mut spikes = TrialArray::zeros(trials, bins, 0, units);
    let mut trajectory = Trajectory::default();
    for first in (0..trials).step_by(BLOCK) {
        let block = first..(first + BLOCK).min(trials);
        free_run(truth, stream, 0, block.clone(), &mut trajectory)?;
        for (slot, trial) in block.enumerate() {
            let from = trajectory.spikes.trial(slot);
            spikes.trial_mut(trial).copy_from_slice(from);
        }
    }
    Ok(spikes)
}

/// Runs [`simulate`] and records the observed units only; condition labels are 0, 1, 2, ...
///
/// # Errors
/// Those of [`simulate`].
pub fn recording(
    truth: &GroundTruth,
    trials_per_condition: usize,
    seed: u64,
) -> Result<Recording, SynthError> {
    let spikes = simulate(truth, trials_per_condition, seed)?;
    let (trials, bins) = (spikes.trials(), spikes.bins());
    let mut seen = TrialArray::zeros(trials, bins, 0, truth.observed);
    for trial in 0..trials {
        for bin in 0..bins {
            let row = &spikes.row(trial, bin)[..truth.observed];
            seen.row_mut(trial, bin).copy_from_slice(row);
        }
    }
    Ok(Recording::new(RecordingParts {
        labels: (0..trials)
            .map(|k| Label::Number((k % truth.conditions()) as i64))
            .collect(),
        stimulus: truth.stimulus.clone(),
        ..RecordingParts::new(seen, truth.bin_width)
    })?)
}

/// One free-running pass over some trials of a checked ground truth.
pub(crate) fn free_run(
    truth: &GroundTruth,
    stream: Stream,
    iteration: u32,
    trials: Range<usize>,
    out: &mut Trajectory<f32>,
) -> Result<(), SynthError> {
    let conditions = trials.clone().map(|k| k % truth.conditions()).collect();
    let layout = TrialLayout::new(conditions, vec![truth.bins(); trials.len()], 0)?;
    let pass = Pass::free_running(&layout, &truth.drive);
    let keys: Vec<u32> = trials.map(|k| k as u32).collect();
    let uniforms = KeyedUniforms::new(stream, iteration, &keys);
    let (units, lags) = (truth.units(), truth.lags);
    if let Some(synapses) = few_synapses(truth)? {
        let weights = weights_along(truth, &synapses);
        let coupling = SparseCoupling::new(&weights, &synapses, units, lags)?;
        run(&network(truth, coupling), &pass, &uniforms, out)?;
    } else {
        let coupling = DenseCoupling::new(&truth.couplings, units, lags)?;
        run(&network(truth, coupling), &pass, &uniforms, out)?;
    }
    Ok(())
}

fn network<C>(truth: &GroundTruth, coupling: C) -> Network<'_, f32, C, Logistic, Memoryless<f32>> {
    Network::new(coupling, &truth.bias)
        .with_dynamics(Memoryless::new(truth.theta as f32))
        .with_observed(truth.observed)
}

/// Networks of more units are run along their synapses, where these are few: a spike then costs as many additions as
/// it has targets. Small ones are faster all to all.
const MOST_DENSE: usize = 256;

/// The pairs with a coupling at any lag, if a quarter of all pairs or fewer.
fn few_synapses(truth: &GroundTruth) -> Result<Option<Connectivity>, SynthError> {
    let (units, lags) = (truth.units(), truth.lags);
    if units <= MOST_DENSE {
        return Ok(None);
    }
    let mut coupled = vec![false; units * units];
    let of_sources = coupled
        .chunks_exact_mut(units)
        .zip(truth.couplings.chunks_exact(lags * units));
    for (coupled, couplings) in of_sources {
        for row in couplings.chunks_exact(units) {
            for (coupled, &w) in coupled.iter_mut().zip(row) {
                *coupled |= w != 0.0;
            }
        }
    }
    let synapses = Connectivity::from_mask(&coupled, units)?;
    Ok((4 * synapses.synapses() <= units * units).then_some(synapses))
}

/// Couplings `[source][lag][synapse of the source]`.
fn weights_along(truth: &GroundTruth, synapses: &Connectivity) -> Vec<f32> {
    let (units, lags) = (truth.units(), truth.lags);
    let mut weights = Vec::with_capacity(lags * synapses.synapses());
    for (source, couplings) in truth.couplings.chunks_exact(lags * units).enumerate() {
        for row in couplings.chunks_exact(units) {
            let targets = synapses.targets_of(source).iter();
            weights.extend(targets.map(|&target| row[target as usize]));
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SynthSettings;

    fn small() -> GroundTruth {
        GroundTruth::draw(&SynthSettings {
            observed_units: 6,
            hidden_units: 3,
            trials: 3,
            bins: 30,
            conditions: 3,
            ..SynthSettings::default()
        })
        .unwrap()
    }

    #[test]
    fn a_longer_simulation_begins_with_the_shorter_one() {
        let truth = small();
        // 69 trials: two blocks, the second not full.
        let long = simulate(&truth, 23, 5).unwrap();
        let short = simulate(&truth, 2, 5).unwrap();
        assert_eq!(long.as_slice()[..short.as_slice().len()], *short.as_slice());
        assert_ne!(simulate(&truth, 2, 6).unwrap(), short);
    }

    #[test]
    fn a_large_network_runs_along_its_synapses_as_it_would_all_to_all() {
        let settings = SynthSettings {
            observed_units: MOST_DENSE + 44,
            trials: 4,
            bins: 40,
            ..SynthSettings::default()
        };
        let truth = GroundTruth::draw(&settings).unwrap();
        assert!(few_synapses(&truth).unwrap().is_some());
        let (units, lags) = (truth.units(), truth.lags);
        let sparse = simulate(&truth, 1, 3).unwrap();
        let coupling = DenseCoupling::new(&truth.couplings, units, lags).unwrap();
        let layout = TrialLayout::new((0..4).collect(), vec![40; 4], 0).unwrap();
        let pass = Pass::free_running(&layout, &truth.drive);
        let uniforms = KeyedUniforms::new(Stream::new(3, Purpose::Synthetic), 0, &[0, 1, 2, 3]);
        let mut dense = Trajectory::default();
        run(&network(&truth, coupling), &pass, &uniforms, &mut dense).unwrap();
        let differ = sparse.as_slice().iter().zip(dense.spikes.as_slice());
        // Sums are in another order: a spike whose probability is at its draw may differ, and what follows it.
        let differ = differ.filter(|(a, b)| a != b).count();
        assert!(differ * 1000 < sparse.as_slice().len(), "{differ}");
    }

    #[test]
    fn electrodes_change_no_spike() {
        let truth = small();
        let all = recording(
            &GroundTruth {
                observed: 9,
                ..truth.clone()
            },
            2,
            1,
        )
        .unwrap();
        let some = recording(&truth, 2, 1).unwrap();
        assert_eq!((all.n_units(), some.n_units()), (9, 6));
        assert_eq!(some.conditions(), &[0, 1, 2, 0, 1, 2]);
        for trial in 0..6 {
            for bin in 0..30 {
                let row = &all.spikes().row(trial, bin)[..6];
                assert_eq!(some.spikes().row(trial, bin), row);
            }
        }
    }

    #[test]
    fn without_couplings_rates_are_those_of_bias_and_drive() {
        let mut truth = small();
        truth.couplings.fill(0.0);
        truth.drive = TrialArray::from_vec(vec![0.1; 3 * 30 * 9], 3, 30, 9).unwrap();
        truth.bias = (0..9).map(|j| 0.1 * j as f32 - 0.4).collect();
        let spikes = simulate(&truth, 100, 1).unwrap();
        for unit in 0..9 {
            let count: u32 = (0..300)
                .flat_map(|k| (0..30).map(move |t| (k, t)))
                .map(|(k, t)| u32::from(spikes.row(k, t)[unit]))
                .sum();
            let v = (f64::from(truth.bias[unit]) + 0.1 - 0.4) / 0.4;
            let p = 1.0 / (1.0 + (-v).exp());
            let sd = (p * (1.0 - p) / 9000.0).sqrt();
            let rate = f64::from(count) / 9000.0;
            assert!((rate - p).abs() < 4.0 * sd, "unit {unit}: {rate} for {p}");
        }
    }

    #[test]
    fn no_trial_or_too_many_are_refused() {
        for (trials, what) in [
            (0, "trials"),
            (usize::MAX, "trials"),
            (1 << 31, "trials"),
            (1 << 30, "spikes"),
        ] {
            let error = simulate(&small(), trials, 1).unwrap_err().to_string();
            assert!(error.starts_with(what), "{error}");
        }
    }
}
