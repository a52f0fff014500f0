//! Symmetries of engine and losses: the names of units and conditions, the order of trials and the
//! unit of current carry no meaning.

use super::compare::{assert_same, bits, compare, measurable_shapes, outcome_bits};
use super::problem::{Batch, Numbers, Outcome, Problem, Shape};
use proptest::prelude::*;
use refire::core::{TrialArray, TrialLayout};
use refire::kernels::Real;
use refire::neuron::SpikeGradient;
use refire::sim::Mode;
use std::collections::BTreeMap;

const MODES: [Mode; 2] = [Mode::TeacherForced, Mode::FreeRunning];

/// `0..count` in a random order.
fn shuffled(count: usize, numbers: &mut Numbers) -> Vec<usize> {
    let mut keyed: Vec<(f64, usize)> = (0..count).map(|i| (numbers.uniform(), i)).collect();
    keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
    keyed.into_iter().map(|(_, i)| i).collect()
}

/// Units in another order, observed ones among themselves and hidden ones among themselves.
struct UnitOrder {
    order: Vec<usize>,
    lags: usize,
}

impl UnitOrder {
    fn draw(problem: &Problem<f64>, numbers: &mut Numbers) -> Self {
        let mut order = shuffled(problem.observed, numbers);
        let hidden = shuffled(problem.units - problem.observed, numbers);
        order.extend(hidden.into_iter().map(|i| problem.observed + i));
        Self {
            order,
            lags: problem.lags,
        }
    }

    /// Rows of all units, each in the new order.
    fn rows(&self, values: &[f64]) -> Vec<f64> {
        let rows = values.chunks(self.order.len());
        rows.flat_map(|row| self.order.iter().map(|&i| row[i]))
            .collect()
    }

    /// `[source][lag][target]`, both in the new order.
    fn couplings(&self, values: &[f64]) -> Vec<f64> {
        let block = self.lags * self.order.len();
        let source = |&i: &usize| self.rows(&values[i * block..(i + 1) * block]);
        self.order.iter().flat_map(source).collect()
    }

    /// An array of all units or of the observed ones.
    fn array<T: Copy + Default>(&self, array: &TrialArray<T>) -> TrialArray<T> {
        let mut out = TrialArray::zeros(array.trials(), array.bins(), 0, array.units());
        for k in 0..array.trials() {
            for t in 0..array.bins() {
                let row = array.row(k, t);
                for (to, &from) in out.row_mut(k, t).iter_mut().zip(&self.order) {
                    *to = row[from];
                }
            }
        }
        out
    }

    fn problem(&self, problem: &Problem<f64>) -> Problem<f64> {
        let batch = |batch: &Batch<f64>| Batch {
            layout: batch.layout.clone(),
            spikes: self.array(&batch.spikes),
            uniforms: self.array(&batch.uniforms),
        };
        Problem {
            couplings: self.couplings(&problem.couplings),
            bias: self.rows(&problem.bias),
            drive: self.array(&problem.drive),
            recorded: batch(&problem.recorded),
            simulated: batch(&problem.simulated),
            same_bin: Vec::new(),
            ..*problem
        }
    }
}

/// Trials `order[0], order[1], ...`.
fn take<T: Copy + Default>(array: &TrialArray<T>, order: &[usize]) -> TrialArray<T> {
    let values = order.iter().flat_map(|&k| array.trial(k).to_vec());
    TrialArray::from_vec(values.collect(), order.len(), array.bins(), array.units()).unwrap()
}

/// The batch with its slots in another order.
fn reorder<T: Real>(batch: &Batch<T>, order: &[usize]) -> Batch<T> {
    let (conditions, lengths) = (batch.conditions(), batch.lengths());
    let layout = TrialLayout::new(
        order.iter().map(|&k| conditions[k]).collect(),
        order.iter().map(|&k| lengths[k]).collect(),
        batch.layout.first_bin(),
    );
    Batch {
        layout: layout.unwrap(),
        spikes: take(&batch.spikes, order),
        uniforms: take(&batch.uniforms, order),
    }
}

/// Parts to which a term deals the simulated trials of a condition in turn.
fn parts_of(term: &str) -> usize {
    match term {
        "PSTH" | "noise covariance in 2 parts" => 2,
        "noise covariance in 3 parts" => 3,
        _ => 1,
    }
}

