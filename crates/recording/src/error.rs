//! What can be wrong with a recording.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use refire_core::{LayoutError, MemoryError};

use crate::{ArrayError, BinWidthError, NpzError};

/// Why a recording cannot be read, built, binned or selected from. Every message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RecordingError {
    /// The file is no npz file, or one of its arrays cannot be read.
    #[error(transparent)]
    Npz(#[from] NpzError),
    /// A file of a single array cannot be read.
    #[error(transparent)]
    Array(ArrayError),
    /// A folder does not hold the files that make a recording.
    #[error("{}: {quantity}: expected one file {expected}, found {found}", path.display())]
    Files {
        /// The folder.
        path: PathBuf,
        /// What the file holds.
        quantity: &'static str,
        /// How its name is known.
        expected: &'static str,
        /// What was found.
        found: String,
    },
    /// What the file holds is no recording.
    #[error("{}: {error}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<RecordingError>,
    },
    /// The keys are those of neither form, or of both.
    #[error(
        "expected either 'spike_times' (event form) or 'counts' (binned form), found the keys {keys}"
    )]
    Form {
        /// The keys found.
        keys: String,
    },
    /// An array has the wrong shape or length.
    #[error("{quantity} has shape {found}; expected {expected}")]
    Shape {
        /// The array.
        quantity: String,
        /// The shape expected, and why.
        expected: String,
        /// The shape found.
        found: String,
    },
    /// A number is out of range.
    #[error("{quantity} is {found}; expected {expected}")]
    Value {
        /// The number, with its index.
        quantity: String,
        /// The range expected.
        expected: String,
        /// The number found.
        found: String,
    },
    /// More than can be held in memory.
    #[error(
        "{trials} trials of up to {bins} bins of {units} units are more than {limit} numbers: use wider bins, shorter trials or fewer units"
    )]
    TooLarge {
        /// Number of trials.
        trials: usize,
        /// Bins of the longest trial.
        bins: f64,
        /// Number of units.
        units: usize,
        /// Largest product allowed.
        limit: usize,
    },
    /// The stimulus ends before the trials do.
    #[error(
        "stimulus of {seconds} s, trials of up to {expected} s: expected one that lasts as long as they do"
    )]
    ShortStimulus {
        /// Length of the stimulus, seconds.
        seconds: f64,
        /// Length of the longest trial, seconds.
        expected: f64,
    },
    /// What is wrong, with what may be the reason.
    #[error("{error}; {remark}")]
    Remarked {
        /// What is wrong.
        error: Box<RecordingError>,
        /// What may be the reason.
        remark: String,
    },
    /// More memory than may be asked for.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The text or number is no bin width.
    #[error(transparent)]
    BinWidth(#[from] BinWidthError),
    /// Counts per bin can be summed over whole multiples of their bin only.
    #[error(
        "the counts are in bins of {source_width}; expected a whole multiple of it, found {found}"
    )]
    Rebin {
        /// Width of the file's bins.
        source_width: crate::BinWidth,
        /// Width asked for.
        found: crate::BinWidth,
    },
    /// The trials cannot be laid out.
    #[error(transparent)]
    Layout(#[from] LayoutError),
}

impl RecordingError {
    pub(crate) fn value(
        quantity: impl Into<String>,
        found: impl Display,
        expected: impl Into<String>,
    ) -> Self {
        Self::Value {
            quantity: quantity.into(),
            found: found.to_string(),
            expected: expected.into(),
        }
    }

    pub(crate) fn shape(
        quantity: impl Into<String>,
        found: &[usize],
        expected: impl Into<String>,
    ) -> Self {
        Self::Shape {
            quantity: quantity.into(),
            found: crate::npz::shape_text(found),
            expected: expected.into(),
        }
    }

    /// Names the file, where the error does not do so already.
    pub(crate) fn in_file(self, path: &Path) -> Self {
        match self {
            Self::Npz(_) | Self::InFile { .. } => self,
            error => Self::InFile {
                path: path.to_path_buf(),
                error: Box::new(error),
            },
        }
    }
}
