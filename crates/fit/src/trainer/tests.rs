use super::*;
use crate::{Optimiser, Ridge, Steps, fixture};

/// A fit of the fixture that has not begun.
fn specification(recording: &Recording, iterations: usize) -> Specification {
    let spec = fixture::specification(recording, ObjectiveKind::default());
    spec.with_adam(Steps {
        iterations,
        ..Steps::default()
    })
}

#[test]
fn priors_pull_couplings_and_drive_weights_and_no_bias() {
    for tails in [None, Some(1.5)] {
        pulled_by_priors(tails);
    }
}

/// Gaussian: `d/dw [w^2 / (2 (theta sd)^2 N)]`; Student's t by differences of its log density.
fn pulled_by_priors(tails: Option<f64>) {
    let recording = fixture::recording();
    let mut spec = specification(&recording, 3);
    spec.drive = crate::Drive::Condition {
        spacing: 0.02,
        detail: Some(0.5),
    };
    (spec.priors.coupling, spec.priors.drive) = (Some(0.25), Some(2.0));
    spec.priors.tails = tails;
    let mut trainer = Trainer::new(&recording, &spec).unwrap();
    trainer.step().unwrap();
    let theta = spec.network.dynamics.theta();
    let (spikes, layout) = recording.select(&trainer.split.train, 2).unwrap();
    let scored = (layout.scored_bins() * spikes.units()) as f64;
    let parameters = trainer.state.parameters.clone();
    let before = 0.125f32;
    for tensor in trainer.gradient.tensors_mut() {
        tensor.fill(before);
    }
    trainer.add_prior_gradient();
    let pulled = |gradient: &[f32], values: &[f32], (sd, tails): (f64, Option<f64>)| {
        assert!(values.iter().any(|w| *w != 0.0));
        let nats = |w: f64| {
            let square = (w / (theta * sd)).powi(2);
            match tails {
                None => square / 2.0,
                Some(nu) => -(1.0 + square / nu).powf(-(nu + 1.0) / 2.0).ln(),
            }
        };
        for (&g, &w) in gradient.iter().zip(values) {
            let (w, h) = (f64::from(w), 1e-5);
            let slope = (nats(w + h) - nats(w - h)) / (2.0 * h);
            let expected = f64::from(before) + slope / scored;
            assert!(
                (f64::from(g) - expected).abs() < 1e-6,
                "{g}, expected {expected}"
            );
        }
    };
    pulled(
        &trainer.gradient.couplings,
        &parameters.couplings,
        (0.25, tails),
    );
    let under = trainer.under_prior.clone();
    assert!(!under.is_empty());
    pulled(
        &trainer.gradient.drive[under.clone()],
        &parameters.drive[under],
        (2.0, None),
    );
    assert!(trainer.gradient.bias.iter().all(|&g| g == before));
}

#[test]
fn what_is_not_finite_is_named() {
    let recording = fixture::recording();
    let mut trainer = Trainer::new(&recording, &specification(&recording, 3)).unwrap();
    trainer.step().unwrap();
    let losses = |value| Losses {
        terms: vec![0.5, value, 0.5],
        total: 0.5,
    };
    assert!(trainer.refuse_non_finite(&losses(0.5), 7).is_ok());
    let error = trainer.refuse_non_finite(&losses(f64::INFINITY), 7);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("psth") && error.contains('7'), "{error}");
    trainer.gradient.bias[1] = f32::NAN;
    let error = trainer.refuse_non_finite(&losses(0.5), 7).unwrap_err();
    assert!(error.to_string().contains("gradient"), "{error}");
}

#[test]
fn a_stop_judges_what_was_not_judged() {
    let recording = fixture::recording();
    let spec = specification(&recording, 5 * VALIDATE_EVERY);
    let mut trainer = Trainer::new(&recording, &spec).unwrap();
    let judged = |trainer: &Trainer<'_>| trainer.history().validated_at.clone();
    trainer.stop().unwrap();
    assert_eq!(judged(&trainer), [0; 0], "before the first step");
    for _ in 0..=VALIDATE_EVERY {
        trainer.step().unwrap();
    }
    assert_eq!(judged(&trainer), [VALIDATE_EVERY]);
    trainer.stop().unwrap();
    assert_eq!(judged(&trainer), [VALIDATE_EVERY, VALIDATE_EVERY + 1]);
    trainer.stop().unwrap();
    assert_eq!(judged(&trainer).len(), 2, "once");
    let history = trainer.history();
    let least = history
        .validation_total
        .iter()
        .copied()
        .fold(f64::INFINITY, f64::min);
    assert_eq!(trainer.state.best_loss, least);
}

#[test]
fn without_validation_trials_the_last_parameters_count() {
    let recording = fixture::recording();
    let mut spec = specification(&recording, 3);
    spec.held_out.validation = 0.0;
    let mut trainer = Trainer::new(&recording, &spec).unwrap();
    for step in 1..=3 {
        trainer.step().unwrap();
        let last = trainer.model().parameters == trainer.state.parameters;
        assert_eq!(last, step == 3, "step {step}");
    }
}

