#![doc = include_str!("../README.md")]

mod adam;
mod clip;
mod natural;
mod schedule;

pub use adam::Adam;
pub use clip::clip_norm;
pub use natural::{Descent, Natural};
pub use schedule::cosine;
