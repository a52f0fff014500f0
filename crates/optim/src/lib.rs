#![doc = include_str!("../README.md")]

mod adam;
mod clip;
mod schedule;

pub use adam::Adam;
pub use clip::clip_norm;
pub use schedule::cosine;
