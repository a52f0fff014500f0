#![doc = include_str!("../README.md")]

mod adam;
mod clip;
mod error;
mod schedule;

pub use adam::{Adam, AdamSettings};
pub use clip::clip_norm;
pub use error::OptimError;
pub use schedule::Schedule;
