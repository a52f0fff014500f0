//! Networks of sparse and of low-rank couplings against the dense network of the same couplings: losses,
//! and gradients by the chain rule.

use refire::core::{RecordedTrials, TrialArray, TrialLayout};
use refire::drive::NoDrive;
use refire::engine::{Batch, NetworkShape, Parameters, Streams, Wiring};
use refire::fit::{Evaluator, Facts, Form, ObjectiveKind, Specification, Steps, Terms};
use refire::neuron::SpikeGradient;
use refire::sim::{Connectivity, UnitOrder};
use std::sync::Arc;

const OBSERVED: usize = 3;
const HIDDEN: usize = 2;
const UNITS: usize = OBSERVED + HIDDEN;
const LAGS: usize = 3;
const BINS: usize = 17;
const RANK: usize = 2;
const ORDER: UnitOrder = UnitOrder {
    observed: OBSERVED,
    live: UNITS,
};

/// `[source][target]`: a unit without targets, one with all, one that only reaches itself.
const MASK: [bool; UNITS * UNITS] = {
    const O: bool = false;
    const X: bool = true;
    [
        O, O, O, O, O, //
        X, X, X, X, X, //
        O, O, X, O, O, //
        X, O, O, X, X, //
        O, X, X, O, X,
    ]
};

fn wave(at: usize) -> f64 {
    0.45 * (1.7 * at as f64 + 0.3).sin()
}

fn batch() -> Batch {
    let lengths = vec![BINS, 11, BINS, 14, 16, 12];
    let layout = TrialLayout::new(vec![0, 1, 0, 1, 0, 1], lengths, 0).unwrap();
    let mut recorded = TrialArray::<u8>::zeros(6, BINS, 0, OBSERVED);
    for (at, z) in recorded.as_mut_slice().iter_mut().enumerate() {
        *z = u8::from(at % 7 < 3);
    }
    Batch::new(RecordedTrials::new(recorded, layout.clone()), layout)
}

fn spec(form: Form, spike_gradient: SpikeGradient) -> Specification {
    let adam = Steps {
        spike_gradient,
        ..Steps::default()
    };
    let kind = ObjectiveKind::MleAndSampleAndMeasure;
    let mut spec = Specification::with_form(Facts::default(), kind, form).with_adam(adam);
    spec.network.lags = LAGS;
    spec.network.hidden = HIDDEN;
    spec.network.same_bin = true;
    spec
}

/// Value of every term, and the gradient of couplings and biases.
fn evaluate(
    spec: &Specification,
    wiring: Wiring,
    couplings: &[f64],
    same_bin: &[f64],
) -> (Vec<f64>, Parameters<f64>) {
    let batch = batch();
    let terms = Terms::new(spec, batch.recorded.view());
    assert!(terms.left_out.is_empty() && terms.terms.len() == 4);
    let drive = Box::new(NoDrive::new(2, BINS, UNITS));
    let shape = NetworkShape {
        observed: OBSERVED,
        hidden: HIDDEN,
        lags: LAGS,
        same_bin: Some(wiring.same_bin(ORDER)),
        wiring,
        theta: 0.4,
    };
    let mut engine = Evaluator::new(spec, shape, drive, terms);
    let parameters = Parameters {
        couplings: couplings.to_vec(),
        bias: (0..UNITS).map(|at| 0.3 + 0.2 * wave(at)).collect(),
        drive: Vec::new(),
        same_bin: same_bin.to_vec(),
    };
    let streams = Streams::new(5, 2);
    let mut gradient = Parameters::default();
    let found = engine
        .evaluate(&parameters, &batch, streams, Some(&mut gradient))
        .unwrap();
    (found.terms, gradient)
}

fn assert_near(what: &str, found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let largest = expected.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    assert!(largest > 1e-4, "{what}: nothing to compare");
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let off = (found - expected).abs();
        assert!(off < 1e-11 * largest, "{what} {at}: {found} for {expected}");
    }
}

/// Every kind of spike gradient with the corrected terms, and the published ones with theirs.
fn all_specs() -> Vec<(String, Specification)> {
    let corrected = [
        SpikeGradient::Damped(0.5),
        SpikeGradient::ReinMax,
        SpikeGradient::Score,
        SpikeGradient::None,
    ];
    let corrected = corrected.map(|spike| (Form::Corrected, spike));
    let all = corrected.into_iter();
    let all = all.chain([(Form::Published, SpikeGradient::Triangle)]);
    all.map(|(form, spike)| (format!("{form:?} {spike:?}"), spec(form, spike)))
        .collect()
}

