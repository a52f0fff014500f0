#![doc = include_str!("../README.md")]

mod adjoints;
mod coupling;
mod error;
mod lagged;
mod network;
mod order;
mod pass;
mod same_bin;
mod simulate;
mod state;
mod trajectory;
mod window;

pub use adjoints::{AdjointSink, Adjoints, ProbabilityRows, Slopes, SlopesOf};
pub use coupling::{
    AnyCoupling, Connectivity, Coupling, DenseCoupling, LowRankCoupling, SparseCoupling,
};
pub use error::SimError;
pub use lagged::{Behind, LaggedSums};
pub use network::{Network, THRESHOLD};
pub use order::UnitOrder;
pub use pass::{Mode, Pass, run, run_window};
pub use same_bin::{BinRows, Packed, SameBin};
pub use simulate::{Simulated, Simulation};
pub use state::PassState;
pub use trajectory::{GivenUniforms, Trajectory};
pub use window::Window;

pub use refire_core::{LayoutError, SpikeIndex, TrialArray, TrialLayout};
pub use refire_kernels::Real;
pub use refire_neuron::{EscapeNoise, Logistic, Memoryless, UnitDynamics};
pub use refire_random::{KeyedUniforms, Purpose, Stream, Uniforms};