/// A random order of the slots in which every trial stays in its part, of `parts` to which the
/// trials of each condition are dealt in turn.
fn order_within_parts(layout: &TrialLayout, parts: usize, numbers: &mut Numbers) -> Vec<usize> {
    let mut part = vec![0; layout.trials()];
    for group in layout.groups() {
        let places = group.slots.iter().enumerate();
        places.for_each(|(place, &slot)| part[slot] = place % parts);
    }
    let mut waiting = BTreeMap::<_, Vec<usize>>::new();
    for slot in shuffled(layout.trials(), numbers) {
        let own = (layout.condition(slot), part[slot]);
        waiting.entry(own).or_default().push(slot);
    }
    let mut placed = BTreeMap::<usize, usize>::new();
    let conditions = shuffled(layout.trials(), numbers).into_iter();
    conditions
        .map(|slot| {
            let condition = layout.condition(slot);
            let place = placed.entry(condition).or_default();
            *place += 1;
            let part = (*place - 1) % parts;
            waiting.get_mut(&(condition, part)).unwrap().pop().unwrap()
        })
        .collect()
}

/// The batch with condition `c` named `label(c)`.
fn relabel<T: Real>(batch: &Batch<T>, label: impl Fn(usize) -> usize) -> Batch<T> {
    let labels = batch.conditions().into_iter().map(label).collect();
    let layout = TrialLayout::new(labels, batch.lengths(), batch.layout.first_bin());
    Batch {
        layout: layout.unwrap(),
        ..batch.clone()
    }
}

// Deterministic properties of any problem: what is compared are sums of the same numbers in another
// order, nothing is estimated, so that no seed gives a false alarm.
proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn units_can_be_renamed(shape in measurable_shapes(1..=4), seed: u64) {
        // Same-bin couplings go by the order of the units.
        let problem = Problem::<f64>::draw(&Shape { same_bin: false, ..shape });
        let order = UnitOrder::draw(&problem, &mut Numbers::new(seed));
        let renamed = order.problem(&problem);
        for mode in MODES {
            prop_assert_eq!(renamed.pass(mode).spikes, order.array(&problem.pass(mode).spikes));
        }
        compare(&renamed, &problem, |_| true, |name, found, original| {
            let expected = Outcome {
                value: original.value,
                couplings: order.couplings(&original.couplings),
                same_bin: Vec::new(),
                bias: order.rows(&original.bias),
                drive: order.rows(&original.drive),
            };
            assert_same(name, &found, &expected);
        });
    }

    /// Recorded trials in any order. Simulated ones too where a term takes all of a condition
    /// together; where it deals them to parts, in any order that leaves each in its part.
    #[test]
    fn trials_can_come_in_another_order(shape in measurable_shapes(1..=4), seed: u64) {
        let problem = Problem::<f64>::draw(&shape);
        let mut numbers = Numbers::new(seed);
        for parts in 1..=3 {
            let orders = [
                order_within_parts(&problem.recorded.layout, 1, &mut numbers),
                order_within_parts(&problem.simulated.layout, parts, &mut numbers),
            ];
            let reordered = Problem {
                recorded: reorder(&problem.recorded, &orders[0]),
                simulated: reorder(&problem.simulated, &orders[1]),
                ..problem.clone()
            };
            for (mode, order) in MODES.into_iter().zip(&orders) {
                let spikes = take(&problem.pass(mode).spikes, order);
                prop_assert_eq!(reordered.pass(mode).spikes, spikes);
            }
            let dealt = |name: &str| parts_of(name) == parts;
            compare(&reordered, &problem, dealt, |name, found, original| {
                assert_same(name, &found, &original);
            });
        }
    }

    /// Labels may change places and leave gaps; the drive goes along.
    #[test]
    fn conditions_can_be_renamed(shape in measurable_shapes(1..=4), gaps in 0usize..4, seed: u64) {
        let problem = Problem::<f64>::draw(&shape);
        let mut numbers = Numbers::new(seed);
        let conditions = problem.drive.trials();
        let labels = shuffled(conditions + gaps, &mut numbers);
        let (bins, units) = (problem.drive.bins(), problem.units);
        let spread = |drive: &[f64], mut out: TrialArray<f64>| {
            for (row, &label) in drive.chunks(bins * units).zip(&labels) {
                out.trial_mut(label).copy_from_slice(row);
            }
            out
        };
        let shape = [conditions + gaps, bins, units];
        let other = numbers.array(shape, -0.4, 0.5);
        let renamed = Problem {
            recorded: relabel(&problem.recorded, |c| labels[c]),
            simulated: relabel(&problem.simulated, |c| labels[c]),
            drive: spread(&problem.drive.to_vec(), other),
            ..problem.clone()
        };
        for mode in MODES {
            prop_assert_eq!(bits(&renamed.pass(mode)), bits(&problem.pass(mode)));
        }
        compare(&renamed, &problem, |_| true, |name, found, original| {
            let none = TrialArray::zeros(conditions + gaps, bins, 0, units);
            let drive = spread(&original.drive, none).to_vec();
            assert_same(name, &found, &Outcome { drive, ..original });
        });
    }

    /// Twice the threshold and twice all currents: the same potentials and values, half the
    /// gradients, all bit for bit, since a factor of two is exact.
    #[test]
    fn the_unit_of_current_does_not_matter(shape in measurable_shapes(1..=4)) {
        let problem = Problem::<f64>::draw(&shape);
        let times = |factor: f64, values: &[f64]| -> Vec<f64> {
            values.iter().map(|x| factor * x).collect()
        };
        let mut doubled = problem.clone();
        doubled.theta = 2.0 * problem.theta;
        doubled.couplings = times(2.0, &problem.couplings);
        doubled.same_bin = times(2.0, &problem.same_bin);
        doubled.bias = times(2.0, &problem.bias);
        doubled.drive.as_mut_slice().iter_mut().for_each(|x| *x *= 2.0);
        for mode in MODES {
            prop_assert_eq!(bits(&doubled.pass(mode)), bits(&problem.pass(mode)));
        }
        compare(&doubled, &problem, |_| true, |name, found, original| {
            let expected = Outcome {
                value: original.value,
                couplings: times(0.5, &original.couplings),
                same_bin: times(0.5, &original.same_bin),
                bias: times(0.5, &original.bias),
                drive: times(0.5, &original.drive),
            };
            assert_eq!(outcome_bits(&found), outcome_bits(&expected), "{name}");
        });
    }

    /// Two conditions with the same drive are one to every term that knows no conditions.
    #[test]
    fn conditions_of_the_same_drive_can_be_merged(
        shape in measurable_shapes(2..=4),
        seed: u64,
    ) {
        let mut problem = Problem::<f64>::draw(&shape);
        let pair = shuffled(problem.drive.trials(), &mut Numbers::new(seed));
        let (kept, gone) = (pair[0], pair[1]);
        let drive = problem.drive.trial(kept).to_vec();
        problem.drive.trial_mut(gone).copy_from_slice(&drive);
        let label = |c| if c == gone { kept } else { c };
        let merged = Problem {
            recorded: relabel(&problem.recorded, label),
            simulated: relabel(&problem.simulated, label),
            ..problem.clone()
        };
        for mode in MODES {
            prop_assert_eq!(bits(&merged.pass(mode)), bits(&problem.pass(mode)));
        }
        let no_conditions = |name: &str| name == "likelihood" || name.ends_with("hidden rate");
        compare(&merged, &problem, no_conditions, |name, found, mut original| {
            let row = drive.len();
            let moved = original.drive[gone * row..][..row].to_vec();
            original.drive[gone * row..][..row].fill(0.0);
            let sums = original.drive[kept * row..][..row].iter_mut();
            sums.zip(moved).for_each(|(sum, moved)| *sum += moved);
            assert_same(name, &found, &original);
        });
    }
}

