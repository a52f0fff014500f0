//! The ridge, chosen by the likelihood of validation trials.

use crate::solve::check_numbers;
use crate::{ConvexError, Limits, Problem, Ridge, Solution, Solver};
use refire_kernels::Real;

/// Candidates of the couplings' ridge, strongest first: standard deviations from 0.03 to 1 in units of the
/// potential.
const COUPLINGS: [f64; 7] = [1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0];

/// Candidates of the ridge of same-bin couplings, as parts of that of the others: the covariance of two units in a bin is
/// no smaller than that at all later lags together, so their couplings are larger.
const SAME_BIN: [f64; 4] = [0.3, 0.1, 0.03, 0.01];

/// The drive's ridge while that of the couplings is chosen.
const DRIVE_AT_FIRST: f64 = 1.0;

/// Candidates of the drive's ridge on either side, in multiples: of 1, standard deviations from 0.2 to 6.
const WEAKER: [f64; 3] = [0.3, 0.1, 0.03];
const STRONGER: [f64; 3] = [3.0, 10.0, 30.0];

/// A ridge that was tried, and how well it predicts validation trials.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RidgePoint {
    /// Precisions tried, of couplings and of drive weights.
    pub ridge: Ridge,
    /// Negative log-likelihood per (trial, bin, unit) of the validation trials, nats.
    pub nats: f64,
}

/// A ridge that was tried, with the fit of the training trials that it leads to.
#[derive(Clone, Debug, PartialEq)]
pub struct RidgeFit<T> {
    /// The ridge, and how well it predicts validation trials.
    pub point: RidgePoint,
    /// The fit, to what tells two candidates apart.
    pub solution: Solution<T>,
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
/// Priors of couplings have these `tails` ([`Ridge::tails`]). Walks from strong to weak ridges of the couplings until two in a row predict validation trials worse than
/// the best, then from there to weaker ones of same-bin couplings, where there are any, and to weaker and to stronger
/// ridges of the drive, until one does. Each fit starts
/// from the one before.
///
/// # Errors
/// [`ConvexError`] where the trials and the encoder do not belong together.
pub fn choose_ridge<T: Real>(
    training: Problem<'_, T>,
    validation: Problem<'_, T>,
    limits: Limits,
    tails: Option<f64>,
) -> Result<RidgeChoice<T>, ConvexError> {
    let mut walk = Walk::new(training, validation, limits, tails)?;
    walk.over_couplings(DRIVE_AT_FIRST)?;
    if training.encoder.parameters() > 0 {
        walk.over_drives(DRIVE_AT_FIRST, WEAKER)?;
        walk.over_drives(DRIVE_AT_FIRST, STRONGER)?;
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
        None => Err(NO_NUMBER),
    }
}

/// The ridge of the drive for [`choose_coupling_ridge`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriveRidge {
    /// Precision.
    pub at: f64,
    /// Whether weaker ones are tried, while they predict validation trials better. Stronger ones are not: couplings that
    /// are fitted beside the drive stand in for it, and a drive held back for that is missing in free runs.
    pub or_weaker: bool,
}

/// The ridge of the couplings that predicts validation trials best, and that of same-bin couplings, then perhaps that of
/// the drive, as in [`choose_ridge`].
///
/// # Errors
/// As [`choose_ridge`].
pub fn choose_coupling_ridge<T: Real>(
    training: Problem<'_, T>,
    validation: Problem<'_, T>,
    limits: Limits,
    drive: DriveRidge,
    tails: Option<f64>,
) -> Result<RidgeFit<T>, ConvexError> {
    let mut walk = Walk::new(training, validation, limits, tails)?;
    walk.over_couplings(drive.at)?;
    if drive.or_weaker {
        walk.over_drives(drive.at, WEAKER)?;
    }
    walk.into_best()
}

