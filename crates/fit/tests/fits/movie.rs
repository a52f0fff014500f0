//! Fits of a movie drive to recordings whose true drive is a convolutional network over the movie.

use refire_core::TrialArray;
use refire_drive::MovieShape;
use refire_fit::{
    Drive, Facts, FitError, Model, ObjectiveKind, Optimiser, Ridge, Specification, Steps, Trainer,
};
use refire_recording::{Recording, Split};
use refire_synth::{MovieNetwork, MovieSettings, recording};

const TRIALS: usize = 24;
const TRAINED: usize = 16;

fn truth() -> MovieSettings {
    MovieSettings {
        shape: MovieShape {
            height: 9,
            width: 9,
            frames: 3,
            filters: [4, 6],
            filter_size: 3,
        },
        bins: 1500,
        units: 6,
        lags: 3,
        rate: 0.15,
        drive_sd: 1.2,
        coupling_sd: 0.5,
        seed: 11,
    }
}

/// More filters than the truth: which ones a fit finds depends less on where it starts.
fn movie() -> MovieShape {
    MovieShape {
        filters: [8, 12],
        ..truth().shape
    }
}

fn spec(objective: ObjectiveKind, drive: Drive) -> Specification {
    let adam = Steps {
        iterations: 150,
        learning_rate: Some(3e-2),
        ..Steps::default()
    };
    let mut spec = Specification::new(Facts::default(), objective).with_adam(adam);
    spec.network.lags = truth().lags;
    spec.drive = drive;
    spec.batch.trials = 4;
    spec
}

fn fit(recording: &Recording, spec: &Specification) -> (Model, f64) {
    let test = (TRAINED + 4..TRIALS).collect();
    let split = Split::given(
        (0..TRAINED).collect(),
        (TRAINED..TRAINED + 4).collect(),
        test,
        TRIALS,
    );
    let mut trainer = Trainer::with_split(recording, spec, split.unwrap()).unwrap();
    while !trainer.finished() {
        trainer.step().unwrap();
    }
    let judged = &trainer.history().validation_total;
    let best = judged.iter().copied().fold(f64::INFINITY, f64::min);
    (trainer.model(), best)
}

/// Mean over units of the correlation over bins; `shift` bins apart.
fn correlation(a: &TrialArray<f32>, b: &TrialArray<f32>, shift: usize) -> f64 {
    let (bins, units) = (a.bins(), a.units());
    let mut sum = 0.0;
    for unit in 0..units {
        let course = |x: &TrialArray<f32>, shift: usize| -> Vec<f64> {
            let at = (0..bins).map(|t| f64::from(x.row(0, (t + shift) % bins)[unit]));
            let mean = at.clone().sum::<f64>() / bins as f64;
            at.map(|x| x - mean).collect()
        };
        let (a, b) = (course(a, 0), course(b, shift));
        let inner = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        sum += inner(&a, &b) / (inner(&a, &a) * inner(&b, &b)).sqrt();
    }
    sum / units as f64
}

#[test]
fn a_fit_finds_the_drive_of_a_convolutional_truth() {
    let network = MovieNetwork::draw(&truth()).unwrap();
    let shown = network.show(11).unwrap();
    let recording = recording(&shown, TRIALS, 3).unwrap();
    let (mut model, with_movie) = fit(&recording, &spec(ObjectiveKind::Mle, Drive::Movie(movie())));
    let (_, without) = fit(&recording, &spec(ObjectiveKind::Mle, Drive::None));
    let drive = model.drive_currents().unwrap();
    let found = correlation(&drive, &shown.drive, 0);
    let chance = (1..8).map(|i| correlation(&drive, &shown.drive, 180 * i).abs());
    let chance = chance.fold(0.0, f64::max);
    // A movie that the fit has not seen, through the fitted filters and through the true ones.
    let other = network.show(12).unwrap();
    let frames = other.stimulus.as_ref().unwrap().values().to_vec();
    model.features = TrialArray::from_vec(frames, 1, truth().bins, truth().shape.pixels());
    let new = correlation(&model.drive_currents().unwrap(), &other.drive, 0);
    let text = format!(
        "drive of the movie fitted {found:.3}, of a new one {new:.3}, of other times at most {chance:.3}; nats per bin \
         {with_movie:.4}, without drive {without:.4}"
    );
    println!("{text}");
    assert!(found > 0.7 && new > 0.6 && chance < 0.1, "{text}");
    assert!(with_movie < without - 0.04, "{text}");
}

#[test]
fn a_model_with_a_movie_survives_its_file_and_the_wrong_movie_is_refused_in_one_line() {
    let network = MovieNetwork::draw(&truth()).unwrap();
    let recording = recording(&network.show(11).unwrap(), TRIALS, 3).unwrap();
    let mut short = spec(ObjectiveKind::MleAndSampleAndMeasure, Drive::Movie(movie()));
    short.batch.free_bins = 1000;
    short.network.hidden = 1;
    if let Some(adam) = short.optimiser.steps_mut() {
        adam.iterations = 2;
    }
    let (model, _) = fit(&recording, &short);
    assert!(model.parameters.drive.iter().any(|&w| w != 0.0));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    model.write(&path).unwrap();
    assert_eq!(Model::read(&path).unwrap(), model);

    let refused = |spec: &Specification| {
        let message = Trainer::new(&recording, spec).err().unwrap().to_string();
        assert!(!message.contains('\n'));
        message
    };
    let mut wide = short.clone();
    wide.drive = Drive::Movie(MovieShape {
        width: 10,
        ..movie()
    });
    let message = refused(&wide);
    assert!(
        message.contains("81 features") && message.contains("9 x 10"),
        "{message}"
    );
    let mut convex = spec(ObjectiveKind::Mle, short.drive);
    convex.optimiser = Optimiser::Lbfgs {
        ridge: Ridge::Validation,
        then: None,
    };
    let message = refused(&convex);
    assert!(
        message.contains("movie") && message.contains("lbfgs"),
        "{message}"
    );
    let given = Split::given(vec![0], vec![], vec![9], TRIALS).unwrap();
    assert!(Trainer::with_split(&recording, &short, given).is_ok());
    let beyond = Split::given(vec![0], vec![], vec![98], 99).unwrap();
    let beyond = Trainer::with_split(&recording, &short, beyond).err();
    assert!(matches!(beyond, Some(FitError::Split(_))));
}
