//! What a fit makes of a recording before it begins.

use crate::{Drive, FitError, Specification, Terms};
use refire_core::{TrialArray, check_memory};
use refire_drive::{DriveSpec, Encoder, Standardise};
use refire_engine::{Batch, Engine, EngineOptions, Losses, NetworkShape, Parameters, Streams};
use refire_kernels::Real;
use refire_published::BatchTrials;
use refire_recording::{BinWidth, MAX_SPIKE_BINS, Recording, RecordingError, Stimulus};
use std::sync::Arc;

/// An engine that hands the recorded trials of the batch to the terms that compare with them.
pub struct Evaluator<T: Real> {
    engine: Engine<T>,
    batch: Option<BatchTrials>,
}

impl<T: Real> Evaluator<T> {
    /// The objective of a specification: its terms on a network, driven by an encoder.
    pub fn new(
        spec: &Specification,
        shape: NetworkShape,
        encoder: Box<dyn Encoder<T>>,
        terms: Terms<T>,
    ) -> Self {
        let parts = spec.objective.corrected().map_or(1, |c| c.noise.parts);
        let options = EngineOptions {
            spike_gradient: spec.optimiser.spike_gradient(),
            window: spec.checkpoint_bins,
            reward_stride: parts.saturating_mul(2),
        };
        Self {
            engine: Engine::new(shape, options, encoder, terms.terms),
            batch: terms.batch,
        }
    }

    /// Value of the objective, and its gradient where `gradient` is given (overwritten).
    ///
    /// # Errors
    /// [`FitError::Engine`] where a term has no value on this batch.
    pub fn evaluate(
        &mut self,
        parameters: &Parameters<T>,
        batch: &Batch,
        streams: Streams,
        gradient: Option<&mut Parameters<T>>,
    ) -> Result<Losses, FitError> {
        if let Some(place) = &self.batch {
            place.set(Arc::clone(&batch.recorded));
        }
        Ok(self.engine.evaluate(parameters, batch, streams, gradient)?)
    }

    /// Names of the terms, in order.
    pub fn term_names(&self) -> Vec<&'static str> {
        self.engine.term_names()
    }

    /// What terms in use measure on a random sample only.
    pub fn sampled(&self) -> Vec<String> {
        self.engine.sampled()
    }
}

/// A stimulus in bins, `[1 or condition][bin][feature]`.
pub(crate) fn features_in_bins(
    stimulus: &Stimulus,
    width: BinWidth,
    bins: usize,
) -> Result<TrialArray<f64>, FitError> {
    let numbers = stimulus.courses() as f64 * bins as f64 * stimulus.features() as f64;
    let what = format!("{} features in {bins} bins", stimulus.features());
    // Twice: in bins, and as an array.
    check_memory(&what, 16.0 * numbers.max(bins as f64))?;
    if numbers > MAX_SPIKE_BINS as f64 {
        return Err(FitError::setting(
            "stimulus",
            "at most 4294967296 numbers",
            what,
        ));
    }
    let per_bin = stimulus.resample(width, bins)?;
    let (courses, count) = (per_bin.courses(), per_bin.features());
    TrialArray::from_vec(per_bin.values().to_vec(), courses, bins, count)
        .ok_or(FitError::NoStimulus)
}

/// A condition drive of raised cosines every `spacing` seconds, never under two bins.
pub(crate) fn condition(spacing: f64, detail: f64, bin_width: f64) -> DriveSpec {
    DriveSpec::condition((spacing / bin_width).max(2.0), detail)
}

/// The drive of a recording.
pub(crate) struct DriveOf {
    /// How it is built.
    pub spec: DriveSpec,
    /// Stimulus features per bin `[1 or condition][bin][feature]`.
    pub features: Option<TrialArray<f64>>,
}

impl DriveOf {
    /// The drive that a specification asks for, where conditions have so many bins.
    pub(crate) fn new(
        drive: Drive,
        recording: &Recording,
        bins_per_condition: &[usize],
    ) -> Result<Self, FitError> {
        let spec = match drive {
            Drive::None => DriveSpec::None,
            Drive::Condition { spacing, detail } => {
                condition(spacing, detail.unwrap_or(0.0), recording.bin_width())
            }
            Drive::Features { lags } => {
                return Self::of_stimulus(recording, bins_per_condition, |features, valid| {
                    Ok(DriveSpec::Features {
                        lags,
                        standardise: Standardise::fit(features, valid)?,
                    })
                });
            }
            Drive::Movie(shape) => {
                return Self::of_stimulus(recording, bins_per_condition, |features, valid| {
                    Ok(DriveSpec::movie(shape, features, valid)?)
                });
            }
        };
        Ok(Self {
            spec,
            features: None,
        })
    }

    /// A drive of stimulus features `[1 or condition][bin][feature]`, of which so many bins are valid.
    fn of_stimulus(
        recording: &Recording,
        bins_per_condition: &[usize],
        spec: impl FnOnce(&TrialArray<f64>, &[usize]) -> Result<DriveSpec, FitError>,
    ) -> Result<Self, FitError> {
        let stimulus = recording.stimulus().ok_or(FitError::NoStimulus)?;
        let bins = bins_per_condition.iter().copied().max().unwrap_or(0);
        let width = BinWidth::from_seconds(recording.bin_width()).map_err(RecordingError::from)?;
        let features = features_in_bins(stimulus, width, bins)?;
        let shared = [bins];
        let valid = if features.trials() == 1 {
            shared.as_slice()
        } else {
            bins_per_condition
        };
        Ok(Self {
            spec: spec(&features, valid)?,
            features: Some(features),
        })
    }
}
