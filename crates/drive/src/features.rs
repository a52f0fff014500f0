//! Drive that is linear in given stimulus features.

use crate::encoder::{check_adjoint, prepare};
use crate::error::longest;
use crate::{Design, DriveError, Encoder, Kept, Standardise};
use refire_core::TrialArray;
use refire_kernels::{MatrixMut, MatrixRef, Real, add_assign, matmul};

/// Linear filters over stimulus features:
///
/// ```text
/// x[c][t][j] = sum_{lag < L, f} F[c][t - lag][f] w[lag][f][j]
/// ```
///
/// `F` are the standardised features, zero (their mean) before the stimulus starts. Weights are
/// laid out `[lag][feature][unit]` and shared by all conditions. Features shared by all conditions
/// are multiplied once.
#[derive(Clone, Debug)]
pub struct FeatureDrive<T> {
    /// Standardised, `[stimulus][bin][feature]`; one stimulus where shared.
    features: TrialArray<T>,
    standardise: Standardise,
    bins_per_condition: Vec<usize>,
    lags: usize,
    units: usize,
}

impl<T: Real> FeatureDrive<T> {
    /// Standardises features `[condition][bin][feature]`, one for each condition or a single one
    /// shared by all, over the valid bins: each feature gets mean 0 and standard deviation 1, a
    /// constant one is only centred. `lags` counts the present bin.
    ///
    /// # Errors
    /// As [`Self::with_standardise`].
    pub fn new(
        features: &TrialArray<f64>,
        bins_per_condition: &[usize],
        lags: usize,
        units: usize,
    ) -> Result<Self, DriveError> {
        let valid = valid_bins(features, bins_per_condition, units)?;
        let standardise = Standardise::fit(features, &valid)?;
        Self::with_standardise(features, bins_per_condition, lags, units, standardise)
    }

    /// Like [`Self::new`], with the standardisation of an earlier fit.
    ///
    /// # Errors
    /// [`DriveError::NoConditions`], [`DriveError::NoUnits`], [`DriveError::NoFeatures`],
    /// [`DriveError::NoLags`]; [`DriveError::TooShort`] for an empty condition;
    /// [`DriveError::FeatureConditions`], [`DriveError::FeatureBins`],
    /// [`DriveError::FeatureCount`] for features of another shape; [`DriveError::NotFinite`] for
    /// one that is no finite number; what [`Standardise::check`] says.
    pub fn with_standardise(
        features: &TrialArray<f64>,
        bins_per_condition: &[usize],
        lags: usize,
        units: usize,
        standardise: Standardise,
    ) -> Result<Self, DriveError> {
        let valid = valid_bins(features, bins_per_condition, units)?;
        if lags == 0 {
            return Err(DriveError::NoLags);
        }
        standardise.check()?;
        if standardise.mean.len() != features.units() {
            return Err(DriveError::FeatureCount {
                expected: standardise.mean.len(),
                found: features.units(),
            });
        }
        let bins = valid.iter().copied().max().unwrap_or(0);
        let mut kept = TrialArray::zeros(valid.len(), bins, 0, features.units());
        for (condition, &valid) in valid.iter().enumerate() {
            for bin in 0..valid {
                let values = standardise.apply(features.row(condition, bin));
                let row = kept.row_mut(condition, bin);
                for (feature, (into, value)) in row.iter_mut().zip(values).enumerate() {
                    *into = T::new(value);
                    if !into.is_finite() {
                        return Err(DriveError::NotFinite {
                            condition,
                            bin,
                            feature,
                        });
                    }
                }
            }
        }
        Ok(Self {
            features: kept,
            standardise,
            bins_per_condition: bins_per_condition.to_vec(),
            lags,
            units,
        })
    }

    /// What the features were standardised with.
    pub fn standardise(&self) -> &Standardise {
        &self.standardise
    }

    /// Lags of the filters, the present bin counted.
    pub fn lags(&self) -> usize {
        self.lags
    }

    fn is_shared(&self) -> bool {
        self.features.trials() == 1
    }

    /// The features of a stimulus that act at `lag` on its bins from `lag` on.
    fn lagged(&self, stimulus: usize, bins: usize, lag: usize) -> MatrixRef<'_, T> {
        let n = self.features.units();
        MatrixRef::rows(self.features.trial(stimulus), bins - lag, n, n)
    }

    /// Weights per lag.
    fn lag_len(&self) -> usize {
        self.features.units() * self.units
    }

    // x[t] = sum_lag F[t - lag] w[lag]; adds to x, `[bin][unit]` of the valid bins.
    fn filter(&self, stimulus: usize, weights: &[T], x: &mut [T]) {
        let (n, bins) = (self.units, x.len() / self.units);
        let per_lag = weights.chunks_exact(self.lag_len()).take(bins);
        for (lag, w) in per_lag.enumerate() {
            matmul(
                self.lagged(stimulus, bins, lag),
                MatrixRef::rows(w, self.features.units(), n, n),
                T::one(),
                MatrixMut::rows(&mut x[lag * n..], bins - lag, n, n),
            );
        }
    }

    // dL/dw[lag] = sum_t F[t - lag]^T dL/dx[t]; adds to d_weights.
    fn pull_back_filter(&self, stimulus: usize, dx: &[T], d_weights: &mut [T]) {
        let (n, bins) = (self.units, dx.len() / self.units);
        let per_lag = d_weights.chunks_exact_mut(self.lag_len()).take(bins);
        for (lag, dw) in per_lag.enumerate() {
            matmul(
                self.lagged(stimulus, bins, lag).transposed(),
                MatrixRef::rows(&dx[lag * n..], bins - lag, n, n),
                T::one(),
                MatrixMut::rows(dw, self.features.units(), n, n),
            );
        }
    }
}

