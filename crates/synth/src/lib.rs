//! Synthetic ground truth: random networks of excitatory and inhibitory units whose every parameter
//! is known, and recordings simulated from them.
//!
//! ```
//! use refire_synth::{GroundTruth, SynthSettings, recording};
//!
//! // 8 of 12 units are recorded: the other 4 act unseen.
//! let settings = SynthSettings {
//!     observed_units: 8,
//!     hidden_units: 4,
//!     trials: 20,
//!     ..SynthSettings::default()
//! };
//! let truth = GroundTruth::draw(&settings)?;
//! let recording = recording(&truth, settings.trials_per_condition()?, settings.seed)?;
//! assert_eq!((recording.n_trials(), recording.n_units()), (20, 8));
//! assert_eq!(truth.summed_couplings().len(), 12 * 12); // [source][target]
//! # Ok::<(), refire_synth::SynthError>(())
//! ```
//!
//! [`GroundTruth::draw`] makes a network from [`SynthSettings`], [`toy_three_populations`] a small
//! named one, [`GroundTruth::structured`] one of populations with given couplings between them
//! ([`StructuredSettings`]), [`MovieNetwork`] one that a movie drives through convolutions. [`simulate`] gives the
//! spikes of all units, [`recording`] those of the observed ones.
//!
//! # Files
//!
//! [`write()`] makes two: `recording.npz`, a recording in binned form, and `truth.npz`, which
//! [`read_truth`] and `numpy.load` read:
//!
//! | key | type | shape | meaning |
//! | --- | --- | --- | --- |
//! | `couplings` | float32 | (n, lags, n) | `[source][lag][target]`, lag 1 first; currents |
//! | `bias` | float32 | (n,) | bias current |
//! | `drive` | float32 | (conditions, bins, n) | drive current; condition as labelled in the recording |
//! | `theta` | float64 | () | threshold, a current |
//! | `observed` | int64 | () | number of observed units, which come first |
//! | `population` | int64 | (n,) | label: 0 excitatory, 1 inhibitory; in the toy network A, B, C; in a structured one the place of the population |
//! | `mask` | uint8 | (n, n) | `[source][target]`, 1 where there is a synapse; 0 on the diagonal |
//! | `bin_size` | float64 | () | seconds |
//! | `seed` | int64 | () | seed of the network (the same 64 bits, signed) |
//! | `stimulus` | float64 | (samples, features), or per condition (conditions, samples, features) | known features of the drive; absent where there are none |
//! | `stimulus_dt` | float64 | () | seconds per sample; beside `stimulus` only |
//!
//! n counts observed and hidden units.
//!
//! Layer 3: uses `refire-core`, `refire-drive`, `refire-neuron`, `refire-random`, `refire-recording`, `refire-sim`.
//! The model is that of Bellec, Wang et al., NeurIPS 2021 (arXiv 2106.10064); how networks are
//! drawn is our own construction.

mod calibrate;
mod draw;
mod error;
mod features;
mod files;
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
pub use files::{RECORDING_FILE, TRUTH_FILE, read_truth, write, write_truth};
pub use movie::{MovieNetwork, MovieSettings};
pub use settings::SynthSettings;
pub use simulate::{recording, simulate};
pub use structured::{ASSEMBLIES, Population, StructuredSettings};
pub use toy::{TOY_BINS, TOY_POPULATION, TOY_TRIALS, toy_three_populations};
pub use truth::{EXCITATORY, GroundTruth, INHIBITORY};
