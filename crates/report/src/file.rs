use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::ReportError;

/// Writes a file so that a reader sees the old contents or the new ones, never a part: a
/// temporary file in the same folder is written, flushed to disk and renamed.
///
/// # Errors
/// [`ReportError::Write`] if the folder does not exist or cannot be written; an existing file is
/// then left as it was and the temporary file is removed.
pub fn write_atomic(path: &Path, contents: impl AsRef<[u8]>) -> Result<(), ReportError> {
    replace(path, contents.as_ref()).map_err(|source| ReportError::Write {
        path: path.to_path_buf(),
        source,
    })
}

fn replace(path: &Path, contents: &[u8]) -> io::Result<()> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "the path names no file"))?;
    let mut temporary = OsString::from(".");
    temporary.push(name);
    // Unique among processes and threads that write the same file at once.
    temporary.push(format!(
        ".{}-{}.tmp",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    ));
    let temporary = path.with_file_name(temporary);
    let written = File::create(&temporary)
        .and_then(|mut file| file.write_all(contents).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The first error is the one worth reporting.
        let _ = fs::remove_file(&temporary);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn replaces_and_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("page.html");
        write_atomic(&path, "first").unwrap();
        write_atomic(&path, b"second").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "second");
        assert_eq!(names(folder.path()), ["page.html"]);
    }

    #[test]
    fn a_failed_write_keeps_what_was_there() {
        let folder = tempfile::tempdir().unwrap();
        // A folder in the way: the rename fails after the temporary file was written.
        let path = folder.path().join("taken");
        fs::create_dir(&path).unwrap();
        fs::write(path.join("inside"), "x").unwrap();
        let message = write_atomic(&path, "new").unwrap_err().to_string();
        assert!(message.starts_with("writing ") && message.contains("taken"));
        assert_eq!(names(folder.path()), ["taken"]);
        assert_eq!(names(&path), ["inside"]);
        assert!(write_atomic(&folder.path().join("absent").join("page.html"), "new").is_err());
        assert!(write_atomic(Path::new("/"), "new").is_err());
    }
}
