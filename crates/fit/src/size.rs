//! Refuses a fit that cannot be held before anything of it is allocated.

use crate::wiring::Wiring;
use crate::{DriveKind, FitError, Form, Settings};
use refire_loss::units_for_pairs;
use refire_neuron::SpikeGradient;
use refire_recording::Recording;

/// Most 4-byte numbers a fit may ask for: 2^36 (256 GiB).
const MAX_NUMBERS: f64 = (1u64 << 36) as f64;

/// Copies of the parameters: themselves, the best ones, gradients, moments, one in the making, two with padded
/// rows, and the sums that a gradient is added up from.
const PARAMETER_COPIES: f64 = 11.0;

/// Arrays of the size of a batch: potentials, probabilities, spikes and cotangents. The score function
/// keeps them a second time.
const BATCH_ARRAYS: f64 = 5.0;

/// Bins of all trials together that are held at a time.
struct Held {
    /// Of the passes, [`BATCH_ARRAYS`] numbers per unit each.
    passes: f64,
    /// Of the passes and of the recorded trials, whose deviations are taken.
    deviations: [f64; 2],
}

/// Passes that keep every bin, or a window of them, the states between windows and the recorded spikes.
fn held(recording: &Recording, settings: &Settings) -> Held {
    let lags = settings.lags.max(settings.lags_of_noise()) as f64;
    let batch = settings.batch as f64;
    let longest = recording.bins().iter().copied().max().unwrap_or(0) as f64;
    // Free-running trials are padded as the recorded ones are, each behind as few bins as there are.
    let shortest = recording.bins().iter().copied().min().unwrap_or(1).max(1) as f64;
    let free_bins = settings.free_bins as f64;
    if settings.checkpoint_bins == 0 {
        let passes = batch * (longest + lags) + free_bins * (1.0 + lags / shortest);
        let recorded = recording.bins().iter().sum::<usize>() as f64;
        return Held {
            passes,
            deviations: [passes, recorded],
        };
    }
    let size = settings.checkpoint_bins as f64;
    let free_trials = if settings.objective.has_statistics() {
        batch.max((free_bins / shortest).ceil())
    } else {
        0.0
    };
    let window = longest.min(size) + lags;
    let states = (longest / size).ceil() * lags;
    // Spikes are bytes: those of all recorded bins, and before every window as many rows as lags.
    let kept = batch * (states + 0.25 * longest) + free_trials * 1.25 * states;
    let of_window = (batch + free_trials) * window;
    let recorded = recording.n_trials() as f64 * (window + lags);
    Held {
        passes: of_window + kept / BATCH_ARRAYS,
        deviations: [of_window + free_trials * lags, recorded],
    }
}

/// Numbers of four bytes that the noise covariance holds, given what is held of passes.
///
/// The published form: half of a block per frequency, of which there are up to twelve per lag, each of real
/// and imaginary units. The corrected form, of the units it measures: slopes of every part and, in double
/// precision, the target and the products of every condition, of training and of validation trials;
/// deviations of a batch, their cotangents, and the deviations of the recorded trials in double
/// precision. A sample of units has its own copy of the pass (potentials, probabilities, two cotangents,
/// spikes as bytes) and of their recorded spikes, and an index of all recorded spikes.
fn noise_covariance(recording: &Recording, settings: &Settings, held: &Held) -> f64 {
    let (lags, observed) = (settings.lags_of_noise() as f64, recording.n_units());
    let units = match (settings.form, settings.noise_pairs) {
        (Form::Published, _) => {
            let units = observed as f64 + settings.hidden as f64;
            return 12.0 * lags * 2.0 * units.powi(2);
        }
        (Form::Corrected, 0) => observed,
        (Form::Corrected, pairs) => units_for_pairs(pairs).min(observed),
    } as f64;
    // More parts than trials are refused later on, by a message of their own.
    let parts = settings.noise_parts.min(settings.free_bins.max(1)) as f64;
    let blocks = parts + 2.0 * 2.0 * (1.0 + recording.n_conditions() as f64);
    let [batch_bins, recorded_bins] = held.deviations;
    let (copies, index) = if settings.noise_pairs > 0 {
        let index = 3.0 * recording.total_spikes() as f64;
        let recorded = recording.bins().iter().sum::<usize>() as f64;
        (4.25 * batch_bins + 0.25 * recorded, index)
    } else {
        (0.0, 0.0)
    };
    let deviations = 2.0 * batch_bins + 2.0 * recorded_bins;
    blocks * lags * units * units + (deviations + copies) * units + index
}

