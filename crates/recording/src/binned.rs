//! Binned form: counts per bin.

use crate::clock::{EDGE, JITTER, Measured, lengths};
use crate::events::{Binned, vector};
use crate::npz::Number;
use crate::recording::zeroed;
use crate::{BinWidth, NpzFile, RecordingError};

/// Counts of a file, validated.
#[derive(Debug)]
pub(crate) struct Counts {
    /// `[trial][bin][unit]`.
    counts: Vec<u16>,
    /// Bins of the array, padding included.
    array_bins: usize,
    pub units: usize,
    pub width: BinWidth,
    /// Valid bins of each trial.
    pub bins: Vec<usize>,
    /// Length of each trial in bins of the file.
    lengths: Vec<f64>,
    pub spikes: u64,
}

impl Counts {
    pub fn read(file: &mut NpzFile) -> Result<Self, RecordingError> {
        let width = crate::time_step::width(file, "bin_size")?;
        let array = file.read(
            "counts",
            "a whole number of spikes, 0 to 65534 (NaN behind n_bins)",
            count_or_nothing,
        )?;
        let (trials, array_bins, units) = match array.shape[..] {
            [trials, bins, units] if trials > 0 && bins > 0 && units > 0 => (trials, bins, units),
            _ => {
                let expected = "(trials, bins, units), none of them 0";
                return Err(RecordingError::shape("counts", &array.shape, expected));
            }
        };
        let n_bins = vector(file.i64("n_bins")?, "n_bins")?;
        if n_bins.len() != trials {
            let expected = format!("one entry for each of the {trials} trials");
            return Err(RecordingError::shape("n_bins", &[n_bins.len()], expected));
        }
        let bins = n_bins
            .into_iter()
            .enumerate()
            .map(|(trial, n)| {
                let valid = usize::try_from(n).ok();
                valid
                    .filter(|v| (1..=array_bins).contains(v))
                    .ok_or_else(|| {
                        let expected = format!("1 to {array_bins}, the bins of counts");
                        RecordingError::value(format!("n_bins[{trial}]"), n, expected)
                    })
            })
            .collect::<Result<Vec<usize>, _>>()?;
        let mut counts = Self {
            counts: present(array.values, &bins, array_bins, units)?,
            array_bins,
            units,
            width,
            lengths: lengths_of(file, width, &bins)?,
            bins,
            spikes: 0,
        };
        counts.check_padding()?;
        counts.spikes = counts.counts.iter().map(|&c| u64::from(c)).sum();
        Ok(counts)
    }

    /// Counts of one trial, `[bin][unit]`, padding included.
    fn trial(&self, trial: usize) -> &[u16] {
        let len = self.array_bins * self.units;
        &self.counts[trial * len..(trial + 1) * len]
    }

    /// A spike behind the end of its trial would be lost without a word.
    fn check_padding(&self) -> Result<(), RecordingError> {
        for (trial, &bins) in self.bins.iter().enumerate() {
            let padding = &self.trial(trial)[bins * self.units..];
            if let Some(at) = padding.iter().position(|&c| c > 0) {
                return Err(RecordingError::value(
                    format!(
                        "counts[{trial}, {}, {}]",
                        bins + at / self.units,
                        at % self.units
                    ),
                    padding[at],
                    format!("0, as n_bins[{trial}] is {bins}"),
                ));
            }
        }
        Ok(())
    }

    /// Sums whole multiples of the file's bins; a partial last bin counts ([`lengths`]).
    pub fn bin(&self, width: BinWidth, file_bytes: u64) -> Result<Binned, RecordingError> {
        let ratio = width.seconds() / self.width.seconds();
        let multiple = ratio.round();
        if !(multiple >= 1.0 && (ratio - multiple).abs() <= EDGE * multiple) {
            return Err(RecordingError::Rebin {
                source_width: self.width,
                found: width,
            });
        }
        let multiple = multiple as usize;
        let (bins, lengths): (Vec<usize>, Vec<f64>) = if multiple == 1 {
            (self.bins.clone(), self.lengths.clone())
        } else {
            let measured = |own: &f64| Measured {
                exact: own / multiple as f64,
                tolerance: EDGE,
            };
            let measured: Vec<Measured> = self.lengths.iter().map(measured).collect();
            let found = lengths(&measured);
            found
                .iter()
                .map(|length| (length.bins as usize, length.exact))
                .unzip()
        };
        let longest = bins.iter().copied().max().unwrap_or(0);
        let mut array = zeroed(bins.len(), longest, self.units, file_bytes)?;
        let spikes = array.as_mut_slice();
        let mut clipped = 0;
        for (trial, &last) in bins.iter().enumerate() {
            let valid = &self.trial(trial)[..self.bins[trial] * self.units];
            for (bin, counts) in valid.chunks_exact(self.units).enumerate() {
                let bin = (bin / multiple).min(last - 1);
                let at = (trial * longest + bin) * self.units;
                for (z, &count) in spikes[at..at + self.units].iter_mut().zip(counts) {
                    if count > 0 {
                        clipped += u64::from(count) - u64::from(*z == 0);
                        *z = 1;
                    }
                }
            }
        }
        Ok(Binned {
            spikes: array,
            bins,
            lengths,
            clipped,
            at_edges: None,
        })
    }
}

/// Length of each trial in bins: those of `trial_duration`, where the file has it and it fits, so that a partial last
/// bin is known as one.
fn lengths_of(
    file: &mut NpzFile,
    width: BinWidth,
    bins: &[usize],
) -> Result<Vec<f64>, RecordingError> {
    let whole = bins.iter().map(|&b| b as f64).collect();
    if !file.contains("trial_duration") {
        return Ok(whole);
    }
    // Another program may mean something else by this key.
    let Ok(seconds) = file.f64("trial_duration") else {
        return Ok(whole);
    };
    let exact: Vec<f64> = seconds.values.iter().map(|s| s / width.seconds()).collect();
    // Within the last bin: a rest that the counts do not have is no part of them.
    let near = |(exact, &bins): (&f64, &usize)| {
        let beyond = exact - bins as f64;
        beyond > EDGE - 1.0 && beyond <= JITTER && *exact > EDGE
    };
    let fit = exact.len() == bins.len() && exact.iter().zip(bins).all(near);
    Ok(if fit { exact } else { whole })
}

/// In place of NaN, which fills up short trials.
const NOTHING: u16 = u16::MAX;

/// A count, or [`NOTHING`].
fn count_or_nothing(number: Number) -> Option<u16> {
    match number {
        Number::Float(x) if x.is_nan() => Some(NOTHING),
        number => number.whole().filter(|&count| count != NOTHING),
    }
}

/// Counts `[trial][bin][unit]`, zero where there is no number, which is behind the bins of a trial only.
fn present(
    mut counts: Vec<u16>,
    bins: &[usize],
    array_bins: usize,
    units: usize,
) -> Result<Vec<u16>, RecordingError> {
    let trials = counts.chunks_exact_mut(array_bins * units);
    for (trial, (own, &valid)) in trials.zip(bins).enumerate() {
        let (counts, padding) = own.split_at_mut(valid * units);
        if let Some(at) = counts.iter().position(|&count| count == NOTHING) {
            return Err(RecordingError::value(
                format!("counts[{trial}, {}, {}]", at / units, at % units),
                "NaN",
                format!("a count, as n_bins[{trial}] is {valid}"),
            ));
        }
        let nothing = padding.iter_mut().filter(|count| **count == NOTHING);
        nothing.for_each(|count| *count = 0);
    }
    Ok(counts)
}
