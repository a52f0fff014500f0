//! The convex start of a fit: maximum likelihood of a fully observed network, solved to its optimum.

use crate::{DriveKind, FitError, Form, Objective, Parameters, Settings};
use refire_convex::{Limits, Problem, Ridge, RidgePoint, Solution, Status, choose_ridge, solve};
use refire_core::{TrialArray, TrialLayout};
use refire_drive::Encoder;
use serde::{Deserialize, Serialize};

/// How parameters are moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimizer {
    /// Adam from small couplings, on batches.
    #[default]
    Adam,
    /// L-BFGS on all training trials to the optimum of the likelihood; an objective with statistics goes on
    /// from there with Adam.
    Lbfgs,
}

impl Optimizer {
    /// What a fit uses that names none: the likelihood alone is convex without hidden units and with a drive that is
    /// linear in its weights. The published form is fitted as published.
    pub fn default_for(objective: Objective, form: Form, hidden: usize, drive: DriveKind) -> Self {
        let convex = hidden == 0 && drive != DriveKind::Movie;
        if objective == Objective::Mle && form == Form::Corrected && convex {
            Self::Lbfgs
        } else {
            Self::Adam
        }
    }
}

/// How the ridge of a convex fit came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RidgeSource {
    /// Best likelihood of the validation trials along a path.
    Validation,
    /// As given; 0 is none.
    Given,
    /// The priors of the settings, since there were no validation trials.
    Priors,
}

/// One candidate ridge and the nats per (trial, bin, unit) it left on validation trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RidgeStep {
    /// Of the couplings.
    pub couplings: f64,
    /// Of the drive weights.
    pub drive: f64,
    /// Negative log-likelihood, nats.
    pub nats: f64,
}

/// How the maximum-likelihood fit of one unit ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UnitEnd {
    /// `converged`, `iteration-limit`, `silent`, `always-spiking` or `separable`.
    pub status: String,
    /// Euclidean norm of its gradient per scored bin.
    pub gradient_norm: f64,
    /// Coefficients that grow without end unless held, where it is separable.
    pub unbounded: usize,
    /// The ridge that held it, where it is separable.
    pub held: f64,
}

/// What the convex fit did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ConvexReport {
    /// Ridge of the couplings: precision of a Gaussian prior in units of the potential.
    pub ridge_couplings: f64,
    /// Ridge of the drive weights.
    pub ridge_drive: f64,
    /// Where both come from.
    pub ridge_source: RidgeSource,
    /// Candidates tried on validation trials.
    pub path: Vec<RidgeStep>,
    /// One per unit.
    pub units: Vec<UnitEnd>,
    /// Largest gradient norm per scored bin of the units that have coefficients to fit.
    pub gradient_norm: f64,
    /// Passes over the training spikes of the final fit.
    pub evaluations: usize,
    /// Negative log-likelihood per (trial, bin, unit) of the training trials, nats.
    pub nats: f64,
}

impl ConvexReport {
    /// Units that ended so.
    pub fn count(&self, status: &str) -> usize {
        self.units.iter().filter(|u| u.status == status).count()
    }

    /// One line for people.
    pub fn sentence(&self) -> String {
        let mut parts = vec![format!(
            "maximum likelihood: {} of {} units converged, gradient norm {:.1e}",
            self.count("converged"),
            self.units.len(),
            self.gradient_norm
        )];
        for (status, what) in [
            ("separable", "without an optimum, held by a ridge"),
            ("silent", "silent"),
            ("always-spiking", "spiking in every bin"),
            ("iteration-limit", "short of the optimum"),
        ] {
            let count = self.count(status);
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        }
        let source = match self.ridge_source {
            RidgeSource::Validation => "by validation",
            RidgeSource::Given => "as given",
            RidgeSource::Priors => "from the priors",
        };
        parts.push(format!(
            "ridge {} (couplings) and {} (drive) {source}",
            self.ridge_couplings, self.ridge_drive
        ));
        parts.join("; ")
    }
}

/// Recorded trials `[trial][bin][unit]` with their layout.
pub(crate) type Trials = (TrialArray<u8>, TrialLayout);

/// Solves the likelihood of the training trials, with the ridge of the settings or the one that predicts
/// the validation trials best.
pub(crate) fn maximum_likelihood(
    settings: &Settings,
    encoder: &dyn Encoder<f32>,
    training: &Trials,
    validation: Option<&Trials>,
) -> Result<(Parameters<f32>, ConvexReport), FitError> {
    let problem = |trials| problem(settings, encoder, trials);
    let limits = Limits::default();
    let precision = |sd: f64| 1.0 / (sd * sd);
    let (ridge, source) = match (settings.ridge, validation) {
        (None, Some(validation)) => {
            let choice = choose_ridge(problem(training), problem(validation), limits)?;
            let report = report(
                &choice.solution,
                choice.ridge,
                RidgeSource::Validation,
                &choice.path,
            );
            return Ok((parameters(choice.solution), report));
        }
        (Some(given), _) => {
            let ridge = Ridge {
                couplings: given,
                drive: given,
            };
            (ridge, RidgeSource::Given)
        }
        (None, None) => {
            let ridge = Ridge {
                couplings: precision(settings.coupling_prior),
                drive: precision(settings.drive_prior),
            };
            (ridge, RidgeSource::Priors)
        }
    };
    let solution = solve(problem(training), ridge, limits, None)?;
    let report = report(&solution, ridge, source, &[]);
    Ok((parameters(solution), report))
}

fn parameters(solution: Solution<f32>) -> Parameters<f32> {
    Parameters {
        couplings: solution.couplings,
        bias: solution.bias,
        drive: solution.drive,
    }
}

fn problem<'a>(
    settings: &Settings,
    encoder: &'a dyn Encoder<f32>,
    (spikes, layout): &'a Trials,
) -> Problem<'a, f32> {
    Problem {
        spikes,
        layout,
        encoder,
        lags: settings.lags,
        theta: settings.theta,
    }
}

fn report(
    solution: &Solution<f32>,
    ridge: Ridge,
    ridge_source: RidgeSource,
    path: &[RidgePoint],
) -> ConvexReport {
    let mut gradient_norm = 0.0f64;
    let units = solution.units.iter().map(|unit| {
        let (status, unbounded, held) = match unit.status {
            Status::Converged => ("converged", 0, 0.0),
            Status::IterationLimit => ("iteration-limit", 0, 0.0),
            Status::Silent => ("silent", 0, 0.0),
            Status::AlwaysSpiking => ("always-spiking", 0, 0.0),
            Status::Separable { coefficients, held } => ("separable", coefficients, held),
        };
        if !matches!(unit.status, Status::Silent | Status::AlwaysSpiking) {
            gradient_norm = gradient_norm.max(unit.gradient_norm);
        }
        UnitEnd {
            status: status.to_string(),
            gradient_norm: unit.gradient_norm,
            unbounded,
            held,
        }
    });
    let units = units.collect();
    let step = |point: &RidgePoint| RidgeStep {
        couplings: point.ridge.couplings,
        drive: point.ridge.drive,
        nats: point.nats,
    };
    ConvexReport {
        ridge_couplings: ridge.couplings,
        ridge_drive: ridge.drive,
        ridge_source,
        path: path.iter().map(step).collect(),
        units,
        gradient_norm,
        evaluations: solution.evaluations,
        nats: solution.nats(),
    }
}
