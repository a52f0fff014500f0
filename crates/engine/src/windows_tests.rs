//! An evaluation that keeps the state of a pass at every S-th bin only, against one that keeps every bin.

use crate::{
    Batch, Engine, EngineError, EngineOptions, LossTerm, NetworkShape, Parameters, Streams,
    WeightedTerm, Wiring,
};
use refire_core::{RecordedTrials, TrialArray, TrialLayout};
use refire_drive::NoDrive;
use refire_loss::{
    DataStatistics, HiddenRate, Likelihood, NoiseCovariance, PairSample, Psth,
    SampledNoiseCovariance,
};
use refire_neuron::{Logistic, SpikeGradient};
use refire_published::PublishedHiddenRate;
use refire_random::{Purpose, Stream};
use std::sync::Arc;

/// Of sums taken window by window.
const TOLERANCE: f64 = 1e-12;

const BINS: usize = 13;
const LAGS: usize = 3;
const OBSERVED: usize = 3;
const UNITS: usize = OBSERVED + 2;

/// Conditions and lengths: the second condition has one recorded trial, the third one free-running trial
/// (nothing for halves), and trials end at different times.
const RECORDED: [(usize, usize); 8] = [
    (0, 13),
    (0, 9),
    (1, 12),
    (0, 11),
    (3, 13),
    (2, 8),
    (3, 5),
    (2, 12),
];
const SIMULATED: [(usize, usize); 15] = [
    (3, 12),
    (0, 13),
    (0, 4),
    (1, 13),
    (0, 9),
    (3, 13),
    (0, 13),
    (1, 10),
    (2, 7),
    (3, 6),
    (0, 7),
    (3, 5),
    (0, 12),
    (3, 11),
    (3, 4),
];
const CONDITIONS: usize = 4;

fn batch(recorded: &[(usize, usize)], simulated: &[(usize, usize)], first_bin: usize) -> Batch {
    let layout = |trials: &[(usize, usize)]| {
        let (conditions, lengths) = trials.iter().copied().unzip();
        TrialLayout::new(conditions, lengths, first_bin).unwrap()
    };
    let (layout, free_layout) = (layout(recorded), layout(simulated));
    let mut spikes = TrialArray::<u8>::zeros(layout.trials(), layout.max_bins(), 0, OBSERVED);
    for (at, z) in spikes.as_mut_slice().iter_mut().enumerate() {
        *z = u8::from(at * at % 7 < 3 && at % 5 < 3);
    }
    Batch {
        histories: TrialArray::zeros(free_layout.trials(), first_bin, 0, OBSERVED),
        ..Batch::new(RecordedTrials::new(spikes, layout), free_layout)
    }
}

/// Values without and with a gradient, and the gradient, of three observed and two hidden units.
fn evaluate(
    window: Option<usize>,
    batch: &Batch,
    terms: Vec<Box<dyn LossTerm<f64>>>,
) -> Result<([Vec<f64>; 2], Vec<f64>), EngineError> {
    let shape = NetworkShape {
        observed: OBSERVED,
        hidden: UNITS - OBSERVED,
        lags: LAGS,
        wiring: Wiring::Dense,
        same_bin: Some(Wiring::Dense),
        theta: 0.4,
    };
    let order = shape.order();
    let options = EngineOptions {
        spike_gradient: SpikeGradient::Damped(0.5),
        window,
        ..EngineOptions::default()
    };
    let wave = |at: usize| 0.5 * (1.7 * at as f64 + 0.3).sin();
    let parameters = Parameters {
        couplings: (0..UNITS * LAGS * UNITS).map(wave).collect(),
        bias: (0..UNITS).map(wave).collect(),
        drive: Vec::new(),
        same_bin: {
            let mut same_bin: Vec<f64> = (0..UNITS * UNITS).map(wave).collect();
            order.clear_others(&mut same_bin, UNITS);
            same_bin
        },
    };
    let drive = Box::new(NoDrive::new(CONDITIONS, BINS, UNITS));
    let weights = (0..).map(|at| 0.7 + f64::from(at));
    let weighted = terms.into_iter().zip(weights.clone());
    let weighted = weighted.map(|(term, weight)| WeightedTerm { term, weight });
    let mut engine = Engine::new(shape, options, drive, weighted.collect());
    let (mut gradient, streams) = (Parameters::default(), Streams::new(1, 4));
    let alone = engine.evaluate(&parameters, batch, streams, None)?;
    let found = engine.evaluate(&parameters, batch, streams, Some(&mut gradient))?;
    let total: f64 = found.terms.iter().zip(weights).map(|(x, w)| x * w).sum();
    assert!((found.total - total).abs() < 1e-12 * total.abs().max(1.0));
    let numbers = [gradient.couplings, gradient.bias, gradient.same_bin].concat();
    Ok(([alone.terms, found.terms], numbers))
}

