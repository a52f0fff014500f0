//! A guess at the inverse Hessian, one for all units.

use crate::cholesky::{Factor, packed_len};
use crate::hessian::factors;
use crate::objective::{Objective, Shape};
use crate::rows::Rows;
use crate::{Problem, Ridge};
use nalgebra::DMatrix;
use rayon::prelude::*;
use refire_core::TrialArray;
use refire_kernels::{MatrixMut, MatrixRef, Real, matmul};
use refire_sim::{Behind, LaggedSums};

/// Most coefficients per unit for which a matrix is factored; beyond, its diagonal stands in for it.
pub(crate) const MOST_FACTORED: usize = 2048;

/// Most numbers of all factors of single units together: half a gibibyte.
pub(crate) const MOST_OWN: usize = 1 << 26;

/// Rows of one parallel task.
const BLOCK: usize = 64;

/// Bins whose design is held dense at a time; few in tests, where there are few.
pub(crate) const DENSE_BINS: usize = if cfg!(test) { 7 } else { 4096 };

/// `M^-1` with `M = k X^T X + ridge`, for the design `X` that all units share.
///
/// The Hessian of unit `j` is `X^T diag(p (1 - p)) X + ridge`; with the mean of `p (1 - p)` in the place of
/// each, units differ by a factor only. `X` is never formed: spikes times spikes are lagged products, counted
/// event by event, and a drive is the same in all trials of a condition. Bins before the first and behind the
/// last of a trial count as silence, so that `X^T X` of two lags depends on their difference alone; it is a
/// guess, and L-BFGS mends it.
///
/// Where a drive tells most of a unit's spikes, `p (1 - p)` is far from its mean nearly everywhere. For units
/// that are still on their way after some steps the Hessian itself is counted and factored instead.
pub(crate) struct Preconditioner<T> {
    /// `[row][row]`.
    inverse: Option<Vec<T>>,
    diagonal: Vec<T>,
    scale: Vec<T>,
    shape: Shape,
    /// Of each unit that has its own Hessian.
    own: Vec<Option<Factor>>,
}

/// `X^T X`, or its diagonal.
pub(crate) struct Gram {
    matrix: Option<DMatrix<f64>>,
    diagonal: Vec<f64>,
}

impl Gram {
    pub fn new<T: Real>(objective: &Objective<'_, T>) -> Self {
        let (shape, problem) = (objective.shape(), objective.problem());
        let layout = problem.layout;
        let bins = layout.max_bins();
        let counts = spike_counts(&problem);
        let trials_at = |condition: usize, t: usize| -> f64 {
            let groups = layout.groups().iter().filter(|g| g.condition == condition);
            let slots = groups.flat_map(|g| &g.slots);
            // As long as spikes of a trial count, so does its drive: anything else is no Gram matrix.
            let counts = slots.filter(|&&k| layout.bins(k) + problem.lags > t);
            counts.count() as f64
        };
        let support: usize = (0..layout.trials())
            .map(|k| layout.bins(k) + problem.lags)
            .sum();
        let mut diagonal = vec![0.0; shape.rows()];
        for (row, x) in diagonal[..shape.couplings].iter_mut().enumerate() {
            *x = counts[row / problem.all_lags()];
        }
        diagonal[shape.intercept()] = support as f64;
        let full = shape.rows() <= MOST_FACTORED;
        let mut matrix = full.then(|| DMatrix::<f64>::zeros(shape.rows(), shape.rows()));
        if let Some(matrix) = &mut matrix {
            add_couplings(matrix, objective);
            for (row, &x) in diagonal[..shape.couplings].iter().enumerate() {
                matrix[(shape.intercept(), row)] = x;
            }
        }
        for group in layout.groups() {
            for t in 0..bins {
                let trials = trials_at(group.condition, t);
                for term in objective.design_row(group.condition, t) {
                    let (row, x) = (shape.couplings + term.weight as usize, term.value);
                    diagonal[row] += x * (x * trials);
                    if let Some(matrix) = &mut matrix {
                        matrix[(shape.intercept(), row)] += x * trials;
                    }
                }
            }
            let Some(matrix) = matrix.as_mut().filter(|_| shape.drive > 0) else {
                continue;
            };
            let weight = |t| trials_at(group.condition, t);
            add_drive(matrix, objective, (group.condition, &group.slots), weight);
        }
        if let Some(matrix) = &mut matrix {
            matrix[(shape.intercept(), shape.intercept())] = support as f64;
            matrix.fill_upper_triangle_with_lower_triangle();
        }
        Self { matrix, diagonal }
    }
}

