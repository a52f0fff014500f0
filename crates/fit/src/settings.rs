//! Every setting that decides the result of a fit.

use crate::{CouplingKind, FitError, Optimizer};
use refire_drive::MovieShape;
use refire_neuron::SpikeGradient;
use refire_sim::Connectivity;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Most observed units whose noise covariance is measured on all pairs unless asked otherwise.
const MOST_UNITS_OF_ALL_PAIRS: usize = 2_000;

/// Pairs of a sample unless asked otherwise.
const SAMPLED_PAIRS: usize = 65_536;

/// Which terms are fitted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Objective {
    /// Likelihood of the recorded spikes alone.
    #[serde(rename = "mle")]
    Mle,
    /// Sample-and-measure statistics alone.
    #[serde(rename = "sm")]
    SampleAndMeasure,
    /// Both.
    #[default]
    #[serde(rename = "mle+sm")]
    MleAndSampleAndMeasure,
}

impl Objective {
    /// Whether the likelihood is part of it.
    pub fn has_likelihood(self) -> bool {
        self != Self::SampleAndMeasure
    }

    /// Whether statistics of simulated activity are part of it.
    pub fn has_statistics(self) -> bool {
        self != Self::Mle
    }
}

/// Which form of the sample-and-measure terms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// Without the biases of the published terms (`docs/estimators.md`).
    #[default]
    Corrected,
    /// As published, for reproduction.
    Published,
}

/// What drives the units besides each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriveKind {
    /// Nothing.
    None,
    /// A smooth time course per condition and unit.
    Condition,
    /// Linear in the recording's stimulus features.
    Features,
    /// Convolutions of the recording's stimulus, whose features are the pixels of a movie.
    Movie,
}

/// What the couplings see before the first scored bin of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryStart {
    /// The first `lags` recorded bins, which then carry no loss and no statistic.
    Recorded,
    /// Silence, and every bin counts (as the published free-running pass).
    #[default]
    Zero,
}

/// Weights of the terms in the objective.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Weights {
    /// Likelihood, per nat and (trial, bin, unit).
    pub mle: f64,
    /// PSTH.
    pub psth: f64,
    /// Noise covariance.
    pub nc: f64,
    /// Mean rate of hidden units.
    pub hidden_rate: f64,
}

impl Weights {
    /// The published weights for the published forms; for the corrected ones, whose terms are in
    /// units of each unit's standard deviation, weights chosen on validation trials of several
    /// recordings (`docs/decisions/`).
    pub fn default_for(objective: Objective, form: Form) -> Self {
        let mle = match (objective, form) {
            (Objective::MleAndSampleAndMeasure, Form::Published) => 0.4,
            _ => 1.0,
        };
        match form {
            Form::Published => Self {
                mle,
                psth: 0.1,
                nc: 50.0,
                hidden_rate: 0.001,
            },
            Form::Corrected => Self {
                mle,
                psth: 0.3,
                nc: 3.0,
                hidden_rate: 0.01,
            },
        }
    }
}

