//! Time steps of files.

use crate::{BinWidth, NpzFile, RecordingError};

/// A time step in seconds, see [`decimal`].
pub(crate) fn width(file: &mut NpzFile, key: &str) -> Result<BinWidth, RecordingError> {
    let exact = file.scalar_f64(key)?;
    BinWidth::from_seconds(decimal(exact))
        .map_err(|e| RecordingError::value(key, e.found, "positive, finite seconds"))
}

/// A time that is stored as float32 is the decimal it was rounded from: 0.01, not 0.009999999776, so that files of
/// either precision give the same recording.
pub(crate) fn decimal(exact: f64) -> f64 {
    let single = exact as f32;
    if f64::from(single) == exact {
        single.to_string().parse().unwrap_or(exact)
    } else {
        exact
    }
}
