//! Why an optimiser cannot be built.

/// Why an optimiser cannot be built.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum OptimError {
    /// A setting out of its range.
    #[error("{quantity} is {found}, expected {expected}")]
    Setting {
        /// Name of the setting, e.g. `Adam: epsilon`.
        quantity: &'static str,
        /// Its value.
        found: f64,
        /// What it may be.
        expected: &'static str,
    },
    /// Stored moments of unequal length.
    #[error("Adam: {second} second moments, expected {first}, the number of first moments")]
    Moments {
        /// Number of first moments.
        first: usize,
        /// Number of second moments.
        second: usize,
    },
}

/// Whether the weight of the past in a running mean lies in [0, 1).
pub(crate) fn check_decay(quantity: &'static str, found: f64) -> Result<(), OptimError> {
    if (0.0..1.0).contains(&found) {
        return Ok(());
    }
    Err(OptimError::Setting {
        quantity,
        found,
        expected: "a number >= 0 and < 1",
    })
}
