//! What a command may write over: what it wrote itself, and nothing that it reads.

use super::failure::Failure;
use refire::recording::NpzFile;
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
    if force || !out.is_file() {
        return Ok(());
    }
    let own = NpzFile::open(out).is_ok_and(|file| file.contains(key));
    if own {
        return Ok(());
    }
    Err(Failure::input(format!(
        "{}: is there and was not written by this command; expected a free name (--force replaces it)",
        out.display()
    )))
}

/// Refuses to replace the recording of a folder unless its truth lies beside it: then both were generated.
pub fn refuse_recording(folder: &Path, force: bool) -> Result<(), Failure> {
    let (recording, truth) = (folder.join(RECORDING_FILE), folder.join(TRUTH_FILE));
    let generated = NpzFile::open(truth).is_ok_and(|file| file.contains("population"));
    match generated {
        true => Ok(()),
        false => refuse_foreign(&recording, "a key that no recording has", force),
    }
}
