#![doc = include_str!("../README.md")]

pub use refire_bptt as bptt;
pub use refire_convex as convex;
pub use refire_core as core;
pub use refire_drive as drive;
pub use refire_engine as engine;
pub use refire_fit as fit;
pub use refire_kernels as kernels;
pub use refire_loss as loss;
pub use refire_metrics as metrics;
pub use refire_neuron as neuron;
pub use refire_optim as optim;
pub use refire_published as published;
pub use refire_random as random;
pub use refire_recording as recording;
pub use refire_report as report;
pub use refire_sim as sim;
pub use refire_synth as synth;
