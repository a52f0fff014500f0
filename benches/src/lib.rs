//! A synthetic recording and a fit of it, one training iteration at a time: what the benchmarks time.

use refire::core::{Recorded, TrialArray};
use refire::drive::{Encoder, FeatureDrive};
use refire::engine::{
    Batch, Losses, NetworkShape, PaddedNetwork, Parameters, Streams, WeightedTerm, Wiring,
};
use refire::fit::{
    Couplings, Drive, Evaluator, Facts, FitError, Form, ObjectiveKind, Pool, Specification, Steps,
    Synapses, Terms, initial, resolve,
};
use refire::kernels::logistic;
use refire::loss::Likelihood;
use refire::neuron::{Logistic, SpikeGradient};
use refire::optim::{Adam, clip_norm};
use refire::published::{BatchTrials, PublishedNoiseCovariance, PublishedPsth};
use refire::random::{KeyedUniforms, Purpose, Stream};
use refire::recording::{BinWidth, Recording, RecordingParts};
use refire::sim::{Pass, Trajectory, run};
use std::error::Error;
use std::fmt;

pub mod memory;

/// Recorded trials that batches are drawn from.
const RECORDED: usize = 80;

/// Stimulus features that drive the units.
const FEATURES: usize = 20;

/// Seed of recording, start and fit.
const SEED: u64 = 1;

/// Learning rate of Adam, the published one.
const LEARNING_RATE: f64 = 1e-3;

/// Spikes per bin at which the fits are timed unless said.
pub const RATE: f64 = 0.095;

/// Size of the fitted network and of a batch.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Observed units.
    pub units: usize,
    /// Hidden units.
    pub hidden: usize,
    /// Synapses onto each unit; 0 couples all to all.
    pub in_degree: usize,
    /// Bins of a trial.
    pub bins: usize,
    /// Recorded trials of a batch, and simulated ones.
    pub trials: usize,
    /// Lags of couplings and noise covariance.
    pub lags: usize,
    /// Spikes per bin that the units of the recording are around, below 0.5.
    pub rate: f64,
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "units={}", self.units)?;
        if self.hidden > 0 {
            write!(f, "+{}", self.hidden)?;
        }
        if self.in_degree > 0 {
            write!(f, ",in-degree={}", self.in_degree)?;
        }
        write!(
            f,
            ",lags={},trials={},bins={}",
            self.lags, self.trials, self.bins
        )
    }
}

impl Shape {
    /// A fit at this shape: silence before the first bin, Adam at the published rate.
    pub fn spec(&self, objective: ObjectiveKind, form: Form) -> Specification {
        let adam = Steps {
            learning_rate: Some(LEARNING_RATE),
            spike_gradient: match form {
                Form::Published => SpikeGradient::Triangle,
                Form::Corrected => Steps::default().spike_gradient,
            },
            ..Steps::default()
        };
        let mut spec = Specification::with_form(Facts::default(), objective, form).with_adam(adam);
        spec.network.lags = self.lags;
        spec.network.hidden = self.hidden;
        if self.in_degree > 0 {
            spec.network.couplings = Couplings::Sparse(Synapses::InDegree(self.in_degree));
        }
        spec.drive = Drive::Features { lags: 1 };
        spec.batch.trials = self.trials;
        spec.batch.free_bins = 0;
        spec.seed = SEED;
        spec
    }
}

/// Smooth noise of mean 0 and standard deviation 1: uniforms under a Hann window.
fn smooth_noise(stream: Stream, family: u32, length: usize, width: usize) -> Vec<f64> {
    let window: Vec<f64> = (1..2 * width)
        .map(|i| {
            (std::f64::consts::PI * i as f64 / (2 * width) as f64)
                .sin()
                .powi(2)
        })
        .collect();
    let white: Vec<f64> = (0..length + window.len())
        .map(|t| stream.uniform(family, 0, t as u32) - 0.5)
        .collect();
    let mut smooth: Vec<f64> = (0..length)
        .map(|t| window.iter().zip(&white[t..]).map(|(w, x)| w * x).sum())
        .collect();
    let mean = smooth.iter().sum::<f64>() / length as f64;
    let variance = smooth.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / length as f64;
    smooth
        .iter_mut()
        .for_each(|x| *x = (*x - mean) / variance.sqrt());
    smooth
}

/// A number between two others, a fixed one of each family.
fn between(family: u32, at: usize, low: f64, high: f64) -> f64 {
    let stream = Stream::new(SEED, Purpose::Synthetic);
    low + (high - low) * stream.uniform(family, 1, at as u32)
}