/// Valid bins of each stimulus, once the features fit the conditions.
pub(crate) fn valid_bins(
    features: &TrialArray<f64>,
    bins_per_condition: &[usize],
    units: usize,
) -> Result<Vec<usize>, DriveError> {
    let bins = longest(bins_per_condition, 0, units)?;
    if features.units() == 0 {
        return Err(DriveError::NoFeatures);
    }
    if features.trials() != 1 && features.trials() != bins_per_condition.len() {
        return Err(DriveError::FeatureConditions {
            expected: bins_per_condition.len(),
            found: features.trials(),
        });
    }
    if features.bins() < bins {
        return Err(DriveError::FeatureBins {
            expected: bins,
            found: features.bins(),
        });
    }
    Ok(if features.trials() == 1 {
        vec![bins]
    } else {
        bins_per_condition.to_vec()
    })
}

impl<T: Real> Encoder<T> for FeatureDrive<T> {
    fn conditions(&self) -> usize {
        self.bins_per_condition.len()
    }

    fn bins(&self) -> usize {
        self.features.bins()
    }

    fn units(&self) -> usize {
        self.units
    }

    fn parameters(&self) -> usize {
        self.lags * self.lag_len()
    }

    fn is_linear(&self) -> bool {
        true
    }

    // Weight lag * features + f has F[t - lag][f].
    fn design(&self) -> Option<Design> {
        let features = self.features.units();
        let row = move |course: usize, t: usize| {
            (0..self.lags.min(t + 1)).flat_map(move |lag| {
                let row = self.features.row(course, t - lag).iter().enumerate();
                row.map(move |(f, value)| (lag * features + f, value.f64()))
            })
        };
        Some(Design::new(&self.bins_per_condition, self.is_shared(), row))
    }

    // x[c] = filter(F[c]), or a copy of filter(F) where the features are shared
    fn forward_keeping(&self, weights: &[T], drive: &mut TrialArray<T>, _: &mut Kept) {
        prepare(self, weights, drive);
        let mut shared = Vec::new();
        if self.is_shared() {
            shared.resize(self.bins() * self.units, T::zero());
            self.filter(0, weights, &mut shared);
        }
        for (c, &bins) in self.bins_per_condition.iter().enumerate() {
            let x = &mut drive.trial_mut(c)[..bins * self.units];
            if self.is_shared() {
                x.copy_from_slice(&shared[..x.len()]);
            } else {
                self.filter(c, weights, x);
            }
        }
    }

