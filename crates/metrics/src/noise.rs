//! Noise correlation at lag 0 and how well two of them agree.

use crate::{Metric, pearson, r_squared};
use nalgebra::DMatrix;
use refire_core::{Group, TrialArray, TrialLayout};

/// Most units whose noise correlations are measured: memory and time grow with the square of their number.
pub const MOST_UNITS_OF_PAIRS: usize = 1000;

/// Noise correlations at lag 0.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseCorrelation {
    /// `[unit][unit]`, symmetric: noise covariance over the product of total standard deviations.
    /// The diagonal is the share of a unit's variance that lies between trials. 0 in the rows and
    /// columns of units that are not valid.
    pub matrix: DMatrix<f64>,
    /// Whether a unit's spikes vary at all, `[unit]`; false for a silent one.
    pub valid: Vec<bool>,
    /// Number of (trial, bin) pairs in bins that at least two trials of a condition share; without
    /// one there is no noise correlation.
    pub trial_bins: usize,
}

/// Noise correlation of `spikes` (`[trial][bin][unit]`) at lag 0, of the first [`MOST_UNITS_OF_PAIRS`] units.
///
/// ```text
/// C[i,j] = sum_{c,t} K_t/(K_t-1) sum_k (z_i - mean_k z_i)(z_j - mean_k z_j) / sum_{c,t} K_t
/// ```
///
/// over the trials `k` of condition `c` valid in bin `t`, bins with `K_t >= 2` only, divided by
/// the product of the units' total standard deviations: about the grand mean over all scored bins.
///
/// Visits spikes, not pairs of units: `sum_k (..)(..) = sum_k z_i z_j - K_t mean_i mean_j`.
pub fn noise_correlation(spikes: &TrialArray<u8>, layout: &TrialLayout) -> NoiseCorrelation {
    let units = spikes.units().min(MOST_UNITS_OF_PAIRS);
    let mut pooled = Pooled::new(units);
    for group in layout.groups() {
        pooled.add_condition(spikes, layout, group);
    }
    let scored = layout.scored_bins().max(1) as f64;
    let total_sd: Vec<f64> = pooled
        .spikes
        .iter()
        .map(|&count| {
            let rate = count as f64 / scored;
            (rate * (1.0 - rate)).sqrt()
        })
        .collect();
    let mut matrix = DMatrix::zeros(units, units);
    for i in 0..units {
        for j in 0..=i {
            let scale = pooled.trial_bins as f64 * total_sd[i] * total_sd[j];
            if scale > 0.0 {
                let correlation = pooled.products[i * units + j] / scale;
                matrix[(i, j)] = correlation;
                matrix[(j, i)] = correlation;
            }
        }
    }
    NoiseCorrelation {
        matrix,
        valid: total_sd.iter().map(|&sd| sd > 0.0).collect(),
        trial_bins: pooled.trial_bins,
    }
}

/// Sums over conditions and bins.
struct Pooled {
    /// `[i][j]`, `i >= j`: weighted products about the trial mean.
    products: Vec<f64>,
    /// Spikes per unit in all scored bins.
    spikes: Vec<u64>,
    trial_bins: usize,
    /// Spikes per unit of the bin at hand, zero between bins.
    count: Vec<u32>,
    /// Units that fired in one trial of the bin, ascending.
    fired: Vec<usize>,
    /// Units that fired in any trial of the bin.
    active: Vec<usize>,
}

impl Pooled {
    fn new(units: usize) -> Self {
        Self {
            products: vec![0.0; units * units],
            spikes: vec![0; units],
            trial_bins: 0,
            count: vec![0; units],
            fired: Vec::with_capacity(units),
            active: Vec::with_capacity(units),
        }
    }

