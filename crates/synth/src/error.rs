//! What can be wrong with settings, a ground truth or its file.

use std::fmt::Display;
use std::path::{Path, PathBuf};

use refire_core::LayoutError;
use refire_drive::DriveError;
use refire_recording::{BinWidthError, NpzError, RecordingError};
use refire_sim::SimError;

/// Why a ground truth cannot be drawn, simulated, written or read. Every message is one line.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// A number is out of range.
    #[error("{quantity} is {found}; expected {expected}")]
    Value {
        /// The setting or number, with its index.
        quantity: String,
        /// The range expected.
        expected: String,
        /// The number found.
        found: String,
    },
    /// An array has the wrong shape.
    #[error("{quantity} has shape {found}; expected {expected}")]
    Shape {
        /// The array and its axes.
        quantity: &'static str,
        /// The shape expected.
        expected: String,
        /// The shape found.
        found: String,
    },
    /// The network does not stay near the rates it was drawn for.
    #[error(
        "the network drawn from seed {seed} is not stable: its mean rate is {found:.3} spikes per bin; expected {expected:.3} (lower spectral_radius or change the seed)"
    )]
    Unstable {
        /// Seed of the network.
        seed: u64,
        /// Mean rate asked for, spikes per bin.
        expected: f64,
        /// Mean rate of the free-running network, spikes per bin.
        found: f64,
    },
    /// What a file holds is no ground truth.
    #[error("{}: {error}", path.display())]
    InFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: Box<SynthError>,
    },
    /// The folder cannot be made.
    #[error("{}: {error}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: std::io::Error,
    },
    /// A file cannot be read or written.
    #[error(transparent)]
    Npz(#[from] NpzError),
    /// The simulated spikes or the stimulus make no recording.
    #[error(transparent)]
    Recording(#[from] RecordingError),
    /// The number is no bin width.
    #[error(transparent)]
    BinWidth(#[from] BinWidthError),
    /// The trials cannot be laid out.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// The movie cannot be turned into a drive.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// The network cannot be simulated.
    #[error(transparent)]
    Sim(#[from] SimError),
}

impl SynthError {
    pub(crate) fn value(
        quantity: impl Into<String>,
        found: impl Display,
        expected: impl Into<String>,
    ) -> Self {
        Self::Value {
            quantity: quantity.into(),
            expected: expected.into(),
            found: found.to_string(),
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
