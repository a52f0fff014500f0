//! Random problems (a network, recorded trials, free-running trials) and the engine's answer.

use proptest::prelude::*;
use refire::bptt::{Gradient, Sweep, sweep};
use refire::core::{RecordedTrials, TrialArray, TrialLayout};
use refire::kernels::Real;
use refire::loss::{
    DataStatistics, HiddenRate, Likelihood, LossError, LossTerm, NoiseCovariance, Psth,
};
use refire::neuron::{Logistic, Memoryless, SpikeGradient};
use refire::published::{
    BatchTrials, PublishedHiddenRate, PublishedNoiseCovariance, PublishedPsth, Transformable,
};
use refire::random::{Purpose, Stream};
use refire::sim::{
    Adjoints, AnyCoupling, DenseCoupling, GivenUniforms, Mode, Network, Pass, SameBin, SlopesOf,
    Trajectory, UnitOrder, Window, run,
};
use std::ops::Range;
use std::sync::Arc;

pub const HIDDEN_TARGET: f64 = 0.17;
pub const WEIGHT: f64 = 0.7;

/// What is drawn at random, and how large it is.
#[derive(Clone, Debug)]
pub struct Shape {
    pub observed: usize,
    pub hidden: usize,
    /// Lags of the couplings.
    pub lags: usize,
    /// Lags of the noise covariance.
    pub statistic_lags: usize,
    pub first_bin: usize,
    /// Simulated and recorded trials of each condition.
    pub trials: Vec<(usize, usize)>,
    /// Most bins after `first_bin`.
    pub window: usize,
    /// Whether trials differ in length.
    pub ragged: bool,
    /// Scale of the couplings.
    pub gain: f64,
    /// Whether there are same-bin couplings.
    pub same_bin: bool,
    pub seed: u64,
}

/// Shapes of any kind, with the given observed units, trials and scale of the couplings.
pub fn shapes(
    observed: Range<usize>,
    trials: impl Strategy<Value = Vec<(usize, usize)>>,
    gain: Range<f64>,
) -> impl Strategy<Value = Shape> {
    (
        (observed, 0usize..4, 1usize..5, 1usize..6, 0usize..4),
        trials,
        (1usize..10, any::<bool>(), gain, any::<bool>(), any::<u64>()),
    )
        .prop_map(|(sizes, trials, (window, ragged, gain, same_bin, seed))| {
            let (observed, hidden, lags, statistic_lags, first_bin) = sizes;
            Shape {
                observed,
                hidden,
                lags,
                statistic_lags,
                first_bin,
                trials,
                window,
                ragged,
                gain,
                same_bin,
                seed,
            }
        })
}

/// Trials with the spikes given to them and their uniforms, `[slot][bin][unit]`.
#[derive(Clone, Debug)]
pub struct Batch<T> {
    pub layout: TrialLayout,
    /// Observed units only; of a free-running trial, only the bins of history count.
    pub spikes: TrialArray<u8>,
    pub uniforms: TrialArray<T>,
}

#[derive(Clone, Debug)]
pub struct Problem<T> {
    pub observed: usize,
    pub units: usize,
    /// Units behind these only fill up rows.
    pub live: usize,
    pub lags: usize,
    pub statistic_lags: usize,
    pub theta: f64,
    /// `[source][lag][target]`.
    pub couplings: Vec<T>,
    /// `[source][target]`, 0 where the target is not behind the source; empty without same-bin couplings.
    pub same_bin: Vec<T>,
    pub bias: Vec<T>,
    /// `[condition][bin][unit]`.
    pub drive: TrialArray<T>,
    pub recorded: Batch<T>,
    pub simulated: Batch<T>,
}

/// Value of a term and `WEIGHT` times its gradient.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome<T> {
    pub value: f64,
    pub couplings: Vec<T>,
    pub same_bin: Vec<T>,
    pub bias: Vec<T>,
    pub drive: Vec<T>,
}

/// A sequence of uniforms.
pub struct Numbers {
    stream: Stream,
    next: u32,
}

impl Numbers {
    pub fn new(seed: u64) -> Self {
        Self {
            stream: Stream::new(seed, Purpose::Statistics),
            next: 0,
        }
    }

    /// In [0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.next += 1;
        self.stream.uniform(0, 0, self.next)
    }

    /// In [low, high).
    pub fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.uniform()
    }

    pub fn array<T: Real>(&mut self, shape: [usize; 3], low: f64, high: f64) -> TrialArray<T> {
        let values = (0..shape.iter().product())
            .map(|_| T::new(self.between(low, high)))
            .collect();
        TrialArray::from_vec(values, shape[0], shape[1], shape[2]).unwrap()
    }
}

