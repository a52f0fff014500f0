//! Which trials a fit can use.

use crate::{FitError, Specification};
use refire_recording::{Recording, Split};

/// Most trials that are named.
const NAMED: usize = 5;

/// Fewest bins of a trial that counts.
pub(crate) fn least_bins(spec: &Specification) -> usize {
    let lags = spec.network.lags.max(spec.noise_lags());
    spec.trials.least_bins.max(lags + 1)
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

/// The recording in the pieces that a specification says.
///
/// # Errors
/// [`FitError::Setting`] where it is in other ones.
pub(crate) fn check_pieces(recording: &Recording, spec: &Specification) -> Result<(), FitError> {
    let expected = spec.trials.piece_bins(recording.bin_width());
    let found = recording.pieces().map(|pieces| pieces.bins);
    if expected == found {
        return Ok(());
    }
    let allowed = "the length that the recording is cut to (Recording::cut)";
    let text = |bins: Option<usize>| bins.map_or("none".to_string(), |n| format!("{n} bins"));
    let found = format!("{}, of a recording of {}", text(expected), text(found));
    Err(FitError::setting("trial-length", allowed, found))
}

/// Bins of the longest trial of each condition; `least` where all are shorter, so that the condition can be run.
pub(crate) fn bins_per_condition(recording: &Recording, least: usize) -> Vec<usize> {
    let mut longest = vec![least; recording.n_conditions()];
    for (&condition, &bins) in recording.conditions().iter().zip(recording.bins()) {
        longest[condition] = longest[condition].max(bins);
    }
    longest
}
