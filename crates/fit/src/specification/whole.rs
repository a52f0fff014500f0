//! The specification of a fit, and the defaults.

use crate::FitError;
use refire_recording::{Recording, Split};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use super::{
    Couplings, Drive, Facts, Form, HistoryStart, NetworkSpec, Objective, ObjectiveKind, Optimiser,
    Priors, Ridge, Statistics, Steps, Trials,
};

/// Everything that decides the result of a fit. Two fits of one recording with equal specifications by one binary
/// give the same model, byte for byte, whatever the number of threads.
///
/// ```
/// use refire_fit::{Facts, ObjectiveKind, Specification};
///
/// // The defaults, for a recording of which nothing is known (else: `&recording`), and named things changed.
/// let mut spec = Specification::new(Facts::default(), ObjectiveKind::MleAndSampleAndMeasure);
/// spec.network.lags = 20;
/// spec.network.hidden = 5;
/// if let Some(weights) = spec.objective.corrected_mut() {
///     weights.noise.weight = Some(10.0);
/// }
/// spec.check()?;
/// # Ok::<(), refire_fit::FitError>(())
/// ```
///
/// It is written as a flat table of settings ([`FlatSettings`](super::FlatSettings)), in files and as JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Specification {
    /// Units and couplings.
    pub network: NetworkSpec,
    /// What drives the units besides each other.
    pub drive: Drive,
    /// Terms that are fitted, with their weights.
    pub objective: Objective,
    /// What moves the parameters.
    pub optimiser: Optimiser,
    /// Gaussian priors of the parameters.
    pub priors: Priors,
    /// What an iteration sees.
    pub batch: BatchSize,
    /// What is made of the recording's trials before anything else.
    pub trials: Trials,
    /// What is held out.
    pub held_out: HeldOut,
    /// Bins between two states that a pass keeps: those in between are run again in the reverse sweep, and
    /// simulations hold as many at a time. `None` keeps every bin. It changes results by rounding.
    pub checkpoint_bins: Option<usize>,
    /// Seed of every random number.
    pub seed: u64,
}

/// What an iteration sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchSize {
    /// Recorded trials of a batch, about.
    pub trials: usize,
    /// Least number of free-running (trial, bin) pairs: more trials than recorded ones make the statistics of a
    /// batch less noisy, and need no data.
    pub free_bins: usize,
    /// Least number of recorded (trial, bin) pairs, of all conditions: the likelihood of more trials is less noisy. None:
    /// [`Self::RECORDED_BINS`] with natural steps, which follow that noise into every direction that data say little about; else 0.
    pub recorded_bins: Option<usize>,
}

impl BatchSize {
    /// [`Self::recorded_bins`] of natural steps: all of most recordings.
    pub const RECORDED_BINS: usize = 200_000;
}

/// What is held out.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HeldOut {
    /// Share of each condition's trials held out for testing.
    pub test: f64,
    /// Share of the rest held out for early stopping.
    pub validation: f64,
    /// What is held out together.
    pub what: HoldOut,
}

/// What is held out together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum HoldOut {
    /// Trials, of each condition its share; of all trials, where no condition has two.
    #[default]
    Trials,
    /// So many stretches of neighbouring trials, of the pieces of a continuous recording.
    Segments(usize),
    /// All trials of a condition: what a fit makes of conditions that it has not seen.
    Conditions,
}

impl fmt::Display for HoldOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Trials => f.write_str("trials"),
            Self::Segments(segments) => write!(f, "segments={segments}"),
            Self::Conditions => f.write_str("conditions"),
        }
    }
}

impl FromStr for HoldOut {
    type Err = FitError;

    fn from_str(text: &str) -> Result<Self, FitError> {
        let allowed = "trials, conditions or segments=N with a number from 1 on";
        match text {
            "trials" => Ok(Self::Trials),
            "conditions" => Ok(Self::Conditions),
            _ => (text.strip_prefix("segments="))
                .and_then(|number| number.parse().ok())
                .filter(|&segments| segments > 0)
                .map(Self::Segments)
                .ok_or_else(|| FitError::setting("hold-out", allowed, text)),
        }
    }
}

impl TryFrom<String> for HoldOut {
    type Error = FitError;

    fn try_from(text: String) -> Result<Self, FitError> {
        text.parse()
    }
}

impl From<HoldOut> for String {
    fn from(what: HoldOut) -> Self {
        what.to_string()
    }
}

