//! Every figure that an evaluation prints is the one that its definition gives, on a small recording with unequal
//! trials, several conditions and recorded history; and what decides a fit is judged on the trials meant for it.

use crate::small::{self, Small};
use refire_core::{TrialArray, TrialLayout};
use refire_fit::{
    DRAWS, Drive, DriveKind, MOST_RUNS, Model, ObjectiveKind, Optimiser, PRESENTATIONS, Piece,
    Protocol, RUNS, RUNS_IN_A_ROW, Ridge, SETS, SplitChoice, Trainer, evaluate, judge,
};
use refire_metrics::{Metric, Stability, Verdict};
use refire_recording::Recording;
use refire_testkit::{Judged, JudgedNetwork, JudgedTrial, LongRuns, Start};

/// Trials of a recording.
fn trials(recording: &Recording, which: &[usize]) -> Vec<JudgedTrial> {
    let trial = |&k: &usize| JudgedTrial {
        condition: recording.conditions()[k],
        spikes: (0..recording.bins()[k])
            .map(|t| recording.spikes().row(k, t).to_vec())
            .collect(),
    };
    which.iter().map(trial).collect()
}

/// A model and the trials it met, as plain numbers.
pub fn judged(model: &Model, recording: &Recording, test: &[usize]) -> Judged {
    let (units, lags) = (model.units(), model.spec.network.lags);
    let couplings = model.couplings(units, units).unwrap();
    let drive = model.drive_currents().unwrap();
    let f64s = |row: &[f32]| row.iter().map(|&x| f64::from(x)).collect::<Vec<f64>>();
    Judged {
        network: JudgedNetwork {
            lags,
            theta: model.spec.network.dynamics.theta(),
            couplings: (couplings.chunks_exact(lags * units))
                .map(|block| block.chunks_exact(units).map(f64s).collect())
                .collect(),
            same_bin: match model.same_bin().unwrap() {
                Some(all) => all.chunks_exact(units).map(f64s).collect(),
                None => Vec::new(),
            },
            bias: f64s(&model.parameters.bias),
            drive: (0..drive.trials())
                .map(|c| (0..drive.bins()).map(|t| f64s(drive.row(c, t))).collect())
                .collect(),
        },
        first_bin: model.spec.first_bin(),
        seed: model.spec.seed,
        training: trials(recording, &model.split.train),
        test: trials(recording, test),
    }
}

/// Spikes of trials in the form of the reference.
fn plain(spikes: &TrialArray<u8>, layout: &TrialLayout) -> Vec<JudgedTrial> {
    let trial = |k: usize| JudgedTrial {
        condition: layout.condition(k),
        spikes: (0..layout.bins(k))
            .map(|t| spikes.row(k, t).to_vec())
            .collect(),
    };
    (0..layout.trials()).map(trial).collect()
}

pub fn fitted(recording: &Recording) -> Model {
    let spec = small::specification(recording, ObjectiveKind::MleAndSampleAndMeasure);
    let mut trainer = Trainer::new(recording, &spec).unwrap();
    while !trainer.finished() {
        trainer.step().unwrap();
    }
    trainer.model()
}

pub fn near(what: &str, found: &Metric, expected: f64) {
    let found = found.value().unwrap_or_else(|| panic!("{what}: {found:?}"));
    assert!(
        (found - expected).abs() < 2e-5 * (1.0 + expected.abs()),
        "{what}: {found}, by definition {expected}"
    );
}

/// Negative log-likelihood of the test trials per (trial, bin, unit), nats.
fn nats_of(reference: &Judged) -> f64 {
    let (mut sum, mut count) = (0.0, 0.0);
    for trial in &reference.test {
        for (t, row) in trial.spikes.iter().enumerate().skip(reference.first_bin) {
            let p = reference.network.probabilities(trial, t);
            for (&z, p) in row.iter().zip(p) {
                sum -= if z == 1 { p.ln() } else { (1.0 - p).ln() };
                count += 1.0;
            }
        }
    }
    sum / count
}

