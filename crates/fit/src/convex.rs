//! The convex start of a fit: maximum likelihood of a fully observed network, solved to its optimum.

use crate::{FitError, Optimiser, Ridge, Specification};
use refire_convex::{
    self as convex, Limits, Problem, RidgePoint, Solution, Status, choose_ridge, solve,
};
use refire_core::Recorded;
use refire_drive::Encoder;
use refire_engine::Parameters;
use serde::{Deserialize, Serialize};

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
    /// Ridge of the couplings: precision of their prior in units of the potential.
    pub couplings: f64,
    /// Ridge of the same-bin couplings, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_bin: Option<f64>,
    /// Ridge of the drive weights: precision of their prior in units of the potential.
    pub drive: f64,
    /// Negative log-likelihood per (trial, bin, unit) of the validation trials, nats.
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
    /// Ridge of the couplings: precision of their prior in units of the potential.
    pub ridge_couplings: f64,
    /// Ridge of the same-bin couplings, where there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ridge_same_bin: Option<f64>,
    /// Ridge of the drive weights: precision of their prior in units of the potential.
    pub ridge_drive: f64,
    /// Where both come from.
    pub ridge_source: RidgeSource,
    /// Candidates tried on validation trials.
    pub path: Vec<RidgeStep>,
    /// How the fit of each unit ended, `[unit]`.
    pub units: Vec<UnitEnd>,
    /// Largest gradient norm per scored bin of the units that have coefficients to fit.
    pub gradient_norm: f64,
    /// Passes over the training spikes of the final fit.
    pub evaluations: usize,
    /// Negative log-likelihood per (trial, bin, unit) of the training trials, nats.
    pub nats: f64,
}

impl ConvexReport {
    /// Number of units whose fit ended with this `status`.
    pub fn count(&self, status: &str) -> usize {
        self.units.iter().filter(|u| u.status == status).count()
    }

    /// The ridge and where it comes from, for people.
    pub fn ridge(&self) -> String {
        let source = match self.ridge_source {
            RidgeSource::Validation => "by validation",
            RidgeSource::Given => "as given",
            RidgeSource::Priors => "from the priors",
        };
        let same_bin = match self.ridge_same_bin {
            Some(ridge) => format!(", {ridge} (same-bin couplings)"),
            None => String::new(),
        };
        format!(
            "ridge {} (couplings){same_bin} and {} (drive) {source}",
            self.ridge_couplings, self.ridge_drive
        )
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
        parts.push(self.ridge());
        parts.join("; ")
    }
}

/// Solves the likelihood of the training trials, with the ridge of the settings or the one that predicts
/// the validation trials best.
pub(crate) fn maximum_likelihood(
    spec: &Specification,
    encoder: &dyn Encoder<f32>,
    training: Recorded<'_>,
    validation: Option<Recorded<'_>>,
) -> Result<(Parameters<f32>, ConvexReport), FitError> {
    let problem = |trials| problem(spec, encoder, trials);
    let limits = Limits::default();
    let given = match spec.optimiser {
        Optimiser::Lbfgs {
            ridge: Ridge::Given(ridge),
            ..
        } => Some(ridge),
        _ => None,
    };
    let (ridge, source) = match (given, validation) {
        (None, Some(validation)) => {
            let tails = spec.priors.tails;
            let choice = choose_ridge(problem(training), problem(validation), limits, tails)?;
            let report = report(
                &choice.solution,
                choice.ridge,
                RidgeSource::Validation,
                &choice.path,
            );
            return Ok((parameters(choice.solution), report));
        }
        (Some(given), _) => {
            let ridge = convex::Ridge {
                couplings: given,
                same_bin: given,
                drive: given,
                tails: None,
            };
            (ridge, RidgeSource::Given)
        }
        (None, None) => (spec.priors.ridge(), RidgeSource::Priors),
    };
    let solution = solve(problem(training), ridge, limits, None)?;
    let report = report(&solution, ridge, source, &[]);
    Ok((parameters(solution), report))
}

pub(crate) fn parameters(solution: Solution<f32>) -> Parameters<f32> {
    Parameters {
        couplings: solution.couplings,
        bias: solution.bias,
        drive: solution.drive,
        same_bin: solution.same_bin,
    }
}

pub(crate) fn problem<'a>(
    spec: &Specification,
    encoder: &'a dyn Encoder<f32>,
    recorded: Recorded<'a>,
) -> Problem<'a, f32> {
    Problem {
        spikes: recorded.spikes,
        layout: recorded.layout,
        encoder,
        lags: spec.network.lags,
        same_bin: spec.network.same_bin,
        theta: spec.network.dynamics.theta(),
    }
}

fn report(
    solution: &Solution<f32>,
    ridge: convex::Ridge,
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
    let same_bin = |ridge: convex::Ridge| (!solution.same_bin.is_empty()).then_some(ridge.same_bin);
    let step = |point: &RidgePoint| RidgeStep {
        couplings: point.ridge.couplings,
        same_bin: same_bin(point.ridge),
        drive: point.ridge.drive,
        nats: point.nats,
    };
    ConvexReport {
        ridge_couplings: ridge.couplings,
        ridge_same_bin: same_bin(ridge),
        ridge_drive: ridge.drive,
        ridge_source,
        path: path.iter().map(step).collect(),
        units,
        gradient_norm,
        evaluations: solution.evaluations,
        nats: solution.nats(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_says_how_units_ended_and_where_the_ridge_is_from() {
        let unit = |status: &str| UnitEnd {
            status: status.to_string(),
            gradient_norm: 1e-9,
            unbounded: 0,
            held: 0.0,
        };
        let mut report = ConvexReport {
            ridge_couplings: 0.5,
            ridge_same_bin: None,
            ridge_drive: 2.0,
            ridge_source: RidgeSource::Given,
            path: Vec::new(),
            units: ["converged", "silent", "converged", "separable"]
                .map(unit)
                .to_vec(),
            gradient_norm: 1e-9,
            evaluations: 7,
            nats: 0.2,
        };
        assert_eq!((report.count("converged"), report.count("silent")), (2, 1));
        assert_eq!(
            report.sentence(),
            "maximum likelihood: 2 of 4 units converged, gradient norm 1.0e-9; 1 without an optimum, held by a ridge; \
             1 silent; ridge 0.5 (couplings) and 2 (drive) as given"
        );
        report.ridge_source = RidgeSource::Validation;
        assert!(report.ridge().ends_with("by validation"));
        report.ridge_source = RidgeSource::Priors;
        assert!(report.ridge().ends_with("from the priors"));
    }
}
