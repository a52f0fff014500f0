//! The loss terms as their definitions read, one scalar at a time.

use super::naive::Run;
use super::problem::{HIDDEN_TARGET, Problem};
use super::tape::{Tape, Var};
use refire::core::TrialLayout;

/// What the terms of the free-running pass look at.
pub struct Terms<'a, 't> {
    pub tape: &'t Tape,
    pub problem: &'a Problem<f64>,
    pub free: &'a Run<'t>,
}

/// Trials of one condition (or of a part of it) and the weight they count with.
struct Pool {
    slots: Vec<usize>,
    weight: f64,
}

fn slots_of(layout: &TrialLayout, condition: usize) -> Vec<usize> {
    (0..layout.trials())
        .filter(|&k| layout.condition(k) == condition)
        .collect()
}

fn valid(layout: &TrialLayout, slots: &[usize], t: usize) -> Vec<usize> {
    slots
        .iter()
        .copied()
        .filter(|&k| t < layout.bins(k))
        .collect()
}

/// Bins `first_bin..` in which at least `least` of the trials are valid.
fn bins_with(layout: &TrialLayout, slots: &[usize], least: usize) -> Vec<usize> {
    (layout.first_bin()..layout.max_bins())
        .filter(|&t| valid(layout, slots, t).len() >= least)
        .collect()
}

/// Mean cross-entropy of the recorded spikes.
pub fn likelihood<'t>(tape: &'t Tape, problem: &Problem<f64>, forced: &Run<'t>) -> Var<'t> {
    let layout = &problem.recorded.layout;
    let mut surprises = vec![];
    for k in 0..layout.trials() {
        for t in layout.first_bin()..layout.bins(k) {
            for i in 0..problem.observed {
                let p = forced.p[k][t][i];
                let spiked = problem.recorded.spikes.row(k, t)[i] == 1;
                let probability = if spiked { p } else { p * -1.0 + 1.0 };
                surprises.push(probability.ln() * -1.0);
            }
        }
    }
    tape.mean(&surprises)
}