#[test]
fn the_loss_of_a_solution_has_its_weight() {
    let recording = fixture::recording();
    let mut spec = fixture::specification(&recording, ObjectiveKind::Mle);
    *spec.objective.likelihood_mut().unwrap() = 2.5;
    spec.optimiser = Optimiser::Lbfgs {
        ridge: Ridge::Given(1.0),
        then: None,
    };
    let mut trainer = Trainer::new(&recording, &spec).unwrap();
    let report = trainer.step().unwrap();
    assert_eq!(report.losses.total, 2.5 * report.losses.terms[0]);
    assert_eq!(trainer.history().training, [report.losses.terms]);
}

#[test]
fn without_validation_trials_the_ridge_is_that_of_the_priors() {
    let recording = fixture::recording();
    let mut spec = fixture::specification(&recording, ObjectiveKind::Mle);
    spec.held_out.validation = 0.0;
    (spec.priors.coupling, spec.priors.drive) = (Some(0.25), Some(2.0));
    spec.optimiser = Optimiser::Lbfgs {
        ridge: Ridge::Validation,
        then: None,
    };
    let mut trainer = Trainer::new(&recording, &spec).unwrap();
    trainer.step().unwrap();
    let report = trainer.convex().unwrap();
    assert_eq!((report.ridge_couplings, report.ridge_drive), (16.0, 0.25));
    assert!(report.ridge().ends_with("from the priors"));
    assert!(report.gradient_norm > 0.0 && report.gradient_norm < 1e-3);
}

#[test]
fn what_is_left_out_or_sampled_is_said() {
    let recording = fixture::with_short(fixture::parts(10), &[4], 2);
    let mut spec = specification(&recording, 3);
    spec.objective.corrected_mut().unwrap().noise.pairs = Some(2);
    let trainer = Trainer::new(&recording, &spec).unwrap();
    assert!(trainer.left_out()[0].contains("1 trials of fewer than 3 bins: 4 (2 bins)"));
    assert!(
        trainer.sampled()[0].contains('2'),
        "{:?}",
        trainer.sampled()
    );
    let whole = fixture::recording();
    let trainer = Trainer::new(&whole, &specification(&whole, 3)).unwrap();
    let said = trainer.left_out();
    assert!(
        said.iter().all(|why| why.starts_with("validation: nc")),
        "{said:?}"
    );
    assert!(trainer.sampled().is_empty());
}

#[test]
fn parts_need_two_free_trials_each() {
    let recording = fixture::recording();
    let mut spec = specification(&recording, 3);
    (spec.batch.trials, spec.batch.free_bins) = (8, 0);
    let with = |parts| {
        let mut spec = spec.clone();
        spec.objective.corrected_mut().unwrap().noise.parts = parts;
        Trainer::new(&recording, &spec)
            .map(|_| ())
            .map_err(|e| e.to_string())
    };
    assert_eq!(with(2), Ok(()));
    let refused = with(3).unwrap_err();
    assert!(
        refused.contains("noise-parts") && refused.contains("3 for 4 trials"),
        "{refused}"
    );
}

#[test]
fn natural_steps_go_on_where_they_stopped() {
    let recording = fixture::recording();
    let mut spec = fixture::specification(&recording, ObjectiveKind::default());
    spec.optimiser = Optimiser::Natural(Steps {
        iterations: 4,
        ..Steps::default()
    });
    let mut whole = Trainer::new(&recording, &spec).unwrap();
    assert_eq!(whole.spec.optimiser.kind(), crate::OptimiserKind::Natural);
    assert_eq!(whole.spec.optimiser.learning_rate(), 0.1);
    assert!(whole.curvature.is_some());
    // All training trials at once.
    let batch = whole.pool.draw(1, 0, whole.spec.batch).unwrap();
    assert_eq!(batch.recorded.layout.trials(), whole.split.train.len());
    let start = whole.parameters().clone();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.refire");
    for _ in 0..2 {
        whole.step().unwrap();
    }
    assert_ne!(whole.parameters(), &start);
    whole.checkpoint().write(&path).unwrap();
    let mut parted = Trainer::new(&recording, &spec).unwrap();
    parted
        .resume(crate::Checkpoint::read(&path).unwrap())
        .unwrap();
    for trainer in [&mut whole, &mut parted] {
        while !trainer.finished() {
            trainer.step().unwrap();
        }
    }
    assert_eq!(whole.parameters(), parted.parameters());
}

#[test]
fn where_there_is_no_curvature_adam_moves() {
    let recording = fixture::recording();
    let fixture = fixture::specification(&recording, ObjectiveKind::default());
    let moved_by = |change: fn(&mut Specification)| {
        let mut spec = fixture.clone();
        spec.optimiser = Optimiser::default();
        change(&mut spec);
        let trainer = Trainer::new(&recording, &spec).unwrap();
        let scale = match trainer.spec.optimiser {
            Optimiser::Adam { initial_scale, .. } => initial_scale,
            other => panic!("{other:?}"),
        };
        assert_eq!(trainer.spec.batch.recorded_bins, Some(0));
        (scale, trainer.spec.optimiser.learning_rate())
    };
    assert_eq!(moved_by(|spec| spec.network.hidden = 1), (None, 0.003));
    let drawn = (Some(0.1), 0.01);
    assert_eq!(moved_by(|spec| spec.held_out.validation = 0.0), drawn);
    assert_eq!(
        moved_by(|spec| spec.network.couplings = crate::Couplings::LowRank { rank: 1 }),
        drawn
    );
}