/// Stimulus features `[1][bin][feature]`, and a recording of units that are linear in them and share
/// a fluctuation in each trial: correlated over time and between units.
pub fn recording(shape: &Shape) -> Result<(Recording, TrialArray<f64>), Box<dyn Error>> {
    let (units, bins) = (shape.units, shape.bins);
    let stream = Stream::new(SEED, Purpose::Synthetic);
    let features: Vec<Vec<f64>> = (0..FEATURES)
        .map(|f| smooth_noise(stream, f as u32, bins, 4))
        .collect();
    let mut stimulus = TrialArray::zeros(1, bins, 0, FEATURES);
    for t in 0..bins {
        for (value, feature) in stimulus.row_mut(0, t).iter_mut().zip(&features) {
            *value = feature[t];
        }
    }
    let tuning_range = 0.6 * (3.0 / FEATURES as f64).sqrt();
    let base: Vec<f64> = (0..units)
        .map(|i| {
            let p = between(0, i, 0.05, 0.14) * (shape.rate / RATE);
            (p / (1.0 - p)).ln()
        })
        .collect();
    let gain: Vec<f64> = (0..units).map(|i| between(1, i, 0.0, 0.5)).collect();
    let mut log_odds = vec![0.0; bins * units];
    for (at, value) in log_odds.iter_mut().enumerate() {
        let (t, i) = (at / units, at % units);
        let tuned = stimulus
            .row(0, t)
            .iter()
            .enumerate()
            .map(|(f, x)| x * between(2, i * FEATURES + f, -tuning_range, tuning_range));
        *value = base[i] + tuned.sum::<f64>();
    }
    let mut spikes = TrialArray::<u8>::zeros(RECORDED, bins, 0, units);
    let keys: Vec<u32> = (0..RECORDED as u32).collect();
    let uniforms = KeyedUniforms::new(Stream::new(SEED, Purpose::Simulate), 0, &keys);
    let mut draws = vec![0.0f64; units];
    for trial in 0..RECORDED {
        let shared = smooth_noise(stream, 1000 + trial as u32, bins, 3);
        for (t, shared) in shared.iter().enumerate() {
            refire::random::Uniforms::fill(&uniforms, trial, t, 0, &mut draws);
            for (i, z) in spikes.row_mut(trial, t).iter_mut().enumerate() {
                let p = logistic(log_odds[t * units + i] + gain[i] * shared);
                *z = u8::from(p > draws[i]);
            }
        }
    }
    let parts = RecordingParts::new(spikes, BinWidth::from_seconds(0.04)?);
    Ok((Recording::new(parts)?, stimulus))
}

/// A fit in progress: what `refire fit` does in an iteration, less validation and priors.
pub struct Fit<'a> {
    /// What is fitted.
    pub spec: Specification,
    /// The present parameters.
    pub parameters: Parameters<f32>,
    pool: Pool<'a>,
    shape: NetworkShape,
    encoder: FeatureDrive<f32>,
    objective: Evaluator<f32>,
    gradient: Parameters<f32>,
    optimisers: Vec<Adam<f32>>,
    iteration: usize,
}

impl<'a> Fit<'a> {
    /// Starts from the log-odds of the recorded rates, and weights of the published standard
    /// deviation, one over the root of the inputs of a unit: `units * lags` for couplings, as many
    /// as there are features for the drive.
    pub fn new(
        recording: &'a Recording,
        stimulus: &TrialArray<f64>,
        spec: Specification,
    ) -> Result<Self, Box<dyn Error>> {
        let observed = recording.n_units();
        let units = observed + spec.network.hidden;
        let wiring: Wiring = resolve(&spec, units)?;
        let encoder = FeatureDrive::<f32>::new(stimulus, &[stimulus.bins()], 1, units)?;
        let all: Vec<usize> = (0..recording.n_trials()).collect();
        let (spikes, layout) = recording.select(&all, 0)?;
        let recorded = Recorded {
            spikes: &spikes,
            layout: &layout,
        };
        let terms = match spec.objective.is_published() {
            true => published(&spec, observed),
            false => Terms::new(&spec, recorded),
        };
        let mut rates = vec![0.0; observed];
        for z in spikes.as_slice().chunks_exact(observed) {
            for (rate, &z) in rates.iter_mut().zip(z) {
                *rate += f64::from(z) / layout.scored_bins() as f64;
            }
        }
        let mut parameters = initial(&spec, &wiring, &rates, encoder.parameters());
        parameters.couplings.iter_mut().for_each(|w| *w *= 10.0);
        let range = (3.0 / FEATURES as f64).sqrt();
        for (at, w) in parameters.drive.iter_mut().enumerate() {
            *w = between(3, at, -range, range) as f32;
        }
        let shape = refire::fit::shape(&spec, &wiring, observed);
        let objective = Evaluator::new(&spec, shape.clone(), Box::new(encoder.clone()), terms);
        let optimisers = parameters
            .tensors()
            .iter()
            .map(|tensor| Adam::new(tensor.len()))
            .collect();
        Ok(Self {
            pool: Pool::new(recording, &all, 0),
            shape,
            encoder,
            objective,
            gradient: Parameters::default(),
            optimisers,
            iteration: 0,
            parameters,
            spec,
        })
    }

