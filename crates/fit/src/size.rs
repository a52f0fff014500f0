//! Refuses a fit that cannot be held before anything of it is allocated.

use crate::trials::least_bins;
use crate::{Couplings, Drive, FitError, Optimiser, Specification, Statistics, Synapses};
use refire_convex::ConvexSize;
use refire_core::check_memory;
use refire_loss::{NoiseSize, SampledSize};
use refire_neuron::SpikeGradient;
use refire_published::PublishedNoiseCovariance;
use refire_recording::Recording;

/// Most 4-byte numbers a fit may ask for: 2^36 (256 GiB).
const MAX_NUMBERS: f64 = (1u64 << 36) as f64;

/// Copies of the parameters: themselves, the best ones, gradients, moments, one in the making, two with padded
/// rows, and the sums that a gradient is added up from.
const PARAMETER_COPIES: f64 = 11.0;

/// Arrays of the size of a batch: potentials, probabilities, spikes and adjoints. The score function
/// keeps them a second time.
const BATCH_ARRAYS: f64 = 5.0;

/// Bins of all trials together that are held at a time.
struct Held {
    /// Of the passes, [`BATCH_ARRAYS`] numbers per unit each.
    passes: f64,
    /// Of the passes, whose deviations are taken.
    batch_bins: f64,
    /// Of the recorded trials, whose deviations are taken.
    recorded_bins: f64,
}

/// Passes that keep every bin, or a window of them, the states between windows and the recorded spikes.
fn held(recording: &Recording, spec: &Specification) -> Held {
    let lags = spec.network.lags.max(spec.noise_lags()) as f64;
    let batch = spec.batch.trials as f64;
    let longest = recording.bins().iter().copied().max().unwrap_or(0) as f64;
    // Free-running trials are padded as the recorded ones are, each behind as few bins as there are.
    let least = least_bins(spec);
    let long = recording
        .bins()
        .iter()
        .copied()
        .filter(|&bins| bins >= least);
    let shortest = long.min().unwrap_or(1).max(1) as f64;
    let free_bins = spec.batch.free_bins as f64;
    let Some(size) = spec.checkpoint_bins else {
        let passes = batch * (longest + lags) + free_bins * (1.0 + lags / shortest);
        return Held {
            passes,
            batch_bins: passes,
            recorded_bins: recording.bins().iter().sum::<usize>() as f64,
        };
    };
    let size = size as f64;
    let free_trials = match spec.objective.statistics() {
        Some(_) => batch.max((free_bins / shortest).ceil()),
        None => 0.0,
    };
    let window = longest.min(size) + lags;
    let states = (longest / size).ceil() * lags;
    // Spikes are bytes: those of all recorded bins, and before every window as many rows as lags.
    let kept = batch * (states + 0.25 * longest) + free_trials * 1.25 * states;
    let of_window = (batch + free_trials) * window;
    Held {
        passes: of_window + kept / BATCH_ARRAYS,
        batch_bins: of_window + free_trials * lags,
        recorded_bins: recording.n_trials() as f64 * (window + lags),
    }
}

/// Numbers of four bytes that the noise covariance holds, given what is held of passes.
fn noise_covariance(recording: &Recording, spec: &Specification, held: &Held) -> f64 {
    let (lags, observed) = (spec.noise_lags(), recording.n_units());
    let of = match spec.objective.statistics() {
        None => return 0.0,
        Some(Statistics::Published(_)) => {
            let units = observed as f64 + spec.network.hidden as f64;
            return PublishedNoiseCovariance::<f32>::numbers(units, lags);
        }
        Some(Statistics::Corrected(of)) => of,
    };
    let size = NoiseSize {
        units: observed,
        lags,
        // More parts than trials are refused later on, by a message of their own.
        parts: of.noise.parts.min(spec.batch.free_bins.max(1)),
        conditions: recording.n_conditions(),
        batch_bins: held.batch_bins,
        recorded_bins: held.recorded_bins,
    };
    match of.noise.pairs {
        None => size.numbers(),
        Some(pairs) => SampledSize {
            of: size,
            pairs,
            recorded_spikes: recording.total_spikes() as f64,
            all_recorded_bins: recording.bins().iter().sum::<usize>() as f64,
        }
        .numbers(),
    }
}

/// Numbers of four bytes that parameters and one batch take.
fn numbers(recording: &Recording, spec: &Specification) -> f64 {
    let (network, observed) = (&spec.network, recording.n_units());
    let units = observed as f64 + network.hidden as f64;
    let longest = recording.bins().iter().copied().max().unwrap_or(0) as f64;
    let features = recording.stimulus().map_or(0, |s| s.features()) as f64;
    let conditions = recording.n_conditions() as f64;
    let drive = match spec.drive {
        Drive::None => 0.0,
        Drive::Condition { .. } => units * conditions * longest,
        Drive::Features { lags } => units * lags as f64 * features,
        Drive::Movie(shape) => shape.parameters(observed + network.hidden) as f64,
    };
    // Features are numbers of eight bytes: as given, in bins, and as the encoder has them.
    let of_drive = match spec.drive {
        Drive::Features { .. } | Drive::Movie(_) => 6.0 * conditions * longest * features,
        _ => 0.0,
    };
    let of_drive = of_drive + 2.0 * conditions * longest * units;
    let lags = network.lags as f64;
    let couplings = match &network.couplings {
        Couplings::Dense => units * lags * units,
        Couplings::Sparse(Synapses::InDegree(in_degree)) => units * *in_degree as f64 * lags,
        Couplings::Sparse(Synapses::Given(synapses)) => synapses.synapses() as f64 * lags,
        Couplings::LowRank { rank } => *rank as f64 * units * (1.0 + lags),
    };
    let held = held(recording, spec);
    let noise = noise_covariance(recording, spec, &held);
    let batches = match spec.optimiser.spike_gradient() {
        SpikeGradient::Score => 2.0,
        _ => 1.0,
    };
    let parameters = PARAMETER_COPIES * (couplings + drive);
    parameters
        + batches * BATCH_ARRAYS * held.passes * units
        + noise
        + of_drive
        + convex(recording, spec)
}

