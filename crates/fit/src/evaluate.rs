//! Every metric of a model on a recording, with the ceilings the data allow.

use crate::ceiling_intervals::{CeilingIntervals, share_of_training};
use crate::compared::{LaggedFigures, OfData, OfSet};
use crate::past_only::{joint_surprise, surprise};
use crate::sets::{OverSets, SETS};
use crate::simulate::{Slot, free_runs};
use crate::stability::{StabilityReport, judge};
use crate::test_metrics::{Clipping, TestFigures, TestMetrics, UnitMetrics};
use crate::{FitError, Model};
use refire_core::{TrialArray, TrialLayout};
use refire_metrics::{
    Interval, Metric, NoiseAgreement, NoiseCorrelation, Psth, PsthCorrelation, ToldApart,
    bits_per_spike, fano_factors, intervals, noise_agreement, noise_correlation, psth,
    psth_correlation, rates, time_rescaling,
};
use refire_random::{KeyedUniforms, Purpose, Stream};
use refire_recording::Recording;
use refire_sim::{Pass, Trajectory, run};
use serde::Serialize;

/// Which trials of a recording are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SplitChoice {
    /// The trials held out by the fit of this very recording.
    Test,
    /// All trials.
    All,
}

/// An evaluation, with the arrays that figures are drawn from.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// Trials evaluated.
    pub split: SplitChoice,
    /// Number of trials evaluated.
    pub trials: usize,
    /// What the data lost to bins that hold at most one spike; every metric is after that.
    pub clipping: Clipping,
    /// Metrics: of the model and of ceilings, means over sets of trials of the size of the test set.
    pub test: TestMetrics,
    /// Standard deviations of one such set, under the same names; missing where nothing is averaged.
    pub test_sd: TestMetrics,
    /// 95 % intervals of ceilings.
    pub ceiling_intervals: CeilingIntervals,
    /// 95 % intervals of how well trials are told apart: model and data, training trials and data.
    pub told_apart_intervals: (Option<Interval>, Option<Interval>),
    /// Agreement of noise correlations by lag.
    pub lagged: LaggedFigures,
    /// Figures per unit.
    pub units: UnitMetrics,
    /// Stability verdict.
    pub stability: StabilityReport,
    /// Layout of the evaluated trials, conditions as the model counts them.
    pub layout: TrialLayout,
    /// Recorded spikes `[trial][bin][observed]`.
    pub data: TrialArray<u8>,
    /// Free-running spikes `[trial][bin][observed]`, laid out like `data`.
    pub model: TrialArray<u8>,
    /// PSTHs of data and model, by condition `[bin][observed]`, spikes per bin.
    pub psth: (Psth, Psth),
    /// PSTHs of the model, mean over all sets.
    pub model_psth: Psth,
    /// Noise correlations of data and model at lag 0, `[unit][unit]`, dimensionless.
    pub noise: (NoiseCorrelation, NoiseCorrelation),
    /// How well the noise correlations of the model agree with those of the data.
    pub noise_agreement: NoiseAgreement,
}

impl Evaluation {
    /// Figures that some unit lacks, by name, with the reason.
    pub fn missing_of_units(&self) -> Vec<(&'static str, String)> {
        let mut missing = self.units.missing();
        if self.trials == 0 {
            missing
                .iter_mut()
                .for_each(|(_, why)| *why = NO_TEST_TRIALS.to_string());
        }
        missing
    }
}

