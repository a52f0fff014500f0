//! Firing rates, Fano factors and inter-spike intervals.

use crate::Metric;
use crate::activity::largest_gap;
use refire_core::{TrialArray, TrialLayout};

/// Spikes of each unit in the scored bins.
pub(crate) fn unit_counts(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Vec<u64> {
    let mut counts = vec![0; spikes.units()];
    for slot in 0..layout.trials() {
        add_counts(
            spikes,
            slot,
            layout.first_bin()..layout.bins(slot),
            &mut counts,
        );
    }
    counts
}

fn add_counts(
    spikes: &TrialArray<u8>,
    slot: usize,
    bins: std::ops::Range<usize>,
    counts: &mut [u64],
) {
    for bin in bins {
        for (count, &z) in counts.iter_mut().zip(spikes.row(slot, bin)) {
            *count += u64::from(z != 0);
        }
    }
}

/// Firing rates.
#[derive(Clone, Debug, PartialEq)]
pub struct Rates {
    /// Per unit, Hz; empty where there is no scored bin.
    pub hz: Vec<f64>,
    /// Mean over units, Hz.
    pub mean: Metric,
}

impl Rates {
    /// Mean over units of how far the other side's rate is, over the mean rate of this one.
    pub fn distance(&self, other: &Self) -> Metric {
        let mean = self.mean.value().filter(|&mean| mean > 0.0);
        let gaps = self.hz.iter().zip(&other.hz).map(|(a, b)| (a - b).abs());
        let units = self.hz.len().min(other.hz.len());
        Metric::or_reason(
            mean.filter(|_| units > 0)
                .map(|mean| gaps.sum::<f64>() / units as f64 / mean),
            "rate distance",
            "rate distance: no unit spikes",
        )
    }
}

/// Firing rate of each unit of `spikes` (`[trial][bin][unit]`) over all scored bins, a partial last one by its share;
/// `bin_seconds` is the bin width.
pub fn rates(spikes: &TrialArray<u8>, layout: &TrialLayout, bin_seconds: f64) -> Rates {
    let seconds = layout.scored_length() * bin_seconds;
    if !(seconds > 0.0 && seconds.is_finite()) {
        return Rates {
            hz: Vec::new(),
            mean: Metric::Missing(format!(
                "rate: expected a positive duration, found {seconds} s"
            )),
        };
    }
    let hz: Vec<f64> = unit_counts(spikes, layout)
        .into_iter()
        .map(|count| count as f64 / seconds)
        .collect();
    let mean = Metric::or_reason(
        (!hz.is_empty()).then(|| hz.iter().sum::<f64>() / hz.len() as f64),
        "rate",
        "rate: no units",
    );
    Rates { hz, mean }
}

/// Fano factors.
#[derive(Clone, Debug, PartialEq)]
pub struct FanoFactors {
    /// Per unit; `None` for a unit that never spikes in the counted bins.
    pub per_unit: Vec<Option<f64>>,
    /// Mean over the units that have one.
    pub mean: Metric,
}

/// Fano factor of each unit of `spikes` (`[trial][bin][unit]`): variance of whole-trial spike
/// counts over their mean.
///
/// Variance (unbiased) and mean are taken within a condition and pooled over conditions by their
/// trials before the ratio, so that a condition a unit ignores does not leave it without a metric.
/// Trials of a condition are counted over the bins they all have; a condition with one trial drops
/// out.
pub fn fano_factors(spikes: &TrialArray<u8>, layout: &TrialLayout) -> FanoFactors {
    let units = spikes.units();
    let (mut variance, mut mean) = (vec![0.0; units], vec![0.0; units]);
    let repeated = layout.groups().iter().filter(|g| g.slots.len() > 1);
    for group in repeated.clone() {
        let common = group
            .slots
            .iter()
            .map(|&k| layout.bins(k))
            .min()
            .unwrap_or(0);
        let counts: Vec<Vec<u64>> = group
            .slots
            .iter()
            .map(|&slot| {
                let mut counts = vec![0; units];
                add_counts(spikes, slot, layout.first_bin()..common, &mut counts);
                counts
            })
            .collect();
        let trials = counts.len() as f64;
        for unit in 0..units {
            let sum: f64 = counts.iter().map(|c| c[unit] as f64).sum();
            let squares: f64 = counts
                .iter()
                .map(|c| (c[unit] as f64 - sum / trials).powi(2))
                .sum();
            variance[unit] += trials * squares / (trials - 1.0);
            mean[unit] += sum;
        }
    }
    let per_unit: Vec<Option<f64>> = variance
        .iter()
        .zip(&mean)
        .map(|(v, &m)| (m > 0.0).then(|| v / m))
        .collect();
    let reason = if repeated.count() == 0 {
        "Fano factor: no condition with two trials"
    } else {
        "Fano factor: no spikes"
    };
    FanoFactors {
        mean: Metric::mean_of(&per_unit, "Fano factor", reason),
        per_unit,
    }
}

/// Inter-spike intervals of one unit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntervalHistogram {
    /// Number of intervals by length in bins: entry `d` counts intervals of `d` bins, entry 0
    /// stays 0. As long as the longest interval needs.
    pub counts: Vec<u64>,
}

