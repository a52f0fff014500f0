//! One run at a time writes into a folder.

use super::failure::Failure;
use std::fs::{File, TryLockError};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// Name of the file that is locked.
const NAME: &str = ".refire.lock";

/// A folder that this process writes into. The system frees the lock of a process that ends, however it does, so that
/// one that was left behind is taken over.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    _file: File,
}

/// Refuses an output that is a file of a run which writes into its folder now.
pub fn refuse_locked(out: &Path, names: &[&str]) -> Result<(), Failure> {
    let of_run = out
        .file_name()
        .is_some_and(|own| names.iter().any(|name| own == *name));
    let path = out.with_file_name(NAME);
    if !of_run || !path.is_file() {
        return Ok(());
    }
    match File::open(&path) {
        Ok(mut file) if matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)) => {
            Err(held_by_another(out, &mut file))
        }
        _ => Ok(()),
    }
}

/// What is refused as the owner of a lock file writes there.
fn held_by_another(refused: &Path, file: &mut File) -> Failure {
    let mut owner = String::new();
    let _ = file.read_to_string(&mut owner);
    Failure::input(format!(
        "{}: another fit is writing to this folder ({})",
        refused.display(),
        owner.trim().escape_debug()
    ))
}

impl Lock {
    /// Takes the folder for this process.
    pub fn take(folder: &Path) -> Result<Self, Failure> {
        let path = folder.join(NAME);
        loop {
            let mut options = File::options();
            let options = options.create(true).read(true).write(true).truncate(false);
            let mut file = options.open(&path).map_err(|e| fault(&path, e))?;
            match file.try_lock() {
                Ok(()) if !is_at(&file, &path) => continue,
                Ok(()) => {
                    let host = sysinfo::System::host_name().unwrap_or_default();
                    let owner = format!("process {} on {host}\n", std::process::id());
                    let written = file
                        .set_len(0)
                        .and_then(|()| file.write_all(owner.as_bytes()));
                    // Where there is no room for that, the file goes with the lock.
                    let lock = Self { path, _file: file };
                    written.map_err(|e| fault(&lock.path, e))?;
                    return Ok(lock);
                }
                Err(TryLockError::WouldBlock) => return Err(held_by_another(folder, &mut file)),
                Err(TryLockError::Error(e)) => {
                    note!(
                        "note: {}: no lock can be taken here ({e}): see to it that no other fit writes to this folder",
                        folder.display()
                    );
                    return Ok(Self { path, _file: file });
                }
            }
        }
    }
}

/// A lock file that cannot be made or written.
fn fault(path: &Path, error: std::io::Error) -> Failure {
    Failure::of_writing(format!("{}: {error}", path.display()), &error)
}

/// Before the lock goes, so that nobody waits for a file that has no name any longer: see [`is_at`].
impl Drop for Lock {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Whether the file that was locked is still the one of that name: its owner may have removed it in between.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(own), Ok(there)) => (own.dev(), own.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_has_one_owner_and_what_a_dead_one_left_is_taken_over() {
        let folder = tempfile::tempdir().unwrap();
        // Of a process that was killed: there, and not locked.
        std::fs::write(
            folder.path().join(NAME),
            "process 1 on elsewhere, with a long name\n",
        )
        .unwrap();
        let lock = Lock::take(folder.path()).unwrap();
        let refused = Lock::take(folder.path()).unwrap_err().to_string();
        let own = format!("process {}", std::process::id());
        assert!(
            refused.contains("another fit") && refused.contains(&own),
            "{refused}"
        );
        drop(lock);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        drop(Lock::take(folder.path()).unwrap());
    }
}
