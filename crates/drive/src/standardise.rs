//! Features brought to a common scale.

use crate::DriveError;
use refire_core::TrialArray;
use serde::{Deserialize, Serialize};

/// Per feature, what is subtracted and what it is then divided by. Made from the stimulus of the
/// fit, kept with the model, and applied as it is to a new stimulus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Standardise {
    /// Mean over the valid bins, `[feature]`.
    pub mean: Vec<f64>,
    /// Standard deviation over the valid bins, `[feature]`; 1 for a constant feature.
    pub scale: Vec<f64>,
}

impl Standardise {
    /// Mean and standard deviation (over n, not n - 1) of each feature. Features are
    /// `[condition][bin][feature]`, of which the first `valid[condition]` bins count.
    ///
    /// # Errors
    /// [`DriveError::FeatureConditions`], [`DriveError::FeatureBins`] where `valid` does not fit
    /// the features; [`DriveError::NotFinite`]; [`DriveError::Standardise`] for numbers too large.
    pub fn fit(features: &TrialArray<f64>, valid: &[usize]) -> Result<Self, DriveError> {
        if features.trials() != valid.len() {
            return Err(DriveError::FeatureConditions {
                expected: valid.len(),
                found: features.trials(),
            });
        }
        let expected = valid.iter().copied().max().unwrap_or(0);
        if features.bins() < expected {
            return Err(DriveError::FeatureBins {
                expected,
                found: features.bins(),
            });
        }
        let mut fitted = Self {
            mean: Vec::with_capacity(features.units()),
            scale: Vec::with_capacity(features.units()),
        };
        for feature in 0..features.units() {
            let rows = (0..valid.len()).flat_map(|c| (0..valid[c]).map(move |t| (c, t)));
            let values: Vec<f64> = rows
                .clone()
                .map(|(c, t)| features.row(c, t)[feature])
                .collect();
            let mut located = rows.zip(&values);
            if let Some(((condition, bin), _)) = located.find(|(_, x)| !x.is_finite()) {
                return Err(DriveError::NotFinite {
                    condition,
                    bin,
                    feature,
                });
            }
            let (mean, scale) = moments(&values);
            fitted.mean.push(mean);
            fitted.scale.push(scale);
        }
        fitted.check()?;
        Ok(fitted)
    }

    /// Whether the numbers can be applied.
    ///
    /// # Errors
    /// [`DriveError::StandardiseLengths`], [`DriveError::Standardise`].
    pub fn check(&self) -> Result<(), DriveError> {
        if self.mean.len() != self.scale.len() {
            return Err(DriveError::StandardiseLengths {
                means: self.mean.len(),
                scales: self.scale.len(),
            });
        }
        let pairs = self.mean.iter().zip(&self.scale);
        for (feature, (&mean, &scale)) in pairs.enumerate() {
            if !(mean.is_finite() && scale.is_finite() && scale > 0.0) {
                return Err(DriveError::Standardise {
                    feature,
                    mean,
                    scale,
                });
            }
        }
        Ok(())
    }

    /// One bin's features, standardised.
    pub(crate) fn apply<'a>(&'a self, row: &'a [f64]) -> impl Iterator<Item = f64> + 'a {
        let numbers = self.mean.iter().zip(&self.scale);
        row.iter()
            .zip(numbers)
            .map(|(x, (mean, scale))| (x - mean) / scale)
    }
}

/// Mean and standard deviation; 1 in place of a standard deviation of 0.
fn moments(values: &[f64]) -> (f64, f64) {
    let first = values.first().copied().unwrap_or(0.0);
    // Rounding must not make a scale out of the mean of equal numbers.
    if values.iter().all(|&x| x == first) {
        return (first, 1.0);
    }
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    // Squares of deviations relative to the largest: none overflows, and not all underflow.
    let largest = values.iter().fold(0.0f64, |m, x| m.max((x - mean).abs()));
    let square: f64 = values.iter().map(|x| ((x - mean) / largest).powi(2)).sum();
    let scale = largest * (square / n).sqrt();
    (mean, if scale == 0.0 { 1.0 } else { scale })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hand_case_over_valid_bins_only() {
        // Feature 0: 1, 3 and 5, 7 (mean 4, variance 5); feature 1 constant; bin 2 of
        // condition 0 is padding.
        let values = vec![
            1.0, 0.1, 3.0, 0.1, 99.0, 99.0, 5.0, 0.1, 7.0, 0.1, 99.0, 99.0,
        ];
        let features = TrialArray::from_vec(values, 2, 3, 2).unwrap();
        let fitted = Standardise::fit(&features, &[2, 2]).unwrap();
        assert_eq!(fitted.mean, [4.0, 0.1]);
        assert!((fitted.scale[0] - 5f64.sqrt()).abs() < 1e-15);
        assert_eq!(fitted.scale[1], 1.0);
        let row: Vec<f64> = fitted.apply(&[4.0 + 5f64.sqrt(), 0.1]).collect();
        assert!((row[0] - 1.0).abs() < 1e-15);
        assert_eq!(row[1], 0.0);
    }

    #[test]
    fn tiny_and_large_numbers_have_a_scale() {
        for size in [1e-300, 1e300] {
            let features = TrialArray::from_vec(vec![-size, size], 1, 2, 1).unwrap();
            let fitted = Standardise::fit(&features, &[2]).unwrap();
            assert!((fitted.scale[0] / size - 1.0).abs() < 1e-15);
        }
        let features = TrialArray::from_vec(vec![1.7e308, 1.6e308], 1, 2, 1).unwrap();
        assert!(matches!(
            Standardise::fit(&features, &[2]),
            Err(DriveError::Standardise { feature: 0, .. })
        ));
    }

    #[test]
    fn refuses_what_is_not_a_number_and_wrong_shapes() {
        let features = TrialArray::from_vec(vec![1.0, f64::NAN, 2.0, 3.0], 1, 2, 2).unwrap();
        let not_finite = DriveError::NotFinite {
            condition: 0,
            bin: 0,
            feature: 1,
        };
        assert_eq!(Standardise::fit(&features, &[2]), Err(not_finite));
        let conditions = DriveError::FeatureConditions {
            expected: 2,
            found: 1,
        };
        assert_eq!(Standardise::fit(&features, &[2, 2]), Err(conditions));
        let bins = DriveError::FeatureBins {
            expected: 3,
            found: 2,
        };
        assert_eq!(Standardise::fit(&features, &[3]), Err(bins));
        let check = |mean: f64, scale: &[f64]| {
            Standardise {
                mean: vec![mean],
                scale: scale.to_vec(),
            }
            .check()
        };
        assert_eq!(check(0.0, &[2.0]), Ok(()));
        assert!(check(0.0, &[0.0]).is_err());
        assert!(check(f64::INFINITY, &[1.0]).is_err());
        assert!(check(0.0, &[1.0, 1.0]).is_err());
    }
}
