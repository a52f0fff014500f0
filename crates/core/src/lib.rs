#![doc = include_str!("../README.md")]

mod array;
mod layout;
mod recorded;
mod spikes;
#[cfg(feature = "ndarray")]
mod with_ndarray;

pub use array::{AlignedVec, TrialArray, aligned_vec};
pub use layout::{Group, LayoutError, TrialLayout};
pub use recorded::{Recorded, RecordedTrials};
pub use spikes::{SpikeIndex, TrialSpikes, for_each_fired};
