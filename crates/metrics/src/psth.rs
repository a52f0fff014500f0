//! Trial-averaged spikes and how well two of them agree.

use crate::correlation::is_constant;
use crate::{Metric, pearson};
use refire_core::{TrialArray, TrialLayout};

/// Trial-averaged spikes of each condition.
#[derive(Clone, Debug, PartialEq)]
pub struct Psth {
    /// Number of units.
    pub units: usize,
    /// By dense condition index; a condition without trials has no bins.
    pub conditions: Vec<ConditionPsth>,
}

/// Trial-averaged spikes of one condition, as long as its longest trial.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ConditionPsth {
    /// `[bin][unit]`, spikes per bin, mean over the trials valid in the bin; 0 in bins of history.
    pub mean: Vec<f64>,
    /// Number of trials valid in each bin; 0 in bins of history.
    pub trials: Vec<usize>,
    units: usize,
}

impl ConditionPsth {
    /// The units of one bin, spikes per bin.
    pub fn row(&self, bin: usize) -> &[f64] {
        &self.mean[bin * self.units..(bin + 1) * self.units]
    }
}

impl Psth {
    /// Adds the means of trials laid out alike.
    pub fn add(&mut self, other: &Self) {
        for (own, other) in self.conditions.iter_mut().zip(&other.conditions) {
            own.mean
                .iter_mut()
                .zip(&other.mean)
                .for_each(|(a, b)| *a += b);
        }
    }

    /// Multiplies all means.
    pub fn scale(&mut self, by: f64) {
        let means = self.conditions.iter_mut().flat_map(|c| &mut c.mean);
        means.for_each(|mean| *mean *= by);
    }
}

