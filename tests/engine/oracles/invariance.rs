//! What must not change a result: padding, what lies in it, the names of units, threads.

use super::problem::{Batch, Outcome, Problem, Shape, close};
use refire::core::{TrialArray, TrialLayout};
use refire::kernels::Real;
use refire::loss::{LossTerm, NoiseCovariance, Psth};
use refire::neuron::{Logistic, SpikeGradient};
use refire::sim::{Mode, Trajectory};
use std::sync::Arc;

const TOLERANCE: f64 = 1e-11;

fn shape() -> Shape {
    Shape {
        observed: 5,
        hidden: 2,
        lags: 3,
        statistic_lags: 4,
        first_bin: 2,
        trials: vec![(9, 5), (6, 4), (0, 0)],
        window: 12,
        ragged: true,
        gain: 2.0,
        seed: 42,
    }
}

fn bits<T: Real>(trajectory: &Trajectory<T>) -> (Vec<u64>, Vec<u8>) {
    let numbers = [&trajectory.potential, &trajectory.probability];
    let numbers = numbers
        .iter()
        .flat_map(|a| a.to_vec())
        .map(|x| x.f64().to_bits())
        .collect();
    (numbers, trajectory.spikes.to_vec())
}

fn outcome_bits<T: Real>(outcome: &Outcome<T>) -> Vec<u64> {
    let gradients = [&outcome.couplings, &outcome.bias, &outcome.drive];
    let gradients = gradients.into_iter().flatten().map(|x| x.f64().to_bits());
    std::iter::once(outcome.value.to_bits())
        .chain(gradients)
        .collect()
}

