//! Statistics of the whole population, and of single units over time, that no term of the objective compares.

use crate::Metric;
use refire_core::{TrialArray, TrialLayout, for_each_fired};

/// How many units fire in a bin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PopulationCounts {
    /// Entry `n`: scored bins in which `n` units fire; as long as needed.
    pub bins: Vec<u64>,
}

/// Population counts of `spikes` (`[trial][bin][unit]`) over all scored bins.
pub fn population_counts(spikes: &TrialArray<u8>, layout: &TrialLayout) -> PopulationCounts {
    let mut bins = Vec::new();
    for slot in 0..layout.trials() {
        for count in bin_counts(spikes, layout, slot) {
            if bins.len() <= count {
                bins.resize(count + 1, 0);
            }
            bins[count] += 1;
        }
    }
    PopulationCounts { bins }
}

/// Units that fire in each scored bin of a trial.
pub(crate) fn bin_counts(
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    slot: usize,
) -> impl Iterator<Item = usize> {
    let bins = layout.first_bin()..layout.bins(slot);
    bins.map(move |t| spikes.row(slot, t).iter().filter(|&&z| z != 0).count())
}

impl PopulationCounts {
    /// Largest distance of the two cumulative distributions (Kolmogorov-Smirnov), 0 to 1.
    pub fn distance(&self, other: &Self) -> Metric {
        Metric::or_reason(
            largest_gap(&self.bins, &other.bins),
            "population count",
            "population count: no scored bins",
        )
    }

    /// Triplets of units that fire together, mean number per bin: `mean_t N_t (N_t - 1) (N_t - 2) / 6`.
    pub fn synchronous_triplets(&self) -> Metric {
        let total: u64 = self.bins.iter().sum();
        let counts = self.bins.iter().enumerate();
        let triplets = counts.map(|(count, &bins)| bins as f64 * triplets(count as f64));
        Metric::or_reason(
            (total > 0).then(|| triplets.sum::<f64>() / total as f64),
            "synchronous triplets",
            "synchronous triplets: no scored bins",
        )
    }
}

/// Triplets among so many units.
pub(crate) fn triplets(units: f64) -> f64 {
    units * (units - 1.0) * (units - 2.0) / 6.0
}

/// Largest distance of the cumulative distributions of two histograms; `None` where one is empty.
pub(crate) fn largest_gap(a: &[u64], b: &[u64]) -> Option<f64> {
    let (n, m) = (a.iter().sum::<u64>(), b.iter().sum::<u64>());
    let (mut below, mut other_below, mut gap) = (0u64, 0u64, 0.0f64);
    for at in 0..a.len().max(b.len()) {
        below += a.get(at).copied().unwrap_or(0);
        other_below += b.get(at).copied().unwrap_or(0);
        gap = gap.max((below as f64 / n as f64 - other_below as f64 / m as f64).abs());
    }
    (n > 0 && m > 0).then_some(gap)
}

/// Lags of autocorrelations, bins.
pub const AUTOCORRELATION_LAGS: usize = 50;

/// Autocorrelation of each unit's spikes within trials.
#[derive(Clone, Debug, PartialEq)]
pub struct Autocorrelation {
    /// `[unit][lag]`, lags 1 to [`AUTOCORRELATION_LAGS`] or as many as the longest trial has; `None` for a unit whose
    /// spikes do not vary.
    pub per_unit: Vec<Option<Vec<f64>>>,
}

