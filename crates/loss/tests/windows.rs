//! Terms measured window by window have the value and the adjoints that they have on the whole pass.
#![allow(clippy::unwrap_used)] // test code

use refire_core::{TrialArray, TrialLayout};
use refire_kernels::Real;
use refire_loss::{
    DataStatistics, HiddenRate, Likelihood, LossError, LossTerm, NoiseCovariance, PairSample, Psth,
    Recorded, SampledNoiseCovariance, Window,
};
use refire_neuron::{EscapeNoise, Logistic};
use refire_random::{Purpose, Stream};
use refire_sim::{Adjoints, SlopesOf, Trajectory};
use std::sync::Arc;

const OBSERVED: usize = 6;
const HIDDEN: usize = 2;
/// With one that fills up a row, as the engine does.
const UNITS: usize = OBSERVED + HIDDEN + 1;
const PAD: usize = 2;

/// Conditions and lengths: the second condition has one recorded trial, the third one simulated trial
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
const BINS: usize = 13;

fn layout(trials: &[(usize, usize)], first_bin: usize) -> TrialLayout {
    let (conditions, bins) = trials.iter().copied().unzip();
    TrialLayout::new(conditions, bins, first_bin).unwrap()
}

fn uniform(family: usize, unit: usize, trial: usize, bin: usize) -> f64 {
    let stream = Stream::new(3, Purpose::Statistics);
    stream.uniform((100 * family + unit) as u32, trial as u32, bin as u32)
}

/// Unit 2 is silent.
fn recorded(layout: &TrialLayout) -> TrialArray<u8> {
    let mut spikes = TrialArray::<u8>::zeros(layout.trials(), layout.max_bins(), 0, OBSERVED);
    for k in 0..layout.trials() {
        for t in 0..layout.bins(k) {
            for (i, z) in spikes.row_mut(k, t).iter_mut().enumerate() {
                *z = u8::from(i != 2 && uniform(0, i, k, t) < 0.3);
            }
        }
    }
    spikes
}

/// A pass as the engine leaves it: zeros beyond the end of a trial, and in what fills up a row.
fn pass<T: Real>(layout: &TrialLayout) -> Trajectory<T> {
    let mut pass = Trajectory::<T>::default();
    let (trials, bins) = (layout.trials(), layout.max_bins());
    pass.potential.reset(trials, bins, PAD, UNITS);
    pass.probability.reset(trials, bins, 0, UNITS);
    pass.spikes.reset(trials, bins, 0, UNITS);
    for k in 0..trials {
        for t in 0..layout.bins(k) {
            for i in 0..OBSERVED + HIDDEN {
                let v = T::new(4.0 * uniform(1, i, k, t) - 2.5);
                pass.potential.row_mut(k, t)[i] = v;
                pass.probability.row_mut(k, t)[i] = Logistic.probability(v);
                pass.spikes.row_mut(k, t)[i] = u8::from(uniform(2, i, k, t) < 0.3);
            }
        }
    }
    pass.by_source.build(&pass.spikes, layout);
    pass
}

fn rows_of<X: Copy + Default>(whole: &TrialArray<X>, start: usize, bins: usize) -> TrialArray<X> {
    let mut rows = TrialArray::zeros(whole.trials(), bins, whole.pad(), whole.units());
    for k in 0..whole.trials() {
        let own = &mut rows.trial_mut(k)[..bins * whole.units()];
        own.copy_from_slice(whole.block(k, start, bins));
    }
    rows
}

fn window_of<T: Real>(whole: &Trajectory<T>, layout: &TrialLayout, start: usize) -> Trajectory<T> {
    let bins = layout.max_bins();
    let mut window = Trajectory {
        potential: rows_of(&whole.potential, start, bins),
        probability: rows_of(&whole.probability, start, bins),
        spikes: rows_of(&whole.spikes, start, bins),
        ..Trajectory::default()
    };
    window.by_source.build(&window.spikes, layout);
    window
}

