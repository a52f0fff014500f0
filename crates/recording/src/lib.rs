#![doc = include_str!("../README.md")]

mod atomic;
mod bin_width;
mod binned;
mod clock;
mod error;
mod events;
mod file;
mod hash;
mod label;
mod npz;
mod pieces;
mod pvc11;
mod recording;
mod remarks;
mod split;
mod stimulus;
mod time_step;
mod time_unit;

pub use atomic::{Outputs, refuse_other_than_file, remove_unfinished, write_atomic};
pub use bin_width::{BinWidth, BinWidthError};
pub use error::RecordingError;
pub use file::{DEFAULT_BIN_WIDTH, Description, Form, RecordingFile, read_stimulus};
pub use label::Label;
pub use npz::{ArrayError, NpzArray, NpzError, NpzFile, NpzWriter};
pub use pvc11::{Pvc11, Pvc11Files};
pub use recording::{MAX_SPIKE_BINS, Pieces, Recording, RecordingParts};
pub use split::{Split, SplitError};
pub use stimulus::Stimulus;
pub use time_unit::{TimeUnit, TimeUnitError};
