//! Noise correlation at lags other than 0.

use crate::{Metric, pearson, r_squared};
use refire_core::{TrialArray, TrialLayout, for_each_fired};

/// Most units whose lagged noise correlations are measured.
pub const MOST_UNITS_OF_LAGS: usize = 100;

/// Noise correlations at some lags.
#[derive(Clone, Debug, PartialEq)]
pub struct LaggedNoise {
    /// Units, at most [`MOST_UNITS_OF_LAGS`].
    units: usize,
    /// By lag: `[earlier][later]`, noise covariance over the product of total standard deviations; `None` where no two
    /// trials of a condition are long enough.
    of_lags: Vec<Option<Vec<f64>>>,
    /// Whether a unit's spikes vary at all, `[unit]`.
    valid: Vec<bool>,
}

/// Noise correlations of `spikes` (`[trial][bin][unit]`) at these lags, in bins, of the first
/// [`MOST_UNITS_OF_LAGS`] units.
///
/// ```text
/// C[d,i,j] = sum_{c,t} K/(K-1) sum_k (z[k,t,i] - mean_k z[k,t,i]) (z[k,t+d,j] - mean_k z[k,t+d,j]) / sum_{c,t} K
/// ```
///
/// over the `K` trials `k` of condition `c` that reach bin `t+d`, bins with `K >= 2` only, divided by the product of
/// the units' total standard deviations.
pub fn lagged_noise(spikes: &TrialArray<u8>, layout: &TrialLayout, lags: &[usize]) -> LaggedNoise {
    let units = spikes.units().min(MOST_UNITS_OF_LAGS);
    let mut fired = vec![0u64; units];
    for slot in 0..layout.trials() {
        for t in layout.first_bin()..layout.bins(slot) {
            for_each_fired(&spikes.row(slot, t)[..units], |unit| fired[unit] += 1);
        }
    }
    let scored = layout.scored_bins().max(1) as f64;
    let sd: Vec<f64> = fired
        .iter()
        .map(|&n| (n as f64 / scored * (1.0 - n as f64 / scored)).sqrt())
        .collect();
    let of_lag = |&lag: &usize| {
        let (mut products, weight) = covariance_sums(spikes, layout, lag, units);
        (weight > 0).then(|| {
            for (i, row) in products.chunks_exact_mut(units).enumerate() {
                for (value, &other) in row.iter_mut().zip(&sd) {
                    let scale = weight as f64 * sd[i] * other;
                    *value = if scale > 0.0 { *value / scale } else { 0.0 };
                }
            }
            products
        })
    };
    LaggedNoise {
        units,
        of_lags: lags.iter().map(of_lag).collect(),
        valid: sd.iter().map(|&sd| sd > 0.0).collect(),
    }
}

/// Weighted sums of products about the means of trials `[earlier][later]`, and the number of trials and bins in them.
fn covariance_sums(
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    lag: usize,
    units: usize,
) -> (Vec<f64>, usize) {
    let mut products = vec![0.0; units * units];
    let (mut weight, mut later) = (0, Vec::with_capacity(units));
    let (mut sums, mut later_sums) = (vec![0.0; units], vec![0.0; units]);
    for group in layout.groups() {
        let longest = group.slots.iter().map(|&k| layout.bins(k)).max();
        for t in layout.first_bin()..longest.unwrap_or(0).saturating_sub(lag) {
            let reach = group.slots.iter().filter(|&&k| layout.bins(k) > t + lag);
            let trials = reach.clone().count();
            if trials < 2 {
                continue;
            }
            weight += trials;
            let factor = trials as f64 / (trials as f64 - 1.0);
            sums.fill(0.0);
            later_sums.fill(0.0);
            for &slot in reach {
                later.clear();
                for_each_fired(&spikes.row(slot, t + lag)[..units], |unit| later.push(unit));
                later.iter().for_each(|&j| later_sums[j] += 1.0);
                for_each_fired(&spikes.row(slot, t)[..units], |i| {
                    sums[i] += 1.0;
                    later
                        .iter()
                        .for_each(|&j| products[i * units + j] += factor);
                });
            }
            for (i, &sum) in sums.iter().enumerate().filter(|(_, sum)| **sum > 0.0) {
                let mean = factor * sum / trials as f64;
                let row = &mut products[i * units..][..units];
                row.iter_mut()
                    .zip(&later_sums)
                    .for_each(|(p, n)| *p -= mean * n);
            }
        }
    }
    (products, weight)
}

/// Agreement of noise correlations at some lags, by lag.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LaggedAgreement {
    /// Pearson correlation over ordered pairs of different units.
    pub pearson: Vec<Metric>,
    /// `1 - SS_res / SS_tot` over them, the target as reference.
    pub r2: Vec<Metric>,
}

