//! No drive at all.

use crate::encoder::{check_adjoint, prepare};
use crate::{Design, Encoder, Kept};
use refire_core::TrialArray;
use refire_kernels::Real;

/// A drive of zero: spontaneous activity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoDrive {
    conditions: usize,
    bins: usize,
    units: usize,
}

impl NoDrive {
    /// Zeros `[condition][bin][unit]`.
    pub fn new(conditions: usize, bins: usize, units: usize) -> Self {
        Self {
            conditions,
            bins,
            units,
        }
    }
}

impl<T: Real> Encoder<T> for NoDrive {
    fn conditions(&self) -> usize {
        self.conditions
    }

    fn bins(&self) -> usize {
        self.bins
    }

    fn units(&self) -> usize {
        self.units
    }

    fn parameters(&self) -> usize {
        0
    }

    fn is_linear(&self) -> bool {
        true
    }

    fn design(&self) -> Option<Design> {
        Some(Design::default())
    }

    fn forward_keeping(&self, weights: &[T], drive: &mut TrialArray<T>, _: &mut Kept) {
        prepare(self, weights, drive);
    }

    // x = 0, so there is nothing to pull back to.
    fn pull_back(&self, _: &[T], _: &mut Kept, d_drive: &TrialArray<T>, d_weights: &mut [T]) {
        check_adjoint(self, d_drive, d_weights);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::tests::assert_adjoint;

    #[test]
    fn overwrites_with_zeros() {
        let encoder = NoDrive::new(2, 3, 4);
        let mut drive = TrialArray::from_vec(vec![1.0f32; 24], 2, 3, 4).unwrap();
        encoder.forward(&[], &mut drive);
        assert_eq!(drive.as_slice(), &[0.0; 24]);
        assert_adjoint(&encoder, 1);
    }
}
