//! Why a reproduction cannot be made. A claim that is not shown is no error.

use std::path::PathBuf;

/// Why a reproduction cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReproduceError {
    /// No figure of this name.
    #[error("figure: expected one of {known}, found '{found}'")]
    UnknownFigure {
        /// The names there are.
        known: String,
        /// The name given.
        found: String,
    },
    /// Too few seeds for an interval.
    #[error("seeds: expected 2 or more (an interval over seeds needs two), found {found}")]
    Seeds {
        /// The number given.
        found: usize,
    },
    /// A folder of recordings that has none.
    #[error("{}: expected a folder with recordings (npz files), found {found}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// What is there instead.
        found: String,
    },
    /// A work item that could not be done.
    #[error("{figure}, {label}: {source}")]
    Item {
        /// Its figure.
        figure: &'static str,
        /// Which unit.
        label: String,
        /// Why.
        #[source]
        source: Box<ReproduceError>,
    },
    /// A finished unit cannot be kept or found again.
    #[error("cache {}: {reason}", path.display())]
    Cache {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A panic in a work item: a fault of the program.
    #[error("the program failed: {0}")]
    Panic(String),
    /// Threads that cannot be started.
    #[error("threads: {0}")]
    Threads(#[from] rayon::ThreadPoolBuildError),
    /// A fit refused its input.
    #[error(transparent)]
    Fit(#[from] refire_fit::FitError),
    /// A synthetic network that cannot be made.
    #[error(transparent)]
    Synth(#[from] refire_synth::SynthError),
    /// A recording that cannot be read.
    #[error(transparent)]
    Recording(#[from] refire_recording::RecordingError),
    /// An experiment shared with the verification suite.
    #[error(transparent)]
    Verify(#[from] refire_verify::VerifyError),
    /// A page or file that cannot be written.
    #[error(transparent)]
    Report(#[from] refire_report::ReportError),
}
