#![doc = include_str!("../README.md")]

mod batch;
mod counts;
mod fft;
mod hidden;
mod noise;
mod panels;
mod psth;
mod spectral;
mod weights;

pub use batch::BatchTrials;
pub use fft::Transformable;
pub use hidden::PublishedHiddenRate;
pub use noise::PublishedNoiseCovariance;
pub use panels::matmul_whole_rows;
pub use psth::PublishedPsth;
pub use weights::PublishedWeights;

pub use refire_core::RecordedTrials;
