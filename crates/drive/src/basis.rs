//! A smooth temporal basis per condition.

use crate::encoder::{check_adjoint, prepare};
use crate::error::longest;
use crate::{Design, DriveError, Encoder, Kept};
use refire_core::TrialArray;
use refire_kernels::{Real, add_scaled, dispatch};
use std::f64::consts::PI;

/// A sum of raised cosines per condition and unit: the drive of a recording that has conditions
/// but no stimulus.
///
/// Bump `b` has its centre `c_b = first_bin + b * spacing`, from the first scored bin to the first
/// centre at or behind the last bin of the longest condition:
///
/// ```text
/// B[t][b] = (1 + cos(pi (t - c_b) / width)) / 2    for |t - c_b| < width, else 0
/// x[c][t][j] = sum_b B[t][b] w[c][b][j]
/// ```
///
/// With a width of one spacing, neighbours sum to exactly 1 from `first_bin` on. Bins before
/// `first_bin` lie on the rising flank of the first bumps and, further back, get nothing.
///
/// Weights are laid out `[condition][basis][unit]`; those of bumps behind the end of a shorter
/// condition have gradient 0.
#[derive(Clone, Debug)]
pub struct ConditionBasis<T> {
    bins_per_condition: Vec<usize>,
    bins: usize,
    units: usize,
    basis: usize,
    /// The bumps that reach each bin: cost follows the overlap, not the number of bumps.
    bands: Vec<Band>,
    values: Vec<T>,
}

/// The bumps that reach one bin: neighbours, from `first` on.
#[derive(Clone, Copy, Debug)]
struct Band {
    first: usize,
    start: usize,
    end: usize,
}

impl<T: Real> ConditionBasis<T> {
    /// Bumps every `spacing_bins` bins (a fraction is allowed), each zero at `width_in_spacings`
    /// spacings from its centre; bins before `first_bin` are history.
    ///
    /// # Errors
    /// [`DriveError::NoConditions`], [`DriveError::NoUnits`]; [`DriveError::TooShort`] for a
    /// condition without a bin after `first_bin`; [`DriveError::Spacing`], [`DriveError::Width`]
    /// for what is below 1 or not finite.
    pub fn new(
        bins_per_condition: &[usize],
        first_bin: usize,
        spacing_bins: f64,
        width_in_spacings: f64,
        units: usize,
    ) -> Result<Self, DriveError> {
        let bins = longest(bins_per_condition, first_bin, units)?;
        let at_least_one = |x: f64| x.is_finite() && x >= 1.0;
        if !at_least_one(spacing_bins) {
            return Err(DriveError::Spacing {
                found: spacing_bins,
            });
        }
        if !at_least_one(width_in_spacings) {
            return Err(DriveError::Width {
                found: width_in_spacings,
            });
        }
        let basis = ((bins - 1 - first_bin) as f64 / spacing_bins).ceil() as usize + 1;
        let mut bands = Vec::with_capacity(bins);
        let mut values = Vec::new();
        for bin in 0..bins {
            // Everything in spacings, where centres are whole numbers.
            let at = (bin as f64 - first_bin as f64) / spacing_bins;
            // Rounding may let in a bump of value 0, never leave one out.
            let first = ((at - width_in_spacings).floor().max(0.0) as usize).min(basis);
            let behind = ((at + width_in_spacings).ceil().max(-1.0) + 1.0) as usize;
            let behind = behind.min(basis);
            let start = values.len();
            values.extend((first..behind).map(|b| T::new(bump(at - b as f64, width_in_spacings))));
            bands.push(Band {
                first,
                start,
                end: values.len(),
            });
        }
        Ok(Self {
            bins_per_condition: bins_per_condition.to_vec(),
            bins,
            units,
            basis,
            bands,
            values,
        })
    }

    /// Number of bumps per condition.
    pub fn basis_count(&self) -> usize {
        self.basis
    }