/// Settings of a fit. Two fits of one recording with equal settings by one binary give the same
/// model, byte for byte, whatever the number of threads.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// Lags of the couplings, bins; also those of the noise covariance unless `noise_lags` says otherwise.
    pub lags: usize,
    /// History at the start of each trial.
    pub history: HistoryStart,
    /// Hidden units.
    pub hidden: usize,
    /// Kind of the couplings.
    #[serde(default)]
    pub couplings: CouplingKind,
    /// Synapses drawn onto every unit, of sparse couplings; 0 where a mask gives them.
    #[serde(default)]
    pub in_degree: usize,
    /// Components of low-rank couplings.
    #[serde(default)]
    pub rank: usize,
    /// The synapses of sparse couplings ([`Settings::with_synapses`]); files keep them apart.
    #[serde(skip)]
    pub synapses: Option<Arc<Connectivity>>,
    /// Terms fitted.
    pub objective: Objective,
    /// Their weights.
    pub weights: Weights,
    /// Form of the sample-and-measure terms.
    pub form: Form,
    /// What stands in for the derivative of a spike.
    pub spike_gradient: SpikeGradient,
    /// Factor on the escape derivative: below 1 it shortens paths through many spikes, whose
    /// gradient is noisy, and whose bias grows with the coupling.
    pub spike_dampening: f64,
    /// Drive.
    pub drive: DriveKind,
    /// Spacing of the raised cosines of the condition drive, seconds; never under two bins.
    pub drive_spacing: f64,
    /// Lags of the stimulus features, bins.
    pub stimulus_lags: usize,
    /// Sizes of the movie drive.
    #[serde(default)]
    pub movie: MovieShape,
    /// Iterations of Adam.
    pub iterations: usize,
    /// Recorded trials per iteration.
    pub batch: usize,
    /// Least number of free-running (trial, bin) pairs per iteration: more trials than recorded
    /// ones make the statistics of a batch less noisy, and need no data.
    pub free_bins: usize,
    /// Independent parts of the free-running trials whose errors are multiplied in the corrected
    /// noise-covariance term; 1 takes the square.
    pub noise_parts: usize,
    /// Ordered pairs of units, about, that the corrected noise-covariance term measures in an
    /// iteration, drawn at random in each; 0 measures all of them
    /// ([`Settings::default_noise_pairs`]).
    #[serde(default)]
    pub noise_pairs: usize,
    /// Lags of the noise covariance, lag 0 counted, bins; 0 takes those of the couplings. More of them than
    /// the couplings have show paths over hidden units, whose delays add up.
    #[serde(default)]
    pub noise_lags: usize,
    /// Share of the hidden units that are inhibitory, rounded to whole units, the last ones; the others are
    /// excitatory. Couplings of a unit to others then keep one sign (Dale's law), at 0 where the gradient
    /// would change it; to itself they may have either. `None` leaves their signs free.
    #[serde(default)]
    pub hidden_inhibitory: Option<f64>,
    /// Places of the observed units known to be inhibitory (by their waveform, say), the others being
    /// excitatory: Dale's law as for hidden units. `None` leaves their signs free.
    #[serde(default)]
    pub observed_inhibitory: Option<Vec<usize>>,
    /// Standard deviation of the couplings at the start, as a multiple of the published
    /// `1/sqrt(in-degree * lags)`.
    #[serde(default = "default_initial_scale")]
    pub initial_scale: f64,
    /// What moves the parameters ([`Optimizer::default_for`]).
    #[serde(default)]
    pub optimizer: Optimizer,
    /// Ridge of the convex fit, on couplings and drive weights alike, as the precision of a Gaussian prior in
    /// units of the potential; 0 is none. `None` chooses both by the likelihood of the validation trials.
    #[serde(default)]
    pub ridge: Option<f64>,
    /// Bins between two states that a pass keeps: those in between are run again in the reverse sweep.
    /// 0 keeps every bin. Not with the published statistics and not with the score gradient, which need all
    /// bins at once. It changes results by rounding.
    #[serde(default)]
    pub checkpoint_bins: usize,
    /// Learning rate of the first iterations; it decays to zero as half a cosine.
    pub learning_rate: f64,
    /// Seed of every random number.
    pub seed: u64,
    /// Share of each condition's trials held out for testing.
    pub test_fraction: f64,
    /// Share of the rest held out for early stopping.
    pub validation_fraction: f64,
    /// Threshold `theta` of the units.
    pub theta: f64,
    /// Standard deviation of the Gaussian prior of a coupling, in units of the potential.
    pub coupling_prior: f64,
    /// Standard deviation of the Gaussian prior of a drive weight, in units of the potential.
    pub drive_prior: f64,
}

/// Small, so that a fit starts from nearly independent units.
fn default_initial_scale() -> f64 {
    0.1
}

