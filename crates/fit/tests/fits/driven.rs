//! A model under another stimulus than that of its fit, and recordings that are cut as its own was.

use crate::small::{self, Small};
use refire_core::TrialArray;
use refire_fit::{Driving, FitError, Model, ObjectiveKind, Piece, SplitChoice, Trainer, evaluate};
use refire_recording::{Label, Recording, RecordingParts, Stimulus};

fn model(recording: &Recording) -> Model {
    let spec = small::specification(recording, ObjectiveKind::Mle).with_adam(small::adam(2, 0.02));
    let mut trainer = Trainer::new(recording, &spec).unwrap();
    while !trainer.finished() {
        trainer.step().unwrap();
    }
    trainer.model()
}

fn driven() -> (Recording, Model) {
    let recording = Small {
        stimulus: true,
        ..Small::default()
    };
    let recording = recording.recording();
    let model = model(&recording);
    (recording, model)
}

/// Currents of a condition, but for bins that only one side has.
fn currents(model: &Model, condition: usize, bins: usize) -> Vec<Vec<f32>> {
    let currents = model.drive_currents().unwrap();
    let row = |t| currents.row(condition, t)[..model.units()].to_vec();
    (model.spec.first_bin()..bins).map(row).collect()
}

/// The stimulus with the courses of its conditions turned by one.
fn turned(recording: &Recording) -> Stimulus {
    let stimulus = recording.stimulus().unwrap();
    let courses = [1, 2, 0].map(|c| stimulus.course(c));
    Stimulus::new(courses.concat(), Some(3), 1, stimulus.dt()).unwrap()
}

#[test]
fn a_stimulus_brings_its_conditions() {
    let (recording, model) = driven();
    assert!(model.has_stimulus());
    let stimulus = turned(&recording);
    let labels = [7, 2, 0].map(Label::Number);
    let driving = Driving {
        stimulus: &stimulus,
        labels: &labels,
        bins: &[18, 17, 16],
    };
    let other = model.driven_by(driving).unwrap();
    assert_eq!(
        (&other.condition_labels[..], &other.bins_per_condition[..]),
        (&labels[..], &[18, 17, 16][..])
    );
    for condition in 0..3 {
        let own = currents(&model, [1, 2, 0][condition], 16);
        assert_eq!(
            currents(&other, condition, 16),
            own,
            "condition {condition}"
        );
    }
    // Training trials belong to conditions of the same label: 0 is the third, 2 the second, 1 none.
    let expected = model.training.conditions.iter().map(|&c| [2, 3, 1][c]);
    assert_eq!(other.training.conditions, expected.collect::<Vec<_>>());
    let lags = model.spec.network.lags;
    let short = |bins: usize| {
        model.driven_by(Driving {
            bins: &[18, bins, 16],
            ..driving
        })
    };
    assert!(short(lags + 1).is_ok());
    let refused = short(lags).unwrap_err();
    assert!(
        matches!(refused, FitError::TooFewBins { trial: 1, bins, least } if (bins, least) == (lags, lags + 1))
    );
}

#[test]
fn a_model_without_a_stimulus_has_no_use_for_one() {
    let (driven, _) = driven();
    let plain = Small::default().recording();
    let model = model(&plain);
    assert!(!model.has_stimulus());
    let driving = Driving {
        stimulus: driven.stimulus().unwrap(),
        labels: driven.condition_labels(),
        bins: &[18; 3],
    };
    assert!(matches!(
        model.driven_by(driving),
        Err(FitError::NoUseForStimulus)
    ));
    assert!(model.facing(&driven).unwrap() == model);
}

