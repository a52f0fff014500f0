//! Why a loss has no value.

/// Why a loss has no value.
#[derive(Clone, Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum LossError {
    /// No condition of the batch has enough trials for the statistic.
    #[error("loss term {term}: no condition of the batch has {needed} trials that share a bin")]
    NoUsableCondition {
        /// Name of the term.
        term: &'static str,
        /// Trials of one condition it needs.
        needed: usize,
    },
    /// The term compares with recorded trials of the batch and got none.
    #[error("loss term {term}: expected the recorded trials of the batch, found none")]
    NoRecordedTrials {
        /// Name of the term.
        term: &'static str,
    },
    /// The batch holds a condition the data statistics lack.
    #[error("loss term {term}: no data statistics of condition {condition}")]
    UnknownCondition {
        /// Name of the term.
        term: &'static str,
        /// Dense index of the condition.
        condition: usize,
    },
}
