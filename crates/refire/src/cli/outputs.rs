//! What a command may write over: what it wrote itself, and nothing that it reads.

use super::failure::Failure;
use refire::recording::{NpzFile, Outputs};
use refire::synth::TRUTH_FILE;
use serde_json::Value;
use std::path::Path;

/// Names of the files in the folder of a fit.
pub const MODEL: &str = "model.refire";
pub const FIGURES: &str = "fit.json";
pub const REPORT: &str = "report.html";

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

/// Refuses to replace an npz file that lacks a key which every file written by this command has, unless `force`.
pub fn refuse_foreign(out: &Path, key: &str, force: bool) -> Result<(), Failure> {
    refuse_unless(force || has_key(out, key), out)
}

/// Refuses to replace these files of a folder whose recording was not generated, unless `force`.
pub fn refuse_not_generated(folder: &Path, files: &[&str], force: bool) -> Result<(), Failure> {
    let may = force || has_key(&folder.join(TRUTH_FILE), "population");
    let mut files = files.iter();
    files.try_for_each(|name| refuse_unless(may, &folder.join(name)))
}

/// Refuses to replace a fit.json that no fit wrote, or a report in the folder of none, unless `force`.
pub fn refuse_not_fitted(folder: &Path, force: bool) -> Result<(), Failure> {
    let figures = folder.join(FIGURES);
    let text = std::fs::read_to_string(&figures).unwrap_or_default();
    let settings = |figures: Value| figures.get("settings").is_some();
    let fitted = serde_json::from_str(&text).is_ok_and(settings);
    refuse_unless(force || fitted, &figures)?;
    let fitted = fitted || folder.join(MODEL).is_file();
    refuse_unless(force || fitted, &folder.join(REPORT))
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
