//! What can go wrong, as one line and an exit code.

use refire::fit::FitError;
use std::fmt::{self, Display};
use std::path::Path;

/// A failure of the command.
#[derive(Debug)]
pub enum Failure {
    /// The input cannot be used: exit code 2, nothing written.
    Input(String),
    /// The work could not be finished: exit code 1.
    Work(String),
}

impl Failure {
    pub fn input(message: impl Display) -> Self {
        Self::Input(message.to_string())
    }

    pub fn work(message: impl Display) -> Self {
        Self::Work(message.to_string())
    }

    pub fn code(&self) -> u8 {
        match self {
            Self::Input(_) => 2,
            Self::Work(_) => 1,
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Input(message) | Self::Work(message)) = self;
        let line: Vec<&str> = message.split_whitespace().collect();
        f.write_str(&line.join(" "))
    }
}

impl From<FitError> for Failure {
    fn from(error: FitError) -> Self {
        match error {
            FitError::NotFinite { .. } => Self::work(error),
            other => Self::input(other),
        }
    }
}

macro_rules! bad_input {
    ($($error:ty),+) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Self {
                Self::input(error)
            }
        })+
    };
}

bad_input!(
    refire::recording::RecordingError,
    refire::recording::BinWidthError,
    refire::recording::NpzError,
    refire::synth::SynthError
);

impl From<refire::report::ReportError> for Failure {
    fn from(error: refire::report::ReportError) -> Self {
        Self::work(error)
    }
}

/// Creates a folder and makes sure that files can be written into it, before any work is done.
pub fn prepare_folder(folder: &Path) -> Result<(), Failure> {
    let refuse = |e: std::io::Error| {
        Failure::input(format!("{}: cannot be written to: {e}", folder.display()))
    };
    std::fs::create_dir_all(folder).map_err(refuse)?;
    let probe = folder.join(format!(".refire-probe-{}", std::process::id()));
    std::fs::write(&probe, []).map_err(refuse)?;
    std::fs::remove_file(&probe).map_err(refuse)
}

/// Makes sure that a file can be created, before any work is done.
pub fn prepare_file(file: &Path) -> Result<(), Failure> {
    if file.is_dir() || file.file_name().is_none() {
        return Err(Failure::input(format!(
            "{}: is not a file name",
            file.display()
        )));
    }
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    prepare_folder(folder)
}
