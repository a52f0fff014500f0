//! Spike gradients: what stands in for `dz/dv` of a sampled spike.

use refire_kernels::Real;
use serde::{Deserialize, Serialize};

/// The pseudo-derivative `dz/dv` used by back-propagation through sampled spikes.
///
/// No surrogate is the derivative of the sampled loss, so finite differences of that loss cannot
/// check it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SpikeGradient {
    /// `dp/dv`, the derivative of the escape function: what stochastic automatic differentiation
    /// justifies (Gygax & Zenke, Neural Computation 37:886, 2025).
    #[default]
    Escape,
    /// `0.3 max(0, 1 - |v|)` (published): zero unless 0.27 < p < 0.73.
    Triangle,
    /// 0: only likelihood-like pathways that do not pass through a spike.
    None,
    /// The escape derivative times a factor below 1.
    #[serde(skip)]
    Damped(f64),
}

impl SpikeGradient {
    /// `dz/dv` at a potential, given the slope `dp/dv` of the escape function there.
    #[inline(always)]
    pub fn factor<T: Real>(self, potential: T, slope: T) -> T {
        match self {
            Self::Escape => slope,
            Self::Triangle => T::of(0.3) * (T::one() - potential.abs()).max(T::zero()),
            Self::None => T::zero(),
            Self::Damped(factor) => T::of(factor) * slope,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_triangle_is_blind_outside_its_support() {
        assert_eq!(SpikeGradient::Triangle.factor(0.0, 0.25), 0.3);
        assert_eq!(SpikeGradient::Triangle.factor(-0.5, 0.2), 0.15);
        assert_eq!(SpikeGradient::Triangle.factor(1.5, 0.1), 0.0);
        assert_eq!(SpikeGradient::None.factor(0.0, 0.25), 0.0);
        assert_eq!(SpikeGradient::Damped(0.5).factor(0.0, 0.25), 0.125);
    }
}
