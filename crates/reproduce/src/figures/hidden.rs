//! Figure 5: 500 units of which 69 are recorded, and recovery over the share of hidden units (claims 5
//! and 6).

use refire_fit::{
    DriveKind, Form, Model, Objective, Optimizer, Parameters, Settings, Trainer, Weights,
};
use refire_neuron::SpikeGradient;
use refire_recording::Recording;
use refire_report::{ObjectiveRole, Role};
use refire_synth::{ASSEMBLIES, GroundTruth, StructuredSettings};
use serde::{Deserialize, Serialize};

use crate::connectivity::{Recovery, summed};
use crate::figure::{Drawing, Figure};
use crate::fits::{finish, fit};
use crate::recordings::recorded;
use crate::{Plan, ReproduceError};

mod draw;

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
pub(crate) struct Unit {
    method: Method,
    units: usize,
    observed: usize,
    trials: usize,
    seed: u64,
    /// Whether it belongs to the sweep over the share of hidden units.
    swept: bool,
    settings: Settings,
}

/// What it found among the recorded units.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    recovery: Recovery,
}

/// Of 500 units these are recorded: 86 % are hidden.
const LARGE: (usize, usize) = (500, 69);

/// Recorded units of networks of 100.
const SWEEP: [usize; 5] = [100, 70, 40, 20, 10];

/// Heavy statistics: with hidden units drawn from the model, the likelihood charges for their noise and
/// pulls towards direct couplings.
const WEIGHTS: Weights = Weights {
    mle: 0.3,
    psth: 30.0,
    nc: 300.0,
    hidden_rate: 0.1,
};

/// Ridge of the MLE fit that hidden units are copied from.
const RIDGE_OF_COPIES: f64 = 0.5;

fn settings(method: Method, hidden: usize, iterations: usize, seed: u64) -> Settings {
    let base = Settings {
        lags: 1,
        drive: DriveKind::Features,
        stimulus_lags: 1,
        test_fraction: 0.0,
        validation_fraction: 0.1,
        iterations,
        seed,
        ..Settings::default()
    };
    let mle = Settings {
        objective: Objective::Mle,
        ..base.clone()
    };
    let statistics = Settings {
        hidden,
        objective: Objective::MleAndSampleAndMeasure,
        // Paths over hidden units take several bins.
        noise_lags: 5,
        batch: 20,
        free_bins: 8000,
        coupling_prior: 1.0,
        // A fit that stops early has not found the hidden units yet.
        validation_fraction: 0.0,
        ..base
    };
    match method {
        Method::Oracle | Method::Mle => Settings {
            optimizer: Optimizer::Lbfgs,
            ..mle
        },
        Method::MleSigns => Settings {
            iterations: 400,
            coupling_prior: 1.0,
            observed_inhibitory: Some(Vec::new()),
            ..mle
        },
        Method::Published => Settings {
            form: Form::Published,
            weights: Weights::default_for(statistics.objective, Form::Published),
            spike_gradient: SpikeGradient::Triangle,
            initial_scale: 1.0,
            ..statistics
        },
        // Nothing is hidden: the default terms from the optimum of the likelihood.
        Method::Corrected if hidden == 0 => Settings {
            optimizer: Optimizer::Lbfgs,
            learning_rate: 1e-3,
            ..statistics
        },
        Method::Corrected => Settings {
            weights: WEIGHTS,
            spike_dampening: 1.0,
            hidden_inhibitory: Some(0.0),
            observed_inhibitory: Some(Vec::new()),
            ..statistics
        },
    }
}