impl<T: Real> Batch<T> {
    fn draw(shape: &Shape, counts: impl Iterator<Item = usize>, numbers: &mut Numbers) -> Self {
        let condition: Vec<usize> = counts
            .enumerate()
            .flat_map(|(c, count)| vec![c; count])
            .collect();
        // Trials of different conditions take turns.
        let mut order: Vec<(f64, usize)> = condition
            .into_iter()
            .map(|c| (numbers.uniform(), c))
            .collect();
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        let condition: Vec<usize> = order.into_iter().map(|(_, c)| c).collect();
        let bins = condition
            .iter()
            .map(|_| {
                let cut = if shape.ragged { numbers.uniform() } else { 0.0 };
                shape.first_bin + shape.window - (cut * shape.window as f64) as usize
            })
            .collect();
        let layout = TrialLayout::new(condition, bins, shape.first_bin).unwrap();
        let (trials, bins, units) = (
            layout.trials(),
            layout.max_bins(),
            shape.observed + shape.hidden,
        );
        let mut spikes = TrialArray::zeros(trials, bins, 0, shape.observed);
        for k in 0..trials {
            for t in 0..layout.bins(k) {
                for z in spikes.row_mut(k, t) {
                    *z = u8::from(numbers.uniform() < 0.3);
                }
            }
        }
        let uniforms = numbers.array([trials, bins, units], 0.0, 1.0);
        Self {
            layout,
            spikes,
            uniforms,
        }
    }

    /// Condition of each slot.
    pub fn conditions(&self) -> Vec<usize> {
        let slots = 0..self.layout.trials();
        slots.map(|k| self.layout.condition(k)).collect()
    }

    /// Valid bins of each slot.
    pub fn lengths(&self) -> Vec<usize> {
        let slots = 0..self.layout.trials();
        slots.map(|k| self.layout.bins(k)).collect()
    }
}

impl<T: Real> Problem<T> {
    pub fn draw(shape: &Shape) -> Self {
        let mut numbers = Numbers::new(shape.seed);
        let units = shape.observed + shape.hidden;
        let mut recorded = Batch::draw(shape, shape.trials.iter().map(|t| t.1), &mut numbers);
        let simulated = Batch::draw(shape, shape.trials.iter().map(|t| t.0), &mut numbers);
        // Two units that are neither silent nor always active: a statistic always has an entry.
        for unit in 0..2.min(shape.observed) {
            let first = shape.first_bin;
            recorded.spikes.row_mut(0, first)[unit] = 1;
            let other = recorded.layout.trials() - 1;
            recorded
                .spikes
                .row_mut(other, recorded.layout.bins(other) - 1)[unit] = 0;
        }
        let bins = recorded.layout.max_bins().max(simulated.layout.max_bins());
        let weights = units * shape.lags * units;
        let scale = shape.gain / ((units * shape.lags) as f64).sqrt();
        let order = UnitOrder {
            observed: shape.observed,
            live: units,
        };
        let mut same_bin = match shape.same_bin {
            true => numbers.array([1, units, units], -scale, scale).to_vec(),
            false => Vec::new(),
        };
        order.clear_others(&mut same_bin, units);
        Self {
            observed: shape.observed,
            units,
            live: units,
            lags: shape.lags,
            statistic_lags: shape.statistic_lags,
            theta: 0.4,
            couplings: numbers.array([1, 1, weights], -scale, scale).to_vec(),
            same_bin,
            bias: numbers.array([1, 1, units], -0.5, 0.5).to_vec(),
            drive: numbers.array([shape.trials.len(), bins, units], -0.4, 0.5),
            recorded,
            simulated,
        }
    }

    pub fn batch(&self, mode: Mode) -> &Batch<T> {
        match mode {
            Mode::TeacherForced => &self.recorded,
            Mode::FreeRunning => &self.simulated,
        }
    }

    pub fn network(&self) -> Network<'_, T, DenseCoupling<'_, T>, Logistic, Memoryless<T>> {
        let coupling = DenseCoupling::new(&self.couplings, self.units, self.lags).unwrap();
        let network = Network::new(coupling, &self.bias)
            .with_dynamics(Memoryless::new(T::new(self.theta)))
            .with_observed(self.observed)
            .with_live(self.live);
        if self.same_bin.is_empty() {
            return network;
        }
        let coupling = DenseCoupling::new(&self.same_bin, self.units, 1).unwrap();
        let same_bin = SameBin::new(AnyCoupling::Dense(coupling), self.order());
        network.with_same_bin(same_bin.unwrap())
    }

    /// The order in which units of a bin act on each other.
    pub fn order(&self) -> UnitOrder {
        UnitOrder {
            observed: self.observed,
            live: self.live,
        }
    }