    fn add_condition(&mut self, spikes: &TrialArray<u8>, layout: &TrialLayout, group: &Group) {
        let units = self.spikes.len();
        let longest = group
            .slots
            .iter()
            .map(|&k| layout.bins(k))
            .max()
            .unwrap_or(0);
        for bin in layout.first_bin()..longest {
            let valid = group.slots.iter().filter(|&&k| layout.bins(k) > bin);
            let trials = valid.clone().count();
            let weight = if trials < 2 {
                0.0
            } else {
                self.trial_bins += trials;
                trials as f64 / (trials as f64 - 1.0)
            };
            for &slot in valid {
                self.add_row(&spikes.row(slot, bin)[..units], weight);
            }
            self.active.sort_unstable();
            for (at, &i) in self.active.iter().enumerate() {
                let mean = weight * f64::from(self.count[i]) / trials as f64;
                for &j in &self.active[..=at] {
                    self.products[i * units + j] -= mean * f64::from(self.count[j]);
                }
            }
            for unit in self.active.drain(..) {
                self.spikes[unit] += u64::from(self.count[unit]);
                self.count[unit] = 0;
            }
        }
    }

    fn add_row(&mut self, row: &[u8], weight: f64) {
        self.fired.clear();
        self.fired.extend(
            row.iter()
                .enumerate()
                .filter(|&(_, &z)| z != 0)
                .map(|(unit, _)| unit),
        );
        for (at, &i) in self.fired.iter().enumerate() {
            if self.count[i] == 0 {
                self.active.push(i);
            }
            self.count[i] += 1;
            let products = &mut self.products[i * row.len()..];
            for &j in &self.fired[..=at] {
                products[j] += weight;
            }
        }
    }
}

/// Agreement of two sets of noise correlations.
#[derive(Clone, Debug, PartialEq)]
pub struct NoiseAgreement {
    /// Pearson correlation over pairs of units.
    pub pearson: Metric,
    /// `1 - SS_res / SS_tot` over pairs of units, the target as reference.
    pub r2: Metric,
    /// Noise correlations `(target, other)` of the pairs `i > j`, by `i`, then `j`.
    pub pairs: Vec<(f64, f64)>,
}

