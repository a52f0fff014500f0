#![doc = include_str!("../README.md")]

mod calibrate;
mod draw;
mod error;
mod features;
mod files;
mod lognormal;
mod movie;
mod settings;
mod simulate;
mod size;
mod sources;
mod spectral;
mod structured;
mod toy;
mod truth;

pub use error::SynthError;
pub use files::{RECORDING_FILE, RECORDING_HASH, TRUTH_FILE, read_truth, write, write_truth};
pub use movie::{MovieNetwork, MovieSettings};
pub use settings::SynthSettings;
pub use simulate::{recording, simulate};
pub use structured::{ASSEMBLIES, Population, StructuredSettings};
pub use toy::{TOY_BINS, TOY_POPULATION, TOY_TRIALS, toy_three_populations};
pub use truth::{EXCITATORY, GroundTruth, INHIBITORY};
