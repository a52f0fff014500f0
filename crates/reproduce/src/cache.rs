//! Finished work items on disk, by what decides them: their settings and the program.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

use refire_recording::write_atomic;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::figure::Job;

/// Digits of a hash in a file name.
const DIGITS: usize = 16;

/// A folder of finished units: one JSON file each, `BUILD/FIGURE-KEY.json`.
#[derive(Clone, Debug)]
pub struct Cache {
    folder: PathBuf,
    build: String,
    other_builds: Vec<String>,
}

/// A finished unit as its file holds it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Done {
    /// What was done, for people who look into the file.
    pub(crate) label: String,
    pub(crate) settings: Value,
    /// Wall time on one thread.
    pub(crate) seconds: f64,
    pub(crate) found: Value,
}

impl Cache {
    /// The cache of this program in a folder.
    ///
    /// # Errors
    /// Where the program cannot be read or the folder not be made.
    pub fn open(folder: &Path) -> Result<Self> {
        let program = std::env::current_exe().with_context(failed(folder))?;
        let bytes = std::fs::read(&program).with_context(failed(&program))?;
        Self::of_build(folder, &hash(&bytes))
    }

    /// The cache of a named build.
    pub(crate) fn of_build(folder: &Path, build: &str) -> Result<Self> {
        let own = folder.join(build);
        std::fs::create_dir_all(&own).with_context(failed(&own))?;
        Ok(Self {
            folder: folder.to_path_buf(),
            build: build.to_string(),
            other_builds: Vec::new(),
        })
    }

    /// Takes units of equal settings that earlier builds of the program have finished, the latest first.
    ///
    /// # Errors
    /// Where the folder cannot be read.
    pub fn with_other_builds(mut self) -> Result<Self> {
        let entries = std::fs::read_dir(&self.folder).with_context(failed(&self.folder))?;
        let mut builds: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok()?;
                let at = entry.metadata().and_then(|data| data.modified()).ok()?;
                (name != self.build).then_some((at, name))
            })
            .collect();
        builds.sort();
        self.other_builds = builds.into_iter().rev().map(|(_, name)| name).collect();
        Ok(self)
    }

    /// Name of the program: the start of its hash.
    pub fn build(&self) -> &str {
        &self.build
    }

    /// A finished unit, and whether this very build has done it. A file that cannot be read counts as none:
    /// the unit is done again.
    pub(crate) fn get(&self, job: &Job<'_>) -> Option<(Done, bool)> {
        let mut builds = std::iter::once(&self.build).chain(&self.other_builds);
        builds.find_map(|build| {
            let text = std::fs::read(self.path(build, job)).ok()?;
            let done: Done = serde_json::from_slice(&text).ok()?;
            (done.settings == job.settings).then_some((done, *build == self.build))
        })
    }

    /// Keeps a finished unit; returns it as it will be read, so that numbers are the same in this run and
    /// in the next.
    pub(crate) fn put(&self, job: &Job<'_>, done: &Done) -> Result<Done> {
        let path = self.path(&self.build, job);
        let text = serde_json::to_vec_pretty(done).with_context(failed(&path))?;
        write_atomic(&path, &text).with_context(failed(&path))?;
        serde_json::from_slice(&text).with_context(failed(&path))
    }

    fn path(&self, build: &str, job: &Job<'_>) -> PathBuf {
        let key = hash(job.settings.to_string().as_bytes());
        self.folder
            .join(build)
            .join(format!("{}-{key}.json", job.figure))
    }
}

/// What failed, where the cache does.
fn failed(path: &Path) -> impl Fn() -> String {
    move || format!("cache {}", path.display())
}

/// Start of the SHA-256, in hexadecimal.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    let digits = digest.iter().map(|byte| format!("{byte:02x}"));
    digits.collect::<String>().chars().take(DIGITS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn job(settings: Value) -> Job<'static> {
        Job {
            figure: "toy",
            label: "a unit".into(),
            seconds: 1.0,
            settings,
            run: Box::new(|| Ok(Value::Null)),
        }
    }

    fn done(job: &Job<'_>, found: Value) -> Done {
        Done {
            label: job.label.clone(),
            settings: job.settings.clone(),
            seconds: 0.5,
            found,
        }
    }

    #[test]
    fn a_unit_is_found_again_by_its_settings_and_build_alone() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::of_build(folder.path(), "one").unwrap();
        let (a, b) = (job(json!({"seed": 1})), job(json!({"seed": 2})));
        assert!(cache.get(&a).is_none());
        let kept = cache.put(&a, &done(&a, json!([0.1, null]))).unwrap();
        assert_eq!(cache.get(&a), Some((kept, true)));
        assert!(cache.get(&b).is_none());
        let other = Cache::of_build(folder.path(), "two").unwrap();
        assert!(other.get(&a).is_none());
        let other = other.with_other_builds().unwrap();
        assert!(matches!(other.get(&a), Some((_, false))));
    }

    #[test]
    fn a_damaged_file_is_no_result() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::of_build(folder.path(), "one").unwrap();
        let a = job(json!({"seed": 1}));
        cache.put(&a, &done(&a, json!(1.0))).unwrap();
        std::fs::write(cache.path("one", &a), "{\"label\": \"a un").unwrap();
        assert!(cache.get(&a).is_none());
    }

    #[test]
    fn numbers_come_back_as_they_are() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache::of_build(folder.path(), "one").unwrap();
        // The first is one that a reader which rounds a little too fast gets wrong by one bit.
        let numbers = [
            1.0 - 34.0 / 45.0,
            0.1 + 0.2,
            1e-300,
            2.0f64.sqrt(),
            f64::MAX,
        ];
        let a = job(json!({ "test-fraction": numbers }));
        let kept = cache.put(&a, &done(&a, json!(numbers))).unwrap();
        let again: Vec<f64> = serde_json::from_value(cache.get(&a).unwrap().0.found).unwrap();
        let first: Vec<f64> = serde_json::from_value(kept.found).unwrap();
        assert_eq!(again, first);
    }
}
