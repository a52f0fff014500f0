//! Time-rescaling test of a model's spike probabilities.

use crate::Metric;
use refire_core::{TrialArray, TrialLayout};

/// Rescaled intervals of one unit against the uniform distribution.
#[derive(Clone, Debug, PartialEq)]
pub struct Rescaling {
    /// Kolmogorov-Smirnov statistic: largest distance from the uniform distribution, 0 to 1.
    pub ks: Metric,
    /// Number of intervals: spikes plus the completed last one.
    pub intervals: usize,
    /// 95 % bound of the statistic, `1.36 / sqrt(intervals)`; asymptotic, so that it wants some
    /// 30 intervals.
    pub bound: Metric,
}

/// Discrete-time time-rescaling test (Haslinger, Pipa & Brown, Neural Computation 2010, 22:2477)
/// of the teacher-forced `probability` (`[trial][bin][unit]`, of a spike per bin; its first units are
/// those of `spikes`, further ones are not read).
///
/// With `q = -ln(1 - p)`, an interval lasts `xi = sum of q over its silent bins - ln(1 - r p)` in
/// rescaled time, `r` uniform: the spike is placed at random within its bin. Under the true
/// probabilities `1 - exp(-xi)` is exactly uniform, whatever the bin width. `uniform` gives
/// numbers in `[0, 1)`, one per interval, drawn unit by unit in the order of trials, then bins.
///
/// Trials end before the next spike. Dropping what is cut off would leave out long intervals more
/// often than short ones; instead the rescaled time of a unit runs on into its next trial, as in
/// one long recording (intervals are memoryless in rescaled time, whatever happens between), and
/// the very last interval is completed by an exponential remainder. The intervals then end at a
/// stopping time: the expected number below any length is the true share of their expected number
/// (Wald's identity), so that even a few intervals are without bias. The completion is our
/// derivation.
pub fn time_rescaling(
    probability: &TrialArray<f32>,
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    mut uniform: impl FnMut() -> f64,
) -> Vec<Rescaling> {
    (0..spikes.units())
        .map(
            |unit| match rescaled_intervals(probability, spikes, layout, unit, &mut uniform) {
                Ok(sample) if sample.len() > 1 => Rescaling {
                    bound: Metric::Value(1.36 / (sample.len() as f64).sqrt()),
                    intervals: sample.len(),
                    ks: Metric::Value(distance_from_uniform(sample)),
                },
                Ok(_) => missing("time rescaling: no spikes".to_owned()),
                Err(p) => missing(format!(
                    "time rescaling: expected probabilities from 0 to 1, found {p}"
                )),
            },
        )
        .collect()
}

fn missing(reason: String) -> Rescaling {
    Rescaling {
        ks: Metric::Missing(reason.clone()),
        intervals: 0,
        bound: Metric::Missing(reason),
    }
}

/// `1 - exp(-xi)` of each interval of a unit, or the first value that is no probability.
///
/// `exp(-xi)` is a product of `1 - p`: no logarithm, and a saturated probability does no harm.
fn rescaled_intervals(
    probability: &TrialArray<f32>,
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    unit: usize,
    mut uniform: impl FnMut() -> f64,
) -> Result<Vec<f64>, f32> {
    let mut sample = Vec::new();
    let mut survival = 1.0f64;
    for slot in 0..layout.trials() {
        for bin in layout.first_bin()..layout.bins(slot) {
            let p = probability.row(slot, bin)[unit];
            if !(0.0..=1.0).contains(&p) {
                return Err(p);
            }
            let p = f64::from(p);
            if spikes.row(slot, bin)[unit] != 0 {
                sample.push(1.0 - survival * (1.0 - uniform() * p));
                survival = 1.0;
            } else {
                survival *= 1.0 - p;
            }
        }
    }
    // exp(-remainder) of an exponential remainder is uniform.
    sample.push(1.0 - survival * uniform());
    Ok(sample)
}