/// Evaluates a model, under the stimulus that comes with the recording, on the test trials it was not fitted to (where the recording is the one of
/// the fit), or on all trials that are longer than the couplings reach. A recording is cut as that of the fit was.
///
/// # Errors
/// [`FitError`] where model and recording do not fit together, or there is no trial to judge.
pub fn evaluate(
    model: &Model,
    recording: &Recording,
    split: Option<SplitChoice>,
) -> Result<Evaluation, FitError> {
    let fitted = model;
    let cut;
    let recording = match model.spec.trials.piece {
        Some(piece) if recording.pieces().is_none() => {
            cut = recording.clone().cut(piece.pieces(model.bin_width))?;
            &cut
        }
        _ => recording,
    };
    let same = recording.hash() == fitted.recording_hash;
    let facing;
    let model = if same {
        fitted
    } else {
        facing = fitted.facing(recording)?;
        &facing
    };
    let conditions = model.match_recording(recording)?;
    let split = match split {
        None if same => SplitChoice::Test,
        None => SplitChoice::All,
        Some(SplitChoice::Test) if !same => {
            return Err(FitError::Setting {
                name: "split",
                allowed: "all for a recording other than the one of the fit",
                found: "test".to_string(),
            });
        }
        Some(choice) => choice,
    };
    let trials = match split {
        SplitChoice::Test => model.split.test.clone(),
        SplitChoice::All => {
            let least = (model.spec.network.lags + 1).max(model.spec.trials.least_bins);
            let long = |&trial: &usize| recording.bins()[trial] >= least;
            let trials: Vec<usize> = (0..recording.n_trials()).filter(long).collect();
            if trials.is_empty() {
                let bins = recording.bins()[0];
                return Err(FitError::TooFewBins {
                    trial: 0,
                    bins,
                    least,
                });
            }
            trials
        }
    };
    let (data, layout) = select(model, recording, &conditions, &trials)?;
    let of_data = OfData::new(&data, &layout, model.bin_width, model.spec.network.lags);
    let simulated = resample(model, &layout, 0)?;
    let mut of_model = vec![of_data.compare(&simulated, &layout)];
    let mut model_psth = psth(&simulated, &layout);
    for set in 1..SETS {
        let simulated = resample(model, &layout, set as u32)?;
        of_model.push(of_data.compare(&simulated, &layout));
        model_psth.add(&psth(&simulated, &layout));
    }
    model_psth.scale(1.0 / SETS as f64);
    let ceilings = match split {
        SplitChoice::Test => ceilings(model, recording, &conditions, &of_data, &layout)?,
        SplitChoice::All => Vec::new(),
    };
    let missing = Metric::Missing(ceiling_missing(split, same).to_string());
    let over = |sets: &[OfSet], figure: fn(&OfSet) -> &Metric| {
        let values: Vec<Metric> = sets.iter().map(|set| figure(set).clone()).collect();
        OverSets::new(&values)
    };
    let agreement_of = |over: OverSets| match repeats(model, &layout, split) {
        true => over,
        false => OverSets::new(&[Metric::Missing(NO_REPEATS.to_string())]),
    };
    let model_over = |figure| over(&of_model, figure);
    let ceiling_over = |figure| match ceilings.is_empty() {
        true => OverSets::new(std::slice::from_ref(&missing)),
        false => over(&ceilings, figure),
    };

    let forced = teacher_forced(model, &data, &layout)?;
    let joint = -joint_surprise(&forced, &layout, model.observed());
    let alone = surprise(model, &forced, &layout)?.map_or(joint, |nats| -nats);
    let bits = |nats| {
        let metric = bits_per_spike(nats, &data, &layout, &model.training.baseline);
        OverSets::once(metric)
    };
    let lagged = of_data.lagged_figures(&of_model, &ceilings);
    let triplets = of_data.counts.synchronous_triplets();
    let psths = (of_data.psth, psth(&simulated, &layout));
    let noise = (of_data.noise, noise_correlation(&simulated, &layout));
    let agreement = noise_agreement(&noise.0, &noise.1);
    let psth_model = psth_correlation(&psths.0, &psths.1);
    let units = unit_metrics(model, &data, &simulated, &layout, &forced, &psth_model);
    let figures = TestFigures {
        bits_per_spike: bits(alone),
        bits_per_spike_joint: bits(joint),
        psth_correlation: agreement_of(model_over(|set| &set.psth)),
        psth_correlation_ceiling: agreement_of(ceiling_over(|set| &set.psth)),
        noise_correlation_pearson: agreement_of(model_over(|set| &set.pearson)),
        noise_correlation_r2: agreement_of(model_over(|set| &set.r2)),
        noise_correlation_ceiling_pearson: agreement_of(ceiling_over(|set| &set.pearson)),
        noise_correlation_ceiling_r2: agreement_of(ceiling_over(|set| &set.r2)),
        rate_hz_data: OverSets::once(rates(&data, &layout, model.bin_width).mean),
        rate_hz_model: model_over(|set| &set.rate_hz),
        rate_distance: model_over(|set| &set.rate_distance),
        rate_distance_ceiling: ceiling_over(|set| &set.rate_distance),
        fano_factor_data: OverSets::once(fano_factors(&data, &layout).mean),
        fano_factor_model: model_over(|set| &set.fano_factor),
        fano_factor_ceiling: ceiling_over(|set| &set.fano_factor),
        isi_distance: model_over(|set| &set.isi_distance),
        isi_distance_ceiling: ceiling_over(|set| &set.isi_distance),
        autocorrelation_distance: model_over(|set| &set.autocorrelation_distance),
        autocorrelation_distance_ceiling: ceiling_over(|set| &set.autocorrelation_distance),
        population_count_distance: model_over(|set| &set.population_count_distance),
        population_count_distance_ceiling: ceiling_over(|set| &set.population_count_distance),
        synchronous_triplets_data: OverSets::once(triplets),
        synchronous_triplets_model: model_over(|set| &set.synchronous_triplets),
        synchronous_triplets_ceiling: ceiling_over(|set| &set.synchronous_triplets),
        told_apart: model_over(|set| &set.told_apart),
        told_apart_ceiling: ceiling_over(|set| &set.told_apart),
        ks_within_bound: OverSets::once(within_bound(&units)),
    };
    let (mut test, mut test_sd) = figures.split();
    let ceiling_intervals =
        CeilingIntervals::new(&test, &test_sd, share_of_training(model, &layout));
    let told = |accuracy: &Metric, sets: &[OfSet]| {
        let trials = sets.first().map_or(0, |set| set.told);
        ToldApart::interval(accuracy.value()?, trials)
    };
    let told_apart_intervals = (
        told(&test.told_apart, &of_model),
        told(&test.told_apart_ceiling, &ceilings),
    );
    if trials.is_empty() {
        for metric in test.all_mut().into_iter().chain(test_sd.all_mut()) {
            *metric = Metric::Missing(NO_TEST_TRIALS.to_string());
        }
    }
    Ok(Evaluation {
        split,
        trials: trials.len(),
        clipping: recording.into(),
        test,
        test_sd,
        ceiling_intervals,
        told_apart_intervals,
        lagged,
        units,
        stability: judge(fitted, model.spec.seed)?,
        layout,
        data,
        model: simulated,
        psth: psths,
        model_psth,
        noise,
        noise_agreement: agreement,
    })
}

