//! Exact expectation and variance of sample covariances.

use crate::{OracleError, Path, Paths};
use refire_core::{TrialArray, TrialLayout};

/// Which number of a bin and unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Spikes, 0 or 1.
    Spikes,
    /// Probability of a spike given the past.
    Probabilities,
}

/// Which signals a covariance is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signals {
    /// Of the target.
    pub target: Signal,
    /// Of the source, which comes first in time.
    pub source: Signal,
}

impl Signal {
    fn at(self, path: Path<'_>, at: usize) -> f64 {
        match self {
            Self::Spikes => f64::from(path.spikes[at]),
            Self::Probabilities => path.p[at],
        }
    }
}

/// Noise covariances of one condition at lags `0..lags`, as a sample of `K` trials estimates them.
/// Entries are `[source][lag][target]`.
///
/// With `a` of the target, `b` of the source, tilde for the deviation from the expectation, sums over
/// the `N` bins of the lag, and `y` an independent trial,
///
/// ```text
/// U      = 1/(N (K-1)) sum_t sum_k (a - mean)(b - mean)              (a U-statistic of two trials)
/// E[U]   = 1/N sum_t E[a~ b~]
/// Var[U] = Var[S] / (N^2 K) + Var[Q] / (2 N^2 K (K-1))
///          S = sum_t a~ b~                Q = sum_t (a~_x b~_y + a~_y b~_x)
/// Var[Q] = 2 sum_{t,t'} ( E[a~_t a~_t'] E[b~_t b~_t'] + E[a~_t b~_t'] E[b~_t a~_t'] )
/// ```
///
/// (Hoeffding's decomposition; `S` and `Q` are uncorrelated since `E[Q | x] = 0`.)
#[derive(Clone, Debug)]
pub struct Covariance {
    value: Vec<f64>,
    /// `Var[S] / N^2` and `Var[Q] / (2 N^2)`.
    variance: Vec<(f64, f64)>,
}

impl Covariance {
    /// Covariances among the first `observed` units at lags below `lags`. `circular`: time wraps, as in
    /// the published program.
    pub fn new(
        paths: &Paths,
        observed: usize,
        lags: usize,
        signals: Signals,
        circular: bool,
    ) -> Self {
        let (a, b) = (signals.target, signals.source);
        let (bins, units) = (paths.bins(), paths.units());
        let count = bins * units;
        let mean = |signal: Signal| {
            paths.expect_all(count, |path, out| {
                for (at, out) in out.iter_mut().enumerate() {
                    *out = signal.at(path, at);
                }
            })
        };
        let (mean_a, mean_b) = (mean(a), mean(b));
        let second = |(x, mean_x): (Signal, &[f64]), (y, mean_y): (Signal, &[f64])| {
            paths.expect_all(count * count, |path, out| {
                for (at, out) in out.chunks_exact_mut(count).enumerate() {
                    let left = x.at(path, at) - mean_x[at];
                    for (to, out) in out.iter_mut().enumerate() {
                        *out = left * (y.at(path, to) - mean_y[to]);
                    }
                }
            })
        };
        let (aa, bb) = (
            second((a, &mean_a), (a, &mean_a)),
            second((b, &mean_b), (b, &mean_b)),
        );
        let ab = second((a, &mean_a), (b, &mean_b));
        let (mut value, mut variance) = (Vec::new(), Vec::new());
        for j in 0..observed {
            for d in 0..lags {
                // Pairs of bins: target, source.
                let pairs: Vec<(usize, usize)> = (0..bins)
                    .filter(|&t| circular || t >= d)
                    .map(|t| (t, (t + d * bins - d) % bins))
                    .collect();
                let n = pairs.len().max(1) as f64;
                for i in 0..observed {
                    let places: Vec<(usize, usize)> = pairs
                        .iter()
                        .map(|&(t, s)| (t * units + i, s * units + j))
                        .collect();
                    let expected: f64 = places.iter().map(|&(x, y)| ab[x * count + y]).sum();
                    let square = paths.expect(|path| {
                        let terms = places.iter().map(|&(x, y)| {
                            (a.at(path, x) - mean_a[x]) * (b.at(path, y) - mean_b[y])
                        });
                        terms.sum::<f64>().powi(2)
                    });
                    let mut cross = 0.0;
                    for &(x, y) in &places {
                        for &(u, v) in &places {
                            cross += aa[x * count + u] * bb[y * count + v];
                            cross += ab[x * count + v] * ab[u * count + y];
                        }
                    }
                    value.push(expected / n);
                    let of_s = square - expected * expected;
                    variance.push((of_s / (n * n), cross / (n * n)));
                }
            }
        }
        Self { value, variance }
    }

    /// `E[U]`, the covariance itself, averaged over bins.
    pub fn value(&self) -> &[f64] {
        &self.value
    }

    /// `Var[U]` of a sample of `trials` trials, 2 or more.
    pub fn variance(&self, trials: usize) -> Vec<f64> {
        let k = trials as f64;
        let of = |&(s, q): &(f64, f64)| s / k + q / (k * (k - 1.0));
        self.variance.iter().map(of).collect()
    }
}

