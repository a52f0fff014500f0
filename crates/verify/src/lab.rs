//! The engine that fits recordings, in double precision on tiny networks: what the checks put to the
//! test is the code that users run.

use anyhow::Result;
use refire_core::{RecordedTrials, TrialArray, TrialLayout};
use refire_drive::{Encoder, Kept};
use refire_fit::{
    Batch, Drive, Dynamics, Evaluator, Facts, Form, HeldOut, NetworkShape, ObjectiveKind,
    Parameters, Specification, Steps, Terms, Trainer, Wiring,
};
use refire_neuron::SpikeGradient;
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

    fn forward_keeping(&self, _: &[f64], drive: &mut TrialArray<f64>, _: &mut Kept) {
        drive.clone_from(&self.0);
    }

    // No weights, so there is nothing to pull back to.
    fn pull_back(&self, _: &[f64], _: &mut Kept, _: &TrialArray<f64>, _: &mut [f64]) {}
}

/// The specification of a network, everything else as by default, but the full escape derivative.
pub fn spec(network: &TinyNetwork, objective: ObjectiveKind, form: Form) -> Specification {
    let adam = Steps {
        spike_gradient: SpikeGradient::Damped(1.0),
        ..Steps::default()
    };
    let mut spec = Specification::with_form(Facts::default(), objective, form).with_adam(adam);
    spec.network.lags = network.lags;
    spec.network.same_bin = !network.same_bin.is_empty();
    spec.network.hidden = network.units - network.observed;
    spec.network.dynamics = Dynamics::Memoryless {
        theta: network.theta,
    };
    spec
}

/// The engine for given terms.
pub fn engine(
    network: &TinyNetwork,
    spec: &Specification,
    terms: Terms<f64>,
) -> Result<Evaluator<f64>> {
    let drive = Box::new(FixedDrive(network.drive_array()?));
    let shape = NetworkShape {
        observed: network.observed,
        hidden: network.units - network.observed,
        lags: network.lags,
        wiring: Wiring::Dense,
        same_bin: (!network.same_bin.is_empty()).then_some(Wiring::Dense),
        theta: network.theta,
    };
    Ok(Evaluator::new(spec, shape, drive, terms))
}

/// The parameters of a network.
pub fn parameters(network: &TinyNetwork) -> Parameters<f64> {
    Parameters {
        couplings: network.couplings.clone(),
        bias: network.bias.clone(),
        drive: Vec::new(),
        same_bin: network.same_bin.clone(),
    }
}

/// Recorded trials and `free` free-running ones of each condition, conditions in turn, no history.
pub fn batch(
    network: &TinyNetwork,
    spikes: &TrialArray<u8>,
    layout: &TrialLayout,
    free: usize,
) -> Result<Batch> {
    let conditions = network.drive.len();
    let slots = free * conditions;
    let condition = (0..slots).map(|k| k % conditions).collect();
    let recorded = RecordedTrials::new(spikes.clone(), layout.clone());
    let free = TrialLayout::new(condition, vec![network.bins; slots], 0)?;
    Ok(Batch::new(recorded, free))
}

/// Couplings, biases and same-bin couplings in the order of [`TinyNetwork::parameters`] of a network.
pub fn flat(network: &TinyNetwork, parameters: &Parameters<f64>) -> Vec<f64> {
    let all = parameters.couplings.iter().chain(&parameters.bias).copied();
    let within = network.free_same_bin().map(|at| parameters.same_bin[at]);
    all.chain(within).collect()
}

/// A fit by Adam of `trials` recorded trials as by default, but for what would hide or shift its
/// optimum: no drive, no prior, no held-out trials, every trial in every iteration, and free-running
/// bins that grow with the recording.
pub fn fit_spec(
    objective: ObjectiveKind,
    lags: usize,
    trials: usize,
    bins: usize,
) -> Specification {
    let adam = Steps {
        learning_rate: Some(0.02),
        ..Steps::default()
    };
    let mut spec = Specification::new(Facts::default(), objective).with_adam(adam);
    spec.network.lags = lags;
    spec.network.same_bin = false;
    spec.drive = Drive::None;
    spec.batch.trials = trials;
    spec.batch.free_bins = 2 * trials * bins;
    spec.held_out = HeldOut {
        test: 0.0,
        validation: 0.0,
        ..spec.held_out
    };
    spec.priors.coupling = Some(1e3);
    spec
}

/// Fits a recording of trials of equal length as `refire fit` does; couplings, then biases.
pub fn fit(spikes: TrialArray<u8>, spec: &Specification) -> Result<Vec<f64>> {
    let width = BinWidth::from_seconds(0.01).map_err(RecordingError::from)?;
    let recording = Recording::new(RecordingParts::new(spikes, width))?;
    let mut trainer = Trainer::new(&recording, spec)?;
    while !trainer.finished() {
        trainer.step()?;
    }
    let found = trainer.model().parameters;
    let all = found.couplings.iter().chain(&found.bias);
    Ok(all.map(|&w| f64::from(w)).collect())
}
