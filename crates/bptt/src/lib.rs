//! Back-propagation through time through sampled spikes: one reverse sweep pulls the cotangents of
//! any loss back to couplings, biases and drive. No tape. Where nothing is to flow through spikes, the
//! score function adds what they do to the loss.
//!
//! ```
//! use refire_bptt::{Gradient, sweep};
//! use refire_core::{TrialArray, TrialLayout};
//! use refire_neuron::{Logistic, Memoryless, SpikeGradient};
//! use refire_random::{KeyedUniforms, Purpose, Stream};
//! use refire_sim::{Cotangents, DenseCoupling, Mode, Network, PassInput, Trajectory, run};
//!
//! let weights = [0.0f64, 2.0, 0.0, 0.0]; // [source][lag][target]
//! let network = Network {
//!     coupling: DenseCoupling::new(&weights, 2, 1)?,
//!     escape: Logistic,
//!     dynamics: Memoryless::new(0.4),
//!     bias: &[0.2, -1.0],
//!     observed: 2,
//!     live: 2,
//! };
//! let layout = TrialLayout::uniform(3, 50, 0)?;
//! let drive = TrialArray::zeros(1, 50, 0, 2);
//! let input = PassInput { layout: &layout, recorded: None, before: None, drive: &drive };
//! let uniforms = KeyedUniforms::new(Stream::new(1, Purpose::FreeRunning), 0, &[0, 1, 2]);
//! let mut trajectory = Trajectory::default();
//! run(&network, Mode::FreeRunning, &input, &uniforms, &mut trajectory)?;
//!
//! // The loss "expected spikes of unit 1 in the last bin": dL/dv = p (1 - p) there.
//! let mut cotangents = Cotangents::default();
//! cotangents.reset(&layout, 1, 2);
//! for trial in 0..3 {
//!     let p = trajectory.probability.row(trial, 49)[1];
//!     cotangents.potential.row_mut(trial, 49)[1] = p * (1.0 - p);
//! }
//! let mut gradient = Gradient::zeros(&network, 1, 50);
//! sweep(
//!     &network, Mode::FreeRunning, &layout, &trajectory,
//!     SpikeGradient::Escape, &mut cotangents, &mut gradient,
//! );
//! assert!(gradient.bias[1] > 0.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Layer 3: uses `refire-core`, `refire-kernels`, `refire-neuron`, `refire-sim`.
//! Source: Bellec, Wang et al., NeurIPS 2021 (arXiv 2106.10064), section 4 of the method.

mod gradient;
mod reverse;
mod score;

pub use gradient::Gradient;
pub use reverse::{SweepState, sweep, sweep_window};
pub use score::add_score;