impl Default for Settings {
    fn default() -> Self {
        let (objective, form) = (Objective::default(), Form::default());
        Self {
            lags: 9,
            history: HistoryStart::default(),
            hidden: 0,
            couplings: CouplingKind::default(),
            in_degree: 0,
            rank: 0,
            synapses: None,
            objective,
            weights: Weights::default_for(objective, form),
            form,
            spike_gradient: SpikeGradient::default(),
            spike_dampening: 0.5,
            drive: DriveKind::Condition,
            drive_spacing: 0.04,
            stimulus_lags: 5,
            movie: MovieShape::default(),
            iterations: 500,
            batch: 90,
            free_bins: 20_000,
            noise_parts: 1,
            noise_pairs: 0,
            noise_lags: 0,
            hidden_inhibitory: None,
            observed_inhibitory: None,
            initial_scale: default_initial_scale(),
            optimizer: Optimizer::default(),
            ridge: None,
            checkpoint_bins: 0,
            learning_rate: 1e-2,
            seed: 1,
            test_fraction: 0.25,
            validation_fraction: 0.1,
            theta: 0.4,
            coupling_prior: 0.15,
            drive_prior: 1.0,
        }
    }
}

impl Settings {
    /// [`Settings::noise_pairs`] for a recording of so many units: all pairs up to 2,000 units, and
    /// a sample of 65,536 (those among 257 units) above, where the statistics of all pairs would
    /// take more memory and time than the rest of the fit. The published form has no sample.
    pub fn default_noise_pairs(units: usize, form: Form) -> usize {
        if units > MOST_UNITS_OF_ALL_PAIRS && form == Form::Corrected {
            SAMPLED_PAIRS
        } else {
            0
        }
    }

    /// First bin of a trial that carries loss and statistics.
    pub fn first_bin(&self) -> usize {
        match self.history {
            HistoryStart::Recorded => self.lags,
            HistoryStart::Zero => 0,
        }
    }

    /// Lags of the noise covariance, lag 0 counted.
    pub fn lags_of_noise(&self) -> usize {
        match self.noise_lags {
            0 => self.lags,
            lags => lags,
        }
    }

    /// The pseudo-derivative of a spike in use.
    pub fn pseudo_derivative(&self) -> SpikeGradient {
        match self.spike_gradient {
            SpikeGradient::Escape => SpikeGradient::Damped(self.spike_dampening),
            other => other,
        }
    }

    /// Name and both values of the first setting that differs.
    pub fn first_difference(&self, other: &Self) -> Option<(String, String, String)> {
        let (mine, theirs) = (
            serde_json::to_value(self).ok()?,
            serde_json::to_value(other).ok()?,
        );
        let (mine, theirs) = (mine.as_object()?, theirs.as_object()?);
        let named = mine
            .iter()
            .find(|(name, value)| theirs.get(*name) != Some(*value))
            .map(|(name, value)| {
                let found = theirs.get(name).map(ToString::to_string);
                (name.clone(), value.to_string(), found.unwrap_or_default())
            });
        named.or_else(|| {
            let count = |settings: &Self| match &settings.synapses {
                Some(synapses) => format!("one of {} synapses", synapses.synapses()),
                None => "none".to_string(),
            };
            (self.synapses != other.synapses)
                .then(|| ("mask".to_string(), count(self), count(other)))
        })
    }

    /// Names and weights of the terms that the objective has.
    fn weights_in_use(&self) -> Vec<(&'static str, f64)> {
        let (weights, statistics) = (self.weights, self.objective.has_statistics());
        let hidden = statistics && self.hidden > 0;
        [
            (self.objective.has_likelihood(), "weight-mle", weights.mle),
            (statistics, "weight-psth", weights.psth),
            (statistics, "weight-nc", weights.nc),
            (hidden, "weight-hidden-rate", weights.hidden_rate),
        ]
        .into_iter()
        .filter_map(|(used, name, weight)| used.then_some((name, weight)))
        .collect()
    }

