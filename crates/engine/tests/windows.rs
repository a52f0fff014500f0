//! An evaluation that keeps the state of a pass at every S-th bin only, against one that keeps every bin.
#![allow(clippy::unwrap_used)] // test code

use refire_core::{RecordedTrials, TrialArray, TrialLayout};
use refire_drive::NoDrive;
use refire_engine::{
    Batch, Engine, EngineError, EngineOptions, LossTerm, NetworkShape, Parameters, Streams,
    WeightedTerm, Wiring,
};
use refire_kernels::Real;
use refire_loss::{
    DataStatistics, HiddenRate, Likelihood, NoiseCovariance, PairSample, Psth,
    SampledNoiseCovariance,
};
use refire_neuron::{Logistic, SpikeGradient};
use refire_published::PublishedHiddenRate;
use refire_random::{Purpose, Stream};
use std::sync::Arc;

const BINS: usize = 13;
const LAGS: usize = 3;
const OBSERVED: usize = 3;
const UNITS: usize = OBSERVED + 2;

/// Recorded trials of two conditions and unequal lengths, and twice as many free-running ones.
fn batch(first_bin: usize) -> Batch {
    let (conditions, lengths) = (vec![0, 1, 0, 1, 0, 1], vec![13, 9, 12, 6, 13, 4]);
    let layout = TrialLayout::new(conditions, lengths, first_bin).unwrap();
    let mut recorded = TrialArray::<u8>::zeros(6, BINS, 0, OBSERVED);
    for (at, z) in recorded.as_mut_slice().iter_mut().enumerate() {
        *z = u8::from(at * at % 7 < 3 && at % 5 < 3);
    }
    let conditions = (0..12).map(|k| k / 2 % 2).collect();
    let lengths = vec![13, 12, 9, 4, 13, 7, 13, 6, 4, 11, 12, 13];
    let free_layout = TrialLayout::new(conditions, lengths, first_bin).unwrap();
    Batch {
        histories: TrialArray::zeros(12, first_bin, 0, OBSERVED),
        ..Batch::new(RecordedTrials::new(recorded, layout), free_layout)
    }
}

/// Values without and with a gradient, and the gradient, of three observed and two hidden units.
fn evaluate<T: Real>(
    window: Option<usize>,
    batch: &Batch,
    terms: Vec<Box<dyn LossTerm<T>>>,
) -> Result<([Vec<f64>; 2], Vec<f64>), EngineError> {
    let shape = NetworkShape {
        observed: OBSERVED,
        hidden: UNITS - OBSERVED,
        lags: LAGS,
        wiring: Wiring::Dense,
        theta: 0.4,
    };
    let options = EngineOptions {
        spike_gradient: SpikeGradient::Damped(0.5),
        window,
        ..EngineOptions::default()
    };
    let wave = |at: usize| T::new(0.5 * (1.7 * at as f64 + 0.3).sin());
    let parameters = Parameters {
        couplings: (0..UNITS * LAGS * UNITS).map(wave).collect(),
        bias: (0..UNITS).map(wave).collect(),
        drive: Vec::new(),
    };
    let drive = Box::new(NoDrive::new(2, BINS, UNITS));
    let weights = (0..).map(|at| 0.7 + f64::from(at));
    let weighted = terms.into_iter().zip(weights.clone());
    let weighted = weighted.map(|(term, weight)| WeightedTerm { term, weight });
    let mut engine = Engine::new(shape, options, drive, weighted.collect());
    let (mut gradient, streams) = (Parameters::default(), Streams::new(1, 4));
    let alone = engine.evaluate(&parameters, batch, streams, None)?;
    let found = engine.evaluate(&parameters, batch, streams, Some(&mut gradient))?;
    let total: f64 = found.terms.iter().zip(weights).map(|(x, w)| x * w).sum();
    assert!((found.total - total).abs() < 1e-12 * total.abs().max(1.0));
    let numbers = gradient.couplings.iter().chain(&gradient.bias);
    let numbers = numbers.map(|g| g.f64()).collect();
    Ok(([alone.terms, found.terms], numbers))
}

/// Every kind of term by itself, then all of a fit together.
fn terms<T: Real>(batch: &Batch, which: usize) -> Vec<Box<dyn LossTerm<T>>> {
    let recorded = batch.recorded.view();
    let data = |lags| Arc::new(DataStatistics::new(recorded.spikes, recorded.layout, lags));
    let sample = PairSample {
        lags: LAGS,
        parts: 1,
        pairs: 2,
        window: Some(5),
        stream: Stream::new(1, Purpose::NoisePairs),
    };
    let mut all: Vec<Box<dyn LossTerm<T>>> = vec![
        Box::new(Likelihood::new(Logistic, OBSERVED)),
        Box::new(Psth::new(data(LAGS))),
        Box::new(NoiseCovariance::new(data(LAGS), 1)),
        Box::new(HiddenRate::new(OBSERVED..UNITS, 0.3)),
        Box::new(NoiseCovariance::new(data(LAGS), 2)),
        // More lags than the couplings have.
        Box::new(NoiseCovariance::new(data(LAGS + 2), 1)),
        Box::new(SampledNoiseCovariance::new(recorded, sample)),
    ];
    if which < all.len() {
        return vec![all.swap_remove(which)];
    }
    all
}

fn windows_make_the_whole<T: Real>(tolerance: f64) {
    for (first_bin, which) in (0..8).flat_map(|which| [(0, which), (LAGS, which)]) {
        let batch = batch(first_bin);
        let ([values, _], gradient) = evaluate::<T>(None, &batch, terms(&batch, which)).unwrap();
        let largest = gradient.iter().fold(0.0f64, |most, g| most.max(g.abs()));
        assert!(largest > 1e-4, "{which}: {largest}");
        for size in [1, LAGS - 1, LAGS, LAGS + 1, 5, BINS, BINS + 3] {
            let what = format!("terms {which} from {first_bin}, windows of {size}");
            let found = evaluate::<T>(Some(size), &batch, terms(&batch, which)).unwrap();
            for (found, expected) in found.0.iter().flat_map(|found| found.iter().zip(&values)) {
                let off = (found - expected).abs();
                assert!(off < tolerance * expected.abs(), "{what}: {found}");
            }
            for (found, expected) in found.1.iter().zip(&gradient) {
                let off = (found - expected).abs();
                assert!(off < tolerance * largest, "{what}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn windows_make_the_whole_evaluation() {
    windows_make_the_whole::<f64>(1e-12);
    windows_make_the_whole::<f32>(1e-5);
}

#[test]
fn what_needs_all_bins_at_once_is_refused() {
    let batch = batch(0);
    let term = || -> Vec<Box<dyn LossTerm<f64>>> {
        vec![Box::new(PublishedHiddenRate::new(OBSERVED..UNITS, 0.17))]
    };
    assert!(evaluate(None, &batch, term()).is_ok());
    let refused = evaluate(Some(4), &batch, term()).unwrap_err().to_string();
    assert!(refused.contains("4 with hidden-rate"), "{refused}");
}
