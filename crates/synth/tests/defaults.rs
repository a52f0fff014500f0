//! What a recording of the default settings shows, and how stable the networks are.

use refire_recording::RecordingFile;
use refire_synth::{GroundTruth, INHIBITORY, SynthSettings, recording, simulate, write};

const UNITS: usize = 20;

/// `[trial][bin][unit]` residuals about the mean over the trials of the condition (every fourth).
fn residuals(spikes: &[u8], trials: usize, bins: usize) -> Vec<f64> {
    let mut out: Vec<f64> = spikes.iter().map(|&z| f64::from(z)).collect();
    for condition in 0..4 {
        for at in 0..bins * UNITS {
            let of = (condition..trials)
                .step_by(4)
                .map(|k| k * bins * UNITS + at);
            let mean = of.clone().map(|i| out[i]).sum::<f64>() / of.len() as f64;
            of.for_each(|i| out[i] -= mean);
        }
    }
    out
}

/// Mean of `a[k][t][i] b[k][t + lag][j]` over trials and bins, for all pairs.
fn products(a: &[f64], b: &[f64], bins: usize, lag: usize) -> Vec<f64> {
    let mut sums = vec![0.0; UNITS * UNITS];
    let mut n = 0.0;
    for (a, b) in a.chunks(bins * UNITS).zip(b.chunks(bins * UNITS)) {
        for (a, b) in a.chunks(UNITS).zip(b.chunks(UNITS).skip(lag)) {
            n += 1.0;
            for (row, x) in sums.chunks_mut(UNITS).zip(a) {
                row.iter_mut().zip(b).for_each(|(sum, y)| *sum += x * y);
            }
        }
    }
    sums.iter().map(|s| s / n).collect()
}

/// Lag-0 noise correlations of all pairs i > j: noise covariance over total standard deviations.
fn noise_correlations(residuals: &[f64], rates: &[f64], bins: usize) -> Vec<f64> {
    let sd: Vec<f64> = rates.iter().map(|r| (r * (1.0 - r)).sqrt()).collect();
    let covariance = products(residuals, residuals, bins, 0);
    (0..UNITS)
        .flat_map(|i| (0..i).map(move |j| (i, j)))
        .map(|(i, j)| covariance[i * UNITS + j] / (sd[i] * sd[j]))
        .collect()
}

fn pearson(a: &[f64], b: &[f64]) -> f64 {
    let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let cov = |x: &[f64], mx: f64, y: &[f64], my: f64| -> f64 {
        x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my)).sum()
    };
    cov(a, ma, b, mb) / (cov(a, ma, a, ma) * cov(b, mb, b, mb)).sqrt()
}

fn rms(x: &[f64]) -> f64 {
    (x.iter().map(|x| x * x).sum::<f64>() / x.len() as f64).sqrt()
}