fn assert_same(what: &str, found: &Outcome<f64>, expected: &Outcome<f64>) {
    let pairs = [
        (&vec![found.value], &vec![expected.value]),
        (&found.couplings, &expected.couplings),
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

/// Every term has a value, so that nothing is compared with nothing.
fn all_terms(problem: &Problem<f64>) -> Vec<(&'static str, Outcome<f64>)> {
    let evaluate = |(name, mut term): (_, Box<dyn LossTerm<f64>>)| {
        (
            name,
            problem
                .evaluate(term.as_mut(), SpikeGradient::Escape)
                .unwrap(),
        )
    };
    problem.terms().into_iter().map(evaluate).collect()
}

/// Recorded spikes, uniforms and drive behind the end of a trial are never read.
#[test]
fn what_lies_in_the_padding_changes_nothing() {
    let problem = Problem::<f64>::draw(&shape());
    let mut other = problem.clone();
    for batch in [&mut other.recorded, &mut other.simulated] {
        let mut padding = 0;
        for k in 0..batch.layout.trials() {
            for t in batch.layout.bins(k)..batch.layout.max_bins() {
                batch.spikes.row_mut(k, t).fill(1);
                batch.uniforms.row_mut(k, t).fill(0.0); // every unit would fire
                padding += 1;
            }
        }
        assert!(padding > 0);
    }
    for mode in [Mode::Clamped, Mode::FreeRunning] {
        assert_eq!(bits(&problem.pass(mode)), bits(&other.pass(mode)));
    }
    for ((name, here), (_, there)) in all_terms(&problem).iter().zip(&all_terms(&other)) {
        assert_eq!(outcome_bits(here), outcome_bits(there), "{name}");
    }
}

/// A longer trial of a condition that the recording lacks pads every other trial, and the corrected
/// terms leave it out.
#[test]
fn padding_every_trial_changes_nothing() {
    let problem = Problem::<f64>::draw(&shape());
    let layout = &problem.simulated.layout;
    let (trials, bins) = (layout.trials(), layout.max_bins());
    let longer = bins + 7;
    let extend = |list: Vec<usize>, last| list.into_iter().chain([last]).collect::<Vec<_>>();
    let condition = extend((0..trials).map(|k| layout.condition(k)).collect(), 2);
    let lengths = extend((0..trials).map(|k| layout.bins(k)).collect(), longer);
    let mut padded = problem.clone();
    padded.simulated = Batch {
        layout: TrialLayout::new(condition, lengths, layout.first_bin()).unwrap(),
        spikes: enlarge(&problem.simulated.spikes, trials + 1, longer, 0),
        uniforms: enlarge(&problem.simulated.uniforms, trials + 1, longer, 0.4),
    };
    padded.drive = enlarge(&problem.drive, problem.drive.trials(), longer, 0.3);

    let (short, long) = (
        problem.pass(Mode::FreeRunning),
        padded.pass(Mode::FreeRunning),
    );
    for k in 0..trials {
        for t in 0..bins {
            assert_eq!(short.spikes.row(k, t), long.spikes.row(k, t));
            assert_eq!(short.potential.row(k, t), long.potential.row(k, t));
        }
    }
    let data = Arc::new(problem.statistics());
    let mut terms: Vec<Box<dyn LossTerm<f64>>> = vec![Box::new(Psth::new(Logistic, data.clone()))];
    for parts in 1..=3 {
        terms.push(Box::new(NoiseCovariance::new(
            Logistic,
            data.clone(),
            parts,
        )));
    }
    for term in &mut terms {
        let expected = problem
            .evaluate(term.as_mut(), SpikeGradient::Escape)
            .unwrap();
        let mut found = padded
            .evaluate(term.as_mut(), SpikeGradient::Escape)
            .unwrap();
        let drive =
            TrialArray::from_vec(found.drive, problem.drive.trials(), longer, problem.units);
        let drive = drive.unwrap();
        let old =
            (0..drive.trials()).flat_map(|c| drive.block(c, 0, problem.drive.bins()).to_vec());
        found.drive = old.collect();
        assert_same(term.name(), &found, &expected);
    }
}

fn enlarge<T: Copy + Default>(
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

/// Takes units in another order, observed ones among themselves and hidden ones among themselves.
#[test]
fn units_can_be_renamed() {
    let problem = Problem::<f64>::draw(&shape());
    let order = [3, 0, 4, 2, 1, 6, 5];
    let (units, lags) = (problem.units, problem.lags);
    let rows = |values: &[f64], width: usize| -> Vec<f64> {
        values
            .chunks(width)
            .flat_map(|row| order[..width].iter().map(|&i| row[i]))
            .collect()
    };
    let couplings = |values: &[f64]| -> Vec<f64> {
        let source = |&i: &usize| rows(&values[i * lags * units..(i + 1) * lags * units], units);
        order.iter().flat_map(source).collect()
    };
    let mut renamed = problem.clone();
    renamed.couplings = couplings(&problem.couplings);
    renamed.bias = rows(&problem.bias, units);
    renamed.drive = rename(&problem.drive, &order);
    for (to, from) in [
        (&mut renamed.recorded, &problem.recorded),
        (&mut renamed.simulated, &problem.simulated),
    ] {
        to.spikes = rename(&from.spikes, &order[..problem.observed]);
        to.uniforms = rename(&from.uniforms, &order);
    }
    for mode in [Mode::Clamped, Mode::FreeRunning] {
        let (spikes, found) = (problem.pass(mode).spikes, renamed.pass(mode).spikes);
        assert_ne!(spikes, found);
        assert_eq!(rename(&spikes, &order), found);
    }
    let named = all_terms(&problem);
    for ((name, found), (_, original)) in all_terms(&renamed).iter().zip(named) {
        let expected = Outcome {
            value: original.value,
            couplings: couplings(&original.couplings),
            bias: rows(&original.bias, units),
            drive: rows(&original.drive, units),
        };
        assert_same(name, found, &expected);
    }
}

/// Rows filled up with anything at all: units that are not live neither fire nor learn.
#[test]
fn what_fills_up_rows_changes_nothing() {
    let problem = Problem::<f64>::draw(&shape());
    let (live, lags, more) = (problem.units, problem.lags, 4);
    let units = live + more;
    let fill = |values: &[f64], filling: f64| -> Vec<f64> {
        values
            .chunks(live)
            .flat_map(|row| row.iter().copied().chain([filling; 4]))
            .collect()
    };
    let array = |array: &TrialArray<f64>, filling: f64| {
        let values = fill(&array.to_vec(), filling);
        TrialArray::from_vec(values, array.trials(), array.bins(), units).unwrap()
    };
    let mut filled = problem.clone();
    filled.units = units;
    filled.couplings = fill(&problem.couplings, 3.0);
    filled.couplings.resize(units * lags * units, -2.0);
    filled.bias = fill(&problem.bias, 5.0);
    filled.drive = array(&problem.drive, 0.5);
    for batch in [&mut filled.recorded, &mut filled.simulated] {
        batch.uniforms = array(&batch.uniforms, 0.0); // would always fire
    }
    let strip = |values: &[f64], rows: usize| -> Vec<f64> {
        let rows = values.chunks(units).take(rows);
        rows.flat_map(|row| row[..live].iter().copied()).collect()
    };
    for spike_gradient in [
        SpikeGradient::Escape,
        SpikeGradient::Triangle,
        SpikeGradient::None,
    ] {
        for ((name, mut term), (_, mut original)) in filled.terms().into_iter().zip(problem.terms())
        {
            let found = filled.evaluate(term.as_mut(), spike_gradient).unwrap();
            let expected = problem.evaluate(original.as_mut(), spike_gradient).unwrap();
            assert_eq!(
                found.couplings[live * lags * units..],
                vec![0.0; more * lags * units]
            );
            let found = Outcome {
                value: found.value,
                couplings: strip(&found.couplings, live * lags),
                bias: strip(&found.bias, 1),
                drive: strip(&found.drive, usize::MAX),
            };
            assert_same(name, &found, &expected);
        }
    }
}

fn rename<T: Copy + Default>(array: &TrialArray<T>, order: &[usize]) -> TrialArray<T> {
    let mut out = TrialArray::zeros(array.trials(), array.bins(), 0, array.units());
    for k in 0..array.trials() {
        for t in 0..array.bins() {
            let row = array.row(k, t);
            for (to, &from) in out.row_mut(k, t).iter_mut().zip(order) {
                *to = row[from];
            }
        }
    }
    out
}

#[test]
fn threads_change_no_bit() {
    let problem = Problem::<f32>::draw(&Shape {
        observed: 30,
        hidden: 9,
        trials: vec![(12, 7), (9, 8), (11, 6)],
        window: 40,
        ..shape()
    });
    let with_threads = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            assert_eq!(rayon::current_num_threads(), threads);
            let passes = [Mode::Clamped, Mode::FreeRunning].map(|mode| bits(&problem.pass(mode)));
            let mut outcomes = vec![];
            for spike_gradient in [SpikeGradient::Escape, SpikeGradient::Triangle] {
                for (name, mut term) in problem.terms() {
                    let outcome = problem.evaluate(term.as_mut(), spike_gradient).unwrap();
                    assert!(outcome.couplings.iter().any(|&g| g != 0.0), "{name}");
                    outcomes.push(outcome_bits(&outcome));
                }
            }
            (passes, outcomes)
        })
    };
    let one = with_threads(1);
    for threads in [2, 5] {
        let more = with_threads(threads);
        assert!(one == more, "{threads} threads differ from one");
    }
}
