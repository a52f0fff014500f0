//! A specification as a flat table: the form of files, of `fit.json` and of `--config`.

use super::{
    BatchSize, Corrected, CouplingKind, Couplings, Drive, DriveKind, Dynamics, Form, HeldOut,
    HistoryStart, HoldOut, NetworkSpec, Noise, Objective, ObjectiveKind, Optimiser, OptimiserKind,
    Piece, Priors, Published, Ridge, Signs, Specification, Statistics, Steps, Switch, Synapses,
    Trials, drive, optimiser,
};
use crate::FitError;
use refire_drive::MovieShape;
use refire_neuron::SpikeGradient;
use refire_sim::Connectivity;
use serde::{Deserialize, Serialize, Serializer};
use std::sync::Arc;

/// Weights of likelihood, PSTH, noise covariance and rate of hidden units.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FlatWeights {
    mle: f64,
    psth: f64,
    /// Null: by the noise correlations of the training trials.
    nc: Option<f64>,
    hidden_rate: f64,
}

/// A [`Specification`] as a table of settings under the names that options have. What a specification does not have
/// (lags of a stimulus without one, say) stands there as by default; 0 stands for what is not asked for.
///
/// Files of version 1 know dense couplings and Adam only: what came later has a default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FlatSettings {
    lags: usize,
    history: HistoryStart,
    hidden: usize,
    #[serde(default)]
    couplings: CouplingKind,
    // Files of version 2 and before know none.
    #[serde(default)]
    same_bin: Switch,
    #[serde(default)]
    in_degree: usize,
    #[serde(default)]
    rank: usize,
    objective: ObjectiveKind,
    weights: FlatWeights,
    form: Form,
    spike_gradient: SpikeGradient,
    spike_dampening: f64,
    drive: DriveKind,
    drive_spacing: f64,
    // Files of version 2 and before know none.
    #[serde(default = "no_detail")]
    drive_detail: Option<f64>,
    stimulus_lags: usize,
    #[serde(default)]
    movie: MovieShape,
    iterations: usize,
    batch: usize,
    free_bins: usize,
    // Files that do not know it saw a batch of trials.
    #[serde(default = "no_recorded_bins")]
    recorded_bins: Option<usize>,
    noise_parts: usize,
    #[serde(default)]
    noise_pairs: usize,
    #[serde(default)]
    noise_lags: usize,
    #[serde(default)]
    hidden_inhibitory: Option<f64>,
    #[serde(default)]
    observed_inhibitory: Option<Vec<usize>>,
    /// Null: from the optimum of the likelihood.
    #[serde(default = "default_initial_scale")]
    initial_scale: Option<f64>,
    #[serde(default)]
    optimizer: OptimiserKind,
    #[serde(default)]
    ridge: Option<f64>,
    #[serde(default)]
    checkpoint_bins: usize,
    /// Null: by what makes iterations and where they start.
    learning_rate: Option<f64>,
    seed: u64,
    test_fraction: f64,
    validation_fraction: f64,
    #[serde(default, skip_serializing_if = "HoldOut::is_default")]
    hold_out: HoldOut,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    trial_length: Option<f64>,
    #[serde(default, skip_serializing_if = "is_false")]
    ongoing: bool,
    #[serde(default, skip_serializing_if = "is_0")]
    min_trial_bins: usize,
    theta: f64,
    /// Null: by validation.
    coupling_prior: Option<f64>,
    #[serde(default)]
    same_bin_prior: Option<f64>,
    drive_prior: Option<f64>,
    /// 0: Gaussian, all that files without it know.
    #[serde(default)]
    prior_tails: f64,
}

fn no_detail() -> Option<f64> {
    Some(0.0)
}

fn default_initial_scale() -> Option<f64> {
    Some(optimiser::INITIAL_SCALE)
}

fn no_recorded_bins() -> Option<usize> {
    Some(0)
}

fn is_false(value: &bool) -> bool {
    !value
}

fn is_0(value: &usize) -> bool {
    *value == 0
}

/// 0 for what is not asked for.
fn or_0(value: Option<usize>) -> usize {
    value.unwrap_or(0)
}

/// `None` for 0.
fn above_0(value: usize) -> Option<usize> {
    (value > 0).then_some(value)
}

