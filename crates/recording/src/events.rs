//! Event form: spike times.

use refire_core::TrialArray;

use crate::clock::{Clock, EDGE, Measured, lengths};
use crate::recording::zeroed;
use crate::time_step::decimal;
use crate::{BinWidth, NpzFile, RecordingError};

/// Spikes in bins, before they become a recording.
pub(crate) struct Binned {
    pub spikes: TrialArray<u8>,
    pub bins: Vec<usize>,
    /// Length of each trial in bins, the last of which may be partial.
    pub lengths: Vec<f64>,
    pub clipped: u64,
    /// Those at edges between bins, of spike times.
    pub at_edges: Option<AtEdges>,
}

/// Spikes that lie at an edge between two bins as nearly as their times are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AtEdges {
    pub spikes: u64,
    /// How nearly, in seconds.
    pub seconds: f64,
    /// Whether all of them count in the later bin.
    pub later: bool,
}

/// Spike times of a file, validated.
#[derive(Debug)]
pub(crate) struct Events {
    pub units: usize,
    /// Seconds, one per trial.
    pub durations: Vec<f64>,
    /// Seconds from the start of the trial.
    times: Vec<f64>,
    trials: Vec<usize>,
    unit: Vec<usize>,
    clock: Clock,
    /// That of the durations.
    stop_clock: Clock,
}

/// Share of the times from which on they are most of them. By chance it is twice the steps, in bins.
const MOSTLY: f64 = 0.5;

/// By how much of itself a whole number may be off, after a multiplication.
const WHOLE: f64 = 1e-9;

impl Events {
    pub fn read(file: &mut NpzFile) -> Result<Self, RecordingError> {
        let units = count(file, "n_units")?;
        let n_trials = count(file, "n_trials")?;
        let mut durations = vector(file.f64("trial_duration")?, "trial_duration")?;
        if durations.len() != n_trials {
            let expected = format!("one duration for each of the n_trials = {n_trials} trials");
            return Err(RecordingError::shape(
                "trial_duration",
                &[durations.len()],
                expected,
            ));
        }
        for (trial, &duration) in durations.iter().enumerate() {
            if !(duration.is_finite() && duration > 0.0) {
                let quantity = format!("trial_duration[{trial}]");
                let expected = "positive, finite seconds";
                return Err(RecordingError::value(quantity, duration, expected));
            }
        }
        let stop_clock = Clock::of(&durations, file.rounding("trial_duration")?);
        durations.iter_mut().for_each(|d| *d = decimal(*d));
        let times = vector(file.f64("spike_times")?, "spike_times")?;
        let trials = indices(file, "spike_trial", n_trials, "n_trials", times.len())?;
        let unit = indices(file, "spike_unit", units, "n_units", times.len())?;
        let clock = Clock::of(&times, file.rounding("spike_times")?);
        for (spike, (&time, &trial)) in times.iter().zip(&trials).enumerate() {
            let duration = durations[trial];
            let of_trial = (clock.tick(duration)).max(stop_clock.rounding(duration));
            let rounding = clock.rounding(time).max(of_trial);
            if !(time.is_finite() && time >= -rounding && time <= duration + rounding) {
                return Err(RecordingError::value(
                    format!("spike_times[{spike}]"),
                    time,
                    format!("0 <= t <= {duration}, the duration of its trial {trial}"),
                ));
            }
        }
        Ok(Self {
            units,
            durations,
            times,
            trials,
            unit,
            clock,
            stop_clock,
        })
    }

    /// Takes the times as those of a clock that counts so many per second.
    pub fn per_second(&mut self, count: f64) {
        let times = self.times.iter_mut().chain(&mut self.durations);
        times.for_each(|time| *time /= count);
        self.clock = self.clock.per_second(count);
        self.stop_clock = self.stop_clock.per_second(count);
    }

    /// Whether all times are whole numbers but for rounding, some of them above 1.
    pub fn are_whole(&self) -> bool {
        let mut all = self.times.iter().chain(&self.durations);
        all.all(|t| (t - t.round()).abs() <= WHOLE * t.abs().max(1.0))
            && self.times.iter().any(|&t| t > 1.5)
    }

    /// Whether most times lie within so many bins of an edge, far more than by chance.
    fn are_on_edges(&self, width: f64, steps: f64) -> bool {
        let near = |time: &&f64| {
            let exact = *time / width;
            (exact - exact.round()).abs() <= steps
        };
        let on_edges = || self.times.iter().filter(near).count();
        steps < MOSTLY / 5.0 && on_edges() as f64 > MOSTLY * self.times.len() as f64
    }

