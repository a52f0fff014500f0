//! Which encoder a model has, as its file says it.

use crate::movie::Grey;
use crate::{
    Bumps, ConditionBasis, DriveError, Encoder, FeatureDrive, MovieDrive, MovieShape, NoDrive,
    Standardise,
};
use refire_core::TrialArray;
use refire_kernels::Real;
use serde::{Deserialize, Serialize};

/// What rebuilds the encoder of a model, beside the weights, the bins and the stimulus.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum DriveSpec {
    /// [`NoDrive`].
    None,
    /// [`ConditionBasis`].
    Condition {
        /// Distance of neighbouring bumps, bins.
        spacing_bins: f64,
        /// Distance from the centre of a bump to where it ends, spacings.
        width_in_spacings: f64,
        /// Height of finer bumps on top, at half the distance of those before, as a share of their height; 0 for none.
        #[serde(default, skip_serializing_if = "is_0")]
        detail: f64,
    },
    /// [`FeatureDrive`].
    Features {
        /// Lags of the filters, the present bin counted.
        lags: usize,
        /// What the features are standardised with.
        standardise: Standardise,
    },
    /// [`MovieDrive`].
    Movie {
        /// Sizes of movie and filters.
        shape: MovieShape,
        /// Mean of all pixels: the grey before and around the movie.
        mean: f64,
        /// Their standard deviation; 1 for a constant movie.
        scale: f64,
    },
}

impl DriveSpec {
    /// A condition drive of bumps whose neighbours sum to 1.
    pub fn condition(spacing_bins: f64, detail: f64) -> Self {
        Self::Condition {
            spacing_bins,
            width_in_spacings: Bumps::every(spacing_bins).width_in_spacings,
            detail,
        }
    }

    /// The bumps of a condition drive; none of another.
    pub fn bumps(&self) -> Vec<Bumps> {
        match *self {
            Self::Condition {
                spacing_bins,
                width_in_spacings,
                detail,
            } => Bumps {
                width_in_spacings,
                ..Bumps::every(spacing_bins)
            }
            .with_detail(detail),
            _ => Vec::new(),
        }
    }

    /// The spec for a movie `[condition][bin][pixel]`, or a single one shared by all conditions, of which the first
    /// `valid[condition]` bins count, with its own mean and standard deviation.
    ///
    /// # Errors
    /// [`DriveError::MovieShape`], [`DriveError::MoviePixels`]; as [`Standardise::fit`].
    pub fn movie(
        shape: MovieShape,
        movie: &TrialArray<f64>,
        valid: &[usize],
    ) -> Result<Self, DriveError> {
        shape.check()?;
        if movie.units() != shape.pixels() {
            return Err(DriveError::MoviePixels {
                height: shape.height,
                width: shape.width,
                found: movie.units(),
            });
        }
        let Grey { mean, scale } = crate::movie::grey(movie, valid)?;
        Ok(Self::Movie { shape, mean, scale })
    }

    /// How many numbers a drive of so many bins takes, its weights not counted: what it is built from, and itself.
    pub fn numbers(&self, bins_per_condition: &[usize], units: usize) -> f64 {
        let bins = bins_per_condition.iter().copied().max().unwrap_or(0) as f64;
        let basis = match *self {
            Self::Condition { .. } => {
                let spacings = self.bumps().into_iter().map(|bumps| {
                    let count = (bins / bumps.spacing_bins.max(1.0)).ceil() + 1.0;
                    // As many of them reach a bin; which, and where a bin starts, in eight bytes each.
                    count.min(2.0 * bumps.width_in_spacings + 3.0).max(1.0)
                });
                bins * 4.0 * spacings.sum::<f64>() + 2.0 * bins
            }
            _ => 0.0,
        };
        basis + bins_per_condition.len() as f64 * bins * units as f64
    }

