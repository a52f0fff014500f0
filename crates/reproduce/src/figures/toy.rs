//! Figure 4: three populations of which one is hidden (claims 5 and 6).

use refire_fit::{DriveKind, Form, Objective, Optimizer, Settings, Weights};
use refire_neuron::SpikeGradient;
use refire_report::{ObjectiveRole, Role};
use refire_synth::{TOY_POPULATION, TOY_TRIALS, toy_three_populations};
use serde::{Deserialize, Serialize};

use crate::connectivity::{Recovery, summed};
use crate::figure::{Drawing, Figure};
use crate::fits::fit;
use crate::recordings::recorded;
use crate::{Plan, ReproduceError};

mod draw;

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

    fn settings(self, plan: &Plan, seed: u64) -> Settings {
        let base = Settings {
            lags: 1,
            noise_lags: 5,
            drive: DriveKind::Features,
            stimulus_lags: 1,
            test_fraction: 0.0,
            validation_fraction: 0.1,
            iterations: plan.pick(150, 500, 3000),
            seed,
            ..Settings::default()
        };
        let mle = Settings {
            objective: Objective::Mle,
            optimizer: Optimizer::Lbfgs,
            ..base.clone()
        };
        let hidden = Settings {
            hidden: TOY_POPULATION,
            objective: Objective::MleAndSampleAndMeasure,
            batch: 20,
            free_bins: 8000,
            learning_rate: 0.02,
            coupling_prior: 1.0,
            // A fit that stops early has not found the hidden units yet.
            validation_fraction: 0.0,
            ..base
        };
        match self {
            Self::Oracle | Self::Mle => mle,
            Self::Published => Settings {
                form: Form::Published,
                weights: Weights::default_for(hidden.objective, Form::Published),
                spike_gradient: SpikeGradient::Triangle,
                initial_scale: 1.0,
                learning_rate: 0.01,
                ..hidden
            },
            Self::Corrected => Settings {
                weights: WEIGHTS,
                spike_dampening: 1.0,
                hidden_inhibitory: Some(1.0),
                initial_scale: 0.5,
                ..hidden
            },
        }
    }
}

/// Heavy statistics: with hidden units drawn from the model, the likelihood charges for their noise and
/// pulls towards direct couplings.
const WEIGHTS: Weights = Weights {
    mle: 0.1,
    psth: 30.0,
    nc: 300.0,
    hidden_rate: 0.1,
};

/// One fit.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Unit {
    method: Method,
    trials: usize,
    seed: u64,
    settings: Settings,
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

impl Figure for Toy {
    type Unit = Unit;
    type Found = Found;

    fn name(&self) -> &'static str {
        "toy"
    }

    fn units(&self, plan: &Plan) -> Result<Vec<Unit>, ReproduceError> {
        let mut units = Vec::new();
        for method in Method::ALL {
            units.extend(plan.seeds(3, 12, 30).into_iter().map(|seed| Unit {
                method,
                trials: TOY_TRIALS,
                seed,
                settings: method.settings(plan, seed),
            }));
        }
        Ok(units)
    }

    fn label(&self, unit: &Unit) -> String {
        format!("{}, seed {}", unit.method.name(), unit.seed)
    }

    fn seconds(&self, unit: &Unit) -> f64 {
        match unit.method {
            Method::Oracle | Method::Mle => 0.5,
            _ => 0.012 * unit.settings.iterations as f64,
        }
    }

    fn measure(&self, unit: &Unit) -> Result<Found, ReproduceError> {
        let truth = toy_three_populations(unit.seed)?;
        let all = unit.method == Method::Oracle;
        let recording = recorded(&truth, all, unit.trials, unit.seed)?;
        let model = fit(&recording, &unit.settings)?;
        let seen = Recovery::of(&summed(&model, truth.observed)?, &truth);
        let all = match model.units() == truth.units() {
            true => Some(Recovery::of(&summed(&model, truth.units())?, &truth)),
            false => None,
        };
        Ok(Found { seen, all })
    }

    fn draw(&self, plan: &Plan, found: &[(Unit, Found)]) -> Drawing {
        draw::drawing(plan, found)
    }
}
