//! What is fitted: synthetic networks with a known truth and real recordings, by settings that can be
//! written down.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

use refire_recording::{BinWidth, Pvc11, Pvc11Files, Recording, RecordingError, RecordingFile};
use refire_synth::{GroundTruth, SynthError, SynthSettings, recording};
use serde::Serialize;

use crate::cache::hash;

/// Networks tried for a seed before it is given up: a strongly coupled one may run away by itself, which
/// no recording could be made of.
const DRAWS: u64 = 20;

/// Apart by so much, seeds of further draws meet no other seed of a figure.
const FURTHER: u64 = 1_000_003;

/// A network that does not run away and its recording: that of the seed, or of the first further draw that
/// is stable.
pub(crate) fn synthetic(settings: &SynthSettings, seed: u64) -> Result<(GroundTruth, Recording)> {
    let mut draw = 0;
    let truth = loop {
        let settings = SynthSettings {
            seed: seed + draw * FURTHER,
            ..settings.clone()
        };
        match GroundTruth::draw(&settings) {
            Err(SynthError::Unstable { .. }) if draw < DRAWS => draw += 1,
            other => break other?,
        }
    };
    let recording = recording(&truth, settings.trials_per_condition()?, seed)?;
    Ok((truth, recording))
}

/// A recording of a network's observed units, or of all.
pub(crate) fn recorded(
    truth: &GroundTruth,
    all: bool,
    trials: usize,
    seed: u64,
) -> Result<Recording> {
    let seen = GroundTruth {
        observed: if all { truth.units() } else { truth.observed },
        ..truth.clone()
    };
    Ok(recording(&seen, trials, seed)?)
}

/// A real recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Real {
    /// File name without its ending.
    pub(crate) name: String,
    /// Hash of the file.
    pub(crate) hash: String,
    /// Width of a bin, seconds; that of the file, or the program's default, where none is given.
    pub(crate) bin_s: Option<f64>,
    #[serde(skip)]
    pub(crate) path: PathBuf,
}

/// Recordings whose source has wider bins than the program's default, by name: their spike times lie in the
/// middle of those bins, and narrower ones would be empty in turns.
const WIDER: [(&str, f64); 1] = [("salamander_retina_movie", 0.02)];

impl Real {
    /// A recording in bins of so many seconds, or in those of its source.
    pub(crate) fn new(path: &Path, bin_s: Option<f64>) -> Result<Self> {
        let bytes = std::fs::read(path).with_context(|| path.display().to_string())?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        let wider = WIDER.iter().find(|(wider, _)| *wider == name);
        Ok(Self {
            name: name.into_owned(),
            hash: hash(&bytes),
            bin_s: bin_s.or(wider.map(|(_, bin_s)| *bin_s)),
            path: path.to_path_buf(),
        })
    }

    /// Reads it.
    pub(crate) fn recording(&self) -> Result<Recording> {
        let width = self.bin_s.map(BinWidth::from_seconds).transpose();
        let file = RecordingFile::open(&self.path)?;
        Ok(file.bin(width.map_err(RecordingError::from)?)?)
    }
}

/// The published recording.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Published {
    /// Hash of its four files.
    pub(crate) hash: String,
    #[serde(skip)]
    folder: PathBuf,
}

impl Published {
    /// The recording of a folder.
    pub(crate) fn new(folder: &Path) -> Result<Self> {
        let files = Pvc11Files::find(folder)?;
        let mut hashes = String::new();
        for path in [&files.train, &files.test, &files.validation, &files.movie] {
            hashes += &Real::new(path, None)?.hash;
        }
        Ok(Self {
            hash: hash(hashes.as_bytes()),
            folder: folder.to_path_buf(),
        })
    }

    /// Reads it.
    pub(crate) fn open(&self) -> Result<Pvc11> {
        Ok(Pvc11::open(&self.folder)?)
    }
}