/// What an experimenter knows of the cells: which of the recorded ones are inhibitory and how many of the
/// hidden ones.
fn with_kinds(settings: &Settings, truth: &GroundTruth) -> Settings {
    let inhibits = |unit: &usize| {
        truth
            .population
            .get(*unit)
            .is_some_and(|&p| p >= ASSEMBLIES.len())
    };
    let recorded: Vec<usize> = (0..truth.observed).filter(inhibits).collect();
    let hidden = (truth.observed..truth.units()).filter(inhibits).count();
    let share = hidden as f64 / settings.hidden.max(1) as f64;
    Settings {
        hidden_inhibitory: settings.hidden_inhibitory.map(|_| share),
        observed_inhibitory: settings.observed_inhibitory.as_ref().map(|_| recorded),
        ..settings.clone()
    }
}

impl Figure for Hidden {
    type Unit = Unit;
    type Found = Found;

    fn name(&self) -> &'static str {
        "hidden"
    }

    fn units(&self, plan: &Plan) -> Result<Vec<Unit>, ReproduceError> {
        let mut units = Vec::new();
        let mut push = |method, (n, observed): (usize, usize), trials, iterations, seed, swept| {
            units.push(Unit {
                method,
                units: n,
                observed,
                trials,
                seed,
                swept,
                settings: settings(method, n - observed, iterations, seed),
            });
        };
        let large = plan.pick((100, 21), LARGE, LARGE);
        let trials = plan.pick(200, 1000, 2000);
        let iterations = plan.pick(200, 400, 2000);
        for seed in plan.seeds(2, 6, 12) {
            for method in Method::ALL {
                push(method, large, trials, iterations, seed, false);
            }
        }
        let sweep: &[usize] = plan.pick(&[100, 20], &SWEEP, &SWEEP);
        let iterations = plan.pick(200, 400, 2000);
        for seed in plan.seeds(2, 5, 12) {
            for &observed in sweep {
                for method in [Method::Mle, Method::MleSigns, Method::Corrected] {
                    push(method, (100, observed), trials, iterations, seed, true);
                }
            }
        }
        Ok(units)
    }

    fn label(&self, unit: &Unit) -> String {
        let (method, observed) = (unit.method.name(), unit.observed);
        format!(
            "{method}, {observed} of {} units, seed {}",
            unit.units, unit.seed
        )
    }

    fn seconds(&self, unit: &Unit) -> f64 {
        let size = (unit.units as f64 / 500.0).powi(2);
        match unit.method {
            Method::Oracle => 30.0 * size,
            Method::Mle => 5.0 * size,
            Method::MleSigns => 0.05 * unit.settings.iterations as f64,
            _ => (0.27 * size + 0.01) * unit.settings.iterations as f64,
        }
    }

    fn measure(&self, unit: &Unit) -> Result<Found, ReproduceError> {
        let network = StructuredSettings::assemblies(unit.units, unit.observed, unit.seed);
        let truth = GroundTruth::structured(&network)?;
        let all = unit.method == Method::Oracle;
        let recording = recorded(&truth, all, unit.trials, unit.seed)?;
        let settings = with_kinds(&unit.settings, &truth);
        let model = match unit.method {
            Method::Corrected if settings.hidden > 0 => with_copies(&recording, &settings)?,
            _ => fit(&recording, &settings)?,
        };
        let found = summed(&model, truth.observed)?;
        Ok(Found {
            recovery: Recovery::of(&found, &truth),
        })
    }

    fn draw(&self, plan: &Plan, found: &[(Unit, Found)]) -> Drawing {
        draw::drawing(plan, found)
    }
}

/// Fits with hidden units that start as copies of the recorded ones of an MLE fit.
fn with_copies(recording: &Recording, settings: &Settings) -> Result<Model, ReproduceError> {
    let first = Settings {
        hidden: 0,
        hidden_inhibitory: None,
        observed_inhibitory: None,
        objective: Objective::Mle,
        optimizer: Optimizer::Lbfgs,
        ridge: Some(RIDGE_OF_COPIES),
        ..settings.clone()
    };
    let first = fit(recording, &first)?;
    let start = Parameters::with_copies(&first.parameters, settings, &first.training.baseline)?;
    let mut trainer = Trainer::new(recording, settings)?;
    trainer.start_from(start)?;
    finish(trainer)
}
