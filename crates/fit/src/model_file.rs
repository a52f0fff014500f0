//! `model.refire`: the layout of the model file, version 4; version 3 had one range of counts for all conditions,
//! version 2 no same-bin couplings, version 1 dense couplings only.
//!
//! Nothing in it depends on the clock, the thread count or a path.

use crate::frame::{self, Bits, F32Bytes, Synapses};
use crate::wiring::{self, shape};
use crate::{FitError, FlatSettings, Model, Training};
use refire_core::{TrialArray, check_declared};
use refire_drive::DriveSpec;
use refire_engine::Parameters;
use refire_kernels::LANES;
use refire_metrics::{ConditionRange, StabilityRange};
use refire_recording::{Label, MAX_SPIKE_BINS, Outputs, Split};
use refire_sim::SimError;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::Path;

const FORMAT: &str = "refire-model";
const VERSION: u32 = 4;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    settings: FlatSettings,
    bin_width_s: f64,
    unit_ids: Vec<Label>,
    condition_labels: Vec<Label>,
    bins_per_condition: Vec<usize>,
    drive: DriveSpec,
    features: Option<Features>,
    #[serde(default)]
    synapses: Option<Synapses>,
    couplings: F32Bytes,
    #[serde(default)]
    same_bin: Option<F32Bytes>,
    bias: F32Bytes,
    drive_weights: F32Bytes,
    baseline: Vec<f64>,
    histories: Bits,
    training_conditions: Vec<usize>,
    training_bins: Vec<usize>,
    #[serde(default)]
    range: Option<StabilityRange>,
    /// Before version 4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stability_range: Option<OldRange>,
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

/// Before version 4: the largest count of any training trial, and of each condition, whether a trial had no spike.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OldRange {
    max_count: u32,
    zero_allowed: Vec<bool>,
}

impl OldRange {
    /// Per bin of the shortest trial, which leaves the limit of trials of one length what it was.
    fn range(&self, shortest: usize) -> StabilityRange {
        let most = f64::from(self.max_count) / shortest.max(1) as f64;
        let of = |silent| ConditionRange {
            most,
            mean: None,
            silent,
        };
        StabilityRange {
            conditions: self
                .zero_allowed
                .iter()
                .map(|&silent| Some(of(silent)))
                .collect(),
            all: of(self.zero_allowed.contains(&true)),
            dispersion: 1.0,
            spikes: 0,
        }
    }
}

impl Model {
    /// Writes the model to a temporary name and renames it.
    ///
    /// # Errors
    /// [`FitError::Unwritten`].
    pub fn write(&self, path: &Path) -> Result<(), FitError> {
        frame::write(path, FORMAT, VERSION, &self.body())
    }

    /// Adds the model to files that are to appear together.
    ///
    /// # Errors
    /// [`FitError::Unwritten`], [`FitError::File`].
    pub fn add_to(&self, outputs: &mut Outputs, path: &Path) -> Result<(), FitError> {
        let bytes = frame::bytes(path, FORMAT, VERSION, &self.body())?;
        (outputs.add(path, &bytes)).map_err(|e| frame::unwritten(path, &e))
    }

    fn body(&self) -> Body {
        Body {
            settings: FlatSettings::from(&self.spec),
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
            synapses: Synapses::new(&self.wiring),
            couplings: F32Bytes::new(&self.parameters.couplings),
            same_bin: (self.spec.network.same_bin)
                .then(|| F32Bytes::new(&self.parameters.same_bin)),
            bias: F32Bytes::new(&self.parameters.bias),
            drive_weights: F32Bytes::new(&self.parameters.drive),
            baseline: self.training.baseline.clone(),
            histories: Bits::new(&self.training.histories.to_vec()),
            training_conditions: self.training.conditions.clone(),
            training_bins: self.training.bins.clone(),
            range: Some(self.training.range.clone()),
            stability_range: None,
            split: self.split.clone(),
            recording_hash: self.recording_hash.clone(),
            iteration: self.iteration,
        }
    }

    /// Whether there is a model at a path, a damaged one perhaps.
    pub fn is_at(path: &Path) -> bool {
        frame::is_of(path, FORMAT)
    }

