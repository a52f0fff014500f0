//! Biases that give each unit of a free-running network its rate.

use refire_core::TrialArray;
use refire_random::{Purpose, Stream};
use refire_sim::Trajectory;

use crate::simulate::free_run;
use crate::{GroundTruth, SynthError};

/// Rounds of simulation and correction that bring each unit to its rate.
const CALIBRATIONS: u32 = 8;
/// Bins simulated per round, over all trials.
const CALIBRATION_BINS: usize = 8000;
/// Largest ratio of the population's rate to the one asked for.
const RATE_TOLERANCE: f64 = 1.25;

pub(crate) fn log_odds(p: f64) -> f64 {
    (p / (1.0 - p)).ln()
}

/// Sets the biases so that each unit of the free-running network has its rate; units beyond the
/// rates (sources) keep their biases.
pub(crate) fn calibrate(truth: &mut GroundTruth, rates: &[f64]) -> Result<(), SynthError> {
    // Start: the mean input at these rates taken away.
    let units = truth.units();
    let mut input = vec![0.0; units];
    let couplings = truth.summed_couplings();
    for (source, rate) in rates.iter().enumerate() {
        for (input, w) in input.iter_mut().zip(&couplings.row(source)) {
            *input += rate * w;
        }
    }
    for (bias, (input, &rate)) in truth.bias.iter_mut().zip(input.iter().zip(rates)) {
        *bias = (truth.theta * (1.0 + log_odds(rate)) - input) as f32;
    }
    let stream = Stream::new(truth.seed, Purpose::Synthetic);
    let turns = CALIBRATION_BINS.div_ceil(truth.bins() * truth.conditions());
    let trials = turns * truth.conditions();
    let mut trajectory = Trajectory::default();
    for round in 1..=CALIBRATIONS {
        free_run(truth, stream, round, 0..trials, &mut trajectory)?;
        let found = mean_probability(&trajectory.probability);
        for (bias, (&p, &rate)) in truth.bias.iter_mut().zip(found.iter().zip(rates)) {
            let p = p.clamp(1e-6, 1.0 - 1e-6);
            *bias += (truth.theta * (log_odds(rate) - log_odds(p))) as f32;
        }
    }
    free_run(truth, stream, CALIBRATIONS + 1, 0..trials, &mut trajectory)?;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / rates.len() as f64;
    let (expected, found) = (
        mean(rates),
        mean(&mean_probability(&trajectory.probability)[..rates.len()]),
    );
    if found > RATE_TOLERANCE * expected || found * RATE_TOLERANCE < expected {
        return Err(SynthError::Unstable {
            seed: truth.seed,
            expected,
            found,
        });
    }
    Ok(())
}

/// Mean over trials and bins, per unit.
fn mean_probability(probability: &TrialArray<f32>) -> Vec<f64> {
    let mut sums = vec![0.0; probability.units()];
    for row in probability.as_slice().chunks_exact(probability.units()) {
        for (sum, &p) in sums.iter_mut().zip(row) {
            *sum += f64::from(p);
        }
    }
    let bins = (probability.trials() * probability.bins()) as f64;
    sums.iter().map(|sum| sum / bins).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SynthSettings, simulate};

    #[test]
    fn each_unit_comes_to_its_rate() {
        let mut truth = GroundTruth::draw(&SynthSettings::default()).unwrap();
        let rates: Vec<f64> = (0..20).map(|unit| 0.04 + 0.002 * f64::from(unit)).collect();
        calibrate(&mut truth, &rates).unwrap();
        let spikes = simulate(&truth, 200, 7).unwrap();
        for (unit, rate) in rates.iter().enumerate() {
            let row = spikes.as_slice().chunks_exact(20);
            let found = row.map(|z| f64::from(z[unit])).sum::<f64>() / 80_000.0;
            // Drives and couplings left over by the 8000 bins of a round: a few per cent.
            assert!(
                (found / rate - 1.0).abs() < 0.12,
                "unit {unit}: {found} for {rate}"
            );
        }
    }
}
