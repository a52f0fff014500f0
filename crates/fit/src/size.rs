//! Refuses a fit that cannot be held before anything of it is allocated.

use crate::{DriveKind, FitError, Form, Settings};
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
    let batch = (settings.batch as f64 * (longest + lags) + free_bins) * units;
    // The published noise covariance holds a block per frequency, of which there are up to six per
    // lag, each of real and imaginary units.
    let blocks = match settings.form {
        Form::Corrected => 0.0,
        Form::Published => 6.0 * lags * (2.0 * units).powi(2),
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
