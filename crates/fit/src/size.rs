//! Refuses a fit that cannot be held before anything of it is allocated.

use crate::setup::condition;
use crate::trials::least_bins;
use crate::tuning::{is_asked, recorded_bins};
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
        let recorded_bins = recorded_bins(spec, recording.n_units());
        let all_bins = recording.bins().iter().sum::<usize>();
        let recorded = recorded_bins.min(all_bins) as f64 * (1.0 + lags / shortest);
        let recorded = recorded.max(batch * (longest + lags));
        let passes = recorded + free_bins * (1.0 + lags / shortest);
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
        Drive::Condition { spacing, detail } => {
            units * Bumps::of(recording, spacing, detail).weights
        }
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
    let same_bin = match &network.couplings {
        _ if !network.same_bin => 0.0,
        Couplings::Dense | Couplings::LowRank { .. } => units * units,
        // Half of them, and none more.
        Couplings::Sparse(_) => couplings / lags.max(1.0),
    };
    let held = held(recording, spec);
    let noise = noise_covariance(recording, spec, &held);
    let batches = match spec.optimiser.spike_gradient() {
        SpikeGradient::Score => 2.0,
        _ => 1.0,
    };
    let parameters = PARAMETER_COPIES * (couplings + same_bin + drive);
    parameters
        + batches * BATCH_ARRAYS * held.passes * units
        + noise
        + of_drive
        + convex(recording, spec)
}

/// The raised cosines of a condition drive.
struct Bumps {
    /// Weights of a unit.
    weights: f64,
    /// Most of these that reach one bin.
    terms: f64,
}

impl Bumps {
    fn of(recording: &Recording, spacing: f64, detail: Option<f64>) -> Self {
        let longest = recording.bins().iter().copied().max().unwrap_or(0) as f64;
        // A detail that is to be chosen may be the finest.
        let drive = condition(spacing, detail.unwrap_or(1.0), recording.bin_width());
        let spacings = drive.bumps();
        let counts = (spacings.iter()).map(|bumps| (longest / bumps.spacing_bins).ceil() + 1.0);
        Self {
            weights: recording.n_conditions() as f64 * counts.sum::<f64>(),
            // Neighbouring bumps overlap.
            terms: 3.0 * spacings.len() as f64,
        }
    }
}

