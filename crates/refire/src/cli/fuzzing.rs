//! What the fuzz targets of `fuzz/` reach of the command.

use super::options::{FitOptions, read_mask};
use refire::recording::Recording;
use std::path::Path;

/// Reads options from a file, makes a specification of them.
pub fn config(path: &Path, recording: &Recording) {
    if let Ok(options) = FitOptions::read(path) {
        if let Ok(recording) = options.cut(recording.clone(), None) {
            let _ = options.resolve(&recording, None);
        }
    }
}

/// Reads the synapses of a mask.
pub fn mask(path: &Path) {
    let _ = read_mask(path);
}
