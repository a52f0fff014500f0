//! The Hessian of each unit where it is now, event by event.

use crate::Ridge;
use crate::cholesky::Factor;
use crate::objective::{Objective, Shape};
use rayon::prelude::*;
use refire_core::{AlignedVec, TrialArray, aligned_vec, for_each_fired};
use refire_kernels::{LANES, Real, add_assign, dispatch};

/// What is added to the diagonal, relative to it, until rounding leaves it positive definite.
const ADDED: [f64; 3] = [1e-6, 1e-4, 1e-2];

/// The numbers of [`LANES`] units.
type Lanes<T> = [T; LANES];

/// Factors of the Hessians, ridge included, of the units `columns` at the point evaluated last.
///
/// ```text
/// H_j = sum over scored (k,t) of w[k,t,j] X[k,t] X[k,t]^T + ridge        w = p (1 - p) = |lambda| (1 - |lambda|)
/// ```
///
/// `X` is never formed. A spike of `i` at bin `s` and one of `i'` `e` bins before it (`0 <= e < lags`) meet
/// in the histories of the bins that follow both:
///
/// ```text
/// H[(i,d), (i',d+e)]  +=  w[k, s+a+d]                            d = 0 .. lags-1-e, a = 1, or 0 with same-bin couplings
/// H[(i,d), f]         +=  x[c(k), s+a+d, f] w[k, s+a+d]          f a weight of the drive, or the intercept: x = 1
/// H[f, g]             +=  x[c,t,f] x[c,t,g] sum over k in c of w[k,t]
/// ```
///
/// A drive is the same in all trials of a condition, so weights are summed over these first, for each bin in
/// which `i` may have fired. Units stand side by side, as many as there are lanes in a register.
pub(crate) fn factors<T: Real>(
    objective: &Objective<'_, T>,
    columns: &[usize],
    ridge: &[Ridge],
) -> Vec<Option<Factor>> {
    let events = Events::new(objective);
    let shape = objective.shape();
    let rows = shape.rows();
    let mut tile = aligned_vec();
    tile.resize(rows * rows * LANES, T::zero());
    let of_tile = columns.chunks(LANES).flat_map(|columns| {
        tile.fill(T::zero());
        let weights = events.weights(columns);
        events.add(&weights, &mut tile);
        let (hessians, _) = tile.as_chunks::<LANES>();
        let lanes = columns.par_iter().enumerate();
        let factors =
            lanes.map(|(lane, &j)| factor(hessians, lane, events.lags, (shape, j), ridge[j]));
        factors.collect::<Vec<_>>()
    });
    of_tile.collect()
}

/// From the sums of a lane to a factor.
fn factor<T: Real>(
    hessians: &[Lanes<T>],
    lane: usize,
    lags: usize,
    (shape, unit): (Shape, usize),
    ridge: Ridge,
) -> Option<Factor> {
    let rows = shape.rows();
    let mut matrix = vec![0.0; rows * rows];
    ADDED.into_iter().find_map(|added| {
        for (a, into) in matrix.chunks_exact_mut(rows).enumerate() {
            if shape.is_fixed(a, unit) {
                into[..a].fill(0.0);
                into[a] = 1.0;
                continue;
            }
            for (b, into) in into[..=a].iter_mut().enumerate() {
                if shape.is_fixed(b, unit) {
                    *into = 0.0;
                    continue;
                }
                *into = hessians[place(shape, lags, a, b)][lane].f64();
            }
            let curvature = into[a];
            into[a] += ridge.of_row(shape, a) + added * (1.0 + curvature);
        }
        Factor::new(&mut matrix, rows)
    })
}

/// Where sums of rows `a >= b` are kept. Of two couplings the one of the shorter lag, the later spike, is the
/// first; of others `b`. The sums of a source are `[other row, less the lag of the first][lag of the first]`, so
/// that those of two spikes lie side by side; those of the drive, behind, are `[row][row]`.
fn place(shape: Shape, lags: usize, a: usize, b: usize) -> usize {
    let rows = shape.rows();
    if b >= shape.couplings {
        return b * rows + a;
    }
    let (first, second) = match a < shape.couplings && a % lags < b % lags {
        true => (a, b),
        false => (b, a),
    };
    let (source, lag) = (first / lags, first % lags);
    let other = if a < shape.couplings {
        second - lag
    } else {
        second
    };
    (source * rows + other) * lags + lag
}

/// Spikes by bin and features by bin.
struct Events<'a, T> {
    objective: &'a Objective<'a, T>,
    shape: Shape,
    /// Lags of all couplings, and bins from a spike to the first.
    lags: usize,
    ahead: usize,
    bins: usize,
    /// Where the units that fired in `[trial][bin]` start in `fired`.
    start: Vec<usize>,
    fired: Vec<usize>,
    conditions: usize,
    /// Of each weight of the drive, where it is not zero, and the design.
    places: Vec<Vec<(usize, T)>>,
}

