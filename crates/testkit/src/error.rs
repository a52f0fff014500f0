//! What an oracle cannot do.

/// Why an exact answer cannot be given.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum OracleError {
    /// Too many spike paths to list.
    #[error("spike bits of a path: expected at most {limit}, found {found}")]
    TooManyBits {
        /// Most bits a path may have.
        limit: usize,
        /// Bits found.
        found: usize,
    },
    /// Too many different samples of trials to list.
    #[error(
        "samples of {trials} trials with {values} probabilities: expected at most {limit}, found {found}"
    )]
    TooManySamples {
        /// Trials of a sample.
        trials: usize,
        /// Different probabilities that a trial may have.
        values: usize,
        /// Most samples that are listed.
        limit: u64,
        /// Samples found.
        found: u64,
    },
    /// A list does not have the length that the network asks for.
    #[error("{what}: expected {expected}, found {found}")]
    Shape {
        /// The quantity.
        what: &'static str,
        /// Its expected size.
        expected: usize,
        /// The size found.
        found: usize,
    },
    /// A condition without a second trial has no covariance.
    #[error("trials of condition {condition}: expected 2 or more, found {found}")]
    TooFewTrials {
        /// The condition.
        condition: usize,
        /// Trials found.
        found: usize,
    },
    /// The simulator refused the network.
    #[error(transparent)]
    Sim(#[from] refire_sim::SimError),
    /// Trials that cannot be laid out.
    #[error(transparent)]
    Layout(#[from] refire_core::LayoutError),
    /// Newton's method has not reached the optimum of a unit.
    #[error(
        "maximum likelihood of unit {unit}: gradient norm {norm:.1e} per observation after \
         {iterations} Newton steps (is a spike perfectly predicted?)"
    )]
    NotConverged {
        /// The target unit.
        unit: usize,
        /// Norm of the gradient per observation.
        norm: f64,
        /// Steps made.
        iterations: usize,
    },
}
