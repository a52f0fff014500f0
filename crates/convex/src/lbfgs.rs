//! L-BFGS on all columns at once, each with its own step, memory and end.

use crate::Ridge;
use crate::objective::{Objective, Values};
use crate::precondition::Preconditioner;
use crate::rows::Rows;
use refire_kernels::Real;

/// Pairs of steps and gradient changes kept.
pub(crate) const MEMORY: usize = 8;

/// Share of the expected decrease that a step must bring (Armijo).
const DECREASE: f64 = 1e-4;

/// Rounding of a sum of single-precision nats, relative: a step that increases it by less is no worse.
const ROUNDING: f64 = 1e-7;

/// Factor on a step that was refused.
const SHORTER: f64 = 0.3;

/// Refusals in a row after which a column stays where it is.
const MOST_REFUSALS: usize = 20;

/// Evaluations that the preconditioner of all units gets: enough wherever its guess is good.
const PATIENCE: usize = 16;

/// Evaluations that a unit's own Hessian gets before it is measured anew.
const OWN_PATIENCE: usize = 6;

/// Coefficients cubed that are factored in the time in which one unit and bin is evaluated.
const CUBES: f64 = 240.0;

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Gradient norm at which a column is done, not divided by observations.
    pub gradient: f64,
    /// Most steps of a column.
    pub iterations: usize,
}

/// Where a column ended.
#[derive(Clone, Debug)]
pub(crate) struct Ended {
    /// Gradient norm of each column.
    pub gradient: Vec<f64>,
    /// Steps of each column.
    pub iterations: Vec<usize>,
    pub values: Values,
    pub evaluations: usize,
}

/// Minimises every column of `at` that is not `frozen`. Columns still on their way after some evaluations
/// get their own Hessian for a preconditioner, and another where they are then every few evaluations.
pub(crate) fn minimise<T: Real>(
    objective: &mut Objective<'_, T>,
    preconditioner: &mut Preconditioner<T>,
    at: &mut Rows<T>,
    ridge: &[Ridge],
    frozen: &[bool],
    limits: Limits,
) -> Ended {
    let (units, rows, width) = (ridge.len(), objective.shape().rows(), at.width());
    let zeros = || Rows::<T>::zeros(rows, width);
    let (mut gradient, mut direction, mut tried, mut tried_gradient) =
        (zeros(), zeros(), zeros(), zeros());
    let mut memory = Memory::new(rows, width);
    let mut values = objective.evaluate(at, ridge, &mut gradient);
    let mut evaluations = 1;
    let mut norm = norms(&gradient);
    let mut iterations = vec![0; units];
    let mut refusals = vec![0; units];
    let mut step = vec![1.0; width];
    // A factor in evaluations: cubes of coefficients against numbers evaluated.
    let bins = objective.problem().layout.scored_bins();
    let cost = (rows as f64).powi(3) / (CUBES * (width * bins).max(1) as f64);
    // Steps of each column when its Hessian was measured.
    let mut measured = vec![None; units];
    let mut patience = match preconditioner.measured() {
        true => OWN_PATIENCE,
        false => PATIENCE,
    };
    let (mut checked, mut checked_norm) = (evaluations, norm.clone());
    // Whether some columns were evaluated last where they did not stay.
    let mut elsewhere = false;
    let all = vec![true; width];
    memory.direct(preconditioner, &gradient, &all, &mut direction);
    loop {
        let active: Vec<bool> = (0..width)
            .map(|j| {
                j < units
                    && !frozen[j]
                    && norm[j] > limits.gradient
                    && iterations[j] < limits.iterations
                    && refusals[j] < MOST_REFUSALS
            })
            .collect();
        if !active.contains(&true) {
            break;
        }
        if checked + patience == evaluations {
            // At the pace since the last check, further from the end than what all factors cost.
            let left = active.iter().filter(|&&active| active).count() as f64;
            let worth = (left * cost).max(OWN_PATIENCE as f64) / patience as f64;
            let slow = |j: usize| {
                let pace = (norm[j] / checked_norm[j]).powf(worth);
                pace.is_nan() || norm[j] * pace > limits.gradient
            };
            let mut columns: Vec<usize> = (0..units)
                .filter(|&j| active[j] && measured[j] != Some(iterations[j]) && slow(j))
                .collect();
            columns.sort_by(|&a, &b| norm[b].total_cmp(&norm[a]));
            if !columns.is_empty() {
                if elsewhere {
                    objective.evaluate(at, ridge, &mut tried_gradient);
                    evaluations += 1;
                }
                let columns = preconditioner.measure(objective, &columns, ridge);
                memory.forget(columns);
                memory.direct(preconditioner, &gradient, &active, &mut tried);
                let mut fresh = vec![false; width];
                for &j in columns {
                    (measured[j], step[j], fresh[j]) = (Some(iterations[j]), 1.0, true);
                }
                direction.copy_columns(&tried, &fresh);
            }
            (patience, checked) = (OWN_PATIENCE, evaluations);
            checked_norm.clone_from(&norm);
        }
        let moved: Vec<f64> = (0..width)
            .map(|j| if active[j] { step[j] } else { 0.0 })
            .collect();
        let slopes = gradient.dots(&direction);
        tried.copy_from(at);
        tried.add_scaled(&moved, &direction);
        let found = objective.evaluate(&tried, ridge, &mut tried_gradient);
        evaluations += 1;
        let accepted: Vec<bool> = (0..width)
            .map(|j| {
                active[j] && {
                    let wanted = values.total[j] + DECREASE * step[j] * slopes[j];
                    slopes[j] < 0.0
                        && found.total[j].is_finite()
                        && found.total[j] <= wanted + ROUNDING * values.total[j].abs()
                }
            })
            .collect();
        elsewhere = accepted != active;
        for j in (0..units).filter(|&j| active[j]) {
            if accepted[j] {
                (step[j], refusals[j]) = (1.0, 0);
                iterations[j] += 1;
                (values.total[j], values.nats[j], values.misses[j]) =
                    (found.total[j], found.nats[j], found.misses[j]);
            } else {
                step[j] *= SHORTER;
                refusals[j] += 1;
            }
        }
        memory.keep(&moved, &direction, &gradient, &tried_gradient, &accepted);
        at.copy_columns(&tried, &accepted);
        gradient.copy_columns(&tried_gradient, &accepted);
        norm = norms(&gradient);
        // A refused column goes on along its direction.
        memory.direct(preconditioner, &gradient, &active, &mut tried);
        direction.copy_columns(&tried, &accepted);
    }
    norm.truncate(units);
    Ended {
        gradient: norm,
        iterations,
        values,
        evaluations,
    }
}

