//! Event form: spike times.

use refire_core::TrialArray;

use crate::recording::zeroed;
use crate::{BinWidth, NpzFile, RecordingError};

/// Rounding allowed at a bin edge, in bins: the source's times are rounded too.
pub(crate) const EDGE: f64 = 1e-6;

/// Spikes in bins, before they become a recording.
pub(crate) struct Binned {
    pub spikes: TrialArray<u8>,
    pub bins: Vec<usize>,
    pub clipped: u64,
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
}

impl Events {
    pub fn read(file: &mut NpzFile) -> Result<Self, RecordingError> {
        let units = count(file, "n_units")?;
        let n_trials = count(file, "n_trials")?;
        let durations = vector(file.f64("trial_duration")?, "trial_duration")?;
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
        let times = vector(file.f64("spike_times")?, "spike_times")?;
        let trials = indices(file, "spike_trial", n_trials, "n_trials", times.len())?;
        let unit = indices(file, "spike_unit", units, "n_units", times.len())?;
        for (spike, (&time, &trial)) in times.iter().zip(&trials).enumerate() {
            let duration = durations[trial];
            if !(time >= 0.0 && time < duration) {
                return Err(RecordingError::value(
                    format!("spike_times[{spike}]"),
                    time,
                    format!("0 <= t < {duration}, the duration of its trial {trial}"),
                ));
            }
        }
        Ok(Self {
            units,
            durations,
            times,
            trials,
            unit,
        })
    }

    pub fn spikes(&self) -> u64 {
        self.times.len() as u64
    }

    /// Bins the spikes: bin floor(t/width), a partial last bin counts.
    pub fn bin(&self, width: BinWidth) -> Result<Binned, RecordingError> {
        let width_s = width.seconds();
        let mut bins = Vec::with_capacity(self.durations.len());
        for (trial, &duration) in self.durations.iter().enumerate() {
            let n = (duration / width_s - EDGE).ceil();
            crate::recording::checked_size(self.durations.len(), n, self.units)?;
            if n < 1.0 {
                let quantity = format!("trial_duration[{trial}]");
                let expected = format!("more than a millionth of the bin width {width}");
                return Err(RecordingError::value(quantity, duration, expected));
            }
            bins.push(n as usize);
        }
        let longest = bins.iter().copied().max().unwrap_or(0);
        let trials = bins.len();
        let mut spikes = zeroed(trials, longest, self.units)?;
        let mut clipped = 0;
        for ((&time, &trial), &unit) in self.times.iter().zip(&self.trials).zip(&self.unit) {
            // A time within rounding of the end would fall behind the last bin.
            let bin = ((time / width_s + EDGE).floor() as usize).min(bins[trial] - 1);
            let at = (trial * longest + bin) * self.units + unit;
            clipped += u64::from(spikes[at]);
            spikes[at] = 1;
        }
        Binned::new(spikes, bins, longest, self.units, clipped)
    }
}

impl Binned {
    pub fn new(
        spikes: Vec<u8>,
        bins: Vec<usize>,
        longest: usize,
        units: usize,
        clipped: u64,
    ) -> Result<Self, RecordingError> {
        let len = spikes.len();
        let spikes = TrialArray::from_vec(spikes, bins.len(), longest, units)
            .ok_or_else(|| RecordingError::shape("spikes", &[len], "trials * bins * units"))?;
        Ok(Self {
            spikes,
            bins,
            clipped,
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

/// The values of an array of one axis.
pub(crate) fn vector<T>(
    array: crate::NpzArray<T>,
    quantity: &str,
) -> Result<Vec<T>, RecordingError> {
    if array.shape.len() == 1 {
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