    /// Reads a model and checks that its parts fit together.
    ///
    /// # Errors
    /// [`FitError::File`] where it is missing, damaged or from a newer refire.
    pub fn read(path: &Path) -> Result<Self, FitError> {
        let body: Body = frame::read(path, FORMAT, VERSION)?;
        let damaged =
            |reason: String| frame::error(path, format!("damaged refire-model file: {reason}"));
        let model = assemble(body).map_err(|reason| damaged(reason.to_string()))?;
        model.spec.check().map_err(|e| damaged(e.to_string()))?;
        let bytes = std::fs::metadata(path).map_or(0, |about| about.len());
        model.check(bytes).map_err(|e| damaged(e.to_string()))?;
        Ok(model)
    }

    /// Whether it can be run without more memory than a file of so many bytes may ask for.
    fn check(&self, file_bytes: u64) -> Result<(), FitError> {
        let (conditions, units) = (&self.bins_per_condition, self.units());
        // Twice: as the encoder makes it, and in rows of whole registers.
        let numbers = self
            .drive
            .numbers(conditions, units.next_multiple_of(LANES));
        check_declared("drive of its conditions", 2.0 * 4.0 * numbers, file_bytes)?;
        let found = self.parameters.drive.len();
        let expected = self.encoder()?.parameters();
        if found != expected {
            let what = "drive weights";
            return Err(SimError::Shape {
                what,
                expected,
                found,
            }
            .into());
        }
        self.network().map(|_| ())
    }
}

