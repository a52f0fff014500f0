//! Spike recordings: trials of unequal length, conditions, binning, splits into training,
//! validation and test trials, and the npz files they come from and go to.
//!
//! ```
//! use refire_core::TrialArray;
//! use refire_recording::{Recording, RecordingParts, Split};
//!
//! // Four trials of 5 bins of 10 ms, 2 units, two conditions labelled 3 and 7.
//! let mut spikes = TrialArray::<u8>::zeros(4, 5, 0, 2);
//! spikes.row_mut(1, 4)[0] = 1;
//! let recording = Recording::new(RecordingParts {
//!     labels: vec![7, 3, 7, 3],
//!     ..RecordingParts::new(spikes, "10ms".parse()?)
//! })?;
//! assert_eq!(recording.condition_labels(), &[3, 7]);
//! assert_eq!(recording.conditions(), &[1, 0, 1, 0]);
//!
//! let split = Split::draw(recording.conditions(), 0.25, 0.0, 1)?;
//! assert_eq!((split.train.len(), split.test.len()), (2, 2));
//! let (train, layout) = recording.select(&split.train, 2)?;
//! assert_eq!((train.trials(), layout.scored_bins()), (2, 6));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Files: [`RecordingFile::open`] reads a recording as spike times or as counts per bin, and
//! [`RecordingFile::bin`] makes the [`Recording`]. [`NpzFile`] and [`NpzWriter`] read and write any
//! npz file that holds plain numbers.
//!
//! Layer 1: uses `refire-core`.

mod atomic;
mod bin_width;
mod binned;
mod error;
mod events;
mod file;
mod hash;
mod npz;
mod pvc11;
mod recording;
mod split;
mod stimulus;

pub use atomic::write_atomic;
pub use bin_width::{BinWidth, BinWidthError};
pub use error::RecordingError;
pub use file::{DEFAULT_BIN_WIDTH, Description, Form, RecordingFile};
pub use npz::{ArrayError, NpzArray, NpzError, NpzFile, NpzWriter};
pub use pvc11::{Pvc11, Pvc11Files};
pub use recording::{MAX_SPIKE_BINS, Recording, RecordingParts};
pub use split::{Split, SplitError};
pub use stimulus::Stimulus;
