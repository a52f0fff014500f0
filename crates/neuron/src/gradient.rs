//! Spike gradients: what stands in for `dz/dv` of a sampled spike.

use refire_kernels::Real;
use serde::{Deserialize, Serialize};

/// How the gradient passes sampled spikes: the pseudo-derivative `dz/dv` of back-propagation, or no
/// such factor and the score function in its place (`docs/estimators.md`, "The spike gradient").
///
/// No surrogate is the derivative of the sampled loss, so finite differences of that loss cannot
/// check it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpikeGradient {
    /// `dp/dv`, the derivative of the escape function: what stochastic automatic differentiation
    /// justifies (Gygax & Zenke, Neural Computation 37:886, 2025). First order in the couplings.
    #[default]
    Escape,
    /// `0.3 max(0, 1 - |v|)` (published): zero unless 0.27 < p < 0.73.
    Triangle,
    /// 0: only likelihood-like pathways that do not pass through a spike.
    None,
    /// `p' / (2 P(z | v))` (Liu et al., "Bridging Discrete and Backpropagation: Straight-Through and
    /// Beyond", NeurIPS 2023): the trapezoid rule with one of its two points drawn. Second order in
    /// the couplings at the cost of [`Self::Escape`]; its second moment is `1/(4 p (1 - p))` times
    /// as large.
    #[serde(rename = "reinmax")]
    ReinMax,
    /// 0, and the score function with a leave-one-out baseline instead (Williams, Machine Learning
    /// 8:229, 1992): unbiased. Evaluates the terms `trials + 1` times per iteration, and its variance
    /// grows with the number of spikes drawn: meant for small networks.
    Score,
    /// The escape derivative times a factor below 1.
    #[serde(skip)]
    Damped(f64),
}

impl SpikeGradient {
    /// `dz/dv` at a potential, given the slope `dp/dv` of the escape function there and the slope
    /// `d(-ln P(z | v))/dv` of the surprise of the spike drawn, which is `-p'/p` for a spike and
    /// `p'/(1 - p)` for none: no division here, hence none by zero where `p` has saturated.
    #[inline(always)]
    pub fn factor<T: Real>(self, potential: T, slope: T, surprise_slope: T) -> T {
        match self {
            Self::Escape => slope,
            Self::Triangle => T::new(0.3) * (T::one() - potential.abs()).max(T::zero()),
            Self::None | Self::Score => T::zero(),
            Self::ReinMax => T::new(0.5) * surprise_slope.abs(),
            Self::Damped(factor) => T::new(factor) * slope,
        }
    }

    /// Whether any gradient flows back into a sampled spike: whether [`Self::factor`] is ever not 0.
    pub fn passes_spikes(self) -> bool {
        !matches!(self, Self::None | Self::Score)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EscapeNoise, Logistic};

    #[test]
    fn the_triangle_is_blind_outside_its_support() {
        let factor = |kind: SpikeGradient, v, slope| kind.factor(v, slope, -0.5);
        assert_eq!(factor(SpikeGradient::Triangle, 0.0, 0.25), 0.3);
        assert_eq!(factor(SpikeGradient::Triangle, -0.5, 0.2), 0.15);
        assert_eq!(factor(SpikeGradient::Triangle, 1.5, 0.1), 0.0);
        assert_eq!(factor(SpikeGradient::Escape, 1.5, 0.1), 0.1);
        assert_eq!(factor(SpikeGradient::Damped(0.5), 0.0, 0.25), 0.125);
        for blind in [SpikeGradient::None, SpikeGradient::Score] {
            assert_eq!(factor(blind, 0.0, 0.25), 0.0);
            assert!(!blind.passes_spikes());
        }
    }

    /// Probability and factor of a spike and of none.
    fn outcomes(kind: SpikeGradient, v: f64) -> [(f64, f64); 2] {
        let p = Logistic.probability(v);
        [false, true].map(|z| {
            let surprise = Logistic.surprise_slope(v, p, z);
            let factor = kind.factor(v, Logistic.slope(v, p), surprise);
            (if z { p } else { 1.0 - p }, factor)
        })
    }

    #[test]
    fn reinmax_is_half_the_distance_from_spike_to_probability() {
        let [(_, none), (p, spike)] = outcomes(SpikeGradient::ReinMax, -1.3);
        assert_eq!([none, spike], [p / 2.0, (1.0 - p) / 2.0]);
        for v in [-500.0f32, 500.0] {
            let p = Logistic.probability(v);
            let slope = Logistic.slope(v, p);
            let factors = [false, true]
                .map(|z| SpikeGradient::ReinMax.factor(v, slope, Logistic.surprise_slope(v, p, z)));
            // What happens surely passes nothing; the other, never drawn, 1/2 and not infinity.
            let [sure, never] = if v > 0.0 { [1, 0] } else { [0, 1] };
            assert!(factors[sure] < 1e-37);
            assert_eq!(factors[never], 0.5);
        }
    }

    /// `d/dv E[f(z)] = p' (f(1) - f(0))` is `E[factor f'(z)]` for a quadratic `f`, for which the
    /// escape derivative is wrong unless `p = 1/2`.
    #[test]
    fn reinmax_is_exact_for_a_quadratic_and_the_escape_derivative_is_not() {
        let (slope_at_0, curvature) = (0.7, -1.9);
        for v in [-3.0, -0.4, 1.1] {
            let p = Logistic.probability(v);
            let exact = p * (1.0 - p) * (slope_at_0 + 0.5 * curvature);
            let expected = |kind| -> f64 {
                let [(q, none), (p, spike)] = outcomes(kind, v);
                q * none * slope_at_0 + p * spike * (slope_at_0 + curvature)
            };
            assert!((expected(SpikeGradient::ReinMax) - exact).abs() < 1e-15);
            let bias = p * (1.0 - p) * (p - 0.5) * curvature;
            assert!((expected(SpikeGradient::Escape) - exact - bias).abs() < 1e-15);
            assert!(bias.abs() > 0.01);
            let second_moment = |kind| -> f64 {
                outcomes(kind, v)
                    .iter()
                    .map(|(p, factor)| p * factor * factor)
                    .sum()
            };
            let ratio =
                second_moment(SpikeGradient::ReinMax) / second_moment(SpikeGradient::Escape);
            assert!((ratio * 4.0 * p * (1.0 - p) - 1.0).abs() < 1e-12);
        }
    }
}
