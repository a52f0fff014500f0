//! Priors of the parameters.

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
    /// Adds the priors of couplings and drive weights, relative to the likelihood of all training bins: of `N` scored
    /// (trial, bin, unit),
    ///
    /// ```text
    /// Gaussian     d/dw [w^2 / (2 s^2 N)]                          = w / (s^2 N)                      s = theta sd
    /// Student's t  d/dw [(nu + 1)/2 ln(1 + w^2 / (nu s^2)) / N]    = w / (s^2 N) (1 + 1/nu) / (1 + w^2 / (nu s^2))
    /// ```
    ///
    /// Biases have none. The factors of low-rank couplings have the Gaussian that gives couplings their standard deviation.
    pub(crate) fn add_gradient(
        &self,
        parameters: &Parameters<f32>,
        gradient: &mut Parameters<f32>,
    ) {
        let (theta, priors) = (self.spec.network.dynamics.theta(), self.spec.priors);
        let of_couplings = self.wiring.sd_of_parameters(theta * priors.coupling());
        let tails = priors.tails.filter(|_| !self.wiring.is_low_rank());
        let drive = self.drive.clone();
        let all = [
            (
                &mut gradient.couplings[..],
                &parameters.couplings[..],
                (of_couplings, tails),
            ),
            (
                &mut gradient.same_bin[..],
                &parameters.same_bin[..],
                (theta * priors.same_bin(), priors.tails),
            ),
            (
                &mut gradient.drive[drive.clone()],
                &parameters.drive[drive],
                (theta * priors.drive(), None),
            ),
        ];
        for (gradient, values, (scale, tails)) in all {
            let precision = 1.0 / scale.powi(2);
            let strength = (precision / self.scored) as f32;
            let Some(nu) = tails else {
                for (g, &w) in gradient.iter_mut().zip(values) {
                    *g += strength * w;
                }
                continue;
            };
            let (strength, share) = (strength * (1.0 + 1.0 / nu) as f32, (precision / nu) as f32);
            for (g, &w) in gradient.iter_mut().zip(values) {
                *g += strength * w / (1.0 + share * w * w);
            }
        }
    }
}