#[test]
fn an_evaluation_is_what_the_definitions_say() {
    let recording = Small::default().recording();
    let model = fitted(&recording);
    assert!(model.spec.first_bin() > 0 && model.split.validation.len() > 1);
    let reference = judged(&model, &recording, &model.split.test);
    let found = evaluate(&model, &recording, None).unwrap();
    // Unequal numbers, so that a ceiling from other trials would show.
    assert!(reference.training.len() > 2 * reference.test.len());

    let sets = 0..SETS as u32;
    let runs: Vec<Vec<JudgedTrial>> = sets.clone().map(|set| reference.free_runs(set)).collect();
    let free = runs[0].clone();
    assert!(
        plain(&found.model, &found.layout)
            .iter()
            .zip(&free)
            .all(|(a, b)| {
                a.condition == b.condition
                    && a.spikes[model.spec.first_bin()..] == b.spikes[model.spec.first_bin()..]
            })
    );
    // Those of each unit are what their means are of.
    let units = &found.units;
    assert_eq!(units.unit, recording.unit_ids());
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    near("rates", &found.test.rate_hz_data, mean(&units.rate_hz_data));
    let of_units: Vec<f64> = units.psth_correlation.iter().copied().flatten().collect();
    let (test, data) = (&found.test, &reference.test);
    let sd = |values: &[f64]| {
        let squares = values.iter().map(|x| (x - mean(values)).powi(2));
        (squares.sum::<f64>() / (values.len() - 1) as f64).sqrt()
    };
    let chosen: Vec<Vec<JudgedTrial>> = sets.map(|set| reference.ceiling_trials(set)).collect();
    assert!(chosen[0] != chosen[1] && runs[0] != runs[1]);
    let over = |sets: &[Vec<JudgedTrial>], figure: &dyn Fn(&[JudgedTrial]) -> f64| {
        sets.iter().map(|set| figure(set)).collect::<Vec<f64>>()
    };
    // Of a figure of sets: mean and deviation.
    let both = |what: &str, found: (&Metric, &Metric), expected: Vec<f64>| {
        near(what, found.0, mean(&expected));
        near(&format!("deviation of {what}"), found.1, sd(&expected));
    };
    let deviations = &found.test_sd;
    near(
        "joint bits per spike",
        &test.bits_per_spike_joint,
        reference.bits_per_spike_joint(),
    );
    let (drawn, exact) = reference.bits_per_spike(DRAWS);
    near("bits per spike", &test.bits_per_spike, drawn);
    // The mean over draws has a deviation and a bias; both are far below this.
    assert!((drawn - exact).abs() < 0.01, "{drawn} {exact}");
    assert_ne!(test.bits_per_spike, test.bits_per_spike_joint);
    near(
        "rate",
        &test.rate_hz_data,
        reference.rate(data) / model.bin_width,
    );
    both(
        "rate of the model",
        (&test.rate_hz_model, &deviations.rate_hz_model),
        over(&runs, &|set| reference.rate(set) / model.bin_width),
    );
    let psths = over(&runs, &|set| reference.psth_correlation(data, set));
    assert!((mean(&of_units) - psths[0]).abs() < 1e-6);
    both(
        "PSTH",
        (&test.psth_correlation, &deviations.psth_correlation),
        psths,
    );
    both(
        "ceiling of the PSTH",
        (
            &test.psth_correlation_ceiling,
            &deviations.psth_correlation_ceiling,
        ),
        over(&chosen, &|set| reference.psth_correlation(data, set)),
    );
    let pearson = |set: &[JudgedTrial]| reference.noise_agreement(data, set).pearson;
    let r2 = |set: &[JudgedTrial]| reference.noise_agreement(data, set).r2;
    both(
        "noise correlation",
        (
            &test.noise_correlation_pearson,
            &deviations.noise_correlation_pearson,
        ),
        over(&runs, &pearson),
    );
    both(
        "its R2",
        (&test.noise_correlation_r2, &deviations.noise_correlation_r2),
        over(&runs, &r2),
    );
    both(
        "its ceiling",
        (
            &test.noise_correlation_ceiling_pearson,
            &deviations.noise_correlation_ceiling_pearson,
        ),
        over(&chosen, &pearson),
    );
    both(
        "the ceiling of its R2",
        (
            &test.noise_correlation_ceiling_r2,
            &deviations.noise_correlation_ceiling_r2,
        ),
        over(&chosen, &r2),
    );
    near(
        "Fano factor",
        &test.fano_factor_data,
        reference.fano_factor(data),
    );
    both(
        "Fano factor of the model",
        (&test.fano_factor_model, &deviations.fano_factor_model),
        over(&runs, &|set| reference.fano_factor(set)),
    );
    assert!(deviations.bits_per_spike.value().is_none());
    both(
        "distance of rates",
        (&test.rate_distance, &deviations.rate_distance),
        over(&runs, &|set| reference.rate_distance(data, set)),
    );
    both(
        "the same of training trials",
        (
            &test.rate_distance_ceiling,
            &deviations.rate_distance_ceiling,
        ),
        over(&chosen, &|set| reference.rate_distance(data, set)),
    );
    both(
        "Fano factor of training trials",
        (&test.fano_factor_ceiling, &deviations.fano_factor_ceiling),
        over(&chosen, &|set| reference.fano_factor(set)),
    );
}