impl HoldOut {
    /// Whether it is what a specification says unless asked.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

impl HeldOut {
    /// Draws which trials of a recording are held out.
    ///
    /// # Errors
    /// [`FitError::Split`] for a share out of range.
    pub fn draw(&self, recording: &Recording, seed: u64) -> Result<Split, FitError> {
        let draw = |conditions: &[usize]| Split::draw(conditions, self.test, self.validation, seed);
        let conditions = recording.conditions();
        Ok(match self.what {
            HoldOut::Trials if recording.has_repeats() => draw(conditions)?,
            HoldOut::Trials => draw(&vec![0; recording.n_trials()])?,
            HoldOut::Segments(segments) => Split::draw_segments(
                recording.n_trials(),
                segments,
                self.test,
                self.validation,
                seed,
            )?,
            HoldOut::Conditions => {
                let of_conditions = draw(&vec![0; recording.n_conditions()])?;
                let trials = |chosen: &[usize]| {
                    let own = conditions.iter().enumerate();
                    let own = own.filter(|(_, c)| chosen.contains(c));
                    own.map(|(trial, _)| trial).collect()
                };
                Split {
                    seed,
                    train: trials(&of_conditions.train),
                    validation: trials(&of_conditions.validation),
                    test: trials(&of_conditions.test),
                }
            }
        })
    }
}

impl Specification {
    /// The defaults for a recording and an objective with the corrected statistics: all that refire has.
    pub fn new(recording: impl Into<Facts>, objective: ObjectiveKind) -> Self {
        Self::with_form(recording, objective, Form::Corrected)
    }

    /// The defaults with the statistics as published, fitted by Adam.
    pub fn published(recording: impl Into<Facts>, objective: ObjectiveKind) -> Self {
        Self::with_form(recording, objective, Form::Published)
    }

    /// The defaults for a form of the statistics.
    pub fn with_form(recording: impl Into<Facts>, objective: ObjectiveKind, form: Form) -> Self {
        let facts = recording.into();
        let mut network = NetworkSpec::default();
        if facts.piece.is_some() {
            // What comes before a piece is not silence.
            network.history = HistoryStart::Recorded;
        }
        // The published statistics take the units of a bin for independent.
        network.same_bin = network.same_bin && form == Form::Corrected;
        let spec = Self {
            network,
            drive: Drive::for_recording(&facts),
            objective: Objective::new(objective, form, &facts),
            optimiser: Optimiser::default(),
            priors: Priors {
                // The published form is fitted as it was.
                tails: Priors::default().tails.filter(|_| form == Form::Corrected),
                ..Priors::default()
            },
            batch: BatchSize {
                trials: facts.batch(),
                free_bins: 20_000,
                recorded_bins: None,
            },
            trials: Trials {
                piece: facts.piece,
                least_bins: 0,
            },
            held_out: HeldOut {
                test: 0.25,
                validation: 0.1,
                what: HoldOut::default(),
            },
            checkpoint_bins: None,
            seed: 1,
        };
        match form {
            Form::Corrected => spec.with_default_optimiser(),
            // The published form is fitted as published.
            Form::Published => Self {
                optimiser: Optimiser::Adam {
                    initial_scale: None,
                    steps: Steps::default(),
                },
                ..spec
            },
        }
    }

    /// The same with what moves its parameters unless that is said: the likelihood alone is convex without hidden
    /// units and with a drive that is linear in its weights, and L-BFGS finds its optimum; for all else it is
    /// [`Optimiser::default`], with the numbers it had.
    pub fn with_default_optimiser(self) -> Self {
        let convex = self.objective.kind() == ObjectiveKind::Mle
            && self.network.hidden == 0
            && self.network.couplings == Couplings::Dense
            && self.network.signs.observed_inhibitory.is_none()
            && !matches!(self.drive, Drive::Movie(_))
            && self.checkpoint_bins.is_none();
        let optimiser = if convex {
            Optimiser::Lbfgs {
                ridge: Ridge::Validation,
                then: None,
            }
        } else {
            let mut optimiser = Optimiser::default();
            if let (Some(own), Some(steps)) = (self.optimiser.steps(), optimiser.steps_mut()) {
                *steps = *own;
            }
            optimiser
        };
        Self { optimiser, ..self }
    }

    /// The same moved by Adam from couplings that are drawn.
    pub fn with_adam(self, steps: Steps) -> Self {
        let optimiser = Optimiser::Adam {
            initial_scale: Some(self.optimiser.initial_scale()),
            steps,
        };
        Self { optimiser, ..self }
    }

    /// First bin of a trial that carries loss and statistics.
    pub fn first_bin(&self) -> usize {
        match self.network.history {
            HistoryStart::Recorded => self.network.lags,
            HistoryStart::Zero => 0,
        }
    }

    /// Lags of the noise covariance, lag 0 counted.
    pub fn noise_lags(&self) -> usize {
        let own = self.objective.statistics().and_then(Statistics::noise_lags);
        own.unwrap_or(self.network.lags)
    }

    /// Iterations.
    pub fn iterations(&self) -> usize {
        self.optimiser.steps().map_or(0, |steps| steps.iterations)
    }
}
