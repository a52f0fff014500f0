//! Files that are either the old or the new version, never half of one.

use std::ffi::OsString;
use std::fs::{self, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::NamedTempFile;

/// Behind what a run that died has left under a temporary name, where a file system has no locks: nothing is written for
/// as long. Elsewhere a temporary file is locked while its run lives.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Files that appear together: each is written whole under a temporary name in its folder before the first of them
/// takes its own.
#[derive(Debug, Default)]
pub struct Outputs {
    written: Vec<(NamedTempFile, PathBuf)>,
}

impl Outputs {
    /// Writes a file under a temporary name.
    ///
    /// # Errors
    /// What creating or writing the file gives, and [`ErrorKind::InvalidInput`] where there is something else than a
    /// file of that name; all temporary files are then removed.
    pub fn add(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        refuse_other_than_file(path)?;
        let prefix = prefix(path)?;
        let folder = folder_of(path);
        remove_older(folder, &prefix, ABANDONED);
        let mut builder = tempfile::Builder::new();
        builder.prefix(&prefix).suffix(".tmp");
        #[cfg(unix)]
        {
            // As any other file would have it; the umask takes from that.
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let mut file = locked(&builder, folder)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        self.written.push((file, path.to_path_buf()));
        Ok(())
    }

    /// Gives all files their names.
    ///
    /// # Errors
    /// What renaming a file gives.
    pub fn publish(self) -> io::Result<()> {
        for (file, path) in self.written {
            file.persist(&path).map_err(|failed| failed.error)?;
        }
        Ok(())
    }
}

/// A temporary file that no other run takes for litter.
fn locked(builder: &tempfile::Builder<'_, '_>, folder: &Path) -> io::Result<NamedTempFile> {
    loop {
        let file = builder.tempfile_in(folder)?;
        match file.as_file().try_lock() {
            // Another run may have come between its making and its lock, and removed it, or be about to.
            Err(TryLockError::WouldBlock) => {}
            Ok(()) if !file.path().exists() => {}
            // Without locks its age tells.
            Ok(()) | Err(TryLockError::Error(_)) => return Ok(file),
        }
    }
}

/// Writes a file under a temporary name in the same folder, then renames it to `path`.
///
/// A reader, or a run stopped half-way, sees the old file or the whole new one.
///
/// # Errors
/// As [`Outputs::add`] and [`Outputs::publish`]; the temporary file is removed.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut outputs = Outputs::default();
    outputs.add(path, bytes)?;
    outputs.publish()
}

/// Refuses a path at which there is something that is no file: a rename would put one in its place.
///
/// # Errors
/// [`ErrorKind::InvalidInput`] for a folder, a device, a pipe or a symbolic link.
pub fn refuse_other_than_file(path: &Path) -> io::Result<()> {
    let what = match fs::symlink_metadata(path).map(|about| about.file_type()) {
        Err(_) => return Ok(()),
        Ok(kind) if kind.is_file() => return Ok(()),
        Ok(kind) if kind.is_dir() => "a folder",
        Ok(kind) if kind.is_symlink() => "a symbolic link",
        Ok(_) => "a device or a pipe",
    };
    let why = format!("is {what}; expected a file, or a name that is free");
    Err(io::Error::new(ErrorKind::InvalidInput, why))
}

/// What temporary names of a file begin with.
fn prefix(path: &Path) -> io::Result<OsString> {
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(ErrorKind::InvalidInput, "the path names no file"))?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    Ok(prefix)
}

fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// Removes what runs that died have left of a file under temporary names, where it is known that no run writes it now.
pub fn remove_unfinished(path: &Path) {
    if let Ok(prefix) = prefix(path) {
        remove_older(folder_of(path), &prefix, Duration::ZERO);
    }
}

/// Removes temporary files of a name that are older. What cannot be removed stays.
fn remove_older(folder: &Path, prefix: &OsString, least: Duration) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if !name.starts_with(prefix.as_encoded_bytes()) || !name.ends_with(b".tmp") {
            continue;
        }
        let modified = entry.metadata().and_then(|about| about.modified());
        // The clock of a file server may be ahead.
        let age = modified.map_or(Duration::ZERO, |at| at.elapsed().unwrap_or_default());
        if age >= least || is_dead(&entry.path()) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

/// Whether no run holds the lock of a temporary file.
fn is_dead(path: &Path) -> bool {
    fs::File::open(path).is_ok_and(|file| file.try_lock().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<OsString> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_the_file_and_leaves_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.bin");
        write_atomic(&path, b"one").unwrap();
        write_atomic(&path, b"two").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(folder.path()), ["a.bin"]);
    }

    #[test]
    fn a_name_alone_is_in_this_folder() {
        assert_eq!(folder_of(Path::new("a.bin")), Path::new("."));
        assert_eq!(folder_of(Path::new("b/a.bin")), Path::new("b"));
    }

    #[test]
    fn several_files_appear_together_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&a, b"old").unwrap();
        fs::create_dir(&b).unwrap();
        let mut outputs = Outputs::default();
        outputs.add(&a, b"new").unwrap();
        assert!(outputs.add(&b, b"new").is_err());
        drop(outputs);
        assert_eq!(fs::read(&a).unwrap(), b"old");
        assert_eq!(names(folder.path()), ["a", "b"]);
    }

    #[test]
    fn a_failure_keeps_the_target_and_removes_the_temporary_file() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("taken");
        fs::create_dir(&target).unwrap();
        let error = write_atomic(&target, b"x").unwrap_err().to_string();
        assert!(error.contains("a folder"), "{error}");
        assert!(target.is_dir());
        assert_eq!(names(folder.path()), ["taken"]);
        assert!(write_atomic(&folder.path().join("none/x"), b"x").is_err());
        assert!(write_atomic(Path::new("/"), b"x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_devices_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        fs::write(&file, b"kept").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let error = write_atomic(&link, b"x").unwrap_err().to_string();
        assert!(error.contains("symbolic link"), "{error}");
        assert_eq!(fs::read(&file).unwrap(), b"kept");
        let error = write_atomic(Path::new("/dev/null"), b"x").unwrap_err();
        assert!(error.to_string().contains("a device"), "{error}");
    }

    #[test]
    fn what_a_dead_run_left_is_removed_and_blocks_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let litter = folder.path().join(".a.1-0.tmp");
        let fresh = folder.path().join(".a.2-0.tmp");
        let other = folder.path().join(".b.1-0.tmp");
        for path in [&litter, &fresh, &other] {
            fs::write(path, b"half").unwrap();
        }
        let old = std::time::SystemTime::now() - 2 * ABANDONED;
        for path in [&litter, &other] {
            fs::File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_modified(old)
                .unwrap();
        }
        // Of a run that lives.
        let living = fs::File::options().write(true).open(&fresh).unwrap();
        living.lock().unwrap();
        write_atomic(&folder.path().join("a"), b"whole").unwrap();
        assert_eq!(names(folder.path()), [".a.2-0.tmp", ".b.1-0.tmp", "a"]);
        drop(living);
        write_atomic(&folder.path().join("a"), b"whole").unwrap();
        assert_eq!(names(folder.path()), [".b.1-0.tmp", "a"]);
        fs::write(&fresh, b"half").unwrap();
        remove_unfinished(&folder.path().join("a"));
        assert_eq!(names(folder.path()), [".b.1-0.tmp", "a"]);
    }
}
