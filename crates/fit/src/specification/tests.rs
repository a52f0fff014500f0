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
            let by_adam = spec.clone().with_adam(Adam {
                iterations: 7,
                learning_rate: 0.03,
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
        Drive::Condition { spacing: 0.07 },
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
        let adam = Adam {
            spike_gradient,
            ..Adam::default()
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

#[test]
fn no_count_is_zero_where_none_says_so() {
    let spec = Specification::new(Facts::default(), ObjectiveKind::MleAndSampleAndMeasure);
    let refused = |change: &dyn Fn(&mut Specification)| {
        let mut spec = spec.clone();
        change(&mut spec);
        spec.check().unwrap_err().to_string()
    };
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
    spec.optimiser.adam_mut().unwrap().iterations = 7;
    spec.objective = Objective::Mle { likelihood: 1.0 };
    spec.drive = Drive::Movie(MovieShape::default());
    assert_eq!(spec.with_default_optimiser().iterations(), 7);
}
