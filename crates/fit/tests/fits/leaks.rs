//! Test trials decide nothing: a fit is the same, bit for bit, whatever their spikes are.

use crate::small::{self, Small};
use refire_core::TrialArray;
use refire_fit::{HoldOut, Model, ObjectiveKind, Optimiser, Ridge, Specification, Trainer};
use refire_recording::{BinWidth, Recording, RecordingParts};

/// The fit of a recording, step by step to its end.
fn fit(recording: &Recording, spec: &Specification) -> Model {
    let mut trainer = Trainer::new(recording, spec).unwrap();
    while !trainer.finished() {
        trainer.step().unwrap();
    }
    trainer.model()
}

/// The same recording, with other spikes in some trials.
fn with_noise(recording: &Recording, trials: &[usize]) -> Recording {
    let mut parts = small::parts(recording);
    for &trial in trials {
        for t in 0..recording.bins()[trial] {
            for (i, z) in parts.spikes.row_mut(trial, t).iter_mut().enumerate() {
                *z = u8::from((trial + 3 * t + 5 * i) % 3 == 0);
            }
        }
    }
    Recording::new(parts).unwrap()
}

/// Fits a recording and the same one with noise for test trials; then, to see that this tells, with noise for a
/// training trial.
fn assert_no_leak(
    what: &str,
    recording: &Recording,
    noisy: &dyn Fn(&[usize]) -> Recording,
    spec: &Specification,
) {
    let model = fit(recording, spec);
    assert!(!model.split.test.is_empty(), "{what}");
    assert_eq!(model.split.check(recording.n_trials()), Ok(()), "{what}");
    let other = noisy(&model.split.test);
    assert_ne!(recording.hash(), other.hash());
    let mut again = fit(&other, spec);
    again.recording_hash.clone_from(&model.recording_hash);
    assert!(again == model, "{what}: test trials changed the model");
    let trained = fit(&noisy(&model.split.train[..1]), spec);
    assert!(
        trained.parameters != model.parameters,
        "{what}: the training trials changed nothing"
    );
}

#[test]
fn in_every_mode() {
    let plain = Small::default().recording();
    let driven = Small {
        stimulus: true,
        ..Small::default()
    }
    .recording();
    let short = |spec: Specification| spec.with_adam(small::adam(12, 0.02));
    let kinds = [
        ("mle", ObjectiveKind::Mle),
        ("sm", ObjectiveKind::SampleAndMeasure),
        ("mle+sm", ObjectiveKind::MleAndSampleAndMeasure),
    ];
    for (name, kind) in kinds {
        for recording in [&plain, &driven] {
            let noisy = |trials: &[usize]| with_noise(recording, trials);
            let spec = short(small::specification(recording, kind));
            assert_no_leak(name, recording, &noisy, &spec);
            let mut hidden = spec.clone();
            hidden.network.hidden = 2;
            assert_no_leak(&format!("{name}, hidden units"), recording, &noisy, &hidden);
        }
    }
    let noisy = |trials: &[usize]| with_noise(&plain, trials);
    let mut published = Specification::published(&plain, ObjectiveKind::MleAndSampleAndMeasure);
    published.network.lags = 3;
    published.batch.trials = 20;
    assert!(published.objective.is_published());
    assert_no_leak("published", &plain, &noisy, &short(published));
    let mut convex = small::specification(&plain, ObjectiveKind::Mle);
    for ridge in [Ridge::Validation, Ridge::Given(1.0)] {
        convex.optimiser = Optimiser::Lbfgs { ridge, then: None };
        assert_no_leak("L-BFGS", &plain, &noisy, &convex);
    }
    let few = Small {
        trials: 14,
        ..Small::default()
    };
    let few = few.recording();
    // One that goes past its best parameters: what tells which these are.
    let mut past = small::specification(&few, ObjectiveKind::Mle).with_adam(small::adam(80, 0.3));
    past.priors.coupling = Some(1e3);
    assert!(fit(&few, &past).iteration < 80);
    let of_few = |trials: &[usize]| with_noise(&few, trials);
    assert_no_leak("stopped early", &few, &of_few, &past);
    let noisy = |trials: &[usize]| with_noise(&driven, trials);
    let mut unseen = short(small::specification(&driven, ObjectiveKind::Mle));
    unseen.held_out.what = HoldOut::Conditions;
    unseen.held_out.test = 0.34;
    assert_no_leak("conditions held out", &driven, &noisy, &unseen);
}

#[test]
fn in_the_pieces_of_a_continuous_recording() {
    let source = Small::default().recording();
    let bins: usize = source.bins().iter().sum();
    let rows =
        (0..source.n_trials()).flat_map(|k| source.spikes().block(k, 0, source.bins()[k]).to_vec());
    let spikes = TrialArray::from_vec(rows.collect(), 1, bins, small::UNITS).unwrap();
    let width = BinWidth::from_seconds(0.01).unwrap();
    let whole = Recording::new(RecordingParts::new(spikes, width)).unwrap();
    let cut = whole.clone().cut(whole.pieces_of(25)).unwrap();
    // Other spikes in the bins of some pieces, before the recording is cut.
    let noisy = |pieces: &[usize]| {
        let mut spikes = whole.spikes().clone();
        for t in pieces
            .iter()
            .flat_map(|piece| piece * 25..(piece + 1) * 25)
            .filter(|&t| t < bins)
        {
            for (i, z) in spikes.row_mut(0, t).iter_mut().enumerate() {
                *z = u8::from((3 * t + 5 * i) % 4 == 0);
            }
        }
        let changed = Recording::new(RecordingParts::new(spikes, width)).unwrap();
        let pieces = changed.pieces_of(25);
        changed.cut(pieces).unwrap()
    };
    for what in [HoldOut::Trials, HoldOut::Segments(3)] {
        for kind in [ObjectiveKind::Mle, ObjectiveKind::MleAndSampleAndMeasure] {
            let mut spec = small::specification(&cut, kind).with_adam(small::adam(12, 0.02));
            let piece = spec.trials.piece.unwrap();
            assert_eq!((piece.seconds, piece.ongoing), (0.25, true));
            spec.held_out.what = what;
            assert_no_leak(&format!("{what}"), &cut, &noisy, &spec);
        }
    }
}
