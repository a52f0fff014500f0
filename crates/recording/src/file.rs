//! Recordings in npz files.

use std::path::{Path, PathBuf};

use crate::binned::Counts;
use crate::events::{Binned, Events, vector};
use crate::recording::{dense, rows_of_text};
use crate::remarks::{self, Totals};
use crate::{
    BinWidth, Label, NpzArray, NpzFile, Recording, RecordingError, RecordingParts, Stimulus,
    TimeUnit,
};

/// Bin width of spike times where none is asked for: 10 ms.
pub const DEFAULT_BIN_WIDTH: BinWidth = BinWidth::constant(0.01);

/// How a file holds its spikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Spike times.
    Events,
    /// Counts per bin.
    Binned,
}

/// What a file holds, to be shown.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Description {
    /// How the file holds its spikes.
    pub form: Form,
    /// Keys of all arrays of the file, also those not read, sorted.
    pub keys: Vec<String>,
    /// Number of units.
    pub n_units: usize,
    /// Length of each trial, seconds.
    pub durations: Vec<f64>,
    /// Label and number of trials of each condition, by ascending label; empty without labels.
    pub conditions: Vec<(Label, usize)>,
    /// Width of the file's bins; `None` for spike times.
    pub source_bin: Option<BinWidth>,
    /// Number of spikes.
    pub spikes: u64,
    /// Whether the file names its units.
    pub has_unit_ids: bool,
}

#[derive(Debug)]
enum Source {
    Events(Events),
    Counts(Counts),
}

/// A recording as its file holds it: read and validated, not yet binned.
///
/// Event form: `spike_times` (seconds from the start of the trial), `spike_trial`, `spike_unit`,
/// `trial_duration` (seconds), `n_units`, `n_trials`. Binned form: `counts` (trials, bins, units),
/// `bin_size` (seconds), `n_bins` (valid bins per trial). Either may have `condition` (a number or
/// text per trial), `unit_ids` (likewise), and `stimulus`, (samples), (samples, features) or (conditions, samples,
/// features), with `stimulus_dt` (seconds). Other keys are left alone. Numbers may have any type that holds them:
/// whole numbers may be stored as floating-point ones, and a scalar as an array of one.
#[derive(Debug)]
pub struct RecordingFile {
    path: PathBuf,
    keys: Vec<String>,
    source: Source,
    labels: Option<Vec<Label>>,
    unit_ids: Option<Vec<Label>>,
    stimulus: Option<Stimulus>,
    /// Whether its unit of time was said.
    unit_said: bool,
    bytes: u64,
}

