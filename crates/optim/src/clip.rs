//! Clipping of the gradient norm.

use refire_kernels::Real;

/// Scales a gradient of Euclidean norm above `limit` down to it, and returns the norm before. A
/// norm that is not finite is returned as such and leaves the gradient as it is: the caller skips
/// the step. A limit of infinity never clips.
#[must_use = "a norm that is not finite means that the gradient must not be used"]
pub fn clip_norm<T: Real>(gradient: &mut [T], limit: f64) -> f64 {
    let square: f64 = gradient.iter().map(|g| g.f64() * g.f64()).sum();
    let norm = square.sqrt();
    if norm.is_finite() && norm > limit {
        let scale = T::new(limit / norm);
        for g in gradient {
            *g *= scale;
        }
    }
    norm
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_the_identity_below_and_a_scaling_above(
            gradient in prop::collection::vec(-10.0f64..10.0, 1..30), limit in 0.1f64..20.0,
        ) {
            let exact = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
            let mut clipped = gradient.clone();
            let norm = clip_norm(&mut clipped, limit);
            prop_assert!((norm - exact).abs() <= 1e-14 * exact);
            if exact <= limit {
                prop_assert_eq!(&clipped, &gradient);
            } else {
                for (c, g) in clipped.iter().zip(&gradient) {
                    prop_assert!((c * norm - g * limit).abs() < 1e-10);
                }
                let after = clip_norm(&mut clipped, f64::INFINITY);
                prop_assert!((after - limit).abs() < 1e-12 * limit);
            }
        }
    }

    #[test]
    fn hand_case() {
        let mut gradient = [3.0f32, -4.0];
        assert_eq!(clip_norm(&mut gradient, 2.5), 5.0);
        assert_eq!(gradient, [1.5, -2.0]);
        assert_eq!(clip_norm(&mut gradient, 2.5), 2.5);
        assert_eq!(gradient, [1.5, -2.0]);
        // The square of the norm would overflow in single precision.
        let mut large = [3e30f32, 4e30];
        assert!((clip_norm(&mut large, 5.0) / 5e30 - 1.0).abs() < 1e-6);
        assert!((large[0] - 3.0).abs() < 1e-5);
    }

    #[test]
    fn leaves_what_is_not_finite_alone() {
        let mut infinite = [f32::INFINITY, 1.0];
        assert_eq!(clip_norm(&mut infinite, 1.0), f64::INFINITY);
        assert_eq!(infinite, [f32::INFINITY, 1.0]);
        let mut nan = [f32::NAN, 7.0];
        assert!(clip_norm(&mut nan, 1.0).is_nan());
        assert_eq!(nan[1], 7.0);
        assert_eq!(clip_norm::<f32>(&mut [], 1.0), 0.0);
    }
}