impl<'a, T: Real> Events<'a, T> {
    fn new(objective: &'a Objective<'a, T>) -> Self {
        let (shape, problem) = (objective.shape(), objective.problem());
        let (layout, bins) = (problem.layout, problem.layout.max_bins());
        let (mut start, mut fired) = (Vec::new(), Vec::new());
        for (k, t) in (0..layout.trials()).flat_map(|k| (0..bins).map(move |t| (k, t))) {
            start.push(fired.len());
            if t < layout.bins(k) {
                for_each_fired(problem.spikes.row(k, t), |unit| fired.push(unit));
            }
        }
        start.push(fired.len());
        let mut places = vec![Vec::new(); shape.drive];
        let conditions = problem.encoder.conditions();
        for (c, t) in (0..conditions).flat_map(|c| (0..bins).map(move |t| (c, t))) {
            for term in objective.design_row(c, t) {
                places[term.weight as usize].push((c * bins + t, T::new(term.value)));
            }
        }
        Self {
            objective,
            shape,
            lags: problem.all_lags(),
            ahead: problem.ahead(),
            bins,
            start,
            fired,
            conditions,
            places,
        }
    }

    /// `p (1 - p)` of some units, zero outside scored bins.
    fn weights(&self, columns: &[usize]) -> TrialArray<T> {
        let lambda = self.objective.lambda();
        let (trials, width) = (lambda.trials(), lambda.units());
        let mut weights = TrialArray::zeros(trials, self.bins, self.lags, LANES);
        let len = weights.trial_len().max(1);
        let trials = weights.as_mut_slice().par_chunks_mut(len).enumerate();
        trials.for_each(|(k, weights)| {
            let rows = lambda.trial(k).chunks_exact(width);
            for (weights, row) in weights.chunks_exact_mut(LANES).zip(rows) {
                for (w, &j) in weights.iter_mut().zip(columns) {
                    let away = row[j].abs();
                    *w = away * (T::one() - away);
                }
            }
        });
        weights
    }

    /// Adds to `[row][row][lane]`.
    fn add(&self, weights: &TrialArray<T>, tile: &mut AlignedVec<T>) {
        let rows = self.shape.rows();
        let (couplings, others) = tile.split_at_mut(self.shape.couplings * rows * LANES);
        couplings
            .par_chunks_mut((self.lags * rows * LANES).max(1))
            .enumerate()
            .for_each(|(source, sums)| {
                let (sums, _) = sums.as_chunks_mut::<LANES>();
                dispatch(
                    #[inline(always)]
                    || {
                        self.add_pairs(source, weights, sums);
                        self.add_drive_behind(source, weights, sums);
                    },
                );
            });
        let total = self.total(weights);
        others
            .par_chunks_mut(rows * LANES)
            .enumerate()
            .for_each(|(f, sums)| {
                let (sums, _) = sums.as_chunks_mut::<LANES>();
                dispatch(
                    #[inline(always)]
                    || self.add_drive(f, &total, sums),
                );
            });
    }

    /// Couplings of a source with couplings.
    #[inline(always)]
    fn add_pairs(&self, source: usize, weights: &TrialArray<T>, sums: &mut [Lanes<T>]) {
        let lags = self.lags;
        for (k, spikes) in self.objective.by_source().trials().iter().enumerate() {
            let (weights, _) = weights.trial(k).as_chunks::<LANES>();
            for &s in spikes.bins_of(source) {
                let s = s as usize;
                for before in 0..lags.min(s + 1) {
                    let weights = &weights[s + self.ahead..][..lags - before];
                    let at = k * self.bins + s - before;
                    for other in &self.fired[self.start[at]..self.start[at + 1]] {
                        let sums = &mut sums[(other * lags + before) * lags..];
                        add_assign(
                            sums[..weights.len()].as_flattened_mut(),
                            weights.as_flattened(),
                        );
                    }
                }
            }
        }
    }

    /// Couplings of a source with the drive and the intercept.
    #[inline(always)]
    fn add_drive_behind(&self, source: usize, weights: &TrialArray<T>, sums: &mut [Lanes<T>]) {
        let (shape, lags) = (self.shape, self.lags);
        // Behind each bin in which the source may have fired, summed over trials.
        let mut behind = vec![[T::zero(); LANES]; self.bins * lags];
        for group in self.objective.problem().layout.groups() {
            behind.fill([T::zero(); LANES]);
            let mut any = vec![false; self.bins];
            for &k in &group.slots {
                let (weights, _) = weights.trial(k).as_chunks::<LANES>();
                for &s in self.objective.by_source().trials()[k].bins_of(source) {
                    let s = s as usize;
                    any[s] = true;
                    let sums = behind[s * lags..][..lags].as_flattened_mut();
                    add_assign(sums, weights[s + self.ahead..][..lags].as_flattened());
                }
            }
            for s in (0..self.bins).filter(|&s| any[s]) {
                for (d, weight) in behind[s * lags..][..lags].iter().enumerate() {
                    add(&mut sums[shape.intercept() * lags + d], T::one(), weight);
                    for term in self
                        .objective
                        .design_row(group.condition, s + self.ahead + d)
                    {
                        let row = shape.couplings + term.weight as usize;
                        add(&mut sums[row * lags + d], T::new(term.value), weight);
                    }
                }
            }
        }
    }

