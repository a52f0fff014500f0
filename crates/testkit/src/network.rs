//! Networks small enough that all their spike paths can be listed.

use crate::OracleError;
use refire_core::{TrialArray, TrialLayout};
use refire_neuron::{EscapeNoise, Logistic, Memoryless};
use refire_random::{KeyedUniforms, Purpose, Stream};
use refire_sim::{AnyCoupling, DenseCoupling, Network, Pass, SameBin, Trajectory, UnitOrder, run};

/// A network with everything that decides its activity. Observed units come first.
#[derive(Clone, Debug, PartialEq)]
pub struct TinyNetwork {
    /// Observed units.
    pub observed: usize,
    /// All units.
    pub units: usize,
    /// Lags of the couplings, bins.
    pub lags: usize,
    /// Bins of a trial, history included.
    pub bins: usize,
    /// Threshold, current.
    pub theta: f64,
    /// `[source][lag][target]`, current per spike.
    pub couplings: Vec<f64>,
    /// `[source][target]`, current per spike, 0 where the target is not behind the source (hidden units first, then
    /// observed ones); empty without same-bin couplings.
    pub same_bin: Vec<f64>,
    /// `[unit]`, current.
    pub bias: Vec<f64>,
    /// One drive per condition, each `[bin][unit]`, current.
    pub drive: Vec<Vec<f64>>,
}

/// Size of a [`TinyNetwork`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TinyShape {
    /// Observed units.
    pub observed: usize,
    /// All units.
    pub units: usize,
    /// Lags of the couplings, bins.
    pub lags: usize,
    /// Bins of a trial, history included.
    pub bins: usize,
}

/// Strengths of a [`TinyNetwork`], in units of the potential.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Strengths {
    /// Standard deviation of the couplings.
    pub couplings: f64,
    /// Every bias.
    pub bias: f64,
    /// Largest drive of either sign.
    pub drive: f64,
}

/// A borrowed [`TinyNetwork`] in the engine's terms.
pub type EngineNetwork<'a, E> = Network<'a, f64, DenseCoupling<'a, f64>, E, Memoryless<f64>>;

/// Trials that refire's simulator drew from a network.
#[derive(Clone, Debug)]
pub struct Simulated {
    /// Condition and length of each trial.
    pub layout: TrialLayout,
    /// Spikes, probabilities and potentials, `[trial][bin][unit]`.
    pub trajectory: Trajectory<f64>,
}

impl TinyNetwork {
    /// A random network (published threshold of 0.4): normal couplings, equal biases, and in each of
    /// `conditions` conditions a uniform drive.
    pub fn draw(shape: TinyShape, strengths: Strengths, conditions: usize, seed: u64) -> Self {
        let TinyShape {
            observed,
            units,
            lags,
            bins,
        } = shape;
        let theta = 0.4;
        let stream = Stream::new(seed, Purpose::Synthetic);
        let mut next = 0;
        let mut uniform = || {
            next += 1;
            stream.uniform(0, 0, next)
        };
        let mut normal = || {
            // Box and Muller; 1 - u is never 0.
            let (radius, angle) = (1.0 - uniform(), uniform());
            (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
        };
        let couplings = (0..units * lags * units)
            .map(|_| theta * strengths.couplings * normal())
            .collect();
        let drive = (0..conditions)
            .map(|_| {
                (0..bins * units)
                    .map(|_| theta * strengths.drive * (2.0 * uniform() - 1.0))
                    .collect()
            })
            .collect();
        Self {
            observed,
            units,
            lags,
            bins,
            theta,
            couplings,
            same_bin: Vec::new(),
            bias: vec![theta * (1.0 + strengths.bias); units],
            drive,
        }
    }

    /// The same with same-bin couplings, uniform up to `strength` of either sign, in units of the potential.
    pub fn with_same_bin(self, strength: f64, seed: u64) -> Self {
        let stream = Stream::new(seed, Purpose::Synthetic);
        let units = self.units;
        let uniform = |at: usize| 2.0 * stream.uniform(1, 0, at as u32) - 1.0;
        let mut same_bin: Vec<f64> = (0..units * units)
            .map(|at| self.theta * strength * uniform(at))
            .collect();
        for (at, w) in same_bin.iter_mut().enumerate() {
            if self.place(at / units) >= self.place(at % units) {
                *w = 0.0;
            }
        }
        Self { same_bin, ..self }
    }

    /// Place of a unit in the order of a bin: hidden units first.
    pub(crate) fn place(&self, unit: usize) -> usize {
        match unit.checked_sub(self.observed) {
            Some(hidden) => hidden,
            None => self.units - self.observed + unit,
        }
    }

    /// Couplings, then biases, then same-bin couplings, of which those that are 0 by the order are none.
    pub fn parameters(&self) -> Vec<f64> {
        let same_bin = self.free_same_bin().map(|at| self.same_bin[at]);
        let all = self.couplings.iter().chain(&self.bias).copied();
        all.chain(same_bin).collect()
    }

    /// Places of the same-bin couplings that the order allows, in [`Self::same_bin`].
    pub fn free_same_bin(&self) -> impl Iterator<Item = usize> {
        let behind = |at: usize| self.place(at / self.units) < self.place(at % self.units);
        (0..self.same_bin.len()).filter(move |&at| behind(at))
    }

    /// The same network with other parameters, in the order of [`Self::parameters`].
    ///
    /// # Errors
    /// [`OracleError::Shape`] where their number differs.
    pub fn with_parameters(&self, parameters: &[f64]) -> Result<Self, OracleError> {
        let places: Vec<usize> = self.free_same_bin().collect();
        let (couplings, bias) = (self.couplings.len(), self.bias.len());
        let expected = couplings + bias + places.len();
        if parameters.len() != expected {
            return Err(shape("parameters", expected, parameters.len()));
        }
        let (couplings, rest) = parameters.split_at(couplings);
        let (bias, within) = rest.split_at(bias);
        let mut same_bin = self.same_bin.clone();
        for (at, &w) in places.into_iter().zip(within) {
            same_bin[at] = w;
        }
        Ok(Self {
            couplings: couplings.to_vec(),
            same_bin,
            bias: bias.to_vec(),
            ..self.clone()
        })
    }

    /// The drive as the simulator takes it, `[condition][bin][unit]`.
    ///
    /// # Errors
    /// [`OracleError::Shape`] where a condition has not `bins * units` numbers.
    pub fn drive_array(&self) -> Result<TrialArray<f64>, OracleError> {
        let all = self.drive.concat();
        let (conditions, expected) = (self.drive.len(), self.drive.len() * self.bins * self.units);
        let found = all.len();
        TrialArray::from_vec(all, conditions, self.bins, self.units).ok_or(shape(
            "drive [condition][bin][unit]",
            expected,
            found,
        ))
    }

    /// The network as refire's engine takes it.
    ///
    /// # Errors
    /// [`OracleError::Sim`] where the couplings have the wrong length.
    pub fn network<E>(&self, escape: E) -> Result<EngineNetwork<'_, E>, OracleError> {
        let coupling = DenseCoupling::new(&self.couplings, self.units, self.lags)?;
        let network = Network::new(coupling, &self.bias)
            .with_escape(escape)
            .with_dynamics(Memoryless::new(self.theta))
            .with_observed(self.observed);
        if self.same_bin.is_empty() {
            return Ok(network);
        }
        let coupling = DenseCoupling::new(&self.same_bin, self.units, 1)?;
        let order = UnitOrder {
            observed: self.observed,
            live: self.units,
        };
        let same_bin = SameBin::new(AnyCoupling::Dense(coupling), order)?;
        Ok(network.with_same_bin(same_bin))
    }

