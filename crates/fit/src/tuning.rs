//! What the likelihood of validation trials chooses before a fit: priors of the couplings and the detail of the drive.

use crate::convex::problem;
use crate::setup::DriveOf;
use crate::{Couplings, Drive, FitError, Specification};
use refire_convex::{Limits, Ridge, choose_coupling_ridge, try_ridge};
use refire_core::Recorded;
use refire_recording::{Recording, Split};
use serde::{Deserialize, Serialize};

/// Details of a condition drive that are tried, none first.
const DETAILS: [f64; 3] = [0.0, 0.35, 0.7];

/// What was chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tuning {
    /// Standard deviation of the prior of a coupling, in units of the potential.
    pub coupling_prior: f64,
    /// The same of a same-bin coupling.
    pub same_bin_prior: f64,
    /// Detail of a condition drive.
    pub drive_detail: Option<f64>,
    /// Negative log-likelihood per (trial, bin, unit) that validation trials had with these, nats.
    pub nats: f64,
}

/// Most couplings onto a unit with which candidates are tried: those whose Hessians the solver factors. Beyond (200 units
/// with ten lags) a path of them takes longer than the fit.
const MOST_COUPLINGS: usize = 2048;

/// Whether a specification leaves something to validation trials that the convex solver can tell in good time.
pub(crate) fn is_asked(spec: &Specification, observed: usize) -> bool {
    // What the convex solver cannot know.
    let convex = spec.network.couplings == Couplings::Dense
        && !matches!(spec.drive, Drive::Movie(_))
        && spec.checkpoint_bins.is_none()
        && observed.saturating_mul(spec.network.lags) <= MOST_COUPLINGS;
    let priors = spec.priors.coupling.is_none() || spec.priors.same_bin.is_none();
    let priors = priors && spec.optimiser.adam().is_some();
    let judged = spec.objective.likelihood().is_some() && spec.held_out.validation > 0.0;
    convex && judged && (priors || chooses_detail(spec))
}

fn chooses_detail(spec: &Specification) -> bool {
    matches!(spec.drive, Drive::Condition { detail: None, .. })
}

/// Fills in what a specification leaves to validation trials; `None` where it leaves nothing or they cannot tell, and
/// then the values for that stand ([`crate::Priors`], no detail).
///
/// The convex likelihood of the observed units is solved with one candidate after the other. Hidden units take the
/// priors that serve the observed ones.
///
/// # Errors
/// [`FitError`] where recording and specification do not go together.
pub(crate) fn tune(
    recording: &Recording,
    spec: &mut Specification,
    split: &Split,
    bins_per_condition: &[usize],
) -> Result<Option<Tuning>, FitError> {
    if !is_asked(spec, recording.n_units()) || split.validation.is_empty() {
        return Ok(None);
    }
    let chooses_detail = chooses_detail(spec);
    let first_bin = spec.first_bin();
    let (training, validation) = (
        recording.select(&split.train, first_bin)?,
        recording.select(&split.validation, first_bin)?,
    );
    let limits = Limits::default();
    let precision = |sd: f64| 1.0 / (sd * sd);
    let drive_ridge = precision(spec.priors.drive);
    let mut best: Option<(Ridge, f64, Option<f64>)> = None;
    let details: &[f64] = if chooses_detail { &DETAILS } else { &[0.0] };
    for &of in details {
        let mut drive = spec.drive;
        if let (Drive::Condition { detail, .. }, true) = (&mut drive, chooses_detail) {
            *detail = Some(of);
        }
        let built = DriveOf::new(drive, recording, bins_per_condition)?;
        let features = built.features.as_ref();
        let encoder =
            (built.spec).build(bins_per_condition, first_bin, recording.n_units(), features)?;
        let recorded = |trials| {
            let (spikes, layout): &(_, _) = trials;
            Recorded { spikes, layout }
        };
        let (train, judge) = (
            problem(spec, encoder.as_ref(), recorded(&training)),
            problem(spec, encoder.as_ref(), recorded(&validation)),
        );
        let point = match &best {
            None => choose_coupling_ridge(train, judge, limits, drive_ridge)?,
            Some((ridge, ..)) => try_ridge(train, judge, limits, *ridge)?,
        };
        if best
            .as_ref()
            .is_some_and(|(_, nats, _)| point.nats >= *nats)
        {
            break;
        }
        best = Some((point.ridge, point.nats, chooses_detail.then_some(of)));
    }
    let Some((ridge, nats, chosen)) = best else {
        return Ok(None);
    };
    let sd = |precision: f64| 1.0 / precision.sqrt();
    spec.priors.coupling.get_or_insert(sd(ridge.couplings));
    spec.priors.same_bin.get_or_insert(sd(ridge.same_bin));
    if let (Drive::Condition { detail, .. }, true) = (&mut spec.drive, chooses_detail) {
        *detail = chosen;
    }
    Ok(Some(Tuning {
        coupling_prior: spec.priors.coupling(),
        same_bin_prior: spec.priors.same_bin(),
        drive_detail: chosen,
        nats,
    }))
}
