//! Trials of a network left to run, in one call.

use crate::{Coupling, Network, Pass, SimError, Trajectory, Window, run};
use refire_core::{TrialArray, TrialLayout};
use refire_kernels::Real;
use refire_neuron::{EscapeNoise, UnitDynamics};
use refire_random::{KeyedUniforms, Purpose, Stream};

/// Free-running trials to simulate.
///
/// ```
/// use refire_sim::{DenseCoupling, Network, Simulation};
///
/// let weights = [0.0f32, 2.0, 0.0, 0.0]; // [source][lag][target]: unit 0 excites unit 1
/// let network = Network::new(DenseCoupling::new(&weights, 2, 1)?, &[0.0, -1.0]);
/// let run = Simulation::new(50, 100).with_seed(7).run(&network)?; // 50 trials of 100 bins
/// let counts = run.trajectory.spikes.as_slice().iter().map(|&z| u32::from(z)).sum::<u32>();
/// assert!(counts > 0);
/// # Ok::<(), refire_sim::SimError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Simulation<'a, T> {
    trials: usize,
    bins: usize,
    seed: u64,
    drive: Option<&'a TrialArray<T>>,
}

/// What a [`Simulation`] has given.
#[derive(Clone, Debug)]
pub struct Simulated<T> {
    /// Condition and length of each trial.
    pub layout: TrialLayout,
    /// Potentials, probabilities and spikes, `[trial][bin][unit]`.
    pub trajectory: Trajectory<T>,
}

impl<T> Simulated<T> {
    /// All of it, as losses and sweeps take it.
    pub fn window(&self) -> Window<'_, T> {
        Window::whole(&self.layout, &self.trajectory)
    }
}

impl<'a, T: Real> Simulation<'a, T> {
    /// `trials` of `bins` bins that start from silence, without drive, of seed 1.
    pub fn new(trials: usize, bins: usize) -> Self {
        Self {
            trials,
            bins,
            seed: 1,
            drive: None,
        }
    }

    /// The same with other random numbers.
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// The same with a drive `[condition][bin][unit]`, current; trials take the conditions in turn.
    pub fn with_drive(self, drive: &'a TrialArray<T>) -> Self {
        Self {
            drive: Some(drive),
            ..self
        }
    }

    /// Runs the trials, in parallel; rows are `[trial][bin][unit]`, hidden units behind observed ones.
    ///
    /// # Errors
    /// [`SimError::Layout`] without trials or bins, [`SimError::Shape`] where the drive does not fit the network.
    pub fn run<C: Coupling<T>, E: EscapeNoise<T>, U: UnitDynamics<T>>(
        &self,
        network: &Network<'_, T, C, E, U>,
    ) -> Result<Simulated<T>, SimError> {
        let silent;
        let drive = match self.drive {
            Some(drive) => drive,
            None => {
                silent = TrialArray::zeros(1, self.bins, 0, network.coupling.units());
                &silent
            }
        };
        let conditions = drive.trials().max(1);
        let conditions = (0..self.trials).map(|k| k % conditions).collect();
        let layout = TrialLayout::new(conditions, vec![self.bins; self.trials], 0)?;
        let keys: Vec<u32> = (0..self.trials as u32).collect();
        let uniforms = KeyedUniforms::new(Stream::new(self.seed, Purpose::Simulate), 0, &keys);
        let mut trajectory = Trajectory::default();
        let pass = Pass::free_running(&layout, drive);
        run(network, &pass, &uniforms, &mut trajectory)?;
        Ok(Simulated { layout, trajectory })
    }
}
