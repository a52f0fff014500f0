//! Every figure of merit from its definition, on plain lists: what `refire evaluate` prints must be these.
//!
//! Draws are by the same keyed random numbers, so that free runs can be compared spike by spike. Of units without
//! hidden ones, with dense couplings.

use crate::judged_network::{Draws, JudgedNetwork, JudgedTrial, Presentation};
use refire_random::{Purpose, Stream};

/// What is judged: a network, and which trials are for what.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The network.
    pub network: JudgedNetwork,
    /// Bins of a trial that are history and carry no loss.
    pub first_bin: usize,
    /// Seed of the fit.
    pub seed: u64,
    /// Trials fitted to.
    pub training: Vec<JudgedTrial>,
    /// Trials held out for the test.
    pub test: Vec<JudgedTrial>,
}

/// Two noise correlations compared over pairs of units.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// Pearson correlation.
    pub pearson: f64,
    /// Share of the first one's variance that the second explains.
    pub r2: f64,
}

impl Judged {
    fn scored(trial: &JudgedTrial, first_bin: usize) -> impl Iterator<Item = (usize, &Vec<u8>)> {
        trial.spikes.iter().enumerate().skip(first_bin)
    }

    /// Gain over constant rates, bits per spike, where each spike is given all before it, those of the units before it in its bin among them.
    pub fn bits_per_spike_joint(&self) -> f64 {
        self.gain(|k, t| self.network.probabilities(&self.test[k], t))
    }

    /// The same where each spike is given the bins before it alone, as a mean over so many draws of its bin, and
    /// the exact one.
    pub fn bits_per_spike(&self, draws: u32) -> (f64, f64) {
        let stream = Stream::new(self.seed, Purpose::PastOnly);
        let keys: Vec<u32> = (0..self.test.len() as u32).collect();
        let drawn = self.gain(|slot, t| {
            let draws = Draws {
                stream,
                count: draws,
                keys: &keys,
                slot,
            };
            let trial = &self.test[slot];
            self.network.past_only_by_draws(trial, t, draws)
        });
        (
            drawn,
            self.gain(|k, t| self.network.past_only(&self.test[k], t)),
        )
    }

    /// Natural logarithm of the probability of the test spikes, bins of history left out; over that of constant rates,
    /// those of the training trials, in bits per spike.
    fn gain(&self, probabilities: impl Fn(usize, usize) -> Vec<f64>) -> f64 {
        let units = self.network.units();
        let (mut fired, mut bins) = (vec![0.0f64; units], 0.0);
        for trial in &self.training {
            for (_, row) in Self::scored(trial, self.first_bin) {
                bins += 1.0;
                row.iter()
                    .zip(&mut fired)
                    .for_each(|(&z, sum)| *sum += f64::from(z));
            }
        }
        // Half a spike at least, and at most all bins but half a one.
        let constant: Vec<f64> = fired
            .iter()
            .map(|n| n.clamp(0.5, bins - 0.5) / bins)
            .collect();
        let (mut gain, mut spikes) = (0.0, 0.0);
        for (k, trial) in self.test.iter().enumerate() {
            for (t, row) in Self::scored(trial, self.first_bin) {
                let p = probabilities(k, t);
                for j in 0..units {
                    let of = |p: f64| if row[j] == 1 { p.ln() } else { (1.0 - p).ln() };
                    gain += of(p[j]) - of(constant[j]);
                    spikes += f64::from(row[j]);
                }
            }
        }
        gain / spikes / std::f64::consts::LN_2
    }

    /// Which training trial's first bins come before a free-running trial: of its condition, drawn by its key.
    pub(crate) fn history(
        &self,
        stream: Stream,
        key: u32,
        condition: usize,
        presentation: u32,
    ) -> usize {
        let of: Vec<usize> = (0..self.training.len())
            .filter(|&k| self.training[k].condition == condition)
            .collect();
        of[stream.below(of.len(), presentation, key, u32::MAX)]
    }

