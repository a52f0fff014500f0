//! Which trials a fit can use.

use crate::FitError;
use refire_recording::{Recording, Split};

/// Most trials that are named.
const NAMED: usize = 5;

/// Takes trials out of a split that have no bin behind the first `lags`; says which, where there are any.
///
/// # Errors
/// [`FitError::TooFewBins`] where none is left to be fitted to.
pub(crate) fn leave_out_short(
    recording: &Recording,
    split: &mut Split,
    lags: usize,
) -> Result<Option<String>, FitError> {
    let bins = recording.bins();
    let short: Vec<usize> = (0..bins.len()).filter(|&k| bins[k] <= lags).collect();
    let Some(&trial) = short.first() else {
        return Ok(None);
    };
    for trials in [&mut split.train, &mut split.validation, &mut split.test] {
        trials.retain(|trial| !short.contains(trial));
    }
    if split.train.is_empty() {
        let bins = bins[trial];
        return Err(FitError::TooFewBins { trial, bins, lags });
    }
    let named = |&trial: &usize| format!("{trial} ({} bins)", bins[trial]);
    let shown: Vec<String> = short.iter().take(NAMED).map(named).collect();
    let more = if short.len() > NAMED { ", ..." } else { "" };
    Ok(Some(format!(
        "{} trials that have no bin behind the first {lags}: {}{more}",
        short.len(),
        shown.join(", ")
    )))
}

/// Bins of the longest trial of each condition; `least` where all are shorter, so that the condition can be run.
pub(crate) fn bins_per_condition(recording: &Recording, least: usize) -> Vec<usize> {
    let mut longest = vec![least; recording.n_conditions()];
    for (&condition, &bins) in recording.conditions().iter().zip(recording.bins()) {
        longest[condition] = longest[condition].max(bins);
    }
    longest
}