impl IntervalHistogram {
    fn add(&mut self, bins: usize) {
        if self.counts.len() <= bins {
            self.counts.resize(bins + 1, 0);
        }
        self.counts[bins] += 1;
    }

    /// Number of intervals.
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Mean interval, bins.
    pub fn mean(&self) -> Metric {
        Metric::or_reason(
            self.mean_bins(),
            "mean interval",
            "intervals: no trial with two spikes",
        )
    }

    /// Coefficient of variation: standard deviation (unbiased variance) over mean.
    pub fn cv(&self) -> Metric {
        let total = self.total();
        let cv = self.mean_bins().filter(|_| total > 1).map(|mean| {
            let squares: f64 = self
                .counts
                .iter()
                .enumerate()
                .map(|(bins, &n)| n as f64 * (bins as f64 - mean).powi(2))
                .sum();
            (squares / (total - 1) as f64).sqrt() / mean
        });
        Metric::or_reason(
            cv,
            "CV of the intervals",
            "CV of the intervals: fewer than two intervals",
        )
    }

    /// Two-sample Kolmogorov-Smirnov statistic: largest distance of the two cumulative
    /// distributions, 0 to 1. Missing where a side has no interval.
    pub fn distance(&self, other: &Self) -> Metric {
        let (n, m) = (self.total(), other.total());
        match largest_gap(&self.counts, &other.counts) {
            Some(gap) => Metric::Value(gap),
            None => Metric::Missing(format!("interval distance: {n} against {m} intervals")),
        }
    }

    fn mean_bins(&self) -> Option<f64> {
        let total = self.total();
        let sum: f64 = self
            .counts
            .iter()
            .enumerate()
            .map(|(bins, &n)| bins as f64 * n as f64)
            .sum();
        (total > 0).then(|| sum / total as f64)
    }
}

