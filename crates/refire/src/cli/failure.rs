//! What can go wrong, as one line and an exit code.

use refire::fit::FitError;
use refire::recording::{NpzError, refuse_other_than_file};
use refire::synth::SynthError;
use std::fmt::{self, Display};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// A failure of the command.
#[derive(Debug)]
pub enum Failure {
    /// The input cannot be used: exit code 2, nothing written.
    Input(String),
    /// The work could not be finished: exit code 1.
    Work(String),
    /// A signal ended the work early, and what there was is written: exit code 128 and its number.
    Stopped {
        /// What to tell.
        message: String,
        /// The signal.
        signal: i32,
    },
}

impl Failure {
    /// A file that cannot be written: no fault of what was asked for where there is no room for it.
    pub fn of_writing(message: String, error: &std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::Work(message)
            }
            _ => Self::Input(message),
        }
    }

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
            Self::Stopped { signal, .. } => u8::try_from(128 + signal).unwrap_or(1),
        }
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Input(message) | Self::Work(message) | Self::Stopped { message, .. }) = self;
        let line: Vec<&str> = message.split_whitespace().collect();
        f.write_str(&line.join(" "))
    }
}

impl From<FitError> for Failure {
    fn from(error: FitError) -> Self {
        match error {
            FitError::NotFinite { .. } | FitError::Unwritten { .. } => Self::work(error),
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
    refire::recording::BinWidthError
);

impl From<NpzError> for Failure {
    fn from(error: NpzError) -> Self {
        match error {
            NpzError::Unwritten { .. } => Self::work(error),
            other => Self::input(other),
        }
    }
}

impl From<SynthError> for Failure {
    fn from(error: SynthError) -> Self {
        match error {
            SynthError::Npz(error) => error.into(),
            other => Self::input(other),
        }
    }
}

impl From<refire::report::ReportError> for Failure {
    fn from(error: refire::report::ReportError) -> Self {
        Self::work(error)
    }
}

/// Creates a folder and makes sure that files can be written into it, before any work is done.
pub fn prepare_folder(folder: &Path) -> Result<Made, Failure> {
    let made = Made::missing(folder);
    probe(folder, "").map_err(|e| cannot_be_written_to(folder, &e))?;
    Ok(made)
}

/// Makes sure that files of these names can be written into a folder, before any work is done, and
/// leaves nothing behind: no folder either, where there was none.
pub fn check_folder(folder: &Path, names: &[&str]) -> Result<(), Failure> {
    for name in names {
        refuse_other(&folder.join(name))?;
    }
    let _made = Made::missing(folder);
    probe(folder, "").map_err(|e| cannot_be_written_to(folder, &e))
}

/// Creates the folder of a file and makes sure that the file can be written, before any work is
/// done.
pub fn prepare_file(file: &Path) -> Result<(), Failure> {
    refuse_other(file)?;
    let Some(name) = file.file_name() else {
        return Err(Failure::input(format!(
            "{}: is not a file name",
            file.display()
        )));
    };
    let folder = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let made = Made::missing(folder);
    probe(folder, &name.to_string_lossy()).map_err(|e| cannot_be_written_to(file, &e))?;
    made.keep();
    Ok(())
}

/// Folders that are made, the innermost first. Those that nothing has come into by the end go again.
#[derive(Debug)]
pub struct Made(Vec<PathBuf>);

impl Made {
    /// A folder and those above it that are not there.
    fn missing(folder: &Path) -> Self {
        let missing = |path: &&Path| !path.as_os_str().is_empty() && !path.exists();
        let missing = folder.ancestors().take_while(missing);
        Self(missing.map(Path::to_path_buf).collect())
    }

    /// Lets them stay, empty or not.
    fn keep(mut self) {
        self.0.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for path in &self.0 {
            // Not made after all, or in use: left alone.
            let _ = std::fs::remove_dir(path);
        }
    }
}

/// Creates the folder and, for a moment, a file in it, its name no shorter than the temporary one
/// under which a file called `name` is written.
fn probe(folder: &Path, name: &str) -> std::io::Result<()> {
    let probe = folder.join(format!(".{name}.{}-refire-probe", std::process::id()));
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&probe, []))
        .and_then(|()| std::fs::remove_file(&probe))
}

fn refuse_other(file: &Path) -> Result<(), Failure> {
    refuse_other_than_file(file).map_err(|e| Failure::input(format!("{}: {e}", file.display())))
}

fn cannot_be_written_to(path: &Path, error: &std::io::Error) -> Failure {
    let message = format!("{}: cannot be written to: {error}", path.display());
    Failure::of_writing(message, error)
}