/// Trial-averaged spikes of each condition of `spikes` (`[trial][bin][unit]`).
pub fn psth(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Psth {
    let units = spikes.units();
    let n_conditions = layout.groups().last().map_or(0, |g| g.condition + 1);
    let mut conditions = vec![ConditionPsth::default(); n_conditions];
    for group in layout.groups() {
        let bins = group
            .slots
            .iter()
            .map(|&k| layout.bins(k))
            .max()
            .unwrap_or(0);
        let mut mean = vec![0.0; bins * units];
        let mut trials = vec![0; bins];
        for &slot in &group.slots {
            for bin in layout.first_bin()..layout.bins(slot) {
                trials[bin] += 1;
                let sum = &mut mean[bin * units..(bin + 1) * units];
                for (m, &z) in sum.iter_mut().zip(spikes.row(slot, bin)) {
                    *m += f64::from(z);
                }
            }
        }
        for bin in layout.first_bin()..bins {
            for m in &mut mean[bin * units..(bin + 1) * units] {
                *m /= trials[bin] as f64;
            }
        }
        conditions[group.condition] = ConditionPsth {
            mean,
            trials,
            units,
        };
    }
    Psth { units, conditions }
}

/// Agreement of two PSTHs.
#[derive(Clone, Debug, PartialEq)]
pub struct PsthCorrelation {
    /// Pearson correlation per unit; `None` for a unit whose target does not vary.
    pub per_unit: Vec<Option<f64>>,
    /// Mean over the units that have one.
    pub mean: Metric,
}

/// Pearson correlation over bins, per unit, conditions concatenated, over the bins in which both
/// sides have a trial.
///
/// A unit whose target does not vary (silent) is left out; one that varies in the target but not
/// in `other` counts 0, so that a model cannot gain by silencing units it fits badly.
pub fn psth_correlation(target: &Psth, other: &Psth) -> PsthCorrelation {
    if target.units != other.units {
        return PsthCorrelation {
            per_unit: vec![None; target.units],
            mean: Metric::Missing(format!(
                "PSTH correlation: expected {} units, found {}",
                target.units, other.units
            )),
        };
    }
    let common: Vec<(&[f64], &[f64])> = target
        .conditions
        .iter()
        .zip(&other.conditions)
        .flat_map(|(a, b)| {
            (0..a.trials.len().min(b.trials.len()))
                .filter(|&bin| a.trials[bin] > 0 && b.trials[bin] > 0)
                .map(|bin| (a.row(bin), b.row(bin)))
        })
        .collect();
    let per_unit: Vec<Option<f64>> = (0..target.units)
        .map(|unit| {
            let x: Vec<f64> = common.iter().map(|(x, _)| x[unit]).collect();
            let y: Vec<f64> = common.iter().map(|(_, y)| y[unit]).collect();
            (!is_constant(&x)).then(|| pearson(&x, &y).unwrap_or(0.0))
        })
        .collect();
    let reason = if common.is_empty() {
        "PSTH correlation: no bin with trials on both sides"
    } else {
        "PSTH correlation: no unit varies over the bins of the target"
    };
    let mean = Metric::mean_of(&per_unit, "PSTH correlation", reason);
    PsthCorrelation { per_unit, mean }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    fn array(trials: &[&[u8]], bins: usize, units: usize) -> TrialArray<u8> {
        TrialArray::from_vec(trials.concat(), trials.len(), bins, units).unwrap()
    }

    #[test]
    fn mean_over_the_trials_valid_in_a_bin() {
        // One unit; condition 1 has trials of 4 and 3 bins, condition 0 none; bin 0 is history.
        let layout = TrialLayout::new(vec![1, 1], vec![4, 3], 1).unwrap();
        let p = psth(&array(&[&[1, 1, 0, 1], &[1, 0, 0, 1]], 4, 1), &layout);
        assert_eq!(p.conditions.len(), 2);
        assert!(p.conditions[0].trials.is_empty());
        assert_eq!(p.conditions[1].trials, [0, 2, 2, 1]);
        assert_eq!(p.conditions[1].mean, [0.0, 0.5, 0.0, 1.0]);
    }

    #[test]
    fn hand_computed_correlation_over_common_bins() {
        // Single trials; the other side's second condition is one bin shorter: 3 + 2 common bins.
        let long = TrialLayout::new(vec![0, 1], vec![3, 3], 0).unwrap();
        let short = TrialLayout::new(vec![0, 1], vec![3, 2], 0).unwrap();
        let target = psth(&array(&[&[1, 0, 1], &[0, 0, 1]], 3, 1), &long);
        let other = psth(&array(&[&[1, 0, 0], &[1, 0, 0]], 3, 1), &short);
        // x = 1 0 1 0 0, y = 1 0 0 1 0: means 2/5, sum of products 1 - 4/5, squares 2 - 4/5.
        let r = psth_correlation(&target, &other).mean.value().unwrap();
        assert!((r - 0.2 / 1.2).abs() < 1e-15);
        // Bin 0 is history on one side: x = 0 1 0, y = 0 1 1 are left.
        let target = psth(
            &array(&[&[1, 0, 1, 0]], 4, 1),
            &TrialLayout::uniform(1, 4, 0).unwrap(),
        );
        let other = psth(
            &array(&[&[1, 0, 1, 1]], 4, 1),
            &TrialLayout::uniform(1, 4, 1).unwrap(),
        );
        for (one, two) in [(&target, &other), (&other, &target)] {
            let r = psth_correlation(one, two).mean.value().unwrap();
            assert!((r - 0.5).abs() < 1e-15);
        }
    }

    #[test]
    fn silent_units() {
        // Unit 0 is silent in both, unit 1 only in `other`, unit 2 only in the target, unit 3
        // fires in every bin of the target.
        let layout = TrialLayout::uniform(1, 3, 0).unwrap();
        let target = psth(
            &array(&[&[0, 1, 0, 1, 0, 0, 0, 1, 0, 1, 0, 1]], 3, 4),
            &layout,
        );
        let other = psth(
            &array(&[&[0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0]], 3, 4),
            &layout,
        );
        let c = psth_correlation(&target, &other);
        assert_eq!(c.per_unit, [None, Some(0.0), None, None]);
        assert_eq!(c.mean, Metric::Value(0.0));
        let own = psth_correlation(&target, &target);
        assert_eq!(own.per_unit, [None, Some(1.0), None, None]);
    }

    #[test]
    fn missing_with_a_reason() {
        let layout = TrialLayout::uniform(1, 2, 0).unwrap();
        let silent = psth(&array(&[&[0, 0]], 2, 1), &layout);
        let why = psth_correlation(&silent, &silent).mean;
        assert!(why.reason().unwrap().contains("no unit varies"));

        let elsewhere = TrialLayout::new(vec![1], vec![2], 0).unwrap();
        let far = psth(&array(&[&[0, 1]], 2, 1), &elsewhere);
        let why = psth_correlation(&silent, &far).mean;
        assert!(why.reason().unwrap().contains("no bin with trials"));

        let wide = psth(&array(&[&[0, 1, 1, 0]], 2, 2), &layout);
        let why = psth_correlation(&silent, &wide).mean;
        assert!(why.reason().unwrap().contains("expected 1 units, found 2"));
    }

    #[test]
    fn independent_psths_correlate_near_zero() {
        // 20 units x 500 bins: the mean of 20 correlations of sd 1/sqrt(500) has sd 0.01.
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(1);
        let layout = TrialLayout::uniform(5, 500, 0).unwrap();
        let mut draw = || {
            let data = (0..5 * 500 * 20)
                .map(|_| u8::from(rng.random_bool(0.1)))
                .collect();
            psth(&TrialArray::from_vec(data, 5, 500, 20).unwrap(), &layout)
        };
        let c = psth_correlation(&draw(), &draw());
        assert!(c.mean.value().unwrap().abs() < 0.05);
    }
}