    /// The batch of the present iteration.
    pub fn batch(&self) -> Result<Batch, FitError> {
        self.pool
            .draw(self.spec.seed, self.iteration, self.spec.batch)
    }

    /// One iteration: a new batch, new random numbers, both passes, all terms, their gradient, its
    /// clipping and a step of Adam.
    pub fn step(&mut self) -> Result<Losses, FitError> {
        let batch = self.batch()?;
        let streams = Streams::new(self.spec.seed, self.iteration as u32);
        let gradient = Some(&mut self.gradient);
        let losses = self
            .objective
            .evaluate(&self.parameters, &batch, streams, gradient)?;
        let tensors = self.parameters.tensors_mut().into_iter();
        for ((tensor, gradient), adam) in tensors
            .zip(self.gradient.tensors_mut())
            .zip(&mut self.optimisers)
        {
            let _ = clip_norm(gradient, 1.0);
            adam.step(tensor, gradient, LEARNING_RATE);
        }
        self.iteration += 1;
        Ok(losses)
    }

    /// The network of the present parameters, with its drive.
    pub fn network(&self) -> Result<PaddedNetwork<f32>, FitError> {
        let mut drive = TrialArray::default();
        self.encoder.forward(&self.parameters.drive, &mut drive);
        let mut network = PaddedNetwork::new(self.shape.clone());
        network.load(&self.parameters, &drive)?;
        Ok(network)
    }

    /// One free-running pass over the free-running trials of a batch; `iteration` keys its uniforms.
    pub fn free_run(
        &self,
        batch: &Batch,
        network: &PaddedNetwork<f32>,
        iteration: u32,
        out: &mut Trajectory<f32>,
    ) -> Result<(), FitError> {
        let pass = Pass::free_running(&batch.free_layout, network.drive());
        let stream = Stream::new(self.spec.seed, Purpose::Simulate);
        let uniforms = KeyedUniforms::new(stream, iteration, &batch.free_keys);
        Ok(run(&network.network()?, &pass, &uniforms, out)?)
    }
}

/// The published objective, but that the covariance does not wrap around the ends of a trial.
fn published(spec: &Specification, observed: usize) -> Terms<f32> {
    let batch = BatchTrials::default();
    let [psth, noise, _] = spec
        .objective
        .statistics()
        .map_or([0.0; 3], |s| s.weights());
    let likelihood = spec.objective.likelihood().unwrap_or_default();
    let of_psth = PublishedPsth::new(observed, batch.clone());
    let lags = spec.network.lags;
    let of_noise = PublishedNoiseCovariance::new(observed, lags, false, batch.clone());
    Terms {
        terms: vec![
            WeightedTerm::new(Likelihood::new(Logistic, observed), likelihood),
            WeightedTerm::new(of_psth, psth),
            WeightedTerm::new(of_noise, noise),
        ],
        left_out: Vec::new(),
        batch: Some(batch),
    }
}

/// Spikes per bin and unit of a trajectory, and the share of its observed potentials where the
/// triangle gradient is not zero (`|v| < 1`).
pub fn activity(trajectory: &Trajectory<f32>, units: usize) -> (f64, f64) {
    let spikes = &trajectory.spikes;
    let bins = (spikes.trials() * spikes.bins()) as f64;
    let rate = trajectory.by_source.len() as f64 / (bins * units as f64);
    let mut inside = 0usize;
    for trial in 0..spikes.trials() {
        for t in 0..spikes.bins() {
            let v = &trajectory.potential.row(trial, t)[..units];
            inside += v.iter().filter(|v| v.abs() < 1.0).count();
        }
    }
    (rate, inside as f64 / (bins * units as f64))
}