    /// Draws free-running trials with refire's simulator: `trials` of each condition, conditions in
    /// turn, all after the same recorded `history` (`[bin][observed]`).
    ///
    /// # Errors
    /// [`OracleError`] where the network has parts that do not fit together.
    pub fn simulate(
        &self,
        trials: usize,
        history: &[u8],
        seed: u64,
        iteration: u32,
    ) -> Result<Simulated, OracleError> {
        self.simulate_with(Logistic, trials, history, seed, iteration)
    }

    /// [`Self::simulate`] with another escape noise.
    ///
    /// # Errors
    /// [`OracleError`] where the network has parts that do not fit together.
    pub fn simulate_with(
        &self,
        escape: impl EscapeNoise<f64>,
        trials: usize,
        history: &[u8],
        seed: u64,
        iteration: u32,
    ) -> Result<Simulated, OracleError> {
        let (conditions, first_bin) = (self.drive.len(), history.len() / self.observed.max(1));
        let slots = trials * conditions;
        let condition = (0..slots).map(|k| k % conditions).collect();
        let layout = TrialLayout::new(condition, vec![self.bins; slots], first_bin)?;
        let recorded = TrialArray::from_vec(history.repeat(slots), slots, first_bin, self.observed);
        let drive = self.drive_array()?;
        let pass = Pass {
            recorded: recorded.as_ref(),
            ..Pass::free_running(&layout, &drive)
        };
        let network = self.network(escape)?;
        let keys: Vec<u32> = (0..slots as u32).collect();
        let uniforms = KeyedUniforms::new(Stream::new(seed, Purpose::Simulate), iteration, &keys);
        let mut trajectory = Trajectory::default();
        run(&network, &pass, &uniforms, &mut trajectory)?;
        Ok(Simulated { layout, trajectory })
    }
}

impl Simulated {
    /// The spikes of the first `observed` units, `[trial][bin][observed]`.
    pub fn observed(&self, observed: usize) -> TrialArray<u8> {
        let all = &self.trajectory.spikes;
        let mut out = TrialArray::zeros(all.trials(), all.bins(), 0, observed);
        for k in 0..all.trials() {
            for t in 0..all.bins() {
                out.row_mut(k, t)
                    .copy_from_slice(&all.row(k, t)[..observed]);
            }
        }
        out
    }
}

pub(crate) fn shape(what: &'static str, expected: usize, found: usize) -> OracleError {
    OracleError::Shape {
        what,
        expected,
        found,
    }
}
