//! What is settled before a fit: the weight of the noise covariance, and what the convex likelihood tells: priors of the couplings and the detail of the drive, by how well they
//! predict validation trials, and where the fit may start.

use crate::convex::problem;
use crate::setup::DriveOf;
use crate::{BatchSize, Couplings, Drive, FitError, Noise, Optimiser, Priors, Specification};
use refire_convex::{DriveRidge, Limits, RidgeFit, Solution, choose_coupling_ridge, try_ridge};
use refire_core::Recorded;
use refire_metrics::noise_correlation;
use refire_recording::{Recording, Split};

/// Details of a condition drive that are tried, none first.
const DETAILS: [f64; 3] = [0.0, 0.35, 0.7];

/// Most couplings onto a unit with which candidates are tried: those whose Hessians the solver factors. Beyond (200 units
/// with ten lags) a path of them takes longer than the fit.
const MOST_COUPLINGS: usize = 2048;

/// Whether the convex solver knows the network, and settles things in good time.
fn is_convex(spec: &Specification, observed: usize) -> bool {
    spec.network.couplings == Couplings::Dense
        && !matches!(spec.drive, Drive::Movie(_))
        && spec.checkpoint_bins.is_none()
        && observed.saturating_mul(spec.network.lags) <= MOST_COUPLINGS
        && spec.objective.likelihood().is_some()
        && spec.held_out.validation > 0.0
}

/// Whether a specification leaves something to validation trials that the convex solver can tell.
fn leaves_priors(spec: &Specification) -> bool {
    let Priors {
        coupling,
        same_bin,
        drive,
        ..
    } = spec.priors;
    let drive = drive.is_none() && spec.drive != Drive::None;
    let priors = coupling.is_none() || same_bin.is_none() || drive;
    let detail = matches!(spec.drive, Drive::Condition { detail: None, .. });
    (priors && spec.optimiser.steps().is_some()) || detail
}

/// Whether iterations are to start from an optimum: of an objective that has more than the likelihood, in the form whose
/// default that is.
fn seeks_start(spec: &Specification) -> bool {
    spec.optimiser.seeks_optimum() && spec.objective.corrected().is_some()
}

/// Whether the convex solver is to be called before a fit.
pub(crate) fn is_asked(spec: &Specification, observed: usize) -> bool {
    is_convex(spec, observed) && (leaves_priors(spec) || seeks_start(spec))
}

/// Whether the curvature of the observed units' likelihood is that of all parameters, and steps may go anywhere.
fn has_curvature(spec: &Specification) -> bool {
    spec.network.hidden == 0 && spec.network.signs.observed_inhibitory.is_none()
}

/// Recorded (trial, bin) pairs that an iteration sees at least: those asked for, or of natural steps, where these can be had.
pub(crate) fn recorded_bins(spec: &Specification, observed: usize) -> usize {
    let natural = matches!(spec.optimiser, Optimiser::Natural(_))
        && is_convex(spec, observed)
        && seeks_start(spec)
        && has_curvature(spec);
    let own = if natural { BatchSize::RECORDED_BINS } else { 0 };
    spec.batch.recorded_bins.unwrap_or(own)
}

/// Fills in what a specification leaves to validation trials, and what then makes its iterations and where they start:
/// drawn couplings, where the solver does not know the network, or near the optimum of the likelihood of its observed
/// units, which is returned where it was found already. Where validation trials cannot tell, the values for that stand ([`crate::Priors`], no detail).
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
) -> Result<Option<Solution<f32>>, FitError> {
    settle_noise_weight(recording, spec, split)?;
    let convex = is_asked(spec, recording.n_units()) && !split.validation.is_empty();
    if !convex || !seeks_start(spec) {
        spec.optimiser.draw_start();
    } else if !has_curvature(spec) {
        spec.optimiser.without_curvature();
    }
    spec.optimiser.settle_rate();
    spec.batch.recorded_bins = Some(recorded_bins(spec, recording.n_units()));
    if !convex || !leaves_priors(spec) {
        return Ok(None);
    }
    let (first_bin, units) = (spec.first_bin(), recording.n_units());
    let training = recording.select(&split.train, first_bin)?;
    let validation = recording.select(&split.validation, first_bin)?;
    let tails = spec.priors.tails;
    let drive_ridge = DriveRidge {
        at: spec.priors.ridge().drive,
        or_weaker: spec.priors.drive.is_none() && spec.drive != Drive::None,
    };
    let mut best: Option<(RidgeFit<f32>, Drive)> = None;
    for drive in candidates(spec.drive) {
        let built = DriveOf::new(drive, recording, bins_per_condition)?;
        let features = built.features.as_ref();
        let encoder = (built.spec).build(bins_per_condition, first_bin, units, features)?;
        let [train, judge] = [&training, &validation]
            .map(|(spikes, layout)| problem(spec, encoder.as_ref(), Recorded { spikes, layout }));
        let limits = Limits::default();
        let found = match &best {
            None => choose_coupling_ridge(train, judge, limits, drive_ridge, tails)?,
            Some((best, _)) => try_ridge(train, judge, limits, best.point.ridge)?,
        };
        if (best.as_ref()).is_some_and(|(best, _)| found.point.nats >= best.point.nats) {
            break;
        }
        best = Some((found, drive));
    }
    let Some((RidgeFit { point, solution }, drive)) = best else {
        return Ok(None);
    };
    let sd = |precision: f64| 1.0 / precision.sqrt();
    let priors = &mut spec.priors;
    priors.coupling.get_or_insert(sd(point.ridge.couplings));
    priors.same_bin.get_or_insert(sd(point.ridge.same_bin));
    priors.drive.get_or_insert(sd(point.ridge.drive));
    spec.drive = drive;
    Ok(Some(solution))
}

/// Fills in the weight of the noise covariance: [`Noise::RELATIVE`] over the root mean square of the noise correlations of
/// pairs of units at lag 0, of training trials, times the share of their mean square that chance does not explain;
/// [`Noise::WEIGHT`] at least.
fn settle_noise_weight(
    recording: &Recording,
    spec: &mut Specification,
    split: &Split,
) -> Result<(), FitError> {
    let first_bin = spec.first_bin();
    let Some(corrected) = spec.objective.corrected_mut() else {
        return Ok(());
    };
    if corrected.noise.weight.is_none() {
        let (spikes, layout) = recording.select(&split.train, first_bin)?;
        let found = noise_correlation(&spikes, &layout);
        let valid: Vec<usize> = (0..found.valid.len()).filter(|&i| found.valid[i]).collect();
        let pairs = valid.iter().enumerate().flat_map(|(at, &i)| {
            let before = valid[..at].iter();
            before.map(move |&j| (i, j))
        });
        let (sum, count) = pairs.fold((0.0, 0.0), |(sum, count), pair| {
            (sum + found.matrix[pair].powi(2), count + 1.0)
        });
        // Independent units have correlations too, of a variance of about one over the number of trials and bins.
        let square: f64 = sum / count;
        let share = 1.0 - 1.0 / (square * found.trial_bins as f64);
        let relative = Noise::RELATIVE / square.sqrt() * share;
        corrected.noise.weight = Some(relative.max(Noise::WEIGHT));
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