    // dL/dw = sum_c filter^T(dL/dx[c]), or filter^T(sum_c dL/dx[c]) where the features are shared
    fn pull_back(&self, _: &[T], _: &mut Kept, d_drive: &TrialArray<T>, d_weights: &mut [T]) {
        check_adjoint(self, d_drive, d_weights);
        let mut shared = Vec::new();
        if self.is_shared() {
            shared.resize(self.bins() * self.units, T::zero());
        }
        for (c, &bins) in self.bins_per_condition.iter().enumerate() {
            let dx = &d_drive.trial(c)[..bins * self.units];
            if self.is_shared() {
                add_assign(&mut shared[..dx.len()], dx);
            } else {
                self.pull_back_filter(c, dx, d_weights);
            }
        }
        if self.is_shared() {
            self.pull_back_filter(0, &shared, d_weights);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::tests::{assert_adjoint, numbers};
    use proptest::prelude::*;

    /// Features that are used as given.
    fn plain(count: usize) -> Standardise {
        Standardise {
            mean: vec![0.0; count],
            scale: vec![1.0; count],
        }
    }

    proptest! {
        #[test]
        fn pull_back_is_the_adjoint_and_forward_the_definition(
            lengths in prop::collection::vec(1usize..12, 1..4),
            (count, lags, units) in (1usize..4, 1usize..15, 1usize..4),
            shared in any::<bool>(),
            seed in 0u64..1000,
        ) {
            let stimuli = if shared { 1 } else { lengths.len() };
            let bins = *lengths.iter().max().unwrap();
            let values = numbers(stimuli * (bins + 1) * count, seed + 7);
            let features = TrialArray::from_vec(values, stimuli, bins + 1, count).unwrap();
            let encoder = FeatureDrive::<f64>::new(&features, &lengths, lags, units).unwrap();
            assert_adjoint(&encoder, seed);

            let weights = numbers(encoder.parameters(), seed);
            let mut drive = TrialArray::default();
            encoder.forward(&weights, &mut drive);
            let Standardise { mean, scale } = encoder.standardise();
            for (c, &length) in lengths.iter().enumerate() {
                for t in 0..bins {
                    for j in 0..units {
                        let mut x = 0.0;
                        for lag in 0..lags.min(t + 1) {
                            for f in 0..count {
                                let raw = features.row(if shared { 0 } else { c }, t - lag)[f];
                                x += (raw - mean[f]) / scale[f]
                                    * weights[(lag * count + f) * units + j];
                            }
                        }
                        let want = if t < length { x } else { 0.0 };
                        prop_assert!((drive.row(c, t)[j] - want).abs() < 1e-12 * (1.0 + x.abs()));
                    }
                }
            }
        }
    }

    #[test]
    fn a_pulse_traces_the_filter() {
        // A pulse at bin 1 of one feature: the drive is the filter, from bin 1 on, zero before.
        let features = TrialArray::from_vec(vec![0.0, 1.0, 0.0, 0.0, 0.0], 1, 5, 1).unwrap();
        let encoder =
            FeatureDrive::<f32>::with_standardise(&features, &[5, 3], 3, 2, plain(1)).unwrap();
        let mut drive = TrialArray::default();
        encoder.forward(&[1.0, -1.0, 2.0, -2.0, 3.0, -3.0], &mut drive);
        assert_eq!(
            drive.trial(0),
            [0.0, 0.0, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 0.0, 0.0]
        );
        assert_eq!(
            drive.trial(1),
            [0.0, 0.0, 1.0, -1.0, 2.0, -2.0, 0.0, 0.0, 0.0, 0.0]
        );
    }

    #[test]
    fn a_stored_standardisation_is_applied_to_a_new_stimulus() {
        let fitted = TrialArray::from_vec(vec![0.0, 4.0], 1, 2, 1).unwrap();
        let standardise = FeatureDrive::<f64>::new(&fitted, &[2], 1, 1)
            .unwrap()
            .standardise()
            .clone();
        let new = TrialArray::from_vec(vec![6.0, 2.0, 0.0], 1, 3, 1).unwrap();
        let encoder = FeatureDrive::with_standardise(&new, &[3], 1, 1, standardise).unwrap();
        let mut drive = TrialArray::default();
        encoder.forward(&[1.0], &mut drive);
        assert_eq!(drive.as_slice(), &[2.0, 0.0, -1.0]);
    }

    #[test]
    fn refuses_other_shapes_and_numbers() {
        let features = |stimuli, bins, count| TrialArray::<f64>::zeros(stimuli, bins, 0, count);
        let new = |f: &TrialArray<f64>, bins: &[usize], lags, units| {
            FeatureDrive::<f32>::with_standardise(f, bins, lags, units, plain(2)).err()
        };
        assert_eq!(new(&features(1, 5, 2), &[5, 4], 1, 3), None);
        let conditions = DriveError::FeatureConditions {
            expected: 3,
            found: 2,
        };
        assert_eq!(new(&features(2, 5, 2), &[5, 4, 3], 1, 3), Some(conditions));
        let bins = DriveError::FeatureBins {
            expected: 6,
            found: 5,
        };
        assert_eq!(new(&features(1, 5, 2), &[6], 1, 3), Some(bins));
        let count = DriveError::FeatureCount {
            expected: 2,
            found: 3,
        };
        assert_eq!(new(&features(1, 5, 3), &[5], 1, 3), Some(count));
        assert_eq!(
            new(&features(1, 5, 0), &[5], 1, 3),
            Some(DriveError::NoFeatures)
        );
        assert_eq!(
            new(&features(1, 5, 2), &[5], 0, 3),
            Some(DriveError::NoLags)
        );
        assert_eq!(
            new(&features(1, 5, 2), &[5], 1, 0),
            Some(DriveError::NoUnits)
        );
        assert_eq!(
            new(&features(1, 5, 2), &[], 1, 1),
            Some(DriveError::NoConditions)
        );
        let empty = DriveError::TooShort {
            condition: 0,
            bins: 0,
            first_bin: 0,
        };
        assert_eq!(new(&features(1, 5, 2), &[0], 1, 1), Some(empty));
        // Finite in double precision, not in single.
        let large = TrialArray::from_vec(vec![0.0, 0.0, 0.0, 1e200], 1, 2, 2).unwrap();
        let not_finite = DriveError::NotFinite {
            condition: 0,
            bin: 1,
            feature: 1,
        };
        assert_eq!(new(&large, &[2], 1, 1), Some(not_finite));
    }
}
