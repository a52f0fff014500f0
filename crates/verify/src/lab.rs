//! The engine that fits recordings, in double precision on tiny networks: what the checks put to the
//! test is the code that users run.

use crate::VerifyError;
use refire_core::{TrialArray, TrialLayout};
use refire_drive::{Encoder, Kept};
use refire_fit::{Batch, DriveKind, Engine, Parameters, Settings, Streams, Trainer, WeightedTerm};
use refire_random::{Purpose, Stream};
use refire_recording::{BinWidth, Recording, RecordingError, RecordingParts};
use refire_testkit::TinyNetwork;

/// A drive that is given, not fitted.
struct FixedDrive(TrialArray<f64>);

impl Encoder<f64> for FixedDrive {
    fn conditions(&self) -> usize {
        self.0.trials()
    }

    fn bins(&self) -> usize {
        self.0.bins()
    }

    fn units(&self) -> usize {
        self.0.units()
    }

    fn parameters(&self) -> usize {
        0
    }

    fn forward_keeping(&self, _: &[f64], drive: &mut TrialArray<f64>, _: &mut Kept<f64>) {
        drive.clone_from(&self.0);
    }

    // No weights, so there is nothing to pull back to.
    fn pull_back(&self, _: &[f64], _: &mut Kept<f64>, _: &TrialArray<f64>, _: &mut [f64]) {}
}

/// Settings of a network, everything else as by default, but the full escape derivative.
pub fn settings(network: &TinyNetwork) -> Settings {
    Settings {
        lags: network.lags,
        hidden: network.units - network.observed,
        theta: network.theta,
        spike_dampening: 1.0,
        ..Settings::default()
    }
}

/// The engine for given terms.
///
/// # Errors
/// [`VerifyError`] where the network does not fit together.
pub fn engine(
    network: &TinyNetwork,
    settings: &Settings,
    terms: Vec<WeightedTerm<f64>>,
) -> Result<Engine<f64>, VerifyError> {
    let drive = Box::new(FixedDrive(network.drive_array()?));
    Ok(Engine::new(settings, network.observed, drive, terms))
}

/// The parameters of a network.
pub fn parameters(network: &TinyNetwork) -> Parameters<f64> {
    Parameters {
        couplings: network.couplings.clone(),
        bias: network.bias.clone(),
        drive: Vec::new(),
    }
}

/// Recorded trials and `free` free-running ones of each condition, conditions in turn, no history.
///
/// # Errors
/// [`VerifyError`] where trials have no bins.
pub fn batch(
    network: &TinyNetwork,
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    free: usize,
) -> Result<Batch, VerifyError> {
    let conditions = network.drive.len();
    let slots = free * conditions;
    let condition = (0..slots).map(|k| k % conditions).collect();
    Ok(Batch {
        recorded: spikes.clone(),
        recorded_layout: layout.clone(),
        recorded_keys: (0..layout.trials() as u32).collect(),
        histories: TrialArray::zeros(slots, 0, 0, network.observed),
        free_layout: TrialLayout::new(condition, vec![network.bins; slots], 0)?,
        free_keys: (0..slots as u32).collect(),
    })
}

/// Random numbers of replicate `iteration`.
pub fn streams(seed: u64, iteration: u32) -> Streams {
    Streams {
        clamped: Stream::new(seed, Purpose::Clamped),
        free: Stream::new(seed, Purpose::FreeRunning),
        iteration,
    }
}

/// Couplings, then biases: the order of [`TinyNetwork::parameters`].
pub fn flat(parameters: &Parameters<f64>) -> Vec<f64> {
    [parameters.couplings.as_slice(), &parameters.bias].concat()
}

/// Settings of a fit of `trials` recorded trials as by default, but for what would hide or shift its
/// optimum: no drive, no prior, no held-out trials, every trial in every iteration, and free-running
/// bins that grow with the recording.
pub fn fit_settings(lags: usize, trials: usize, bins: usize) -> Settings {
    Settings {
        lags,
        drive: DriveKind::None,
        batch: trials,
        free_bins: 2 * trials * bins,
        learning_rate: 0.02,
        test_fraction: 0.0,
        validation_fraction: 0.0,
        coupling_prior: 1e3,
        ..Settings::default()
    }
}

/// Fits a recording of trials of equal length as `refire fit` does; couplings, then biases.
///
/// # Errors
/// [`VerifyError`] where the fit refuses the recording.
pub fn fit(spikes: TrialArray<u8>, settings: &Settings) -> Result<Vec<f64>, VerifyError> {
    let width = BinWidth::from_seconds(0.01).map_err(RecordingError::from)?;
    let recording = Recording::new(RecordingParts::new(spikes, width))?;
    let mut trainer = Trainer::new(&recording, settings)?;
    while !trainer.finished() {
        trainer.step()?;
    }
    let found = trainer.model().parameters;
    let all = found.couplings.iter().chain(&found.bias);
    Ok(all.map(|&w| f64::from(w)).collect())
}