    pub fn spikes(&self) -> u64 {
        self.times.len() as u64
    }

    /// Bins the spikes: bin floor(t/width), a partial last bin counts ([`lengths`]). A time that is an edge as nearly
    /// as it is known is that edge. Where its clock has steps that are no small part of a bin, it is so only if most
    /// times are: they were on edges, then.
    pub fn bin(&self, width: BinWidth, file_bytes: u64) -> Result<Binned, RecordingError> {
        let width_s = width.seconds();
        let mut measured = Vec::with_capacity(self.durations.len());
        for (trial, &duration) in self.durations.iter().enumerate() {
            let exact = duration / width_s;
            if exact <= EDGE {
                let quantity = format!("trial_duration[{trial}]");
                let expected = format!("more than a millionth of the bin width {width}");
                return Err(RecordingError::value(quantity, duration, expected));
            }
            crate::recording::checked_size(self.durations.len(), exact.ceil(), self.units)?;
            let tolerance = self.stop_clock.tolerance(duration, width_s);
            measured.push(Measured { exact, tolerance });
        }
        let lengths = lengths(&measured);
        let bins: Vec<usize> = lengths.iter().map(|length| length.bins as usize).collect();
        let lengths = lengths.iter().map(|length| length.exact).collect();
        let longest = bins.iter().copied().max().unwrap_or(0);
        let trials = bins.len();
        let mut array = zeroed(trials, longest, self.units, file_bytes)?;
        let spikes = array.as_mut_slice();
        let coarse = self.clock.coarse_steps(width_s);
        let snapped = coarse.filter(|&steps| self.are_on_edges(width_s, steps));
        let mut clipped = 0;
        let mut at_edges = AtEdges {
            spikes: 0,
            seconds: 0.0,
            later: snapped == coarse,
        };
        for ((&time, &trial), &unit) in self.times.iter().zip(&self.trials).zip(&self.unit) {
            let tolerance = self.clock.tolerance(time, width_s);
            let tolerance = tolerance.max(snapped.unwrap_or(0.0));
            let exact = time / width_s;
            let uncertainty = self.clock.uncertainty(time, width_s);
            let uncertainty = uncertainty.max(coarse.unwrap_or(0.0));
            let inside = exact.round() >= 1.0 && exact.round() < bins[trial] as f64;
            if inside && (exact - exact.round()).abs() <= uncertainty {
                at_edges.spikes += 1;
                at_edges.seconds = at_edges.seconds.max(uncertainty * width_s);
            }
            // A time within rounding of the end would fall behind the last bin.
            let bin = ((exact + tolerance).floor() as usize).min(bins[trial] - 1);
            let at = (trial * longest + bin) * self.units + unit;
            clipped += u64::from(spikes[at]);
            spikes[at] = 1;
        }
        Ok(Binned {
            spikes: array,
            bins,
            lengths,
            clipped,
            at_edges: Some(at_edges),
        })
    }
}

/// A positive scalar.
fn count(file: &mut NpzFile, key: &str) -> Result<usize, RecordingError> {
    let found = file.scalar_i64(key)?;
    usize::try_from(found)
        .ok()
        .filter(|&n| n > 0)
        .ok_or_else(|| RecordingError::value(key, found, "at least 1"))
}

/// The values of an array of one axis; others may be there with a length of 1, as MATLAB has them.
pub(crate) fn vector<T>(
    array: crate::NpzArray<T>,
    quantity: &str,
) -> Result<Vec<T>, RecordingError> {
    if array.shape.iter().filter(|&&n| n != 1).count() <= 1 {
        Ok(array.values)
    } else {
        Err(RecordingError::shape(quantity, &array.shape, "one axis"))
    }
}

/// One index below `limit` per spike.
fn indices(
    file: &mut NpzFile,
    key: &str,
    limit: usize,
    limit_name: &str,
    spikes: usize,
) -> Result<Vec<usize>, RecordingError> {
    let values = vector(file.i64(key)?, key)?;
    if values.len() != spikes {
        let expected = format!("({spikes},), the shape of spike_times");
        return Err(RecordingError::shape(key, &[values.len()], expected));
    }
    let index = |(at, value): (usize, i64)| {
        usize::try_from(value)
            .ok()
            .filter(|&v| v < limit)
            .ok_or_else(|| {
                let expected = format!("0 to {} ({limit_name} = {limit})", limit - 1);
                RecordingError::value(format!("{key}[{at}]"), value, expected)
            })
    };
    values.into_iter().enumerate().map(index).collect()
}