    pub fn pass(&self, mode: Mode) -> Trajectory<T> {
        let batch = self.batch(mode);
        let pass = Pass {
            mode,
            ..Pass::teacher_forced(&batch.layout, &batch.spikes, &self.drive)
        };
        let mut out = Trajectory::default();
        let uniforms = GivenUniforms(&batch.uniforms);
        run(&self.network(), &pass, &uniforms, &mut out).unwrap();
        out
    }

    /// Pulls the adjoints of a pass back to the parameters.
    pub fn pull_back(
        &self,
        mode: Mode,
        trajectory: &Trajectory<T>,
        spike_gradient: SpikeGradient,
        adjoints: &mut Adjoints<T>,
    ) -> Gradient<T> {
        let network = self.network();
        let mut gradient = Gradient::zeros(&network, self.drive.trials(), self.drive.bins());
        let of = Sweep {
            mode,
            window: Window::whole(&self.batch(mode).layout, trajectory),
            spike_gradient,
        };
        sweep(&network, &of, adjoints, &mut gradient);
        gradient
    }

    pub fn zero_adjoints(&self, mode: Mode) -> Adjoints<T> {
        let mut adjoints = Adjoints::default();
        adjoints.reset(&self.batch(mode).layout, self.lags, self.units);
        adjoints
    }

    pub fn statistics(&self) -> DataStatistics {
        DataStatistics::new(
            &self.recorded.spikes,
            &self.recorded.layout,
            self.statistic_lags,
        )
    }

    /// A pass, one term of the objective and the reverse sweep.
    pub fn evaluate(
        &self,
        term: &mut dyn LossTerm<T>,
        spike_gradient: SpikeGradient,
    ) -> Result<Outcome<T>, LossError> {
        let mode = term.mode();
        let trajectory = self.pass(mode);
        let mut adjoints = self.zero_adjoints(mode);
        let window = Window::whole(&self.batch(mode).layout, &trajectory);
        let slopes = SlopesOf {
            window,
            escape: &Logistic,
        };
        let value = term.evaluate(&window, WEIGHT, Some(&mut adjoints.sink(&slopes)))?;
        let gradient = self.pull_back(mode, &trajectory, spike_gradient, &mut adjoints);
        Ok(Outcome {
            value,
            couplings: gradient.couplings.to_vec(),
            same_bin: gradient.same_bin.to_vec(),
            bias: gradient.bias,
            drive: gradient.drive.to_vec(),
        })
    }
}

impl<T: Transformable> Problem<T> {
    /// Every term, named.
    pub fn terms(&self) -> Vec<(&'static str, Box<dyn LossTerm<T>>)> {
        let (n, lags, data) = (
            self.observed,
            self.statistic_lags,
            Arc::new(self.statistics()),
        );
        let recorded = RecordedTrials {
            spikes: self.recorded.spikes.clone(),
            layout: self.recorded.layout.clone(),
            // Trials that nothing is kept of.
            keys: Vec::new(),
        };
        let batch = BatchTrials::new(Arc::new(recorded));
        let same_bin = !self.same_bin.is_empty();
        let noise = |parts| {
            let term = NoiseCovariance::<T>::new(data.clone(), parts);
            Box::new(term.with_same_bin(same_bin))
        };
        let published = |wrap| {
            let batch = batch.clone();
            Box::new(PublishedNoiseCovariance::<T>::new(n, lags, wrap, batch))
        };
        let mut terms: Vec<(&'static str, Box<dyn LossTerm<T>>)> = vec![
            ("likelihood", Box::new(Likelihood::new(Logistic, n))),
            (
                "published PSTH",
                Box::new(PublishedPsth::new(n, batch.clone())),
            ),
            ("PSTH", Box::new(Psth::new(data.clone()))),
            ("noise covariance", noise(1)),
            ("noise covariance in 2 parts", noise(2)),
            ("noise covariance in 3 parts", noise(3)),
            ("published noise covariance", published(false)),
            ("published noise covariance, circular", published(true)),
        ];
        if self.live > n {
            terms.push((
                "hidden rate",
                Box::new(HiddenRate::new(n..self.live, HIDDEN_TARGET)),
            ));
            terms.push((
                "published hidden rate",
                Box::new(PublishedHiddenRate::new(n..self.live, HIDDEN_TARGET)),
            ));
        }
        terms
    }
}

/// Whether the largest absolute difference is within `tolerance` of the largest value expected. A
/// gradient that is zero by a cancellation may come out as the rounding of its terms.
pub fn close(found: &[f64], expected: &[f64], tolerance: f64) -> bool {
    const ROUNDING: f64 = 1e-14;
    assert_eq!(found.len(), expected.len());
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs());
    let scale = expected.iter().fold(0.0f64, |m, b| m.max(b.abs()));
    worst.fold(0.0f64, f64::max) <= tolerance * scale + ROUNDING
        && found.iter().all(|a| a.is_finite())
}