/// Inter-spike intervals of each unit of `spikes` (`[trial][bin][unit]`), within trials, between
/// spikes in scored bins.
///
/// Long intervals do not fit into short trials: compare distributions from trials of the same
/// lengths only.
pub fn intervals(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Vec<IntervalHistogram> {
    let units = spikes.units();
    let mut histograms = vec![IntervalHistogram::default(); units];
    let mut last: Vec<Option<usize>> = vec![None; units];
    for slot in 0..layout.trials() {
        last.fill(None);
        for bin in layout.first_bin()..layout.bins(slot) {
            for (unit, &z) in spikes.row(slot, bin).iter().enumerate() {
                if z != 0
                    && let Some(before) = last[unit].replace(bin)
                {
                    histograms[unit].add(bin - before);
                }
            }
        }
    }
    histograms
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn single_unit(trials: &[&[u8]]) -> TrialArray<u8> {
        TrialArray::from_vec(trials.concat(), trials.len(), trials[0].len(), 1).unwrap()
    }

    #[test]
    fn rates_of_scored_bins() {
        // Bin 0 is history, trial 1 has 3 bins: 3 + 2 scored bins of 20 ms, three spikes.
        let layout = TrialLayout::new(vec![0, 1], vec![4, 3], 1).unwrap();
        let z = single_unit(&[&[1, 1, 0, 1], &[1, 0, 1, 1]]);
        let r = rates(&z, &layout, 0.02);
        assert!((r.hz[0] - 3.0 / 0.1).abs() < 1e-12);
        assert_eq!(r.mean.value(), Some(r.hz[0]));
        // The last bins are a quarter and nine tenths of one.
        let partial = layout.clone().with_lengths(vec![3.25, 2.9]).unwrap();
        let hz = rates(&z, &partial, 0.02).hz[0];
        assert!((hz - 3.0 / (0.02 * 4.15)).abs() < 1e-9, "{hz}");
        let none = rates(&z, &layout, 0.0);
        assert!(none.mean.reason().unwrap().contains("positive duration"));
        assert!(
            rates(&TrialArray::zeros(2, 4, 0, 0), &layout, 0.02)
                .mean
                .value()
                .is_none()
        );
    }

    #[test]
    fn fano_pools_conditions_and_counts_common_bins() {
        // Condition 0: 3 common bins, counts 3 and 1: variance 2, mean 2. Condition 1: counts 0
        // and 0. Condition 2 has a single trial. Pooled: (2*2 + 2*0) / (2*2 + 2*0) = 1.
        let layout = TrialLayout::new(vec![0, 0, 1, 1, 2], vec![4, 3, 4, 4, 4], 0).unwrap();
        let z = single_unit(&[&[1, 1, 1, 1], &[0, 1, 0, 1], &[0; 4], &[0; 4], &[1; 4]]);
        let f = fano_factors(&z, &layout);
        assert_eq!(f.per_unit, [Some(1.0)]);
        assert_eq!(f.mean, Metric::Value(1.0));
    }

    #[test]
    fn fano_missing_with_a_reason() {
        let single = TrialLayout::uniform(1, 2, 0).unwrap();
        let f = fano_factors(&single_unit(&[&[1, 0]]), &single);
        assert!(
            f.mean
                .reason()
                .unwrap()
                .contains("no condition with two trials")
        );
        let two = TrialLayout::uniform(2, 2, 0).unwrap();
        let f = fano_factors(&single_unit(&[&[0, 0], &[0, 0]]), &two);
        assert_eq!(f.per_unit, [None]);
        assert!(f.mean.reason().unwrap().contains("no spikes"));
    }

    #[test]
    fn distance_of_rates_by_hand() {
        let of = |hz: &[f64]| Rates {
            hz: hz.to_vec(),
            mean: Metric::Value(hz.iter().sum::<f64>() / hz.len() as f64),
        };
        // Gaps 1 and 2 about a mean of 3.
        assert_eq!(
            of(&[2.0, 4.0]).distance(&of(&[3.0, 2.0])).value(),
            Some(0.5)
        );
        assert!(of(&[0.0]).distance(&of(&[1.0])).reason().is_some());
    }

    #[test]
    fn fano_of_bernoulli_counts_is_one_minus_p() {
        // Binomial counts: variance over mean is 1 - p; sd of the estimate sqrt(2/K) (1 - p).
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(2);
        let data = (0..2000 * 50)
            .map(|_| u8::from(rng.random_bool(0.3)))
            .collect();
        let z = TrialArray::from_vec(data, 2000, 50, 1).unwrap();
        let layout = TrialLayout::uniform(2000, 50, 0).unwrap();
        let fano = fano_factors(&z, &layout).mean.value().unwrap();
        assert!((fano - 0.7).abs() < 4.0 * 0.7 * (2.0 / 2000f64).sqrt());
    }

    #[test]
    fn intervals_stay_within_trials() {
        let layout = TrialLayout::new(vec![0, 0], vec![6, 5], 1).unwrap();
        let z = single_unit(&[&[1, 1, 1, 0, 1, 0], &[0, 0, 1, 0, 1, 1]]);
        let isi = &intervals(&z, &layout)[0];
        // Trial 0: 1 and 2 bins; trial 1: 2 bins (bin 5 is beyond its end).
        assert_eq!(isi.counts, [0, 1, 2]);
        assert_eq!(isi.mean().value(), Some(5.0 / 3.0));
        // Sample variance of (1, 2, 2) is 1/3.
        let cv = isi.cv().value().unwrap();
        assert!((cv - (1.0 / 3.0f64).sqrt() / (5.0 / 3.0)).abs() < 1e-15);
    }

    #[test]
    fn interval_distance_and_what_is_missing() {
        let h = |counts: &[u64]| IntervalHistogram {
            counts: counts.to_vec(),
        };
        let a = h(&[0, 2, 0, 2]);
        // Cumulative 1/2, 1/2, 1 against 1/4, 1, 1.
        assert_eq!(a.distance(&h(&[0, 1, 3])).value(), Some(0.5));
        assert_eq!(a.distance(&a).value(), Some(0.0));
        assert_eq!(a.distance(&h(&[0, 0, 0, 0, 5])).value(), Some(1.0));
        let empty = h(&[]);
        assert!(empty.distance(&a).reason().unwrap().contains("0 against 4"));
        assert!(
            empty
                .mean()
                .reason()
                .unwrap()
                .contains("no trial with two spikes")
        );
        assert!(h(&[0, 1]).cv().reason().unwrap().contains("fewer than two"));
    }
}