impl<'t> Terms<'_, 't> {
    /// Values in the order of [`Problem::terms`]; `None` where the batch does not allow the term.
    pub fn all(&self) -> Vec<Option<Var<'t>>> {
        let mut values = vec![
            self.published_psth(),
            self.psth(),
            self.noise(1),
            self.noise(2),
            self.noise(3),
            Some(self.published_noise(false)),
            Some(self.published_noise(true)),
        ];
        if self.problem.units > self.problem.observed {
            let variance = HIDDEN_TARGET * (1.0 - HIDDEN_TARGET);
            values.push(Some(self.hidden_rate(&self.free.p) * (1.0 / variance)));
            values.push(Some(self.hidden_rate(&self.free.z)));
        }
        values
    }

    fn conditions(&self) -> usize {
        self.problem.drive.trials()
    }

    fn data(&self, k: usize, t: usize, i: usize) -> f64 {
        f64::from(self.problem.recorded.spikes.row(k, t)[i])
    }

    fn data_mean(&self, slots: &[usize], t: usize, i: usize) -> f64 {
        let slots = valid(&self.problem.recorded.layout, slots, t);
        slots.iter().map(|&k| self.data(k, t, i)).sum::<f64>() / slots.len() as f64
    }

    fn model_mean(&self, slots: &[usize], t: usize, i: usize) -> Var<'t> {
        let slots = valid(&self.problem.simulated.layout, slots, t);
        let values: Vec<_> = slots.iter().map(|&k| self.free.p[k][t][i]).collect();
        self.tape.mean(&values)
    }

    /// Standard deviation of a unit's recorded spikes over all trials and bins.
    fn total_sd(&self, i: usize) -> f64 {
        let layout = &self.problem.recorded.layout;
        let spikes: Vec<f64> = (0..layout.trials())
            .flat_map(|k| (layout.first_bin()..layout.bins(k)).map(move |t| (k, t)))
            .map(|(k, t)| self.data(k, t, i))
            .collect();
        let mean = spikes.iter().sum::<f64>() / spikes.len() as f64;
        let squares: f64 = spikes.iter().map(|z| (z - mean) * (z - mean)).sum();
        (squares / spikes.len() as f64).sqrt()
    }

    fn published_psth(&self) -> Option<Var<'t>> {
        let (model, data) = (
            &self.problem.simulated.layout,
            &self.problem.recorded.layout,
        );
        let mut total = self.tape.leaf(0.0);
        for c in 0..self.conditions() {
            let (simulated, recorded) = (slots_of(model, c), slots_of(data, c));
            if simulated.is_empty() {
                continue;
            }
            let bins: Vec<usize> = bins_with(model, &simulated, 1)
                .into_iter()
                .filter(|&t| !valid(data, &recorded, t).is_empty())
                .collect();
            if bins.is_empty() {
                return None;
            }
            let mut terms = vec![];
            for &t in &bins {
                for i in 0..self.problem.observed {
                    let p = self.model_mean(&simulated, t, i);
                    let y = self.data_mean(&recorded, t, i);
                    terms.push(p.ln() * -y + (p * -1.0 + 1.0).ln() * (y - 1.0));
                }
            }
            let share = simulated.len() as f64 / model.trials() as f64;
            total = total + self.tape.mean(&terms) * share;
        }
        Some(total)
    }

    fn psth(&self) -> Option<Var<'t>> {
        let (model, data) = (
            &self.problem.simulated.layout,
            &self.problem.recorded.layout,
        );
        let spiking: Vec<usize> = (0..self.problem.observed)
            .filter(|&i| self.total_sd(i) > 0.0)
            .collect();
        let mut terms = vec![];
        for c in 0..self.conditions() {
            let (simulated, recorded) = (slots_of(model, c), slots_of(data, c));
            let half = |h| {
                simulated
                    .iter()
                    .copied()
                    .skip(h)
                    .step_by(2)
                    .collect::<Vec<usize>>()
            };
            let halves = [half(0), half(1)];
            let bins: Vec<usize> = bins_with(data, &recorded, 1)
                .into_iter()
                .filter(|&t| {
                    halves
                        .iter()
                        .all(|slots| !valid(model, slots, t).is_empty())
                })
                .collect();
            let mut products = vec![];
            for &t in &bins {
                for &i in &spiking {
                    let y = self.data_mean(&recorded, t, i);
                    let [e0, e1] = [0, 1].map(|h| {
                        (self.model_mean(&halves[h], t, i) * -1.0 + y) * (1.0 / self.total_sd(i))
                    });
                    products.push(e0 * e1);
                }
            }
            if !products.is_empty() {
                terms.push((self.tape.mean(&products), recorded.len() as f64));
            }
        }
        let trials: f64 = terms.iter().map(|(_, trials)| trials).sum();
        (!terms.is_empty()).then(|| {
            self.tape
                .sum(terms.into_iter().map(|(mean, k)| mean * (k / trials)))
        })
    }

    /// Covariance of `a` in bin `t` with `b` in bin `t - d`, both about their means over the trials
    /// valid in `t`; `None` where no bin has two trials.
    fn covariance(
        &self,
        layout: &TrialLayout,
        pools: &[Pool],
        d: usize,
        a: impl Fn(usize, usize) -> Var<'t>,
        b: impl Fn(usize, usize) -> Var<'t>,
    ) -> Option<Var<'t>> {
        let (mut sum, mut norm) = (self.tape.leaf(0.0), 0.0);
        for pool in pools {
            for t in bins_with(layout, &pool.slots, 2) {
                if t < layout.first_bin() + d {
                    continue;
                }
                let slots = valid(layout, &pool.slots, t);
                let count = slots.len() as f64;
                let now: Vec<_> = slots.iter().map(|&k| a(k, t)).collect();
                let then: Vec<_> = slots.iter().map(|&k| b(k, t - d)).collect();
                let (mean_now, mean_then) = (self.tape.mean(&now), self.tape.mean(&then));
                for (&x, &y) in now.iter().zip(&then) {
                    let product = (x - mean_now) * (y - mean_then);
                    sum = sum + product * (pool.weight * count / (count - 1.0));
                }
                norm += pool.weight * count;
            }
        }
        (norm > 0.0).then(|| sum * (1.0 / norm))
    }

    fn noise(&self, parts: usize) -> Option<Var<'t>> {
        let (model, data) = (
            &self.problem.simulated.layout,
            &self.problem.recorded.layout,
        );
        let mut recorded_pools = vec![];
        let mut simulated_pools: Vec<Vec<Pool>> = (0..parts).map(|_| vec![]).collect();
        for c in 0..self.conditions() {
            let (simulated, recorded) = (slots_of(model, c), slots_of(data, c));
            let part = |a| {
                simulated
                    .iter()
                    .copied()
                    .skip(a)
                    .step_by(parts)
                    .collect::<Vec<usize>>()
            };
            let usable = !bins_with(data, &recorded, 2).is_empty()
                && (0..parts).all(|a| !bins_with(model, &part(a), 2).is_empty());
            if usable {
                for (a, pools) in simulated_pools.iter_mut().enumerate() {
                    let slots = part(a);
                    let weight = recorded.len() as f64 / slots.len() as f64;
                    pools.push(Pool { slots, weight });
                }
                recorded_pools.push(Pool {
                    slots: recorded,
                    weight: 1.0,
                });
            }
        }
        if recorded_pools.is_empty() {
            return None;
        }
        let n = self.problem.observed;
        let mut terms = [vec![], vec![]];
        for d in 0..self.problem.statistic_lags {
            for i in 0..n {
                for j in 0..n {
                    let sd = self.total_sd(i) * self.total_sd(j);
                    // With same-bin couplings lag 0 is a mean of its own, over targets behind their source.
                    let apart = d == 0 && !self.problem.same_bin.is_empty();
                    let counts = d > 0 || if apart { i > j } else { i != j };
                    if sd == 0.0 || !counts {
                        continue;
                    }
                    let terms = &mut terms[usize::from(apart)];
                    let spikes = |i| move |k, t| self.tape.leaf(self.data(k, t, i));
                    let target = self.covariance(data, &recorded_pools, d, spikes(i), spikes(j));
                    let errors: Option<Vec<_>> = simulated_pools
                        .iter()
                        .map(|pools| {
                            let p = |k: usize, t: usize| self.free.p[k][t][i];
                            let z = |k: usize, t: usize| self.free.z[k][t][j];
                            let found = self.covariance(model, pools, d, p, z)?;
                            Some((target? - found) * (1.0 / sd))
                        })
                        .collect();
                    let Some(errors) = errors else { continue };
                    if parts == 1 {
                        terms.push(errors[0] * errors[0]);
                        continue;
                    }
                    let mut products = vec![];
                    for a in 0..parts {
                        for b in 0..parts {
                            if a != b {
                                products.push(errors[a] * errors[b]);
                            }
                        }
                    }
                    terms.push(self.tape.mean(&products));
                }
            }
        }
        let means = terms.iter().filter(|terms| !terms.is_empty());
        Some(means.fold(self.tape.leaf(0.0), |sum, terms| {
            sum + self.tape.mean(terms)
        }))
    }

    /// Product sums of one side of the published covariance at one entry, over its normaliser.
    fn published_covariance(
        &self,
        layout: &TrialLayout,
        (d, i, j): (usize, usize, usize),
        wrap: bool,
        x: impl Fn(usize, usize, usize) -> Var<'t>,
    ) -> Var<'t> {
        let first = layout.first_bin();
        let window = layout.max_bins() - first;
        let mut sum = self.tape.leaf(0.0);
        let mut norm = 0;
        for k in 0..layout.trials() {
            for t in first..layout.bins(k) {
                norm += usize::from(wrap || t >= first + d);
                let then = if t >= first + d {
                    t - d
                } else if wrap {
                    first + (t - first + window * d - d) % window
                } else {
                    continue;
                };
                // Behind the end of a shorter trial there is no deviation from the mean.
                if then < layout.bins(k) {
                    let deviation = |t: usize, i: usize| {
                        let slots = valid(layout, &slots_of(layout, layout.condition(k)), t);
                        let values: Vec<_> = slots.iter().map(|&k| x(k, t, i)).collect();
                        x(k, t, i) - self.tape.mean(&values)
                    };
                    sum = sum + deviation(t, i) * deviation(then, j);
                }
            }
        }
        sum * (1.0 / norm.max(1) as f64)
    }

    fn published_noise(&self, wrap: bool) -> Var<'t> {
        let n = self.problem.observed;
        let mut terms = vec![];
        for d in 0..self.problem.statistic_lags {
            for i in 0..n {
                for j in 0..n {
                    let model = self.published_covariance(
                        &self.problem.simulated.layout,
                        (d, i, j),
                        wrap,
                        |k, t, i| self.free.p[k][t][i],
                    );
                    let data = self.published_covariance(
                        &self.problem.recorded.layout,
                        (d, i, j),
                        wrap,
                        |k, t, i| self.tape.leaf(self.data(k, t, i)),
                    );
                    terms.push((data - model) * (data - model));
                }
            }
        }
        self.tape.mean(&terms)
    }

    /// Mean square difference of each hidden unit's mean and the target.
    fn hidden_rate(&self, of: &[Vec<Vec<Var<'t>>>]) -> Var<'t> {
        let layout = &self.problem.simulated.layout;
        let squares: Vec<_> = (self.problem.observed..self.problem.units)
            .map(|i| {
                let values: Vec<_> = (0..layout.trials())
                    .flat_map(|k| of[k][layout.first_bin()..].iter().map(move |row| row[i]))
                    .collect();
                let error = self.tape.mean(&values) + -HIDDEN_TARGET;
                error * error
            })
            .collect();
        self.tape.mean(&squares)
    }
}
