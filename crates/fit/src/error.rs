//! Errors of fitting, simulating and evaluating.

use refire_drive::DriveError;
use refire_engine::EngineError;
use refire_loss::LossError;
use refire_recording::{Label, RecordingError, SplitError};
use refire_sim::SimError;
use std::fmt::Display;

/// Why a fit, a simulation or an evaluation could not be done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// A setting is out of its range.
    #[error("setting {name}: expected {allowed}, found {found}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// What is allowed.
        allowed: &'static str,
        /// What was given.
        found: String,
    },
    /// The likelihood cannot be solved.
    #[error("maximum likelihood: {0}")]
    Convex(#[from] refire_convex::ConvexError),
    /// A trial is too short for the history.
    #[error(
        "trial {trial} has {bins} bins; expected at least {least}: one more than lags and noise-lags, or min-trial-bins (fewer lags, smaller bins or a longer trial-length help)"
    )]
    TooFewBins {
        /// Index of the trial in the recording, from 0.
        trial: usize,
        /// Its bins.
        bins: usize,
        /// Fewest that count.
        least: usize,
    },
    /// The drive by features was asked for and the recording holds none.
    #[error(
        "drive: expected a recording with `stimulus` for --drive features or movie, found none"
    )]
    NoStimulus,
    /// A stimulus for a model that none drives.
    #[error(
        "stimulus: expected a model driven by features or a movie, found one with another drive"
    )]
    NoUseForStimulus,
    /// The training trials measure no term of the objective, or those of weight 0 only.
    #[error(
        "objective: expected a term of weight above 0 that the training trials can measure, found \
         none ({reasons})"
    )]
    NothingToFit {
        /// Why terms were left out.
        reasons: String,
    },
    /// A condition the model was not fitted on.
    #[error(
        "condition {label} is none of those of the model, or of the stimulus that drives it: {known}"
    )]
    UnknownCondition {
        /// Label of the condition.
        label: Label,
        /// Labels the model has.
        known: String,
    },
    /// Model and recording do not have the same units.
    #[error("units: the model has {expected}, the recording {found}")]
    Units {
        /// Units of the model.
        expected: String,
        /// Units of the recording.
        found: String,
    },
    /// Model and recording do not have the same bin width.
    #[error("bin width: the model has {expected} s, the recording is binned at {found} s")]
    BinWidth {
        /// Bin width of the model, seconds.
        expected: f64,
        /// Bin width of the recording, seconds.
        found: f64,
    },
    /// A trial is longer than the drive of its condition.
    #[error("trial {trial} has {found} bins, the model's condition {label} has {expected}")]
    TrialTooLong {
        /// Index of the trial in the recording, from 0.
        trial: usize,
        /// Label of its condition.
        label: Label,
        /// Longest trial of the condition in the model, bins.
        expected: usize,
        /// Bins of the trial.
        found: usize,
    },
    /// More numbers than can be held.
    #[error(
        "a fit of {units} units with {lags} lags and batches of {batch} trials needs about \
         {gigabytes:.0} GB, more than can be held in memory (use fewer hidden units, lags, trials per batch or free bins)"
    )]
    TooLarge {
        /// Units, hidden ones included.
        units: f64,
        /// Lags.
        lags: usize,
        /// Trials per batch.
        batch: usize,
        /// Estimate of the memory, 10^9 bytes.
        gigabytes: f64,
    },
    /// A file that cannot be written.
    #[error("{path}: cannot be written: {reason}")]
    Unwritten {
        /// The file.
        path: String,
        /// What the system says.
        reason: String,
    },
    /// More memory than may be asked for.
    #[error(transparent)]
    Memory(#[from] refire_core::MemoryError),
    /// Loss or gradient left the finite numbers.
    #[error("iteration {iteration}: the {what} of term {term} is not finite")]
    NotFinite {
        /// Iteration, counted from 0.
        iteration: usize,
        /// `loss`, `validation loss` or `gradient`.
        what: &'static str,
        /// Name of the term, or of the tensor whose gradient it is.
        term: &'static str,
    },
    /// A model or checkpoint file cannot be used.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A checkpoint was written by a fit with other settings or of another recording.
    #[error("resume: {what} of the checkpoint is {expected}, this fit has {found}")]
    Resume {
        /// What differs.
        what: String,
        /// In the checkpoint.
        expected: String,
        /// In this fit.
        found: String,
    },
    /// An objective cannot be evaluated.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// A loss term has no value.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// A pass cannot be run.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// The drive cannot be built.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// The recording cannot be used.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The trials cannot be split.
    #[error(transparent)]
    Split(#[from] SplitError),
}

impl FitError {
    /// A setting out of its range.
    pub(crate) fn setting(name: &'static str, allowed: &'static str, found: impl Display) -> Self {
        Self::Setting {
            name,
            allowed,
            found: found.to_string(),
        }
    }

    /// Sparse couplings without synapses.
    pub(crate) fn no_synapses() -> Self {
        let allowed = "an in-degree or a mask of synapses with sparse";
        Self::setting("couplings", allowed, "none")
    }
}
