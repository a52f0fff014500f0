//! Can two sets of trials be told apart? A classifier on statistics of single trials that no term of the objective
//! compares.
//!
//! A classifier two-sample test (Lopez-Paz and Oquab, ICLR 2017): logistic regression with a ridge, cross-validated.
//! An accuracy of 0.5 says that these statistics do not tell the sets apart.

use crate::Interval;
use crate::Metric;
use crate::activity::{bin_counts, triplets};
use refire_core::{TrialArray, TrialLayout, for_each_fired};
use smartcore::linalg::basic::matrix::DenseMatrix;
use smartcore::linear::logistic_regression::{LogisticRegression, LogisticRegressionParameters};

/// What a trial is known by.
pub const TRIAL_FEATURES: [&str; 14] = [
    "spikes per bin",
    "standard deviation of the population count",
    "share of bins without a spike",
    "largest population count",
    "autocorrelation of the population count, 1 bin",
    "autocorrelation of the population count, 2 bins",
    "autocorrelation of the population count, 4 bins",
    "autocorrelation of the population count, 8 bins",
    "mean logarithm of the intervals",
    "standard deviation of the logarithm of the intervals",
    "share of intervals of at most two bins",
    "spikes of different units in neighbouring bins",
    "synchronous triplets",
    "share of units that fire",
];

/// Lags of the autocorrelations among them.
const LAGS: [usize; 4] = [1, 2, 4, 8];

/// Parts of the pairs of trials, each told apart by a classifier that has seen the others.
const FOLDS: usize = 5;

/// Fewest pairs of trials that are tried.
const LEAST_PAIRS: usize = 10;

/// Ridge of the classifier, on features of unit variance.
const RIDGE: f64 = 1.0;

/// Features of single trials.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialFeatures {
    /// `[trial]`, as [`TRIAL_FEATURES`]; `None` where a trial does not have one (intervals, without two spikes of a unit).
    rows: Vec<[Option<f64>; TRIAL_FEATURES.len()]>,
    /// Dense index of the condition of each trial.
    conditions: Vec<usize>,
}