impl LaggedNoise {
    /// Compares with another side of the same units and lags, over the pairs of units that are not silent here.
    pub fn agreement(&self, other: &Self) -> LaggedAgreement {
        let mut found = LaggedAgreement::default();
        for (own, other) in self.of_lags.iter().zip(&other.of_lags) {
            let (mut x, mut y) = (Vec::new(), Vec::new());
            if let (Some(own), Some(other)) = (own, other) {
                for i in (0..self.units).filter(|&i| self.valid[i]) {
                    for j in (0..self.units).filter(|&j| j != i && self.valid[j]) {
                        x.push(own[i * self.units + j]);
                        y.push(other[i * self.units + j]);
                    }
                }
            }
            let metric = |value| {
                let reason = "lagged noise correlation: no pairs that differ, or no two trials that reach the lag";
                Metric::or_reason(value, "lagged noise correlation", reason)
            };
            found.pearson.push(metric(pearson(&x, &y)));
            found.r2.push(metric(r_squared(&x, &y)));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::noise_correlation;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn random(seed: u64, trials: usize, bins: usize, units: usize) -> TrialArray<u8> {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let spikes = (0..trials * bins * units).map(|_| u8::from(rng.random_bool(0.3)));
        TrialArray::from_vec(spikes.collect(), trials, bins, units).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn agrees_with_the_definition(
            trials in prop::collection::vec((0..3usize, 0..5usize), 1..9),
            first_bin in 0..3usize,
            lag in 0..4usize,
            seed in any::<u64>(),
        ) {
            let (conditions, extra): (Vec<usize>, Vec<usize>) = trials.into_iter().unzip();
            let bins: Vec<usize> = extra.iter().map(|e| first_bin + 1 + e).collect();
            let z = random(seed, bins.len(), 8, 3);
            let layout = TrialLayout::new(conditions, bins.clone(), first_bin).unwrap();
            let found = lagged_noise(&z, &layout, &[lag]);
            let value = |k: usize, t: usize, i: usize| f64::from(z.row(k, t)[i]);
            let (mut sum, mut weight) = ([[0.0; 3]; 3], 0.0);
            for group in layout.groups() {
                for t in first_bin..8 {
                    let own: Vec<usize> =
                        group.slots.iter().copied().filter(|&k| bins[k] > t + lag).collect();
                    let n = own.len() as f64;
                    if n < 2.0 {
                        continue;
                    }
                    weight += n;
                    let mean = |t, i| own.iter().map(|&k| value(k, t, i)).sum::<f64>() / n;
                    for (i, row) in sum.iter_mut().enumerate() {
                        for (j, sum) in row.iter_mut().enumerate() {
                            let product = |&k: &usize| {
                                (value(k, t, i) - mean(t, i)) * (value(k, t + lag, j) - mean(t + lag, j))
                            };
                            *sum += n / (n - 1.0) * own.iter().map(product).sum::<f64>();
                        }
                    }
                }
            }
            let all: Vec<(usize, usize)> = (0..bins.len())
                .flat_map(|k| (first_bin..bins[k]).map(move |t| (k, t)))
                .collect();
            let sd = |i: usize| {
                let rate = all.iter().map(|&(k, t)| value(k, t, i)).sum::<f64>() / all.len() as f64;
                (rate * (1.0 - rate)).sqrt()
            };
            let Some(of_lag) = &found.of_lags[0] else {
                prop_assert_eq!(weight, 0.0);
                return Ok(());
            };
            for i in 0..3 {
                for j in 0..3 {
                    let scale = weight * sd(i) * sd(j);
                    let expected = if scale > 0.0 { sum[i][j] / scale } else { 0.0 };
                    prop_assert!((of_lag[3 * i + j] - expected).abs() < 1e-9);
                }
            }
            if lag == 0 {
                let plain = noise_correlation(&z, &layout).matrix;
                let near = (0..3).all(|i| (0..3).all(|j| {
                    (of_lag[3 * i + j] - plain[(i, j)]).abs() < 1e-9
                }));
                prop_assert!(near);
            }
        }
    }

    #[test]
    fn agreement_leaves_out_silent_units_and_lags_out_of_reach() {
        let layout = TrialLayout::uniform(30, 12, 0).unwrap();
        let mut z = random(5, 30, 12, 4);
        for k in 0..30 {
            (0..12).for_each(|t| z.row_mut(k, t)[2] = 0);
        }
        let of = lagged_noise(&z, &layout, &[1, 3, 12]);
        let own = of.agreement(&of);
        assert!((own.pearson[0].value().unwrap() - 1.0).abs() < 1e-12);
        assert_eq!(own.r2[1].value(), Some(1.0));
        assert!(own.pearson[2].reason().unwrap().contains("no two trials"));
        let other = lagged_noise(&random(6, 30, 12, 4), &layout, &[1, 3, 12]);
        let found = of.agreement(&other);
        let pairs = [(0, 1), (0, 3), (1, 0), (1, 3), (3, 0), (3, 1)];
        let list = |of: &LaggedNoise| -> Vec<f64> {
            let lag = of.of_lags[0].as_ref().unwrap();
            pairs.iter().map(|(i, j)| lag[4 * i + j]).collect()
        };
        assert_eq!(found.pearson[0].value(), pearson(&list(&of), &list(&other)));
        assert_eq!(found.r2[0].value(), r_squared(&list(&of), &list(&other)));
    }
}