fn distance_from_uniform(mut sample: Vec<f64>) -> f64 {
    sample.sort_unstable_by(f64::total_cmp);
    let n = sample.len() as f64;
    sample
        .iter()
        .enumerate()
        .map(|(rank, &z)| (z - rank as f64 / n).max((rank as f64 + 1.0) / n - z))
        .fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    #[test]
    fn hand_computed() {
        // p = 1/2 throughout, uniforms 1/2. Trial 0: spike in bin 1; trial 1: silent bins 0, then
        // a spike in bin 1, where the interval began in trial 0's last bin.
        let layout = TrialLayout::uniform(2, 3, 0).unwrap();
        let z = TrialArray::from_vec(vec![0u8, 1, 0, 0, 1, 0], 2, 3, 1).unwrap();
        let p = TrialArray::from_vec(vec![0.5f32; 6], 2, 3, 1).unwrap();
        let sample = rescaled_intervals(&p, &z, &layout, 0, || 0.5).unwrap();
        // Survivals: 1/2 * 3/4; 1/4 * 3/4; 1/2 * 1/2.
        assert_eq!(sample, [0.625, 0.8125, 0.75]);
        let r = &time_rescaling(&p, &z, &layout, || 0.5)[0];
        assert_eq!(r.ks.value(), Some(0.625));
        assert_eq!(r.intervals, 3);
    }

    #[test]
    fn distance_of_a_known_sample() {
        assert_eq!(distance_from_uniform(vec![0.75, 0.25]), 0.25);
        assert_eq!(distance_from_uniform(vec![0.0, 0.0]), 1.0);
        assert_eq!(distance_from_uniform(vec![0.25, 1.0]), 0.5);
    }

    #[test]
    fn missing_with_a_reason() {
        let layout = TrialLayout::uniform(1, 2, 0).unwrap();
        let z = TrialArray::from_vec(vec![0u8, 1, 0, 1], 1, 2, 2).unwrap();
        let p = TrialArray::from_vec(vec![0.5, 0.5, 0.5, f32::NAN], 1, 2, 2).unwrap();
        let r = time_rescaling(&p, &z, &layout, || 0.5);
        assert!(r[0].ks.reason().unwrap().contains("no spikes"));
        assert!(r[1].ks.reason().unwrap().contains("found NaN"));
    }

    #[test]
    fn saturated_probabilities_stay_finite() {
        let layout = TrialLayout::uniform(1, 3, 0).unwrap();
        let z = TrialArray::from_vec(vec![0u8, 1, 1], 1, 3, 1).unwrap();
        let p = TrialArray::from_vec(vec![1.0f32, 0.0, 1.0], 1, 3, 1).unwrap();
        let sample = rescaled_intervals(&p, &z, &layout, 0, || 0.25).unwrap();
        assert_eq!(sample, [1.0, 0.25, 0.75]);
    }

    /// Bernoulli spikes of high and varying probability in short trials, in which most intervals
    /// are cut off: the case that neither the continuous-time test nor dropping survives.
    fn simulate(
        rng: &mut Xoshiro256PlusPlus,
        trials: usize,
        scale: f32,
    ) -> (TrialArray<f32>, TrialArray<u8>, TrialLayout) {
        let lengths: Vec<usize> = (0..trials).map(|k| 4 + k % 5).collect();
        let layout = TrialLayout::new(vec![0; trials], lengths, 1).unwrap();
        let mut p = TrialArray::zeros(trials, 8, 0, 1);
        let mut z = TrialArray::zeros(trials, 8, 0, 1);
        for k in 0..trials {
            for t in 0..8 {
                // Depends on the recent past too, as a teacher-forced probability does.
                let refractory = t > 0 && z.row(k, t - 1)[0] == 1;
                let truth = if refractory {
                    0.05
                } else {
                    0.1 + 0.08 * (t % 4) as f32
                };
                p.row_mut(k, t)[0] = scale * truth;
                z.row_mut(k, t)[0] = u8::from(rng.random::<f32>() < truth);
            }
        }
        (p, z, layout)
    }

    #[test]
    fn true_probabilities_pass_and_wrong_ones_fail() {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(11);
        // About 95 of 100 samples lie within the bound; sd 2.2.
        let mut within = 0;
        for _ in 0..100 {
            let (p, z, layout) = simulate(&mut rng, 400, 1.0);
            let r = &time_rescaling(&p, &z, &layout, || rng.random())[0];
            within += usize::from(r.ks.value() <= r.bound.value());
        }
        assert!(
            (88..=99).contains(&within),
            "{within} of 100 within the 95 % bound"
        );

        let (p, z, layout) = simulate(&mut rng, 2000, 0.7);
        let r = &time_rescaling(&p, &z, &layout, || rng.random())[0];
        assert!(r.ks.value().unwrap() > 1.5 * r.bound.value().unwrap());
    }

    #[test]
    fn few_intervals_are_unbiased() {
        // Three trials with some three spikes in all: the completed last interval is one of four.
        // Wald: the summed deviation of the intervals' mean from 1/2 vanishes in expectation.
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(12);
        let (mut deviation, mut squares, mut dropped, runs) = (0.0, 0.0, 0.0, 20_000);
        for _ in 0..runs {
            let (p, z, layout) = simulate(&mut rng, 3, 1.0);
            let sample = rescaled_intervals(&p, &z, &layout, 0, || rng.random()).unwrap();
            let off: f64 = sample.iter().map(|z| z - 0.5).sum();
            deviation += off;
            squares += off * off;
            dropped += off - (sample[sample.len() - 1] - 0.5);
        }
        let error = squares.sqrt();
        assert!(deviation.abs() < 4.0 * error);
        // Without the last interval the bias is plain.
        assert!(dropped < -20.0 * error);
    }
}