impl From<&Specification> for FlatSettings {
    fn from(spec: &Specification) -> Self {
        let (network, steps) = (&spec.network, spec.optimiser.steps());
        let statistics = spec.objective.statistics();
        let [psth, nc, hidden_rate] = match statistics {
            Some(statistics) => statistics.weights(),
            None => Statistics::Corrected(Corrected::default()).weights(),
        };
        let noise = (spec.objective.corrected()).map_or(Corrected::default().noise, |c| c.noise);
        let numbers = steps.copied().unwrap_or_default();
        let (spike_gradient, spike_dampening) = match numbers.spike_gradient {
            SpikeGradient::Damped(by) => (SpikeGradient::Escape, by),
            SpikeGradient::Escape => (SpikeGradient::Escape, 1.0),
            other => (other, optimiser::DAMPENING),
        };
        Self {
            lags: network.lags,
            history: network.history,
            hidden: network.hidden,
            couplings: network.couplings.kind(),
            same_bin: network.same_bin.into(),
            in_degree: match network.couplings {
                Couplings::Sparse(Synapses::InDegree(in_degree)) => in_degree,
                _ => 0,
            },
            rank: match network.couplings {
                Couplings::LowRank { rank } => rank,
                _ => 0,
            },
            objective: spec.objective.kind(),
            weights: FlatWeights {
                mle: spec.objective.likelihood().unwrap_or(1.0),
                psth,
                nc: spec
                    .objective
                    .corrected()
                    .map_or(Some(nc), |c| c.noise.weight),
                hidden_rate,
            },
            form: statistics.map_or(Form::Corrected, Statistics::form),
            spike_gradient,
            spike_dampening,
            drive: spec.drive.kind(),
            drive_spacing: match spec.drive {
                Drive::Condition { spacing, .. } => spacing,
                _ => drive::SPACING,
            },
            drive_detail: match spec.drive {
                Drive::Condition { detail, .. } => detail,
                _ => None,
            },
            stimulus_lags: match spec.drive {
                Drive::Features { lags } => lags,
                _ => drive::STIMULUS_LAGS,
            },
            movie: match spec.drive {
                Drive::Movie(shape) => shape,
                _ => MovieShape::default(),
            },
            iterations: match (&spec.optimiser, spec.objective.kind()) {
                // None are made, which the objective says already.
                (Optimiser::Lbfgs { .. }, ObjectiveKind::Mle) => Steps::default().iterations,
                _ => spec.iterations(),
            },
            batch: spec.batch.trials,
            free_bins: spec.batch.free_bins,
            recorded_bins: spec.batch.recorded_bins,
            noise_parts: noise.parts,
            noise_pairs: or_0(noise.pairs),
            noise_lags: or_0(statistics.and_then(Statistics::noise_lags)),
            hidden_inhibitory: network.signs.hidden_inhibitory,
            observed_inhibitory: network.signs.observed_inhibitory.clone(),
            initial_scale: match spec.optimiser {
                Optimiser::Natural(_) => None,
                Optimiser::Adam { initial_scale, .. } => initial_scale,
                Optimiser::Lbfgs { .. } => default_initial_scale(),
            },
            optimizer: spec.optimiser.kind(),
            ridge: match spec.optimiser {
                Optimiser::Lbfgs {
                    ridge: Ridge::Given(ridge),
                    ..
                } => Some(ridge),
                _ => None,
            },
            checkpoint_bins: or_0(spec.checkpoint_bins),
            learning_rate: numbers.learning_rate,
            seed: spec.seed,
            test_fraction: spec.held_out.test,
            validation_fraction: spec.held_out.validation,
            hold_out: spec.held_out.what,
            trial_length: spec.trials.piece.map(|piece| piece.seconds),
            ongoing: spec.trials.piece.is_some_and(|piece| piece.ongoing),
            min_trial_bins: spec.trials.least_bins,
            theta: network.dynamics.theta(),
            coupling_prior: spec.priors.coupling,
            same_bin_prior: spec.priors.same_bin,
            drive_prior: spec.priors.drive,
            prior_tails: spec.priors.tails.unwrap_or(0.0),
        }
    }
}

impl Serialize for Specification {
    /// As [`FlatSettings`].
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        FlatSettings::from(self).serialize(serializer)
    }
}

