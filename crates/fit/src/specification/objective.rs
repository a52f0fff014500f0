//! Which terms are fitted, and what they weigh.

use super::Facts;
use super::numbers::{at_least_1, not_negative};
use crate::FitError;
use refire_published::PublishedWeights;
use serde::{Deserialize, Serialize};

/// Most observed units whose noise covariance is measured on all pairs unless asked otherwise.
const MOST_UNITS_OF_ALL_PAIRS: usize = 2_000;

/// Pairs of a sample unless asked otherwise.
const SAMPLED_PAIRS: usize = 65_536;

/// Which terms are fitted, with their weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Objective {
    /// Likelihood of the recorded spikes alone.
    Mle {
        /// Weight, per nat and (trial, bin, unit).
        likelihood: f64,
    },
    /// Sample-and-measure statistics alone.
    SampleAndMeasure(Statistics),
    /// Likelihood of the recorded spikes and sample-and-measure statistics together.
    MleAndSampleAndMeasure {
        /// Weight of the likelihood, per nat and (trial, bin, unit).
        likelihood: f64,
        /// Statistics of simulated activity.
        statistics: Statistics,
    },
}

/// An objective by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ObjectiveKind {
    /// [`Objective::Mle`].
    #[serde(rename = "mle")]
    Mle,
    /// [`Objective::SampleAndMeasure`].
    #[serde(rename = "sm")]
    SampleAndMeasure,
    /// [`Objective::MleAndSampleAndMeasure`].
    #[default]
    #[serde(rename = "mle+sm")]
    MleAndSampleAndMeasure,
}

impl ObjectiveKind {
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

/// Statistics of simulated activity, with their weights.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistics {
    /// Without the biases of the published terms.
    Corrected(Corrected),
    /// As published.
    Published(Published),
}

/// Weights of the corrected terms, which are in units of each unit's standard deviation: chosen on validation trials
/// of several recordings (`docs/decisions/0006-default-weights.md`).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Corrected {
    /// Weight of the PSTH term.
    pub psth: f64,
    /// Weight of the noise-covariance term, and how it is measured.
    pub noise: Noise,
    /// Weight of the term on the mean rate of hidden units.
    pub hidden_rate: f64,
}

/// How the corrected noise covariance is measured.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Noise {
    /// Weight of the term, whose errors are in units of noise correlation. None: [`Noise::RELATIVE`] over the root mean
    /// square of the noise correlations of the training trials, less where chance explains these; [`Noise::WEIGHT`] at
    /// least.
    pub weight: Option<f64>,
    /// Lags, lag 0 counted, bins; `None` takes those of the couplings. More of them than the couplings have show
    /// paths over hidden units, whose delays add up.
    pub lags: Option<usize>,
    /// Independent parts of the free-running trials whose errors are multiplied; 1 takes the square.
    pub parts: usize,
    /// Ordered pairs of units, about, that an iteration measures, drawn at random in each; `None` measures all.
    pub pairs: Option<usize>,
}

/// Weights of the published terms.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Published {
    /// Weight of the PSTH term.
    pub psth: f64,
    /// Weight of the noise-covariance term, and how it is measured.
    pub noise: f64,
    /// Its lags, lag 0 counted, bins; `None` takes those of the couplings.
    pub noise_lags: Option<usize>,
    /// Weight of the term on the mean rate of hidden units.
    pub hidden_rate: f64,
}

impl Noise {
    /// Weight times the root mean square of the noise correlations, unless a weight is given. Squared errors are small
    /// where correlations are: those of a retina are a tenth of those of a cortex.
    pub const RELATIVE: f64 = 0.5;

    /// Least weight that is chosen: that of training trials whose noise correlations are chance, or are none. With more, a
    /// fit follows chance.
    pub const WEIGHT: f64 = 3.0;

    /// Weight of the term.
    pub fn weight(&self) -> f64 {
        self.weight.unwrap_or(Self::WEIGHT)
    }
}

impl Default for Corrected {
    fn default() -> Self {
        Self {
            psth: 0.3,
            noise: Noise {
                weight: None,
                lags: None,
                parts: 1,
                pairs: None,
            },
            hidden_rate: 0.01,
        }
    }
}

impl Default for Published {
    fn default() -> Self {
        let weights = PublishedWeights::default();
        Self {
            psth: weights.psth,
            noise: weights.noise_covariance,
            noise_lags: None,
            hidden_rate: weights.hidden_rate,
        }
    }
}

impl Statistics {
    /// The defaults for a recording: the noise covariance on all pairs up to 2,000 units, and on a sample of 65,536
    /// (those among 257 units) above, where the statistics of all pairs would take more memory and time than the
    /// rest of the fit. The published form has no sample.
    pub(super) fn new(form: Form, facts: &Facts) -> Self {
        let mut corrected = Corrected::default();
        if facts.units > MOST_UNITS_OF_ALL_PAIRS {
            corrected.noise.pairs = Some(SAMPLED_PAIRS);
        }
        match form {
            Form::Corrected => Self::Corrected(corrected),
            Form::Published => Self::Published(Published::default()),
        }
    }

    /// Which form they have.
    pub fn form(&self) -> Form {
        match self {
            Self::Corrected(_) => Form::Corrected,
            Self::Published(_) => Form::Published,
        }
    }

    /// Weights of PSTH, noise covariance and rate of hidden units.
    pub fn weights(&self) -> [f64; 3] {
        match self {
            Self::Corrected(c) => [c.psth, c.noise.weight(), c.hidden_rate],
            Self::Published(p) => [p.psth, p.noise, p.hidden_rate],
        }
    }

