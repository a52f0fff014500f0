//! Loss terms: the likelihood of recorded spikes and the sample-and-measure statistics of simulated
//! ones. Each maps a trajectory to a value and two cotangents (`dL/dv`, `dL/dz`); none sees the
//! network.
//!
//! ```
//! use refire_core::{TrialArray, TrialLayout};
//! use refire_loss::{Likelihood, LossTerm, Sample};
//! use refire_neuron::{Logistic, Memoryless};
//! use refire_random::{KeyedUniforms, Purpose, Stream};
//! use refire_sim::{Cotangents, DenseCoupling, Mode, Network, PassInput, Trajectory, run};
//!
//! let network = Network {
//!     coupling: DenseCoupling::new(&[0.0f64], 1, 1)?,
//!     escape: Logistic,
//!     dynamics: Memoryless::new(0.4),
//!     bias: &[0.4],
//!     observed: 1,
//!     live: 1,
//! };
//! let layout = TrialLayout::uniform(1, 3, 0)?;
//! let recorded = TrialArray::from_vec(vec![0u8, 1, 0], 1, 3, 1).unwrap();
//! let drive = TrialArray::zeros(1, 3, 0, 1);
//! let input = PassInput { layout: &layout, recorded: Some(&recorded), before: None, drive: &drive };
//! let mut trajectory = Trajectory::default();
//! let uniforms = KeyedUniforms::new(Stream::new(1, Purpose::Clamped), 0, &[0]);
//! run(&network, Mode::Clamped, &input, &uniforms, &mut trajectory)?;
//!
//! let mut cotangents = Cotangents::default();
//! cotangents.reset(&layout, 1, 1);
//! let sample = Sample { layout: &layout, trajectory: &trajectory, recorded: None, recorded_keys: &[] };
//! let mut term = Likelihood::new(Logistic, 1);
//! let nats = term.evaluate(&sample, 1.0, &mut cotangents)?;
//! assert!((nats - 2f64.ln()).abs() < 1e-12); // p = 1/2 in every bin
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Layer 3: uses `refire-core`, `refire-kernels`, `refire-neuron`, `refire-random`, `refire-sim`.
//! Source: Bellec, Wang et al., NeurIPS 2021 (arXiv 2106.10064) for the published forms; the
//! corrected forms are derived in `docs/estimators.md`.

mod covariance;
mod data;
mod hidden;
mod likelihood;
mod noise;
mod noise_published;
mod noise_sampled;
mod psth;
mod recorded;
mod spectral;
mod trials;
mod windows;

pub use data::DataStatistics;
pub use hidden::{HiddenRate, PublishedHiddenRate};
pub use likelihood::Likelihood;
pub use noise::NoiseCovariance;
pub use noise_published::PublishedNoiseCovariance;
pub use noise_sampled::{SampledNoiseCovariance, units_for_pairs};
pub use psth::{Psth, PublishedPsth};
pub use windows::WindowedTerm;

use refire_core::{TrialArray, TrialLayout};
use refire_kernels::Real;
use refire_sim::{Cotangents, Mode, Trajectory};

/// Why a loss has no value.
#[derive(Debug, thiserror::Error, PartialEq)]
#[non_exhaustive]
pub enum LossError {
    /// No condition of the batch has enough trials for the statistic.
    #[error("loss term {term}: no condition of the batch has {needed} trials of a bin in common")]
    NoUsableCondition {
        /// Name of the term.
        term: &'static str,
        /// Trials of one condition it needs.
        needed: usize,
    },
    /// The term compares with recorded trials of the batch and got none.
    #[error("loss term {term}: expected the recorded trials of the batch, found none")]
    NoRecordedTrials {
        /// Name of the term.
        term: &'static str,
    },
    /// The batch holds a condition the data statistics lack.
    #[error("loss term {term}: no data statistics of condition {condition}")]
    UnknownCondition {
        /// Name of the term.
        term: &'static str,
        /// Dense index of the condition.
        condition: usize,
    },
}

/// One pass over a batch, as a loss sees it.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a, T> {
    /// Condition and length of each slot.
    pub layout: &'a TrialLayout,
    /// What the pass left behind.
    pub trajectory: &'a Trajectory<T>,
    /// Recorded trials of the batch `[slot][bin][observed]` and their layout: the data side of the
    /// published statistics.
    pub recorded: Option<(&'a TrialArray<u8>, &'a TrialLayout)>,
    /// What tells these trials apart over the batches of a fit, one key each; none where that is not known.
    pub recorded_keys: &'a [u32],
}

/// A term of the objective.
pub trait LossTerm<T: Real>: Send {
    /// Short name, as in settings and results.
    fn name(&self) -> &'static str;

    /// The pass whose trajectory the term measures.
    fn pass(&self) -> Mode;

    /// Draws what the term leaves to chance, a pure function of the iteration; comes before the
    /// evaluations of an iteration, whose passes do not depend on it.
    fn draw(&mut self, _iteration: u32) {}

    /// What the term measures in an iteration, where that is a random sample; `None` where it is
    /// everything.
    fn sampled(&self) -> Option<String> {
        None
    }

    /// Whether the value is a mean over the scored (trial, bin) pairs, each by itself: the windows of a
    /// pass may then be evaluated one at a time, and each counts by its share of the pairs.
    fn is_mean_of_bins(&self) -> bool {
        false
    }

    /// The term for passes that are held window by window; `None` where it needs all bins at once, or,
    /// being a [mean of bins](Self::is_mean_of_bins), nothing but [`Self::evaluate`].
    fn windowed(&mut self) -> Option<&mut dyn WindowedTerm<T>> {
        None
    }

    /// The unweighted value of the term; adds `weight` times its derivatives to `cotangents`,
    /// which has the shape of the trajectory.
    ///
    /// # Errors
    /// [`LossError`] where the batch does not allow the statistic: never a silent zero.
    fn evaluate(
        &mut self,
        sample: &Sample<'_, T>,
        weight: f64,
        cotangents: &mut Cotangents<T>,
    ) -> Result<f64, LossError>;
}