/// Value and the rows of `dL/dv` and `dL/dz` of the valid bins, `[trial][bin][unit]` each.
type Outcome = (f64, Vec<f64>);

fn collect<T: Real>(adjoints: &mut Adjoints<T>, of: &Window<'_, T>, into: &mut [f64]) {
    let (potential, spikes) = adjoints.both();
    let half = into.len() / 2;
    for k in 0..of.layout.trials() {
        for t in 0..of.layout.bins(k) {
            let at = (k * BINS + of.start + t) * UNITS;
            let numbers = potential.row(k, t).iter().zip(&mut into[at..]);
            numbers.for_each(|(x, out)| *out = x.f64());
            if let Some(spikes) = spikes {
                let numbers = spikes.row(k, t).iter().zip(&mut into[half + at..]);
                numbers.for_each(|(x, out)| *out = x.f64());
            }
        }
    }
}

/// Windows of `size` bins, gone over once or twice.
fn windowed<T: Real>(
    term: &mut dyn LossTerm<T>,
    size: usize,
    with_adjoints: bool,
    layout: &TrialLayout,
    pass: &Trajectory<T>,
    weight: f64,
) -> Result<Outcome, LossError> {
    let starts = (0..layout.max_bins()).step_by(size);
    let windows: Vec<_> = starts
        .map(|start| {
            let rows = layout.window(start..(start + size).min(layout.max_bins()));
            let pass = window_of(pass, &rows, start);
            (start, rows, pass)
        })
        .collect();
    let windows: Vec<_> = windows
        .iter()
        .map(|(start, layout, trajectory)| Window {
            layout,
            start: *start,
            trajectory,
        })
        .collect();
    term.begin(layout, with_adjoints)?;
    windows.iter().for_each(|window| term.measure(window));
    term.finish(weight)?;
    let mut found = vec![0.0; 2 * layout.trials() * BINS * UNITS];
    for window in windows.iter().rev().filter(|_| with_adjoints) {
        let mut adjoints = Adjoints::default();
        adjoints.reset(window.layout, PAD, UNITS);
        let slopes = SlopesOf {
            window: *window,
            escape: &Logistic,
        };
        term.add_adjoints(window, &mut adjoints.sink(&slopes));
        collect(&mut adjoints, window, &mut found);
    }
    Ok((term.value(), found))
}

fn whole<T: Real>(
    term: &mut dyn LossTerm<T>,
    layout: &TrialLayout,
    pass: &Trajectory<T>,
    weight: f64,
) -> Result<Outcome, LossError> {
    windowed(term, BINS, true, layout, pass, weight)
}

fn terms<T: Real>(first_bin: usize, lags: usize) -> Vec<(String, Box<dyn LossTerm<T>>)> {
    let recorded_layout = layout(&RECORDED, first_bin);
    let spikes = recorded(&recorded_layout);
    let data = Arc::new(DataStatistics::new(&spikes, &recorded_layout, lags));
    let hidden = OBSERVED..OBSERVED + HIDDEN;
    let mut terms: Vec<(String, Box<dyn LossTerm<T>>)> = vec![
        (
            "likelihood".into(),
            Box::new(Likelihood::new(Logistic, OBSERVED)),
        ),
        ("psth".into(), Box::new(Psth::new(Arc::clone(&data)))),
        ("hidden rate".into(), Box::new(HiddenRate::new(hidden, 0.2))),
    ];
    for parts in [1, 2, 3] {
        let all = NoiseCovariance::new(Arc::clone(&data), parts);
        terms.push((format!("nc in {parts}"), Box::new(all)));
        let recorded = Recorded {
            spikes: &spikes,
            layout: &recorded_layout,
        };
        let sample = PairSample {
            lags,
            parts,
            pairs: 6,
            window: Some(4),
            stream: Stream::new(5, Purpose::NoisePairs),
        };
        let some = SampledNoiseCovariance::new(recorded, sample);
        terms.push((format!("nc of pairs in {parts}"), Box::new(some)));
    }
    terms
}

