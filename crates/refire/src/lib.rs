//! refire fits recurrent spiking networks to neural recordings so that the fitted network, left to
//! run on its own, behaves like the tissue it was fitted to.
//!
//! This crate is the facade: every part is a crate of its own, re-exported here under a short name.
//!
//! ```
//! use refire::fit::{Settings, Trainer, evaluate};
//! use refire::synth::{GroundTruth, SynthSettings};
//!
//! // A small synthetic recording: 4 units, 24 trials of 40 bins in 2 conditions.
//! let small = SynthSettings {
//!     observed_units: 4,
//!     trials: 24,
//!     bins: 40,
//!     conditions: 2,
//!     ..SynthSettings::default()
//! };
//! let truth = GroundTruth::draw(&small)?;
//! let recording = refire::synth::recording(&truth, small.trials_per_condition()?, 1)?;
//!
//! // A fit, cut short; `Settings::default()` alone is a good fit.
//! let settings = Settings { iterations: 5, free_bins: 500, ..Settings::default() };
//! let mut trainer = Trainer::new(&recording, &settings)?;
//! while !trainer.finished() {
//!     trainer.step()?;
//! }
//! let evaluation = evaluate(&trainer.model(), &recording, None)?;
//! assert!(evaluation.test.rate_hz_model.value().is_some());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub use refire_bptt as bptt;
pub use refire_convex as convex;
pub use refire_core as core;
pub use refire_drive as drive;
pub use refire_fit as fit;
pub use refire_kernels as kernels;
pub use refire_loss as loss;
pub use refire_metrics as metrics;
pub use refire_neuron as neuron;
pub use refire_optim as optim;
pub use refire_random as random;
pub use refire_recording as recording;
pub use refire_report as report;
pub use refire_sim as sim;
pub use refire_synth as synth;