/// Products of the drive's design with itself, a bin counted for the trials it stands for, and with the spikes of a
/// condition's trials; some bins at a time, so that memory does not grow with them.
fn add_drive<T: Real>(
    matrix: &mut DMatrix<f64>,
    objective: &Objective<'_, T>,
    (condition, slots): (usize, &[usize]),
    trials_at: impl Fn(usize) -> f64,
) {
    let (shape, problem) = (objective.shape(), objective.problem());
    let (bins, width, columns) = (problem.layout.max_bins(), shape.drive, shape.couplings);
    let (history, lags) = (history(&problem, slots), problem.all_lags());
    let mut drive = vec![0.0; width * width];
    let mut cross = vec![0.0; width * columns];
    for start in (0..bins).step_by(DENSE_BINS) {
        let here = DENSE_BINS.min(bins - start);
        let mut design = vec![0.0; here * width];
        let mut weighted = vec![0.0; here * width];
        for t in 0..here {
            let trials = trials_at(start + t);
            for term in objective.design_row(condition, start + t) {
                let at = t * width + term.weight as usize;
                (design[at], weighted[at]) = (term.value, term.value * trials);
            }
        }
        let before = if start == 0 { 0.0 } else { 1.0 };
        matmul(
            MatrixRef::rows(&weighted, here, width, width).transposed(),
            MatrixRef::rows(&design, here, width, width),
            before,
            MatrixMut::rows(&mut drive, width, width, width),
        );
        matmul(
            MatrixRef::rows(&design, here, width, width).transposed(),
            MatrixRef::rows(&history[start * shape.units..], here, columns, shape.units),
            before,
            MatrixMut::rows(&mut cross, width, columns, columns),
        );
    }
    for f in 0..width {
        for g in 0..width {
            matrix[(columns + f, columns + g)] += drive[f * width + g];
        }
        for (at, x) in cross[f * columns..][..columns].iter().enumerate() {
            // Columns are bins of history, oldest first.
            let (lag, unit) = (lags - 1 - at / shape.units, at % shape.units);
            matrix[(columns + f, unit * lags + lag)] += x;
        }
    }
}

/// Spikes of each unit.
fn spike_counts<T: Real>(problem: &Problem<'_, T>) -> Vec<f64> {
    let mut counts = vec![0.0; problem.spikes.units()];
    for k in 0..problem.layout.trials() {
        for t in 0..problem.layout.bins(k) {
            for (count, &z) in counts.iter_mut().zip(problem.spikes.row(k, t)) {
                *count += f64::from(z);
            }
        }
    }
    counts
}

/// `sum_k sum_t z_i[k,t-d] z_i'[k,t-d']` below the diagonal, from the products at lag `d - d'`.
fn add_couplings<T: Real>(matrix: &mut DMatrix<f64>, objective: &Objective<'_, T>) {
    let (problem, units) = (objective.problem(), objective.shape().units);
    let (layout, lags) = (problem.layout, problem.all_lags());
    let mut signal = TrialArray::<T>::zeros(layout.trials(), layout.max_bins(), lags, units);
    for k in 0..layout.trials() {
        for t in 0..layout.bins(k) {
            for (x, &z) in signal
                .row_mut(k, t)
                .iter_mut()
                .zip(problem.spikes.row(k, t))
            {
                *x = T::new(f64::from(z));
            }
        }
    }
    let slots: Vec<usize> = (0..layout.trials()).collect();
    let behind = Behind {
        slots: &slots,
        from: 0,
        ahead: 0,
        lags,
    };
    let mut products = vec![T::zero(); units * lags * units];
    LaggedSums::default().add(objective.by_source(), &signal, behind, &mut products);
    let product = |i: usize, lag: usize, j: usize| products[(i * lags + lag) * units + j].f64();
    for (i, d) in (0..units).flat_map(|i| (0..lags).map(move |d| (i, d))) {
        for (j, e) in (0..=i).flat_map(|j| (0..lags).map(move |e| (j, e))) {
            matrix[(i * lags + d, j * lags + e)] = if d >= e {
                product(i, d - e, j)
            } else {
                product(j, e - d, i)
            };
        }
    }
}

/// Spikes summed over trials behind `lags` bins of silence, `[bin][unit]`: row `t` begins the history of
/// bin `t`, oldest bin first, and the bin itself follows it.
fn history<T: Real>(problem: &Problem<'_, T>, slots: &[usize]) -> Vec<f64> {
    let (units, lags) = (problem.spikes.units(), problem.lags);
    let mut history = vec![0.0; (problem.layout.max_bins() + lags) * units];
    for &k in slots {
        for t in 0..problem.layout.bins(k) {
            let row = &mut history[(t + lags) * units..][..units];
            for (x, &z) in row.iter_mut().zip(problem.spikes.row(k, t)) {
                *x += f64::from(z);
            }
        }
    }
    history
}

