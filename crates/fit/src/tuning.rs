//! What the likelihood of validation trials chooses before a fit: priors of the couplings and the detail of the drive.

use crate::convex::problem;
use crate::setup::DriveOf;
use crate::{Couplings, Drive, FitError, Specification};
use refire_convex::{Limits, RidgePoint, choose_coupling_ridge, try_ridge};
use refire_core::Recorded;
use refire_recording::{Recording, Split};

/// Details of a condition drive that are tried, none first.
const DETAILS: [f64; 3] = [0.0, 0.35, 0.7];

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
    let detail = matches!(spec.drive, Drive::Condition { detail: None, .. });
    let judged = spec.objective.likelihood().is_some() && spec.held_out.validation > 0.0;
    convex && judged && (priors || detail)
}

/// Fills in what a specification leaves to validation trials. Where it leaves nothing or they cannot tell, the values for
/// that stand ([`crate::Priors`], no detail).
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
) -> Result<(), FitError> {
    if !is_asked(spec, recording.n_units()) || split.validation.is_empty() {
        return Ok(());
    }
    let (first_bin, units) = (spec.first_bin(), recording.n_units());
    let training = recording.select(&split.train, first_bin)?;
    let validation = recording.select(&split.validation, first_bin)?;
    let recorded = |trials| {
        let (spikes, layout): &(_, _) = trials;
        Recorded { spikes, layout }
    };
    let limits = Limits::default();
    let drive_ridge = 1.0 / (spec.priors.drive * spec.priors.drive);
    let mut best: Option<(RidgePoint, Drive)> = None;
    for drive in candidates(spec.drive) {
        let built = DriveOf::new(drive, recording, bins_per_condition)?;
        let features = built.features.as_ref();
        let encoder = (built.spec).build(bins_per_condition, first_bin, units, features)?;
        let (train, judge) = (
            problem(spec, encoder.as_ref(), recorded(&training)),
            problem(spec, encoder.as_ref(), recorded(&validation)),
        );
        let point = match &best {
            None => choose_coupling_ridge(train, judge, limits, drive_ridge)?,
            Some((best, _)) => try_ridge(train, judge, limits, best.ridge)?,
        };
        if (best.as_ref()).is_some_and(|(best, _)| point.nats >= best.nats) {
            break;
        }
        best = Some((point, drive));
    }
    if let Some((RidgePoint { ridge, .. }, drive)) = best {
        let sd = |precision: f64| 1.0 / precision.sqrt();
        spec.priors.coupling.get_or_insert(sd(ridge.couplings));
        spec.priors.same_bin.get_or_insert(sd(ridge.same_bin));
        spec.drive = drive;
    }
    Ok(())
}

/// The drives that are tried in turn, until one predicts no better than that before it.
fn candidates(drive: Drive) -> Vec<Drive> {
    match drive {
        Drive::Condition {
            spacing,
            detail: None,
        } => DETAILS
            .map(|detail| Drive::Condition {
                spacing,
                detail: Some(detail),
            })
            .to_vec(),
        given => vec![given],
    }
}
