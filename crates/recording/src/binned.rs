//! Binned form: counts per bin.

use crate::events::{Binned, EDGE, vector};
use crate::npz::{Accept, Number};
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
    pub spikes: u64,
}

impl Counts {
    pub fn read(file: &mut NpzFile) -> Result<Self, RecordingError> {
        let width = crate::time_step::width(file, "bin_size")?;
        let array = file.read(
            "counts",
            Accept::Numbers,
            "a whole number of spikes, 0 to 65535",
            whole_count,
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
            counts: array.values,
            array_bins,
            units,
            width,
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

    /// Sums whole multiples of the file's bins; a partial last bin counts.
    pub fn bin(&self, width: BinWidth) -> Result<Binned, RecordingError> {
        let ratio = width.seconds() / self.width.seconds();
        let multiple = ratio.round();
        if !(multiple >= 1.0 && (ratio - multiple).abs() <= EDGE * multiple) {
            return Err(RecordingError::Rebin {
                source_width: self.width,
                found: width,
            });
        }
        let multiple = multiple as usize;
        let bins: Vec<usize> = self.bins.iter().map(|b| b.div_ceil(multiple)).collect();
        let longest = bins.iter().copied().max().unwrap_or(0);
        let mut spikes = zeroed(bins.len(), longest, self.units)?;
        let mut clipped = 0;
        for trial in 0..bins.len() {
            let valid = &self.trial(trial)[..self.bins[trial] * self.units];
            for (bin, counts) in valid.chunks_exact(self.units).enumerate() {
                let at = (trial * longest + bin / multiple) * self.units;
                for (z, &count) in spikes[at..at + self.units].iter_mut().zip(counts) {
                    if count > 0 {
                        clipped += u64::from(count) - u64::from(*z == 0);
                        *z = 1;
                    }
                }
            }
        }
        Binned::new(spikes, bins, longest, self.units, clipped)
    }
}

fn whole_count(number: Number) -> Option<u16> {
    match number {
        Number::Whole(n) => u16::try_from(n).ok(),
        Number::Float(x) if x.fract() == 0.0 && (0.0..=65535.0).contains(&x) => Some(x as u16),
        Number::Float(_) => None,
    }
}