/// Numbers of four bytes that L-BFGS holds beside the parameters.
fn convex(recording: &Recording, spec: &Specification) -> f64 {
    if !matches!(spec.optimiser, Optimiser::Lbfgs { .. }) {
        return 0.0;
    }
    let longest = recording.bins().iter().copied().max().unwrap_or(0) as f64;
    let conditions = recording.n_conditions() as f64;
    let (drive, terms, courses) = match spec.drive {
        Drive::Condition { spacing } => {
            let bins = (spacing / recording.bin_width()).max(2.0);
            // Neighbouring bumps overlap.
            (
                conditions * ((longest / bins).ceil() + 1.0),
                3.0,
                conditions,
            )
        }
        Drive::Features { lags } => {
            let features = recording.stimulus().map_or(0, |s| s.features());
            let own = recording.stimulus().is_some_and(|s| s.per_condition());
            let weights = lags as f64 * features as f64;
            (weights, weights, if own { conditions } else { 1.0 })
        }
        Drive::None | Drive::Movie(_) => (0.0, 0.0, 0.0),
    };
    let size = ConvexSize {
        units: recording.n_units(),
        lags: spec.network.lags,
        drive,
        terms,
        course_bins: courses * longest,
        condition_bins: conditions * longest,
        longest,
        bins: recording.bins().iter().map(|&bins| bins as f64).sum(),
    };
    size.numbers()
}

/// Checks that parameters and one batch can be held by a machine, and by this one.
pub(crate) fn check_size(recording: &Recording, spec: &Specification) -> Result<(), FitError> {
    let numbers = numbers(recording, spec);
    if numbers > MAX_NUMBERS {
        return Err(FitError::TooLarge {
            units: recording.n_units() as f64 + spec.network.hidden as f64,
            lags: spec.network.lags,
            batch: spec.batch.trials,
            gigabytes: numbers * 4e-9,
        });
    }
    let what = format!(
        "a fit of {} units with {} lags and batches of {} trials (fewer of any, of free-bins, or another drive need less)",
        recording.n_units() as f64 + spec.network.hidden as f64,
        spec.network.lags,
        spec.batch.trials
    );
    Ok(check_memory(&what, numbers * 4.0)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Facts, ObjectiveKind};
    use refire_core::TrialArray;
    use refire_recording::{BinWidth, RecordingParts};

    fn recording(trials: usize, bins: usize, units: usize) -> Recording {
        let spikes = TrialArray::<u8>::zeros(trials, bins, 0, units);
        let width = BinWidth::from_seconds(0.01).unwrap();
        Recording::new(RecordingParts::new(spikes, width)).unwrap()
    }

    #[test]
    fn a_sample_of_pairs_does_not_grow_with_the_units() {
        let of = |units: usize, pairs| {
            let mut spec = Specification::new(Facts::default(), ObjectiveKind::default());
            if let Some(corrected) = spec.objective.corrected_mut() {
                corrected.noise.pairs = pairs;
            }
            let held = Held {
                passes: 100.0,
                batch_bins: 100.0,
                recorded_bins: 8.0,
            };
            noise_covariance(&recording(2, 4, units), &spec, &held)
        };
        let pairs = Some(65_536);
        assert_eq!(of(300, pairs), of(3_000, pairs));
        // Those of all pairs among as many units, and the copies.
        assert!(of(257, None) < of(3_000, pairs));
        assert!(of(3_000, None) > 100.0 * of(257, None));
    }

    #[test]
    fn windows_grow_with_the_root_of_the_bins() {
        // What is held of passes and for the noise covariance; `checkpoint-bins` by the root of lags and bins.
        let of = |bins: usize, checkpoint_bins: Option<usize>| {
            let mut spec = Specification::new(Facts::default(), ObjectiveKind::default());
            spec.drive = Drive::None;
            spec.batch.free_bins = 0;
            spec.checkpoint_bins = checkpoint_bins;
            let recording = recording(90, bins, 20);
            // But for the recorded spikes, which are there anyway.
            let spikes = 0.25 * (90 * bins * 20) as f64;
            numbers(&recording, &spec) - checkpoint_bins.map_or(0.0, |_| spikes)
        };
        assert!((of(14_400, None) / of(3_600, None) - 4.0).abs() < 0.05);
        assert!((of(14_400, Some(360)) / of(3_600, Some(180)) - 2.0).abs() < 0.1);
        assert!(of(14_400, Some(360)) < 0.1 * of(14_400, None));
    }
}
