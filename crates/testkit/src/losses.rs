//! Exact expectations of every loss term over all free-running samples, given the recorded trials.

use crate::covariance::{Covariance, Signal, Signals, data_covariance};
use crate::{OracleError, Path, Paths, TinyNetwork};
use refire_core::{TrialArray, TrialLayout};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// Most samples of trials listed for the mean logarithm of an average.
const MAX_SAMPLES: u64 = 5_000_000;

/// Expected values of the loss terms for one network without history, over all samples of `simulated`
/// free-running trials per condition. Every value is written out from the definition of its term; what
/// a term is compared with is the recorded trials (`[trial][bin][observed]`, all of the same length).
#[derive(Debug)]
pub struct ExactLosses {
    observed: usize,
    lags: usize,
    same_bin: bool,
    paths: Vec<Paths>,
    corrected: OnceLock<Vec<Covariance>>,
    published: OnceLock<Vec<Covariance>>,
    /// Those of hidden units, from probabilities and from spikes.
    rates: [OnceLock<Rates>; 2],
}

/// Mean and variance over trials of the rate of a unit, `[condition][unit]`.
type Rates = Vec<Vec<(f64, f64)>>;

/// What the terms compare with.
struct Data {
    /// Share of the trials per condition.
    shares: Vec<f64>,
    /// `[condition][bin][unit]`.
    psth: Vec<Vec<f64>>,
    total_sd: Vec<f64>,
}

impl ExactLosses {
    /// Lists the paths of every condition; covariances at lags `0..lags`.
    ///
    /// # Errors
    /// [`OracleError`] where the network is too large or does not fit together.
    pub fn new(network: &TinyNetwork, lags: usize) -> Result<Self, OracleError> {
        let paths = (0..network.drive.len()).map(|c| Paths::free(network, c, &[]));
        Ok(Self {
            observed: network.observed,
            lags,
            same_bin: !network.same_bin.is_empty(),
            paths: paths.collect::<Result<_, _>>()?,
            corrected: OnceLock::new(),
            published: OnceLock::new(),
            rates: Default::default(),
        })
    }

    /// The paths of each condition.
    pub fn paths(&self) -> &[Paths] {
        &self.paths
    }

    /// What the corrected form measures, probabilities of the target against spikes of the source: the
    /// covariance of spikes but for the lag-0 diagonal, which lacks `E[p (1 - p)]`, and, with same-bin couplings, for the
    /// targets at lag 0 that are not behind their source. `[condition]`.
    pub fn covariance(&self) -> &[Covariance] {
        self.corrected.get_or_init(|| {
            let signals = Signals {
                target: Signal::Probabilities,
                source: Signal::Spikes,
            };
            let of = |paths| Covariance::new(paths, self.observed, self.lags, signals, false);
            self.paths.iter().map(of).collect()
        })
    }

    /// What the published form measures: probabilities on both sides, circular in time. Still to be
    /// multiplied by `(K-1)/K`. `[condition]`.
    pub fn published_covariance(&self) -> &[Covariance] {
        self.published.get_or_init(|| {
            let signals = Signals {
                target: Signal::Probabilities,
                source: Signal::Probabilities,
            };
            let of = |paths| Covariance::new(paths, self.observed, self.lags, signals, true);
            self.paths.iter().map(of).collect()
        })
    }

    /// Corrected PSTH term: the halves are independent, so `E[e_0 e_1] = ((Y - E p) / s)^2`.
    pub fn psth(&self, spikes: &TrialArray<u8>, layout: &TrialLayout) -> f64 {
        let data = Data::new(spikes, layout);
        let spiking = data.total_sd.iter().filter(|&&s| s > 0.0).count();
        let mut value = 0.0;
        for ((paths, share), psth) in self.paths.iter().zip(&data.shares).zip(&data.psth) {
            let mean = mean_probability(paths);
            for t in 0..paths.bins() {
                for (i, &s) in data.total_sd.iter().enumerate().filter(|(_, s)| **s > 0.0) {
                    let e = (psth[t * self.observed + i] - mean[t * paths.units() + i]) / s;
                    value += share * e * e / (paths.bins() * spiking) as f64;
                }
            }
        }
        value
    }