/// Why the order of trials is not free for terms with parts: a trial that changes its part changes
/// them, and no other term.
#[test]
fn dealing_a_trial_to_another_part_changes_terms_with_parts_alone() {
    let problem = Problem::<f64>::draw(&Shape {
        observed: 4,
        hidden: 1,
        lags: 2,
        statistic_lags: 3,
        first_bin: 1,
        trials: vec![(8, 5), (7, 4)],
        window: 9,
        ragged: true,
        gain: 2.0,
        same_bin: true,
        seed: 6,
    });
    let slots = &problem.simulated.layout.groups()[0].slots;
    let mut order: Vec<usize> = (0..problem.simulated.layout.trials()).collect();
    order.swap(slots[0], slots[1]);
    let dealt = Problem {
        simulated: reorder(&problem.simulated, &order),
        ..problem.clone()
    };
    for ((name, mut here), (_, mut there)) in dealt.terms().into_iter().zip(problem.terms()) {
        let found = dealt.evaluate(here.as_mut(), SpikeGradient::Escape);
        let original = problem.evaluate(there.as_mut(), SpikeGradient::Escape);
        let (found, original) = (found.unwrap(), original.unwrap());
        if parts_of(name) == 1 {
            assert_same(name, &found, &original);
        } else {
            let change = (found.value - original.value).abs();
            assert!(change > 1e-3 * original.value.abs(), "{name}: {change}");
        }
    }
}