fn norms<T: Real>(gradient: &Rows<T>) -> Vec<f64> {
    gradient.dots(gradient).into_iter().map(f64::sqrt).collect()
}

/// The last steps and what they changed in the gradient, newest last.
struct Memory<T> {
    /// Steps, changes, and one over their inner product per column (zero: not to be used).
    pairs: Vec<(Rows<T>, Rows<T>, Vec<f64>)>,
    rows: usize,
    width: usize,
    q: Rows<T>,
}

impl<T: Real> Memory<T> {
    fn new(rows: usize, width: usize) -> Self {
        Self {
            pairs: Vec::with_capacity(MEMORY),
            rows,
            width,
            q: Rows::zeros(rows, width),
        }
    }

    fn keep(
        &mut self,
        moved: &[f64],
        direction: &Rows<T>,
        before: &Rows<T>,
        after: &Rows<T>,
        accepted: &[bool],
    ) {
        let (mut s, mut y, mut rho) = if self.pairs.len() == MEMORY {
            self.pairs.remove(0)
        } else {
            let zeros = || Rows::zeros(self.rows, self.width);
            (zeros(), zeros(), Vec::new())
        };
        let of = |yes: f64| -> Vec<f64> {
            let all = accepted.iter();
            all.map(|&a| if a { yes } else { 0.0 }).collect()
        };
        s.fill_zero();
        let moved: Vec<f64> = moved.iter().zip(of(1.0)).map(|(m, a)| m * a).collect();
        s.add_scaled(&moved, direction);
        y.fill_zero();
        y.add_scaled(&of(1.0), after);
        y.add_scaled(&of(-1.0), before);
        let (sy, yy) = (s.dots(&y), y.dots(&y));
        rho.clear();
        rho.extend(sy.iter().zip(yy).map(|(&sy, yy)| {
            // Curvature drowned in rounding teaches nothing.
            if sy > 1e-10 * yy { 1.0 / sy } else { 0.0 }
        }));
        self.pairs.push((s, y, rho));
    }

    /// Forgets what the steps of these columns changed: their own Hessian knows better.
    fn forget(&mut self, columns: &[usize]) {
        for (.., rho) in &mut self.pairs {
            for &j in columns {
                rho[j] = 0.0;
            }
        }
    }

    /// `direction = -H gradient` by the two loops (Nocedal, Math. Comp. 35:773, 1980).
    fn direct(
        &mut self,
        h: &Preconditioner<T>,
        gradient: &Rows<T>,
        active: &[bool],
        direction: &mut Rows<T>,
    ) {
        self.q.copy_from(gradient);
        let mut alphas = Vec::with_capacity(self.pairs.len());
        for (s, y, rho) in self.pairs.iter().rev() {
            let sq = s.dots(&self.q);
            let alpha: Vec<f64> = sq.iter().zip(rho).map(|(sq, rho)| sq * rho).collect();
            let minus: Vec<f64> = alpha.iter().map(|a| -a).collect();
            self.q.add_scaled(&minus, y);
            alphas.push(alpha);
        }
        h.apply(&self.q, active, direction);
        for ((s, y, rho), alpha) in self.pairs.iter().zip(alphas.into_iter().rev()) {
            let yr = y.dots(direction);
            let rest = yr.iter().zip(rho).zip(alpha);
            let rest: Vec<f64> = rest.map(|((yr, rho), alpha)| alpha - yr * rho).collect();
            direction.add_scaled(&rest, s);
        }
        for x in direction.as_mut_slice() {
            *x = -*x;
        }
    }
}
