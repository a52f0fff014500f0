//! The ridge, chosen by the likelihood of validation trials.

use crate::solve::{Solver, check};
use crate::{ConvexError, Limits, Problem, Ridge, Solution};
use refire_kernels::Real;

/// Candidates of the couplings' ridge, strongest first: standard deviations from 0.03 to 1 in units of the
/// potential.
const COUPLINGS: [f64; 7] = [1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0];

/// The drive's ridge while that of the couplings is chosen.
const DRIVE_AT_FIRST: f64 = 1.0;

/// Candidates of the drive's ridge on either side of that: standard deviations from 0.2 to 6.
const WEAKER: [f64; 3] = [0.3, 0.1, 0.03];
const STRONGER: [f64; 3] = [3.0, 10.0, 30.0];

/// Gradient norm per scored bin along the path: far below what tells two candidates apart.
const PATH: f64 = 1e-4;

/// A ridge that was tried, and how well it predicts validation trials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RidgePoint {
    /// Precisions tried, of couplings and of drive weights.
    pub ridge: Ridge,
    /// Negative log-likelihood per (trial, bin, unit) of the validation trials, nats.
    pub nats: f64,
}

/// The ridge that predicts validation trials best, and the path to it.
#[derive(Clone, Debug, PartialEq)]
pub struct RidgeChoice<T> {
    /// The best candidate.
    pub ridge: Ridge,
    /// All candidates tried, in order.
    pub path: Vec<RidgePoint>,
    /// The fit of the training trials with that ridge, to the limits asked for.
    pub solution: Solution<T>,
}

/// Solves with the ridge that predicts validation trials best.
///
/// Walks from strong to weak ridges of the couplings until two in a row predict validation trials worse than
/// the best, then from there to weaker and to stronger ridges of the drive, until one does. Each fit starts
/// from the one before.
///
/// # Errors
/// [`ConvexError`] where the trials and the encoder do not belong together.
pub fn choose_ridge<T: Real>(
    training: Problem<'_, T>,
    validation: Problem<'_, T>,
    limits: Limits,
) -> Result<RidgeChoice<T>, ConvexError> {
    check(&training, Ridge::NONE, limits)?;
    check(&validation, Ridge::NONE, limits)?;
    let mut walk = Walk {
        solver: Solver::new(training),
        judge: Solver::new(validation),
        limits: Limits {
            gradient_norm: limits.gradient_norm.max(PATH),
            ..limits
        },
        count: (validation.layout.scored_bins() * validation.spikes.units()).max(1) as f64,
        path: Vec::new(),
        best: None,
    };
    let with = |couplings, drive| Ridge { couplings, drive };
    walk.along(COUPLINGS.iter().map(|&c| with(c, DRIVE_AT_FIRST)), 2)?;
    if let Some((best, _)) = &walk.best {
        let couplings = best.ridge.couplings;
        if training.encoder.parameters() > 0 {
            walk.along(WEAKER.iter().map(|&d| with(couplings, d)), 1)?;
            walk.along(STRONGER.iter().map(|&d| with(couplings, d)), 1)?;
        }
    }
    let Walk {
        mut solver,
        path,
        best,
        ..
    } = walk;
    match best {
        Some((RidgePoint { ridge, .. }, start)) => Ok(RidgeChoice {
            ridge,
            path,
            solution: solver.solve(ridge, limits, Some(&start))?,
        }),
        None => Err(ConvexError::Range {
            what: "likelihood of the validation trials",
            expected: "a number",
            found: f64::NAN,
        }),
    }
}

/// Candidates in a row, and what came of them.
struct Walk<'a, T> {
    solver: Solver<'a, T>,
    judge: Solver<'a, T>,
    limits: Limits,
    count: f64,
    path: Vec<RidgePoint>,
    best: Option<(RidgePoint, Solution<T>)>,
}

impl<T: Real> Walk<'_, T> {
    /// Tries candidates from the best so far on, until `patience` in a row were worse than the best.
    fn along(
        &mut self,
        candidates: impl Iterator<Item = Ridge>,
        patience: usize,
    ) -> Result<(), ConvexError> {
        let mut start = self.best.as_ref().map(|(_, solution)| solution.clone());
        let mut worse = 0;
        for ridge in candidates {
            let solution = self.solver.solve(ridge, self.limits, start.as_ref())?;
            let point = RidgePoint {
                ridge,
                nats: self.judge.nats_at(&solution)? / self.count,
            };
            self.path.push(point);
            start = Some(solution.clone());
            if self
                .best
                .as_ref()
                .is_none_or(|(best, _)| point.nats < best.nats)
            {
                self.best = Some((point, solution));
                worse = 0;
            } else {
                worse += 1;
                if worse == patience {
                    break;
                }
            }
        }
        Ok(())
    }
}
