//! Recordings as the commands read them.

use super::failure::Failure;
use refire::recording::{Recording, RecordingFile, TimeUnit};
use std::path::Path;

/// Opens a recording whose times are in the unit asked for, seconds by default.
pub fn open(path: &Path, time_unit: Option<&str>) -> Result<RecordingFile, Failure> {
    let file = RecordingFile::open(path)?;
    let Some(text) = time_unit else {
        return Ok(file);
    };
    let unit = text.parse::<TimeUnit>();
    Ok(file.in_unit(unit.map_err(|e| Failure::input(format!("--time-unit {text}: {e}")))?)?)
}

/// Tells on standard error what there is to say about a recording.
pub fn remark(recording: &Recording) {
    for warning in recording.warnings() {
        note!("note: {warning}");
    }
    if recording.clipped_spikes() > 0 {
        note!(
            "note: {} of {} spikes ({:.2} %) share a bin with another spike of their unit and are lost in bins of {} ms",
            recording.clipped_spikes(),
            recording.total_spikes(),
            100.0 * recording.clipped_share(),
            recording.bin_width() * 1e3
        );
    }
}
