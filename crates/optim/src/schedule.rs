//! Learning rate over the iterations of a fit.

use std::f64::consts::PI;

/// The factor on the learning rate at `iteration`, the first being 0, of a fit of `iterations`: half a cosine, from 1
/// to 0 at the last iteration.
pub fn cosine(iteration: u64, iterations: u64) -> f64 {
    let progress = match iterations.saturating_sub(1) {
        0 => 0.0,
        last => (iteration as f64 / last as f64).min(1.0),
    };
    0.5 * (1.0 + (PI * progress).cos())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn falls_from_one_to_zero() {
        assert_eq!(cosine(0, 101), 1.0);
        // A quarter of the way: (1 + cos(pi/4)) / 2.
        assert!((cosine(25, 101) - 0.5 * (1.0 + 0.5f64.sqrt())).abs() < 1e-15);
        assert!((cosine(50, 101) - 0.5).abs() < 1e-15);
        assert!(cosine(100, 101).abs() < 1e-15);
        assert!(cosine(1000, 101).abs() < 1e-15);
        let factors: Vec<f64> = (0..101).map(|i| cosine(i, 101)).collect();
        assert!(factors.windows(2).all(|w| w[1] < w[0]));
        for (iteration, iterations) in [(0, 0), (3, 0), (0, 1), (3, 1)] {
            assert_eq!(cosine(iteration, iterations), 1.0);
        }
    }
}
