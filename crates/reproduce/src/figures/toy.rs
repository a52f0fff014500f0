//! Figure 4: three populations of which one is hidden (claims 5 and 6).

use refire_fit::{Drive, Facts, Objective, ObjectiveKind, Optimiser, Specification};
use refire_neuron::SpikeGradient;
use refire_report::{ObjectiveRole, Role};
use refire_synth::TOY_POPULATION;
use serde::{Deserialize, Serialize};

use crate::Plan;
use crate::connectivity::Recovery;
use crate::fits::{HIDDEN_NOISE_LAGS, base, heavy};

mod draw;
mod work;

pub(crate) struct Toy;

/// What is recorded and modelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
enum Method {
    /// MLE that is told all three populations.
    Oracle,
    /// MLE of A and B.
    Mle,
    /// The published terms with ten hidden units.
    Published,
    /// The corrected terms with ten hidden units.
    Corrected,
}

impl Method {
    const ALL: [Self; 4] = [Self::Oracle, Self::Mle, Self::Published, Self::Corrected];

    fn name(self) -> &'static str {
        match self {
            Self::Oracle => "oracle: MLE, C recorded too",
            Self::Mle => "MLE, C left out",
            Self::Published => "published, 10 hidden units",
            Self::Corrected => "corrected, 10 hidden units",
        }
    }

    fn role(self) -> Role {
        Role::Objective(match self {
            Self::Oracle => ObjectiveRole::Oracle,
            Self::Mle => ObjectiveRole::Mle,
            Self::Published => ObjectiveRole::Published,
            Self::Corrected => ObjectiveRole::Corrected,
        })
    }

    fn spec(self, plan: &Plan, seed: u64) -> Specification {
        let mut spec = base(plan.pick(60, 500, 3000), seed);
        spec.network.lags = 1;
        spec.drive = Drive::Features { lags: 1 };
        spec.held_out.test = 0.0;
        if matches!(self, Self::Oracle | Self::Mle) {
            spec.objective = Objective::Mle { likelihood: 1.0 };
            return spec.with_default_optimiser();
        }
        spec.network.hidden = TOY_POPULATION;
        spec.batch.trials = 20;
        spec.batch.free_bins = 8000;
        spec.priors.coupling = Some(1.0);
        // A fit that stops early has not found the hidden units yet.
        spec.held_out.validation = 0.0;
        let published = self == Self::Published;
        if published {
            let kind = ObjectiveKind::MleAndSampleAndMeasure;
            spec.objective = Specification::published(Facts::default(), kind).objective;
        } else {
            spec.objective = heavy(0.1);
            spec.network.signs.hidden_inhibitory = Some(1.0);
        }
        if let Some(statistics) = spec.objective.statistics_mut() {
            statistics.set_noise_lags(Some(HIDDEN_NOISE_LAGS));
        }
        let mut adam = spec.optimiser.steps().copied().unwrap_or_default();
        (adam.spike_gradient, adam.learning_rate) = match published {
            true => (SpikeGradient::Triangle, Some(0.01)),
            false => (SpikeGradient::Damped(1.0), Some(0.02)),
        };
        spec.optimiser = Optimiser::Adam {
            initial_scale: Some(if published { 1.0 } else { 0.5 }),
            steps: adam,
        };
        spec
    }
}

/// One fit.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Item {
    method: Method,
    trials: usize,
    seed: u64,
    spec: Specification,
}

/// What it found, C among it where it is modelled.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Among A and B.
    seen: Recovery,
    /// Among all three, hidden units taken for C.
    all: Option<Recovery>,
}

impl Found {
    /// Coupling summed over the sources of one population, onto a unit of another.
    fn block(&self, from: usize, to: usize) -> Option<f64> {
        let blocks = self.all.as_ref().unwrap_or(&self.seen);
        *blocks.blocks.get(from)?.get(to)?
    }
}
