use super::*;
use refire_drive::MovieShape;
use refire_neuron::SpikeGradient;
use refire_sim::Connectivity;
use std::sync::Arc;

const OBJECTIVES: [ObjectiveKind; 3] = [
    ObjectiveKind::Mle,
    ObjectiveKind::SampleAndMeasure,
    ObjectiveKind::MleAndSampleAndMeasure,
];

/// A specification of every objective, form, kind of couplings, drive and optimiser.
fn of_every_kind() -> Vec<Specification> {
    let mut all = Vec::new();
    for objective in OBJECTIVES {
        for form in [Form::Corrected, Form::Published] {
            let spec = Specification::with_form(Facts::default(), objective, form);
            let by_adam = spec.clone().with_adam(Steps {
                iterations: 7,
                learning_rate: Some(0.03),
                spike_gradient: SpikeGradient::ReinMax,
            });
            all.extend([spec, by_adam]);
        }
    }
    let base = all[0].clone();
    let mut with = |change: &dyn Fn(&mut Specification)| {
        let mut spec = base.clone();
        change(&mut spec);
        all.push(spec);
    };
    for drive in [
        Drive::None,
        Drive::Condition {
            spacing: 0.07,
            detail: Some(0.5),
        },
        Drive::Features { lags: 3 },
        Drive::Movie(MovieShape {
            height: 9,
            ..MovieShape::default()
        }),
    ] {
        with(&|spec| spec.drive = drive);
    }
    with(&|spec| spec.network.couplings = Couplings::LowRank { rank: 2 });
    with(&|spec| spec.network.couplings = Couplings::Sparse(Synapses::InDegree(4)));
    with(&|spec| spec.network.history = HistoryStart::Zero);
    with(&|spec| spec.network.dynamics = Dynamics::Memoryless { theta: 0.75 });
    with(&|spec| spec.held_out.validation = 0.0);
    with(&|spec| spec.checkpoint_bins = Some(20));
    with(&|spec| {
        spec.optimiser = Optimiser::Lbfgs {
            ridge: Ridge::Given(0.0),
            then: None,
        }
    });
    with(&|spec| {
        (spec.network.hidden, spec.seed) = (5, u64::MAX);
        spec.network.signs.hidden_inhibitory = Some(0.2);
        spec.network.signs.observed_inhibitory = Some(vec![1, 3]);
    });
    all
}

#[test]
fn the_flat_table_gives_the_specification_back() {
    for spec in of_every_kind() {
        let flat = FlatSettings::from(&spec);
        let text = serde_json::to_string(&flat).unwrap();
        let read: FlatSettings = serde_json::from_str(&text).unwrap();
        assert_eq!(read.first_difference(&flat), None);
        let back = read.specification(None).unwrap();
        assert_eq!(FlatSettings::from(&back), flat, "{spec:?}");
        assert_eq!(back, spec);
    }
}

#[test]
fn synapses_that_are_given_stand_beside_the_table() {
    let mut spec = Specification::new(Facts::default(), ObjectiveKind::Mle);
    let given = Arc::new(Connectivity::from_mask(&[true; 9], 3).unwrap());
    spec.network.couplings = Couplings::Sparse(Synapses::Given(Arc::clone(&given)));
    let flat = FlatSettings::from(&spec);
    assert_eq!(flat.specification(Some(&given)).unwrap(), spec);
}

#[test]
fn passes_in_windows_refuse_published_statistics_and_the_score_gradient() {
    let with = |objective: ObjectiveKind, form, spike_gradient| {
        let adam = Steps {
            spike_gradient,
            ..Steps::default()
        };
        let mut spec = Specification::with_form(Facts::default(), objective, form).with_adam(adam);
        spec.checkpoint_bins = Some(20);
        spec.check().map_err(|refused| refused.to_string())
    };
    let (escape, score) = (SpikeGradient::Escape, SpikeGradient::Score);
    for objective in OBJECTIVES {
        assert_eq!(with(objective, Form::Corrected, escape), Ok(()));
        let refused = with(objective, Form::Corrected, score).unwrap_err();
        assert!(refused.contains("checkpoint-bins: expected 0"), "{refused}");
        let published = with(objective, Form::Published, escape);
        if objective.has_statistics() {
            let refused = published.unwrap_err();
            assert!(refused.contains("published statistics"), "{refused}");
        } else {
            assert_eq!(published, Ok(()));
        }
    }
}

/// What is said of a specification with this change; nothing where it is good.
fn refused(change: &dyn Fn(&mut Specification)) -> String {
    let mut spec = Specification::new(Facts::default(), ObjectiveKind::MleAndSampleAndMeasure);
    change(&mut spec);
    spec.check().err().map_or(String::new(), |e| e.to_string())
}

