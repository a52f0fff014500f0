//! Likelihood in bits per spike over a constant rate.

use crate::Metric;
use crate::rates::unit_counts;
use refire_core::{TrialArray, TrialLayout};

/// Probability of a spike per bin of each unit, from training spikes (`[trial][bin][unit]`): the
/// constant-rate model that [`bits_per_spike`] compares with.
///
/// Clipped to `[0.5/N, 1 - 0.5/N]` over `N` scored bins, that is half a spike in the whole
/// recording: N bins cannot tell a silent unit from one of a lower rate, and a baseline of exactly
/// 0 would give a unit that fires only in the test trials an infinite gain. 1/2 without any bin.
pub fn baseline_probability(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Vec<f64> {
    let bins = layout.scored_bins() as f64;
    unit_counts(spikes, layout)
        .into_iter()
        .map(|count| {
            if bins > 0.0 {
                (count as f64).clamp(0.5, bins - 0.5) / bins
            } else {
                0.5
            }
        })
        .collect()
}

/// Gain of a log-likelihood over a constant rate per unit, bits per spike:
/// `(LL - LL_baseline) / (spikes * ln 2)`.
///
/// `log_likelihood_nats` is the teacher-forced log-likelihood of all scored bins of `spikes`
/// (`[trial][bin][unit]`), summed, in nats; `baseline_probability` the training probability of a
/// spike per bin, per unit. Missing without spikes.
pub fn bits_per_spike(
    log_likelihood_nats: f64,
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    baseline_probability: &[f64],
) -> Metric {
    if baseline_probability.len() != spikes.units() {
        return Metric::Missing(format!(
            "bits per spike: expected a baseline of {} units, found {}",
            spikes.units(),
            baseline_probability.len()
        ));
    }
    let bins = layout.scored_bins() as u64;
    let counts = unit_counts(spikes, layout);
    let total: u64 = counts.iter().sum();
    if total == 0 {
        return Metric::Missing("bits per spike: no spikes".to_owned());
    }
    let baseline: f64 = counts
        .iter()
        .zip(baseline_probability)
        .map(|(&count, &p)| times_ln(count, p) + times_ln(bins - count, 1.0 - p))
        .sum();
    Metric::finite(
        (log_likelihood_nats - baseline) / (total as f64 * std::f64::consts::LN_2),
        "bits per spike",
    )
}

/// `count * ln p`, 0 for what never happened however improbable it was.
fn times_ln(count: u64, p: f64) -> f64 {
    if count == 0 {
        0.0
    } else {
        count as f64 * p.ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> (TrialArray<u8>, TrialLayout) {
        // Two units; bin 0 is history, the second trial one bin shorter: 5 scored bins.
        // Scored spikes: unit 0 two, unit 1 none.
        let z = vec![1, 1, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1, 1];
        (
            TrialArray::from_vec(z, 2, 4, 2).unwrap(),
            TrialLayout::new(vec![0, 0], vec![4, 3], 1).unwrap(),
        )
    }

    #[test]
    fn baseline_is_the_rate_clipped_to_half_a_spike() {
        let (z, layout) = example();
        assert_eq!(baseline_probability(&z, &layout), [2.0 / 5.0, 0.5 / 5.0]);
        let full = TrialArray::from_vec(vec![1u8; 4], 1, 4, 1).unwrap();
        let layout = TrialLayout::uniform(1, 4, 0).unwrap();
        assert_eq!(baseline_probability(&full, &layout), [3.5 / 4.0]);
        let none = TrialLayout::new(vec![], vec![], 0).unwrap();
        assert_eq!(
            baseline_probability(&TrialArray::zeros(0, 4, 0, 1), &none),
            [0.5]
        );
    }

    #[test]
    fn hand_computed_gain() {
        let (z, layout) = example();
        let baseline = [0.4, 0.1];
        let constant = 2.0 * 0.4f64.ln() + 3.0 * 0.6f64.ln() + 5.0 * 0.9f64.ln();
        let own = bits_per_spike(constant, &z, &layout, &baseline)
            .value()
            .unwrap();
        assert!(own.abs() < 1e-15);
        // One nat more for each of the two spikes.
        let gain = bits_per_spike(constant + 2.0, &z, &layout, &baseline)
            .value()
            .unwrap();
        assert!((gain - std::f64::consts::LOG2_E).abs() < 1e-14);
    }

    #[test]
    fn missing_with_a_reason() {
        let (z, layout) = example();
        let silent = TrialArray::zeros(2, 4, 0, 2);
        let why = |f: Metric| f.reason().unwrap().to_owned();
        assert!(why(bits_per_spike(-1.0, &silent, &layout, &[0.1, 0.1])).contains("no spikes"));
        assert!(why(bits_per_spike(-1.0, &z, &layout, &[0.1])).contains("2 units, found 1"));
        assert!(why(bits_per_spike(f64::NAN, &z, &layout, &[0.1, 0.1])).contains("not finite"));
        assert!(why(bits_per_spike(-1.0, &z, &layout, &[0.0, 0.1])).contains("not finite"));
        // A certain silence that holds costs nothing.
        assert!(
            bits_per_spike(-1.0, &z, &layout, &[0.4, 0.0])
                .value()
                .is_some()
        );
    }
}