/// Numbers of four bytes that L-BFGS holds beside the parameters.
fn convex(recording: &Recording, spec: &Specification) -> f64 {
    if !matches!(spec.optimiser, Optimiser::Lbfgs { .. }) && !is_asked(spec, recording.n_units()) {
        return 0.0;
    }
    let longest = recording.bins().iter().copied().max().unwrap_or(0) as f64;
    let conditions = recording.n_conditions() as f64;
    let (drive, terms, courses) = match spec.drive {
        Drive::Condition { spacing, detail } => {
            let bumps = Bumps::of(recording, spacing, detail);
            (bumps.weights, bumps.terms, conditions)
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
        same_bin: spec.network.same_bin,
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
    use crate::{Facts, ObjectiveKind, Ridge, Steps};
    use refire_core::TrialArray;
    use refire_recording::{BinWidth, Label, RecordingParts, Stimulus};
    use refire_sim::Connectivity;
    use std::sync::Arc;

    fn recording(trials: usize, bins: usize, units: usize) -> Recording {
        let spikes = TrialArray::<u8>::zeros(trials, bins, 0, units);
        let width = BinWidth::from_seconds(0.01).unwrap();
        Recording::new(RecordingParts::new(spikes, width)).unwrap()
    }

    /// Leaves nothing to the convex solver.
    fn given(spec: &mut Specification) {
        (spec.priors.coupling, spec.priors.same_bin) = (Some(0.15), Some(1.0));
        spec.priors.drive = Some(1.0);
        spec.optimiser.draw_start();
    }

    /// A likelihood without a drive, by Adam, of which one trial is seen at a time.
    fn least() -> Specification {
        let mut spec = Specification::new(Facts::default(), ObjectiveKind::Mle);
        spec.drive = Drive::None;
        given(&mut spec);
        spec.network.same_bin = false;
        (spec.network.lags, spec.batch.trials, spec.batch.free_bins) = (9, 1, 0);
        spec.with_adam(Steps::default())
    }

    #[track_caller]
    fn about(found: f64, expected: f64) {
        assert!(
            (found / expected - 1.0).abs() < 0.03,
            "{found:e}, expected {expected:e}"
        );
    }

    #[test]
    fn couplings_are_counted_as_they_are_held() {
        let of = |units, hidden, couplings| {
            let mut spec = least();
            (spec.network.hidden, spec.network.couplings) = (hidden, couplings);
            numbers(&recording(2, 10, units), &spec)
        };
        let copies = PARAMETER_COPIES;
        about(of(1000, 0, Couplings::Dense), copies * 9e6);
        about(of(1000, 1000, Couplings::Dense), copies * 36e6);
        let drawn = Couplings::Sparse(Synapses::InDegree(500));
        about(of(100_000, 0, drawn), copies * 450e6);
        let stream = refire_random::Stream::new(1, refire_random::Purpose::Connectivity);
        let given = Connectivity::fixed_in_degree(1000, 100, stream).unwrap();
        let given = Couplings::Sparse(Synapses::Given(Arc::new(given)));
        about(of(1000, 0, given), copies * 900e3);
        let with_same_bin = |couplings| {
            let mut spec = least();
            (spec.network.same_bin, spec.network.couplings) = (true, couplings);
            numbers(&recording(2, 10, 1000), &spec)
        };
        about(with_same_bin(Couplings::Dense), copies * 10e6);
        let drawn = Couplings::Sparse(Synapses::InDegree(500));
        about(with_same_bin(drawn), copies * 5e6);
        about(
            of(10_000, 0, Couplings::LowRank { rank: 100 }),
            copies * 10e6,
        );
    }

    #[test]
    fn passes_hold_recorded_and_free_bins() {
        let recording = recording(2, 10_000, 100);
        let mut spec = least();
        (spec.network.lags, spec.batch.trials) = (1, 100);
        let alone = BATCH_ARRAYS * 1e6 * 100.0;
        about(numbers(&recording, &spec), alone);
        spec.batch.free_bins = 3_000_000;
        about(numbers(&recording, &spec), 4.0 * alone);
        spec.optimiser.steps_mut().unwrap().spike_gradient = SpikeGradient::Score;
        about(numbers(&recording, &spec), 8.0 * alone);
    }

    #[test]
    fn drives_are_counted_with_what_they_are_made_of() {
        let with = |conditions: usize, bins, units, stimulus: Option<(usize, usize)>| {
            let spikes = TrialArray::<u8>::zeros(conditions, bins, 0, units);
            let width = BinWidth::from_seconds(0.01).unwrap();
            let stimulus = stimulus.map(|(samples, features)| {
                Stimulus::new(vec![0.5; samples * features], None, features, width).unwrap()
            });
            Recording::new(RecordingParts {
                labels: (0..conditions as i64).map(Label::Number).collect(),
                stimulus,
                ..RecordingParts::new(spikes, width)
            })
            .unwrap()
        };
        let mut spec = least();
        // Currents of every bin, as the encoder makes them and in padded rows.
        let many = with(1000, 100, 100, None);
        about(numbers(&many, &spec), 2.0 * 1e7 + PARAMETER_COPIES * 90e3);
        spec.drive = Drive::Condition {
            spacing: 0.04,
            detail: Some(0.0),
        };
        about(
            numbers(&many, &spec),
            2.0 * 1e7 + PARAMETER_COPIES * (26.0 * 1e5 + 90e3),
        );
        // Every 4, 2 and 1 bins.
        spec.drive = Drive::Condition {
            spacing: 0.04,
            detail: Some(0.35),
        };
        about(
            numbers(&many, &spec),
            2.0 * 1e7 + PARAMETER_COPIES * (178.0 * 1e5 + 90e3),
        );
        spec.network.lags = 1;
        spec.drive = Drive::Features { lags: 10 };
        let weights = PARAMETER_COPIES * (10e6 + 1e6);
        about(numbers(&with(1, 2, 1000, Some((2, 1000))), &spec), weights);
        about(
            numbers(&with(1, 1000, 1, Some((1000, 1000))), &spec),
            6e6 + PARAMETER_COPIES * 1e4,
        );
    }

    #[test]
    fn windows_hold_their_bins_the_states_between_them_and_the_spikes() {
        let mut spec = Specification::new(Facts::default(), ObjectiveKind::default());
        (spec.network.lags, spec.batch.trials, spec.batch.free_bins) = (2, 10, 500);
        spec.checkpoint_bins = Some(20);
        let found = |spec: &Specification| {
            let held = held(&recording(4, 100, 3), spec);
            [held.passes, held.batch_bins, held.recorded_bins]
        };
        // Ten free trials beside ten recorded ones, windows of 22 bins, five states of two bins.
        assert_eq!(found(&spec), [440.0 + 475.0 / 5.0, 460.0, 96.0]);
        spec.batch.free_bins = 1400;
        assert_eq!(found(&spec)[1], 24.0 * 22.0 + 14.0 * 2.0);
        let mut spec = least();
        (spec.network.lags, spec.batch.trials, spec.checkpoint_bins) = (2, 10, Some(20));
        assert_eq!(found(&spec), [220.0 + 350.0 / 5.0, 220.0, 96.0]);
    }

    #[test]
    fn an_optimum_holds_what_its_solver_says() {
        let labels = [0, 1, 0, 1].map(Label::Number).to_vec();
        let spikes = TrialArray::<u8>::zeros(4, 100, 0, 3);
        let width = BinWidth::from_seconds(0.01).unwrap();
        let stimulus = |courses: Option<usize>| {
            let values = vec![0.5; 100 * 5 * courses.unwrap_or(1)];
            Some(Stimulus::new(values, courses, 5, width).unwrap())
        };
        let of = |drive, stimulus| {
            let mut spec = least();
            spec.drive = drive;
            assert_eq!(convex(&recording(4, 100, 3), &spec), 0.0);
            spec.optimiser = Optimiser::Lbfgs {
                ridge: Ridge::Validation,
                then: None,
            };
            let recording = Recording::new(RecordingParts {
                labels: labels.clone(),
                bins: vec![100, 100, 100, 100],
                stimulus,
                ..RecordingParts::new(spikes.clone(), width)
            });
            convex(&recording.unwrap(), &spec)
        };
        let size = |drive, terms, courses| {
            ConvexSize {
                same_bin: false,
                units: 3,
                lags: 9,
                drive,
                terms,
                course_bins: courses * 100.0,
                condition_bins: 200.0,
                longest: 100.0,
                bins: 400.0,
            }
            .numbers()
        };
        let bumps = Drive::Condition {
            spacing: 0.04,
            detail: Some(0.0),
        };
        assert_eq!(of(bumps, None), size(2.0 * 26.0, 3.0, 2.0));
        let features = Drive::Features { lags: 7 };
        assert_eq!(of(features, stimulus(None)), size(35.0, 35.0, 1.0));
        assert_eq!(of(features, stimulus(Some(2))), size(35.0, 35.0, 2.0));
        assert_eq!(of(Drive::None, None), size(0.0, 0.0, 0.0));
    }

    #[test]
    fn what_no_machine_holds_is_refused() {
        let mut spec = least();
        spec.network.hidden = 40_000;
        assert!(numbers(&recording(2, 10, 5), &spec) > MAX_NUMBERS);
        let refused = check_size(&recording(2, 10, 5), &spec).unwrap_err();
        let FitError::TooLarge {
            units, gigabytes, ..
        } = refused
        else {
            panic!("{refused}");
        };
        about(gigabytes, 4e-9 * PARAMETER_COPIES * 9.0 * 40_005f64.powi(2));
        assert_eq!(units, 40_005.0);
        spec.network.hidden = 10;
        assert!(check_size(&recording(2, 10, 5), &spec).is_ok());
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
            given(&mut spec);
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