    /// One free-running trial for each test trial, of its condition and length: one of many sets.
    pub fn free_runs(&self, set: u32) -> Vec<JudgedTrial> {
        let stream = Stream::new(self.seed, Purpose::Evaluate);
        let runs = self.test.iter().enumerate().map(|(k, trial)| {
            let own = self.history(stream, k as u32, trial.condition, set);
            let spikes = self.network.run(Presentation {
                stream,
                number: set,
                key: k as u32,
                condition: trial.condition,
                bins: trial.spikes.len(),
                history: &self.training[own].spikes[..self.first_bin],
                previous: None,
            });
            JudgedTrial {
                condition: trial.condition,
                spikes,
            }
        });
        runs.collect()
    }

    /// As many training trials of each condition as there are test trials, or all of them where there are fewer: one of
    /// many sets.
    pub fn ceiling_trials(&self, set: u32) -> Vec<JudgedTrial> {
        let stream = Stream::new(self.seed, Purpose::Statistics);
        let mut chosen = Vec::new();
        for condition in 0..self.network.drive.len() {
            let tested = self
                .test
                .iter()
                .filter(|k| k.condition == condition)
                .count();
            let of = self.training.iter().filter(|k| k.condition == condition);
            let mut of: Vec<&JudgedTrial> = of.collect();
            for i in 0..tested.min(of.len()) {
                let left = of.len() - i;
                of.swap(
                    i,
                    i + stream.below(left, 2 * set, condition as u32, i as u32),
                );
                chosen.push(of[i].clone());
            }
        }
        chosen
    }

    /// Mean rate in scored bins, spikes per bin and unit.
    pub fn rate(&self, trials: &[JudgedTrial]) -> f64 {
        let (mut spikes, mut bins) = (0.0, 0.0);
        for (_, row) in trials.iter().flat_map(|k| Self::scored(k, self.first_bin)) {
            bins += row.len() as f64;
            spikes += row.iter().map(|&z| f64::from(z)).sum::<f64>();
        }
        spikes / bins
    }

    /// Rows of the trials of a condition that are valid in a bin.
    fn at(trials: &[JudgedTrial], condition: usize, t: usize) -> Vec<&Vec<u8>> {
        let own = trials.iter().filter(|k| k.condition == condition);
        own.filter_map(|k| k.spikes.get(t)).collect()
    }

    /// Pearson correlation of PSTHs over the bins of all conditions in which both sides have a trial, mean over the
    /// units whose first PSTH varies; 0 for one whose second one does not.
    pub fn psth_correlation(&self, target: &[JudgedTrial], other: &[JudgedTrial]) -> f64 {
        let longest =
            |trials: &[JudgedTrial]| trials.iter().map(|k| k.spikes.len()).max().unwrap_or(0);
        let (mut sum, mut counted) = (0.0, 0.0);
        for j in 0..self.network.units() {
            let (mut x, mut y) = (Vec::new(), Vec::new());
            for c in 0..self.network.drive.len() {
                for t in self.first_bin..longest(target).min(longest(other)) {
                    let (a, b) = (Self::at(target, c, t), Self::at(other, c, t));
                    if !a.is_empty() && !b.is_empty() {
                        let mean = |rows: &[&Vec<u8>]| {
                            rows.iter().map(|row| f64::from(row[j])).sum::<f64>()
                                / rows.len() as f64
                        };
                        x.push(mean(&a));
                        y.push(mean(&b));
                    }
                }
            }
            if varies(&x) {
                sum += if varies(&y) { correlation(&x, &y) } else { 0.0 };
                counted += 1.0;
            }
        }
        sum / counted
    }

