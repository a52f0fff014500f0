//! A smooth temporal basis per condition.

use crate::encoder::{check_adjoint, prepare};
use crate::error::longest;
use crate::{Design, DriveError, Encoder, Kept};
use refire_core::TrialArray;
use refire_kernels::{Real, add_scaled, dispatch};
use std::f64::consts::PI;

/// Raised cosines at equal distances.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bumps {
    /// Distance of neighbouring bumps, bins; a fraction is allowed.
    pub spacing_bins: f64,
    /// Distance from the centre of a bump to where it ends, spacings.
    pub width_in_spacings: f64,
    /// Height of a bump.
    pub height: f64,
}

impl Bumps {
    /// Bumps of height 1 whose neighbours sum to 1.
    pub fn every(spacing_bins: f64) -> Self {
        Self {
            spacing_bins,
            width_in_spacings: 1.0,
            height: 1.0,
        }
    }

    /// These bumps, and with `detail` above 0 finer ones on top, at half the distance of those before and `detail` times
    /// their height, and so on as long as they are a bin or more apart.
    pub fn with_detail(self, detail: f64) -> Vec<Self> {
        let mut all = vec![self];
        let mut finer = self;
        while detail > 0.0 && finer.spacing_bins >= 2.0 {
            finer.spacing_bins /= 2.0;
            finer.height *= detail;
            all.push(finer);
        }
        all
    }
}

/// A sum of raised cosines per condition and unit, of one or several spacings: the drive of a recording that has
/// conditions but no stimulus.
///
/// Bump `b` of a spacing has its centre `c_b = first_bin + b * spacing`, from the first scored bin to the first
/// centre at or behind the last bin of the longest condition:
///
/// ```text
/// B[t][b] = height (1 + cos(pi (t - c_b) / width)) / 2    for |t - c_b| < width, else 0
/// x[c][t][j] = sum_b B[t][b] w[c][b][j]                    b over the bumps of all spacings
/// ```
///
/// With a width of one spacing and a height of 1, neighbours sum to exactly 1 from `first_bin` on. Bins before
/// `first_bin` lie on the rising flank of the first bumps and, further back, get nothing.
///
/// With narrow bumps of less height on top of wide ones, weights of one prior make a drive that is smooth unless the
/// spikes say otherwise: the prior of `x` is a sum of those of each spacing, of variance `height^2`.
///
/// Weights are laid out `[condition][basis][unit]`, spacing after spacing; those of bumps behind the end of a shorter
/// condition have gradient 0.
#[derive(Clone, Debug)]
pub struct ConditionBasis<T> {
    bins_per_condition: Vec<usize>,
    bins: usize,
    units: usize,
    basis: usize,
    /// Where the bumps that reach each bin start in `reach`, and the end of the last: cost follows the overlap, not
    /// the number of bumps.
    start: Vec<usize>,
    /// Bumps with their values.
    reach: Vec<(usize, T)>,
}