#[test]
fn no_count_is_zero_where_none_says_so() {
    let found = refused(&|spec| spec.checkpoint_bins = Some(0));
    assert!(found.contains("checkpoint-bins"), "{found}");
    for (name, at) in [("noise-lags", 0), ("noise-pairs", 1)] {
        let found = refused(&|spec| {
            let noise = &mut spec.objective.corrected_mut().unwrap().noise;
            *[&mut noise.lags, &mut noise.pairs][at] = Some(0);
        });
        assert!(found.contains(name), "{found}");
    }
}

#[test]
fn the_default_optimiser_keeps_the_numbers_of_adam() {
    let mut spec = Specification::new(Facts::default(), ObjectiveKind::MleAndSampleAndMeasure);
    spec.optimiser.steps_mut().unwrap().iterations = 7;
    spec.objective = Objective::Mle { likelihood: 1.0 };
    spec.drive = Drive::Movie(MovieShape::default());
    assert_eq!(spec.with_default_optimiser().iterations(), 7);
}

#[test]
fn numbers_out_of_range_are_refused_by_name() {
    let expect = |name: &str, change: &dyn Fn(&mut Specification)| {
        let found = refused(change);
        assert!(
            found.starts_with(&format!("setting {name}: expected")),
            "{name}: {found}"
        );
    };
    assert_eq!(refused(&|_| ()), "");
    for lags in [0, (1 << 32) + 1] {
        expect("lags", &|spec| spec.network.lags = lags);
    }
    for number in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        expect("drive-spacing", &|spec| {
            spec.drive = Drive::Condition {
                spacing: number,
                detail: Some(0.5),
            }
        });
        expect("learning-rate", &|spec| {
            spec.optimiser.steps_mut().unwrap().learning_rate = Some(number)
        });
        let damped = SpikeGradient::Damped(number);
        expect("spike-dampening", &|spec| {
            spec.optimiser.steps_mut().unwrap().spike_gradient = damped
        });
        let piece = Some(Piece {
            seconds: number,
            ongoing: true,
        });
        expect("trial-length", &|spec| spec.trials.piece = piece);
        let theta = Dynamics::Memoryless { theta: number };
        expect("theta", &|spec| spec.network.dynamics = theta);
    }
    for number in [-1.0, f64::NAN, f64::INFINITY] {
        expect("weight-mle", &|spec| {
            *spec.objective.likelihood_mut().unwrap() = number
        });
        for (at, name) in ["weight-psth", "weight-nc", "weight-hidden-rate"]
            .iter()
            .enumerate()
        {
            let weight = |spec: &mut Specification| {
                let mut weights = [None; 3];
                weights[at] = Some(number);
                spec.objective
                    .statistics_mut()
                    .unwrap()
                    .set_weights(weights);
            };
            expect(name, &weight);
        }
        let ridge = Optimiser::Lbfgs {
            ridge: Ridge::Given(number),
            then: None,
        };
        expect("ridge", &|spec| spec.optimiser = ridge);
    }
    for share in [-0.1, 1.0, f64::NAN] {
        expect("test-fraction", &|spec| spec.held_out.test = share);
        expect("validation-fraction", &|spec| {
            spec.held_out.validation = share
        });
    }
    expect("stimulus-lags", &|spec| {
        spec.drive = Drive::Features { lags: 0 }
    });
    expect("noise-parts", &|spec| {
        spec.objective.corrected_mut().unwrap().noise.parts = 0
    });
}

#[test]
fn some_term_has_a_weight() {
    let with = |weights: [f64; 4], hidden| {
        let mut spec = Specification::new(Facts::default(), ObjectiveKind::MleAndSampleAndMeasure);
        spec.network.hidden = hidden;
        *spec.objective.likelihood_mut().unwrap() = weights[0];
        let statistics = spec.objective.statistics_mut().unwrap();
        statistics.set_weights([weights[1], weights[2], weights[3]].map(Some));
        spec.check().is_ok()
    };
    assert!(with([1.0, 0.0, 0.0, 0.0], 0) && with([0.0, 0.0, 1.0, 0.0], 0));
    assert!(!with([0.0; 4], 0));
    // A rate of hidden units counts where there are some.
    assert!(!with([0.0, 0.0, 0.0, 1.0], 0) && with([0.0, 0.0, 0.0, 1.0], 2));
}

#[test]
fn pieces_have_a_past_that_is_not_known() {
    let mut spec = Specification::new(Facts::default(), ObjectiveKind::Mle);
    spec.network.history = HistoryStart::Recorded;
    spec.network.lags = 4;
    spec.trials.piece = Some(Piece {
        seconds: 2.0,
        ongoing: true,
    });
    for (lags, holds) in [(4, true), (5, true), (6, false)] {
        spec.drive = Drive::Features { lags };
        assert_eq!(spec.check().is_ok(), holds, "{lags}");
    }
    spec.drive = Drive::None;
    assert!(spec.check().is_ok());
    spec.network.history = HistoryStart::Zero;
    assert!(spec.check().is_err());
}