    /// Corrected noise-covariance term: `E[E_a E_b] = mu^2` for parts, `mu^2 + Var` for the square.
    ///
    /// # Errors
    /// [`OracleError::TooFewTrials`] where the recording has a condition with a single trial.
    pub fn noise(
        &self,
        spikes: &TrialArray<u8>,
        layout: &TrialLayout,
        simulated: usize,
        parts: usize,
    ) -> Result<f64, OracleError> {
        let data = Data::new(spikes, layout);
        let target = data_covariance(spikes, layout, self.lags, false)?;
        let (n, lags) = (self.observed, self.lags);
        let variances: Vec<Vec<f64>> = self
            .covariance()
            .iter()
            .map(|of| of.variance(simulated))
            .collect();
        let mut means = [(0.0, 0.0); 2];
        for (at, target) in target.iter().enumerate() {
            let (j, d, i) = (at / (lags * n), at / n % lags, at % n);
            let scale = data.total_sd[i] * data.total_sd[j];
            // With same-bin couplings lag 0 is a mean of its own, over targets behind their source.
            let apart = d == 0 && self.same_bin;
            let counts = d > 0 || if apart { i > j } else { i != j };
            if scale == 0.0 || !counts {
                continue;
            }
            let (mut model, mut variance) = (0.0, 0.0);
            for (c, share) in data.shares.iter().enumerate() {
                model += share * self.covariance()[c].value()[at];
                variance += share * share * variances[c][at];
            }
            if parts > 1 {
                variance = 0.0;
            }
            let (sum, entries) = &mut means[usize::from(apart)];
            *sum += ((target - model).powi(2) + variance) / (scale * scale);
            *entries += 1.0;
        }
        Ok(means.iter().map(|(sum, n)| sum / f64::max(*n, 1.0)).sum())
    }

    /// Published noise-covariance term: `(C_data - E C)^2 + Var C` with `E C = (K-1)/K` times the
    /// covariance of probabilities.
    ///
    /// # Errors
    /// [`OracleError::TooFewTrials`] where the recording has a condition with a single trial.
    pub fn published_noise(
        &self,
        spikes: &TrialArray<u8>,
        layout: &TrialLayout,
        simulated: usize,
    ) -> Result<f64, OracleError> {
        let target = data_covariance(spikes, layout, self.lags, true)?;
        let share = 1.0 / self.paths.len() as f64;
        let shrink = share * (simulated as f64 - 1.0) / simulated as f64;
        let covariances = self.published_covariance();
        let variances: Vec<Vec<f64>> = covariances
            .iter()
            .map(|of| of.variance(simulated))
            .collect();
        let of_entry = target.iter().enumerate().map(|(at, target)| {
            let model: f64 = covariances.iter().map(|c| shrink * c.value()[at]).sum();
            let variance: f64 = variances.iter().map(|v| shrink * shrink * v[at]).sum();
            (target - model).powi(2) + variance
        });
        Ok(of_entry.sum::<f64>() / target.len() as f64)
    }

    /// `E ln P` and `E ln(1-P)` of the mean `P` over the simulated trials, through every sample of
    /// trials: `[condition][bin][observed]`.
    ///
    /// # Errors
    /// [`OracleError::TooManySamples`] where these are too many (few lags and units keep them few).
    pub fn mean_logs(&self, simulated: usize) -> Result<Vec<Vec<[f64; 2]>>, OracleError> {
        let of_condition = |paths: &Paths| {
            let places = (0..paths.bins() * self.observed).map(|at| {
                let (t, i) = (at / self.observed, at % self.observed);
                logs_of_mean(paths, t * paths.units() + i, simulated)
            });
            places.collect()
        };
        self.paths.iter().map(of_condition).collect()
    }

    /// Published PSTH term, `-(Y E ln P + (1-Y) E ln(1-P))`, given the [`Self::mean_logs`].
    pub fn published_psth(
        &self,
        mean_logs: &[Vec<[f64; 2]>],
        spikes: &TrialArray<u8>,
        layout: &TrialLayout,
    ) -> f64 {
        let data = Data::new(spikes, layout);
        let mut value = 0.0;
        for (logs, psth) in mean_logs.iter().zip(&data.psth) {
            let count = (mean_logs.len() * logs.len()) as f64;
            for ([log, log_complement], y) in logs.iter().zip(psth) {
                value -= (y * log + (1.0 - y) * log_complement) / count;
            }
        }
        value
    }

