//! What every encoder does.

use crate::Design;
use refire_core::TrialArray;
use refire_kernels::Real;
use std::any::Any;
use std::ops::Range;

/// What a forward pass keeps for the adjoint, with memory that is used again: of whatever type the encoder has for it.
/// Encoders that are linear in their weights keep nothing.
#[derive(Debug, Default)]
pub struct Kept(Option<Box<dyn Any + Send + Sync>>);

impl Kept {
    /// Takes out what was kept; the default of `K` where that was nothing or of another encoder.
    pub fn take<K: Any + Default>(&mut self) -> Box<K> {
        let kept: Option<Box<dyn Any>> = self.0.take().map(|kept| kept as Box<dyn Any>);
        kept.and_then(|kept| kept.downcast().ok())
            .unwrap_or_default()
    }

    /// Keeps it again.
    pub fn keep<K: Any + Send + Sync>(&mut self, kept: Box<K>) {
        self.0 = Some(kept);
    }
}

/// Computes the drive `x[condition][bin][unit]` from its weights, and the adjoint.
pub trait Encoder<T: Real>: Send + Sync {
    /// Number of conditions.
    fn conditions(&self) -> usize;

    /// Bins of the longest condition, history included.
    fn bins(&self) -> usize;

    /// Number of units driven.
    fn units(&self) -> usize;

    /// Number of weights.
    fn parameters(&self) -> usize;

    /// Whether the drive is linear in the weights, and has a [design](Self::design).
    fn is_linear(&self) -> bool {
        false
    }

    /// What a drive that is linear in its weights multiplies them by, for the convex fit, which takes no other;
    /// `None` for any other drive.
    fn design(&self) -> Option<Design> {
        None
    }

    /// The weights that the Gaussian prior of drive weights is meant for.
    fn under_prior(&self) -> Range<usize> {
        0..self.parameters()
    }

    /// Weights that a fit starts from, given draws from a standard normal distribution: no drive.
    fn start(&self, normal: &mut dyn FnMut() -> f64) -> Vec<T> {
        let _ = normal;
        vec![T::zero(); self.parameters()]
    }

    /// Overwrites `drive` with `[condition][bin][unit]`, without padding, in the units of the
    /// current, and `kept` with what [`Self::pull_back`] needs. Bins behind the end of a shorter condition
    /// are zero.
    ///
    /// # Panics
    /// If there are not [`Self::parameters`] weights.
    fn forward_keeping(&self, weights: &[T], drive: &mut TrialArray<T>, kept: &mut Kept);

    /// [`Self::forward_keeping`] for a drive that is not pulled back.
    ///
    /// # Panics
    /// If there are not [`Self::parameters`] weights.
    fn forward(&self, weights: &[T], drive: &mut TrialArray<T>) {
        self.forward_keeping(weights, drive, &mut Kept::default());
    }

    /// Adds `dL/dweights` to `d_weights`, given `dL/ddrive` `[condition][bin][unit]`, of which
    /// bins behind the end of a shorter condition are ignored. `kept` is what
    /// [`Self::forward_keeping`] left for the same weights.
    ///
    /// # Panics
    /// If `d_drive` has not the shape of the drive, or `d_weights` not that of the weights, or `kept` is that of
    /// another encoder.
    fn pull_back(
        &self,
        weights: &[T],
        kept: &mut Kept,
        d_drive: &TrialArray<T>,
        d_weights: &mut [T],
    );
}

/// Takes the shape of the encoder's drive, all zero, once the number of weights is right.
pub(crate) fn prepare<T: Real>(
    encoder: &impl Encoder<T>,
    weights: &[T],
    drive: &mut TrialArray<T>,
) {
    assert_eq!(weights.len(), encoder.parameters(), "weights of the drive");
    drive.reset(encoder.conditions(), encoder.bins(), 0, encoder.units());
}

/// The shapes of a pullback.
pub(crate) fn check_adjoint<T: Real>(
    encoder: &impl Encoder<T>,
    d_drive: &TrialArray<T>,
    d_weights: &[T],
) {
    assert_eq!(
        (d_drive.trials(), d_drive.bins(), d_drive.units()),
        (encoder.conditions(), encoder.bins(), encoder.units()),
        "conditions, bins, units of the drive's adjoint"
    );
    assert_eq!(
        d_weights.len(),
        encoder.parameters(),
        "weights of the drive's adjoint"
    );
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Numbers in -1..1 that look random, the same for the same seed.
    pub fn numbers(count: usize, seed: u64) -> Vec<f64> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(1);
        (0..count)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 7;
                state ^= state << 17;
                (state >> 11) as f64 / (1u64 << 52) as f64 - 1.0
            })
            .collect()
    }

    /// A linear drive is its design times its weights.
    fn assert_design(encoder: &dyn Encoder<f64>, weights: &[f64], drive: &TrialArray<f64>) {
        assert_eq!(encoder.is_linear(), encoder.design().is_some());
        let Some(design) = encoder.design() else {
            return;
        };
        for (c, t) in (0..drive.trials()).flat_map(|c| (0..drive.bins()).map(move |t| (c, t))) {
            for (j, x) in drive.row(c, t).iter().enumerate() {
                let term = |term: &crate::Term| {
                    term.value * weights[term.weight as usize * encoder.units() + j]
                };
                let sum: f64 = design.row(c, t).iter().map(term).sum();
                assert!((sum - x).abs() < 1e-12 * (1.0 + x.abs()), "{c} {t} {j}");
            }
        }
    }

    /// `<forward(w), d>`, `<w, pull_back(d)>` and whether the pullback adds.
    pub fn assert_adjoint(encoder: &dyn Encoder<f64>, seed: u64) {
        let (c, b, u) = (encoder.conditions(), encoder.bins(), encoder.units());
        let weights = numbers(encoder.parameters(), seed);
        // What was in the drive before, and its shape, must not matter.
        let mut drive = TrialArray::from_vec(vec![f64::NAN; 3], 1, 1, 3).unwrap();
        encoder.forward(&weights, &mut drive);
        assert_eq!((drive.trials(), drive.bins(), drive.units()), (c, b, u));
        assert!(drive.as_slice().iter().all(|x| x.is_finite()));

        assert_design(encoder, &weights, &drive);

        // The adjoint may come with padding, whose content is not part of it.
        let mut d_drive = TrialArray::zeros(c, b, 2, u);
        d_drive.as_mut_slice().fill(1e6);
        let d = numbers(c * b * u, seed + 1);
        for (i, row) in d.chunks_exact(u).enumerate() {
            d_drive.row_mut(i / b, i % b).copy_from_slice(row);
        }
        let mut kept = Kept::default();
        encoder.forward_keeping(&weights, &mut drive, &mut kept);
        let mut once = vec![0.0; weights.len()];
        encoder.pull_back(&weights, &mut kept, &d_drive, &mut once);
        let mut twice = once.clone();
        encoder.pull_back(&weights, &mut kept, &d_drive, &mut twice);
        for (a, b) in once.iter().zip(&twice) {
            assert!(
                (2.0 * a - b).abs() <= 1e-12 * (1.0 + a.abs()),
                "pull_back does not add"
            );
        }
        let inner = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let (left, right) = (inner(drive.as_slice(), &d), inner(&weights, &once));
        assert!(
            (left - right).abs() < 1e-10 * (1.0 + left.abs()),
            "{left} is not {right}"
        );
    }
}
