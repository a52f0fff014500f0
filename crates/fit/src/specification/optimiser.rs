//! What moves the parameters.

use super::numbers::{not_negative, positive};
use crate::FitError;
use refire_neuron::SpikeGradient;
use serde::{Deserialize, Serialize};

/// What moves the parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Optimiser {
    /// Natural-gradient steps from near the optimum of the likelihood: gradients that the curvature of the likelihood is
    /// divided out of ([`refire_optim::Natural`]). Where that curvature cannot be had (hidden units, bounds on signs, couplings that
    /// are not dense, no validation trials: [`crate::Trainer`]) it is [`Self::Adam`].
    Natural(Steps),
    /// Adam, on batches.
    Adam {
        /// Couplings at the start. Given: drawn, with this multiple of the published standard deviation
        /// `1/sqrt(in-degree * lags)`. None: those of the likelihood's optimum under the priors, or under stronger ones,
        /// whichever serves the whole objective best on validation trials; drawn with a scale of 0.1 where that
        /// cannot be had ([`crate::Trainer`]).
        initial_scale: Option<f64>,
        /// Iterations, learning rate and spike gradient.
        steps: Steps,
    },
    /// L-BFGS on all training trials to the optimum of the likelihood, and then perhaps Adam: what an objective with
    /// statistics takes.
    Lbfgs {
        /// Ridge, on couplings and drive weights alike.
        ridge: Ridge,
        /// Adam from that optimum on; `None` ends the fit there.
        then: Option<Steps>,
    },
}

/// An optimiser by its name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OptimiserKind {
    /// [`Optimiser::Natural`].
    Natural,
    /// [`Optimiser::Adam`]: what files of version 1 know.
    #[default]
    Adam,
    /// [`Optimiser::Lbfgs`].
    Lbfgs,
}

/// Numbers of the iterations.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Steps {
    /// Number of iterations, one batch each.
    pub iterations: usize,
    /// Learning rate of the first iterations; it decays to zero as half a cosine. None: 0.1 of natural steps, of Adam 0.003
    /// from the optimum of the likelihood, 0.01 from drawn couplings ([`Optimiser::learning_rate`]).
    pub learning_rate: Option<f64>,
    /// What stands in for the derivative of a spike. Below 1 the factor of [`SpikeGradient::Damped`] shortens paths
    /// through many spikes, whose gradient is noisy, and whose bias grows with the coupling.
    pub spike_gradient: SpikeGradient,
}

/// Factor on the escape derivative unless said.
pub(super) const DAMPENING: f64 = 0.5;

/// [`Optimiser::Adam`]'s scale of the start unless said.
pub(super) const INITIAL_SCALE: f64 = 0.1;

/// Learning rate of natural steps unless said: a tenth of the way to where the likelihood alone would go.
const NATURAL: f64 = 0.1;

/// Learning rate of Adam from drawn couplings unless said.
const FROM_DRAWN: f64 = 1e-2;

/// Learning rate of Adam from the optimum of the likelihood unless said: it moves every parameter by about as much in each
/// of its first steps, and those of an optimum are not to be lost in them.
const FROM_OPTIMUM: f64 = 3e-3;

impl Default for Steps {
    fn default() -> Self {
        Self {
            iterations: 300,
            learning_rate: None,
            spike_gradient: SpikeGradient::Damped(DAMPENING),
        }
    }
}

/// Ridge of the convex fit: precision of a Gaussian prior in units of the potential.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Ridge {
    /// The one that predicts the validation trials best; the priors where there are none.
    #[default]
    Validation,
    /// As given; 0 is none.
    Given(f64),
}

/// Priors: of drive weights Gaussian, of couplings Student's t, which holds small ones as a Gaussian does and lets the
/// few strong ones be strong (refractoriness; two units that are one neuron sorted twice). Scales, which are standard
/// deviations of the Gaussian, are in units of the potential; what is not given is chosen by the likelihood of
/// validation trials before the fit ([`crate::Trainer`]).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Priors {
    /// Scale of a coupling divided by theta.
    pub coupling: Option<f64>,
    /// Scale of a same-bin coupling divided by theta.
    pub same_bin: Option<f64>,
    /// Standard deviation of a drive weight divided by theta. What validation trials choose is 1 or more.
    pub drive: Option<f64>,
    /// Degrees of freedom `nu` of Student's t: `p(w) ~ (1 + w^2 / (nu scale^2))^(-(nu + 1)/2)`. `None` is a Gaussian, which
    /// factors of low-rank couplings have in any case.
    pub tails: Option<f64>,
}

/// Precision of a prior of this scale.
fn precision(scale: f64) -> f64 {
    1.0 / (scale * scale)
}

impl Default for Priors {
    fn default() -> Self {
        Self {
            coupling: None,
            same_bin: None,
            drive: None,
            tails: Some(Self::TAILS),
        }
    }
}

impl Priors {
    /// Degrees of freedom of the prior of couplings unless said.
    pub const TAILS: f64 = 3.0;

