//! What drives the units besides each other.

use super::Facts;
use super::numbers::{at_least_1, not_negative, positive};
use crate::FitError;
use refire_drive::MovieShape;
use serde::{Deserialize, Serialize};

/// What drives the units besides each other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Drive {
    /// Nothing.
    None,
    /// A smooth time course per condition and unit.
    Condition {
        /// Spacing of its raised cosines, seconds; never under two bins.
        spacing: f64,
        /// Height of finer ones on top, at half the distance of those before and down to a bin, as a share of their
        /// height: a drive that is smooth unless the spikes say otherwise. 0 for none; `None` for what the likelihood of
        /// validation trials chooses ([`crate::Trainer`]).
        detail: Option<f64>,
    },
    /// Linear in the recording's stimulus features.
    Features {
        /// Lags of the filters, the present bin counted.
        lags: usize,
    },
    /// Convolutions of the recording's stimulus, whose features are the pixels of a movie.
    Movie(MovieShape),
}

/// A drive by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DriveKind {
    /// [`Drive::None`].
    None,
    /// [`Drive::Condition`].
    Condition,
    /// [`Drive::Features`].
    Features,
    /// [`Drive::Movie`].
    Movie,
}

/// Spacing of the raised cosines unless said, seconds.
pub(super) const SPACING: f64 = 0.04;

/// Lags of stimulus features unless said, bins.
pub(super) const STIMULUS_LAGS: usize = 5;

impl Drive {
    /// A drive of a kind, as by default.
    pub fn new(kind: DriveKind) -> Self {
        match kind {
            DriveKind::None => Self::None,
            DriveKind::Condition => Self::Condition {
                spacing: SPACING,
                detail: None,
            },
            DriveKind::Features => Self::Features {
                lags: STIMULUS_LAGS,
            },
            DriveKind::Movie => Self::Movie(MovieShape::default()),
        }
    }

    /// A drive that the recording can have.
    pub(super) fn for_recording(facts: &Facts) -> Self {
        Self::new(match (facts.has_stimulus, facts.has_repeats) {
            (true, _) => DriveKind::Features,
            (false, true) => DriveKind::Condition,
            // A time course for every trial would be that trial.
            (false, false) => DriveKind::None,
        })
    }

    /// Its name.
    pub fn kind(&self) -> DriveKind {
        match self {
            Self::None => DriveKind::None,
            Self::Condition { .. } => DriveKind::Condition,
            Self::Features { .. } => DriveKind::Features,
            Self::Movie(_) => DriveKind::Movie,
        }
    }

    pub(super) fn check(&self) -> Result<(), FitError> {
        match self {
            Self::None => Ok(()),
            Self::Condition { spacing, detail } => {
                positive("drive-spacing", *spacing)?;
                not_negative("drive-detail", detail.unwrap_or(0.0))
            }
            Self::Features { lags } => at_least_1("stimulus-lags", *lags, "1 or more bins"),
            Self::Movie(shape) => Ok(shape.check()?),
        }
    }
}
