#![doc = include_str!("../README.md")]

mod basis;
mod design;
mod encoder;
mod error;
mod features;
mod movie;
mod none;
mod spec;
mod standardise;

pub use basis::{Bumps, ConditionBasis};
pub use design::{Design, Term};
pub use encoder::{Encoder, Kept};
pub use error::DriveError;
pub use features::FeatureDrive;
pub use movie::{Grey, MovieDrive, MovieShape};
pub use none::NoDrive;
pub use spec::DriveSpec;
pub use standardise::Standardise;
