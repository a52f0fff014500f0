//! What moves the parameters along a gradient, with its state.

use crate::Optimiser;
use refire_convex::{Curvature, Tensors};
use refire_engine::{Parameters, TENSORS};
use refire_optim::{Adam, Descent, Natural, clip_norm};

const COUNT: usize = TENSORS.len();

/// Limit of the gradient norm of each tensor, for Adam (published).
const CLIP: f64 = 1.0;

/// State of what moves the parameters.
#[derive(Clone, Debug)]
pub(crate) enum MovedBy {
    Adam([Adam<f32>; COUNT]),
    Natural(Natural<f32, COUNT>),
}

/// What a file holds of it: both running means of each tensor, steps made, and the usual lengths of natural gradients.
pub(crate) struct Held<S, U> {
    pub first: [S; COUNT],
    pub second: [S; COUNT],
    pub steps: u64,
    pub usual: U,
}

impl MovedBy {
    /// Before the first step.
    pub fn start(optimiser: Optimiser, parameters: &Parameters<f32>) -> Self {
        match optimiser {
            Optimiser::Natural(_) => {
                let lengths = parameters.tensors().map(Vec::len);
                Self::Natural(Natural::new(lengths, parameters.bias.len()))
            }
            Optimiser::Adam { .. } | Optimiser::Lbfgs { .. } => {
                Self::Adam(parameters.tensors().map(|tensor| Adam::new(tensor.len())))
            }
        }
    }

    /// What a file is to hold.
    pub fn held(&self) -> Held<&[f32], &[f64]> {
        match self {
            Self::Adam(all) => Held {
                first: all.each_ref().map(Adam::first_moment),
                second: all.each_ref().map(Adam::second_moment),
                steps: all[0].steps(),
                usual: &[],
            },
            Self::Natural(natural) => Held {
                first: natural.gradient(),
                second: natural.direction(),
                steps: natural.steps(),
                usual: natural.usual(),
            },
        }
    }

    /// From what a file held; `None` where that is not whole.
    pub fn from_held(
        optimiser: Optimiser,
        held: Held<Vec<f32>, Vec<f64>>,
        parameters: &Parameters<f32>,
    ) -> Option<Self> {
        let Held {
            first,
            second,
            steps,
            usual,
        } = held;
        match optimiser {
            Optimiser::Natural(_) => {
                let right = usual.len() == parameters.bias.len()
                    && usual.iter().all(|l| l.is_finite() && *l >= 0.0);
                let natural = Natural::from_parts(first, second, usual, steps);
                natural.filter(|_| right).map(Self::Natural)
            }
            Optimiser::Adam { .. } | Optimiser::Lbfgs { .. } => {
                let mut all = parameters.tensors().map(|tensor| Adam::new(tensor.len()));
                for (adam, (first, second)) in all.iter_mut().zip(first.into_iter().zip(second)) {
                    *adam = Adam::from_parts(first, second, steps)?;
                }
                Some(Self::Adam(all))
            }
        }
    }

    /// Moves the parameters against the gradient, which Adam clips. Natural steps are none without a curvature.
    pub fn step(
        &mut self,
        parameters: &mut Parameters<f32>,
        gradient: &mut Parameters<f32>,
        curvature: Option<&Curvature<f32>>,
        rate: f64,
    ) {
        match (self, curvature) {
            (Self::Adam(all), _) => {
                let tensors = parameters.tensors_mut().into_iter();
                for ((tensor, gradient), adam) in tensors.zip(gradient.tensors_mut()).zip(all) {
                    let _ = clip_norm(gradient, CLIP);
                    adam.step(tensor, gradient, rate);
                }
            }
            (Self::Natural(natural), Some(curvature)) => {
                let mut direction = gradient.clone();
                let [couplings, bias, drive, same_bin] = direction.tensors_mut();
                curvature.inverse_times(
                    Tensors {
                        couplings: &gradient.couplings[..],
                        same_bin: &gradient.same_bin,
                        drive: &gradient.drive,
                        bias: &gradient.bias,
                    },
                    Tensors {
                        couplings: &mut couplings[..],
                        same_bin,
                        drive,
                        bias,
                    },
                );
                let descent = Descent {
                    gradient: gradient.tensors().map(Vec::as_slice),
                    direction: direction.tensors().map(Vec::as_slice),
                    scored: curvature.scored(),
                };
                natural.step(
                    parameters.tensors_mut().map(Vec::as_mut_slice),
                    descent,
                    rate,
                );
            }
            (Self::Natural(_), None) => {}
        }
    }
}
