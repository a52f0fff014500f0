//! From recorded trials to coefficients, and what is to be said of each unit.

use crate::lbfgs::{self, minimise};
use crate::objective::{Objective, Shape};
use crate::precondition::{Gram, Preconditioner};
use crate::rows::Rows;
use crate::separable::unbounded_coefficients;
use crate::{ConvexError, Curvature, Limits, Problem, Ridge};
use refire_kernels::Real;

/// Ridge that holds a unit whose likelihood has no optimum: a standard deviation of 10 in units of the
/// potential.
const HELD: f64 = 0.01;

/// A preconditioner serves ridges up to so many times as strong or as weak as its own.
const NEAR: f64 = 4.0;

/// How the fit of a unit ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Status {
    /// At the optimum.
    Converged,
    /// Still on its way when the steps were used up, or when rounding allowed none.
    IterationLimit,
    /// It never fires: a constant probability of half a spike in all, nothing else.
    Silent,
    /// It fires in every bin: a constant probability of all spikes but half a one, nothing else.
    AlwaysSpiking,
    /// Its likelihood rises without end along some coefficients, so it has no optimum. Held by a ridge of
    /// `held` on all coefficients that have none, and at the optimum of that.
    Separable {
        /// Coefficients that would grow without end by themselves: their spike or feature always, or never,
        /// comes with a spike of the unit. 0 where no single one does, but all together tell every spike.
        coefficients: usize,
        /// Precision of the prior that held it, in units of the potential.
        held: f64,
    },
}

/// The fit of one unit.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitFit {
    /// How it ended.
    pub status: Status,
    /// Euclidean norm of the gradient, ridge included, divided by scored bins.
    pub gradient_norm: f64,
    /// Negative log-likelihood per scored bin, nats, ridge not included.
    pub nats: f64,
    /// L-BFGS steps made.
    pub iterations: usize,
}

/// Coefficients in the units of the current.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution<T> {
    /// `[source][lag][target]`, current per spike.
    pub couplings: Vec<T>,
    /// `[source][target]`, current per spike, 0 unless the target is behind; none without same-bin couplings.
    pub same_bin: Vec<T>,
    /// `[unit]`, current.
    pub bias: Vec<T>,
    /// Weights of the encoder, `[weight][unit]`, current.
    pub drive: Vec<T>,
    /// How the fit of each unit ended, `[unit]`.
    pub units: Vec<UnitFit>,
    /// Passes over the spikes.
    pub evaluations: usize,
}

impl<T: Real> Solution<T> {
    /// Mean negative log-likelihood per (trial, bin, unit), nats.
    pub fn nats(&self) -> f64 {
        self.units.iter().map(|u| u.nats).sum::<f64>() / self.units.len().max(1) as f64
    }
}

/// Takes every unit to the optimum of its penalised likelihood, from `start` or from constant rates. The
/// result does not depend on the number of threads.
///
/// # Errors
/// [`ConvexError`] where encoder, layout and spikes do not belong together or a penalty is not a number from
/// 0 on.
pub fn solve<T: Real>(
    problem: Problem<'_, T>,
    ridge: Ridge,
    limits: Limits,
    start: Option<&Solution<T>>,
) -> Result<Solution<T>, ConvexError> {
    Solver::new(problem)?.solve(ridge, limits, start)
}

/// One problem, solved with one ridge after the other: what does not depend on the ridge is counted once.
pub struct Solver<'a, T> {
    objective: Objective<'a, T>,
    /// Once something is solved.
    gram: Option<Gram>,
    /// The last one, with its ridge.
    preconditioner: Option<(Ridge, Preconditioner<T>)>,
    /// Spikes in scored bins per unit, and those bins.
    spikes: Vec<f64>,
    bins: f64,
}

impl<'a, T: Real> Solver<'a, T> {
    /// A solver of a problem.
    ///
    /// # Errors
    /// [`ConvexError`] where encoder, layout and spikes do not belong together.
    pub fn new(problem: Problem<'a, T>) -> Result<Self, ConvexError> {
        check(&problem)?;
        let objective = Objective::new(problem);
        let layout = problem.layout;
        let mut spikes = vec![0.0; problem.spikes.units()];
        for k in 0..layout.trials() {
            for t in layout.first_bin()..layout.bins(k) {
                for (count, &z) in spikes.iter_mut().zip(problem.spikes.row(k, t)) {
                    *count += f64::from(z);
                }
            }
        }
        Ok(Self {
            gram: None,
            preconditioner: None,
            objective,
            spikes,
            bins: layout.scored_bins() as f64,
        })
    }

    /// Variance of each unit's spikes, at its mean rate.
    fn variance(&self) -> Vec<f64> {
        let rates = self.spikes.iter().map(|spikes| spikes / self.bins);
        rates.map(|rate| rate * (1.0 - rate)).collect()
    }

