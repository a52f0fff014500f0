//! What a command may write over: what it wrote itself, and nothing that it reads.

use super::failure::Failure;
use super::lock::refuse_locked;
use refire::fit::{Checkpoint, Model};
use refire::recording::{NpzFile, Outputs, RecordingFile};
use refire::synth::{RECORDING_FILE, RECORDING_HASH, TRUTH_FILE};
use serde_json::Value;
use std::path::Path;

/// Names of the files in the folder of a fit.
pub const MODEL: &str = "model.refire";
pub const FIGURES: &str = "fit.json";
pub const REPORT: &str = "report.html";
pub const CHECKPOINT: &str = "checkpoint.refire";

/// Refuses an output that is one of the inputs.
pub fn refuse_inputs(out: &Path, inputs: &[&Path]) -> Result<(), Failure> {
    let same = |input: &&&Path| match (out.canonicalize(), input.canonicalize()) {
        (Ok(out), Ok(input)) => out == input,
        _ => false,
    };
    match inputs.iter().find(same) {
        None => Ok(()),
        Some(input) => Err(Failure::input(format!(
            "--out {}: this is {}, which the command reads; expected another file",
            out.display(),
            input.display()
        ))),
    }
}

/// Files of a folder that one run at a time writes into.
const OF_RUNS: [&str; 6] = [
    MODEL,
    FIGURES,
    REPORT,
    CHECKPOINT,
    RECORDING_FILE,
    TRUTH_FILE,
];

/// Refuses to replace an npz file that lacks a key which every file written by this command has, unless `force`, and
/// one that another run is about to write.
pub fn refuse_foreign(out: &Path, key: &str, force: bool) -> Result<(), Failure> {
    refuse_locked(out, &OF_RUNS)?;
    refuse_unless(force || has_key(out, key), out)
}

/// Refuses to replace these files of a folder whose recording was not generated, unless `force`.
pub fn refuse_not_generated(folder: &Path, files: &[&str], force: bool) -> Result<(), Failure> {
    let truth = folder.join(TRUTH_FILE);
    let may = force || has_key(&truth, "population");
    let mut names = files.iter();
    names.try_for_each(|name| refuse_unless(may, &folder.join(name)))?;
    // Another recording may have come beside the truth.
    let recording = folder.join(RECORDING_FILE);
    refuse_unless(force || is_recording_of(&truth, &recording), &recording)
}

/// Whether a recording is the one that a truth says it was generated with; true where it says none.
fn is_recording_of(truth: &Path, recording: &Path) -> bool {
    let told = NpzFile::open(truth).and_then(|mut file| file.labels(RECORDING_HASH));
    let Ok(told) = told else {
        return true;
    };
    let hash = RecordingFile::open(recording).and_then(|file| file.bin(None));
    let hash = hash.map(|recording| recording.hash());
    told.values
        .iter()
        .any(|told| hash.as_ref().is_ok_and(|hash| told.to_string() == *hash))
}

/// Refuses to replace what no fit wrote, unless `force`: a report is one of a fit where its model or figures are.
pub fn refuse_not_fitted(folder: &Path, force: bool) -> Result<(), Failure> {
    let path = |name| folder.join(name);
    let text = std::fs::read_to_string(path(FIGURES)).unwrap_or_default();
    let of_fit = |figures: Value| {
        ["settings", "losses", "held_out"]
            .iter()
            .all(|&key| figures.get(key).is_some())
    };
    let figures = serde_json::from_str(&text).is_ok_and(of_fit);
    let model = Model::is_at(&path(MODEL));
    refuse_unless(force || figures, &path(FIGURES))?;
    refuse_unless(force || model, &path(MODEL))?;
    refuse_unless(
        force || Checkpoint::is_at(&path(CHECKPOINT)),
        &path(CHECKPOINT),
    )?;
    refuse_unless(force || figures || model, &path(REPORT))
}

fn has_key(file: &Path, key: &str) -> bool {
    NpzFile::open(file).is_ok_and(|file| file.contains(key))
}

/// Refuses a file that is there and may not be replaced.
fn refuse_unless(may: bool, out: &Path) -> Result<(), Failure> {
    if may || !out.is_file() {
        return Ok(());
    }
    Err(Failure::input(format!(
        "{}: is there and was not written by this command; expected a free name (--force replaces it)",
        out.display()
    )))
}

/// Adds a text to files that are to appear together.
pub fn add_text(outputs: &mut Outputs, path: &Path, text: &str) -> Result<(), Failure> {
    (outputs.add(path, text.as_bytes())).map_err(|e| cannot_be_written(path, &e))
}

/// Gives all files of a folder their names.
pub fn publish(outputs: Outputs, folder: &Path) -> Result<(), Failure> {
    (outputs.publish()).map_err(|e| cannot_be_written(folder, &e))
}

fn cannot_be_written(path: &Path, error: &std::io::Error) -> Failure {
    Failure::work(format!("{}: cannot be written: {error}", path.display()))
}