impl<T: Real> ConditionBasis<T> {
    /// Bumps of the given spacings; bins before `first_bin` are history.
    ///
    /// # Errors
    /// [`DriveError::NoConditions`], [`DriveError::NoUnits`]; [`DriveError::TooShort`] for a
    /// condition without a bin after `first_bin`; [`DriveError::Spacing`], [`DriveError::Width`]
    /// for what is below 1 or not finite, [`DriveError::Height`] for what is not above 0.
    pub fn new(
        bins_per_condition: &[usize],
        first_bin: usize,
        spacings: &[Bumps],
        units: usize,
    ) -> Result<Self, DriveError> {
        let bins = longest(bins_per_condition, first_bin, units)?;
        let at_least_one = |x: f64| x.is_finite() && x >= 1.0;
        for bumps in spacings {
            if !at_least_one(bumps.spacing_bins) {
                return Err(DriveError::Spacing {
                    found: bumps.spacing_bins,
                });
            }
            if !at_least_one(bumps.width_in_spacings) {
                return Err(DriveError::Width {
                    found: bumps.width_in_spacings,
                });
            }
            if !(bumps.height.is_finite() && bumps.height > 0.0) {
                return Err(DriveError::Height {
                    found: bumps.height,
                });
            }
        }
        let count = |bumps: &Bumps| {
            ((bins - 1 - first_bin) as f64 / bumps.spacing_bins).ceil() as usize + 1
        };
        let (mut start, mut reach) = (vec![0], Vec::new());
        for bin in 0..bins {
            let mut first_of_spacing = 0;
            for bumps in spacings {
                let (basis, width) = (count(bumps), bumps.width_in_spacings);
                // Everything in spacings, where centres are whole numbers.
                let at = (bin as f64 - first_bin as f64) / bumps.spacing_bins;
                // Rounding may let in a bump of value 0, never leave one out.
                let first = ((at - width).floor().max(0.0) as usize).min(basis);
                let behind = ((at + width).ceil().max(-1.0) + 1.0) as usize;
                reach.extend((first..behind.min(basis)).map(|b| {
                    let value = bumps.height * bump(at - b as f64, width);
                    (first_of_spacing + b, T::new(value))
                }));
                first_of_spacing += basis;
            }
            start.push(reach.len());
        }
        Ok(Self {
            bins_per_condition: bins_per_condition.to_vec(),
            bins,
            units,
            basis: spacings.iter().map(count).sum(),
            start,
            reach,
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
        for (bin, row) in dense.chunks_exact_mut(self.basis.max(1)).enumerate() {
            for &(b, value) in self.at(bin) {
                row[b] = value.f64();
            }
        }
        (self.basis, dense)
    }

    /// The bumps that reach a bin, with their values.
    fn at(&self, bin: usize) -> &[(usize, T)] {
        &self.reach[self.start[bin]..self.start[bin + 1]]
    }

    /// The valid bins of a condition, with the bumps that reach them and their values.
    fn reach(&self, condition: usize) -> impl Iterator<Item = (usize, usize, T)> + '_ {
        let bins = 0..self.bins_per_condition[condition];
        bins.flat_map(|bin| self.at(bin).iter().map(move |&(b, value)| (bin, b, value)))
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
            let values = self.at(t).iter();
            values.map(move |&(b, value)| (c * self.basis + b, value.f64()))
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

    fn bumps(spacing_bins: f64, width_in_spacings: f64) -> Bumps {
        Bumps {
            width_in_spacings,
            ..Bumps::every(spacing_bins)
        }
    }

    proptest! {
        #[test]
        fn pull_back_is_the_adjoint(
            lengths in prop::collection::vec(4usize..40, 1..4),
            first_bin in 0usize..4,
            (spacing, width, detail) in (1.0f64..12.0, 1.0f64..3.0, 0.0f64..1.5),
            units in 1usize..5,
            seed in 0u64..1000,
        ) {
            assert_adjoint(
                &ConditionBasis::new(&lengths, first_bin, &bumps(spacing, width).with_detail(detail), units).unwrap(),
                seed,
            );
        }

        #[test]
        fn one_spacing_of_width_is_a_partition_of_unity(
            bins in 1usize..200, history in 0usize..20, spacing in 1.0f64..30.0,
        ) {
            let basis = ConditionBasis::<f64>::new(&[bins + history], history, &[Bumps::every(spacing)], 1);
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
            let basis = ConditionBasis::<f64>::new(&[bins + history], history, &[bumps(spacing, width)], 1);
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
        let basis = ConditionBasis::<f64>::new(&[5, 3], 1, &[Bumps::every(2.0)], 1).unwrap();
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
    fn finer_bumps_are_added_down_to_a_bin() {
        let all = Bumps::every(5.0).with_detail(0.5);
        let found: Vec<(f64, f64)> = all.iter().map(|b| (b.spacing_bins, b.height)).collect();
        assert_eq!(found, [(5.0, 1.0), (2.5, 0.5), (1.25, 0.25)]);
        assert_eq!(Bumps::every(5.0).with_detail(0.0).len(), 1);
        // A basis of several spacings is theirs side by side, each by its height.
        let of = |all: &[Bumps]| {
            ConditionBasis::<f64>::new(&[23], 2, all, 1)
                .unwrap()
                .basis_matrix()
        };
        let (count, together) = of(&all);
        let alone = all
            .iter()
            .map(|&b| (b.height, of(&[Bumps { height: 1.0, ..b }])));
        let alone: Vec<(f64, (usize, Vec<f64>))> = alone.collect();
        assert_eq!(
            count,
            alone.iter().map(|(_, (count, _))| count).sum::<usize>()
        );
        for (bin, row) in together.chunks_exact(count).enumerate() {
            let expected: Vec<f64> = (alone.iter())
                .flat_map(|(height, (n, all))| all[bin * n..][..*n].iter().map(move |x| height * x))
                .collect();
            assert_eq!(row, expected);
        }
    }

    #[test]
    fn cost_follows_the_overlap() {
        let count = |bins, spacing| {
            let basis =
                ConditionBasis::<f32>::new(&[bins], 9, &[Bumps::every(spacing)], 1).unwrap();
            (basis.basis_count(), basis.reach.len())
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
            ConditionBasis::<f32>::new(bins, 9, &[bumps(spacing, width)], units).err()
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
        let flat = Bumps {
            height: 0.0,
            ..Bumps::every(2.0)
        };
        assert_eq!(
            ConditionBasis::<f32>::new(&[20], 9, &[flat], 1).err(),
            Some(DriveError::Height { found: 0.0 })
        );
        assert!(new(&[20], f64::NAN, 1.0, 1).is_some());
        assert!(new(&[20], 2.0, f64::INFINITY, 1).is_some());
        // Extremes that are allowed stay finite.
        let wide = ConditionBasis::<f32>::new(&[20], 9, &[bumps(1e300, 1e300)], 1).unwrap();
        assert!(wide.basis_matrix().1.iter().all(|v| v.is_finite()));
    }
}
