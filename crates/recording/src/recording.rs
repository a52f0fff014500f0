//! A binned recording.

use std::collections::BTreeSet;
use std::path::Path;

use refire_core::{LayoutError, TrialArray, TrialLayout, check_declared};

use crate::{BinWidth, Label, NpzError, NpzWriter, RecordingError, Stimulus};

/// Most numbers trials x longest trial in bins x units of a recording: 2^32 (4 GiB of spikes).
pub const MAX_SPIKE_BINS: usize = 1 << 32;

/// What a [`Recording`] is built from; start from [`RecordingParts::new`] and change what differs.
#[derive(Clone, Debug)]
pub struct RecordingParts {
    /// Spikes `[trial][bin][unit]`, 0 or 1, zero from a trial's length on.
    pub spikes: TrialArray<u8>,
    /// Width of a bin.
    pub bin_width: BinWidth,
    /// Valid bins of each trial.
    pub bins: Vec<usize>,
    /// Length of each trial in bins, where not all last bins are whole.
    pub lengths: Option<Vec<f64>>,
    /// Condition label of each trial.
    pub labels: Vec<Label>,
    /// The stimulus, where known; per condition in ascending order of labels.
    pub stimulus: Option<Stimulus>,
    /// Name of each unit, all different; `None` for 0, 1, 2, ...
    pub unit_ids: Option<Vec<Label>>,
    /// Spikes of the source that are not in `spikes` because a bin holds at most one.
    pub clipped_spikes: u64,
    /// Remarks for the user about how the recording was read.
    pub warnings: Vec<String>,
}

impl RecordingParts {
    /// Trials of equal length, of one condition labelled 0, without stimulus.
    pub fn new(spikes: TrialArray<u8>, bin_width: BinWidth) -> Self {
        Self {
            bins: vec![spikes.bins(); spikes.trials()],
            lengths: None,
            labels: vec![Label::Number(0); spikes.trials()],
            spikes,
            bin_width,
            stimulus: None,
            unit_ids: None,
            clipped_spikes: 0,
            warnings: Vec::new(),
        }
    }
}

/// How a recording was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pieces {
    /// Bins of a piece; the last one of a trial may have fewer.
    pub bins: usize,
    /// Whether pieces are repeats of one another only because ongoing activity, without stimulus or repeats, was cut:
    /// the time since their start means nothing.
    pub ongoing: bool,
}

/// Spikes of simultaneously recorded units in bins, trial by trial. Always valid once built.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    spikes: TrialArray<u8>,
    bins: Vec<usize>,
    lengths: Option<Vec<f64>>,
    conditions: Vec<usize>,
    condition_labels: Vec<Label>,
    bin_width: BinWidth,
    stimulus: Option<Stimulus>,
    unit_ids: Vec<Label>,
    kept_spikes: u64,
    clipped_spikes: u64,
    warnings: Vec<String>,
    pieces: Option<Pieces>,
}

impl Recording {
    /// Builds a recording from its parts.
    ///
    /// # Errors
    /// [`RecordingError::Shape`] where the parts do not fit together, [`RecordingError::Value`] for
    /// a trial without bins or longer than the array, a spike that is not 0 or 1 or lies beyond
    /// its trial, or unit ids that repeat; [`RecordingError::TooLarge`] beyond [`MAX_SPIKE_BINS`].
    pub fn new(parts: RecordingParts) -> Result<Self, RecordingError> {
        let (trials, units) = (parts.spikes.trials(), parts.spikes.units());
        if trials == 0 || units == 0 {
            return Err(RecordingError::shape(
                "spikes",
                &[trials, parts.spikes.bins(), units],
                "at least one trial and one unit",
            ));
        }
        for (quantity, len) in [("bins", parts.bins.len()), ("labels", parts.labels.len())] {
            if len != trials {
                let expected = format!("one entry for each of the {trials} trials");
                return Err(RecordingError::shape(quantity, &[len], expected));
            }
        }
        for (trial, &bins) in parts.bins.iter().enumerate() {
            if bins == 0 || bins > parts.spikes.bins() {
                return Err(RecordingError::value(
                    format!("bins[{trial}]"),
                    bins,
                    format!("1 to {} (the bins of the array)", parts.spikes.bins()),
                ));
            }
        }
        let longest = parts.bins.iter().copied().max().unwrap_or(0);
        checked_size(trials, longest as f64, units)?;
        let kept_spikes = count_spikes(&parts.spikes, &parts.bins)?;
        let (conditions, condition_labels) = dense(&parts.labels);
        let lengths = match parts.lengths {
            Some(lengths) => checked_lengths(lengths, &parts.bins)?,
            None => None,
        };
        check_stimulus(parts.stimulus.as_ref(), condition_labels.len())?;
        Ok(Self {
            spikes: without_padding(parts.spikes, longest),
            bins: parts.bins,
            lengths,
            conditions,
            condition_labels,
            bin_width: parts.bin_width,
            stimulus: parts.stimulus,
            unit_ids: checked_ids(parts.unit_ids, units)?,
            kept_spikes,
            clipped_spikes: parts.clipped_spikes,
            warnings: parts.warnings,
            pieces: None,
        })
    }