fn assemble(body: Body) -> Result<Model, &'static str> {
    let synapses = match body.synapses {
        Some(synapses) => Some(synapses.connectivity().ok_or("synapses")?),
        None => None,
    };
    let spec = (body.settings)
        .specification(synapses.as_ref())
        .map_err(|_| "sparse couplings without synapses")?;
    let wiring = wiring::from_file(&spec, synapses);
    let observed = body.unit_ids.len();
    let (trials, lags) = (body.training_bins.len(), spec.network.lags);
    let first_bin = spec.first_bin();
    let conditions = body.condition_labels.len();
    if observed == 0
        || trials == 0
        || conditions == 0
        || body.bins_per_condition.len() != conditions
        || body.training_conditions.len() != trials
        || body.split.train.len() != trials
        || body.baseline.len() != observed
    {
        return Err("lengths do not agree");
    }
    let in_range = body
        .training_conditions
        .iter()
        .zip(&body.training_bins)
        .all(|(&c, &bins)| c < conditions && bins > lags && bins <= body.bins_per_condition[c]);
    if !in_range || body.bins_per_condition.iter().any(|&bins| bins <= lags) {
        return Err("trials out of range");
    }
    let shortest = body.training_bins.iter().copied().min().unwrap_or(0);
    let range = match (body.range, body.stability_range) {
        (Some(range), _) => range,
        (None, Some(old)) => old.range(shortest.saturating_sub(first_bin)),
        (None, None) => return Err("no range of spike counts"),
    };
    if !range.is_sound() {
        return Err("a range of spike counts that is none");
    }
    let couplings = body.couplings.values().ok_or("couplings")?;
    let same_bin = match body.same_bin {
        Some(same_bin) => same_bin.values().ok_or("same-bin couplings")?,
        None => Vec::new(),
    };
    let bias = body.bias.values().ok_or("bias")?;
    let drive = body.drive_weights.values().ok_or("drive weights")?;
    // Bounds units, and with them the size of the drive, by what the file really holds.
    let units = observed.checked_add(spec.network.hidden);
    let size = units.and_then(|n| wiring.parameters(n, lags));
    if size != Some(couplings.len()) || units != Some(bias.len()) {
        return Err("couplings and units do not agree");
    }
    if shape(&spec, &wiring, observed).same_bin_parameters() != Some(same_bin.len()) {
        return Err("same-bin couplings and units do not agree");
    }
    let longest = body.bins_per_condition.iter().copied().max().unwrap_or(0);
    let drive_size = longest
        .checked_mul(conditions)
        .and_then(|n| n.checked_mul(observed));
    if drive_size.is_none_or(|n| n > MAX_SPIKE_BINS) {
        return Err("conditions longer than any recording");
    }
    let parameters = Parameters {
        couplings,
        bias,
        drive,
        same_bin,
    };
    if !parameters.are_finite() {
        return Err("parameters that are not finite");
    }
    if !(body.bin_width_s.is_finite() && body.bin_width_s > 0.0) {
        return Err("a bin width that is no positive number");
    }
    if !body.baseline.iter().all(|p| (0.0..=1.0).contains(p)) {
        return Err("rates that are no probabilities");
    }
    let distinct = |labels: &[Label]| labels.iter().collect::<BTreeSet<_>>().len() == labels.len();
    if !distinct(&body.unit_ids) || !distinct(&body.condition_labels) {
        return Err("units or conditions that repeat");
    }
    let histories = trials
        .checked_mul(first_bin)
        .and_then(|n| n.checked_mul(observed))
        .and_then(|count| body.histories.values(count))
        .and_then(|bits| TrialArray::from_vec(bits, trials, first_bin, observed))
        .ok_or("histories")?;
    let features = match body.features {
        None => None,
        Some(f) if f.values.iter().any(|x| !x.is_finite()) => {
            return Err("features that are not finite");
        }
        Some(f) => {
            Some(TrialArray::from_vec(f.values, f.courses, f.bins, f.features).ok_or("features")?)
        }
    };
    Ok(Model {
        spec,
        wiring,
        parameters,
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
            range,
        },
        split: body.split,
        recording_hash: body.recording_hash,
        iteration: body.iteration,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use refire_metrics::Presented;

    /// What is said of the body of a good model with this change.
    fn refused(change: impl FnOnce(&mut Body)) -> &'static str {
        let mut body = fixture::model().body();
        change(&mut body);
        assemble(body).err().unwrap_or("")
    }

    #[test]
    fn a_model_comes_back_as_it_was() {
        let model = fixture::model();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.refire");
        let mut outputs = Outputs::default();
        model.add_to(&mut outputs, &path).unwrap();
        outputs.publish().unwrap();
        assert!(Model::read(&path).unwrap() == model);
        // With synapses, and components, of its couplings.
        let synapses = refire_sim::Connectivity::from_mask(&[true; 9], 3).unwrap();
        let given = crate::Synapses::Given(std::sync::Arc::new(synapses));
        for couplings in [
            crate::Couplings::Sparse(crate::Synapses::InDegree(2)),
            crate::Couplings::Sparse(given),
            crate::Couplings::LowRank { rank: 2 },
        ] {
            let recording = fixture::recording();
            let mut spec = fixture::specification(&recording, crate::ObjectiveKind::default());
            spec.network.couplings = couplings;
            let model = crate::Trainer::new(&recording, &spec).unwrap().model();
            model.write(&path).unwrap();
            let read = Model::read(&path).unwrap();
            assert!(read.wiring == model.wiring && read == model);
        }
        // Versions that are not: none, and of a newer refire.
        for version in [0, VERSION + 1] {
            frame::write(&path, FORMAT, version, &model.body()).unwrap();
            let error = Model::read(&path).unwrap_err().to_string();
            assert!(error.contains("a newer refire wrote it"), "{error}");
        }
    }

    #[test]
    fn ranges_of_older_files_keep_their_limit() {
        let mut body = fixture::model().body();
        body.range = None;
        body.stability_range = Some(OldRange {
            max_count: 12,
            zero_allowed: vec![false, true],
        });
        let range = assemble(body).ok().unwrap().training.range;
        // 8 bins, of which two are history.
        let of = |condition, count| Presented {
            condition,
            bins: 6,
            count,
        };
        assert!(!range.leaves(of(0, 24)) && range.leaves(of(0, 25)));
        assert!(range.leaves(of(0, 0)) && !range.leaves(of(1, 0)));
        // What they do not tell is not judged.
        assert!(!range.strays(&[of(0, 24); 10]));
        let none = |b: &mut Body| b.range = None;
        assert_eq!(refused(none), "no range of spike counts");
        let bad = |b: &mut Body| b.range.as_mut().unwrap().dispersion = f64::NAN;
        assert_eq!(refused(bad), "a range of spike counts that is none");
    }

    #[test]
    fn lengths_that_do_not_agree() {
        let lengths = "lengths do not agree";
        assert_eq!(refused(|_| ()), "");
        let no_units = |b: &mut Body| (b.unit_ids, b.baseline) = (vec![], vec![]);
        assert_eq!(refused(no_units), lengths);
        let no_conditions = |b: &mut Body| {
            (b.condition_labels, b.bins_per_condition) = (vec![], vec![]);
        };
        assert_eq!(refused(no_conditions), lengths);
        let no_trials = |b: &mut Body| {
            (b.training_conditions, b.training_bins) = (vec![], vec![]);
            b.split.train = vec![];
        };
        assert_eq!(refused(no_trials), lengths);
        assert_eq!(refused(|b| b.bins_per_condition.push(9)), lengths);
        assert_eq!(refused(|b| b.training_conditions.push(0)), lengths);
        assert_eq!(refused(|b| b.split.train.push(1000)), lengths);
        assert_eq!(refused(|b| b.baseline.push(0.5)), lengths);
    }

    #[test]
    fn trials_out_of_range() {
        let trials = "trials out of range";
        assert_eq!(refused(|b| b.training_conditions[0] = 2), trials);
        assert_eq!(refused(|b| b.training_bins[0] = 2), trials);
        assert_eq!(refused(|b| b.training_bins[0] = 10), trials);
        let short = |bins| {
            move |b: &mut Body| {
                b.condition_labels.push(Label::Number(7));
                b.bins_per_condition.push(bins);
            }
        };
        assert_eq!(refused(short(2)), trials);
        assert_eq!(refused(short(3)), "");
        let long = refused(|b| b.bins_per_condition[0] = usize::MAX / 2);
        assert_eq!(long, "conditions longer than any recording");
        let long = refused(|b| b.bins_per_condition[0] = (MAX_SPIKE_BINS / 6) + 1);
        assert_eq!(long, "conditions longer than any recording");
    }

    #[test]
    fn numbers_that_cannot_be() {
        let numbers = |b: &F32Bytes| b.values().unwrap();
        let fewer = |b: &F32Bytes| F32Bytes::new(&numbers(b)[1..]);
        let units = "couplings and units do not agree";
        assert_eq!(refused(|b| b.couplings = fewer(&b.couplings)), units);
        assert_eq!(refused(|b| b.bias = fewer(&b.bias)), units);
        let with = |b: &F32Bytes, x: f32| {
            let mut values = numbers(b);
            values[0] = x;
            F32Bytes::new(&values)
        };
        for x in [f32::NAN, f32::INFINITY] {
            let finite = "parameters that are not finite";
            assert_eq!(refused(|b| b.couplings = with(&b.couplings, x)), finite);
            assert_eq!(refused(|b| b.bias = with(&b.bias, x)), finite);
            assert_eq!(
                refused(|b| b.drive_weights = with(&b.drive_weights, x)),
                finite
            );
        }
        for width in [0.0, -0.01, f64::NAN, f64::INFINITY] {
            let what = "a bin width that is no positive number";
            assert_eq!(refused(|b| b.bin_width_s = width), what);
        }
        for p in [-0.1, 1.1, f64::NAN] {
            assert_eq!(
                refused(|b| b.baseline[1] = p),
                "rates that are no probabilities"
            );
        }
        let repeat = "units or conditions that repeat";
        assert_eq!(refused(|b| b.unit_ids[1] = b.unit_ids[0].clone()), repeat);
        assert_eq!(
            refused(|b| b.condition_labels[1] = Label::Number(0)),
            repeat
        );
        assert_eq!(refused(|b| b.histories = Bits::new(&[1; 8])), "histories");
        let features = |bins, value| {
            move |b: &mut Body| {
                b.features = Some(Features {
                    courses: 1,
                    bins,
                    features: 1,
                    values: vec![value; 9],
                });
            }
        };
        assert_eq!(refused(features(9, 0.5)), "");
        assert_eq!(refused(features(8, 0.5)), "features");
        assert_eq!(
            refused(features(9, f64::NAN)),
            "features that are not finite"
        );
    }

    #[test]
    fn a_drive_that_is_not_there_or_too_large_is_refused_before_it_is_made() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.refire");
        let read = |change: &dyn Fn(&mut Body)| {
            let mut body = fixture::model().body();
            change(&mut body);
            frame::write(&path, FORMAT, VERSION, &body).unwrap();
            Model::read(&path).map_err(|e| e.to_string())
        };
        assert!(read(&|_| ()).is_ok());
        let fewer = read(&|b| b.drive_weights = F32Bytes::new(&[0.0])).unwrap_err();
        assert!(fewer.contains("drive weights"), "{fewer}");
        // 16 bytes for each of three units, padded to a register, in two conditions: 307 MiB.
        let large = read(&|b| b.bins_per_condition[0] = 2_400_000).unwrap_err();
        assert!(large.contains("drive of its conditions"), "{large}");
    }
}
