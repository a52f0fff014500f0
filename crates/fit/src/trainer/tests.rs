use super::*;
use crate::{Adam, Optimiser, Ridge, fixture};

/// A fit of the fixture that has not begun.
fn specification(recording: &Recording, iterations: usize) -> Specification {
    let spec = fixture::specification(recording, ObjectiveKind::default());
    spec.with_adam(Adam {
        iterations,
        ..Adam::default()
    })
}

/// The prior of `docs`: `d/dw [w^2 / (2 (theta sd)^2 N)]`.
#[test]
fn priors_pull_couplings_and_drive_weights_and_no_bias() {
    let recording = fixture::recording();
    let mut spec = specification(&recording, 3);
    spec.drive = crate::Drive::Condition {
        spacing: 0.02,
        detail: Some(0.5),
    };
    (spec.priors.coupling, spec.priors.drive) = (Some(0.25), Some(2.0));
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
    let pulled = |gradient: &[f32], values: &[f32], sd: f64| {
        assert!(values.iter().any(|w| *w != 0.0));
        for (&g, &w) in gradient.iter().zip(values) {
            let expected = f64::from(before) + f64::from(w) / ((theta * sd).powi(2) * scored);
            assert!(
                (f64::from(g) - expected).abs() < 1e-6,
                "{g}, expected {expected}"
            );
        }
    };
    pulled(&trainer.gradient.couplings, &parameters.couplings, 0.25);
    let under = trainer.under_prior.clone();
    assert!(!under.is_empty());
    pulled(
        &trainer.gradient.drive[under.clone()],
        &parameters.drive[under],
        2.0,
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