    /// Spikes `[trial][bin][unit]`, 0 or 1, without padding; zero from a trial's length on.
    pub fn spikes(&self) -> &TrialArray<u8> {
        &self.spikes
    }

    /// Valid bins of each trial.
    pub fn bins(&self) -> &[usize] {
        &self.bins
    }

    /// Dense condition index of each trial, by ascending label.
    pub fn conditions(&self) -> &[usize] {
        &self.conditions
    }

    /// Label of each dense condition index, ascending.
    pub fn condition_labels(&self) -> &[Label] {
        &self.condition_labels
    }

    /// Number of trials.
    pub fn n_trials(&self) -> usize {
        self.spikes.trials()
    }

    /// Number of units.
    pub fn n_units(&self) -> usize {
        self.spikes.units()
    }

    /// Number of conditions.
    pub fn n_conditions(&self) -> usize {
        self.condition_labels.len()
    }

    /// Whether some condition has two trials.
    pub fn has_repeats(&self) -> bool {
        self.n_conditions() < self.n_trials()
    }

    /// Pieces of so many bins, of ongoing activity where there is a trial to cut, no stimulus and no repeats.
    pub fn pieces_of(&self, bins: usize) -> Pieces {
        let ongoing = self.spikes.bins() > bins && self.stimulus.is_none() && !self.has_repeats();
        Pieces { bins, ongoing }
    }

    /// How it was cut, where it was.
    pub fn pieces(&self) -> Option<Pieces> {
        self.pieces
    }

    /// Width of a bin, seconds.
    pub fn bin_width(&self) -> f64 {
        self.bin_width.seconds()
    }

    /// The stimulus as it was given, in its own time steps.
    pub fn stimulus(&self) -> Option<&Stimulus> {
        self.stimulus.as_ref()
    }

    /// The stimulus in the bins of the recording, as long as its longest trial.
    ///
    /// # Errors
    /// [`RecordingError::ShortStimulus`] where it ends two bins or more before.
    pub fn stimulus_per_bin(&self) -> Result<Option<Stimulus>, RecordingError> {
        let resample = |s: &Stimulus| s.resample(self.bin_width, self.spikes.bins());
        self.stimulus.as_ref().map(resample).transpose()
    }

    /// Name of each unit.
    pub fn unit_ids(&self) -> &[Label] {
        &self.unit_ids
    }

    /// Spikes of the source, those lost to clipping included.
    pub fn total_spikes(&self) -> u64 {
        self.kept_spikes.saturating_add(self.clipped_spikes)
    }

    /// Spikes lost because a bin holds at most one.
    pub fn clipped_spikes(&self) -> u64 {
        self.clipped_spikes
    }

    /// Share of the source's spikes lost to clipping; 0 where there are no spikes.
    pub fn clipped_share(&self) -> f64 {
        match self.total_spikes() {
            0 => 0.0,
            total => self.clipped_spikes as f64 / total as f64,
        }
    }

    /// Remarks for the user about how the recording was read, one line each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Layout of all trials, whose first `first_bin` bins are history.
    ///
    /// # Errors
    /// [`RecordingError::Layout`] where a trial has no bin left.
    pub fn layout(&self, first_bin: usize) -> Result<TrialLayout, RecordingError> {
        let (conditions, bins) = (self.conditions.clone(), self.bins.clone());
        let layout = TrialLayout::new(conditions, bins, first_bin)?;
        Ok(match &self.lengths {
            Some(lengths) => layout.with_lengths(lengths.clone())?,
            None => layout,
        })
    }

