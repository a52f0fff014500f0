//! Why an encoder cannot be built.

/// Why an encoder cannot be built.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum DriveError {
    /// There is no condition to drive.
    #[error("drive: no conditions")]
    NoConditions,
    /// There is no unit to drive.
    #[error("drive: no units")]
    NoUnits,
    /// A condition has no bin after its history.
    #[error(
        "drive: condition {condition} has {bins} bins, expected more than the {first_bin} of the \
         history"
    )]
    TooShort {
        /// Dense index of the condition.
        condition: usize,
        /// Length of the condition, bins, history included.
        bins: usize,
        /// Bins that only serve as history.
        first_bin: usize,
    },
    /// Bumps of the temporal basis too close.
    #[error("drive: spacing of the temporal basis is {found} bins, expected a number >= 1")]
    Spacing {
        /// Distance of neighbouring bumps asked for, bins.
        found: f64,
    },
    /// Bumps of the temporal basis that are none.
    #[error("drive: height of the temporal basis is {found}, expected a positive number")]
    Height {
        /// Height of the bumps asked for.
        found: f64,
    },
    /// Bumps of the temporal basis too narrow to cover every bin.
    #[error("drive: width of the temporal basis is {found} spacings, expected a number >= 1")]
    Width {
        /// Distance from the centre of a bump to its end asked for, spacings.
        found: f64,
    },
    /// The spec asks for features and there are none.
    #[error("drive: stimulus features expected, found none")]
    NoFeatures,
    /// Not even the present bin of the stimulus acts.
    #[error("drive: 0 stimulus lags, expected at least 1")]
    NoLags,
    /// Features are neither shared nor given for each condition.
    #[error("drive: features of {found} conditions, expected {expected} (or 1, shared by all)")]
    FeatureConditions {
        /// Conditions of the recording.
        expected: usize,
        /// Conditions the features are for.
        found: usize,
    },
    /// The features end before a condition does.
    #[error("drive: features of {found} bins, expected at least {expected}")]
    FeatureBins {
        /// Bins of the longest condition.
        expected: usize,
        /// Bins of the features.
        found: usize,
    },
    /// Another number of features than the standardisation was made for.
    #[error("drive: {found} features, expected {expected}")]
    FeatureCount {
        /// Features of the standardisation.
        expected: usize,
        /// Features given.
        found: usize,
    },
    /// A feature is NaN, infinite, or too large for the number type.
    #[error(
        "drive: feature {feature} at bin {bin} of condition {condition} is not a finite number, \
         as given or once standardised"
    )]
    NotFinite {
        /// The condition (0 for shared features).
        condition: usize,
        /// Bin from the start of the condition, from 0.
        bin: usize,
        /// Index of the feature, from 0.
        feature: usize,
    },
    /// A stored standardisation that cannot be applied, or features too large to make one.
    #[error(
        "drive: standardisation of feature {feature} has mean {mean} and scale {scale}, expected \
         finite numbers and a scale above 0"
    )]
    Standardise {
        /// Index of the feature, from 0.
        feature: usize,
        /// Its mean.
        mean: f64,
        /// What its deviations are divided by: a standard deviation in the unit of the feature.
        scale: f64,
    },
    /// A stored standardisation with lists of unequal length.
    #[error("drive: standardisation has {scales} scales, expected one for each of {means} means")]
    StandardiseLengths {
        /// Number of means.
        means: usize,
        /// Number of scales.
        scales: usize,
    },
    /// A size of the convolutional encoder out of range.
    #[error("drive: {what}: expected {expected}, found {found}")]
    MovieShape {
        /// Name of the size, e.g. `movie height`.
        what: &'static str,
        /// What is allowed.
        expected: &'static str,
        /// The size found.
        found: usize,
    },
    /// The features of a bin are not the pixels of a frame.
    #[error(
        "drive: stimulus of {found} features per bin, expected the {} pixels of a movie of {height} x {width}",
        height * width
    )]
    MoviePixels {
        /// Pixels from top to bottom.
        height: usize,
        /// Pixels from left to right.
        width: usize,
        /// Features of the stimulus.
        found: usize,
    },
    /// Grey of a movie that cannot be applied.
    #[error(
        "drive: movie of mean {mean} and standard deviation {scale}, expected finite numbers and a \
         standard deviation above 0"
    )]
    MovieScale {
        /// Mean of all pixels.
        mean: f64,
        /// Their standard deviation.
        scale: f64,
    },
}

/// Bins of the longest condition, once every condition has bins after its history and there are
/// units.
pub(crate) fn longest(
    bins_per_condition: &[usize],
    first_bin: usize,
    units: usize,
) -> Result<usize, DriveError> {
    if units == 0 {
        return Err(DriveError::NoUnits);
    }
    let short = |&(_, &bins): &(usize, &usize)| bins <= first_bin;
    if let Some((condition, &bins)) = bins_per_condition.iter().enumerate().find(short) {
        return Err(DriveError::TooShort {
            condition,
            bins,
            first_bin,
        });
    }
    let longest = bins_per_condition.iter().copied().max();
    longest.ok_or(DriveError::NoConditions)
}