    /// Scale of a coupling where validation trials cannot tell.
    pub const COUPLING: f64 = 0.15;

    /// Scale of a same-bin coupling where validation trials cannot tell.
    pub const SAME_BIN: f64 = 1.0;

    /// Standard deviation of a drive weight where validation trials cannot tell.
    pub const DRIVE: f64 = 1.0;

    /// Scale of a coupling, given or as where validation trials cannot tell.
    pub fn coupling(&self) -> f64 {
        self.coupling.unwrap_or(Self::COUPLING)
    }

    /// The same of a drive weight.
    pub fn drive(&self) -> f64 {
        self.drive.unwrap_or(Self::DRIVE)
    }

    /// The same of a same-bin coupling.
    pub fn same_bin(&self) -> f64 {
        self.same_bin.unwrap_or(Self::SAME_BIN)
    }

    /// What the convex solver takes for them, in units of the potential.
    pub(crate) fn ridge(&self) -> refire_convex::Ridge {
        refire_convex::Ridge {
            couplings: precision(self.coupling()),
            same_bin: precision(self.same_bin()),
            drive: precision(self.drive()),
            tails: self.tails,
        }
    }
}

impl Default for Optimiser {
    fn default() -> Self {
        Self::Natural(Steps::default())
    }
}

impl Optimiser {
    /// Its name.
    pub fn kind(&self) -> OptimiserKind {
        match self {
            Self::Natural(_) => OptimiserKind::Natural,
            Self::Adam { .. } => OptimiserKind::Adam,
            Self::Lbfgs { .. } => OptimiserKind::Lbfgs,
        }
    }

    /// Numbers of its iterations, where there are any.
    pub fn steps(&self) -> Option<&Steps> {
        match self {
            Self::Natural(steps) | Self::Adam { steps, .. } => Some(steps),
            Self::Lbfgs { then, .. } => then.as_ref(),
        }
    }

    /// The same, to change.
    pub fn steps_mut(&mut self) -> Option<&mut Steps> {
        match self {
            Self::Natural(steps) | Self::Adam { steps, .. } => Some(steps),
            Self::Lbfgs { then, .. } => then.as_mut(),
        }
    }

    /// Standard deviation of couplings that are drawn for the start, as a multiple of `1/sqrt(in-degree * lags)`.
    pub fn initial_scale(&self) -> f64 {
        match self {
            Self::Adam { initial_scale, .. } => initial_scale.unwrap_or(INITIAL_SCALE),
            Self::Natural(_) | Self::Lbfgs { .. } => INITIAL_SCALE,
        }
    }

    /// Whether iterations are to start from the optimum of the likelihood, if that can be had.
    pub(crate) fn seeks_optimum(&self) -> bool {
        match self {
            Self::Natural(_) => true,
            Self::Adam { initial_scale, .. } => initial_scale.is_none(),
            Self::Lbfgs { .. } => false,
        }
    }

    /// Adam in the place of natural steps, from the same start.
    pub(crate) fn without_curvature(&mut self) {
        if let Self::Natural(steps) = *self {
            *self = Self::Adam {
                initial_scale: None,
                steps,
            };
        }
    }

    /// Has couplings drawn for the start where nothing is said.
    pub(crate) fn draw_start(&mut self) {
        self.without_curvature();
        if let Self::Adam { initial_scale, .. } = self {
            initial_scale.get_or_insert(INITIAL_SCALE);
        }
    }

    /// Fills in the learning rate, once it is settled where iterations start.
    pub(crate) fn settle_rate(&mut self) {
        let rate = self.learning_rate();
        if let Some(steps) = self.steps_mut() {
            steps.learning_rate.get_or_insert(rate);
        }
    }

    /// Learning rate of the first iterations, given or by what makes them and where they start.
    pub fn learning_rate(&self) -> f64 {
        let own = match self {
            Self::Natural(_) => NATURAL,
            Self::Adam {
                initial_scale: Some(_),
                ..
            } => FROM_DRAWN,
            Self::Adam { .. } | Self::Lbfgs { .. } => FROM_OPTIMUM,
        };
        self.steps()
            .and_then(|steps| steps.learning_rate)
            .unwrap_or(own)
    }

    /// What stands in for the derivative of a spike.
    pub fn spike_gradient(&self) -> SpikeGradient {
        let default = Steps::default().spike_gradient;
        self.steps().map_or(default, |steps| steps.spike_gradient)
    }

    pub(super) fn check(&self) -> Result<(), FitError> {
        positive("initial-scale", self.initial_scale())?;
        positive("learning-rate", self.learning_rate())?;
        if let Some(SpikeGradient::Damped(by)) = self.steps().map(|steps| steps.spike_gradient) {
            positive("spike-dampening", by)?;
        }
        match self {
            Self::Lbfgs {
                ridge: Ridge::Given(ridge),
                ..
            } => not_negative("ridge", *ridge),
            _ => Ok(()),
        }
    }
}