    /// Spikes and layout of some trials, in the order given; conditions keep their dense index.
    ///
    /// # Errors
    /// [`RecordingError::Value`] for a trial out of range, [`RecordingError::Layout`] where one has
    /// no bin after `first_bin`; both name the trial of the recording.
    pub fn select(
        &self,
        trials: &[usize],
        first_bin: usize,
    ) -> Result<(TrialArray<u8>, TrialLayout), RecordingError> {
        for (slot, &trial) in trials.iter().enumerate() {
            let Some(&bins) = self.bins.get(trial) else {
                let expected = format!("0 to {}", self.n_trials() - 1);
                let quantity = format!("trial {slot} of the selection");
                return Err(RecordingError::value(quantity, trial, expected));
            };
            if bins <= first_bin {
                return Err(LayoutError::TooShort {
                    trial,
                    bins,
                    first_bin,
                }
                .into());
            }
        }
        let of = |values: &[usize]| trials.iter().map(|&t| values[t]).collect::<Vec<usize>>();
        let mut layout = TrialLayout::new(of(&self.conditions), of(&self.bins), first_bin)?;
        if let Some(lengths) = &self.lengths {
            layout = layout.with_lengths(trials.iter().map(|&t| lengths[t]).collect())?;
        }
        let mut spikes = TrialArray::zeros(trials.len(), layout.max_bins(), 0, self.n_units());
        for (slot, &trial) in trials.iter().enumerate() {
            let block = self.spikes.block(trial, 0, layout.max_bins());
            spikes.trial_mut(slot).copy_from_slice(block);
        }
        Ok((spikes, layout))
    }

    /// A file, not yet written, that holds the recording in binned form: `counts` uint8
    /// `(trials, bins, units)`, `bin_size`, `n_bins`, `trial_duration` where last bins are partial, `condition`, `unit_ids`, and `stimulus` with
    /// `stimulus_dt` where there is one. Add more arrays, then call [`NpzWriter::finish`].
    ///
    /// # Errors
    /// [`NpzError`] where an array cannot be written.
    pub fn npz_writer(&self, path: impl AsRef<Path>) -> Result<NpzWriter, NpzError> {
        let (trials, units) = (self.n_trials(), self.n_units());
        let mut writer = NpzWriter::new(path);
        let shape = [trials, self.spikes.bins(), units];
        writer.u8("counts", &shape, self.spikes.as_slice())?;
        writer.f64("bin_size", &[], &[self.bin_width()])?;
        // int32 as in published files; a trial of more bins keeps its length in int64.
        match self.bins.iter().map(|&b| i32::try_from(b)).collect() {
            Ok::<Vec<i32>, _>(bins) => writer.i32("n_bins", &[trials], &bins)?,
            Err(_) => {
                let bins: Vec<i64> = self.bins.iter().map(|&b| b as i64).collect();
                writer.i64("n_bins", &[trials], &bins)?;
            }
        }
        if let Some(lengths) = &self.lengths {
            let seconds: Vec<f64> = lengths.iter().map(|l| l * self.bin_width()).collect();
            writer.f64("trial_duration", &[trials], &seconds)?;
        }
        writer.labels("condition", &self.labels())?;
        writer.labels("unit_ids", &self.unit_ids)?;
        if let Some(s) = &self.stimulus {
            let shape = [s.courses(), s.samples(), s.features()];
            let shape = &shape[usize::from(!s.per_condition())..];
            match Label::numbers(&self.condition_labels) {
                Some(_) => writer.f64("stimulus", shape, s.values())?,
                None => {
                    let rows = rows_of_text(&self.condition_labels);
                    writer.f64("stimulus", shape, s.clone().in_order(&rows).values())?;
                }
            }
            writer.f64("stimulus_dt", &[], &[s.dt().seconds()])?;
        }
        Ok(writer)
    }

    /// Writes the recording in binned form, see [`Self::npz_writer`].
    ///
    /// # Errors
    /// [`NpzError`] where the file cannot be written.
    pub fn write_npz(&self, path: impl AsRef<Path>) -> Result<(), NpzError> {
        self.npz_writer(path)?.finish()
    }

    /// The same, remembered as cut.
    pub(crate) fn marked(self, pieces: Pieces) -> Self {
        let pieces = Some(pieces);
        Self { pieces, ..self }
    }

    /// Length of a trial, bins; a last bin that is partial counts by its share.
    pub(crate) fn length(&self, trial: usize) -> f64 {
        match &self.lengths {
            Some(lengths) => lengths[trial],
            None => self.bins[trial] as f64,
        }
    }

    /// Condition label of each trial.
    pub(crate) fn labels(&self) -> Vec<Label> {
        let label = |&c: &usize| self.condition_labels[c].clone();
        self.conditions.iter().map(label).collect()
    }
}