    /// Weights summed over the trials of a condition, `[condition][bin]`.
    fn total(&self, weights: &TrialArray<T>) -> Vec<Lanes<T>> {
        let mut total = vec![[T::zero(); LANES]; self.conditions * self.bins];
        for group in self.objective.problem().layout.groups() {
            let total = &mut total[group.condition * self.bins..][..self.bins];
            for &k in &group.slots {
                let (weights, _) = weights.trial(k).as_chunks::<LANES>();
                for (sum, weight) in total.iter_mut().zip(weights) {
                    add(sum, T::one(), weight);
                }
            }
        }
        total
    }

    /// A weight of the drive with those behind it; or, behind the last, the intercept with itself.
    #[inline(always)]
    fn add_drive(&self, f: usize, total: &[Lanes<T>], sums: &mut [Lanes<T>]) {
        let (drive, intercept) = (self.shape.couplings, self.shape.intercept());
        let Some(places) = self.places.get(f) else {
            for weight in total {
                add(&mut sums[intercept], T::one(), weight);
            }
            return;
        };
        for &(at, x) in places {
            let here = self.objective.design_row(at / self.bins, at % self.bins);
            for term in here.iter().filter(|term| term.weight as usize >= f) {
                let (g, y) = (term.weight as usize, T::new(term.value));
                add(&mut sums[drive + g], x * y, &total[at]);
            }
            add(&mut sums[intercept], x, &total[at]);
        }
    }
}

/// `sum += x weight`, lane by lane.
#[inline(always)]
fn add<T: Real>(sum: &mut Lanes<T>, x: T, weight: &Lanes<T>) {
    for (sum, &w) in sum.iter_mut().zip(weight) {
        *sum += x * w;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::Rows;
    use crate::testing::{design_row, number, problems, recording};

    #[test]
    fn match_the_definition() {
        let recording = recording();
        for problem in problems(&recording) {
            let layout = problem.layout;
            let mut objective = Objective::new(problem);
            let shape = objective.shape();
            let rows = shape.rows();
            let mut at = Rows::zeros(rows, shape.width());
            for row in 0..rows {
                for j in 0..shape.units {
                    let fixed = shape.is_fixed(row, j);
                    at.row_mut(row)[j] = if fixed {
                        0.0
                    } else {
                        0.7 * number(row * 31 + j)
                    };
                }
            }
            let ridge: Vec<Ridge> = (0..shape.units)
                .map(|j| Ridge {
                    couplings: 1.0 + j as f64,
                    same_bin: 0.3 + j as f64,
                    drive: 0.5,
                    tails: None,
                })
                .collect();
            objective.evaluate(&at, &ridge, &mut at.clone());
            let columns: Vec<usize> = (0..shape.units).rev().collect();
            let factors = factors(&objective, &columns, &ridge);
            for (&j, factor) in columns.iter().zip(&factors) {
                let mut hessian = vec![0.0; rows * rows];
                for k in 0..layout.trials() {
                    for t in layout.first_bin()..layout.bins(k) {
                        let x = design_row(&problem, k, t);
                        let v: f64 = x
                            .iter()
                            .enumerate()
                            .map(|(row, x)| x * at.row(row)[j])
                            .sum();
                        let p = 1.0 / (1.0 + (-v).exp());
                        for (a, b) in (0..rows).flat_map(|a| (0..rows).map(move |b| (a, b))) {
                            hessian[a * rows + b] += p * (1.0 - p) * x[a] * x[b];
                        }
                    }
                }
                let free = |row: usize| !shape.is_fixed(row, j);
                let expected: Vec<f64> = (0..rows)
                    .map(|row| if free(row) { number(row + 77) } else { 0.0 })
                    .collect();
                let mut solved: Vec<f64> = (0..rows)
                    .map(|a| {
                        let row = hessian[a * rows..][..rows].iter().zip(&expected);
                        let penalty = ridge[j].of_row(shape, a) * expected[a];
                        match free(a) {
                            true => row.map(|(h, x)| h * x).sum::<f64>() + penalty,
                            false => 0.0,
                        }
                    })
                    .collect();
                factor.as_ref().unwrap().solve(&mut solved);
                for (found, expected) in solved.iter().zip(&expected) {
                    // As near as what is added to the diagonal allows.
                    assert!((found - expected).abs() < 1e-4, "{j}: {found} {expected}");
                }
            }
        }
    }
}