    /// Checks every number for its range.
    ///
    /// # Errors
    /// [`FitError::Setting`] naming the setting, what is allowed and what was found.
    pub fn check(&self) -> Result<(), FitError> {
        let wrong = |name: &'static str, allowed: &'static str, found: String| {
            Err(FitError::Setting {
                name,
                allowed,
                found,
            })
        };
        let whole = [
            ("lags", self.lags, 1, "1 or more bins"),
            ("stimulus-lags", self.stimulus_lags, 1, "1 or more bins"),
            ("batch", self.batch, 1, "1 or more trials"),
            ("noise-parts", self.noise_parts, 1, "1 or more"),
        ];
        for (name, found, least, allowed) in whole {
            if found < least {
                return wrong(name, allowed, found.to_string());
            }
        }
        self.check_couplings()?;
        self.check_dale()?;
        if self.drive == DriveKind::Movie {
            self.movie.check()?;
        }
        if self.optimizer == Optimizer::Lbfgs {
            let allowed = if self.hidden > 0 {
                "adam with hidden units (the likelihood is convex without them)"
            } else if self.drive == DriveKind::Movie {
                "adam with the movie drive (the likelihood is convex with a linear one)"
            } else if !self.objective.has_likelihood() {
                "adam for an objective without the likelihood"
            } else if self.form == Form::Published {
                "adam with the published form"
            } else if self.checkpoint_bins > 0 {
                "adam with checkpoint-bins (lbfgs keeps every bin)"
            } else if self.couplings != CouplingKind::Dense {
                "adam with sparse or low-rank couplings"
            } else if self.observed_inhibitory.is_some() {
                "adam with signs of observed units (lbfgs has no bounds)"
            } else {
                ""
            };
            if !allowed.is_empty() {
                return wrong("optimizer", allowed, "lbfgs".to_string());
            }
        }
        if let Some(ridge) = self.ridge {
            if !(ridge >= 0.0 && ridge.is_finite()) {
                return wrong("ridge", "zero or a positive number", ridge.to_string());
            }
            if self.optimizer == Optimizer::Adam {
                let allowed = "optimizer lbfgs (adam has priors instead)";
                return wrong("ridge", allowed, format!("{ridge} with adam"));
            }
        }
        if self.noise_pairs > 0 && self.form == Form::Published {
            let found = self.noise_pairs.to_string();
            return wrong(
                "noise-pairs",
                "0 (all pairs) with the published form",
                found,
            );
        }
        if self.checkpoint_bins > 0 {
            let published = self.form == Form::Published && self.objective.has_statistics();
            let allowed = if self.spike_gradient == SpikeGradient::Score {
                "0 (keep every bin) with the score gradient"
            } else if published {
                "0 (keep every bin) with the published statistics"
            } else {
                ""
            };
            if !allowed.is_empty() {
                return wrong("checkpoint-bins", allowed, self.checkpoint_bins.to_string());
            }
        }
        let positive = [
            ("drive-spacing", self.drive_spacing),
            ("learning-rate", self.learning_rate),
            ("theta", self.theta),
            ("coupling-prior", self.coupling_prior),
            ("drive-prior", self.drive_prior),
            ("spike-dampening", self.spike_dampening),
            ("initial-scale", self.initial_scale),
        ];
        for (name, found) in positive {
            if !(found > 0.0 && found.is_finite()) {
                return wrong(name, "a positive number", found.to_string());
            }
        }
        let weights = [
            ("weight-mle", self.weights.mle),
            ("weight-psth", self.weights.psth),
            ("weight-nc", self.weights.nc),
            ("weight-hidden-rate", self.weights.hidden_rate),
        ];
        for (name, found) in weights {
            if !(found >= 0.0 && found.is_finite()) {
                return wrong(name, "zero or a positive number", found.to_string());
            }
        }
        let in_use = self.weights_in_use();
        if in_use.iter().all(|&(_, weight)| weight == 0.0) {
            let names: Vec<&str> = in_use.iter().map(|&(name, _)| name).collect();
            let found = format!("0 for each of {}", names.join(", "));
            return wrong("weights", "a term of the objective above 0", found);
        }
        let fractions = [
            ("test-fraction", self.test_fraction),
            ("validation-fraction", self.validation_fraction),
        ];
        for (name, found) in fractions {
            if !(0.0..1.0).contains(&found) {
                return wrong(name, "0 or more and below 1", found.to_string());
            }
        }
        Ok(())
    }
}