#[test]
fn couplings_show_in_the_noise_correlations() {
    let settings = SynthSettings::default();
    let (trials, bins) = (settings.trials, settings.bins);
    let truth = GroundTruth::draw(&settings).unwrap();
    let recording = recording(&truth, settings.trials_per_condition().unwrap(), 1).unwrap();
    let spikes = recording.spikes().as_slice();
    let mut rates = vec![0.0; UNITS];
    for row in spikes.chunks(UNITS) {
        for (rate, &z) in rates.iter_mut().zip(row) {
            *rate += f64::from(z) / (trials * bins) as f64;
        }
    }
    let mean = rates.iter().sum::<f64>() / UNITS as f64;
    assert!((0.05..0.08).contains(&mean), "mean rate {mean}");
    assert!(rates.iter().all(|r| (0.01..0.3).contains(r)), "{rates:?}");

    // Chance: unit i takes its trials from 4 i places further on (the same condition).
    let residual = residuals(spikes, trials, bins);
    let mut shuffled = vec![0.0; residual.len()];
    for (at, x) in shuffled.iter_mut().enumerate() {
        *x = residual[(at + 4 * (at % UNITS) * bins * UNITS) % residual.len()];
    }
    let found = rms(&noise_correlations(&residual, &rates, bins));
    let chance = rms(&noise_correlations(&shuffled, &rates, bins));
    assert!(
        chance < 0.01 && found > 2.2 * chance,
        "{found} against {chance} by chance"
    );

    // The pattern repeats between halves (trials 0-3, 8-11, ... against 4-7, 12-15, ...).
    let half = |h: usize| -> Vec<f64> {
        let turns = spikes.chunks(4 * bins * UNITS).skip(h).step_by(2);
        let part: Vec<u8> = turns.flatten().copied().collect();
        let residual = residuals(&part, part.len() / (bins * UNITS), bins);
        noise_correlations(&residual, &rates, bins)
    };
    let repeat = pearson(&half(0), &half(1));
    assert!(repeat > 0.5, "halves correlate {repeat}");

    // One bin after a spike, targets fire more or less as the synapse has it.
    let lagged = products(&residual, &residual, bins, 1);
    let of = |wanted: &dyn Fn(usize, usize) -> bool| -> f64 {
        let pairs = (0..UNITS * UNITS).filter(|at| wanted(at / UNITS, at % UNITS));
        let values: Vec<f64> = pairs.map(|at| lagged[at]).collect();
        values.iter().sum::<f64>() / values.len() as f64
    };
    let inhibitory = |i: usize| truth.population[i] == INHIBITORY;
    let excited = of(&|i, j| truth.mask[i * UNITS + j] && !inhibitory(i));
    let inhibited = of(&|i, j| truth.mask[i * UNITS + j] && inhibitory(i));
    let apart = of(&|i, j| !truth.mask[i * UNITS + j] && i != j);
    assert!(
        excited > 4.0 * apart.abs() && inhibited < -4.0 * apart.abs(),
        "{excited} {inhibited} {apart}"
    );
}

#[test]
fn networks_are_stable_and_reach_their_rates() {
    for (seed, hidden_units, bins) in [(1, 0, 1000), (2, 0, 500), (3, 60, 300), (4, 10, 300)] {
        let settings = SynthSettings {
            seed,
            hidden_units,
            bins,
            ..SynthSettings::default()
        };
        let truth = GroundTruth::draw(&settings).unwrap();
        let spikes = simulate(&truth, 25, seed).unwrap();
        let per_trial: Vec<f64> = (0..spikes.trials())
            .map(|k| {
                let count: u32 = spikes.trial(k).iter().map(|&z| u32::from(z)).sum();
                f64::from(count) / spikes.trial_len() as f64
            })
            .collect();
        let mean = per_trial.iter().sum::<f64>() / per_trial.len() as f64;
        let most = per_trial.iter().copied().fold(0.0, f64::max);
        assert!(
            (0.045..0.08).contains(&mean),
            "seed {seed}: mean rate {mean}"
        );
        assert!(
            most < 2.0 * mean,
            "seed {seed}: a trial at {most}, mean {mean}"
        );
        // No trend: the last quarter against the first.
        let quarter = |first: usize| -> f64 {
            let trials = (0..spikes.trials()).map(|k| spikes.block(k, first, bins / 4));
            trials.flatten().map(|&z| f64::from(z)).sum()
        };
        let growth = quarter(bins - bins / 4) / quarter(0);
        assert!(
            (0.8..1.25).contains(&growth),
            "seed {seed}: rates change by {growth}"
        );
    }
}

#[test]
fn the_written_recording_reads_back() {
    let folder = tempfile::tempdir().unwrap();
    let settings = SynthSettings {
        hidden_units: 5,
        trials: 12,
        ..SynthSettings::default()
    };
    let truth = GroundTruth::draw(&settings).unwrap();
    let written = write(folder.path(), &truth, 3, 9).unwrap();
    let file = RecordingFile::open(folder.path().join("recording.npz")).unwrap();
    let read = file.bin(None).unwrap();
    assert_eq!(read.spikes(), written.spikes());
    assert_eq!(read.conditions(), written.conditions());
    assert_eq!(read.bin_width(), 0.01);
}
