#![doc = include_str!("../README.md")]

mod batch;
mod engine;
mod error;
mod losses;
mod padded;
mod parameters;
mod pass;
mod rewards;
mod shape;
#[cfg(test)]
mod windows_tests;
mod wiring;

pub use batch::{Batch, Streams};
pub use engine::Engine;
pub use error::EngineError;
pub use losses::{Losses, WeightedTerm};
pub use padded::PaddedNetwork;
pub use parameters::{Parameters, TENSORS};
pub use pass::EngineOptions;
pub use shape::{FittedNetwork, NetworkShape, NetworkTensors};
pub use wiring::Wiring;

pub use refire_core::{RecordedTrials, TrialArray, TrialLayout};
pub use refire_drive::{Encoder, NoDrive};
pub use refire_loss::{AdjointSink, Likelihood, LossError, LossTerm, Mode, Window};
pub use refire_neuron::{Logistic, SpikeGradient};
