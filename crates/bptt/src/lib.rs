#![doc = include_str!("../README.md")]

mod gradient;
mod reverse;
mod score;
mod within_bin;

pub use gradient::Gradient;
pub use reverse::{Sweep, SweepState, gradient, sweep, sweep_window};
pub use score::add_score;

pub use refire_neuron::SpikeGradient;
pub use refire_sim::{
    AdjointSink, Adjoints, Coupling, DenseCoupling, EscapeNoise, KeyedUniforms, Logistic,
    Memoryless, Mode, Network, Pass, Purpose, SimError, Simulated, Simulation, SlopesOf, Stream,
    Trajectory, TrialArray, TrialLayout, UnitDynamics, Window, run,
};
