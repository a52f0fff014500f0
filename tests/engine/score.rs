//! The score function against expectations that can be written down, where none is exact: a mean over
//! many sampled gradients has to lie within four of its standard errors. For a correct program one
//! component in 16 000 would not, over seeds; the seeds here are fixed.

use refire::core::{Recorded, RecordedTrials, TrialArray, TrialLayout};
use refire::drive::NoDrive;
use refire::engine::{
    Batch, Engine, EngineOptions, NetworkShape, Parameters, Streams, WeightedTerm, Wiring,
};
use refire::fit::{
    Adam, BatchSize, Evaluator, Facts, ObjectiveKind, Pool, Specification, Terms, initial,
};
use refire::loss::{DataStatistics, Likelihood, LossTerm, Psth};
use refire::neuron::{EscapeNoise, Logistic, SpikeGradient};
use refire::published::PublishedHiddenRate;
use refire::random::{Purpose, Stream};
use refire::recording::{BinWidth, Recording, RecordingParts};
use std::sync::Arc;

const THETA: f64 = 0.4;
const RUNS: u32 = 4000;

/// A network of one lag without drive, and one term.
struct Problem {
    observed: usize,
    hidden: usize,
    batch: Batch,
    /// `[source][target]`, then the biases.
    parameters: Vec<f64>,
    term: fn() -> Box<dyn LossTerm<f64>>,
    /// Expectation of the term over the sampled spikes.
    expected: fn(&[f64]) -> f64,
}

fn probability(current: f64) -> f64 {
    Logistic.probability((current - THETA) / THETA)
}

fn surprise(current: f64, spiked: bool) -> f64 {
    Logistic.surprise((current - THETA) / THETA, spiked)
}

/// Recorded and as many simulated trials of equal length.
fn batch(recorded: TrialArray<u8>, simulated: usize) -> Batch {
    let (trials, bins) = (recorded.trials(), recorded.bins());
    let layout = TrialLayout::uniform(trials, bins, 0).unwrap();
    let free = TrialLayout::uniform(simulated, bins, 0).unwrap();
    Batch::new(RecordedTrials::new(recorded, layout), free)
}

impl Problem {
    /// Mean of the sampled gradient and its standard error.
    fn mean_gradient(&self, spike_gradient: SpikeGradient) -> Vec<(f64, f64)> {
        let shape = NetworkShape {
            observed: self.observed,
            hidden: self.hidden,
            lags: 1,
            wiring: Wiring::Dense,
            theta: THETA,
        };
        let options = EngineOptions {
            spike_gradient,
            ..EngineOptions::default()
        };
        let units = self.observed + self.hidden;
        let drive = NoDrive::new(1, self.batch.free_layout.max_bins(), units);
        let (term, weight) = ((self.term)(), 1.0);
        let terms = vec![WeightedTerm { term, weight }];
        let mut engine = Engine::new(shape, options, Box::new(drive), terms);
        let (couplings, bias) = self.parameters.split_at(units * units);
        let parameters = Parameters {
            couplings: couplings.to_vec(),
            bias: bias.to_vec(),
            drive: vec![],
        };
        let mut gradient = Parameters::default();
        let mut sums = vec![(0.0, 0.0); self.parameters.len()];
        for iteration in 0..RUNS {
            let streams = Streams {
                teacher_forced: Stream::new(3, Purpose::TeacherForced),
                free: Stream::new(3, Purpose::FreeRunning),
                iteration,
            };
            engine
                .evaluate(&parameters, &self.batch, streams, Some(&mut gradient))
                .unwrap();
            let found = gradient.couplings.iter().chain(&gradient.bias);
            for ((sum, squares), g) in sums.iter_mut().zip(found) {
                *sum += g;
                *squares += g * g;
            }
        }
        let n = f64::from(RUNS);
        let of = |(sum, squares): (f64, f64)| {
            let mean = sum / n;
            (mean, ((squares / n - mean * mean).max(0.0) / n).sqrt())
        };
        sums.into_iter().map(of).collect()
    }

    fn exact_gradient(&self) -> Vec<f64> {
        let h = 1e-5;
        let at_step = |at: usize, step: f64| {
            let mut moved = self.parameters.clone();
            moved[at] += step;
            (self.expected)(&moved)
        };
        (0..self.parameters.len())
            .map(|at| (at_step(at, h) - at_step(at, -h)) / (2.0 * h))
            .collect()
    }

    /// Distance of the mean from the exact gradient of the worst component, standard errors; the
    /// difference quotient may be wrong by 1e-8.
    fn worst(&self, spike_gradient: SpikeGradient) -> f64 {
        let found = self.mean_gradient(spike_gradient);
        let pairs = found.into_iter().zip(self.exact_gradient());
        pairs
            .map(|((mean, error), exact)| (mean - exact).abs() / (error + 1e-8))
            .fold(0.0, f64::max)
    }