    /// The encoder for conditions of `bins_per_condition` bins, the first `first_bin` of them
    /// history, and `units` units. Features are `[condition][bin][feature]`, or a single condition
    /// shared by all; only [`DriveSpec::Features`] and [`DriveSpec::Movie`] use them.
    ///
    /// # Errors
    /// [`DriveError::NoFeatures`] where they are used and absent; [`DriveError::NoConditions`],
    /// [`DriveError::NoUnits`], [`DriveError::TooShort`]; what [`ConditionBasis::new`],
    /// [`FeatureDrive::with_standardise`] and [`MovieDrive::new`] refuse.
    pub fn build<T: Real>(
        &self,
        bins_per_condition: &[usize],
        first_bin: usize,
        units: usize,
        features: Option<&TrialArray<f64>>,
    ) -> Result<Box<dyn Encoder<T>>, DriveError> {
        let bins = crate::error::longest(bins_per_condition, first_bin, units)?;
        Ok(match self {
            Self::None => Box::new(NoDrive::new(bins_per_condition.len(), bins, units)),
            Self::Condition { .. } => Box::new(ConditionBasis::new(
                bins_per_condition,
                first_bin,
                &self.bumps(),
                units,
            )?),
            Self::Features { lags, standardise } => Box::new(FeatureDrive::with_standardise(
                features.ok_or(DriveError::NoFeatures)?,
                bins_per_condition,
                *lags,
                units,
                standardise.clone(),
            )?),
            &Self::Movie { shape, mean, scale } => Box::new(MovieDrive::new(
                shape,
                Grey { mean, scale },
                features.ok_or(DriveError::NoFeatures)?,
                bins_per_condition,
                units,
            )?),
        })
    }
}

fn is_0(value: &f64) -> bool {
    *value == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_its_own_words_and_refuses_others() {
        let condition = r#"{"kind":"condition","spacing-bins":4.0,"width-in-spacings":1.0}"#;
        let features = r#"{"kind":"features","lags":3,"standardise":{"mean":[0.5],"scale":[2.0]}}"#;
        let movie = concat!(
            r#"{"kind":"movie","shape":{"height":9,"width":8,"frames":2,"filters":[3,4],"filter-size":5},"#,
            r#""mean":0.5,"scale":2.0}"#
        );
        let fine =
            r#"{"kind":"condition","spacing-bins":4.0,"width-in-spacings":1.0,"detail":0.5}"#;
        for text in [r#"{"kind":"none"}"#, condition, fine, features, movie] {
            let spec: DriveSpec = serde_json::from_str(text).unwrap();
            assert_eq!(serde_json::to_string(&spec).unwrap(), text);
        }
        for text in [
            r#"{"kind":"movie"}"#,
            r#"{"kind":"condition","spacing-bins":4.0,"width-in-spacings":1.0,"lags":1}"#,
            r#"{"kind":"condition","spacing-bins":4.0}"#,
        ] {
            assert!(
                serde_json::from_str::<DriveSpec>(text).is_err(),
                "{text} was read"
            );
        }
    }

    #[test]
    fn builds_what_it_names() {
        let stimulus = TrialArray::zeros(1, 50, 0, 1);
        let parameters = |spec: &DriveSpec, features| {
            let encoder = spec.build::<f32>(&[50, 40], 9, 3, features)?;
            assert_eq!(
                (encoder.conditions(), encoder.bins(), encoder.units()),
                (2, 50, 3)
            );
            Ok(encoder.parameters())
        };
        assert_eq!(parameters(&DriveSpec::None, None), Ok(0));
        let condition = DriveSpec::condition(4.0, 0.0);
        assert_eq!(parameters(&condition, None), Ok(2 * 11 * 3));
        // Every 4, 2 and 1 bins.
        let fine = DriveSpec::condition(4.0, 0.5);
        assert_eq!(parameters(&fine, None), Ok(2 * (11 + 21 + 41) * 3));
        let features = DriveSpec::Features {
            lags: 5,
            standardise: Standardise {
                mean: vec![0.0],
                scale: vec![1.0],
            },
        };
        assert_eq!(parameters(&features, Some(&stimulus)), Ok(5 * 3));
        assert_eq!(parameters(&features, None), Err(DriveError::NoFeatures));
        let none = DriveSpec::None.build::<f32>(&[50, 9], 9, 3, None).err();
        let short = DriveError::TooShort {
            condition: 1,
            bins: 9,
            first_bin: 9,
        };
        assert_eq!(none, Some(short));
    }
}