    /// Covariance within (condition, bin), unbiased and pooled by trials, over total standard deviations, of the pairs
    /// `i > j`.
    fn noise(&self, trials: &[JudgedTrial]) -> Vec<f64> {
        let units = self.network.units();
        let longest = trials.iter().map(|k| k.spikes.len()).max().unwrap_or(0);
        let all: Vec<&Vec<u8>> = (trials.iter())
            .flat_map(|k| k.spikes.iter().skip(self.first_bin))
            .collect();
        let sd = |j: usize| {
            let mean = all.iter().map(|row| f64::from(row[j])).sum::<f64>() / all.len() as f64;
            let squares = all.iter().map(|row| (f64::from(row[j]) - mean).powi(2));
            (squares.sum::<f64>() / all.len() as f64).sqrt()
        };
        let mut pairs = Vec::new();
        for (i, j) in (0..units).flat_map(|i| (0..i).map(move |j| (i, j))) {
            let (mut covariance, mut weight) = (0.0, 0.0);
            for c in 0..self.network.drive.len() {
                for t in self.first_bin..longest {
                    let rows = Self::at(trials, c, t);
                    let count = rows.len() as f64;
                    if count < 2.0 {
                        continue;
                    }
                    let mean =
                        |u: usize| rows.iter().map(|row| f64::from(row[u])).sum::<f64>() / count;
                    let (a, b) = (mean(i), mean(j));
                    let product =
                        |row: &&&Vec<u8>| (f64::from(row[i]) - a) * (f64::from(row[j]) - b);
                    covariance +=
                        count / (count - 1.0) * rows.iter().map(|row| product(&row)).sum::<f64>();
                    weight += count;
                }
            }
            pairs.push(covariance / weight / (sd(i) * sd(j)));
        }
        pairs
    }

    /// Agreement of noise correlations at lag 0.
    pub fn noise_agreement(&self, target: &[JudgedTrial], other: &[JudgedTrial]) -> Agreement {
        let (x, y) = (self.noise(target), self.noise(other));
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let residual: f64 = x.iter().zip(&y).map(|(x, y)| (x - y).powi(2)).sum();
        let total: f64 = x.iter().map(|x| (x - mean).powi(2)).sum();
        Agreement {
            pearson: correlation(&x, &y),
            r2: 1.0 - residual / total,
        }
    }

    /// Variance of counts of whole trials over their mean, both within conditions (over the bins that all their trials
    /// have) and pooled by trials; mean over units that fire.
    pub fn fano_factor(&self, trials: &[JudgedTrial]) -> f64 {
        let (mut sum, mut counted) = (0.0, 0.0);
        for j in 0..self.network.units() {
            let (mut variance, mut mean) = (0.0, 0.0);
            for c in 0..self.network.drive.len() {
                let own: Vec<&JudgedTrial> = trials.iter().filter(|k| k.condition == c).collect();
                let common = own.iter().map(|k| k.spikes.len()).min().unwrap_or(0);
                let count = |k: &&JudgedTrial| {
                    let bins = k.spikes[..common].iter().skip(self.first_bin);
                    bins.map(|row| f64::from(row[j])).sum::<f64>()
                };
                let counts: Vec<f64> = own.iter().map(count).collect();
                let n = counts.len() as f64;
                if n >= 2.0 {
                    let centre = counts.iter().sum::<f64>() / n;
                    let squares = counts.iter().map(|x| (x - centre).powi(2)).sum::<f64>();
                    variance += n * squares / (n - 1.0);
                    mean += n * centre;
                }
            }
            if mean > 0.0 {
                sum += variance / mean;
                counted += 1.0;
            }
        }
        sum / counted
    }
}

fn varies(x: &[f64]) -> bool {
    x.iter().any(|value| *value != x[0])
}

fn correlation(x: &[f64], y: &[f64]) -> f64 {
    let n = x.len() as f64;
    let (a, b) = (x.iter().sum::<f64>() / n, y.iter().sum::<f64>() / n);
    let sum = |u: &[f64], v: &[f64], a: f64, b: f64| -> f64 {
        u.iter().zip(v).map(|(u, v)| (u - a) * (v - b)).sum()
    };
    sum(x, y, a, b) / (sum(x, x, a, a) * sum(y, y, b, b)).sqrt()
}
