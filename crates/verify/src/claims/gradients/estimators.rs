//! The estimators of the gradient that are compared.

use refire_neuron::SpikeGradient;

/// The estimators, with the names of `--spike-gradient`.
pub const ESTIMATORS: [(&str, SpikeGradient); 5] = [
    ("escape", SpikeGradient::Escape),
    (
        "escape, dampening 0.5 (default)",
        SpikeGradient::Damped(0.5),
    ),
    ("triangle (published)", SpikeGradient::Triangle),
    ("reinmax", SpikeGradient::ReinMax),
    ("score", SpikeGradient::Score),
];
