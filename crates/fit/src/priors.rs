//! Gaussian priors of the parameters.

use crate::Specification;
use refire_engine::{Parameters, Wiring};
use std::ops::Range;

/// What priors are by.
pub(crate) struct PriorsOf<'a> {
    pub spec: &'a Specification,
    pub wiring: &'a Wiring,
    /// Scored (trial, bin, unit) of all training trials.
    pub scored: f64,
    /// Drive weights that are meant to have one.
    pub drive: Range<usize>,
}

impl PriorsOf<'_> {
    /// Adds a Gaussian prior on couplings and drive weights, relative to the likelihood of all training bins:
    /// `d/dw [w^2 / (2 (theta sd)^2 N)]`, `N` scored (trial, bin, unit). Biases have none. The factors of
    /// low-rank couplings have the one that gives couplings their standard deviation.
    pub(crate) fn add_gradient(
        &self,
        parameters: &Parameters<f32>,
        gradient: &mut Parameters<f32>,
    ) {
        let (theta, priors) = (self.spec.network.dynamics.theta(), self.spec.priors);
        let of_couplings = self.wiring.sd_of_parameters(theta * priors.coupling());
        let strength = |sd: f64| (1.0 / (sd.powi(2) * self.scored)) as f32;
        let drive = self.drive.clone();
        let pairs = [
            (
                &mut gradient.couplings[..],
                &parameters.couplings[..],
                strength(of_couplings),
            ),
            (
                &mut gradient.same_bin[..],
                &parameters.same_bin[..],
                strength(theta * priors.same_bin()),
            ),
            (
                &mut gradient.drive[drive.clone()],
                &parameters.drive[drive],
                strength(theta * priors.drive()),
            ),
        ];
        for (gradient, values, strength) in pairs {
            for (g, &w) in gradient.iter_mut().zip(values) {
                *g += strength * w;
            }
        }
    }
}
