//! Where nothing is sampled the gradient is exact: differences of the engine's own values check it.

use super::problem::{Numbers, Problem, Shape, WEIGHT, close};
use refire::loss::Likelihood;
use refire::neuron::{Logistic, SpikeGradient};
use refire::sim::Mode;

fn shape(first_bin: usize, hidden: usize) -> Shape {
    Shape {
        observed: 4,
        hidden,
        lags: 3,
        statistic_lags: 3,
        first_bin,
        trials: vec![(3, 4), (2, 3), (4, 5)],
        window: 12,
        ragged: true,
        gain: 1.5,
        seed: 11 + first_bin as u64,
    }
}

/// Central differences of the teacher-forced likelihood by every parameter.
fn differences(
    problem: &Problem<f64>,
    parameters: usize,
    parameter: impl Fn(&mut Problem<f64>, usize) -> &mut f64,
) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let value = |at: usize, step: f64| {
        let mut moved = problem.clone();
        *parameter(&mut moved, at) += step;
        let mut term = Likelihood::new(Logistic, problem.observed);
        moved
            .evaluate(&mut term, SpikeGradient::Escape)
            .unwrap()
            .value
    };
    (0..parameters)
        .map(|at| (value(at, STEP) - value(at, -STEP)) / (2.0 * STEP))
        .collect()
}

fn likelihood_gradient_is_exact(first_bin: usize) {
    // The error of a central difference here is the sum of step^2 f'''/6 and rounding / step.
    const TOLERANCE: f64 = 1e-7;
    let problem = Problem::<f64>::draw(&shape(first_bin, 0));
    let lengths = (0..problem.recorded.layout.trials()).map(|k| problem.recorded.layout.bins(k));
    assert!(lengths.clone().min() < lengths.max(), "unequal trials");
    let mut term = Likelihood::new(Logistic, problem.observed);
    let found = problem.evaluate(&mut term, SpikeGradient::Escape).unwrap();
    let drive = found.drive.len();
    let checks = [
        ("couplings", found.couplings, {
            differences(&problem, problem.couplings.len(), |p, at| {
                &mut p.couplings[at]
            })
        }),
        (
            "bias",
            found.bias,
            differences(&problem, problem.units, |p, at| &mut p.bias[at]),
        ),
        ("drive", found.drive, {
            differences(&problem, drive, |p, at| &mut p.drive.as_mut_slice()[at])
        }),
    ];
    for (what, found, differences) in checks {
        let expected: Vec<f64> = differences.iter().map(|d| WEIGHT * d).collect();
        assert!(
            expected.iter().any(|d| d.abs() > 1e-4),
            "{what}: nothing to compare"
        );
        assert!(
            close(&found, &expected, TOLERANCE),
            "{what}: {found:?}, not {expected:?}"
        );
    }
}

#[test]
fn the_likelihood_gradient_is_exact_without_history() {
    likelihood_gradient_is_exact(0);
}

#[test]
fn the_likelihood_gradient_is_exact_after_recorded_history() {
    likelihood_gradient_is_exact(2);
}

/// Given the spikes, potentials are linear in the parameters, and the sweep is the adjoint of that
/// map: `<c, v(parameters + direction) - v(parameters)> = <sweep(c), direction>`.
#[test]
fn the_sweep_is_the_adjoint_of_the_map_from_parameters_to_potentials() {
    for (hidden, first_bin) in [(0, 0), (0, 3), (3, 0), (3, 3)] {
        let problem = Problem::<f64>::draw(&shape(first_bin, hidden));
        let (observed, units) = (problem.observed, problem.units);
        let mut numbers = Numbers::new(5);
        let mut moved = problem.clone();
        // Only what observed units receive, so that hidden spikes stay the same.
        let mut direction = |values: &mut [f64]| -> Vec<f64> {
            let step = |at| {
                if at % units < observed {
                    numbers.between(-1.0, 1.0)
                } else {
                    0.0
                }
            };
            let direction: Vec<f64> = (0..values.len()).map(step).collect();
            values
                .iter_mut()
                .zip(&direction)
                .for_each(|(value, d)| *value += d);
            direction
        };
        let directions = [
            direction(&mut moved.couplings),
            direction(&mut moved.bias),
            direction(moved.drive.as_mut_slice()),
        ];
        let (here, there) = (
            problem.pass(Mode::TeacherForced),
            moved.pass(Mode::TeacherForced),
        );
        assert_eq!(here.spikes, there.spikes);

        let mut adjoints = problem.zero_adjoints(Mode::TeacherForced);
        let layout = &problem.recorded.layout;
        let mut forward = 0.0;
        for k in 0..layout.trials() {
            for t in first_bin..layout.bins(k) {
                for i in 0..observed {
                    let c = numbers.between(-1.0, 1.0);
                    adjoints.potential.row_mut(k, t)[i] = c;
                    forward += c * (there.potential.row(k, t)[i] - here.potential.row(k, t)[i]);
                }
            }
        }
        let gradient = problem.pull_back(
            Mode::TeacherForced,
            &here,
            SpikeGradient::None,
            &mut adjoints,
        );
        let gradients = [
            gradient.couplings.to_vec(),
            gradient.bias,
            gradient.drive.to_vec(),
        ];
        let products = gradients.iter().flatten().zip(directions.iter().flatten());
        let backward: f64 = products.map(|(g, d)| g * d).sum();
        assert!(forward.abs() > 0.1, "{forward}");
        assert!(
            (forward - backward).abs() < 1e-10 * forward.abs(),
            "{forward}, {backward}"
        );
    }
}
