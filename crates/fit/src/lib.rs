//! Fitting driver: settings, objective, training loop, model and checkpoint files, simulation from
//! a model, evaluation on held-out trials.
//!
//! ```
//! use refire_core::TrialArray;
//! use refire_fit::{Settings, Trainer};
//! use refire_recording::{BinWidth, Recording, RecordingParts};
//!
//! // Twelve trials of 30 bins, two units; unit 1 follows unit 0.
//! let mut spikes = TrialArray::<u8>::zeros(12, 30, 0, 2);
//! for trial in 0..12 {
//!     for bin in (trial % 3..29).step_by(5) {
//!         spikes.row_mut(trial, bin)[0] = 1;
//!         spikes.row_mut(trial, bin + 1)[1] = 1;
//!     }
//! }
//! let recording = Recording::new(RecordingParts::new(spikes, BinWidth::from_seconds(0.01)?))?;
//! let settings = Settings { lags: 2, iterations: 5, batch: 4, ..Settings::default() };
//! let mut trainer = Trainer::new(&recording, &settings)?;
//! while !trainer.finished() {
//!     trainer.step()?;
//! }
//! let model = trainer.model();
//! assert_eq!(model.parameters.couplings.len(), 2 * 2 * 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Layer 4: uses every crate below it; knows no command line and no report.

mod batch;
mod checkpoint;
mod convex;
mod copies;
mod dale;
mod engine;
mod error;
mod evaluate;
mod model;
mod model_file;
mod objective;
mod padded;
mod parameters;
mod pass;
mod score;
mod settings;
mod simulate;
mod size;
mod stability;
mod trainer;
mod windows;
mod wire;
mod wiring;

pub use batch::{Batch, MIN_FREE_TRIALS, Pool};
pub use checkpoint::Checkpoint;
pub use convex::{ConvexReport, Optimizer, RidgeSource, RidgeStep, UnitEnd};
pub use engine::{Engine, FittedNetwork, Losses, Streams, WeightedTerm};
pub use error::FitError;
pub use evaluate::{Evaluation, SplitChoice, TestFigures, UnitFigures, evaluate};
pub use model::{Model, Training};
pub use objective::terms;
pub use padded::PaddedNetwork;
pub use parameters::{Parameters, TENSORS};
pub use settings::{DriveKind, Form, HistoryStart, Objective, Settings, Weights};
pub use simulate::{FreeRuns, Slot, free_runs};
pub use stability::{PRESENTATIONS, RUNS, StabilityReport, judge};
pub use trainer::{History, StepReport, Trainer, VALIDATE_EVERY};
pub use wiring::CouplingKind;