#[test]
fn sparse_networks_are_dense_ones_without_the_other_synapses() {
    let synapses = Arc::new(Connectivity::from_mask(&MASK, UNITS).unwrap());
    for (name, spec) in all_specs() {
        // Where each number of the sparse couplings lies among the dense ones.
        let mut places = Vec::new();
        for source in 0..UNITS {
            for lag in 0..LAGS {
                let targets = synapses.targets_of(source).iter();
                places.extend(targets.map(|&j| (source * LAGS + lag) * UNITS + j as usize));
            }
        }
        let own: Vec<f64> = (0..places.len()).map(wave).collect();
        let mut all = vec![0.0; UNITS * LAGS * UNITS];
        places.iter().zip(&own).for_each(|(&at, &w)| all[at] = w);
        let within_places: Vec<usize> = (0..UNITS * UNITS)
            .filter(|at| MASK[*at] && ORDER.is_before(at / UNITS, at % UNITS))
            .collect();
        let within: Vec<f64> = (0..within_places.len()).map(|at| wave(at + 9)).collect();
        let mut all_within = vec![0.0; UNITS * UNITS];
        (within_places.iter().zip(&within)).for_each(|(&at, &w)| all_within[at] = w);
        let (expected, whole) = evaluate(&spec, Wiring::Dense, &all, &all_within);
        let wiring = Wiring::Sparse(synapses.clone());
        let (found, gradient) = evaluate(&spec, wiring, &own, &within);
        let picked: Vec<f64> = (within_places.iter())
            .map(|&at| whole.same_bin[at])
            .collect();
        assert_near(&format!("{name} same bin"), &gradient.same_bin, &picked);
        assert_near(&format!("{name} terms"), &found, &expected);
        assert_near(&format!("{name} bias"), &gradient.bias, &whole.bias);
        let picked: Vec<f64> = places.iter().map(|&at| whole.couplings[at]).collect();
        let name = format!("{name} couplings");
        assert_near(&name, &gradient.couplings, &picked);
    }
}

/// `W[i,b] = sum_r L[i,r] R[r,b]`: `dL[i,r] = sum_b dW[i,b] R[r,b]`, `dR[r,b] = sum_i L[i,r] dW[i,b]`.
#[test]
fn low_rank_networks_are_dense_ones_of_their_products() {
    const BLOCK: usize = LAGS * UNITS;
    for (name, spec) in all_specs() {
        let own: Vec<f64> = (0..UNITS * RANK + RANK * BLOCK).map(wave).collect();
        let (left, right) = own.split_at(UNITS * RANK);
        let mut all = vec![0.0; UNITS * BLOCK];
        for (at, w) in all.iter_mut().enumerate() {
            let (i, b) = (at / BLOCK, at % BLOCK);
            *w = (0..RANK)
                .map(|r| left[i * RANK + r] * right[r * BLOCK + b])
                .sum();
        }
        let mut within: Vec<f64> = (0..UNITS * UNITS).map(wave).collect();
        ORDER.clear_others(&mut within, UNITS);
        let (expected, whole) = evaluate(&spec, Wiring::Dense, &all, &within);
        let (found, gradient) = evaluate(&spec, Wiring::LowRank(RANK), &own, &within);
        let name_within = format!("{name} same bin");
        assert_near(&name_within, &gradient.same_bin, &whole.same_bin);
        let mut pulled = vec![0.0; own.len()];
        let (d_left, d_right) = pulled.split_at_mut(UNITS * RANK);
        for (at, &w) in whole.couplings.iter().enumerate() {
            let (i, b) = (at / BLOCK, at % BLOCK);
            for r in 0..RANK {
                d_left[i * RANK + r] += w * right[r * BLOCK + b];
                d_right[r * BLOCK + b] += w * left[i * RANK + r];
            }
        }
        assert_near(&format!("{name} terms"), &found, &expected);
        assert_near(&format!("{name} bias"), &gradient.bias, &whole.bias);
        assert_near(&format!("{name} factors"), &gradient.couplings, &pulled);
    }
}