/// `trials * bins * units` where they can be held.
pub(crate) fn checked_size(
    trials: usize,
    bins: f64,
    units: usize,
) -> Result<usize, RecordingError> {
    let too_large = RecordingError::TooLarge {
        trials,
        bins,
        units,
        limit: MAX_SPIKE_BINS,
    };
    if bins > MAX_SPIKE_BINS as f64 {
        return Err(too_large);
    }
    trials
        .checked_mul(bins as usize)
        .and_then(|n| n.checked_mul(units))
        .filter(|&n| n <= MAX_SPIKE_BINS)
        .ok_or(too_large)
}

/// Zeros `[trial][bin][unit]`, where a file of `file_bytes` may declare as many.
pub(crate) fn zeroed(
    trials: usize,
    bins: usize,
    units: usize,
    file_bytes: u64,
) -> Result<TrialArray<u8>, RecordingError> {
    let bytes = checked_size(trials, bins as f64, units)?;
    let what = format!("{trials} trials of up to {bins} bins of {units} units");
    check_declared(&what, bytes as f64, file_bytes)?;
    Ok(TrialArray::zeros(trials, bins, 0, units))
}

/// Dense indices of labels, and the label of each index, ascending.
pub(crate) fn dense(labels: &[Label]) -> (Vec<usize>, Vec<Label>) {
    let mut distinct = labels.to_vec();
    distinct.sort_unstable();
    distinct.dedup();
    let index = |label: &Label| distinct.partition_point(|l| l < label);
    (labels.iter().map(index).collect(), distinct)
}

/// Dense index of each course of a stimulus as files have them: in the order of the labels, which is that of their
/// letters where they are text, as numpy sorts them.
pub(crate) fn rows_of_text(distinct: &[Label]) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..distinct.len()).collect();
    rows.sort_by_key(|&c| distinct[c].raw());
    rows
}

fn count_spikes(spikes: &TrialArray<u8>, bins: &[usize]) -> Result<u64, RecordingError> {
    let units = spikes.units();
    let mut total = 0;
    for (trial, &valid) in bins.iter().enumerate() {
        for (at, &z) in spikes.trial(trial).iter().enumerate() {
            let bin = at / units;
            if z > 1 || (z == 1 && bin >= valid) {
                let expected = if bin < valid {
                    "0 or 1".to_string()
                } else {
                    format!("0 (beyond the {valid} bins of the trial)")
                };
                let quantity = format!("spikes[{trial}, {bin}, {}]", at % units);
                return Err(RecordingError::value(quantity, z, expected));
            }
            total += u64::from(z);
        }
    }
    Ok(total)
}

fn check_stimulus(stimulus: Option<&Stimulus>, conditions: usize) -> Result<(), RecordingError> {
    match stimulus {
        Some(s) if s.per_condition() && s.courses() != conditions => Err(RecordingError::shape(
            "stimulus",
            &[s.courses(), s.samples(), s.features()],
            format!("(samples, features), or first axis {conditions}, the number of conditions"),
        )),
        _ => Ok(()),
    }
}

fn checked_ids(ids: Option<Vec<Label>>, units: usize) -> Result<Vec<Label>, RecordingError> {
    let Some(ids) = ids else {
        return Ok((0..units as i64).map(Label::Number).collect());
    };
    if ids.len() != units {
        let expected = format!("one id for each of the {units} units");
        return Err(RecordingError::shape("unit_ids", &[ids.len()], expected));
    }
    let mut seen = BTreeSet::new();
    for (unit, id) in ids.iter().enumerate() {
        if !seen.insert(id) {
            let quantity = format!("unit_ids[{unit}]");
            return Err(RecordingError::value(
                quantity,
                id,
                "ids that do not repeat",
            ));
        }
    }
    Ok(ids)
}

/// Lengths of trials in bins, where not all of them are their numbers of bins.
fn checked_lengths(lengths: Vec<f64>, bins: &[usize]) -> Result<Option<Vec<f64>>, RecordingError> {
    let whole =
        lengths.len() == bins.len() && lengths.iter().zip(bins).all(|(&l, &b)| l == b as f64);
    let layout = TrialLayout::new(vec![0; bins.len()], bins.to_vec(), 0)?;
    layout.with_lengths(lengths.clone())?;
    Ok((!whole).then_some(lengths))
}

/// Drops padding and bins beyond the longest trial.
fn without_padding(spikes: TrialArray<u8>, longest: usize) -> TrialArray<u8> {
    if spikes.pad() == 0 && spikes.bins() == longest {
        return spikes;
    }
    let mut out = TrialArray::zeros(spikes.trials(), longest, 0, spikes.units());
    for trial in 0..spikes.trials() {
        let block = spikes.block(trial, 0, longest);
        out.trial_mut(trial).copy_from_slice(block);
    }
    out
}

#[cfg(test)]
mod tests;
