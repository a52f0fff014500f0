//! Ranges of numbers.

use crate::FitError;
use std::fmt::Display;

/// A count of 1 or more.
pub(super) fn at_least_1(
    name: &'static str,
    found: usize,
    allowed: &'static str,
) -> Result<(), FitError> {
    require(found >= 1, name, allowed, found)
}

/// Lags of the couplings: 1 or more, and few enough to be added to bins.
pub(super) fn lags(found: usize) -> Result<(), FitError> {
    let holds = (1..=1 << 32).contains(&found);
    require(holds, "lags", "1 to 4294967296 bins", found)
}

/// A number above 0.
pub(super) fn positive(name: &'static str, found: f64) -> Result<(), FitError> {
    let holds = found > 0.0 && found.is_finite();
    require(holds, name, "a positive number", found)
}

/// A number of 0 or more.
pub(super) fn not_negative(name: &'static str, found: f64) -> Result<(), FitError> {
    let holds = found >= 0.0 && found.is_finite();
    require(holds, name, "zero or a positive number", found)
}

/// Refuses a setting that does not hold.
pub(super) fn require(
    holds: bool,
    name: &'static str,
    allowed: &'static str,
    found: impl Display,
) -> Result<(), FitError> {
    match holds {
        true => Ok(()),
        false => Err(FitError::setting(name, allowed, found)),
    }
}
