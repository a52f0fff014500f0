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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ObjectiveKind, Piece, fixture};

    fn spec() -> Specification {
        fixture::specification(&fixture::recording(), ObjectiveKind::default())
    }

    #[test]
    fn a_trial_reaches_behind_every_lag() {
        let mut spec = spec();
        assert_eq!(least_bins(&spec), 3);
        spec.objective
            .statistics_mut()
            .unwrap()
            .set_noise_lags(Some(5));
        assert_eq!((spec.noise_lags(), least_bins(&spec)), (5, 6));
        spec.trials.least_bins = 7;
        assert_eq!(least_bins(&spec), 7);
    }

    #[test]
    fn short_trials_are_left_out_and_named() {
        let short = [1, 2, 4, 7, 9, 11];
        let recording = fixture::with_short(fixture::parts(12), &short, 3);
        let split = Split::given((0..6).collect(), vec![6, 7], (8..12).collect(), 12).unwrap();
        let left = |least: usize, split: &Split| {
            let mut split = split.clone();
            leave_out_short(&recording, &mut split, least).map(|said| (said, split))
        };
        assert_eq!(left(3, &split).unwrap(), (None, split.clone()));
        let (said, rest) = left(4, &split).unwrap();
        let said = said.unwrap();
        assert!(said.starts_with("6 trials of fewer than 4 bins: 1 (3 bins), 2 (3 bins)"));
        assert!(said.ends_with("9 (3 bins), ..."), "{said}");
        assert_eq!(
            (&rest.train[..], &rest.validation[..]),
            (&[0, 3, 5][..], &[6][..])
        );
        assert_eq!(rest.test, [8, 10]);
        // Five are named each.
        let five = fixture::with_short(fixture::parts(12), &short[..5], 3);
        let said = leave_out_short(&five, &mut split.clone(), 4)
            .unwrap()
            .unwrap();
        assert!(said.ends_with("9 (3 bins)"), "{said}");
        let none = left(100, &split).unwrap_err();
        assert!(matches!(
            none,
            FitError::TooFewBins {
                trial: 0,
                bins: 8,
                least: 100
            }
        ));
    }

    #[test]
    fn pieces_are_those_of_the_specification() {
        let whole = fixture::recording();
        let cut = whole.clone().cut(whole.pieces_of(4)).unwrap();
        let mut spec = spec();
        assert!(check_pieces(&whole, &spec).is_ok());
        let refused = |spec: &Specification, recording: &Recording| {
            check_pieces(recording, spec).unwrap_err().to_string()
        };
        assert!(refused(&spec, &cut).contains("none, of a recording of 4 bins"));
        let piece = |seconds, ongoing| Some(Piece { seconds, ongoing });
        spec.trials.piece = piece(0.04, false);
        assert!(check_pieces(&cut, &spec).is_ok());
        assert!(refused(&spec, &whole).contains("4 bins, of a recording of none"));
        spec.trials.piece = piece(0.04, true);
        assert!(refused(&spec, &cut).contains("4 bins of ongoing activity, of a recording of 4"));
    }

    #[test]
    fn stretches_leave_training_trials_of_every_condition_that_a_drive_must_know() {
        let recording = fixture::recording();
        let mut spec = spec();
        spec.drive = Drive::Condition {
            spacing: 0.04,
            detail: Some(0.5),
        };
        // Odd trials are of condition 1.
        let all_odd = Split::given(vec![0, 2, 4], vec![6], vec![1, 3], 10).unwrap();
        let some_odd = Split::given(vec![0, 2, 5], vec![6, 7], vec![1, 3], 10).unwrap();
        let judged = Split::given(vec![0, 2, 4], vec![7], vec![6, 8], 10).unwrap();
        assert!(check_conditions(&recording, &spec, &all_odd).is_ok());
        spec.held_out.what = HoldOut::Segments(2);
        assert!(check_conditions(&recording, &spec, &some_odd).is_ok());
        for split in [&all_odd, &judged] {
            let error = check_conditions(&recording, &spec, split).unwrap_err();
            let error = error.to_string();
            assert!(
                error.contains("segments=2, and no training trial of condition 1"),
                "{error}"
            );
        }
        spec.drive = Drive::None;
        assert!(check_conditions(&recording, &spec, &all_odd).is_ok());
    }

    #[test]
    fn conditions_are_as_long_as_their_longest_trial() {
        let recording = fixture::recording();
        assert_eq!(bins_per_condition(&recording, 3), [8, 9]);
        assert_eq!(bins_per_condition(&recording, 9), [9, 9]);
    }
}
