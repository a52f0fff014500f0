//! Refuses a fit that cannot be held before anything of it is allocated.

use crate::{DriveKind, FitError, Settings};
use refire_recording::Recording;

/// Most 4-byte numbers a fit may ask for: 2^36 (256 GiB).
const MAX_NUMBERS: f64 = (1u64 << 36) as f64;

/// Copies of the parameters: themselves, the best ones, gradients, moments, and one in the making.
const PARAMETER_COPIES: f64 = 8.0;

/// Arrays of the size of a batch: potentials, probabilities, spikes and cotangents.
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
    let batch = settings.batch as f64 * (longest + lags) * units;
    let numbers = PARAMETER_COPIES * parameters + BATCH_ARRAYS * batch;
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