fn assert_near((value, found): &Outcome, expected: &Outcome, tolerance: f64, what: &str) {
    let off = (value - expected.0).abs();
    assert!(off <= tolerance * expected.0.abs(), "{what}: {value}");
    let largest = expected.1.iter().fold(0.0f64, |most, x| most.max(x.abs()));
    for (at, (found, expected)) in found.iter().zip(&expected.1).enumerate() {
        let off = (found - expected).abs();
        let message = format!("{what}: {found}, not {expected}, at {at}");
        assert!(off <= tolerance * largest, "{message}");
    }
}

fn windows_make_the_whole<T: Real>(tolerance: f64) {
    // At 12 lags some reach beyond every window, or beyond all trials.
    for (first_bin, lags) in [(0, 3), (2, 3), (3, 4), (0, 1), (0, 12)] {
        let layout = layout(&SIMULATED, first_bin);
        let pass = pass::<T>(&layout);
        for (name, mut term) in terms::<T>(first_bin, lags) {
            for weight in [0.7, 1.3] {
                let expected = whole(term.as_mut(), &layout, &pass, weight).unwrap();
                assert!(expected.1.iter().any(|x| x.abs() > 1e-5), "{name}");
                let sizes = [1, lags - 1, lags, lags + 1, 5, BINS, BINS + 3];
                for size in sizes.into_iter().filter(|&size| size > 0) {
                    let what = format!("{name}, {lags} lags from {first_bin}, windows of {size}");
                    let mut of = |with_adjoints| {
                        windowed(term.as_mut(), size, with_adjoints, &layout, &pass, weight)
                            .unwrap()
                    };
                    assert_near(&of(true), &expected, tolerance, &what);
                    // The likelihood sums windows in the order that they come in.
                    let (alone, both) = (of(false).0, of(true).0);
                    let same = alone == both
                        || name == "likelihood" && (alone - both).abs() < 1e-14 * both;
                    assert!(same, "{what}: {alone} without adjoints, {both} with them");
                }
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
fn windows_do_not_depend_on_the_number_of_threads() {
    let layout = layout(&SIMULATED, 0);
    let pass = pass::<f32>(&layout);
    for at in 0..terms::<f32>(0, 3).len() {
        let [one, more] = [1, 3].map(|threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.unwrap().install(|| {
                let mut term = terms::<f32>(0, 3).swap_remove(at).1;
                windowed(term.as_mut(), 5, true, &layout, &pass, 1.0).unwrap()
            })
        });
        assert_eq!(one, more);
    }
}

#[test]
fn what_the_whole_cannot_measure_windows_cannot() {
    // One trial of each condition, and one condition that nobody recorded.
    let layout = layout(&[(0, 9), (1, 9), (4, 9), (4, 9), (4, 9)], 0);
    let pass = pass::<f64>(&layout);
    for (name, mut term) in terms::<f64>(0, 3) {
        if name == "hidden rate" || name == "likelihood" {
            continue;
        }
        let expected = whole(term.as_mut(), &layout, &pass, 1.0).unwrap_err();
        let found = windowed(term.as_mut(), 4, true, &layout, &pass, 1.0).unwrap_err();
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn recorded_statistics_by_windows_are_those_of_all_bins() {
    for (first_bin, lags) in [(0, 3), (3, 4), (0, 1), (0, 20)] {
        let layout = layout(&RECORDED, first_bin);
        let spikes = recorded(&layout);
        let expected = DataStatistics::new(&spikes, &layout, lags).noise_covariance(&[0, 2, 3]);
        assert!(expected.iter().any(|x| x.abs() > 1e-3));
        for window in [1, lags, lags + 1, 5, BINS, BINS + 3] {
            let found = DataStatistics::by_windows(&spikes, &layout, lags, Some(window));
            let found = found.noise_covariance(&[0, 2, 3]);
            for (found, expected) in found.iter().zip(&expected) {
                assert!((found - expected).abs() < 1e-14, "{window}: {found}");
            }
        }
    }
}