/// Noise covariance of recorded spikes, pooled over conditions by their trials, from the definition:
/// `[source][lag][target]`. `circular` and dividing by `K` instead of `K - 1` are the published form.
/// All trials of a condition have the same length here.
///
/// # Errors
/// [`OracleError::TooFewTrials`] for a condition with a single trial.
pub fn data_covariance(
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    lags: usize,
    published: bool,
) -> Result<Vec<f64>, OracleError> {
    let n = spikes.units();
    let (first, bins) = (layout.first_bin(), layout.max_bins());
    let mut out = vec![0.0; n * lags * n];
    for (at, out) in out.iter_mut().enumerate() {
        let (j, d, i) = (at / (lags * n), at / n % lags, at % n);
        let (mut sum, mut norm) = (0.0, 0.0);
        for group in layout.groups() {
            let k = group.slots.len() as f64;
            if group.slots.len() < 2 {
                return Err(OracleError::TooFewTrials {
                    condition: group.condition,
                    found: group.slots.len(),
                });
            }
            for t in first..bins {
                let s = if published {
                    first + (t - first + d * (bins - first) - d) % (bins - first)
                } else if t >= first + d {
                    t - d
                } else {
                    continue;
                };
                let z =
                    |slot: usize, bin: usize, unit: usize| f64::from(spikes.row(slot, bin)[unit]);
                let mean = |bin: usize, unit: usize| {
                    group
                        .slots
                        .iter()
                        .map(|&slot| z(slot, bin, unit))
                        .sum::<f64>()
                        / k
                };
                let (mean_i, mean_j) = (mean(t, i), mean(s, j));
                let products = group
                    .slots
                    .iter()
                    .map(|&slot| (z(slot, t, i) - mean_i) * (z(slot, s, j) - mean_j));
                let scale = if published { 1.0 } else { k / (k - 1.0) };
                sum += scale * products.sum::<f64>();
                norm += k;
            }
        }
        *out = sum / f64::max(norm, 1.0);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TinyNetwork;
    use crate::{Strengths, TinyShape};

    /// Every pair (and triple) of trials with its probability: what the formulas must give.
    #[test]
    fn expectation_and_variance_match_all_samples_of_two_and_three_trials() {
        let network = TinyNetwork::draw(
            TinyShape {
                observed: 2,
                units: 2,
                lags: 2,
                bins: 3,
            },
            Strengths {
                couplings: 1.5,
                bias: -0.5,
                drive: 0.5,
            },
            1,
            3,
        );
        let paths = Paths::free(&network, 0, &[]).unwrap();
        let all: Vec<_> = paths.iter().collect();
        for (target, source, circular) in [
            (Signal::Probabilities, Signal::Spikes, false),
            (Signal::Probabilities, Signal::Probabilities, true),
            (Signal::Spikes, Signal::Spikes, true),
        ] {
            let found = Covariance::new(&paths, 2, 2, Signals { target, source }, circular);
            let places = |entry: usize| -> Vec<(usize, usize)> {
                let (j, d, i) = (entry / 4, entry / 2 % 2, entry % 2);
                (0..3usize)
                    .filter(|&t| circular || t >= d)
                    .map(|t| (2 * t + i, 2 * ((t + 3 - d) % 3) + j))
                    .collect()
            };
            for entry in 0..8 {
                let places = places(entry);
                let sample = |trials: &[Path<'_>]| {
                    let k = trials.len() as f64;
                    let mean =
                        |f: &dyn Fn(Path<'_>) -> f64| trials.iter().map(|&x| f(x)).sum::<f64>() / k;
                    let of_place = |&(x, y): &(usize, usize)| {
                        let (a, b) = (mean(&|p| target.at(p, x)), mean(&|p| source.at(p, y)));
                        let product =
                            |p: &Path<'_>| (target.at(*p, x) - a) * (source.at(*p, y) - b);
                        trials.iter().map(product).sum::<f64>() / (k - 1.0)
                    };
                    places.iter().map(of_place).sum::<f64>() / places.len() as f64
                };
                let (mut first, mut second) = (0.0, 0.0);
                for x in &all {
                    for y in &all {
                        let u = sample(&[*x, *y]);
                        first += x.probability * y.probability * u;
                        second += x.probability * y.probability * u * u;
                    }
                }
                assert!((first - found.value()[entry]).abs() < 1e-12);
                let variance = second - first * first;
                assert!((variance - found.variance(2)[entry]).abs() < 1e-12);
                if entry == 5 {
                    let mut third = 0.0;
                    for x in &all {
                        for y in &all {
                            for z in &all {
                                let p = x.probability * y.probability * z.probability;
                                third += p * sample(&[*x, *y, *z]).powi(2);
                            }
                        }
                    }
                    let variance = third - first * first;
                    assert!((variance - found.variance(3)[entry]).abs() < 1e-12);
                }
            }
        }
    }

    #[test]
    fn data_covariance_by_hand() {
        // Two trials, two bins, one unit; trial 0: 1 1, trial 1: 0 0.
        let spikes = TrialArray::from_vec(vec![1u8, 1, 0, 0], 2, 2, 1).unwrap();
        let layout = TrialLayout::uniform(2, 2, 0).unwrap();
        // Deviations of +-1/2 everywhere: 1/2 with K - 1, 1/4 with K.
        let corrected = data_covariance(&spikes, &layout, 2, false).unwrap();
        assert_eq!(corrected, [0.5, 0.5]);
        let published = data_covariance(&spikes, &layout, 2, true).unwrap();
        assert_eq!(published, [0.25, 0.25]);
        let single = TrialLayout::new(vec![0, 1], vec![2, 2], 0).unwrap();
        assert!(data_covariance(&spikes, &single, 2, false).is_err());
    }
}