    /// Hidden-rate term: `(E r - target)^2 + Var r` over hidden units, from spikes (published) or from
    /// probabilities in units of `target (1 - target)` (corrected).
    pub fn hidden_rate(&self, target: f64, simulated: usize, published: bool) -> f64 {
        let signal = |path: Path<'_>, at: usize| {
            if published {
                f64::from(path.spikes[at])
            } else {
                path.p[at]
            }
        };
        let rates = self.rates[usize::from(published)].get_or_init(|| {
            let of_condition = |paths: &Paths| {
                let of_unit = |i: usize| {
                    let rate = |path: Path<'_>| {
                        let of_bins =
                            (0..paths.bins()).map(|t| signal(path, t * paths.units() + i));
                        of_bins.sum::<f64>() / paths.bins() as f64
                    };
                    let mean = paths.expect(rate);
                    (mean, paths.expect(|path| (rate(path) - mean).powi(2)))
                };
                (self.observed..paths.units()).map(of_unit).collect()
            };
            self.paths.iter().map(of_condition).collect()
        });
        let (hidden, conditions) = (rates.first().map_or(0, Vec::len), rates.len() as f64);
        let mut value = 0.0;
        for i in 0..hidden {
            let mean = rates.iter().map(|rates| rates[i].0).sum::<f64>() / conditions;
            let variance = rates.iter().map(|rates| rates[i].1).sum::<f64>();
            let variance = variance / (conditions * conditions * simulated as f64);
            value += (mean - target).powi(2) + variance;
        }
        let scale = if published {
            1.0
        } else {
            target * (1.0 - target)
        };
        value / (scale * hidden.max(1) as f64)
    }
}

/// Likelihood term with hidden units, per bin and observed unit, in nats: the bound that the teacher-forced
/// pass estimates, and the exact `-ln P(observed)` below it.
///
/// ```text
/// bound = E_Q[ sum -ln P(z_obs | past) ]     exact = -ln E_Q[ prod P(z_obs | past) ]
/// ```
///
/// # Errors
/// [`OracleError`] where the network is too large or does not fit the recording.
pub fn hidden_likelihood(
    network: &TinyNetwork,
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
) -> Result<(f64, f64), OracleError> {
    let (mut bound, mut exact) = (0.0, 0.0);
    for k in 0..layout.trials() {
        let recorded = &spikes.trial(k)[..layout.bins(k) * network.observed];
        let (first, condition) = (layout.first_bin(), layout.condition(k));
        let paths = Paths::teacher_forced(network, condition, recorded, first)?;
        let surprise = |path: Path<'_>| -> f64 {
            let rows = path.potential.chunks_exact(network.units);
            let of_row = rows
                .zip(path.spikes.chunks_exact(network.units))
                .map(|(v, z)| {
                    let of_unit = v.iter().zip(z).take(network.observed).map(|(&v, &z)| {
                        let v = if z == 1 { -v } else { v };
                        v.exp().ln_1p()
                    });
                    of_unit.sum::<f64>()
                });
            of_row.sum()
        };
        bound += paths.expect(surprise);
        exact -= paths.expect(|path| (-surprise(path)).exp()).ln();
    }
    let count = (layout.scored_bins() * network.observed).max(1) as f64;
    Ok((bound / count, exact / count))
}

