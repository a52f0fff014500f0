//! Why an objective cannot be evaluated.

use refire_loss::LossError;
use refire_sim::SimError;

/// Why an objective cannot be evaluated.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// Couplings that cannot be had.
    #[error("setting couplings: expected {expected}, found {found}")]
    Couplings {
        /// How many parameters there may be, in words.
        expected: &'static str,
        /// How many there would be, in words.
        found: &'static str,
    },
    /// A term that cannot be measured window by window.
    #[error(
        "setting checkpoint-bins: expected 0 with a term that needs all bins at once, found {window} \
         with {term}"
    )]
    NeedsAllBins {
        /// Name of the term.
        term: &'static str,
        /// Bins of a window.
        window: usize,
    },
    /// A loss term has no value.
    #[error(transparent)]
    Loss(#[from] LossError),
    /// A pass cannot be run.
    #[error(transparent)]
    Sim(#[from] SimError),
}
