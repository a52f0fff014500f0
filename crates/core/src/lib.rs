#![doc = include_str!("../README.md")]

mod array;
mod layout;
mod memory;
mod recorded;
mod spikes;
#[cfg(feature = "ndarray")]
mod with_ndarray;

pub use array::{AlignedVec, TrialArray, aligned_vec};
pub use layout::{Group, LayoutError, TrialLayout};
pub use memory::{MemoryError, check_declared, check_memory, set_memory_limit};
pub use recorded::{Recorded, RecordedTrials};
pub use spikes::{SpikeIndex, TrialSpikes, for_each_fired};
