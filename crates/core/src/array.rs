//! The one array shape of refire.

use aligned_vec::{AVec, ConstAlign};

/// Bytes of a cache line and of the widest SIMD register.
const ALIGNMENT: usize = 64;

/// A vector that starts on a cache line: rows of whole lines in it never straddle two.
pub type AlignedVec<T> = AVec<T, ConstAlign<ALIGNMENT>>;

/// An empty [`AlignedVec`].
pub fn aligned_vec<T>() -> AlignedVec<T> {
    AlignedVec::new(ALIGNMENT)
}

/// A dense array `[trial][bin][unit]`, unit contiguous, with `pad` zero bins behind each trial.
///
/// The padding lets one contiguous block of `lags * units` numbers start at any bin of a trial:
/// a spike adds its whole coupling block to the bins that follow, without a bounds decision.
#[derive(Clone, Debug, PartialEq)]
pub struct TrialArray<T> {
    data: AlignedVec<T>,
    trials: usize,
    bins: usize,
    pad: usize,
    units: usize,
}

impl<T> Default for TrialArray<T> {
    fn default() -> Self {
        Self {
            data: aligned_vec(),
            trials: 0,
            bins: 0,
            pad: 0,
            units: 0,
        }
    }
}

impl<T: Copy + Default> TrialArray<T> {
    /// An array of `trials * (bins + pad) * units` default values (zeros).
    pub fn zeros(trials: usize, bins: usize, pad: usize, units: usize) -> Self {
        let mut array = Self::default();
        array.reshape(trials, bins, pad, units);
        array
    }

    /// Copies values already laid out `[trial][bin][unit]` without padding; `None` where their
    /// number is not `trials * bins * units`.
    pub fn from_vec(data: Vec<T>, trials: usize, bins: usize, units: usize) -> Option<Self> {
        let expected = trials.checked_mul(bins)?.checked_mul(units)?;
        (data.len() == expected).then(|| Self {
            data: AlignedVec::from_slice(ALIGNMENT, &data),
            trials,
            bins,
            pad: 0,
            units,
        })
    }

    /// Takes the given shape, keeping the allocation where it is large enough; all values zero.
    pub fn reset(&mut self, trials: usize, bins: usize, pad: usize, units: usize) {
        self.data.clear();
        self.reshape(trials, bins, pad, units);
    }

    /// Takes the given shape; what it holds is left over from before, zero where it grows.
    pub fn reshape(&mut self, trials: usize, bins: usize, pad: usize, units: usize) {
        self.data
            .resize(trials * (bins + pad) * units, T::default());
        (self.trials, self.bins, self.pad, self.units) = (trials, bins, pad, units);
    }

    /// Sets every value, padding included, to zero.
    pub fn clear(&mut self) {
        self.data.fill(T::default());
    }

    /// Number of trials.
    pub fn trials(&self) -> usize {
        self.trials
    }

    /// Number of bins per trial, padding not counted.
    pub fn bins(&self) -> usize {
        self.bins
    }

    /// Number of zero bins behind each trial.
    pub fn pad(&self) -> usize {
        self.pad
    }

    /// Number of units.
    pub fn units(&self) -> usize {
        self.units
    }

    /// Numbers per trial, padding included: `(bins + pad) * units`.
    pub fn trial_len(&self) -> usize {
        (self.bins + self.pad) * self.units
    }

    /// One trial, `[bin][unit]`, padding included.
    pub fn trial(&self, trial: usize) -> &[T] {
        let len = self.trial_len();
        &self.data[trial * len..(trial + 1) * len]
    }

    /// One trial, `[bin][unit]`, padding included.
    pub fn trial_mut(&mut self, trial: usize) -> &mut [T] {
        let len = self.trial_len();
        &mut self.data[trial * len..(trial + 1) * len]
    }

    /// The units of one bin; `bin` may lie in the padding.
    pub fn row(&self, trial: usize, bin: usize) -> &[T] {
        let at = trial * self.trial_len() + bin * self.units;
        &self.data[at..at + self.units]
    }

    /// The units of one bin; `bin` may lie in the padding.
    pub fn row_mut(&mut self, trial: usize, bin: usize) -> &mut [T] {
        let at = trial * self.trial_len() + bin * self.units;
        &mut self.data[at..at + self.units]
    }

    /// `bins` consecutive bins from `bin` on, contiguous: `[bin][unit]`.
    pub fn block(&self, trial: usize, bin: usize, bins: usize) -> &[T] {
        let at = trial * self.trial_len() + bin * self.units;
        &self.data[at..at + bins * self.units]
    }

    /// All values, trial after trial, padding included.
    pub fn as_slice(&self) -> &[T] {
        &self.data
    }

    /// All values, trial after trial, padding included: split by [`Self::trial_len`] to work on
    /// trials in parallel.
    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.data
    }

    /// The values without padding, `[trial][bin][unit]`.
    pub fn to_vec(&self) -> Vec<T> {
        let valid = self.bins * self.units;
        let mut out = Vec::with_capacity(self.trials * valid);
        for trial in 0..self.trials {
            out.extend_from_slice(&self.trial(trial)[..valid]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_blocks_and_padding_line_up() {
        let mut a = TrialArray::<f64>::zeros(2, 3, 2, 4);
        assert_eq!(a.trial_len(), 20);
        a.row_mut(1, 2)[0] = 1.0;
        a.row_mut(1, 3)[1] = 2.0;
        assert_eq!(a.block(1, 2, 2), &[1.0, 0.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0]);
        assert_eq!(a.to_vec().len(), 24);
        assert_eq!(a.to_vec().iter().sum::<f64>(), 1.0);
        a.reset(1, 2, 0, 2);
        assert_eq!(a.as_slice(), &[0.0; 4]);
        assert!(TrialArray::from_vec(vec![0u8; 5], 1, 2, 3).is_none());
    }
}