    fn check(&self) {
        let score = self.worst(SpikeGradient::Score);
        assert!(score < 4.0, "{score} standard errors");
        // The test can tell: without the score, or with the escape derivative, it fails.
        for biased in [SpikeGradient::None, SpikeGradient::Escape] {
            let off = self.worst(biased);
            assert!(off > 6.0, "{biased:?}: only {off} standard errors off");
        }
    }
}

/// `L = (mean_k z_k - c)^2` of one bin depends on nothing but spikes:
/// `E[L] = (p - c)^2 + p (1 - p)/K`. The escape derivative misses a part of order `1/K`; ReinMax is
/// exact, as `L` is quadratic in each spike.
#[test]
fn what_depends_on_spikes_alone_has_the_right_mean_gradient() {
    let problem = Problem {
        observed: 1,
        hidden: 0,
        batch: batch(TrialArray::zeros(1, 1, 0, 1), 5),
        parameters: vec![0.0, 0.1],
        term: || Box::new(PublishedHiddenRate::new(0..1, 0.1)),
        expected: |parameters| {
            let p = probability(parameters[1]);
            (p - 0.1).powi(2) + p * (1.0 - p) / 5.0
        },
    };
    problem.check();
    let reinmax = problem.worst(SpikeGradient::ReinMax);
    assert!(reinmax < 4.0, "{reinmax} standard errors");
}

/// Eight trials of two bins and two units.
fn two_units() -> TrialArray<u8> {
    let mut spikes = TrialArray::zeros(8, 2, 0, 2);
    for (k, [a, b, c, d]) in [
        [1, 0, 1, 0],
        [1, 1, 1, 0],
        [0, 1, 1, 1],
        [0, 1, 1, 1],
        [0, 1, 0, 0],
        [0, 0, 1, 0],
        [0, 0, 1, 0],
        [0, 0, 0, 0],
    ]
    .into_iter()
    .enumerate()
    {
        spikes.row_mut(k, 0).copy_from_slice(&[a, b]);
        spikes.row_mut(k, 1).copy_from_slice(&[c, d]);
    }
    spikes
}

/// PSTH of two units over two bins: the second bin's probabilities hear of the parameters of the
/// first one's only through spikes. `E[e_0 e_1]` of independent halves is the square of the mean
/// error, and the mean probability a sum over the four patterns of the first bin.
#[test]
fn a_probability_behind_a_spike_has_the_right_mean_gradient() {
    Problem {
        observed: 2,
        hidden: 0,
        batch: batch(two_units(), 6),
        parameters: vec![-0.9, 1.6, 0.7, -1.2, 0.1, -0.2],
        term: || {
            let layout = TrialLayout::uniform(8, 2, 0).unwrap();
            let data = DataStatistics::new(&two_units(), &layout, 1);
            Box::new(Psth::new(Arc::new(data)))
        },
        expected: |parameters| {
            let (w, b) = parameters.split_at(4);
            let first = [0, 1].map(|i| probability(b[i]));
            let mut second = [0.0; 2];
            for (z0, z1) in [(0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0)] {
                let of = |z: f64, p: f64| z * p + (1.0 - z) * (1.0 - p);
                let pattern = of(z0, first[0]) * of(z1, first[1]);
                for j in 0..2 {
                    second[j] += pattern * probability(b[j] + w[j] * z0 + w[2 + j] * z1);
                }
            }
            let rates = [[0.25, 0.5], [0.75, 0.25]];
            let mut sum = 0.0;
            for (bin, found) in rates.iter().zip([first, second]) {
                for i in 0..2 {
                    let rate = (rates[0][i] + rates[1][i]) / 2.0;
                    sum += (bin[i] - found[i]).powi(2) / (rate * (1.0 - rate));
                }
            }
            sum / 4.0
        },
    }
    .check();
}

/// Recorded spikes of one unit in two bins.
const RECORDED: [[u8; 2]; 3] = [[0, 1], [1, 0], [0, 0]];

