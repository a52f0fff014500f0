//! How large a reproduction is, and on what.

use anyhow::{Context, Result, bail, ensure};
use std::path::{Path, PathBuf};

/// How much work a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Every figure at reduced size: under five minutes on two cores.
    Quick,
    /// Enough seeds for intervals: under 100 minutes on two cores.
    Standard,
    /// The paper's sizes throughout and more seeds: a night on two cores.
    Full,
}

/// The first seed of every figure.
pub(crate) const FIRST_SEED: u64 = 101;

/// What a run does.
#[derive(Clone, Debug)]
pub struct Plan {
    /// How much.
    pub size: Size,
    /// Seeds per case; `None` for the number that each figure has at this size.
    pub seeds: Option<usize>,
    /// Figures by name; empty for all.
    pub figures: Vec<String>,
    /// Real recordings, npz files; empty for none.
    pub recordings: Vec<PathBuf>,
    /// Folder of the published recording (CRCNS pvc-11), prepared as the published notebook does.
    pub published: Option<PathBuf>,
}

impl Plan {
    /// A run of all figures on synthetic recordings alone.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            seeds: None,
            figures: Vec::new(),
            recordings: Vec::new(),
            published: None,
        }
    }

    /// Takes all recordings of a folder: its npz files but those in binned form beside the spike times
    /// (`NAME_binned.npz` beside `NAME.npz`), by name.
    ///
    /// # Errors
    /// Where it cannot be read or has none.
    pub fn with_recordings_in(mut self, folder: &Path) -> Result<Self> {
        let expected = || format!("{}: expected a folder with npz files", folder.display());
        let entries = std::fs::read_dir(folder).with_context(expected)?;
        let files = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut files: Vec<PathBuf> = files
            .filter(|path| path.extension().is_some_and(|e| e == "npz"))
            .collect();
        files.sort();
        let twin = |path: &PathBuf| {
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let plain = stem.and_then(|stem| stem.strip_suffix("_binned"));
            plain.is_some_and(|plain| files.contains(&path.with_file_name(format!("{plain}.npz"))))
        };
        self.recordings = files.iter().filter(|path| !twin(path)).cloned().collect();
        ensure!(!self.recordings.is_empty(), "{}, found none", expected());
        Ok(self)
    }

    /// The value for the size of this run.
    pub fn pick<X>(&self, quick: X, standard: X, full: X) -> X {
        match self.size {
            Size::Quick => quick,
            Size::Standard => standard,
            Size::Full => full,
        }
    }

    /// Seeds of a figure that has so many at each size unless the run says otherwise. The settings of the
    /// figures were chosen while looking at seeds below [`FIRST_SEED`].
    pub(crate) fn seeds(&self, quick: usize, standard: usize, full: usize) -> Vec<u64> {
        let count = self.seeds.unwrap_or(self.pick(quick, standard, full));
        (FIRST_SEED..).take(count).collect()
    }

    /// Whether the run has this figure.
    pub(crate) fn has(&self, figure: &str) -> bool {
        self.figures.is_empty() || self.figures.iter().any(|name| name == figure)
    }

    pub(crate) fn check(&self, known: &[&str]) -> Result<()> {
        if let Some(found) = self.figures.iter().find(|f| !known.contains(&f.as_str())) {
            bail!(
                "figure: expected one of {}, found '{found}'",
                known.join(", ")
            );
        }
        if let Some(found @ ..2) = self.seeds {
            bail!("seeds: expected 2 or more (an interval over seeds needs two), found {found}");
        }
        Ok(())
    }
}
