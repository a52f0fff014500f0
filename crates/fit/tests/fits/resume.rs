//! A fit stopped anywhere and gone on with from its checkpoint file is the fit without a stop.

use proptest::prelude::*;
use refire_core::TrialArray;
use refire_fit::{
    BatchSize, Checkpoint, Drive, DriveKind, Facts, Form, HistoryStart, ObjectiveKind, Optimiser,
    Specification, Steps, Trainer, VALIDATE_EVERY,
};
use refire_neuron::SpikeGradient;
use refire_random::{Purpose, Stream};
use refire_recording::{BinWidth, Label, Recording, RecordingParts};
use std::path::Path;

/// Judgements of the validation trials before and after a stop, two of each at most.
const MOST_ITERATIONS: usize = 4 * VALIDATE_EVERY;

/// Trials of unequal length, of conditions in turn, with spikes at random.
fn recording(units: usize, conditions: usize, seed: u64) -> Recording {
    const TRIALS: usize = 12;
    let bins: Vec<usize> = (0..TRIALS).map(|k| 12 + k % 4).collect();
    let mut spikes = TrialArray::<u8>::zeros(TRIALS, 15, 0, units);
    let stream = Stream::new(seed, Purpose::Synthetic);
    for (k, &bins) in bins.iter().enumerate() {
        for t in 0..bins {
            for (i, z) in spikes.row_mut(k, t).iter_mut().enumerate() {
                *z = u8::from(stream.uniform(i as u32, k as u32, t as u32) < 0.3);
            }
        }
    }
    let width = BinWidth::from_seconds(0.01).unwrap();
    Recording::new(RecordingParts {
        bins,
        labels: (0..TRIALS)
            .map(|k| Label::Number((k % conditions) as i64))
            .collect(),
        ..RecordingParts::new(spikes, width)
    })
    .unwrap()
}

fn specifications() -> impl Strategy<Value = Specification> {
    let objective = prop::sample::select(vec![
        ObjectiveKind::Mle,
        ObjectiveKind::SampleAndMeasure,
        ObjectiveKind::MleAndSampleAndMeasure,
    ]);
    let spike_gradient = prop::sample::select(vec![
        SpikeGradient::Damped(0.5),
        SpikeGradient::Triangle,
        SpikeGradient::None,
        SpikeGradient::ReinMax,
        SpikeGradient::Score,
    ]);
    let form = prop::sample::select(vec![Form::Corrected, Form::Published]);
    let drive = prop::sample::select(vec![DriveKind::None, DriveKind::Condition]);
    let history = prop::sample::select(vec![HistoryStart::Recorded, HistoryStart::Zero]);
    let validation_fraction = prop::sample::select(vec![0.0, 0.3]);
    let noise_pairs = prop::sample::select(vec![None, Some(2), Some(6)]);
    let checkpoint_bins = prop::sample::select(vec![None, Some(2), Some(7)]);
    (
        (objective, form, spike_gradient, drive, history),
        (1usize..4, 0usize..3, 1usize..3, noise_pairs, 3usize..9),
        (
            1..=MOST_ITERATIONS,
            validation_fraction,
            checkpoint_bins,
            any::<u64>(),
        ),
    )
        .prop_map(|(kinds, sizes, others)| {
            let (iterations, validation_fraction, checkpoint_bins, seed) = others;
            let (objective, form, spike_gradient, drive, history) = kinds;
            let (lags, hidden, noise_parts, noise_pairs, batch) = sizes;
            // What needs all bins at once.
            let whole = form == Form::Published && objective.has_statistics()
                || spike_gradient == SpikeGradient::Score;
            let adam = Steps {
                iterations,
                spike_gradient,
                ..Steps::default()
            };
            let spec = Specification::with_form(Facts::default(), objective, form);
            let mut spec = match (seed % 2, form) {
                (0, Form::Corrected) => Specification {
                    optimiser: Optimiser::Natural(adam),
                    ..spec
                },
                _ => spec.with_adam(adam),
            };
            spec.checkpoint_bins = checkpoint_bins.filter(|_| !whole);
            spec.drive = Drive::new(drive);
            spec.network.history = history;
            spec.network.lags = lags;
            spec.network.hidden = hidden;
            if let Some(corrected) = spec.objective.corrected_mut() {
                corrected.noise.parts = noise_parts;
                corrected.noise.pairs = noise_pairs;
            }
            spec.batch = BatchSize {
                trials: batch,
                free_bins: 100,
                recorded_bins: None,
            };
            spec.held_out.validation = validation_fraction;
            spec.seed = seed;
            spec
        })
}

/// What a fit leaves behind: model and state, each as its file.
fn files(trainer: &Trainer<'_>, folder: &Path) -> [Vec<u8>; 2] {
    let (model, state) = (folder.join("model.refire"), folder.join("state.refire"));
    trainer.model().write(&model).unwrap();
    trainer.checkpoint().write(&state).unwrap();
    [model, state].map(|path| std::fs::read(path).unwrap())
}

fn go_on(trainer: &mut Trainer<'_>, until: usize) {
    while trainer.checkpoint().iteration() < until {
        trainer.step().unwrap();
    }
}

// Deterministic properties: bits are compared, nothing is estimated, so that no seed gives a false
// alarm.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_fit_in_two_parts_is_the_fit_in_one(
        spec in specifications(),
        (units, conditions) in (2usize..5, 1usize..3),
        part in 0.0f64..1.0,
        seed: u64,
    ) {
        let recording = recording(units, conditions, seed);
        let folder = tempfile::tempdir().unwrap();
        let stop = (part * (spec.iterations() + 1) as f64) as usize;

        let mut whole = Trainer::new(&recording, &spec).unwrap();
        go_on(&mut whole, spec.iterations());

        let path = folder.path().join("checkpoint.refire");
        let mut first = Trainer::new(&recording, &spec).unwrap();
        go_on(&mut first, stop);
        first.checkpoint().write(&path).unwrap();
        drop(first);

        let mut second = Trainer::new(&recording, &spec).unwrap();
        second.resume(Checkpoint::read(&path).unwrap()).unwrap();
        prop_assert_eq!(second.checkpoint().iteration(), stop);
        go_on(&mut second, spec.iterations());

        prop_assert!(whole.finished() && second.finished());
        prop_assert_eq!(second.history(), whole.history());
        let [found, expected] = [&second, &whole].map(|trainer| files(trainer, folder.path()));
        prop_assert!(found[0] == expected[0], "the models differ");
        prop_assert!(found[1] == expected[1], "the states differ");
    }
}