impl<T: Real> Preconditioner<T> {
    /// For units whose `p (1 - p)` has the means `variance`, under one ridge. Own Hessians stay those of
    /// `old`, whatever its ridge was: they are measured again where they serve badly.
    pub fn new(
        gram: &Gram,
        shape: Shape,
        variance: &[f64],
        ridge: Ridge,
        old: Option<Self>,
    ) -> Self {
        let mean = variance.iter().sum::<f64>() / variance.len().max(1) as f64;
        let mean = mean.max(1e-6);
        let added =
            |row: usize, x: f64| mean * x + ridge.of_row(shape, row) + 1e-6 * (1.0 + mean * x);
        // Where the ridge outweighs the data, units do not differ.
        let typical =
            gram.diagonal[..shape.couplings].iter().sum::<f64>() / shape.couplings.max(1) as f64;
        let diagonal = gram.diagonal.iter().enumerate();
        let inverse = gram.matrix.as_ref().and_then(|gram| {
            // Rounding may leave a matrix that is not quite positive definite.
            [0.0, 1e-4, 1e-2].into_iter().find_map(|more| {
                let mut matrix = gram * mean;
                for row in 0..shape.rows() {
                    let x = added(row, gram[(row, row)]);
                    matrix[(row, row)] = x * (1.0 + more);
                }
                let inverse = matrix.cholesky()?.inverse();
                Some(inverse.as_slice().iter().map(|&x| T::new(x)).collect())
            })
        });
        Self {
            inverse,
            shape,
            diagonal: diagonal
                .map(|(row, &x)| T::new(1.0 / added(row, x)))
                .collect(),
            scale: variance
                .iter()
                .map(|v| {
                    T::new(
                        (mean * typical + ridge.couplings)
                            / (v.max(1e-6) * typical + ridge.couplings),
                    )
                })
                .collect(),
            own: old.map_or_else(|| vec![None; variance.len()], |old| old.own),
        }
    }

    /// Whether any unit has its own Hessian.
    pub fn measured(&self) -> bool {
        self.own.iter().any(Option::is_some)
    }

    /// Gives units their own Hessian at the point evaluated last, as many of `columns` as memory allows, the
    /// first ones. Returns these.
    pub fn measure<'c>(
        &mut self,
        objective: &Objective<'_, T>,
        columns: &'c [usize],
        ridge: &[Ridge],
    ) -> &'c [usize] {
        if self.diagonal.len() > MOST_FACTORED {
            return &[];
        }
        let room = MOST_OWN / packed_len(self.diagonal.len());
        let columns = &columns[..columns.len().min(room)];
        if columns.len() + self.own.iter().flatten().count() > room {
            self.own.fill(None);
        }
        for (&j, factor) in columns.iter().zip(factors(objective, columns, ridge)) {
            self.own[j] = factor;
        }
        columns
    }

    /// `out = H q`, column by column; the own Hessian of a unit only where it is `active`.
    pub fn apply(&self, q: &Rows<T>, active: &[bool], out: &mut Rows<T>) {
        let (width, rows) = (q.width(), self.diagonal.len());
        let len = (BLOCK * width).max(1);
        out.as_mut_slice()
            .par_chunks_mut(len)
            .enumerate()
            .for_each(|(block, out)| {
                let (start, here) = (block * BLOCK, out.len() / width);
                match &self.inverse {
                    Some(inverse) => matmul(
                        MatrixRef::rows(&inverse[start * rows..], here, rows, rows),
                        MatrixRef::rows(q.as_slice(), rows, width, width),
                        T::zero(),
                        MatrixMut::rows(out, here, width, width),
                    ),
                    None => {
                        let all = q.as_slice()[start * width..].chunks_exact(width);
                        let all = out.chunks_exact_mut(width).zip(all);
                        for ((out, q), &d) in all.zip(&self.diagonal[start..]) {
                            for (out, &q) in out.iter_mut().zip(q) {
                                *out = d * q;
                            }
                        }
                    }
                }
                for out in out.chunks_exact_mut(width) {
                    for (out, &scale) in out.iter_mut().zip(&self.scale) {
                        *out *= scale;
                    }
                }
            });
        let own = self.own.par_iter().enumerate();
        let own = own.filter_map(|(j, own)| own.as_ref().filter(|_| active[j]).map(|own| (j, own)));
        let solved = own.map(|(j, own)| {
            let mut x: Vec<f64> = (0..rows).map(|row| q.row(row)[j].f64()).collect();
            own.solve(&mut x);
            (j, x)
        });
        for (j, x) in solved.collect::<Vec<_>>() {
            for (row, x) in x.into_iter().enumerate() {
                out.row_mut(row)[j] = T::new(x);
            }
        }
        self.shape.clear_fixed(out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{problems, recording};

    #[test]
    fn the_gram_matrix_of_uneven_trials_is_that_of_a_design() {
        let recording = recording();
        for problem in problems(&recording) {
            let gram = Gram::new(&Objective::new(problem));
            let matrix = gram.matrix.unwrap();
            let expected = crate::testing::gram(&problem);
            assert!(
                (&matrix - &expected).amax() < 1e-9,
                "{}",
                (&matrix - &expected).amax()
            );
            for (row, x) in gram.diagonal.iter().enumerate() {
                assert!((x - expected[(row, row)]).abs() < 1e-9, "{row}");
            }
        }
    }
}
