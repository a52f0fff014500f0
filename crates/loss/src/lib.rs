#![doc = include_str!("../README.md")]

pub mod covariance;
mod data;
mod error;
mod hidden;
mod likelihood;
mod noise;
mod noise_sampled;
mod psth;
mod size;
mod spikes_before;
mod term;
pub mod trials;

pub use data::DataStatistics;
pub use error::LossError;
pub use hidden::HiddenRate;
pub use likelihood::Likelihood;
pub use noise::NoiseCovariance;
pub use noise_sampled::{PairSample, SampledNoiseCovariance, units_for_pairs};
pub use psth::Psth;
pub use size::{NoiseSize, SampledSize};
pub use term::LossTerm;

pub use refire_core::{Recorded, TrialArray, TrialLayout};
pub use refire_sim::{
    AdjointSink, DenseCoupling, Mode, Network, SimError, Simulation, Slopes, Window,
};