/// How well a ridge predicts validation trials.
///
/// # Errors
/// As [`choose_ridge`].
pub fn try_ridge<T: Real>(
    training: Problem<'_, T>,
    validation: Problem<'_, T>,
    limits: Limits,
    ridge: Ridge,
) -> Result<RidgeFit<T>, ConvexError> {
    let mut walk = Walk::new(training, validation, limits, ridge.tails)?;
    let (point, solution) = walk.fit(ridge, None)?;
    Ok(RidgeFit { point, solution })
}

const NO_NUMBER: ConvexError = ConvexError::Range {
    what: "likelihood of the validation trials",
    expected: "a number",
    found: f64::NAN,
};

/// Candidates in a row, and what came of them.
struct Walk<'a, T> {
    solver: Solver<'a, T>,
    judge: Solver<'a, T>,
    limits: Limits,
    tails: Option<f64>,
    count: f64,
    same_bin: bool,
    path: Vec<RidgePoint>,
    best: Option<(RidgePoint, Solution<T>)>,
}

impl<'a, T: Real> Walk<'a, T> {
    fn new(
        training: Problem<'a, T>,
        validation: Problem<'a, T>,
        limits: Limits,
        tails: Option<f64>,
    ) -> Result<Self, ConvexError> {
        let ridge = Ridge {
            tails,
            ..Ridge::NONE
        };
        check_numbers(ridge, limits)?;
        Ok(Self {
            solver: Solver::new(training)?,
            judge: Solver::new(validation)?,
            limits: Limits {
                gradient_norm: limits.gradient_norm.max(Limits::ROUGH.gradient_norm),
                ..limits
            },
            tails,
            count: (validation.layout.scored_bins() * validation.spikes.units()).max(1) as f64,
            same_bin: training.same_bin,
            path: Vec::new(),
            best: None,
        })
    }

    /// Candidates of the couplings' ridge, then of that of same-bin couplings, where there are any.
    fn over_couplings(&mut self, drive: f64) -> Result<(), ConvexError> {
        let tails = self.tails;
        let with = |couplings, same_bin| Ridge {
            couplings,
            same_bin,
            drive,
            tails,
        };
        self.along(COUPLINGS.iter().map(|&c| with(c, c)), 2)?;
        if let (Some((best, _)), true) = (&self.best, self.same_bin) {
            let couplings = best.ridge.couplings;
            self.along(
                SAME_BIN
                    .iter()
                    .map(|part| with(couplings, part * couplings)),
                1,
            )?;
        }
        Ok(())
    }

    /// Candidates of the drive's ridge, in multiples of `at`, with the best couplings' ridge.
    fn over_drives(&mut self, at: f64, multiples: [f64; 3]) -> Result<(), ConvexError> {
        let Some((RidgePoint { ridge, .. }, _)) = self.best else {
            return Ok(());
        };
        let with = |times: f64| Ridge {
            drive: times * at,
            ..ridge
        };
        self.along(multiples.into_iter().map(with), 1)
    }

    fn into_best(self) -> Result<RidgeFit<T>, ConvexError> {
        let (point, solution) = self.best.ok_or(NO_NUMBER)?;
        Ok(RidgeFit { point, solution })
    }

    /// Fits with a ridge and judges.
    fn fit(
        &mut self,
        ridge: Ridge,
        start: Option<&Solution<T>>,
    ) -> Result<(RidgePoint, Solution<T>), ConvexError> {
        let solution = self.solver.solve(ridge, self.limits, start)?;
        let nats = self.judge.nats_at(&solution)? / self.count;
        Ok((RidgePoint { ridge, nats }, solution))
    }

    /// Tries candidates from the best so far on, until `patience` in a row were worse than the best.
    fn along(
        &mut self,
        candidates: impl Iterator<Item = Ridge>,
        patience: usize,
    ) -> Result<(), ConvexError> {
        let mut start = self.best.as_ref().map(|(_, solution)| solution.clone());
        let mut worse = 0;
        for ridge in candidates {
            let (point, solution) = self.fit(ridge, start.as_ref())?;
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
