//! A network as plain numbers, run from its definition.

use refire_random::{KeyedUniforms, Stream, Uniforms};

/// Spikes `[bin][unit]` of a trial, 0 or 1.
pub type Spikes = Vec<Vec<u8>>;

/// A trial with its condition. As long as `spikes`.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedTrial {
    /// Its condition.
    pub condition: usize,
    /// `[bin][unit]`.
    pub spikes: Spikes,
}

/// A network as plain numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedNetwork {
    /// Lags, bins.
    pub lags: usize,
    /// Threshold, current.
    pub theta: f64,
    /// `[source][lag][target]`, current per spike.
    pub couplings: Vec<Vec<Vec<f64>>>,
    /// `[source][target]`, current per spike in the same bin, of sources before their targets; empty without.
    pub same_bin: Vec<Vec<f64>>,
    /// `[unit]`, current.
    pub bias: Vec<f64>,
    /// `[condition][bin][unit]`, current.
    pub drive: Vec<Vec<Vec<f64>>>,
}

impl JudgedNetwork {
    pub(crate) fn units(&self) -> usize {
        self.bias.len()
    }

    /// Current into each unit in bin `t` from all that came before the bin.
    fn current(
        &self,
        condition: usize,
        t: usize,
        before: &dyn Fn(usize) -> Option<Vec<u8>>,
    ) -> Vec<f64> {
        let mut current = self.bias.clone();
        for (j, u) in current.iter_mut().enumerate() {
            *u += self.drive[condition][t][j];
        }
        for lag in 1..=self.lags {
            let Some(fired) = before(lag) else { continue };
            for i in (0..self.units()).filter(|&i| fired[i] == 1) {
                for (j, u) in current.iter_mut().enumerate() {
                    *u += self.couplings[i][lag - 1][j];
                }
            }
        }
        current
    }

    /// Probability of a spike of each unit, one after the other, given the current from before the bin and the spikes
    /// of the units before it, which `spike` says of each unit and its probability.
    fn in_order(&self, current: &[f64], mut spike: impl FnMut(usize, f64) -> u8) -> Vec<f64> {
        let (mut fired, mut all) = (vec![0u8; self.units()], Vec::new());
        for j in 0..self.units() {
            let mut u = current[j];
            for (i, row) in self.same_bin.iter().enumerate().take(j) {
                u += row[j] * f64::from(fired[i]);
            }
            let p = 1.0 / (1.0 + (-(u - self.theta) / self.theta).exp());
            fired[j] = spike(j, p);
            all.push(p);
        }
        all
    }

    /// Probability of a spike of each unit in a bin of a recorded trial, given its spikes before, those of the units
    /// before it in the bin among them.
    pub fn probabilities(&self, trial: &JudgedTrial, t: usize) -> Vec<f64> {
        let current = self.current_of(trial, t);
        self.in_order(&current, |j, _| trial.spikes[t][j])
    }

    fn current_of(&self, trial: &JudgedTrial, t: usize) -> Vec<f64> {
        let before = |lag: usize| t.checked_sub(lag).map(|at| trial.spikes[at].clone());
        self.current(trial.condition, t, &before)
    }

    /// The same given the bins before alone: exact, over all spikes that the bin may have.
    pub fn past_only(&self, trial: &JudgedTrial, t: usize) -> Vec<f64> {
        let current = self.current_of(trial, t);
        let mut mean = vec![0.0; self.units()];
        for pattern in 0u32..1 << self.units() {
            let mut probability = 1.0;
            let all = self.in_order(&current, |j, p| {
                let z = (pattern >> j & 1) as u8;
                probability *= if z == 1 { p } else { 1.0 - p };
                z
            });
            for (mean, p) in mean.iter_mut().zip(all) {
                *mean += probability * p;
            }
        }
        mean
    }

    /// The same as a mean over draws of the bin.
    pub(crate) fn past_only_by_draws(
        &self,
        trial: &JudgedTrial,
        t: usize,
        draws: Draws<'_>,
    ) -> Vec<f64> {
        let current = self.current_of(trial, t);
        let mut mean = vec![0.0; self.units()];
        for draw in 0..draws.count {
            let mut uniforms = vec![0.0f64; self.units()];
            let keyed = KeyedUniforms::new(draws.stream, draw, draws.keys);
            keyed.fill(draws.slot, t, 0, &mut uniforms);
            let all = self.in_order(&current, |j, p| u8::from(p > uniforms[j]));
            for (mean, p) in mean.iter_mut().zip(all) {
                *mean += p / f64::from(draws.count);
            }
        }
        mean
    }

    /// A free run of `bins` bins. It begins with the bins of `history`, or goes on from the last bins of `previous`,
    /// its own bins of history left out: those are then 0.
    pub(crate) fn run(&self, run: Presentation<'_>) -> Spikes {
        let keys = [run.key];
        let uniforms = KeyedUniforms::new(run.stream, run.number, &keys);
        let mut spikes: Spikes = Vec::new();
        for t in 0..run.bins {
            if t < run.history.len() {
                let silent = vec![0; self.units()];
                spikes.push(if run.previous.is_some() {
                    silent
                } else {
                    run.history[t].clone()
                });
                continue;
            }
            let before = |lag: usize| match (t.checked_sub(lag), run.previous) {
                (Some(at), None) => Some(spikes[at].clone()),
                (Some(at), Some(_)) if at >= run.history.len() => Some(spikes[at].clone()),
                (_, None) => None,
                (_, Some(previous)) => {
                    let behind = t - run.history.len();
                    (previous.len() + behind)
                        .checked_sub(lag)
                        .map(|at| previous[at].clone())
                }
            };
            let current = self.current(run.condition, t, &before);
            let mut draws = vec![0.0f64; self.units()];
            uniforms.fill(0, t, 0, &mut draws);
            let mut row = Vec::new();
            self.in_order(&current, |j, p| {
                row.push(u8::from(p > draws[j]));
                row[j]
            });
            spikes.push(row);
        }
        spikes
    }
}

/// Draws of the bins of a trial.
#[derive(Clone, Copy)]
pub(crate) struct Draws<'a> {
    pub stream: Stream,
    pub count: u32,
    pub keys: &'a [u32],
    pub slot: usize,
}

/// One trial of a free run.
pub(crate) struct Presentation<'a> {
    pub stream: Stream,
    pub number: u32,
    pub key: u32,
    pub condition: usize,
    pub bins: usize,
    pub history: &'a [Vec<u8>],
    pub previous: Option<&'a Spikes>,
}