#[test]
fn all_trials_are_judged_without_a_ceiling_and_another_recording_too() {
    let fitted_to = Small::default().recording();
    let model = fitted(&fitted_to);
    let all: Vec<usize> = (0..fitted_to.n_trials()).collect();
    let other = Small {
        seed: 77,
        ..Small::default()
    }
    .recording();
    for recording in [&fitted_to, &other] {
        let reference = judged(&model, recording, &all);
        let found = evaluate(&model, recording, Some(SplitChoice::All)).unwrap();
        let free = plain(&found.model, &found.layout);
        // The constant rates are those of the fit, whatever is judged.
        let training = judged(&model, &fitted_to, &[]).training;
        let reference = Judged {
            training,
            ..reference
        };
        near(
            "bits per spike",
            &found.test.bits_per_spike,
            reference.bits_per_spike(DRAWS).0,
        );
        assert_eq!(free, reference.free_runs(0));
        assert!(found.test.psth_correlation_ceiling.value().is_none());
    }
}

fn assert_runs(found: &Stability, reference: &LongRuns) {
    let left: usize = reference.left_at.iter().sum();
    assert_eq!(found.runs, reference.rates.len());
    assert_eq!(found.divergent_share, left as f64 / found.runs as f64);
    let mut left_at = found.left_at.clone();
    left_at.resize(PRESENTATIONS, 0);
    assert_eq!(left_at, reference.left_at);
}

#[test]
fn long_runs_are_what_the_definitions_say() {
    let recording = Small::default().recording();
    let mut model = fitted(&recording);
    let seconds = model.bin_width;
    let gap = (refire_fit::GAP_SECONDS / seconds).ceil() as usize;
    let mut verdicts = Vec::new();
    // As fitted, and with couplings that make it leave sooner or later.
    for strength in [1.0f32, 6.0, 9.0] {
        let scale = |model: &mut Model, by: f32| {
            let couplings = &mut model.parameters.couplings;
            couplings.iter_mut().for_each(|w| *w *= by);
        };
        scale(&mut model, strength);
        let reference = judged(&model, &recording, &[]);
        let found = judge(&model, model.spec.seed).unwrap();
        assert_eq!(found.protocol, Protocol::Trials);
        assert!([RUNS, MOST_RUNS].contains(&found.stability.runs));
        let runs = reference.long_runs(found.stability.runs, PRESENTATIONS, Start::Anew);
        assert_runs(&found.stability, &runs);
        for (found, expected) in found.traces_hz.iter().zip(&runs.rates) {
            assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(expected) {
                assert!((found - expected / seconds).abs() < 1e-9);
            }
        }
        let in_a_row = reference.long_runs(RUNS_IN_A_ROW, PRESENTATIONS, Start::Rest(gap));
        assert_runs(found.in_a_row.as_ref().unwrap(), &in_a_row);
        verdicts.push(found.stability.verdict);

        // The same as a continuous recording, whose pieces go on from one another.
        model.spec.trials.piece = Some(Piece {
            seconds: 1.0,
            ongoing: true,
        });
        let on = judge(&model, model.spec.seed).unwrap();
        let runs = reference.long_runs(on.stability.runs, PRESENTATIONS, Start::On);
        assert_runs(&on.stability, &runs);
        assert_eq!((on.protocol, on.in_a_row), (Protocol::Continuous, None));
        model.spec.trials.piece = None;
        scale(&mut model, 1.0 / strength);
    }
    assert_ne!(verdicts.first(), verdicts.last(), "{verdicts:?}");
    assert_ne!(verdicts.last(), Some(&Verdict::Stable));
}

