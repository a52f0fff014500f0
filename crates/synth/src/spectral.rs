//! How far from running away a network is.

/// Steps before and while the growth is measured.
const STEPS: usize = 256;

/// A gain of one unit on another, at least 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gain {
    pub(crate) source: usize,
    pub(crate) target: usize,
    pub(crate) gain: f64,
}

/// Spectral radius of a sparse matrix without negative numbers: the growth per step of a vector of
/// ones (Gelfand's formula, past the first steps); 0 where no path leads back to where it began.
pub(crate) fn spectral_radius(units: usize, gains: &[Gain]) -> f64 {
    let mut vector = vec![1.0; units];
    let mut log_growth = 0.0;
    for step in 0..2 * STEPS {
        let mut next = vec![0.0; units];
        for g in gains {
            next[g.target] += g.gain * vector[g.source];
        }
        let norm = next.iter().copied().fold(0.0, f64::max);
        if norm == 0.0 {
            return 0.0;
        }
        next.iter_mut().for_each(|x| *x /= norm);
        vector = next;
        if step >= STEPS {
            log_growth += norm.ln();
        }
    }
    (log_growth / STEPS as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use nalgebra::DMatrix;
    use proptest::prelude::*;

    fn gains(n: usize, numbers: &[f64]) -> Vec<Gain> {
        let at = |(at, &gain)| Gain {
            source: at % n,
            target: at / n,
            gain,
        };
        numbers
            .iter()
            .enumerate()
            .map(at)
            .filter(|g| g.gain > 0.0)
            .collect()
    }

    #[test]
    fn known_radii() {
        // A loop of gains 0.2 and 0.8 (eigenvalues +-0.4); the same with a faster loop apart.
        let pair = gains(3, &[0.0, 0.2, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0, 0.0]);
        assert!((spectral_radius(3, &pair) - 0.4).abs() < 1e-9);
        let apart = gains(3, &[0.0, 0.2, 0.0, 0.8, 0.0, 0.0, 0.0, 0.0, 0.7]);
        assert!((spectral_radius(3, &apart) - 0.7).abs() < 1e-9);
        let chain = gains(3, &[0.0, 5.0, 1.0, 0.0, 0.0, 7.0, 0.0, 0.0, 0.0]);
        assert_eq!(spectral_radius(3, &chain), 0.0);
        assert_eq!(spectral_radius(3, &[]), 0.0);
    }

    proptest! {
        /// Gains of at most twenty times another contract the distance from the eigenvector by 19/21 a step
        /// (Birkhoff, Trans. Am. Math. Soc. 85:219, 1957): after 256 steps nothing of it is left.
        #[test]
        fn agrees_with_the_eigenvalues(
            n in 1usize..9,
            numbers in prop::collection::vec(0.1f64..2.0, 64),
        ) {
            let matrix = DMatrix::from_row_slice(n, n, &numbers[..n * n]);
            let eigen = matrix.complex_eigenvalues();
            let radius = eigen.iter().map(|l| l.norm()).fold(0.0, f64::max);
            let found = spectral_radius(n, &gains(n, &numbers[..n * n]));
            prop_assert!((found / radius - 1.0).abs() < 1e-9, "{found} {radius}");
        }
    }
}