/// Number of [`terms`], and the place of the one that needs no recorded trial.
const TERMS: usize = 10;
const HIDDEN_RATE: usize = 3;

/// Every kind of term by itself, then all of a fit together.
fn terms(batch: &Batch, which: usize) -> Vec<Box<dyn LossTerm<f64>>> {
    let recorded = batch.recorded.view();
    let data = |lags| Arc::new(DataStatistics::new(recorded.spikes, recorded.layout, lags));
    let noise = |lags, parts| {
        let term = NoiseCovariance::new(data(lags), parts);
        Box::new(term.with_same_bin(true))
    };
    let sampled = |parts| {
        let sample = PairSample {
            same_bin: true,
            lags: LAGS,
            parts,
            pairs: 2,
            window: Some(5),
            stream: Stream::new(1, Purpose::NoisePairs),
        };
        Box::new(SampledNoiseCovariance::new(recorded, sample))
    };
    let mut all: Vec<Box<dyn LossTerm<f64>>> = vec![
        Box::new(Likelihood::new(Logistic, OBSERVED)),
        Box::new(Psth::new(data(LAGS))),
        noise(LAGS, 1),
        Box::new(HiddenRate::new(OBSERVED..UNITS, 0.3)),
        noise(LAGS, 2),
        noise(LAGS, 3),
        // More lags than the couplings have, and lags beyond every window or all trials.
        noise(LAGS + 2, 1),
        noise(12, 1),
        sampled(1),
        sampled(2),
    ];
    assert_eq!(all.len(), TERMS);
    match which {
        TERMS => all,
        which => vec![all.swap_remove(which)],
    }
}

#[test]
fn windows_make_the_whole_evaluation() {
    for (first_bin, which) in (0..=TERMS).flat_map(|which| [(0, which), (LAGS, which)]) {
        let batch = batch(&RECORDED, &SIMULATED, first_bin);
        let ([values, _], gradient) = evaluate(None, &batch, terms(&batch, which)).unwrap();
        let largest = gradient.iter().fold(0.0f64, |most, g| most.max(g.abs()));
        assert!(largest > 1e-4, "{which}: {largest}");
        for size in [1, LAGS - 1, LAGS, LAGS + 1, 5, BINS, BINS + 3] {
            let what = format!("terms {which} from {first_bin}, windows of {size}");
            let found = evaluate(Some(size), &batch, terms(&batch, which)).unwrap();
            for (found, expected) in found.0.iter().flat_map(|found| found.iter().zip(&values)) {
                let off = (found - expected).abs();
                assert!(off < TOLERANCE * expected.abs(), "{what}: {found}");
            }
            for (found, expected) in found.1.iter().zip(&gradient) {
                let off = (found - expected).abs();
                assert!(off < TOLERANCE * largest, "{what}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn what_the_whole_cannot_measure_windows_cannot() {
    // One trial of each condition, and none of the one that has several free-running trials.
    let trials = [(0, 9), (1, 9), (3, 9), (3, 9), (3, 9)];
    let batch = batch(&[(0, 13), (0, 9), (1, 12), (1, 8), (2, 9)], &trials, 0);
    for which in 2..TERMS {
        if which == HIDDEN_RATE {
            continue;
        }
        let of = |window| evaluate(window, &batch, terms(&batch, which));
        let (whole, windows) = (of(None).unwrap_err(), of(Some(4)).unwrap_err());
        assert_eq!(windows.to_string(), whole.to_string(), "{which}");
    }
}

#[test]
fn what_needs_all_bins_at_once_is_refused() {
    let batch = batch(&RECORDED, &SIMULATED, 0);
    let term = || -> Vec<Box<dyn LossTerm<f64>>> {
        vec![Box::new(PublishedHiddenRate::new(OBSERVED..UNITS, 0.17))]
    };
    assert!(evaluate(None, &batch, term()).is_ok());
    let refused = evaluate(Some(4), &batch, term()).unwrap_err().to_string();
    assert!(refused.contains("4 with hidden-rate"), "{refused}");
}