    /// The number of bumps and their values `[bin][basis]`, of the longest condition, rounded as the
    /// drive uses them.
    pub fn basis_matrix(&self) -> (usize, Vec<f64>) {
        let mut dense = vec![0.0; self.bins * self.basis];
        for (row, band) in dense.chunks_exact_mut(self.basis).zip(&self.bands) {
            let values = &self.values[band.start..band.end];
            for (into, value) in row[band.first..].iter_mut().zip(values) {
                *into = value.f64();
            }
        }
        (self.basis, dense)
    }

    /// The valid bins of a condition, with the bumps that reach them and their values.
    fn reach(&self, condition: usize) -> impl Iterator<Item = (usize, usize, T)> + '_ {
        let bands = self.bands[..self.bins_per_condition[condition]].iter();
        bands.enumerate().flat_map(|(bin, band)| {
            let values = self.values[band.start..band.end].iter().enumerate();
            values.map(move |(offset, &value)| (bin, band.first + offset, value))
        })
    }
}

/// A raised cosine, 1 at distance 0, 0 from `width` on.
fn bump(distance: f64, width: f64) -> f64 {
    if distance.abs() < width {
        0.5 * (1.0 + (PI * distance / width).cos())
    } else {
        0.0
    }
}

impl<T: Real> Encoder<T> for ConditionBasis<T> {
    fn conditions(&self) -> usize {
        self.bins_per_condition.len()
    }

    fn bins(&self) -> usize {
        self.bins
    }

    fn units(&self) -> usize {
        self.units
    }

    fn parameters(&self) -> usize {
        self.conditions() * self.basis * self.units
    }

    fn is_linear(&self) -> bool {
        true
    }

    // Weight c * basis + b has B[t][b] in condition c.
    fn design(&self) -> Option<Design> {
        Some(Design::new(&self.bins_per_condition, false, |c, t| {
            let band = self.bands[t];
            let values = self.values[band.start..band.end].iter().enumerate();
            values.map(move |(at, value)| (c * self.basis + band.first + at, value.f64()))
        }))
    }

    // x[c][t] = sum_b B[t][b] w[c][b]
    fn forward_keeping(&self, weights: &[T], drive: &mut TrialArray<T>, _: &mut Kept) {
        prepare(self, weights, drive);
        let n = self.units;
        for (c, w) in weights.chunks_exact(self.basis * n).enumerate() {
            let x = drive.trial_mut(c);
            dispatch(|| {
                for (t, b, value) in self.reach(c) {
                    add_scaled(&mut x[t * n..(t + 1) * n], value, &w[b * n..(b + 1) * n]);
                }
            });
        }
    }