impl Data {
    fn new(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Self {
        let (n, bins, trials) = (spikes.units(), layout.max_bins(), layout.trials());
        let mut psth = Vec::new();
        let mut shares = Vec::new();
        // Whole numbers: a unit that always fires must have no deviation, not a rounding error.
        let mut total = vec![0u64; n];
        for group in layout.groups() {
            let mut counts = vec![0u64; bins * n];
            for &slot in &group.slots {
                for (count, &z) in counts.iter_mut().zip(spikes.trial(slot)) {
                    *count += u64::from(z);
                }
            }
            for (at, count) in counts.iter().enumerate() {
                total[at % n] += count;
            }
            let of_group = group.slots.len() as f64;
            shares.push(of_group / trials as f64);
            psth.push(
                counts
                    .iter()
                    .map(|&count| count as f64 / of_group)
                    .collect(),
            );
        }
        let sd = |&count: &u64| {
            let rate = count as f64 / (trials * bins) as f64;
            (rate * (1.0 - rate)).sqrt()
        };
        Self {
            shares,
            psth,
            total_sd: total.iter().map(sd).collect(),
        }
    }
}

fn mean_probability(paths: &Paths) -> Vec<f64> {
    paths.expect_all(paths.bins() * paths.units(), |path, out| {
        out.copy_from_slice(path.p);
    })
}

/// `E ln P` and `E ln(1 - P)` for the mean `P` of one probability over `trials` independent trials: all
/// ways to deal the trials to the values that it takes.
fn logs_of_mean(paths: &Paths, at: usize, trials: usize) -> Result<[f64; 2], OracleError> {
    let mut values = BTreeMap::<u64, f64>::new();
    for path in paths.iter() {
        *values.entry(path.p[at].to_bits()).or_default() += path.probability;
    }
    let values: Vec<(f64, f64)> = values
        .into_iter()
        .map(|(bits, probability)| (f64::from_bits(bits), probability))
        .collect();
    // (trials + values - 1) choose (values - 1)
    let mut samples = 1u64;
    for i in 1..values.len() as u64 {
        samples = samples.saturating_mul(trials as u64 + i) / i;
    }
    if samples > MAX_SAMPLES {
        return Err(OracleError::TooManySamples {
            trials,
            values: values.len(),
            limit: MAX_SAMPLES,
            found: samples,
        });
    }
    let mut logs = [0.0; 2];
    deal(&values, trials, trials, 0.0, 1.0, &mut logs);
    Ok(logs)
}

/// Deals `left` of `trials` to `values`; `sum` and `weight` are those of the trials dealt so far.
fn deal(
    values: &[(f64, f64)],
    trials: usize,
    left: usize,
    sum: f64,
    weight: f64,
    logs: &mut [f64; 2],
) {
    let Some((&(value, probability), rest)) = values.split_first() else {
        return;
    };
    if rest.is_empty() {
        let mean = (sum + left as f64 * value) / trials as f64;
        let weight = weight * probability.powi(left as i32);
        logs[0] += weight * mean.ln();
        logs[1] += weight * (1.0 - mean).ln();
        return;
    }
    // left choose m, from m - 1.
    let mut ways = 1.0;
    for m in 0..=left {
        if m > 0 {
            ways *= (left + 1 - m) as f64 / m as f64;
        }
        let weight = weight * ways * probability.powi(m as i32);
        deal(rest, trials, left - m, sum + m as f64 * value, weight, logs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Strengths, TinyShape};

    fn network() -> TinyNetwork {
        TinyNetwork::draw(
            TinyShape {
                observed: 2,
                units: 2,
                lags: 1,
                bins: 3,
            },
            Strengths {
                couplings: 2.0,
                bias: -0.5,
                drive: 0.8,
            },
            1,
            5,
        )
    }

    #[test]
    fn dealing_trials_is_listing_their_pairs() {
        let paths = Paths::free(&network(), 0, &[]).unwrap();
        let at = 5; // last bin, second unit
        let [log, complement] = logs_of_mean(&paths, at, 2).unwrap();
        let (mut expected, mut expected_complement) = (0.0, 0.0);
        for x in paths.iter() {
            for y in paths.iter() {
                let mean = (x.p[at] + y.p[at]) / 2.0;
                expected += x.probability * y.probability * mean.ln();
                expected_complement += x.probability * y.probability * (1.0 - mean).ln();
            }
        }
        assert!((log - expected).abs() < 1e-12);
        assert!((complement - expected_complement).abs() < 1e-12);
        let wide = TinyNetwork::draw(
            TinyShape {
                observed: 3,
                units: 3,
                lags: 2,
                bins: 5,
            },
            Strengths {
                couplings: 1.0,
                bias: 0.0,
                drive: 0.5,
            },
            1,
            5,
        );
        let paths = Paths::free(&wide, 0, &[]).unwrap();
        let error = logs_of_mean(&paths, 14, 20).unwrap_err();
        assert!(matches!(
            error,
            OracleError::TooManySamples { trials: 20, .. }
        ));
    }

    #[test]
    fn units_that_always_or_never_fire_are_left_out() {
        // Unit 0 always, unit 1 now and then, unit 2 never; conditions of two trials and of one.
        let rows = [[1u8, 0, 0], [1, 1, 0], [1, 0, 0]].concat().repeat(3);
        let spikes = TrialArray::from_vec(rows, 3, 3, 3).unwrap();
        let layout = TrialLayout::new(vec![0, 1, 0], vec![3; 3], 0).unwrap();
        let data = Data::new(&spikes, &layout);
        assert_eq!([data.total_sd[0], data.total_sd[2]], [0.0, 0.0]);
        assert!((data.total_sd[1].powi(2) - 2.0 / 9.0).abs() < 1e-12);
        assert_eq!(data.shares, [2.0 / 3.0, 1.0 / 3.0]);
        assert_eq!(data.psth[0][4], 1.0);
    }

    /// Jensen: the bound lies above, and without hidden units both are the likelihood.
    #[test]
    fn the_teacher_forced_bound_is_above_the_exact_likelihood() {
        let network = TinyNetwork::draw(
            TinyShape {
                observed: 2,
                units: 3,
                lags: 2,
                bins: 5,
            },
            Strengths {
                couplings: 2.0,
                bias: -0.5,
                drive: 0.5,
            },
            1,
            9,
        );
        let simulated = network.simulate(4, &[], 1, 0).unwrap();
        let spikes = simulated.observed(2);
        let (bound, exact) = hidden_likelihood(&network, &spikes, &simulated.layout).unwrap();
        assert!(bound > exact + 1e-3, "{bound} {exact}");
        let visible = TinyNetwork {
            observed: 3,
            ..network
        };
        let spikes = simulated.observed(3);
        let (bound, exact) = hidden_likelihood(&visible, &spikes, &simulated.layout).unwrap();
        assert!((bound - exact).abs() < 1e-12);
    }
}