#[test]
fn a_recording_is_met_under_its_own_stimulus() {
    let (recording, model) = driven();
    let same_but = |stimulus: Option<Stimulus>| {
        Recording::new(RecordingParts {
            stimulus,
            ..small::parts(&recording)
        })
        .unwrap()
    };
    let facing = model.facing(&same_but(Some(turned(&recording)))).unwrap();
    for condition in 0..3 {
        let own = currents(&model, [1, 2, 0][condition], 14);
        assert_eq!(currents(&facing, condition, 14), own);
    }
    let none = model.facing(&same_but(None)).unwrap_err();
    assert!(matches!(none, FitError::NoStimulus));
    // Other units, and another width of bins.
    let bent = |change: &dyn Fn(&mut RecordingParts)| {
        let mut parts = small::parts(&recording);
        parts.stimulus = Some(turned(&recording));
        change(&mut parts);
        model
            .facing(&Recording::new(parts).unwrap())
            .unwrap_err()
            .to_string()
    };
    let ids = bent(&|parts| parts.unit_ids = Some((5..9).map(Label::Number).collect()));
    assert!(
        ids.contains("4 (0, 1, 2, 3)") && ids.contains("4 (5, 6, 7, 8)"),
        "{ids}"
    );
    let width = bent(&|parts| parts.bin_width = "11ms".parse().unwrap());
    assert!(width.contains("0.011"), "{width}");
}

/// Trials that are too short for the lags are left out, and a condition that has no other goes with them.
#[test]
fn short_trials_are_not_judged() {
    let (recording, model) = driven();
    let least = model.spec.network.lags + 1;
    let with = |bins: usize, condition: usize| {
        let mut parts = small::parts(&recording);
        for k in 0..recording.n_trials() {
            if recording.conditions()[k] == condition {
                parts.bins[k] = bins;
                (bins..18).for_each(|t| parts.spikes.row_mut(k, t).fill(0));
            }
        }
        let found = evaluate(&model, &Recording::new(parts).unwrap(), None).unwrap();
        found.trials
    };
    let all = recording.n_trials();
    let own = recording.conditions().iter().filter(|&&c| c == 2).count();
    assert_eq!((with(least, 2), with(least - 1, 2)), (all, all - own));
}

#[test]
fn long_lists_of_units_are_cut() {
    let many = |first: i64, units: usize| {
        let spikes = TrialArray::<u8>::zeros(12, 10, 0, units);
        let mut parts = RecordingParts::new(spikes, "10ms".parse().unwrap());
        parts.spikes.row_mut(0, 5).fill(1);
        parts.unit_ids = Some((first..first + units as i64).map(Label::Number).collect());
        Recording::new(parts).unwrap()
    };
    let message = |units| {
        let recording = many(0, units);
        let found = evaluate(&model(&recording), &many(1, units), None);
        found.unwrap_err().to_string()
    };
    assert!(message(8).contains("8 (0, 1, 2, 3, 4, 5, 6, 7)"));
    assert!(message(9).contains("9 (0, 1, 2, 3, 4, 5, 6, 7, ...)"));
}

#[test]
fn a_recording_is_cut_as_that_of_the_fit() {
    let one = |seed| {
        let trials = Small {
            seed,
            ..Small::default()
        };
        let trials = trials.recording();
        let rows = (0..trials.n_trials()).flat_map(|k| {
            let block = trials.spikes().block(k, 0, trials.bins()[k]);
            block.to_vec()
        });
        let rows: Vec<u8> = rows.collect();
        let bins = rows.len() / small::UNITS;
        let spikes = TrialArray::from_vec(rows, 1, bins, small::UNITS).unwrap();
        Recording::new(RecordingParts::new(spikes, "10ms".parse().unwrap())).unwrap()
    };
    let whole = one(5);
    let piece = Piece {
        seconds: 0.2,
        ongoing: true,
    };
    let cut = whole.clone().cut(piece.pieces(0.01)).unwrap();
    let model = model(&cut);
    assert_eq!(model.spec.trials.piece, Some(piece));
    let bits = |recording: &Recording, split| {
        let found = evaluate(&model, recording, split).unwrap();
        (
            found.split,
            found.trials,
            found.test.bits_per_spike.value().unwrap(),
        )
    };
    assert_eq!(bits(&whole, None), bits(&cut, None));
    assert_eq!(bits(&whole, None).0, SplitChoice::Test);
    let other = one(6);
    let found = bits(&other, None);
    assert_eq!(
        (found.0, found.1),
        (SplitChoice::All, other.spikes().bins().div_ceil(20))
    );
    assert_eq!(bits(&other, Some(SplitChoice::All)), found);
    assert_eq!(bits(&whole, Some(SplitChoice::Test)), bits(&whole, None));
    let refused = evaluate(&model, &other, Some(SplitChoice::Test));
    assert!(refused.unwrap_err().to_string().contains("setting split"));
}