impl FlatSettings {
    /// The specification; `synapses` are those of sparse couplings, which a table does not hold.
    ///
    /// # Errors
    /// [`FitError::Setting`] for sparse couplings of which neither an in-degree nor synapses are known.
    pub fn specification(
        &self,
        synapses: Option<&Arc<Connectivity>>,
    ) -> Result<Specification, FitError> {
        let couplings = match (self.couplings, above_0(self.in_degree), synapses) {
            (CouplingKind::Dense, ..) => Couplings::Dense,
            (CouplingKind::LowRank, ..) => Couplings::LowRank { rank: self.rank },
            (CouplingKind::Sparse, Some(in_degree), _) => {
                Couplings::Sparse(Synapses::InDegree(in_degree))
            }
            (CouplingKind::Sparse, None, Some(synapses)) => {
                Couplings::Sparse(Synapses::Given(Arc::clone(synapses)))
            }
            (CouplingKind::Sparse, None, None) => return Err(FitError::no_synapses()),
        };
        let steps = Steps {
            iterations: self.iterations,
            learning_rate: self.learning_rate,
            spike_gradient: match self.spike_gradient {
                SpikeGradient::Escape => SpikeGradient::Damped(self.spike_dampening),
                other => other,
            },
        };
        // An optimum is all there is of a likelihood alone.
        let goes_on = self.objective != ObjectiveKind::Mle && self.iterations > 0;
        let optimiser = match self.optimizer {
            OptimiserKind::Natural => Optimiser::Natural(steps),
            OptimiserKind::Adam => Optimiser::Adam {
                initial_scale: self.initial_scale,
                steps,
            },
            OptimiserKind::Lbfgs => Optimiser::Lbfgs {
                ridge: self.ridge.map_or(Ridge::Validation, Ridge::Given),
                then: goes_on.then_some(steps),
            },
        };
        Ok(Specification {
            network: NetworkSpec {
                hidden: self.hidden,
                lags: self.lags,
                history: self.history,
                couplings,
                same_bin: self.same_bin.is_on(),
                signs: Signs {
                    hidden_inhibitory: self.hidden_inhibitory,
                    observed_inhibitory: self.observed_inhibitory.clone(),
                },
                dynamics: Dynamics::Memoryless { theta: self.theta },
                ..NetworkSpec::default()
            },
            drive: match self.drive {
                DriveKind::None => Drive::None,
                DriveKind::Condition => Drive::Condition {
                    spacing: self.drive_spacing,
                    detail: self.drive_detail,
                },
                DriveKind::Features => Drive::Features {
                    lags: self.stimulus_lags,
                },
                DriveKind::Movie => Drive::Movie(self.movie),
            },
            objective: self.objective(),
            optimiser,
            priors: Priors {
                coupling: self.coupling_prior,
                same_bin: self.same_bin_prior,
                drive: self.drive_prior,
                tails: (self.prior_tails != 0.0).then_some(self.prior_tails),
            },
            batch: BatchSize {
                trials: self.batch,
                free_bins: self.free_bins,
                recorded_bins: self.recorded_bins,
            },
            trials: Trials {
                piece: self.trial_length.map(|seconds| Piece {
                    seconds,
                    ongoing: self.ongoing,
                }),
                least_bins: self.min_trial_bins,
            },
            held_out: HeldOut {
                test: self.test_fraction,
                validation: self.validation_fraction,
                what: self.hold_out,
            },
            checkpoint_bins: above_0(self.checkpoint_bins),
            seed: self.seed,
        })
    }

    fn objective(&self) -> Objective {
        let weights = self.weights;
        let statistics = match self.form {
            Form::Corrected => Statistics::Corrected(Corrected {
                psth: weights.psth,
                noise: Noise {
                    weight: weights.nc,
                    lags: above_0(self.noise_lags),
                    parts: self.noise_parts,
                    pairs: above_0(self.noise_pairs),
                },
                hidden_rate: weights.hidden_rate,
            }),
            Form::Published => Statistics::Published(Published {
                psth: weights.psth,
                noise: weights.nc.unwrap_or(Published::default().noise),
                noise_lags: above_0(self.noise_lags),
                hidden_rate: weights.hidden_rate,
            }),
        };
        match self.objective {
            ObjectiveKind::Mle => Objective::Mle {
                likelihood: weights.mle,
            },
            ObjectiveKind::SampleAndMeasure => Objective::SampleAndMeasure(statistics),
            ObjectiveKind::MleAndSampleAndMeasure => Objective::MleAndSampleAndMeasure {
                likelihood: weights.mle,
                statistics,
            },
        }
    }

    /// Name and both values of the first setting that differs.
    pub fn first_difference(&self, other: &Self) -> Option<(String, String, String)> {
        let (mine, theirs) = (
            serde_json::to_value(self).ok()?,
            serde_json::to_value(other).ok()?,
        );
        let (mine, theirs) = (mine.as_object()?, theirs.as_object()?);
        let (name, value) = mine
            .iter()
            .find(|(name, value)| theirs.get(*name) != Some(*value))?;
        let found = theirs.get(name).map(ToString::to_string);
        Some((name.clone(), value.to_string(), found.unwrap_or_default()))
    }
}
