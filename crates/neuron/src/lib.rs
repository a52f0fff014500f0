#![doc = include_str!("../README.md")]

mod dynamics;
mod escape;
mod gradient;

pub use dynamics::{Memoryless, Past, UnitDynamics};
pub use escape::{EscapeNoise, Logistic};
pub use gradient::SpikeGradient;
