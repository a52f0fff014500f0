//! Time steps of files.

use crate::{BinWidth, NpzFile, RecordingError};

/// A time step in seconds. One stored as float32 is the decimal it was rounded from: 0.01, not
/// 0.009999999776, so that files of either precision give the same recording.
pub(crate) fn width(file: &mut NpzFile, key: &str) -> Result<BinWidth, RecordingError> {
    let exact = file.scalar_f64(key)?;
    let single = exact as f32;
    let seconds = if f64::from(single) == exact {
        single.to_string().parse().unwrap_or(exact)
    } else {
        exact
    };
    BinWidth::from_seconds(seconds)
        .map_err(|e| RecordingError::value(key, e.found, "positive, finite seconds"))
}
