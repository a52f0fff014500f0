//! Simulator kernel: one time loop for the clamped and the free-running pass, batched over trials.
//!
//! ```
//! use refire_core::{TrialArray, TrialLayout};
//! use refire_neuron::{Logistic, Memoryless};
//! use refire_random::{KeyedUniforms, Purpose, Stream};
//! use refire_sim::{DenseCoupling, Mode, Network, PassInput, Trajectory, run};
//!
//! // Two units, one lag: unit 0 excites unit 1.
//! let weights = [0.0f32, 2.0, 0.0, 0.0]; // [source][lag][target]
//! let network = Network {
//!     coupling: DenseCoupling::new(&weights, 2, 1)?,
//!     escape: Logistic,
//!     dynamics: Memoryless::new(0.4),
//!     bias: &[0.0, -1.0],
//!     observed: 2,
//!     live: 2,
//! };
//! let layout = TrialLayout::uniform(5, 100, 0)?;
//! let drive = TrialArray::zeros(1, 100, 0, 2); // [condition][bin][unit]
//! let input = PassInput { layout: &layout, recorded: None, before: None, drive: &drive };
//! let keys = [0, 1, 2, 3, 4];
//! let uniforms = KeyedUniforms::new(Stream::new(1, Purpose::Simulate), 0, &keys);
//! let mut trajectory = Trajectory::default();
//! run(&network, Mode::FreeRunning, &input, &uniforms, &mut trajectory)?;
//! assert_eq!(trajectory.spikes.row(0, 0).len(), 2);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Layer 2: uses `refire-core`, `refire-kernels`, `refire-neuron`, `refire-random`.
//! Source: Bellec, Wang et al., NeurIPS 2021 (arXiv 2106.10064), section 2 of the method.

mod coupling;
mod lagged;
mod pass;
mod state;
mod trajectory;

pub use coupling::{
    AnyCoupling, Connectivity, Coupling, DenseCoupling, LowRankCoupling, SparseCoupling,
};
pub use lagged::{Behind, LaggedSums};
pub use pass::{Mode, Network, PassInput, SimError, run, run_window};
pub use state::PassState;
pub use trajectory::{Cotangents, GivenUniforms, Trajectory};