    // dL/dw[c][b] = sum_t B[t][b] dL/dx[c][t]
    fn pull_back(&self, _: &[T], _: &mut Kept, d_drive: &TrialArray<T>, d_weights: &mut [T]) {
        check_adjoint(self, d_drive, d_weights);
        let n = self.units;
        for (c, dw) in d_weights.chunks_exact_mut(self.basis * n).enumerate() {
            let dx = d_drive.trial(c);
            dispatch(|| {
                for (t, b, value) in self.reach(c) {
                    add_scaled(&mut dw[b * n..(b + 1) * n], value, &dx[t * n..(t + 1) * n]);
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::tests::assert_adjoint;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn pull_back_is_the_adjoint(
            lengths in prop::collection::vec(4usize..40, 1..4),
            first_bin in 0usize..4,
            (spacing, width) in (1.0f64..12.0, 1.0f64..3.0),
            units in 1usize..5,
            seed in 0u64..1000,
        ) {
            assert_adjoint(
                &ConditionBasis::new(&lengths, first_bin, spacing, width, units).unwrap(),
                seed,
            );
        }

        #[test]
        fn one_spacing_of_width_is_a_partition_of_unity(
            bins in 1usize..200, history in 0usize..20, spacing in 1.0f64..30.0,
        ) {
            let basis = ConditionBasis::<f64>::new(&[bins + history], history, spacing, 1.0, 1);
            let (n, matrix) = basis.unwrap().basis_matrix();
            prop_assert_eq!(matrix.len(), n * (bins + history));
            for (bin, row) in matrix.chunks_exact(n).enumerate() {
                let sum: f64 = row.iter().sum();
                if bin >= history {
                    prop_assert!((sum - 1.0).abs() < 1e-12, "bin {} sums to {}", bin, sum);
                } else {
                    prop_assert!((0.0..1.0 + 1e-12).contains(&sum));
                }
            }
        }

        #[test]
        fn bands_hold_the_whole_formula(
            bins in 1usize..80, history in 0usize..9, spacing in 1.0f64..9.0, width in 1.0f64..4.0,
        ) {
            let basis = ConditionBasis::<f64>::new(&[bins + history], history, spacing, width, 1);
            let (n, matrix) = basis.unwrap().basis_matrix();
            let reach = width * spacing;
            for (bin, row) in matrix.chunks_exact(n).enumerate() {
                for (b, value) in row.iter().enumerate() {
                    let t = bin as f64 - (history as f64 + b as f64 * spacing);
                    let inside = t.abs() < reach;
                    let exact = if inside { 0.5 * (1.0 + (PI * t / reach).cos()) } else { 0.0 };
                    prop_assert!((value - exact).abs() < 1e-12);
                }
                prop_assert!(bin < history || row.iter().sum::<f64>() > 0.99);
            }
        }
    }

    #[test]
    fn hand_case() {
        // Centres 1, 3, 5; at the even bins half of each neighbour; bin 0 on the rising flank.
        let basis = ConditionBasis::<f64>::new(&[5, 3], 1, 2.0, 1.0, 1).unwrap();
        let (n, matrix) = basis.basis_matrix();
        let expected = [
            [0.5, 0.0, 0.0],
            [1.0, 0.0, 0.0],
            [0.5, 0.5, 0.0],
            [0.0, 1.0, 0.0],
            [0.0, 0.5, 0.5],
        ];
        assert_eq!(n, 3);
        for (got, want) in matrix.iter().zip(expected.as_flattened()) {
            assert!((got - want).abs() < 1e-15);
        }
        let mut drive = TrialArray::default();
        basis.forward(&[1.0, 2.0, 4.0, 10.0, 20.0, 40.0], &mut drive);
        let want = [0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 15.0, 0.0, 0.0];
        for (got, want) in drive.as_slice().iter().zip(want) {
            assert!((got - want).abs() < 1e-14);
        }
    }

    #[test]
    fn cost_follows_the_overlap() {
        let count = |bins, spacing| {
            let basis = ConditionBasis::<f32>::new(&[bins], 9, spacing, 1.0, 1).unwrap();
            (basis.basis_count(), basis.values.len())
        };
        assert_eq!(count(50, 4.0).0, 11);
        assert_eq!(count(50, 100.0).0, 2);
        let (basis, values) = count(962, 2.0);
        assert_eq!(basis, 477);
        // At most 2 bumps that reach a bin, and one of value 0 on either side.
        assert!(values <= 4 * 962, "{values} values stored");
    }

    #[test]
    fn refuses_what_leaves_gaps() {
        let new = |bins: &[usize], spacing, width, units| {
            ConditionBasis::<f32>::new(bins, 9, spacing, width, units).err()
        };
        let short = DriveError::TooShort {
            condition: 1,
            bins: 9,
            first_bin: 9,
        };
        assert_eq!(new(&[20, 9], 2.0, 1.0, 1), Some(short));
        assert_eq!(new(&[], 2.0, 1.0, 1), Some(DriveError::NoConditions));
        assert_eq!(new(&[20], 2.0, 1.0, 0), Some(DriveError::NoUnits));
        assert_eq!(
            new(&[20], 0.5, 1.0, 1),
            Some(DriveError::Spacing { found: 0.5 })
        );
        assert_eq!(
            new(&[20], 2.0, 0.9, 1),
            Some(DriveError::Width { found: 0.9 })
        );
        assert!(new(&[20], f64::NAN, 1.0, 1).is_some());
        assert!(new(&[20], 2.0, f64::INFINITY, 1).is_some());
        // Extremes that are allowed stay finite.
        let wide = ConditionBasis::<f32>::new(&[20], 9, 1e300, 1e300, 1).unwrap();
        assert!(wide.basis_matrix().1.iter().all(|v| v.is_finite()));
    }
}
