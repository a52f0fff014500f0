//! Whether two problems have the same answer: bit for bit, or up to rounding.

use super::problem::{Outcome, Problem, Shape, close, shapes};
use proptest::prelude::*;
use refire::core::TrialArray;
use refire::kernels::Real;
use refire::neuron::SpikeGradient;
use refire::sim::Trajectory;
use std::ops::RangeInclusive;

/// Of sums taken in another order.
const TOLERANCE: f64 = 1e-11;

pub const SPIKE_GRADIENTS: [SpikeGradient; 4] = [
    SpikeGradient::Escape,
    SpikeGradient::Triangle,
    SpikeGradient::None,
    SpikeGradient::ReinMax,
];

/// Shapes with so many trials of each condition that all terms but noise covariances have a value,
/// and they too where [`must_have_a_value`].
pub fn measurable_shapes(conditions: RangeInclusive<usize>) -> impl Strategy<Value = Shape> {
    let trials = prop::collection::vec((4usize..10, 2usize..7), conditions);
    shapes(1..7, trials, 0.0..3.0)
}

/// Whether a term of a measurable shape has a value for certain: a noise covariance needs a pair of
/// units, and two simulated trials in each part.
fn must_have_a_value(problem: &Problem<f64>, name: &str) -> bool {
    let groups = problem.simulated.layout.groups();
    let most = groups.iter().map(|g| g.slots.len()).max().unwrap_or(0);
    match name {
        "noise covariance in 3 parts" => problem.observed > 1 && most >= 6,
        "noise covariance" | "noise covariance in 2 parts" => problem.observed > 1,
        _ => true,
    }
}

/// Calls `check` with every term chosen that has a value, its answer to the changed problem and to
/// the original, for every spike gradient. A term lacks a value in both or in neither.
pub fn compare(
    changed: &Problem<f64>,
    original: &Problem<f64>,
    chosen: impl Fn(&str) -> bool,
    check: impl Fn(&str, Outcome<f64>, Outcome<f64>),
) {
    let mut met = 0;
    for spike_gradient in SPIKE_GRADIENTS {
        let pairs = changed.terms().into_iter().zip(original.terms());
        for ((name, mut here), (_, mut there)) in pairs.filter(|((name, _), _)| chosen(name)) {
            met += 1;
            let found = changed.evaluate(here.as_mut(), spike_gradient);
            match (found, original.evaluate(there.as_mut(), spike_gradient)) {
                (Ok(found), Ok(expected)) => check(name, found, expected),
                (Err(found), Err(expected)) => {
                    assert_eq!(found, expected, "{name}");
                    assert!(!must_have_a_value(original, name), "{name}: {found}");
                }
                (found, expected) => panic!("{name}: {found:?}, not {expected:?}"),
            }
        }
    }
    assert!(met > 0, "no term was chosen");
}

pub fn assert_same(what: &str, found: &Outcome<f64>, expected: &Outcome<f64>) {
    let pairs = [
        (&vec![found.value], &vec![expected.value]),
        (&found.couplings, &expected.couplings),
        (&found.same_bin, &expected.same_bin),
        (&found.bias, &expected.bias),
        (&found.drive, &expected.drive),
    ];
    for (found, expected) in pairs {
        assert!(
            close(found, expected, TOLERANCE),
            "{what}: {found:?}, not {expected:?}"
        );
    }
}

pub fn bits<T: Real>(trajectory: &Trajectory<T>) -> (Vec<u64>, Vec<u8>) {
    let numbers = [&trajectory.potential, &trajectory.probability];
    let numbers = numbers
        .iter()
        .flat_map(|a| a.to_vec())
        .map(|x| x.f64().to_bits())
        .collect();
    (numbers, trajectory.spikes.to_vec())
}

pub fn outcome_bits<T: Real>(outcome: &Outcome<T>) -> Vec<u64> {
    let gradients = [
        &outcome.couplings,
        &outcome.same_bin,
        &outcome.bias,
        &outcome.drive,
    ];
    let gradients = gradients.into_iter().flatten().map(|x| x.f64().to_bits());
    std::iter::once(outcome.value.to_bits())
        .chain(gradients)
        .collect()
}

/// The array with more trials and bins behind, each filled with `fill`.
pub fn enlarge<T: Copy + Default>(
    array: &TrialArray<T>,
    trials: usize,
    bins: usize,
    fill: T,
) -> TrialArray<T> {
    let mut out = TrialArray::zeros(trials, bins, 0, array.units());
    out.as_mut_slice().fill(fill);
    for k in 0..array.trials() {
        for t in 0..array.bins() {
            out.row_mut(k, t).copy_from_slice(array.row(k, t));
        }
    }
    out
}

/// The gradient by the drive of `problem` where the drive is larger: zero where it is not its own.
pub fn enlarge_drive(
    gradient: Vec<f64>,
    problem: &Problem<f64>,
    conditions: usize,
    bins: usize,
) -> Vec<f64> {
    let drive = &problem.drive;
    let own = TrialArray::from_vec(gradient, drive.trials(), drive.bins(), drive.units());
    enlarge(&own.unwrap(), conditions, bins, 0.0).to_vec()
}