#[test]
fn the_ridge_is_the_one_that_predicts_the_validation_trials_best() {
    let recording = Small::default().recording();
    let mut spec = small::specification(&recording, ObjectiveKind::Mle).with_default_optimiser();
    spec.drive = Drive::new(DriveKind::None);
    // As a given ridge is.
    spec.priors.tails = None;
    let mut trainer = Trainer::new(&recording, &spec).unwrap();
    trainer.step().unwrap();
    let path = trainer.convex().unwrap().path.clone();
    assert!(path.len() > 2);
    // Nats of trials under the parameters that a given ridge leads to.
    let nats = |ridge: f64, which: fn(&Model) -> Vec<usize>| {
        let mut spec = spec.clone();
        spec.optimiser = Optimiser::Lbfgs {
            ridge: Ridge::Given(ridge),
            then: None,
        };
        let mut trainer = Trainer::new(&recording, &spec).unwrap();
        trainer.step().unwrap();
        let model = trainer.model();
        let trials = which(&model);
        nats_of(&judged(&model, &recording, &trials))
    };
    for step in &path {
        let expected = nats(step.couplings, |model| model.split.validation.clone());
        assert!((step.nats - expected).abs() < 1e-4, "{step:?}: {expected}");
    }
    let chosen = trainer.convex().unwrap().ridge_couplings;
    let best = path
        .iter()
        .min_by(|a, b| a.nats.total_cmp(&b.nats))
        .unwrap();
    assert_eq!(chosen, best.couplings);
    // Training trials alone would have had none of it.
    let training = |ridge| nats(ridge, |model| model.split.train.clone());
    let least = path
        .iter()
        .map(|step| step.couplings)
        .fold(f64::INFINITY, f64::min);
    assert!(chosen > least && training(least) < training(chosen));
}

#[test]
fn the_parameters_of_the_best_validation_loss_are_kept() {
    let recording = Small {
        trials: 14,
        ..Small::default()
    }
    .recording();
    let mut spec =
        small::specification(&recording, ObjectiveKind::Mle).with_adam(small::adam(80, 0.3));
    spec.priors.coupling = Some(1e3);
    let mut trainer = Trainer::new(&recording, &spec).unwrap();
    let mut judged_at = Vec::new();
    while !trainer.finished() {
        let step = trainer.step().unwrap();
        if let Some(loss) = step.validation {
            judged_at.push((loss, step.iteration, trainer.parameters().clone()));
        }
    }
    let best = judged_at.iter().min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
    let last = judged_at.last().unwrap();
    assert!(
        best.1 < last.1,
        "the fit must go past its best for this to tell"
    );
    let model = trainer.model();
    assert_eq!((model.iteration, &model.parameters), (best.1, &best.2));
    assert_ne!(model.parameters, last.2);
    // It is the loss of the validation trials.
    let expected = nats_of(&judged(&model, &recording, &model.split.validation));
    assert!(
        (best.0 - expected).abs() < 1e-5,
        "{} is not {expected}",
        best.0
    );
}
