//! A model under another stimulus than the one of its fit.

use crate::setup::features_in_bins;
use crate::trials::bins_per_condition;
use crate::{FitError, Model, Training};
use refire_drive::DriveSpec;
use refire_recording::{BinWidth, Label, Recording, RecordingError, Stimulus};

/// A stimulus, and what goes with it.
#[derive(Clone, Copy, Debug)]
pub struct Driving<'a> {
    /// The stimulus, standardised as that of the fit was.
    pub stimulus: &'a Stimulus,
    /// Labels of its conditions.
    pub labels: &'a [Label],
    /// Bins of the longest trial of each.
    pub bins: &'a [usize],
}

impl Model {
    /// Whether its drive is made of a stimulus.
    pub fn has_stimulus(&self) -> bool {
        matches!(
            self.drive,
            DriveSpec::Features { .. } | DriveSpec::Movie { .. }
        )
    }

    /// The model under another stimulus: its conditions are those of the stimulus, and training trials of other
    /// conditions belong to none of them.
    ///
    /// # Errors
    /// [`FitError::NoUseForStimulus`] for a model whose drive is made of none; [`FitError::Recording`] for a stimulus
    /// that ends before its trials; [`FitError::TooFewBins`] for one that is no longer than the couplings reach;
    /// [`FitError::Drive`] for another number of features than that of the fit.
    pub fn driven_by(&self, driving: Driving<'_>) -> Result<Self, FitError> {
        if !self.has_stimulus() {
            return Err(FitError::NoUseForStimulus);
        }
        let lags = self.spec.network.lags;
        if let Some((trial, &bins)) = driving.bins.iter().enumerate().find(|(_, b)| **b <= lags) {
            return Err(FitError::TooFewBins {
                trial,
                bins,
                least: lags + 1,
            });
        }
        let width = BinWidth::from_seconds(self.bin_width).map_err(RecordingError::from)?;
        let longest = driving.bins.iter().copied().max().unwrap_or(0);
        let features = features_in_bins(driving.stimulus, width, longest)?;
        let place = |&condition: &usize| {
            let label = self.condition_labels.get(condition);
            let mut places = driving.labels.iter();
            // Behind all conditions where it is none of them.
            places
                .position(|l| Some(l) == label)
                .unwrap_or(driving.labels.len())
        };
        let model = Self {
            condition_labels: driving.labels.to_vec(),
            bins_per_condition: driving.bins.to_vec(),
            features: Some(features),
            training: Training {
                conditions: self.training.conditions.iter().map(place).collect(),
                ..self.training.clone()
            },
            ..self.clone()
        };
        model.encoder()?;
        Ok(model)
    }

    /// The model as it meets a recording: under the stimulus that comes with it, where its drive is made of one.
    ///
    /// # Errors
    /// As [`Self::driven_by`]; [`FitError::NoStimulus`] for a recording without the stimulus that the drive needs.
    pub fn facing(&self, recording: &Recording) -> Result<Self, FitError> {
        if !self.has_stimulus() {
            return Ok(self.clone());
        }
        self.check_units_and_bins(recording)?;
        // Trials that are shorter are left out.
        let bins = bins_per_condition(recording, self.spec.network.lags + 1);
        self.driven_by(Driving {
            stimulus: recording.stimulus().ok_or(FitError::NoStimulus)?,
            labels: recording.condition_labels(),
            bins: &bins,
        })
    }
}