/// Likelihood with a hidden unit, which is sampled in the teacher-forced pass: its spike in the first bin
/// speaks through the probability of the recorded one in the second. Recorded spikes have no score.
#[test]
fn the_likelihood_behind_a_hidden_spike_has_the_right_mean_gradient() {
    let mut spikes = TrialArray::zeros(3, 2, 0, 1);
    for (k, row) in RECORDED.iter().enumerate() {
        spikes.trial_mut(k).copy_from_slice(row);
    }
    Problem {
        observed: 1,
        hidden: 1,
        batch: batch(spikes, 4),
        parameters: vec![0.5, 0.8, 1.9, -0.6, 0.1, 0.3],
        term: || Box::new(Likelihood::new(Logistic, 1)),
        expected: |parameters| {
            let (w, b) = parameters.split_at(4);
            let p = probability(b[1]);
            let of = |[first, second]: [u8; 2]| {
                let (z, next) = (f64::from(first), second != 0);
                let current = b[0] + w[0] * z;
                surprise(b[0], first != 0)
                    + (1.0 - p) * surprise(current, next)
                    + p * surprise(current + w[2], next)
            };
            RECORDED.into_iter().map(of).sum::<f64>() / 6.0
        },
    }
    .check();
}

/// The PSTH of one bin depends on no spike: every reward is zero, every sampled gradient exact.
#[test]
fn what_depends_on_no_spike_gets_no_noise() {
    let problem = Problem {
        observed: 1,
        hidden: 0,
        batch: batch(TrialArray::zeros(1, 1, 0, 1), 4),
        parameters: vec![0.3, 0.1],
        term: || {
            let layout = TrialLayout::uniform(4, 1, 0).unwrap();
            let spikes = TrialArray::from_vec(vec![0, 1, 0, 0], 4, 1, 1).unwrap();
            let data = DataStatistics::new(&spikes, &layout, 1);
            Box::new(Psth::new(Arc::new(data)))
        },
        expected: |parameters| (0.25 - probability(parameters[1])).powi(2) / 0.1875,
    };
    let found = problem.mean_gradient(SpikeGradient::Score);
    let exact = problem.exact_gradient();
    assert!(exact[1].abs() > 0.01);
    for ((mean, error), exact) in found.into_iter().zip(exact) {
        assert!((mean - exact).abs() < 1e-8, "{mean}, not {exact}");
        assert!(error < 1e-8, "{error}");
    }
}

#[test]
fn threads_change_no_bit_of_the_score() {
    let mut spikes = TrialArray::<u8>::zeros(14, 30, 0, 5);
    for (at, z) in spikes.as_mut_slice().iter_mut().enumerate() {
        *z = u8::from(at * at % 11 < 3);
    }
    let bins: Vec<usize> = (0..14).map(|k| 30 - k % 3).collect();
    for (k, &bins) in bins.iter().enumerate() {
        spikes.trial_mut(k)[5 * bins..].fill(0);
    }
    let mut parts = RecordingParts::new(spikes, BinWidth::from_seconds(0.01).unwrap());
    parts.bins = bins;
    let recording = Recording::new(parts).unwrap();
    let trials: Vec<usize> = (0..14).collect();
    let with_threads = |threads: usize, spike_gradient| {
        let adam = Adam {
            spike_gradient,
            ..Adam::default()
        };
        let kind = ObjectiveKind::MleAndSampleAndMeasure;
        let mut spec = Specification::new(Facts::default(), kind).with_adam(adam);
        spec.network.lags = 3;
        spec.network.hidden = 2;
        if let Some(corrected) = spec.objective.corrected_mut() {
            corrected.noise.parts = 2;
        }
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| {
            assert_eq!(rayon::current_num_threads(), threads);
            let size = BatchSize {
                trials: 9,
                free_bins: 400,
            };
            let batch = Pool::new(&recording, &trials, 0).draw(1, 0, size).unwrap();
            let (spikes, layout) = recording.select(&trials, 0).unwrap();
            let recorded = Recorded {
                spikes: &spikes,
                layout: &layout,
            };
            let terms = Terms::<f32>::new(&spec, recorded);
            assert_eq!((terms.terms.len(), terms.left_out.len()), (4, 0));
            let drive = Box::new(NoDrive::new(1, 30, 7));
            let shape = NetworkShape {
                observed: 5,
                hidden: 2,
                lags: 3,
                wiring: Wiring::Dense,
                theta: THETA,
            };
            let mut engine = Evaluator::new(&spec, shape, drive, terms);
            let parameters = initial(&spec, &Wiring::Dense, &[0.3; 5], 0);
            let streams = Streams::new(7, 0);
            let mut gradient = Parameters::default();
            let losses = engine
                .evaluate(&parameters, &batch, streams, Some(&mut gradient))
                .unwrap();
            let numbers = gradient.couplings.iter().chain(&gradient.bias);
            (losses, numbers.map(|g| g.to_bits()).collect::<Vec<_>>())
        })
    };
    let one = with_threads(1, SpikeGradient::Score);
    assert!(one == with_threads(2, SpikeGradient::Score));
    // The values are those of the same passes, and the gradient another.
    let none = with_threads(2, SpikeGradient::None);
    assert_eq!(one.0, none.0);
    assert!(one.1.iter().zip(&none.1).all(|(a, b)| a != b));
}
