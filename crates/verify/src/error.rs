//! Why a check could not be made.

/// Why a check could not be made: not a failed claim.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The oracle has no answer.
    #[error(transparent)]
    Oracle(#[from] refire_testkit::OracleError),
    /// The fit refused its input.
    #[error(transparent)]
    Fit(#[from] refire_fit::FitError),
    /// The simulator refused its input.
    #[error(transparent)]
    Sim(#[from] refire_sim::SimError),
    /// Trials that cannot be laid out.
    #[error(transparent)]
    Layout(#[from] refire_core::LayoutError),
    /// A recording that cannot be made.
    #[error(transparent)]
    Recording(#[from] refire_recording::RecordingError),
    /// A figure that does not exist.
    #[error("{what}: expected a value, found {reason}")]
    Missing {
        /// The figure.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// No claim of this name.
    #[error("claim: expected one of {known}, found '{found}'")]
    UnknownClaim {
        /// The names there are.
        known: String,
        /// The name given.
        found: String,
    },
    /// The page cannot be made or written.
    #[error(transparent)]
    Report(#[from] refire_report::ReportError),
}
