//! Shared vocabulary of refire: arrays laid out `[trial][bin][unit]`, the layout of a batch of
//! trials, and spikes indexed by their source unit.
//!
//! ```
//! use refire_core::{TrialArray, TrialLayout};
//!
//! // Two trials of condition 0 and one of condition 1; the last is two bins shorter.
//! let layout = TrialLayout::new(vec![0, 0, 1], vec![10, 10, 8], 2)?;
//! assert_eq!(layout.max_bins(), 10);
//! assert_eq!(layout.groups().len(), 2);
//!
//! let mut spikes = TrialArray::<u8>::zeros(layout.trials(), layout.max_bins(), 0, 4);
//! spikes.row_mut(2, 5)[3] = 1;
//! assert_eq!(spikes.row(2, 5), &[0, 0, 0, 1]);
//! # Ok::<(), refire_core::LayoutError>(())
//! ```
//!
//! Layer 0: depends on no other refire crate.

mod array;
mod layout;
mod spikes;

pub use array::{AlignedVec, TrialArray, aligned_vec};
pub use layout::{Group, LayoutError, TrialLayout};
pub use spikes::{SpikeIndex, TrialSpikes, for_each_fired};
