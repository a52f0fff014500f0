//! Optimisers of refire: Adam, gradient clipping, learning-rate schedules.
//! All state can be taken out and put back, so that a resumed fit equals an uninterrupted one.
//!
//! ```
//! use refire_optim::{Adam, AdamSettings, Schedule, clip_norm};
//!
//! // Minimise (x - 3)^2.
//! let mut x = [0.0f64];
//! let mut adam = Adam::new(AdamSettings::default(), x.len())?;
//! let schedule = Schedule::Cosine { floor: 0.0, warm_up: 10 };
//! for iteration in 0..500 {
//!     let mut gradient = [2.0 * (x[0] - 3.0)];
//!     let norm = clip_norm(&mut gradient, 1.0);
//!     assert!(norm.is_finite());
//!     adam.step(&mut x, &gradient, 0.1 * schedule.at(iteration, 500));
//! }
//! assert!((x[0] - 3.0).abs() < 1e-3);
//! # Ok::<(), refire_optim::OptimError>(())
//! ```
//!
//! Layer 1: uses `refire-kernels`.

mod adam;
mod clip;
mod error;
mod schedule;

pub use adam::{Adam, AdamSettings};
pub use clip::clip_norm;
pub use error::OptimError;
pub use schedule::Schedule;
