//! Which trials a fit can use.

use crate::{Drive, FitError, HoldOut, Specification};
use refire_recording::{Pieces, Recording, Split};

/// Most trials that are named.
const NAMED: usize = 5;

/// Fewest bins of a trial that counts.
pub(crate) fn least_bins(spec: &Specification) -> usize {
    let lags = spec.network.lags.max(spec.noise_lags());
    spec.trials.least_bins.max(lags.saturating_add(1))
}

/// Takes trials out of a split that have fewer than `least` bins; says which, where there are any.
///
/// # Errors
/// [`FitError::TooFewBins`] where none is left to be fitted to.
pub(crate) fn leave_out_short(
    recording: &Recording,
    split: &mut Split,
    least: usize,
) -> Result<Option<String>, FitError> {
    let bins = recording.bins();
    let short: Vec<usize> = (0..bins.len()).filter(|&k| bins[k] < least).collect();
    let Some(&trial) = short.first() else {
        return Ok(None);
    };
    for trials in [&mut split.train, &mut split.validation, &mut split.test] {
        trials.retain(|trial| short.binary_search(trial).is_err());
    }
    if split.train.is_empty() {
        let bins = bins[trial];
        return Err(FitError::TooFewBins { trial, bins, least });
    }
    let named = |&trial: &usize| format!("{trial} ({} bins)", bins[trial]);
    let shown: Vec<String> = short.iter().take(NAMED).map(named).collect();
    let more = if short.len() > NAMED { ", ..." } else { "" };
    Ok(Some(format!(
        "{} trials of fewer than {least} bins: {}{more}",
        short.len(),
        shown.join(", ")
    )))
}

/// Whether the recording is in the pieces that a specification says.
///
/// # Errors
/// [`FitError::Setting`] where it is in other ones.
pub(crate) fn check_pieces(recording: &Recording, spec: &Specification) -> Result<(), FitError> {
    let width = recording.bin_width();
    let expected = spec.trials.piece.map(|piece| piece.pieces(width));
    let found = recording.pieces();
    if expected == found {
        return Ok(());
    }
    let allowed = "the pieces that the recording is cut into (Recording::cut)";
    let text = |pieces: Option<Pieces>| match pieces {
        None => "none".to_string(),
        Some(Pieces {
            bins,
            ongoing: true,
        }) => format!("{bins} bins of ongoing activity"),
        Some(Pieces { bins, .. }) => format!("{bins} bins"),
    };
    let found = format!("{}, of a recording of {}", text(expected), text(found));
    Err(FitError::setting("trial-length", allowed, found))
}

/// Whether every condition that is held out has training trials, where the drive knows no other.
///
/// # Errors
/// [`FitError::Setting`] for stretches of trials that are all there is of a condition.
pub(crate) fn check_conditions(
    recording: &Recording,
    spec: &Specification,
    split: &Split,
) -> Result<(), FitError> {
    let knows_all = !matches!(spec.drive, Drive::Condition { .. });
    if knows_all || !matches!(spec.held_out.what, HoldOut::Segments(_)) {
        return Ok(());
    }
    let conditions = recording.conditions();
    let mut trained = vec![false; recording.n_conditions()];
    split
        .train
        .iter()
        .for_each(|&k| trained[conditions[k]] = true);
    let mut held_out = split.test.iter().chain(&split.validation);
    match held_out.find(|&&k| !trained[conditions[k]]) {
        None => Ok(()),
        Some(&k) => {
            let label = &recording.condition_labels()[conditions[k]];
            let allowed = "trials with the condition drive where stretches hold out all trials of a condition";
            let found = format!(
                "{}, and no training trial of condition {label}",
                spec.held_out.what
            );
            Err(FitError::setting("hold-out", allowed, found))
        }
    }
}

/// Bins of the longest trial of each condition; `least` where all are shorter, so that the condition can be run.
pub(crate) fn bins_per_condition(recording: &Recording, least: usize) -> Vec<usize> {
    let mut longest = vec![least; recording.n_conditions()];
    for (&condition, &bins) in recording.conditions().iter().zip(recording.bins()) {
        longest[condition] = longest[condition].max(bins);
    }
    longest
}