/// Autocorrelation of `spikes` (`[trial][bin][unit]`), drive and all:
///
/// ```text
/// A[i,d] = (mean_{k,t} z[k,t,i] z[k,t+d,i] - r_i^2) / (r_i (1 - r_i))
/// ```
///
/// over pairs of scored bins of a trial; `r_i` is the mean over all scored bins.
pub fn autocorrelation(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Autocorrelation {
    let units = spikes.units();
    let scored = |slot: usize| layout.bins(slot) - layout.first_bin();
    let longest = (0..layout.trials()).map(scored).max().unwrap_or(0);
    let lags = AUTOCORRELATION_LAGS.min(longest.saturating_sub(1));
    let pairs: Vec<usize> = (1..=lags)
        .map(|lag| {
            (0..layout.trials())
                .map(|k| scored(k).saturating_sub(lag))
                .sum()
        })
        .collect();
    let (mut together, mut fired) = (vec![0u64; units * lags], vec![0u64; units]);
    let mut times: Vec<Vec<usize>> = vec![Vec::new(); units];
    for slot in 0..layout.trials() {
        times.iter_mut().for_each(Vec::clear);
        for t in layout.first_bin()..layout.bins(slot) {
            for_each_fired(spikes.row(slot, t), |unit| {
                for &before in times[unit].iter().rev().take_while(|&&s| t - s <= lags) {
                    together[unit * lags + t - before - 1] += 1;
                }
                times[unit].push(t);
                fired[unit] += 1;
            });
        }
    }
    let bins = layout.scored_bins().max(1) as f64;
    let of_unit = |unit: usize| {
        let rate = fired[unit] as f64 / bins;
        let variance = rate * (1.0 - rate);
        let lagged = together[unit * lags..][..lags].iter().zip(&pairs);
        (variance > 0.0 && lags > 0).then(|| {
            lagged
                .map(|(&n, &pairs)| (n as f64 / pairs as f64 - rate * rate) / variance)
                .collect()
        })
    };
    Autocorrelation {
        per_unit: (0..units).map(of_unit).collect(),
    }
}

impl Autocorrelation {
    /// Mean over units and lags of how far the other side's is, of the units that vary here; one that does not vary
    /// there has none, that is 0.
    pub fn distance(&self, other: &Self) -> Metric {
        let (mut sum, mut count) = (0.0, 0usize);
        for (own, other) in self.per_unit.iter().zip(&other.per_unit) {
            for (lag, value) in own.iter().flatten().enumerate() {
                let there = other.as_ref().and_then(|o| o.get(lag)).copied();
                sum += (value - there.unwrap_or(0.0)).abs();
                count += 1;
            }
        }
        Metric::or_reason(
            (count > 0).then(|| sum / count as f64),
            "autocorrelation",
            "autocorrelation: no unit varies in trials of two bins or more",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Spikes of trials of different lengths, by a rule.
    fn spikes(seed: u64, bins: &[usize], units: usize) -> TrialArray<u8> {
        let longest = *bins.iter().max().unwrap();
        let mut z = TrialArray::zeros(bins.len(), longest, 0, units);
        let mut state = seed | 1;
        for k in 0..bins.len() {
            for z in z.trial_mut(k) {
                state = state
                    .wrapping_mul(6364136223846793005)
                    .wrapping_add(1442695040888963407);
                *z = u8::from(state >> 33 & 7 < 2 + (seed & 1));
            }
        }
        z
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn agree_with_their_definitions(
            extra in prop::collection::vec(0..70usize, 1..5),
            first_bin in 0..3usize,
            seed in any::<u64>(),
        ) {
            let bins: Vec<usize> = extra.iter().map(|e| first_bin + 2 + e).collect();
            let z = spikes(seed, &bins, 4);
            let layout = TrialLayout::new(vec![0; bins.len()], bins.clone(), first_bin).unwrap();
            let scored: Vec<(usize, usize)> = (0..bins.len())
                .flat_map(|k| (first_bin..bins[k]).map(move |t| (k, t)))
                .collect();
            let value = |k: usize, t: usize, i: usize| f64::from(z.row(k, t)[i]);
            let found = autocorrelation(&z, &layout);
            for unit in 0..4 {
                let rate = scored.iter().map(|&(k, t)| value(k, t, unit)).sum::<f64>()
                    / scored.len() as f64;
                let Some(own) = &found.per_unit[unit] else {
                    prop_assert!(rate == 0.0 || rate == 1.0);
                    continue;
                };
                prop_assert_eq!(own.len(), 50.min(bins.iter().max().unwrap() - first_bin - 1));
                for (at, &a) in own.iter().enumerate() {
                    let lag = at + 1;
                    let pairs: Vec<f64> = scored
                        .iter()
                        .filter(|&&(k, t)| t + lag < bins[k])
                        .map(|&(k, t)| value(k, t, unit) * value(k, t + lag, unit))
                        .collect();
                    let mean = pairs.iter().sum::<f64>() / pairs.len() as f64;
                    let expected = (mean - rate * rate) / (rate * (1.0 - rate));
                    prop_assert!((a - expected).abs() < 1e-9);
                }
            }
            let counts: Vec<usize> = scored
                .iter()
                .map(|&(k, t)| z.row(k, t).iter().map(|&z| usize::from(z)).sum())
                .collect();
            let of = population_counts(&z, &layout);
            for (n, &bins) in of.bins.iter().enumerate() {
                prop_assert_eq!(bins as usize, counts.iter().filter(|&&c| c == n).count());
            }
            let triplets = |n: usize| match n { 3 => 1.0, 4 => 4.0, _ => 0.0 };
            let expected = counts.iter().map(|&n| triplets(n)).sum::<f64>() / counts.len() as f64;
            prop_assert!((of.synchronous_triplets().value().unwrap() - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn distances_by_hand() {
        let of = |bins: &[u64]| PopulationCounts {
            bins: bins.to_vec(),
        };
        // Cumulative 1/2, 1 against 1/4, 3/4, 1.
        assert_eq!(of(&[1, 1]).distance(&of(&[1, 2, 1])).value(), Some(0.25));
        assert!(
            of(&[])
                .distance(&of(&[1]))
                .reason()
                .unwrap()
                .contains("no scored bins")
        );
        assert!(of(&[0]).synchronous_triplets().reason().is_some());
        let unit = |values: &[f64]| Some(values.to_vec());
        let a = Autocorrelation {
            per_unit: vec![unit(&[0.5, 0.25]), None, unit(&[0.1, -0.1])],
        };
        let b = Autocorrelation {
            per_unit: vec![unit(&[0.25, 0.25]), unit(&[9.0, 9.0]), None],
        };
        assert!((a.distance(&b).value().unwrap() - (0.25 + 0.1 + 0.1) / 4.0).abs() < 1e-12);
        assert!(
            Autocorrelation {
                per_unit: vec![None]
            }
            .distance(&a)
            .reason()
            .is_some()
        );
    }
}