    /// The mean curvature of the likelihood under priors, at constant rates.
    pub fn curvature(&mut self, ridge: Ridge) -> Curvature<T> {
        let shape = self.objective.shape();
        let variance = self.variance();
        let objective = &self.objective;
        let gram = self.gram.get_or_insert_with(|| Gram::new(objective));
        let problem = objective.problem();
        Curvature {
            shape,
            theta: problem.theta,
            scored: self.bins * shape.units as f64,
            preconditioner: Preconditioner::new(gram, shape, &variance, ridge, None),
        }
    }

    /// [`solve`] with this ridge.
    ///
    /// # Errors
    /// [`ConvexError`] where a penalty is not a number from 0 on, or the start is of another problem.
    pub fn solve(
        &mut self,
        ridge: Ridge,
        limits: Limits,
        start: Option<&Solution<T>>,
    ) -> Result<Solution<T>, ConvexError> {
        check_numbers(ridge, limits)?;
        let shape = self.objective.shape();
        let constant = |j: usize| self.spikes[j] == 0.0 || self.spikes[j] == self.bins;
        let frozen: Vec<bool> = (0..shape.units).map(constant).collect();
        let mut at = self.start(shape, &frozen, start)?;
        let unbounded = unbounded_coefficients(&self.objective, ridge);
        let held = |r: f64| if r == 0.0 { HELD } else { r };
        let mut ridges: Vec<Ridge> = unbounded
            .iter()
            .map(|&count| match count {
                0 => ridge,
                _ => Ridge {
                    couplings: held(ridge.couplings),
                    same_bin: held(ridge.same_bin),
                    drive: held(ridge.drive),
                    tails: ridge.tails,
                },
            })
            .collect();
        let variance = self.variance();
        let near = |a: f64, b: f64| a == b || (a.max(b) <= NEAR * a.min(b));
        let fits = |of: Ridge| {
            let same_bin = near(of.same_bin, ridge.same_bin);
            near(of.couplings, ridge.couplings) && same_bin && near(of.drive, ridge.drive)
        };
        let (of, mut preconditioner) = match self.preconditioner.take() {
            Some((of, kept)) if fits(of) => (of, kept),
            old => {
                let old = old.map(|(_, old)| old);
                let objective = &self.objective;
                let gram = self.gram.get_or_insert_with(|| Gram::new(objective));
                let new = Preconditioner::new(gram, shape, &variance, ridge, old);
                (ridge, new)
            }
        };
        let inner = lbfgs::Limits {
            gradient: limits.gradient_norm * self.bins,
            iterations: limits.iterations,
        };
        let objective = &mut self.objective;
        let mut run = |at: &mut Rows<T>, ridges: &[Ridge], frozen: &[bool]| {
            minimise(objective, &mut preconditioner, at, ridges, frozen, inner)
        };
        let mut ended = run(&mut at, &ridges, &frozen);
        // Every spike told by the sign of the potential: that certifies that there is no optimum.
        let told: Vec<bool> = (0..shape.units)
            .map(|j| !frozen[j] && ended.values.misses[j] == 0 && ridges[j] == Ridge::NONE)
            .collect();
        if told.contains(&true) {
            for (ridge, _) in ridges.iter_mut().zip(&told).filter(|(_, told)| **told) {
                *ridge = Ridge {
                    couplings: HELD,
                    same_bin: HELD,
                    drive: HELD,
                    tails: None,
                };
            }
            let others: Vec<bool> = told.iter().map(|told| !told).collect();
            let again = run(&mut at, &ridges, &others);
            ended.evaluations += again.evaluations;
            for j in (0..shape.units).filter(|&j| told[j]) {
                ended.iterations[j] += again.iterations[j];
                ended.gradient[j] = again.gradient[j];
                ended.values.nats[j] = again.values.nats[j];
            }
        }
        let units = (0..shape.units).map(|j| {
            let at_optimum = ended.gradient[j] <= inner.gradient;
            let status = match () {
                () if self.spikes[j] == 0.0 => Status::Silent,
                () if self.spikes[j] == self.bins => Status::AlwaysSpiking,
                () if !at_optimum => Status::IterationLimit,
                () if told[j] || unbounded[j] > 0 => Status::Separable {
                    coefficients: unbounded[j],
                    held: HELD,
                },
                () => Status::Converged,
            };
            UnitFit {
                status,
                gradient_norm: ended.gradient[j] / self.bins,
                nats: ended.values.nats[j] / self.bins,
                iterations: ended.iterations[j],
            }
        });
        let units = units.collect();
        self.preconditioner = Some((of, preconditioner));
        Ok(self.solution(&at, units, ended.evaluations))
    }

    /// Nats of all scored bins at given coefficients.
    pub(crate) fn nats_at(&mut self, solution: &Solution<T>) -> Result<f64, ConvexError> {
        let shape = self.objective.shape();
        let at = self.start(shape, &vec![false; shape.units], Some(solution))?;
        let mut gradient = Rows::zeros(shape.rows(), shape.width());
        let ridges = vec![Ridge::NONE; shape.units];
        let values = self.objective.evaluate(&at, &ridges, &mut gradient);
        Ok(values.nats.iter().sum())
    }

