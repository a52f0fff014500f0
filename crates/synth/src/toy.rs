//! The toy network in which unobserved units make a likelihood fit invent couplings.

use std::f64::consts::TAU;

use rand::SeedableRng;
use rand_distr::{Distribution, Uniform};
use rand_xoshiro::Xoshiro256PlusPlus;
use refire_core::TrialArray;
use refire_recording::{BinWidth, Stimulus};

use crate::truth::THETA;
use crate::{GroundTruth, SynthError};

/// Trials of the toy recording.
pub const TOY_TRIALS: usize = 80;
/// Bins per trial of the toy recording.
pub const TOY_BINS: usize = 200;
/// Units per population of the toy network.
pub const TOY_POPULATION: usize = 10;

const A: usize = 0;
const B: usize = 1;
const C: usize = 2;

/// Bias of the units of A, B and C, current.
const BIAS: [f32; 3] = [-0.3, 0.35, -0.35];
/// Source, target, and the coupling summed over the ten sources, current per spike.
const COUPLINGS: [(usize, usize, f64); 3] = [(A, A, 0.5), (A, C, 1.58), (C, B, -2.04)];
/// Currents that the two features put on A and on B.
const PULSE_GAIN: f64 = 0.5;
const SINE_GAIN: f64 = 0.15;

/// The two features in a bin: a pulse that drives A and a sine that drives B.
fn features(bin: usize) -> [f64; 2] {
    let phase = |period: f64| TAU * bin as f64 / period;
    let pulse = if phase(50.0).sin() > 0.6 { 1.0 } else { 0.0 };
    [pulse, phase(23.0).sin()]
}

/// Three populations of ten units, one lag, one condition; A (label 0) and B (label 1) are observed,
/// C (label 2) is hidden. A excites C, C inhibits B, A excites itself a little; no synapse leads
/// from A to B, yet a fit that leaves C out finds inhibition there.
///
/// Couplings summed over the ten sources: A to A 0.5 (self-couplings included), A to C 1.58, C to
/// B -2.04, single ones varied by a uniform factor of 0.5 to 1.5 drawn from `seed`. The drive is
/// known: the ground truth's stimulus holds its two features per bin, a pulse (1 while
/// sin(2 pi t / 50) > 0.6) that puts 0.5 on A and sin(2 pi t / 23) that puts 0.15 of it on B.
/// Rates are about 0.28, 0.19 and 0.33 spikes per bin. Simulate [`TOY_TRIALS`] trials.
///
/// # Errors
/// None in practice: the stimulus is made of constants.
pub fn toy_three_populations(seed: u64) -> Result<GroundTruth, SynthError> {
    let units = 3 * TOY_POPULATION;
    let members = |p: usize| p * TOY_POPULATION..(p + 1) * TOY_POPULATION;
    let mut generator = Xoshiro256PlusPlus::seed_from_u64(seed);
    let factor = Uniform::new(0.5, 1.5).map_err(|e| SynthError::value("factor", e, "a range"))?;
    let mut couplings = vec![0.0; units * units];
    let mut mask = vec![false; units * units];
    for (from, to, summed) in COUPLINGS {
        for source in members(from) {
            for target in members(to) {
                let mean = summed / TOY_POPULATION as f64;
                couplings[source * units + target] = (mean * factor.sample(&mut generator)) as f32;
                mask[source * units + target] = source != target;
            }
        }
    }
    let mut drive = TrialArray::zeros(1, TOY_BINS, 0, units);
    let mut values = Vec::with_capacity(2 * TOY_BINS);
    for bin in 0..TOY_BINS {
        let [pulse, sine] = features(bin);
        values.extend([pulse, sine]);
        let row = drive.row_mut(0, bin);
        row[members(A)].fill((PULSE_GAIN * pulse) as f32);
        row[members(B)].fill((SINE_GAIN * sine) as f32);
    }
    let bin_width = BinWidth::from_seconds(0.01)?;
    Ok(GroundTruth {
        couplings,
        lags: 1,
        bias: (0..units).map(|unit| BIAS[unit / TOY_POPULATION]).collect(),
        drive,
        theta: THETA,
        observed: members(C).start,
        population: (0..units).map(|unit| unit / TOY_POPULATION).collect(),
        mask,
        bin_width,
        seed,
        stimulus: Some(Stimulus::new(values, None, 2, bin_width)?),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{recording, simulate};

    /// Stated rates of A, B and C, spikes per bin.
    const STATED: [f64; 3] = [0.28, 0.19, 0.33];

    #[test]
    fn rates_are_those_stated() {
        const SEEDS: u64 = 5;
        let mut means = [0.0; 3];
        for seed in 1..=SEEDS {
            let truth = toy_three_populations(seed).unwrap();
            let spikes = simulate(&truth, TOY_TRIALS, seed).unwrap();
            let mut counts = [0u32; 3];
            for row in spikes.as_slice().chunks_exact(30) {
                for (unit, &z) in row.iter().enumerate() {
                    counts[unit / 10] += u32::from(z);
                }
            }
            for ((mean, count), stated) in means.iter_mut().zip(counts).zip(STATED) {
                let rate = f64::from(count) / (TOY_TRIALS * TOY_BINS * 10) as f64;
                *mean += rate / SEEDS as f64;
                // The factors of the couplings move B, at the end of the chain, by about 0.01.
                assert!(
                    (rate - stated).abs() < 0.03,
                    "seed {seed}: {rate} for {stated}"
                );
            }
        }
        for (mean, stated) in means.iter().zip(STATED) {
            assert!((mean - stated).abs() < 0.01, "{mean} for {stated}");
        }
    }

    #[test]
    fn couplings_are_where_they_should_be() {
        let truth = toy_three_populations(3).unwrap();
        truth.check().unwrap();
        let block = |from: usize, to: usize| -> f64 {
            let pairs = (0..10).flat_map(|i| (0..10).map(move |j| (from * 10 + i, to * 10 + j)));
            pairs
                .map(|(i, j)| f64::from(truth.couplings[i * 30 + j]))
                .sum::<f64>()
                / 10.0
        };
        for (from, to, summed) in COUPLINGS {
            // 100 uniform factors: standard error 0.029 of the mean.
            assert!((block(from, to) / summed - 1.0).abs() < 0.1);
        }
        for (from, to) in [(0, 1), (1, 0), (1, 1), (1, 2), (2, 0), (2, 2)] {
            assert_eq!(block(from, to), 0.0);
        }
        assert_eq!(truth.mask.iter().filter(|&&m| m).count(), 90 + 100 + 100);
    }

    #[test]
    fn the_recording_carries_the_features_that_make_the_drive() {
        let truth = toy_three_populations(1).unwrap();
        let recording = recording(&truth, 2, 1).unwrap();
        assert_eq!(recording.n_units(), 20);
        let stimulus = recording.stimulus_per_bin().unwrap().unwrap();
        assert_eq!((stimulus.features(), stimulus.samples()), (2, 200));
        for (bin, features) in stimulus.course(0).chunks_exact(2).enumerate() {
            let row = truth.drive.row(0, bin);
            assert_eq!(row[0], (0.5 * features[0]) as f32);
            assert_eq!(row[10], (0.15 * features[1]) as f32);
            assert_eq!(row[20], 0.0);
        }
        // sin(2 pi t / 50) > 0.6 for t = 6 (0.685) to 19 (0.685) of each 50: 14 bins.
        let pulses: f64 = stimulus.course(0).chunks_exact(2).map(|f| f[0]).sum();
        assert_eq!(pulses, 56.0);
    }
}