/// Compares noise correlations over the pairs `i > j` of units that are not silent in the target;
/// a unit silent only in `other` has correlation 0 there.
pub fn noise_agreement(target: &NoiseCorrelation, other: &NoiseCorrelation) -> NoiseAgreement {
    let missing = |reason: String| NoiseAgreement {
        pearson: Metric::Missing(reason.clone()),
        r2: Metric::Missing(reason),
        pairs: Vec::new(),
    };
    let units = target.valid.len();
    if other.valid.len() != units {
        return missing(format!(
            "noise correlation: expected {units} units, found {}",
            other.valid.len()
        ));
    }
    for (side, noise) in [("target", target), ("other side", other)] {
        if noise.trial_bins == 0 {
            return missing(format!(
                "noise correlation: the {side} has no condition with two trials"
            ));
        }
    }
    let valid: Vec<usize> = (0..units).filter(|&unit| target.valid[unit]).collect();
    let (mut x, mut y) = (Vec::new(), Vec::new());
    for (at, &i) in valid.iter().enumerate() {
        for &j in &valid[..at] {
            x.push(target.matrix[(i, j)]);
            y.push(other.matrix[(i, j)]);
        }
    }
    if x.len() < 2 {
        return NoiseAgreement {
            pairs: x.iter().copied().zip(y.iter().copied()).collect(),
            ..missing(format!(
                "noise correlation: expected at least 2 pairs of units whose activity varies, found {}",
                x.len()
            ))
        };
    }
    NoiseAgreement {
        pearson: Metric::or_reason(
            pearson(&x, &y),
            "noise correlation",
            "noise correlation: all pairs alike on one side",
        ),
        r2: Metric::or_reason(
            r_squared(&x, &y),
            "R2 of the noise correlation",
            "noise correlation: all pairs of the target alike",
        ),
        pairs: x.into_iter().zip(y).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn array(trials: &[&[u8]], bins: usize, units: usize) -> TrialArray<u8> {
        TrialArray::from_vec(trials.concat(), trials.len(), bins, units).unwrap()
    }

    /// The definition, term by term.
    fn naive(spikes: &TrialArray<u8>, layout: &TrialLayout) -> DMatrix<f64> {
        let n = spikes.units();
        let z = |k: usize, t: usize, i: usize| f64::from(spikes.row(k, t)[i]);
        let scored: Vec<(usize, usize)> = (0..layout.trials())
            .flat_map(|k| (layout.first_bin()..layout.bins(k)).map(move |t| (k, t)))
            .collect();
        let sd: Vec<f64> = (0..n)
            .map(|i| {
                let mean =
                    scored.iter().map(|&(k, t)| z(k, t, i)).sum::<f64>() / scored.len() as f64;
                let squares = scored.iter().map(|&(k, t)| (z(k, t, i) - mean).powi(2));
                (squares.sum::<f64>() / scored.len() as f64).sqrt()
            })
            .collect();
        DMatrix::from_fn(n, n, |i, j| {
            let (mut sum, mut norm) = (0.0, 0.0);
            for group in layout.groups() {
                for t in layout.first_bin()..layout.max_bins() {
                    let valid: Vec<usize> = group
                        .slots
                        .iter()
                        .copied()
                        .filter(|&k| layout.bins(k) > t)
                        .collect();
                    let count = valid.len() as f64;
                    if valid.len() < 2 {
                        continue;
                    }
                    let mean = |u| valid.iter().map(|&k| z(k, t, u)).sum::<f64>() / count;
                    let (mi, mj) = (mean(i), mean(j));
                    let products = valid.iter().map(|&k| (z(k, t, i) - mi) * (z(k, t, j) - mj));
                    sum += count / (count - 1.0) * products.sum::<f64>();
                    norm += count;
                }
            }
            if norm > 0.0 && sd[i] > 1e-9 && sd[j] > 1e-9 {
                sum / norm / (sd[i] * sd[j])
            } else {
                0.0
            }
        })
    }

    fn bernoulli(
        seed: u64,
        trials: usize,
        bins: usize,
        units: usize,
        p: f64,
    ) -> (TrialArray<u8>, TrialLayout) {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let data = (0..trials * bins * units)
            .map(|_| u8::from(rng.random_bool(p)))
            .collect();
        (
            TrialArray::from_vec(data, trials, bins, units).unwrap(),
            TrialLayout::uniform(trials, bins, 0).unwrap(),
        )
    }

    #[test]
    fn hand_computed_two_trials() {
        // Bin 0: unit 0 fires in trial 0 only, unit 1 in trial 0 only: products about the mean
        // 1/2, times K/(K-1) = 2, over 4 trial-bins: C = 1/4. Bin 1: both trials alike, no noise.
        let layout = TrialLayout::uniform(2, 2, 0).unwrap();
        let noise = noise_correlation(&array(&[&[1, 1, 0, 1], &[0, 0, 0, 1]], 2, 2), &layout);
        // Rates 1/4 and 3/4: both total variances 3/16.
        assert!((noise.matrix[(1, 0)] - 0.25 / (3.0 / 16.0)).abs() < 1e-15);
        assert_eq!(noise.matrix[(0, 1)], noise.matrix[(1, 0)]);
        assert_eq!(noise.trial_bins, 4);
    }

    #[test]
    fn bins_that_only_one_trial_reaches_count_for_the_standard_deviation_only() {
        let layout = TrialLayout::new(vec![0, 0, 1], vec![3, 2, 2], 1).unwrap();
        let z = array(&[&[1, 0, 1], &[1, 1, 0], &[0, 1, 0]], 3, 1);
        let noise = noise_correlation(&z, &layout);
        // Scored: trial 0 bins 1, 2 (0, 1), trial 1 bin 1 (1), trial 2 bin 1 (1): rate 3/4.
        // Bin 1 of condition 0: 2 * (1/2) over 2 trial-bins.
        assert_eq!(noise.trial_bins, 2);
        assert!((noise.matrix[(0, 0)] - 0.5 / (3.0 / 16.0)).abs() < 1e-15);
    }

    #[test]
    fn silent_units_are_left_out_or_count_zero() {
        let (mut target, layout) = bernoulli(3, 20, 30, 4, 0.2);
        let mut other = target.clone();
        for k in 0..20 {
            for t in 0..30 {
                target.row_mut(k, t)[0] = 0;
                other.row_mut(k, t)[1] = 0;
            }
        }
        let (target, other) = (
            noise_correlation(&target, &layout),
            noise_correlation(&other, &layout),
        );
        assert_eq!(target.valid, [false, true, true, true]);
        let agreement = noise_agreement(&target, &other);
        let c = |i, j| target.matrix[(i, j)];
        // Pairs (2,1), (3,1), (3,2); unit 1 is silent in `other`.
        assert_eq!(
            agreement.pairs,
            [(c(2, 1), 0.0), (c(3, 1), 0.0), (c(3, 2), c(3, 2))]
        );

        // A silent model explains nothing and has no Pearson correlation.
        let silent = noise_correlation(&TrialArray::zeros(20, 30, 0, 4), &layout);
        let agreement = noise_agreement(&target, &silent);
        assert!(agreement.pearson.reason().unwrap().contains("alike"));
        assert!(agreement.r2.value().unwrap() <= 0.0);
    }

    #[test]
    fn identity_and_independence() {
        // Under independence the 45 correlations have sd 1/sqrt(40 * 100); those of two
        // independent samples are unrelated: Pearson has sd about 1/sqrt(45).
        let (a, layout) = bernoulli(5, 40, 100, 10, 0.1);
        let (b, _) = bernoulli(6, 40, 100, 10, 0.1);
        let (a, b) = (
            noise_correlation(&a, &layout),
            noise_correlation(&b, &layout),
        );
        let own = noise_agreement(&a, &a);
        assert!((own.pearson.value().unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(own.r2.value(), Some(1.0));
        assert!(
            own.pairs
                .iter()
                .all(|(x, _)| x.abs() < 5.0 / 4000f64.sqrt())
        );
        assert!((0..10).all(|i| (a.matrix[(i, i)] - 1.0).abs() < 0.05));
        assert!(noise_agreement(&a, &b).pearson.value().unwrap().abs() < 0.6);
    }

    #[test]
    fn missing_with_a_reason() {
        let (one, single) = bernoulli(7, 1, 50, 3, 0.3);
        let one = noise_correlation(&one, &single);
        let agreement = noise_agreement(&one, &one);
        assert!(
            agreement
                .r2
                .reason()
                .unwrap()
                .contains("no condition with two trials")
        );

        let (z, layout) = bernoulli(8, 5, 50, 1, 0.3);
        let alone = noise_correlation(&z, &layout);
        let why = noise_agreement(&alone, &alone).pearson;
        assert!(why.reason().unwrap().contains("found 0"));
        // One pair cannot be compared, and is there to be seen.
        let (z, layout) = bernoulli(9, 5, 50, 2, 0.3);
        let two = noise_correlation(&z, &layout);
        let agreement = noise_agreement(&two, &two);
        assert!(agreement.pearson.reason().unwrap().contains("found 1"));
        assert_eq!(agreement.pairs, [(two.matrix[(1, 0)], two.matrix[(1, 0)])]);
        let why = noise_agreement(&alone, &one).pearson;
        assert!(why.reason().unwrap().contains("expected 1 units, found 3"));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn agrees_with_the_definition(
            trials in prop::collection::vec((0..3usize, 0..4usize), 1..9),
            first_bin in 0..3usize,
            seed in any::<u64>(),
            rate in 0.0..=1.0f64,
        ) {
            let (conditions, extra): (Vec<usize>, Vec<usize>) = trials.into_iter().unzip();
            let bins: Vec<usize> = extra.iter().map(|e| first_bin + 1 + e).collect();
            let (z, _) = bernoulli(seed, bins.len(), 7, 5, rate);
            let layout = TrialLayout::new(conditions, bins, first_bin).unwrap();
            let (fast, slow) = (noise_correlation(&z, &layout), naive(&z, &layout));
            prop_assert!((fast.matrix - slow).amax() < 1e-12);
        }
    }
}
