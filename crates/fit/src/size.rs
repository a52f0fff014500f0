//! Refuses a fit that cannot be held before anything of it is allocated.

use crate::{DriveKind, FitError, Form, Settings};
use refire_loss::units_for_pairs;
use refire_neuron::SpikeGradient;
use refire_recording::Recording;

/// Most 4-byte numbers a fit may ask for: 2^36 (256 GiB).
const MAX_NUMBERS: f64 = (1u64 << 36) as f64;

/// Copies of the parameters: themselves, the best ones, gradients, moments, one in the making, and two
/// with padded rows.
const PARAMETER_COPIES: f64 = 10.0;

/// Arrays of the size of a batch: potentials, probabilities, spikes and cotangents. The score function
/// keeps them a second time.
const BATCH_ARRAYS: f64 = 5.0;

/// Numbers of four bytes that the noise covariance holds, given the bins of a batch.
///
/// The published form: a block per frequency, of which there are up to six per lag, each of real and
/// imaginary units. The corrected form, of the units it measures: slopes of every part and, in double
/// precision, the target and the products of every condition, of training and of validation trials;
/// deviations of a batch, their cotangents, and the deviations of the recorded trials in double
/// precision. A sample of units has its own copy of the pass (potentials, probabilities, two cotangents,
/// spikes as bytes) and of their recorded spikes, and an index of all recorded spikes.
fn noise_covariance(recording: &Recording, settings: &Settings, batch_bins: f64) -> f64 {
    let (lags, observed) = (settings.lags as f64, recording.n_units());
    let units = match (settings.form, settings.noise_pairs) {
        (Form::Published, _) => {
            let units = observed as f64 + settings.hidden as f64;
            return 6.0 * lags * (2.0 * units).powi(2);
        }
        (Form::Corrected, 0) => observed,
        (Form::Corrected, pairs) => units_for_pairs(pairs).min(observed),
    } as f64;
    // More parts than trials are refused later on, by a message of their own.
    let parts = settings.noise_parts.min(settings.free_bins.max(1)) as f64;
    let blocks = parts + 2.0 * 2.0 * (1.0 + recording.n_conditions() as f64);
    let recorded_bins = recording.bins().iter().sum::<usize>() as f64;
    let (copies, index) = if settings.noise_pairs > 0 {
        let index = 3.0 * recording.total_spikes() as f64;
        (4.25 * batch_bins + 0.25 * recorded_bins, index)
    } else {
        (0.0, 0.0)
    };
    let deviations = 2.0 * batch_bins + 2.0 * recorded_bins;
    blocks * lags * units * units + (deviations + copies) * units + index
}

/// Checks that parameters and one batch can be held by a machine, and by this one.
pub(crate) fn check_size(recording: &Recording, settings: &Settings) -> Result<(), FitError> {
    let units = recording.n_units() as f64 + settings.hidden as f64;
    let lags = settings.lags as f64;
    let longest = recording.bins().iter().copied().max().unwrap_or(0) as f64;
    let features = recording.stimulus().map_or(0, |s| s.features()) as f64;
    let conditions = recording.n_conditions() as f64;
    let drive = match settings.drive {
        DriveKind::None => 0.0,
        DriveKind::Condition => conditions * longest,
        DriveKind::Features => settings.stimulus_lags as f64 * features,
    };
    let parameters = units * units * lags + units * drive;
    // Free-running trials are padded as the recorded ones are, each behind as few bins as there are.
    let shortest = recording.bins().iter().copied().min().unwrap_or(1).max(1) as f64;
    let free_bins = settings.free_bins as f64 * (1.0 + lags / shortest);
    let batch = match settings.checkpoint_bins {
        0 => (settings.batch as f64 * (longest + lags) + free_bins) * units,
        // One window of recorded trials, the states between windows, and the spikes of all bins.
        size => {
            let window = longest.min(size as f64) + lags;
            let states = (longest / size as f64).ceil() * lags + 0.25 * longest;
            settings.batch as f64 * (window + states / BATCH_ARRAYS) * units
        }
    };
    let blocks = if settings.objective.has_statistics() {
        noise_covariance(recording, settings, batch / units.max(1.0))
    } else {
        0.0
    };
    let batches = match settings.spike_gradient {
        SpikeGradient::Score => 2.0,
        _ => 1.0,
    };
    let numbers = PARAMETER_COPIES * parameters + batches * BATCH_ARRAYS * batch + blocks;
    let held = numbers <= MAX_NUMBERS
        && Vec::<f32>::new()
            .try_reserve_exact(numbers as usize)
            .is_ok();
    if held {
        return Ok(());
    }
    Err(FitError::TooLarge {
        units,
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

    #[test]
    fn a_sample_of_pairs_does_not_grow_with_the_units() {
        let of = |units: usize, noise_pairs| {
            let spikes = TrialArray::<u8>::zeros(2, 4, 0, units);
            let width = BinWidth::from_seconds(0.01).unwrap();
            let recording = Recording::new(RecordingParts::new(spikes, width)).unwrap();
            let settings = Settings {
                noise_pairs,
                ..Settings::default()
            };
            noise_covariance(&recording, &settings, 100.0)
        };
        assert_eq!(of(300, 65_536), of(3_000, 65_536));
        // Those of all pairs among as many units, and the copies.
        assert!(of(257, 0) < of(3_000, 65_536));
        assert!(of(3_000, 0) > 100.0 * of(257, 0));
    }
}