    /// Coefficients in units of the potential: those of `start`, or constant rates.
    fn start(
        &self,
        shape: Shape,
        frozen: &[bool],
        start: Option<&Solution<T>>,
    ) -> Result<Rows<T>, ConvexError> {
        let mut at = Rows::zeros(shape.rows(), shape.width());
        for (j, &frozen) in frozen.iter().enumerate() {
            if frozen || start.is_none() {
                let p = self.spikes[j].clamp(0.5, (self.bins - 0.5).max(0.5)) / self.bins;
                at.row_mut(shape.intercept())[j] = T::new((p / (1.0 - p)).ln());
            }
        }
        let Some(start) = start else { return Ok(at) };
        let units = shape.units;
        let problem = self.objective.problem();
        same(
            "couplings to start from",
            units * problem.lags * units,
            start.couplings.len(),
        )?;
        let same_bin = if problem.same_bin { units * units } else { 0 };
        same(
            "same-bin couplings to start from",
            same_bin,
            start.same_bin.len(),
        )?;
        same(
            "drive weights to start from",
            shape.drive * units,
            start.drive.len(),
        )?;
        same("biases to start from", units, start.bias.len())?;
        let theta = T::new(self.objective.problem().theta);
        let rows = (shape
            .coupling_rows()
            .zip(start.couplings.chunks_exact(units.max(1))))
        .chain(
            shape
                .same_bin_rows()
                .zip(start.same_bin.chunks_exact(units.max(1))),
        )
        .chain(
            shape
                .drive_rows()
                .zip(start.drive.chunks_exact(units.max(1))),
        );
        for (row, given) in rows {
            for (j, &w) in given.iter().enumerate() {
                if !frozen[j] {
                    at.row_mut(row)[j] = w / theta;
                }
            }
        }
        shape.clear_fixed(&mut at);
        for (j, &b) in start.bias.iter().enumerate() {
            if !frozen[j] {
                at.row_mut(shape.intercept())[j] = b / theta - T::one();
            }
        }
        Ok(at)
    }

    fn solution(&self, at: &Rows<T>, units: Vec<UnitFit>, evaluations: usize) -> Solution<T> {
        let shape = self.objective.shape();
        let theta = T::new(self.objective.problem().theta);
        let rows = |rows: &mut dyn Iterator<Item = usize>| -> Vec<T> {
            rows.flat_map(|row| at.row(row)[..shape.units].iter().map(|&w| theta * w))
                .collect()
        };
        let intercept = &at.row(shape.intercept())[..shape.units];
        Solution {
            couplings: rows(&mut shape.coupling_rows()),
            same_bin: rows(&mut shape.same_bin_rows()),
            drive: rows(&mut shape.drive_rows()),
            bias: intercept.iter().map(|&c| theta * (c + T::one())).collect(),
            units,
            evaluations,
        }
    }
}

fn same(what: &'static str, expected: usize, found: usize) -> Result<(), ConvexError> {
    (expected == found).then_some(()).ok_or(ConvexError::Shape {
        what,
        expected,
        found,
    })
}

fn check<T: Real>(problem: &Problem<'_, T>) -> Result<(), ConvexError> {
    let (spikes, layout, encoder) = (problem.spikes, problem.layout, problem.encoder);
    same("trials of the spikes", layout.trials(), spikes.trials())?;
    if !encoder.is_linear() {
        return Err(ConvexError::NotLinear);
    }
    same("units of the drive", spikes.units(), encoder.units())?;
    let whole = encoder.parameters().is_multiple_of(spikes.units().max(1));
    let units = encoder.units();
    same(
        "drive weights that do not divide by units",
        0,
        if whole { 0 } else { units },
    )?;
    let at_least = |what, expected: usize, found: usize| {
        (expected <= found).then_some(()).ok_or(ConvexError::Shape {
            what,
            expected,
            found,
        })
    };
    at_least("bins of the spikes", layout.max_bins(), spikes.bins())?;
    at_least("bins of the drive", layout.max_bins(), encoder.bins())?;
    let conditions = layout.groups().last().map_or(0, |g| g.condition + 1);
    at_least("conditions of the drive", conditions, encoder.conditions())?;
    at_least("lags", 1, problem.lags)?;
    check_number("theta", problem.theta, true)
}

/// Penalties and limits.
pub(crate) fn check_numbers(ridge: Ridge, limits: Limits) -> Result<(), ConvexError> {
    let numbers = [
        ("ridge of couplings", ridge.couplings, false),
        ("ridge of same-bin couplings", ridge.same_bin, false),
        ("ridge of the drive", ridge.drive, false),
        (
            "tails of the prior of couplings",
            ridge.tails.unwrap_or(1.0),
            true,
        ),
        ("gradient norm", limits.gradient_norm, false),
    ];
    for (what, found, positive) in numbers {
        check_number(what, found, positive)?;
    }
    Ok(())
}

fn check_number(what: &'static str, found: f64, positive: bool) -> Result<(), ConvexError> {
    let expected = match positive {
        true => "a positive number",
        false => "zero or a positive number",
    };
    let right = found.is_finite() && found >= 0.0 && !(positive && found == 0.0);
    right.then_some(()).ok_or(ConvexError::Range {
        what,
        expected,
        found,
    })
}