impl RecordingFile {
    /// Reads and validates a file.
    ///
    /// # Errors
    /// [`RecordingError`], naming the file: no npz file, a missing or unfit array, or a number out
    /// of range.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, RecordingError> {
        let path = path.as_ref();
        let mut file = NpzFile::open(path)?;
        Self::read(&mut file).map_err(|e| e.in_file(path))
    }

    fn read(file: &mut NpzFile) -> Result<Self, RecordingError> {
        let source = match (file.contains("spike_times"), file.contains("counts")) {
            (true, false) => Source::Events(Events::read(file)?),
            (false, true) => Source::Counts(Counts::read(file)?),
            _ => {
                return Err(RecordingError::Form {
                    keys: file.keys_text(),
                });
            }
        };
        let (trials, units) = match &source {
            Source::Events(events) => (events.durations.len(), events.units),
            Source::Counts(counts) => (counts.bins.len(), counts.units),
        };
        let labels = optional(file, "condition", trials, "trials")?;
        let unit_ids = optional(file, "unit_ids", units, "units")?;
        let distinct = labels.as_ref().map(|labels| dense(labels).1);
        let stimulus = stimulus(file, distinct.as_ref().map_or(1, Vec::len))?;
        Ok(Self {
            path: file.path().to_path_buf(),
            keys: file.names().into_iter().map(str::to_string).collect(),
            stimulus: match (stimulus, distinct) {
                (Some(stimulus), Some(distinct)) => Some(by_label(file, stimulus, &distinct)?),
                (stimulus, _) => stimulus,
            },
            source,
            labels,
            unit_ids,
            unit_said: false,
            bytes: file.bytes(),
        })
    }

    /// Takes all times of the file, steps included, as counted in this unit.
    ///
    /// # Errors
    /// [`RecordingError::BinWidth`] for a step that is then no positive number.
    pub fn in_unit(mut self, unit: TimeUnit) -> Result<Self, RecordingError> {
        let count = unit.per_second();
        match &mut self.source {
            Source::Events(events) => events.per_second(count),
            Source::Counts(counts) => {
                counts.width = BinWidth::from_seconds(counts.width.seconds() / count)?;
            }
        }
        self.stimulus = self.stimulus.map(|s| s.per_second(count)).transpose()?;
        self.unit_said = true;
        Ok(self)
    }

    /// Bins the spikes, at most one per bin.
    ///
    /// Spike times go to bin floor(t / width); a partial last bin counts, and the default width is
    /// [`DEFAULT_BIN_WIDTH`]. Counts keep the width of the file, or are summed over a whole
    /// multiple of it.
    ///
    /// # Errors
    /// [`RecordingError::Rebin`] where counts cannot be had in this width,
    /// [`RecordingError::TooLarge`] where the bins cannot be held, [`RecordingError::Value`] where a
    /// trial is shorter than any bin.
    pub fn bin(&self, width: Option<BinWidth>) -> Result<Recording, RecordingError> {
        let binned = self.try_bin(width).map_err(|error| match error {
            RecordingError::TooLarge { .. } | RecordingError::Memory(_) => {
                match self.of_time_unit() {
                    Some(remark) => RecordingError::Remarked {
                        error: Box::new(error),
                        remark,
                    },
                    None => error,
                }
            }
            other => other,
        });
        binned.map_err(|e| e.in_file(&self.path))
    }

    /// Whether the times look like those of another unit than seconds.
    fn of_time_unit(&self) -> Option<String> {
        if self.unit_said {
            return None;
        }
        let (totals, whole) = match &self.source {
            Source::Events(events) => {
                let totals = Totals {
                    spikes: events.spikes(),
                    units: events.units,
                    seconds: events.durations.iter().sum(),
                };
                (totals, events.are_whole())
            }
            Source::Counts(counts) => {
                let bins: usize = counts.bins.iter().sum();
                let totals = Totals {
                    spikes: counts.spikes,
                    units: counts.units,
                    seconds: bins as f64 * counts.width.seconds(),
                };
                (totals, false)
            }
        };
        remarks::of_time_unit(&totals, whole)
    }

    fn try_bin(&self, width: Option<BinWidth>) -> Result<Recording, RecordingError> {
        let mut warnings = Vec::new();
        let (bin_width, binned, spikes_of_file) = match &self.source {
            Source::Events(events) => {
                let bin_width = width.unwrap_or(DEFAULT_BIN_WIDTH);
                if width.is_none() {
                    warnings.push(format!("no bin width given: bins of {bin_width} are used"));
                }
                let binned = events.bin(bin_width, self.bytes)?;
                (bin_width, binned, events.spikes())
            }
            Source::Counts(counts) => {
                let bin_width = width.unwrap_or(counts.width);
                let binned = counts.bin(bin_width, self.bytes)?;
                (bin_width, binned, counts.spikes)
            }
        };
        if self.labels.is_none() {
            warnings.push(
                "no key 'condition': all trials are taken as repeats of one condition".to_string(),
            );
        }
        let Binned {
            spikes,
            bins,
            lengths,
            clipped,
            at_edges,
        } = binned;
        let labels = self.labels.clone();
        let labels = labels.unwrap_or_else(|| vec![Label::Number(0); bins.len()]);
        let conditions = dense(&labels).1.len();
        warnings.extend(self.of_time_unit());
        warnings.extend(at_edges.and_then(|edges| remarks::of_edges(edges, spikes_of_file)));
        warnings.extend(remarks::of_repeats(&labels, conditions));
        if let Some(stimulus) = &self.stimulus {
            let seen = stimulus.samples_within(bin_width, spikes.bins());
            warnings.extend(remarks::of_stimulus(stimulus, conditions, seen));
            warnings.extend(remarks::of_coverage(stimulus, bin_width, spikes.bins()));
        }
        Recording::new(RecordingParts {
            labels,
            spikes,
            bins,
            lengths: Some(lengths),
            bin_width,
            stimulus: self.stimulus.clone(),
            unit_ids: self.unit_ids.clone(),
            clipped_spikes: clipped,
            warnings,
        })
    }

    /// What the file holds, to be shown.
    pub fn describe(&self) -> Description {
        let conditions = self.labels.as_ref().map_or_else(Vec::new, |labels| {
            let (index, distinct) = dense(labels);
            let trials = |c| index.iter().filter(|&&i| i == c).count();
            distinct
                .iter()
                .enumerate()
                .map(|(c, label)| (label.clone(), trials(c)))
                .collect()
        });
        let (form, n_units, durations, source_bin, spikes) = match &self.source {
            Source::Events(e) => (Form::Events, e.units, e.durations.clone(), None, e.spikes()),
            Source::Counts(c) => {
                let duration = |&bins: &usize| bins as f64 * c.width.seconds();
                let durations = c.bins.iter().map(duration).collect();
                (Form::Binned, c.units, durations, Some(c.width), c.spikes)
            }
        };
        Description {
            form,
            keys: self.keys.clone(),
            n_units,
            durations,
            conditions,
            source_bin,
            spikes,
            has_unit_ids: self.unit_ids.is_some(),
        }
    }

    /// Path that the recording was read from.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The stimulus, where the file has one.
    pub fn stimulus(&self) -> Option<&Stimulus> {
        self.stimulus.as_ref()
    }
}