    /// Sets those of [`Self::weights`] that are given.
    pub fn set_weights(&mut self, given: [Option<f64>; 3]) {
        let own = match self {
            Self::Corrected(c) => {
                c.noise.weight = given[1].or(c.noise.weight);
                [(&mut c.psth, given[0]), (&mut c.hidden_rate, given[2])]
            }
            Self::Published(p) => {
                p.noise = given[1].unwrap_or(p.noise);
                [(&mut p.psth, given[0]), (&mut p.hidden_rate, given[2])]
            }
        };
        for (weight, given) in own {
            *weight = given.unwrap_or(*weight);
        }
    }

    /// Lags of the noise covariance where they are not those of the couplings.
    pub fn noise_lags(&self) -> Option<usize> {
        match self {
            Self::Corrected(c) => c.noise.lags,
            Self::Published(p) => p.noise_lags,
        }
    }

    /// Sets [`Self::noise_lags`].
    pub fn set_noise_lags(&mut self, lags: Option<usize>) {
        match self {
            Self::Corrected(c) => c.noise.lags = lags,
            Self::Published(p) => p.noise_lags = lags,
        }
    }
}

impl Objective {
    pub(super) fn new(kind: ObjectiveKind, form: Form, facts: &Facts) -> Self {
        let statistics = Statistics::new(form, facts);
        match kind {
            ObjectiveKind::Mle => Self::Mle { likelihood: 1.0 },
            ObjectiveKind::SampleAndMeasure => Self::SampleAndMeasure(statistics),
            ObjectiveKind::MleAndSampleAndMeasure => Self::MleAndSampleAndMeasure {
                likelihood: match form {
                    Form::Corrected => 1.0,
                    Form::Published => PublishedWeights::default().likelihood,
                },
                statistics,
            },
        }
    }

    /// Its name.
    pub fn kind(&self) -> ObjectiveKind {
        match self {
            Self::Mle { .. } => ObjectiveKind::Mle,
            Self::SampleAndMeasure(_) => ObjectiveKind::SampleAndMeasure,
            Self::MleAndSampleAndMeasure { .. } => ObjectiveKind::MleAndSampleAndMeasure,
        }
    }

    /// Weight of the likelihood, where it is part of it.
    pub fn likelihood(&self) -> Option<f64> {
        match *self {
            Self::Mle { likelihood } | Self::MleAndSampleAndMeasure { likelihood, .. } => {
                Some(likelihood)
            }
            Self::SampleAndMeasure(_) => None,
        }
    }

    /// The same, to change.
    pub fn likelihood_mut(&mut self) -> Option<&mut f64> {
        match self {
            Self::Mle { likelihood } | Self::MleAndSampleAndMeasure { likelihood, .. } => {
                Some(likelihood)
            }
            Self::SampleAndMeasure(_) => None,
        }
    }

    /// Statistics, where they are part of it.
    pub fn statistics(&self) -> Option<&Statistics> {
        match self {
            Self::Mle { .. } => None,
            Self::SampleAndMeasure(statistics)
            | Self::MleAndSampleAndMeasure { statistics, .. } => Some(statistics),
        }
    }

    /// The same, to change.
    pub fn statistics_mut(&mut self) -> Option<&mut Statistics> {
        match self {
            Self::Mle { .. } => None,
            Self::SampleAndMeasure(statistics)
            | Self::MleAndSampleAndMeasure { statistics, .. } => Some(statistics),
        }
    }

    /// Corrected statistics, where they are part of it.
    pub fn corrected(&self) -> Option<&Corrected> {
        match self.statistics()? {
            Statistics::Corrected(corrected) => Some(corrected),
            Statistics::Published(_) => None,
        }
    }

    /// The same, to change.
    pub fn corrected_mut(&mut self) -> Option<&mut Corrected> {
        match self.statistics_mut()? {
            Statistics::Corrected(corrected) => Some(corrected),
            Statistics::Published(_) => None,
        }
    }

    /// Whether statistics as published are part of it.
    pub fn is_published(&self) -> bool {
        matches!(self.statistics(), Some(Statistics::Published(_)))
    }

    /// Checks weights and numbers; `hidden` units are there.
    pub(super) fn check(&self, hidden: usize) -> Result<(), FitError> {
        if let Some(corrected) = self.corrected() {
            at_least_1("noise-parts", corrected.noise.parts, "1 or more")?;
        }
        let [psth, noise, hidden_rate] = match self.statistics() {
            Some(statistics) => statistics.weights().map(Some),
            None => [None; 3],
        };
        let weights = [
            ("weight-mle", self.likelihood()),
            ("weight-psth", psth),
            ("weight-nc", noise),
            ("weight-hidden-rate", hidden_rate),
        ];
        for (name, weight) in weights {
            weight.map_or(Ok(()), |weight| not_negative(name, weight))?;
        }
        let counted = weights.into_iter().filter_map(|(name, weight)| {
            let measured = name != "weight-hidden-rate" || hidden > 0;
            Some((name, weight.filter(|_| measured)?))
        });
        let counted: Vec<(&str, f64)> = counted.collect();
        if counted.iter().all(|&(_, weight)| weight == 0.0) {
            let names: Vec<&str> = counted.iter().map(|&(name, _)| name).collect();
            let found = format!("0 for each of {}", names.join(", "));
            let allowed = "a weight above 0 for at least one term";
            return Err(FitError::setting("weights", allowed, found));
        }
        Ok(())
    }
}
