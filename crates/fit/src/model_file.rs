//! `model.refire`: the layout of the model file, version 1.
//!
//! Nothing in it depends on the clock, the thread count or a path.

use crate::model::{Model, Training};
use crate::wire::{self, Bits, F32Bytes};
use crate::{FitError, Parameters, Settings};
use refire_core::TrialArray;
use refire_drive::DriveSpec;
use refire_metrics::StabilityRange;
use refire_recording::Split;
use serde::{Deserialize, Serialize};
use std::path::Path;

const FORMAT: &str = "refire-model";
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    settings: Settings,
    bin_width_s: f64,
    unit_ids: Vec<i64>,
    condition_labels: Vec<i64>,
    bins_per_condition: Vec<usize>,
    drive: DriveSpec,
    features: Option<Features>,
    couplings: F32Bytes,
    bias: F32Bytes,
    drive_weights: F32Bytes,
    baseline: Vec<f64>,
    histories: Bits,
    training_conditions: Vec<usize>,
    training_bins: Vec<usize>,
    stability_range: StabilityRange,
    split: Split,
    recording_hash: String,
    iteration: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Features {
    courses: usize,
    bins: usize,
    features: usize,
    values: Vec<f64>,
}

impl Model {
    /// Writes the model to a temporary name and renames it.
    ///
    /// # Errors
    /// [`FitError::File`].
    pub fn write(&self, path: &Path) -> Result<(), FitError> {
        let body = Body {
            settings: self.settings.clone(),
            bin_width_s: self.bin_width,
            unit_ids: self.unit_ids.clone(),
            condition_labels: self.condition_labels.clone(),
            bins_per_condition: self.bins_per_condition.clone(),
            drive: self.drive.clone(),
            features: self.features.as_ref().map(|f| Features {
                courses: f.trials(),
                bins: f.bins(),
                features: f.units(),
                values: f.to_vec(),
            }),
            couplings: F32Bytes::new(&self.parameters.couplings),
            bias: F32Bytes::new(&self.parameters.bias),
            drive_weights: F32Bytes::new(&self.parameters.drive),
            baseline: self.training.baseline.clone(),
            histories: Bits::new(&self.training.histories.to_vec()),
            training_conditions: self.training.conditions.clone(),
            training_bins: self.training.bins.clone(),
            stability_range: self.training.range.clone(),
            split: self.split.clone(),
            recording_hash: self.recording_hash.clone(),
            iteration: self.iteration,
        };
        wire::write(path, FORMAT, VERSION, &body)
    }

    /// Reads a model and checks that its parts fit together.
    ///
    /// # Errors
    /// [`FitError::File`] where it is missing, damaged or from a newer refire.
    pub fn read(path: &Path) -> Result<Self, FitError> {
        let body: Body = wire::read(path, FORMAT, VERSION)?;
        let model = assemble(body)
            .map_err(|reason| wire::error(path, format!("damaged refire-model file: {reason}")))?;
        model.settings.check()?;
        model.network()?;
        let encoder = model.encoder()?;
        if encoder.parameters() != model.parameters.drive.len() {
            return Err(wire::error(
                path,
                "damaged refire-model file: drive weights",
            ));
        }
        Ok(model)
    }
}

fn assemble(body: Body) -> Result<Model, &'static str> {
    let observed = body.unit_ids.len();
    let (trials, lags) = (body.training_bins.len(), body.settings.lags);
    let first_bin = body.settings.first_bin();
    let conditions = body.condition_labels.len();
    let histories = trials
        .checked_mul(first_bin)
        .and_then(|n| n.checked_mul(observed))
        .and_then(|count| body.histories.values(count))
        .and_then(|bits| TrialArray::from_vec(bits, trials, first_bin, observed))
        .ok_or("histories")?;
    let features = match body.features {
        None => None,
        Some(f) => {
            Some(TrialArray::from_vec(f.values, f.courses, f.bins, f.features).ok_or("features")?)
        }
    };
    let known = |c: &usize| *c < conditions;
    let longest_known = body
        .training_conditions
        .iter()
        .zip(&body.training_bins)
        .all(|(&c, &bins)| c < conditions && bins > lags && bins <= body.bins_per_condition[c]);
    if observed == 0
        || body.bins_per_condition.len() != conditions
        || body.training_conditions.len() != trials
        || !body.training_conditions.iter().all(known)
        || !longest_known
        || body.baseline.len() != observed
    {
        return Err("lengths do not agree");
    }
    Ok(Model {
        settings: body.settings,
        parameters: Parameters {
            couplings: body.couplings.values().ok_or("couplings")?,
            bias: body.bias.values().ok_or("bias")?,
            drive: body.drive_weights.values().ok_or("drive weights")?,
        },
        bin_width: body.bin_width_s,
        unit_ids: body.unit_ids,
        condition_labels: body.condition_labels,
        bins_per_condition: body.bins_per_condition,
        drive: body.drive,
        features,
        training: Training {
            baseline: body.baseline,
            histories,
            conditions: body.training_conditions,
            bins: body.training_bins,
            range: body.stability_range,
        },
        split: body.split,
        recording_hash: body.recording_hash,
        iteration: body.iteration,
    })
}
