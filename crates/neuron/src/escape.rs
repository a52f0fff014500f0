//! Escape noise (inverse link): from the potential to the probability of a spike in the bin.

use refire_kernels::{Real, logistic, softplus};

/// An escape function with what the losses and the adjoint need of it.
///
/// Everything that can saturate is computed from the potential, never from the probability.
pub trait EscapeNoise<T: Real>: Sync {
    /// `p(v)`: probability of a spike in the bin, dimensionless.
    fn probability(&self, potential: T) -> T;

    /// `dp/dv`, given `p = p(v)`.
    fn slope(&self, potential: T, probability: T) -> T;

    /// `-ln P(z | v)` in nats: the Bernoulli cross-entropy of one bin.
    fn surprise(&self, potential: T, spiked: bool) -> T;

    /// [`Self::surprise`], given `p = p(v)`, which may save an exponential. Where `p` is near 1, the part of
    /// it that is not linear in `v` is exact to the rounding of `p` only.
    fn surprise_given(&self, potential: T, _probability: T, spiked: bool) -> T {
        self.surprise(potential, spiked)
    }

    /// `d(-ln P(z | v))/dv`, given `p = p(v)`.
    fn surprise_slope(&self, potential: T, probability: T, spiked: bool) -> T;

    /// The potential at which a unit fires with `probability`, at least 0 and below 1; of 0, one at which it is
    /// next to never.
    fn potential(&self, probability: T) -> T;
}

/// `p = 1 / (1 + exp(-v))` (the published choice).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Logistic;

impl<T: Real> EscapeNoise<T> for Logistic {
    #[inline(always)]
    fn probability(&self, potential: T) -> T {
        logistic(potential)
    }

    #[inline(always)]
    fn slope(&self, _potential: T, probability: T) -> T {
        probability * (T::one() - probability)
    }

    #[inline(always)]
    fn surprise(&self, potential: T, spiked: bool) -> T {
        softplus(if spiked { -potential } else { potential })
    }

    /// `softplus(x) = max(x, 0) + ln(1 + exp(-|v|))`, and `1/(1 + exp(-|v|)) = max(p, 1 - p)`.
    #[inline(always)]
    fn surprise_given(&self, potential: T, probability: T, spiked: bool) -> T {
        let linear = if spiked { -potential } else { potential };
        let less_likely = probability.min(T::one() - probability);
        linear.max(T::zero()) + less_likely.minus_ln_1m_fast()
    }

    #[inline(always)]
    fn surprise_slope(&self, _potential: T, probability: T, spiked: bool) -> T {
        if spiked {
            probability - T::one()
        } else {
            probability
        }
    }

    #[inline(always)]
    fn potential(&self, probability: T) -> T {
        let odds = probability / (T::one() - probability);
        odds.max(T::min_positive_value()).ln_fast()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check_slopes(escape: &impl EscapeNoise<f64>, v: f64) {
        let h = 1e-5;
        let centred = |f: &dyn Fn(f64) -> f64| (f(v + h) - f(v - h)) / (2.0 * h);
        let p = escape.probability(v);
        let slope = centred(&|v| escape.probability(v));
        assert!((escape.slope(v, p) - slope).abs() < 1e-8);
        assert!((escape.potential(p) - v).abs() < 1e-6);
        for z in [false, true] {
            let slope = centred(&|v| escape.surprise(v, z));
            assert!((escape.surprise_slope(v, p, z) - slope).abs() < 1e-8);
            let probability = if z { p } else { 1.0 - p };
            assert!((escape.surprise(v, z) + probability.ln()).abs() < 1e-9);
            let given = escape.surprise_given(v, p, z);
            assert!((given - escape.surprise(v, z)).abs() < 1e-12 * (1.0 + v.abs()));
        }
    }

    proptest! {
        #[test]
        fn logistic_slopes_are_the_derivatives(v in -10.0f64..10.0) {
            check_slopes(&Logistic, v);
        }
    }

    #[test]
    fn the_surprise_of_a_saturated_unit_is_finite() {
        assert_eq!(EscapeNoise::<f32>::surprise(&Logistic, -500.0, true), 500.0);
        assert!(EscapeNoise::<f32>::surprise(&Logistic, 500.0, true) < 1e-37);
        for (v, surprise) in [(-500.0f32, 500.0), (500.0, 0.0)] {
            let p = Logistic.probability(v);
            assert_eq!(Logistic.surprise_given(v, p, true), surprise);
        }
    }
}