#[test]
fn what_is_held_out_is_written_as_it_is_read() {
    for what in [
        HoldOut::Trials,
        HoldOut::Segments(1),
        HoldOut::Segments(12),
        HoldOut::Conditions,
    ] {
        let text = String::from(what);
        assert_eq!(text.parse::<HoldOut>().unwrap(), what);
        assert_eq!(HoldOut::try_from(text).unwrap(), what);
        assert_eq!(what.is_default(), what == HoldOut::Trials);
    }
    assert_eq!(HoldOut::Segments(12).to_string(), "segments=12");
    for text in ["segments=0", "segments=", "segments", "trial", ""] {
        let refused = text.parse::<HoldOut>().unwrap_err().to_string();
        assert!(refused.contains("hold-out"), "{refused}");
    }
}

#[test]
fn a_table_of_an_older_refire_has_its_numbers() {
    // Couplings were drawn.
    let spec = Specification::new(Facts::default(), ObjectiveKind::default());
    let spec = spec.with_adam(Steps::default());
    let mut table = serde_json::to_value(FlatSettings::from(&spec)).unwrap();
    table
        .as_object_mut()
        .unwrap()
        .remove("initial-scale")
        .unwrap();
    let read: FlatSettings = serde_json::from_value(table).unwrap();
    assert_eq!(read.specification(None).unwrap(), spec);
}

#[test]
fn objectives_say_what_they_are_made_of() {
    let parts = OBJECTIVES.map(|o| (o.has_likelihood(), o.has_statistics()));
    assert_eq!(parts, [(true, false), (false, true), (true, true)]);
}

#[test]
fn trials_without_repeats_are_held_out_of_all() {
    let mut parts = crate::fixture::parts(10);
    let own = HeldOut {
        test: 0.3,
        validation: 0.2,
        what: HoldOut::Trials,
    };
    let held = |parts: &refire_recording::RecordingParts| {
        let recording = refire_recording::Recording::new(parts.clone()).unwrap();
        let split = own.draw(&recording, 1).unwrap();
        let of = |c: usize| {
            let here = |&&k: &&usize| recording.conditions()[k] == c;
            split.test.iter().filter(here).count()
        };
        (split.test.len(), split.validation.len(), of(0))
    };
    // Five trials each: one or two of them.
    let (test, validation, first) = held(&parts);
    assert_eq!((test, validation), (2 * first, 2));
    parts.labels = (0..10).map(refire_recording::Label::Number).collect();
    let (test, validation, _) = held(&parts);
    assert_eq!((test, validation), (3, 1));
}

/// Settings of one fit say what others need not: a table without them is that of a fit without.
#[test]
fn a_table_is_as_long_as_what_was_asked_for() {
    let spec = Specification::new(Facts::default(), ObjectiveKind::Mle);
    let keys = ["hold-out", "trial-length", "ongoing", "min-trial-bins"];
    let has = |spec: &Specification| {
        let table = serde_json::to_value(FlatSettings::from(spec)).unwrap();
        keys.map(|key| table.get(key).is_some())
    };
    assert_eq!(has(&spec), [false; 4]);
    let mut cut = spec.clone();
    cut.trials.piece = Some(Piece {
        seconds: 2.0,
        ongoing: true,
    });
    cut.trials.least_bins = 30;
    cut.held_out.what = HoldOut::Segments(2);
    assert_eq!(has(&cut), [true; 4]);
    let found = FlatSettings::from(&spec).first_difference(&FlatSettings::from(&cut));
    assert_eq!(found, None, "what only the other has");
    let found = FlatSettings::from(&cut).first_difference(&FlatSettings::from(&spec));
    assert_eq!(found.unwrap().0, "hold-out");
}

#[test]
fn an_optimum_of_the_likelihood_says_no_iterations() {
    let mut spec = Specification::new(Facts::default(), ObjectiveKind::Mle);
    spec.optimiser = Optimiser::Lbfgs {
        ridge: Ridge::Validation,
        then: None,
    };
    let table = serde_json::to_value(FlatSettings::from(&spec)).unwrap();
    assert_eq!(table["iterations"], Steps::default().iterations);
    spec.objective = Objective::new(ObjectiveKind::default(), Form::Corrected, &Facts::default());
    let table = serde_json::to_value(FlatSettings::from(&spec)).unwrap();
    assert_eq!(table["iterations"], 0);
    // A table of a fit that goes on from there, and one that ends.
    for iterations in [0, 40] {
        let mut spec = spec.clone();
        let then = Steps {
            iterations,
            ..Steps::default()
        };
        spec.optimiser = Optimiser::Lbfgs {
            ridge: Ridge::Validation,
            then: (iterations > 0).then_some(then),
        };
        let back = FlatSettings::from(&spec).specification(None).unwrap();
        assert_eq!(back, spec);
    }
}
