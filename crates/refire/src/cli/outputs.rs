//! What a command may write over: what it wrote itself, and nothing that it reads.

use super::failure::Failure;
use refire::recording::{NpzFile, Outputs};
use refire::synth::{RECORDING_FILE, TRUTH_FILE};
use std::path::Path;

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

/// Refuses to replace recording and truth of a folder that were not generated, unless `force`.
pub fn refuse_not_generated(folder: &Path, force: bool) -> Result<(), Failure> {
    let truth = folder.join(TRUTH_FILE);
    let may = force || has_key(&truth, "population");
    refuse_unless(may, &truth)?;
    refuse_unless(may, &folder.join(RECORDING_FILE))
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