/// Figures of sets of training trials of the evaluated trials' numbers: what a model may reach. None where no condition
/// has training trials.
fn ceilings(
    model: &Model,
    recording: &Recording,
    conditions: &[usize],
    of_data: &OfData,
    layout: &TrialLayout,
) -> Result<Vec<OfSet>, FitError> {
    let mut found = Vec::new();
    for set in 0..SETS {
        let trials = matched_training_trials(model, layout, set as u32);
        if trials.is_empty() {
            break;
        }
        let (spikes, layout) = select(model, recording, conditions, &trials)?;
        found.push(of_data.compare(&spikes, &layout));
    }
    Ok(found)
}

/// Why there is nothing to average over trials.
const NO_REPEATS: &str = "every trial has a condition or stimulus of its own: no repeats";

/// Why there is no metric.
const NO_TEST_TRIALS: &str = "no trials are held out for testing";

/// Whether some condition that is evaluated has two trials; those of the training count beside test trials.
fn repeats(model: &Model, layout: &TrialLayout, split: SplitChoice) -> bool {
    let training = |condition| match split {
        SplitChoice::Test => model.training.of_condition(condition).len(),
        SplitChoice::All => 0,
    };
    let mut groups = layout.groups().iter();
    groups.any(|group| group.slots.len() + training(group.condition) > 1)
}

fn ceiling_missing(split: SplitChoice, same: bool) -> &'static str {
    match (split, same) {
        (SplitChoice::Test, _) => "no condition has both training and test trials",
        (SplitChoice::All, true) => "the training trials are among those evaluated: no ceiling",
        (SplitChoice::All, false) => {
            "a ceiling compares with the training trials, and this is not the recording of the fit: no ceiling"
        }
    }
}

/// Spikes and layout of some trials, conditions as the model counts them.
fn select(
    model: &Model,
    recording: &Recording,
    conditions: &[usize],
    trials: &[usize],
) -> Result<(TrialArray<u8>, TrialLayout), FitError> {
    let (spikes, own) = recording.select(trials, model.spec.first_bin())?;
    let layout = TrialLayout::new(
        trials.iter().map(|&k| conditions[k]).collect(),
        (0..trials.len()).map(|k| own.bins(k)).collect(),
        model.spec.first_bin(),
    )
    .and_then(|layout| layout.with_lengths((0..trials.len()).map(|k| own.length(k)).collect()))
    .map_err(refire_recording::RecordingError::from)?;
    Ok((spikes, layout))
}

/// One free-running trial for each trial of a layout, of its condition and length; observed units. Sets differ in
/// their draws.
fn resample(model: &Model, layout: &TrialLayout, set: u32) -> Result<TrialArray<u8>, FitError> {
    let mut runs = free_runs(model, Stream::new(model.spec.seed, Purpose::Evaluate))?;
    let slots: Vec<Slot> = (0..layout.trials())
        .map(|k| Slot {
            bins: layout.bins(k),
            ..runs.slot(k as u32, layout.condition(k), set)
        })
        .collect();
    let (spikes, _) = runs.present(&slots, set, None)?;
    Ok(observed_part(spikes, model.observed()))
}

/// The first `observed` units.
pub(crate) fn observed_part(spikes: &TrialArray<u8>, observed: usize) -> TrialArray<u8> {
    let mut out = TrialArray::zeros(spikes.trials(), spikes.bins(), 0, observed);
    for k in 0..spikes.trials() {
        for t in 0..spikes.bins() {
            out.row_mut(k, t)
                .copy_from_slice(&spikes.row(k, t)[..observed]);
        }
    }
    out
}

