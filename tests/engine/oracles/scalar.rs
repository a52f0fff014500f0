//! The engine against the naive program: every spike, value and gradient of every term.

use super::compare::SPIKE_GRADIENTS;
use super::naive::{self, Parameters, Run};
use super::naive_terms::{Terms, likelihood};
use super::problem::{Problem, Shape, WEIGHT, close, shapes};
use super::tape::{Tape, Var};
use proptest::prelude::*;
use refire::core::TrialLayout;
use refire::neuron::SpikeGradient;
use refire::sim::{Mode, Trajectory};

const TOLERANCE: f64 = 1e-9;

/// Conditions that the recording lacks among them, but for the first.
fn trials() -> impl Strategy<Value = Vec<(usize, usize)>> {
    let more = prop::collection::vec((1usize..10, 0usize..6), 0..3);
    ((1usize..10, 1usize..6), more).prop_map(|(first, mut trials)| {
        trials.insert(0, first);
        trials
    })
}

fn same_pass(problem: &Problem<f64>, mode: Mode, naive: &Run<'_>) {
    let found: Trajectory<f64> = problem.pass(mode);
    let layout = &problem.batch(mode).layout;
    for k in 0..layout.trials() {
        for t in 0..layout.max_bins() {
            for i in 0..problem.units {
                let at = format!("{mode:?} trial {k}, bin {t}, unit {i}");
                let found = (
                    f64::from(found.spikes.row(k, t)[i]),
                    found.potential.row(k, t)[i],
                    found.probability.row(k, t)[i],
                );
                if t < layout.bins(k) {
                    assert_eq!(found.0, naive.z[k][t][i].value, "{at}");
                    assert!((found.1 - naive.v[k][t][i].value).abs() < 1e-12, "{at}");
                    assert!((found.2 - naive.p[k][t][i].value).abs() < 1e-12, "{at}");
                } else {
                    assert_eq!(found, (0.0, 0.0, 0.0), "{at}");
                }
            }
        }
    }
}

/// Runs engine and naive program; returns the names of the terms that had a value.
fn compare(problem: &Problem<f64>, spike_gradient: SpikeGradient) -> Vec<&'static str> {
    let tape = Tape::default();
    let parameters = Parameters::new(&tape, problem);
    let pass = |mode| naive::run(&tape, problem, &parameters, mode, spike_gradient);
    let (forced, free) = (pass(Mode::TeacherForced), pass(Mode::FreeRunning));
    same_pass(problem, Mode::TeacherForced, &forced);
    same_pass(problem, Mode::FreeRunning, &free);
    let mut expected = vec![Some(likelihood(&tape, problem, &forced))];
    expected.extend(
        Terms {
            tape: &tape,
            problem,
            free: &free,
        }
        .all(),
    );
    let terms = problem.terms();
    assert_eq!(terms.len(), expected.len());
    let mut measured = vec![];
    for ((name, mut term), expected) in terms.into_iter().zip(expected) {
        let found = problem.evaluate(term.as_mut(), spike_gradient);
        let Some(expected) = expected else {
            assert!(
                found.is_err(),
                "{name}: {found:?} where the batch does not allow a value"
            );
            continue;
        };
        let found = found.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(
            close(&[found.value], &[expected.value], TOLERANCE),
            "{name}: {} instead of {}",
            found.value,
            expected.value
        );
        check_gradients(
            name,
            expected,
            &parameters,
            [found.couplings, found.same_bin, found.bias, found.drive],
        );
        measured.push(name);
    }
    measured
}

fn check_gradients(
    name: &str,
    expected: Var<'_>,
    parameters: &Parameters<'_>,
    found: [Vec<f64>; 4],
) {
    let derivatives = (expected * WEIGHT).derivatives();
    let by = [
        &parameters.couplings,
        &parameters.same_bin,
        &parameters.bias,
        &parameters.drive,
    ];
    let names = ["couplings", "same-bin couplings", "bias", "drive"];
    for ((found, by), what) in found.iter().zip(by).zip(names) {
        let expected = derivatives.by(by);
        assert!(
            close(found, &expected, TOLERANCE),
            "{name}, gradient of the {what}: {found:?} instead of {expected:?}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn random_networks_match_the_naive_program(shape in shapes(2..5, trials(), 0.2..4.0)) {
        let problem = Problem::draw(&shape);
        for spike_gradient in SPIKE_GRADIENTS {
            compare(&problem, spike_gradient);
        }
    }
}

/// Large enough for more than one block of trials, of sources and of numbers in an inner product.
#[test]
fn a_network_of_several_blocks_matches_the_naive_program() {
    for same_bin in [false, true] {
        several_blocks(same_bin);
    }
}

fn several_blocks(same_bin: bool) {
    let shape = Shape {
        observed: 26,
        hidden: 3,
        lags: 2,
        statistic_lags: 2,
        first_bin: 2,
        trials: vec![(7, 4), (5, 3)],
        window: 5,
        ragged: true,
        gain: 1.5,
        same_bin,
        seed: 20,
    };
    let problem = Problem::draw(&shape);
    for spike_gradient in [
        SpikeGradient::Escape,
        SpikeGradient::Triangle,
        SpikeGradient::ReinMax,
    ] {
        let measured = compare(&problem, spike_gradient);
        assert_eq!(measured.len(), 10, "every term has a value: {measured:?}");
    }
}

/// Recorded trials too short for a lag that simulated ones reach: nothing to compare it with.
#[test]
fn lags_that_the_recording_does_not_reach_are_left_out() {
    let mut problem = Problem::draw(&Shape {
        observed: 3,
        hidden: 1,
        lags: 2,
        statistic_lags: 4,
        first_bin: 1,
        trials: vec![(9, 7)],
        window: 6,
        ragged: false,
        gain: 1.0,
        same_bin: true,
        seed: 8,
    });
    problem.recorded.layout = TrialLayout::uniform(7, 3, 1).unwrap();
    let measured = compare(&problem, SpikeGradient::Escape);
    assert!(
        measured.contains(&"noise covariance in 3 parts"),
        "{measured:?}"
    );
}
