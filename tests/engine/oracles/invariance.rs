//! What must not change a result: padding, what lies in it, what fills up rows, threads.

use super::compare::{
    assert_same, bits, compare, enlarge, enlarge_drive, measurable_shapes, outcome_bits,
};
use super::problem::{Batch, Outcome, Problem, Shape};
use proptest::prelude::*;
use refire::core::{TrialArray, TrialLayout};
use refire::neuron::SpikeGradient;
use refire::sim::Mode;

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
        same_bin: true,
        seed: 42,
    }
}

/// Fills what no pass and no term may read: spikes given behind the end of a trial (of a free-running
/// one, behind its history), uniforms behind it, drive behind the longest trial of a condition.
fn spoil(problem: &mut Problem<f64>, more: usize) {
    let mut ends = vec![0; problem.drive.trials()];
    for (batch, free) in [
        (&mut problem.recorded, false),
        (&mut problem.simulated, true),
    ] {
        let layout = &batch.layout;
        let bins = layout.max_bins() + more;
        batch.spikes = enlarge(&batch.spikes, layout.trials(), bins, 1);
        batch.uniforms = enlarge(&batch.uniforms, layout.trials(), bins, 0.0);
        for k in 0..layout.trials() {
            let end = layout.bins(k);
            let given = if free { layout.first_bin() } else { end };
            (given..bins).for_each(|t| batch.spikes.row_mut(k, t).fill(1));
            (end..bins).for_each(|t| batch.uniforms.row_mut(k, t).fill(0.0)); // would always fire
            ends[layout.condition(k)] = end.max(ends[layout.condition(k)]);
        }
    }
    let bins = problem.drive.bins() + more;
    problem.drive = enlarge(&problem.drive, ends.len(), bins, f64::NAN);
    for (c, end) in ends.into_iter().enumerate() {
        (end..bins).for_each(|t| problem.drive.row_mut(c, t).fill(f64::NAN));
    }
}

// Deterministic properties of any problem: nothing is estimated, so that no seed gives a false alarm.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Padding, in the middle of a batch of unequal trials or behind all of them, is never read.
    #[test]
    fn what_lies_in_the_padding_changes_no_bit(
        shape in measurable_shapes(1..=4),
        more in 1usize..4,
    ) {
        let problem = Problem::<f64>::draw(&shape);
        let mut spoilt = problem.clone();
        spoil(&mut spoilt, more);
        for mode in [Mode::TeacherForced, Mode::FreeRunning] {
            prop_assert_eq!(bits(&problem.pass(mode)), bits(&spoilt.pass(mode)));
        }
        let (conditions, bins) = (spoilt.drive.trials(), spoilt.drive.bins());
        compare(&spoilt, &problem, |_| true, |name, found, original| {
            let drive = enlarge_drive(original.drive, &problem, conditions, bins);
            let expected = Outcome { drive, ..original };
            assert_eq!(outcome_bits(&found), outcome_bits(&expected), "{name}");
        });
    }

    /// A longer trial of a condition that the recording lacks pads every other trial, and the
    /// corrected terms leave it out. The others do not: it has a share in their averages, and the
    /// published noise covariance is circular over the longest trial. Only to rounding, since one
    /// trial more may be swept in other blocks.
    #[test]
    fn padding_every_trial_changes_nothing(shape in measurable_shapes(1..=4), more in 1usize..8) {
        let lacking = shape.trials.len();
        let trials = shape.trials.iter().copied().chain([(0, 0)]).collect();
        let problem = Problem::<f64>::draw(&Shape { trials, ..shape });
        let simulated = &problem.simulated;
        let (trials, bins) = (simulated.layout.trials(), simulated.layout.max_bins());
        let longer = problem.drive.bins() + more;
        let extend = |list: Vec<usize>, last| list.into_iter().chain([last]).collect::<Vec<_>>();
        let conditions = extend(simulated.conditions(), lacking);
        let lengths = extend(simulated.lengths(), longer);
        let first_bin = simulated.layout.first_bin();
        let mut padded = problem.clone();
        padded.simulated = Batch {
            layout: TrialLayout::new(conditions, lengths, first_bin).unwrap(),
            spikes: enlarge(&simulated.spikes, trials + 1, longer, 0),
            uniforms: enlarge(&simulated.uniforms, trials + 1, longer, 0.4),
        };
        padded.drive = enlarge(&problem.drive, lacking + 1, longer, 0.3);

        let pass = |problem: &Problem<f64>| problem.pass(Mode::FreeRunning);
        let (short, long) = (pass(&problem), pass(&padded));
        for k in 0..trials {
            for t in 0..bins {
                prop_assert_eq!(short.spikes.row(k, t), long.spikes.row(k, t));
                prop_assert_eq!(short.potential.row(k, t), long.potential.row(k, t));
            }
        }
        let corrected = |name: &str| name == "PSTH" || name.starts_with("noise covariance");
        compare(&padded, &problem, corrected, |name, found, original| {
            let drive = enlarge_drive(original.drive, &problem, lacking + 1, longer);
            assert_same(name, &found, &Outcome { drive, ..original });
        });
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
    filled.same_bin = fill(&problem.same_bin, 0.0);
    filled.same_bin.resize(units * units, 0.0);
    filled.bias = fill(&problem.bias, 5.0);
    filled.drive = array(&problem.drive, 0.5);
    for batch in [&mut filled.recorded, &mut filled.simulated] {
        batch.uniforms = array(&batch.uniforms, 0.0); // would always fire
    }
    let strip = |values: &[f64], rows: usize| -> Vec<f64> {
        let rows = values.chunks(units).take(rows);
        rows.flat_map(|row| row[..live].iter().copied()).collect()
    };
    compare(
        &filled,
        &problem,
        |_| true,
        |name, found, expected| {
            let filling = &found.couplings[live * lags * units..];
            assert_eq!(filling, vec![0.0; more * lags * units]);
            let found = Outcome {
                value: found.value,
                couplings: strip(&found.couplings, live * lags),
                same_bin: strip(&found.same_bin, live),
                bias: strip(&found.bias, 1),
                drive: strip(&found.drive, usize::MAX),
            };
            assert_same(name, &found, &expected);
        },
    );
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
            let passes =
                [Mode::TeacherForced, Mode::FreeRunning].map(|mode| bits(&problem.pass(mode)));
            let mut outcomes = vec![];
            for spike_gradient in [
                SpikeGradient::Escape,
                SpikeGradient::Triangle,
                SpikeGradient::ReinMax,
            ] {
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