impl TrialFeatures {
    /// Of each trial of `spikes` (`[trial][bin][unit]`), scored bins only.
    pub fn new(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Self {
        let trials = 0..layout.trials();
        Self {
            rows: trials
                .clone()
                .map(|k| features(spikes, layout, k))
                .collect(),
            conditions: trials.map(|k| layout.condition(k)).collect(),
        }
    }
}

fn features(
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    slot: usize,
) -> [Option<f64>; TRIAL_FEATURES.len()] {
    let counts: Vec<f64> = bin_counts(spikes, layout, slot).map(|n| n as f64).collect();
    let bins = counts.len().max(1) as f64;
    let mean = counts.iter().sum::<f64>() / bins;
    let variance = counts.iter().map(|n| (n - mean).powi(2)).sum::<f64>() / bins;
    let lagged = |lag: usize| {
        let pairs = counts.iter().zip(counts.iter().skip(lag));
        let products = pairs.map(|(a, b)| (a - mean) * (b - mean));
        let covariance = products.sum::<f64>() / counts.len().saturating_sub(lag) as f64;
        (variance > 0.0 && counts.len() > lag).then(|| covariance / variance)
    };
    let triplets: f64 = counts.iter().map(|&n| triplets(n)).sum();

    let (mut logs, mut short, mut own_neighbours) = (Vec::new(), 0.0, 0.0);
    let mut last: Vec<Option<usize>> = vec![None; spikes.units()];
    for t in layout.first_bin()..layout.bins(slot) {
        for_each_fired(spikes.row(slot, t), |unit| {
            if let Some(before) = last[unit].replace(t) {
                let interval = t - before;
                logs.push((interval as f64).ln());
                short += f64::from(u8::from(interval <= 2));
                own_neighbours += f64::from(u8::from(interval == 1));
            }
        });
    }
    let firing = last.iter().filter(|at| at.is_some()).count() as f64;
    let intervals = logs.len() as f64;
    let of_intervals = |value: f64| (intervals > 0.0).then(|| value / intervals);
    let log_mean = of_intervals(logs.iter().sum());
    let squares = |mean: f64| logs.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    let neighbours: f64 = counts.windows(2).map(|pair| pair[0] * pair[1]).sum();
    [
        Some(mean),
        Some(variance.sqrt()),
        Some(counts.iter().filter(|&&n| n == 0.0).count() as f64 / bins),
        Some(counts.iter().copied().fold(0.0, f64::max)),
        lagged(LAGS[0]),
        lagged(LAGS[1]),
        lagged(LAGS[2]),
        lagged(LAGS[3]),
        log_mean,
        log_mean
            .and_then(|mean| of_intervals(squares(mean)))
            .map(f64::sqrt),
        of_intervals(short),
        Some((neighbours - own_neighbours) / bins),
        // Its tail is long: a classifier that is linear in it would see the largest alone.
        Some((1.0 + triplets / bins).ln()),
        Some(firing / spikes.units().max(1) as f64),
    ]
}

/// How well a classifier tells two sets of trials apart.
#[derive(Clone, Debug, PartialEq)]
pub struct ToldApart {
    /// Share of trials that go to their own set, 0.5 by chance.
    pub accuracy: Metric,
    /// Trials that were told apart, of both sets together.
    pub trials: usize,
}

impl ToldApart {
    /// Interval of an accuracy over so many trials (a mean of several is taken as one of them: what they share, the
    /// recorded trials, does not average out).
    pub fn interval(accuracy: f64, trials: usize) -> Option<Interval> {
        Interval::of_share(accuracy * trials as f64, trials)
    }
}

/// Tells two sets of trials apart, the i-th trial of a condition of one beside the i-th of the other; trials without a
/// partner are left out, so that both sets are as large in every condition.
///
/// Features, and the squared deviation of the spikes per bin, are taken about their mean in the condition (both sets
/// together, so that no label is looked at) and scaled to unit variance. Pairs are parted into five; each part is
/// judged by a classifier that has seen the others. As a pair stays together, its labels are exchangeable where the
/// sets are alike, and the expected accuracy is then exactly 0.5.
pub fn told_apart(a: &TrialFeatures, b: &TrialFeatures) -> ToldApart {
    let pairs = pairs(a, b);
    let missing = |reason: String| ToldApart {
        accuracy: Metric::Missing(reason),
        trials: 2 * pairs.len(),
    };
    if pairs.len() < LEAST_PAIRS {
        return missing(format!(
            "told apart: expected {LEAST_PAIRS} trials on either side, found {}",
            pairs.len()
        ));
    }
    let rows = standardised(a, b, &pairs);
    let mut right = 0usize;
    for fold in 0..FOLDS {
        let (mut train, mut labels, mut test) = (Vec::new(), Vec::new(), Vec::new());
        for (pair, [own, other]) in rows.iter().enumerate() {
            if pair % FOLDS == fold {
                test.extend([own.clone(), other.clone()]);
            } else {
                train.extend([own.clone(), other.clone()]);
                labels.extend([0i32, 1]);
            }
        }
        match classify(&train, &labels, &test) {
            Err(reason) => return missing(format!("told apart: {reason}")),
            Ok(found) => {
                let expected = [0, 1].iter().cycle();
                right += found.iter().zip(expected).filter(|(a, b)| a == b).count();
            }
        }
    }
    let trials = 2 * pairs.len();
    ToldApart {
        accuracy: Metric::Value(right as f64 / trials as f64),
        trials,
    }
}

fn classify(train: &[Vec<f64>], labels: &[i32], test: &[Vec<f64>]) -> Result<Vec<i32>, String> {
    let matrix = |rows| DenseMatrix::from_2d_vec(rows).map_err(|e| e.to_string());
    let (train, labels, test) = (
        matrix(&train.to_vec())?,
        labels.to_vec(),
        matrix(&test.to_vec())?,
    );
    let parameters = LogisticRegressionParameters::default().with_alpha(RIDGE);
    let fitted = LogisticRegression::fit(&train, &labels, parameters).map_err(|e| e.to_string())?;
    fitted.predict(&test).map_err(|e| e.to_string())
}

/// Trials beside each other: (of `a`, of `b`, condition).
fn pairs(a: &TrialFeatures, b: &TrialFeatures) -> Vec<(usize, usize, usize)> {
    let conditions = a.conditions.iter().max().map_or(0, |&c| c + 1);
    let of = |side: &TrialFeatures| {
        let mut own = vec![Vec::new(); conditions];
        for (trial, &condition) in side.conditions.iter().enumerate() {
            if let Some(own) = own.get_mut(condition) {
                own.push(trial);
            }
        }
        own
    };
    let both = of(a).into_iter().zip(of(b)).enumerate();
    both.flat_map(|(condition, (a, b))| {
        let pairs = a.into_iter().zip(b);
        pairs
            .map(move |(a, b)| (a, b, condition))
            .collect::<Vec<_>>()
    })
    .collect()
}

/// Features of each pair about the means of their conditions, of unit variance.
fn standardised(
    a: &TrialFeatures,
    b: &TrialFeatures,
    pairs: &[(usize, usize, usize)],
) -> Vec<[Vec<f64>; 2]> {
    let mut rows = vec![[Vec::new(), Vec::new()]; pairs.len()];
    let mut alone = vec![0usize; pairs.iter().map(|p| p.2 + 1).max().unwrap_or(0)];
    pairs.iter().for_each(|p| alone[p.2] += 1);
    for feature in 0..TRIAL_FEATURES.len() {
        let raw: Vec<[Option<f64>; 2]> = pairs
            .iter()
            .map(|&(i, j, _)| [a.rows[i][feature], b.rows[j][feature]])
            .collect();
        // A condition of one pair has no mean of its own to speak of.
        let group = |pair: usize| match alone[pairs[pair].2] {
            1 => usize::MAX,
            _ => pairs[pair].2,
        };
        let mut sums = std::collections::BTreeMap::new();
        for (pair, values) in raw.iter().enumerate() {
            let sum = sums.entry(group(pair)).or_insert((0.0, 0.0));
            for value in values.iter().flatten() {
                *sum = (sum.0 + value, sum.1 + 1.0);
            }
        }
        // What a trial does not have is taken as what is usual.
        let about = |pair: usize, value: Option<f64>| match (value, sums.get(&group(pair))) {
            (Some(value), Some(&(sum, count))) => value - sum / count,
            _ => 0.0,
        };
        let centred: Vec<[f64; 2]> = (raw.iter().enumerate())
            .map(|(pair, values)| values.map(|value| about(pair, value)))
            .collect();
        push_scaled(&mut rows, &centred);
        if feature == 0 {
            let squares: Vec<[f64; 2]> = centred.iter().map(|v| v.map(|x| x * x)).collect();
            let mean = squares.iter().flatten().sum::<f64>() / (2 * squares.len()) as f64;
            let squares: Vec<[f64; 2]> = squares.iter().map(|v| v.map(|x| x - mean)).collect();
            push_scaled(&mut rows, &squares);
        }
    }
    rows
}

fn push_scaled(rows: &mut [[Vec<f64>; 2]], centred: &[[f64; 2]]) {
    let squares = centred.iter().flatten().map(|x| x * x).sum::<f64>();
    let sd = (squares / (2 * centred.len()) as f64).sqrt();
    for (row, values) in rows.iter_mut().zip(centred) {
        for (row, value) in row.iter_mut().zip(values) {
            row.push(if sd > 0.0 { value / sd } else { 0.0 });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_xoshiro::Xoshiro256PlusPlus;

    /// Trials in which all units fire together with a probability, else each by itself, at the same rate. Conditions differ
    /// in their rates.
    fn trials(seed: u64, n: usize, together: f64) -> TrialFeatures {
        let mut rng = Xoshiro256PlusPlus::seed_from_u64(seed);
        let layout = TrialLayout::new((0..n).map(|k| k % 3).collect(), vec![60; n], 0).unwrap();
        let mut z = TrialArray::zeros(n, 60, 0, 6);
        for k in 0..n {
            let rate = 0.05 * (1 + k % 3) as f64;
            for t in 0..60 {
                let common = rng.random_bool(together).then(|| rng.random_bool(rate));
                for z in z.row_mut(k, t) {
                    *z = u8::from(common.unwrap_or_else(|| rng.random_bool(rate)));
                }
            }
        }
        TrialFeatures::new(&z, &layout)
    }

    #[test]
    fn sets_of_one_source_are_not_told_apart() {
        // Forty comparisons of 2 x 30 trials: their mean has a standard deviation below 0.5 / sqrt(60 x 40 / 2), as two
        // trials of a pair may go together; four of them are exceeded once in sixteen thousand.
        let accuracies: Vec<f64> = (0..40)
            .map(|s| {
                let found = told_apart(&trials(2 * s, 30, 0.1), &trials(2 * s + 1, 30, 0.1));
                assert_eq!(found.trials, 60);
                found.accuracy.value().unwrap()
            })
            .collect();
        let mean = accuracies.iter().sum::<f64>() / 40.0;
        assert!((mean - 0.5).abs() < 4.0 * 0.5 / 1200f64.sqrt(), "{mean}");
        // And single ones lie in their interval around chance: 95 of 100 times, so 30 of 40 at least (fewer by chance
        // once in 100,000 times, were they independent trials).
        let inside = accuracies.iter().filter(|&&accuracy| {
            let interval = ToldApart::interval(accuracy, 60).unwrap();
            (interval.low..=interval.high).contains(&0.5)
        });
        assert!(inside.count() >= 30, "{accuracies:?}");
    }

    #[test]
    fn synchrony_at_the_same_rates_tells_them_apart() {
        let found = told_apart(&trials(1, 60, 0.0), &trials(2, 60, 0.4));
        let accuracy = found.accuracy.value().unwrap();
        assert!(accuracy > 0.9, "{accuracy}");
        let interval = ToldApart::interval(accuracy, found.trials).unwrap();
        assert!(interval.low > 0.8 && interval.high <= 1.0);
    }

    #[test]
    fn pairs_are_of_one_condition_and_few_are_refused() {
        let of = |conditions: &[usize]| TrialFeatures {
            rows: vec![[Some(1.0); TRIAL_FEATURES.len()]; conditions.len()],
            conditions: conditions.to_vec(),
        };
        let (a, b) = (of(&[1, 0, 1, 1]), of(&[0, 1, 2, 1, 0]));
        assert_eq!(pairs(&a, &b), [(1, 0, 0), (0, 1, 1), (2, 3, 1)]);
        let few = told_apart(&a, &b);
        assert_eq!(few.trials, 6);
        assert!(few.accuracy.reason().unwrap().contains("found 3"));
        // Sets without any difference at all: whatever the classifier says is right for one of a pair.
        let same = of(&[0; 12]);
        assert_eq!(told_apart(&same, &same).accuracy.value(), Some(0.5));
    }

    #[test]
    fn features_by_hand() {
        // Two units, bins 1 to 5 scored: counts 1, 2, 0, 1, 1.
        let layout = TrialLayout::new(vec![0], vec![6], 1).unwrap();
        let z = vec![1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 0];
        let found = features(&TrialArray::from_vec(z, 1, 6, 2).unwrap(), &layout, 0);
        let near = |at: usize, expected: f64| {
            let value = found[at].unwrap();
            assert!(
                (value - expected).abs() < 1e-12,
                "{}: {value}",
                TRIAL_FEATURES[at]
            );
        };
        near(0, 1.0);
        near(1, 0.4f64.sqrt());
        near(2, 0.2);
        near(3, 2.0);
        // Products of (0, 1, -1, 0, 0) with itself one bin later: -1 over 4 pairs; two bins later: 0.
        near(4, -0.25 / 0.4);
        near(5, 0.0);
        near(6, 0.0);
        assert_eq!(found[7], None);
        // Unit 0: 1 and 3 bins; unit 1: 2 bins.
        let mean = (3f64.ln() + 2f64.ln()) / 3.0;
        near(8, mean);
        let squares = mean.powi(2) + (3f64.ln() - mean).powi(2) + (2f64.ln() - mean).powi(2);
        near(9, (squares / 3.0).sqrt());
        near(10, 2.0 / 3.0);
        // 1 x 2 + 1 x 1, of which unit 0 beside itself once.
        near(11, (3.0 - 1.0) / 5.0);
        near(12, 0.0);
        near(13, 1.0);
    }

    #[test]
    fn the_classifier_is_at_the_optimum_of_its_objective() {
        let (a, b) = (trials(3, 40, 0.1), trials(4, 40, 0.3));
        let rows = standardised(&a, &b, &pairs(&a, &b));
        let x: Vec<Vec<f64>> = rows.iter().flatten().cloned().collect();
        let y: Vec<i32> = (0..x.len()).map(|k| (k % 2) as i32).collect();
        let matrix = DenseMatrix::from_2d_vec(&x).unwrap();
        let parameters = LogisticRegressionParameters::default().with_alpha(RIDGE);
        let fitted = LogisticRegression::fit(&matrix, &y, parameters).unwrap();
        use smartcore::linalg::basic::arrays::Array;
        let w: Vec<f64> = (0..x[0].len())
            .map(|i| *fitted.coefficients().get((0, i)))
            .collect();
        let bias = *fitted.intercept().get((0, 0));
        let mut gradient: Vec<f64> = w.iter().map(|w| RIDGE * w).collect();
        gradient.push(0.0);
        for (row, &y) in x.iter().zip(&y) {
            let u = row.iter().zip(&w).map(|(a, b)| a * b).sum::<f64>() + bias;
            let error = 1.0 / (1.0 + (-u).exp()) - f64::from(y);
            row.iter()
                .chain([&1.0])
                .zip(&mut gradient)
                .for_each(|(x, g)| *g += error * x);
        }
        assert!(w.iter().any(|w| w.abs() > 0.1));
        assert!(gradient.iter().all(|g| g.abs() < 1e-4), "{gradient:?}");
    }
}
