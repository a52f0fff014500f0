//! What a fit is: a specification made of parts in which what cannot be said cannot be meant, and the only defaults.

mod check;
mod drive;
mod facts;
mod flat;
mod network;
mod numbers;
mod objective;
mod optimiser;
mod trials;
mod whole;

pub use drive::{Drive, DriveKind};
pub use facts::Facts;
pub use flat::FlatSettings;
pub use network::{
    CouplingKind, Couplings, Dynamics, Escape, HistoryStart, NetworkSpec, Signs, Switch, Synapses,
};
pub use objective::{Corrected, Form, Noise, Objective, ObjectiveKind, Published, Statistics};
pub use optimiser::{Optimiser, OptimiserKind, Priors, Ridge, Steps};
pub use trials::{Piece, Trials};
pub use whole::{BatchSize, HeldOut, HoldOut, Specification};

#[cfg(test)]
mod tests;