/// Reads the stimulus of a file, and the labels of its conditions: 0, 1, 2, ..., or those of `condition`. Of a
/// recording these are the labels of its trials, and courses have the order of labels; of a stimulus alone, where
/// there are as many as courses, each is the label of its course.
///
/// # Errors
/// [`RecordingError`], naming the file, where it has no `stimulus` with a `stimulus_dt`, or one that does not fit.
pub fn read_stimulus(path: impl AsRef<Path>) -> Result<(Stimulus, Vec<Label>), RecordingError> {
    let path = path.as_ref();
    let mut file = NpzFile::open(path)?;
    let read = |file: &mut NpzFile| {
        let NpzArray { shape, values } = file.f64("stimulus")?;
        let missing = || RecordingError::shape("stimulus", &shape, "at least one sample");
        if values.is_empty() {
            // Courses without values take no room in a file, however many it declares.
            return Err(missing());
        }
        let courses = if let [courses, _, _] = shape[..] {
            courses
        } else {
            1
        };
        if !file.contains("condition") {
            let labels: Vec<Label> = (0..courses as i64).map(Label::Number).collect();
            let stimulus = stimulus(file, labels.len())?;
            return Ok((stimulus.ok_or_else(missing)?, labels));
        }
        let given = vector(file.labels("condition")?, "condition")?;
        let (index, labels) = dense(&given);
        let stimulus = stimulus(file, labels.len())?.ok_or_else(missing)?;
        let alone = !file.contains("counts") && !file.contains("spike_times");
        let stimulus = if alone && given.len() == labels.len() {
            stimulus.in_order(&inverse(&index))
        } else {
            by_label(file, stimulus, &labels)?
        };
        Ok((stimulus, labels))
    };
    read(&mut file).map_err(|e: RecordingError| e.in_file(path))
}

/// A stimulus whose courses have the order of labels, in the order of `distinct`: that of numbers and of text differ.
fn by_label(
    file: &mut NpzFile,
    stimulus: Stimulus,
    distinct: &[Label],
) -> Result<Stimulus, RecordingError> {
    Ok(match file.is_text("condition")? {
        true => stimulus.in_order(&inverse(&rows_of_text(distinct))),
        false => stimulus,
    })
}

/// Where each place is in a list of all places.
fn inverse(places: &[usize]) -> Vec<usize> {
    let mut at = vec![0; places.len()];
    places
        .iter()
        .enumerate()
        .for_each(|(k, &place)| at[place] = k);
    at
}

/// A name per trial or unit, where the file has it.
fn optional(
    file: &mut NpzFile,
    key: &str,
    len: usize,
    of: &str,
) -> Result<Option<Vec<Label>>, RecordingError> {
    if !file.contains(key) {
        return Ok(None);
    }
    let values = vector(file.labels(key)?, key)?;
    if values.len() != len {
        let expected = format!("one entry for each of the {len} {of}");
        return Err(RecordingError::shape(key, &[values.len()], expected));
    }
    Ok(Some(values))
}

fn stimulus(file: &mut NpzFile, conditions: usize) -> Result<Option<Stimulus>, RecordingError> {
    if !file.contains("stimulus") {
        return Ok(None);
    }
    let array = file.f64("stimulus")?;
    let dt = crate::time_step::width(file, "stimulus_dt")?;
    let (courses, features) = match array.shape[..] {
        [n] if n > 0 => (None, 1),
        [n, features] if n > 0 && features > 0 => (None, features),
        [c, n, features] if c == conditions && n > 0 && features > 0 => (Some(c), features),
        _ => {
            let expected = format!(
                "(samples, features) or ({conditions}, samples, features) for {conditions} \
                 conditions, none of them 0"
            );
            return Err(RecordingError::shape("stimulus", &array.shape, expected));
        }
    };
    Stimulus::new(array.values, courses, features, dt).map(Some)
}
