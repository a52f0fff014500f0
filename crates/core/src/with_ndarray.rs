//! Arrays of `ndarray` from and to refire's (feature `ndarray`).

use crate::TrialArray;
use ndarray::{Array3, ArrayView3};

impl<T: Copy + Default> From<ArrayView3<'_, T>> for TrialArray<T> {
    /// Copies an array `[trial][bin][unit]`, whatever its order in memory.
    ///
    /// ```
    /// use ndarray::Array3;
    /// use refire_core::TrialArray;
    ///
    /// let spikes = Array3::<u8>::zeros((20, 100, 8)); // [trial][bin][unit]
    /// let spikes = TrialArray::from(spikes.view());
    /// assert_eq!((spikes.trials(), spikes.bins(), spikes.units()), (20, 100, 8));
    /// ```
    fn from(array: ArrayView3<'_, T>) -> Self {
        let (trials, bins, units) = array.dim();
        let mut copy = Self::zeros(trials, bins, 0, units);
        for (into, &from) in copy.as_mut_slice().iter_mut().zip(array.iter()) {
            *into = from;
        }
        copy
    }
}

impl<T: Copy + Default> From<&TrialArray<T>> for Array3<T> {
    /// Copies the array `[trial][bin][unit]`, without the padding behind trials.
    fn from(array: &TrialArray<T>) -> Self {
        let shape = (array.trials(), array.bins(), array.units());
        Self::from_shape_fn(shape, |(trial, bin, unit)| array.row(trial, bin)[unit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_and_back_is_the_same_whatever_the_order_in_memory() {
        let shape = (3, 4, 2);
        let array = Array3::from_shape_fn(shape, |(k, t, i)| 100 * k + 10 * t + i);
        let copy = TrialArray::from(array.view());
        assert_eq!(copy.row(2, 3), [230, 231]);
        assert_eq!(Array3::from(&copy), array);
        let reversed = array.view().permuted_axes((2, 1, 0));
        let transposed = TrialArray::from(reversed);
        assert_eq!(transposed.row(1, 3), [31, 131, 231]);
    }

    #[test]
    fn padding_is_left_behind() {
        let mut padded = TrialArray::<f32>::zeros(2, 3, 5, 1);
        padded.row_mut(1, 2)[0] = 7.0;
        padded.row_mut(1, 3)[0] = 9.0; // behind the trial
        let array = Array3::from(&padded);
        assert_eq!(array.dim(), (2, 3, 1));
        assert_eq!((array[[1, 2, 0]], array.sum()), (7.0, 7.0));
    }
}
