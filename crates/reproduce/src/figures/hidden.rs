//! Figure 5: 500 units of which 69 are recorded, and recovery over the share of hidden units (claims 5
//! and 6).

use refire_fit::{Drive, Facts, Objective, ObjectiveKind, Optimiser, Ridge, Specification};
use refire_neuron::SpikeGradient;
use refire_report::{ObjectiveRole, Role};
use refire_synth::{ASSEMBLIES, GroundTruth};
use serde::{Deserialize, Serialize};

use crate::connectivity::Recovery;
use crate::fits::{HIDDEN_NOISE_LAGS, base, heavy};

mod draw;
mod work;

pub(crate) struct Hidden;

/// What is recorded and modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Method {
    /// MLE that is told all units.
    Oracle,
    /// MLE of the recorded units.
    Mle,
    /// The same, told that recorded excitatory cells excite, as the fits with hidden units are.
    MleSigns,
    /// The published terms with as many hidden units as there are.
    Published,
    /// The corrected terms with as many.
    Corrected,
}

impl Method {
    const ALL: [Self; 5] = [
        Self::Oracle,
        Self::Mle,
        Self::MleSigns,
        Self::Published,
        Self::Corrected,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Oracle => "oracle: MLE, all recorded",
            Self::Mle => "MLE, recorded units only",
            Self::MleSigns => "the same, signs known",
            Self::Published => "published, hidden units",
            Self::Corrected => "corrected, hidden units",
        }
    }

    fn role(self) -> Role {
        match self {
            Self::Oracle => Role::Objective(ObjectiveRole::Oracle),
            Self::Mle => Role::Objective(ObjectiveRole::Mle),
            Self::MleSigns => Role::ObjectiveHollow(ObjectiveRole::Mle),
            Self::Published => Role::Objective(ObjectiveRole::Published),
            Self::Corrected => Role::Objective(ObjectiveRole::Corrected),
        }
    }
}

/// One fit.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Item {
    method: Method,
    units: usize,
    observed: usize,
    trials: usize,
    seed: u64,
    /// Whether it belongs to the sweep over the share of hidden units.
    swept: bool,
    spec: Specification,
}

/// What it found among the recorded units.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    recovery: Recovery,
}

/// Of 500 units these are recorded: 86 % are hidden.
const LARGE: (usize, usize) = (500, 69);

/// Recorded units of networks of as many as the first.
const SWEEP: [usize; 5] = [100, 70, 40, 20, 10];

/// Ridge of the MLE fit that hidden units are copied from.
const RIDGE_OF_COPIES: f64 = 0.5;

fn spec(method: Method, hidden: usize, iterations: usize, seed: u64) -> Specification {
    let mut spec = base(iterations, seed);
    spec.network.lags = 1;
    spec.drive = Drive::Features { lags: 1 };
    spec.held_out.test = 0.0;
    if matches!(method, Method::Oracle | Method::Mle | Method::MleSigns) {
        spec.objective = Objective::Mle { likelihood: 1.0 };
    } else {
        spec.network.hidden = hidden;
        spec.batch.trials = 20;
        spec.batch.free_bins = 8000;
        spec.priors.coupling = Some(1.0);
        // A fit that stops early has not found the hidden units yet.
        spec.held_out.validation = 0.0;
    }
    let mut adam = spec.optimiser.steps().copied().unwrap_or_default();
    let mut initial_scale = spec.optimiser.initial_scale();
    match method {
        Method::Oracle | Method::Mle => return spec.with_default_optimiser(),
        Method::MleSigns => {
            adam.iterations = iterations.min(400);
            spec.priors.coupling = Some(1.0);
            spec.network.signs.observed_inhibitory = Some(Vec::new());
        }
        Method::Published => {
            let kind = ObjectiveKind::MleAndSampleAndMeasure;
            spec.objective = Specification::published(Facts::default(), kind).objective;
            adam.spike_gradient = SpikeGradient::Triangle;
            initial_scale = 1.0;
        }
        // Nothing is hidden: the default terms from the optimum of the likelihood.
        Method::Corrected if hidden == 0 => adam.learning_rate = Some(1e-3),
        Method::Corrected => {
            spec.objective = heavy(0.3);
            adam.spike_gradient = SpikeGradient::Damped(1.0);
            spec.network.signs.hidden_inhibitory = Some(0.0);
            spec.network.signs.observed_inhibitory = Some(Vec::new());
        }
    }
    if let Some(statistics) = spec.objective.statistics_mut() {
        statistics.set_noise_lags(Some(HIDDEN_NOISE_LAGS));
    }
    spec.optimiser = match method {
        Method::Corrected if hidden == 0 => Optimiser::Lbfgs {
            ridge: Ridge::Validation,
            then: Some(adam),
        },
        _ => Optimiser::Adam {
            initial_scale: Some(initial_scale),
            steps: adam,
        },
    };
    spec
}

/// What an experimenter knows of the cells: which of the recorded ones are inhibitory and how many of the
/// hidden ones.
fn with_kinds(spec: &Specification, truth: &GroundTruth) -> Specification {
    let inhibits = |unit: &usize| {
        truth
            .population
            .get(*unit)
            .is_some_and(|&p| p >= ASSEMBLIES.len())
    };
    let recorded: Vec<usize> = (0..truth.observed).filter(inhibits).collect();
    let hidden = (truth.observed..truth.units()).filter(inhibits).count();
    let mut spec = spec.clone();
    let share = hidden as f64 / spec.network.hidden.max(1) as f64;
    let signs = &mut spec.network.signs;
    signs.hidden_inhibitory = signs.hidden_inhibitory.map(|_| share);
    signs.observed_inhibitory = signs.observed_inhibitory.take().map(|_| recorded);
    spec
}