/// As many training trials of each condition as there are test trials (all where there are fewer),
/// chosen by the seed, others for each set.
fn matched_training_trials(model: &Model, layout: &TrialLayout, set: u32) -> Vec<usize> {
    let stream = Stream::new(model.spec.seed, Purpose::Statistics);
    let mut chosen = Vec::new();
    for group in layout.groups() {
        let mut trials: Vec<usize> = model
            .training
            .of_condition(group.condition)
            .into_iter()
            .map(|k| model.split.train[k])
            .collect();
        let count = group.slots.len().min(trials.len());
        for i in 0..count {
            let j = i + stream.below(trials.len() - i, 2 * set, group.condition as u32, i as u32);
            trials.swap(i, j);
        }
        chosen.extend_from_slice(&trials[..count]);
    }
    chosen
}

fn teacher_forced(
    model: &Model,
    data: &TrialArray<u8>,
    layout: &TrialLayout,
) -> Result<Trajectory<f32>, FitError> {
    let padded = model.network()?;
    let pass = Pass::teacher_forced(layout, data, padded.drive());
    let keys: Vec<u32> = (0..layout.trials() as u32).collect();
    let stream = Stream::new(model.spec.seed, Purpose::EvaluateTeacherForced);
    let uniforms = KeyedUniforms::new(stream, 0, &keys);
    let mut out = Trajectory::default();
    run(&padded.network()?, &pass, &uniforms, &mut out)?;
    Ok(out)
}

fn unit_metrics(
    model: &Model,
    data: &TrialArray<u8>,
    simulated: &TrialArray<u8>,
    layout: &TrialLayout,
    forced: &Trajectory<f32>,
    psth: &PsthCorrelation,
) -> UnitMetrics {
    let mut draw = 0u32;
    let stream = Stream::new(model.spec.seed, Purpose::Statistics);
    let rescaled = time_rescaling(&forced.probability, data, layout, || {
        draw = draw.wrapping_add(1);
        stream.uniform(1, 0, draw)
    });
    let (data_isi, model_isi) = (intervals(data, layout), intervals(simulated, layout));
    UnitMetrics {
        unit: model.unit_ids.clone(),
        rate_hz_data: rates(data, layout, model.bin_width).hz,
        rate_hz_model: rates(simulated, layout, model.bin_width).hz,
        psth_correlation: psth.per_unit.clone(),
        fano_factor_data: fano_factors(data, layout).per_unit,
        fano_factor_model: fano_factors(simulated, layout).per_unit,
        isi_distance: data_isi
            .iter()
            .zip(&model_isi)
            .map(|(a, b)| a.distance(b))
            .collect(),
        ks: rescaled.iter().map(|r| r.ks.clone()).collect(),
        ks_bound: rescaled.iter().map(|r| r.bound.clone()).collect(),
    }
}

fn within_bound(units: &UnitMetrics) -> Metric {
    let within: Vec<bool> = units
        .ks
        .iter()
        .zip(&units.ks_bound)
        .filter_map(|(ks, bound)| Some(ks.value()? <= bound.value()?))
        .collect();
    if within.is_empty() {
        Metric::Missing("no unit has rescaled intervals".to_string())
    } else {
        let count = within.iter().filter(|&&w| w).count();
        Metric::Value(count as f64 / within.len() as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn trials_repeat_beside_others_or_those_of_the_training() {
        let mut model = fixture::model();
        let of = |model: &Model, conditions: Vec<usize>, split| {
            let bins = vec![8; conditions.len()];
            repeats(
                model,
                &TrialLayout::new(conditions, bins, 2).unwrap(),
                split,
            )
        };
        let (test, all) = (SplitChoice::Test, SplitChoice::All);
        assert!(of(&model, vec![0, 1, 1], all) && !of(&model, vec![0, 1], all));
        assert!(of(&model, vec![0, 1], test));
        model.training.conditions.clear();
        assert!(!of(&model, vec![0, 1], test) && of(&model, vec![1, 1], test));
        assert!(ceiling_missing(test, true).contains("both training and test trials"));
        assert!(ceiling_missing(all, true).contains("are among those evaluated"));
        assert!(ceiling_missing(all, false).contains("not the recording of the fit"));
    }

    #[test]
    fn shares_leave_out_what_is_missing() {
        let none = || Metric::Missing(String::new());
        let units = |ks: Vec<Metric>| UnitMetrics {
            ks_bound: vec![Metric::Value(0.5); ks.len()],
            ks,
            ..UnitMetrics::default()
        };
        let ks = [0.4, 0.5, 0.6].map(Metric::Value).to_vec();
        let within = within_bound(&units([ks, vec![none()]].concat()));
        assert_eq!(within.value(), Some(2.0 / 3.0));
        assert!(within_bound(&units(vec![none()])).reason().is_some());
    }
}