/// Numbers of four bytes that parameters and one batch take.
fn numbers(recording: &Recording, settings: &Settings) -> f64 {
    let units = recording.n_units() as f64 + settings.hidden as f64;
    let longest = recording.bins().iter().copied().max().unwrap_or(0) as f64;
    let features = recording.stimulus().map_or(0, |s| s.features()) as f64;
    let conditions = recording.n_conditions() as f64;
    let drive = match settings.drive {
        DriveKind::None => 0.0,
        DriveKind::Condition => units * conditions * longest,
        DriveKind::Features => units * settings.stimulus_lags as f64 * features,
        DriveKind::Movie => settings
            .movie
            .parameters(recording.n_units() + settings.hidden) as f64,
    };
    // Synapses of an in-degree have not been drawn yet.
    let drawn = units * settings.in_degree as f64 * settings.lags as f64;
    let whole = recording.n_units().checked_add(settings.hidden);
    let couplings = whole.and_then(|n| Wiring::of(settings).parameters(n, settings.lags));
    let couplings = couplings.map_or(f64::INFINITY, |n| n as f64);
    let parameters = couplings.max(drawn) + drive;
    let held = held(recording, settings);
    let blocks = if settings.objective.has_statistics() {
        noise_covariance(recording, settings, &held)
    } else {
        0.0
    };
    let batches = match settings.spike_gradient {
        SpikeGradient::Score => 2.0,
        _ => 1.0,
    };
    PARAMETER_COPIES * parameters + batches * BATCH_ARRAYS * held.passes * units + blocks
}

/// Checks that parameters and one batch can be held by a machine, and by this one.
pub(crate) fn check_size(recording: &Recording, settings: &Settings) -> Result<(), FitError> {
    let numbers = numbers(recording, settings);
    let held = numbers <= MAX_NUMBERS
        && Vec::<f32>::new()
            .try_reserve_exact(numbers as usize)
            .is_ok();
    if held {
        return Ok(());
    }
    Err(FitError::TooLarge {
        units: recording.n_units() as f64 + settings.hidden as f64,
        lags: settings.lags,
        batch: settings.batch,
        gigabytes: numbers * 4e-9,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use refire_core::TrialArray;
    use refire_recording::{BinWidth, RecordingParts};

    fn recording(trials: usize, bins: usize, units: usize) -> Recording {
        let spikes = TrialArray::<u8>::zeros(trials, bins, 0, units);
        let width = BinWidth::from_seconds(0.01).unwrap();
        Recording::new(RecordingParts::new(spikes, width)).unwrap()
    }

    #[test]
    fn a_sample_of_pairs_does_not_grow_with_the_units() {
        let of = |units: usize, noise_pairs| {
            let settings = Settings {
                noise_pairs,
                ..Settings::default()
            };
            let held = Held {
                passes: 100.0,
                deviations: [100.0, 8.0],
            };
            noise_covariance(&recording(2, 4, units), &settings, &held)
        };
        assert_eq!(of(300, 65_536), of(3_000, 65_536));
        // Those of all pairs among as many units, and the copies.
        assert!(of(257, 0) < of(3_000, 65_536));
        assert!(of(3_000, 0) > 100.0 * of(257, 0));
    }

    #[test]
    fn windows_grow_with_the_root_of_the_bins() {
        // What is held of passes and for the noise covariance; `checkpoint-bins` by the root of lags and bins.
        let of = |bins: usize, checkpoint_bins| {
            let settings = Settings {
                drive: DriveKind::None,
                free_bins: 0,
                checkpoint_bins,
                ..Settings::default()
            };
            let recording = recording(90, bins, 20);
            // But for the recorded spikes, which are there anyway.
            let spikes = 0.25 * (90 * bins * 20) as f64;
            numbers(&recording, &settings) - if checkpoint_bins > 0 { spikes } else { 0.0 }
        };
        assert!((of(14_400, 0) / of(3_600, 0) - 4.0).abs() < 0.05);
        assert!((of(14_400, 360) / of(3_600, 180) - 2.0).abs() < 0.1);
        assert!(of(14_400, 360) < 0.1 * of(14_400, 0));
    }
}
