//! Pearson correlation and R2 of two lists of numbers.

/// Pearson correlation of two lists of equal length.
///
/// `None` where it does not exist: lists of unequal length or shorter than two, a list that is
/// constant, or a number that is not finite.
pub fn pearson(x: &[f64], y: &[f64]) -> Option<f64> {
    if x.len() != y.len() || is_constant(x) || is_constant(y) {
        return None;
    }
    let (mean_x, mean_y) = (mean(x), mean(y));
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (&x, &y) in x.iter().zip(y) {
        let (dx, dy) = (x - mean_x, y - mean_y);
        xx += dx * dx;
        yy += dy * dy;
        xy += dx * dy;
    }
    let r = xy / (xx.sqrt() * yy.sqrt());
    r.is_finite().then(|| r.clamp(-1.0, 1.0))
}

/// `1 - SS_res / SS_tot`: share of the target's variance that the estimate explains, negative
/// where the target's mean would do better.
///
/// `None` where it does not exist: lists of unequal length or shorter than two, a target that is
/// constant, or a number that is not finite.
pub fn r_squared(target: &[f64], estimate: &[f64]) -> Option<f64> {
    if target.len() != estimate.len() || is_constant(target) {
        return None;
    }
    let centre = mean(target);
    let (mut residual, mut total) = (0.0, 0.0);
    for (&y, &e) in target.iter().zip(estimate) {
        residual += (y - e) * (y - e);
        total += (y - centre) * (y - centre);
    }
    let r2 = 1.0 - residual / total;
    r2.is_finite().then_some(r2)
}

/// Whether no two values differ; true of fewer than two. By comparison: the variance of equal
/// numbers is not always exactly zero.
pub(crate) fn is_constant(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[0] == pair[1])
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hand_computed() {
        // Deviations (-1, 0, 1) and (-1, 1, 0): sum of products 1, sums of squares 2 and 2.
        let r = pearson(&[1.0, 2.0, 3.0], &[0.0, 2.0, 1.0]).unwrap();
        assert!((r - 0.5).abs() < 1e-15);
        // SS_res = 1 + 0 + 4, SS_tot = 2.
        let r2 = r_squared(&[1.0, 2.0, 3.0], &[0.0, 2.0, 1.0]).unwrap();
        assert!((r2 + 1.5).abs() < 1e-15);
    }

    #[test]
    fn what_does_not_exist_is_none() {
        assert_eq!(pearson(&[0.1; 3], &[1.0, 2.0, 3.0]), None);
        assert_eq!(pearson(&[1.0, 2.0, 3.0], &[0.1; 3]), None);
        assert_eq!(pearson(&[1.0], &[1.0]), None);
        assert_eq!(pearson(&[], &[]), None);
        assert_eq!(pearson(&[1.0, 2.0], &[1.0, 2.0, 3.0]), None);
        assert_eq!(pearson(&[1.0, f64::NAN], &[1.0, 2.0]), None);
        assert_eq!(r_squared(&[0.1; 3], &[1.0, 2.0, 3.0]), None);
        assert_eq!(r_squared(&[1.0, 2.0], &[f64::INFINITY, 0.0]), None);
        // A constant estimate has an R2: the target's mean explains nothing.
        assert_eq!(r_squared(&[1.0, 3.0], &[2.0, 2.0]), Some(0.0));
    }

    proptest! {
        #[test]
        fn invariant_under_scale_and_shift(
            pairs in prop::collection::vec((-10.0..10.0f64, -10.0..10.0f64), 3..30),
            scale in 0.1..10.0f64,
            shift in -5.0..5.0f64,
        ) {
            let (x, y): (Vec<f64>, Vec<f64>) = pairs.into_iter().unzip();
            let moved: Vec<f64> = y.iter().map(|y| shift - scale * y).collect();
            let (r, turned) = (pearson(&x, &y).unwrap(), pearson(&x, &moved).unwrap());
            prop_assert!((r + turned).abs() < 1e-9);
            prop_assert!((pearson(&y, &y).unwrap() - 1.0).abs() < 1e-12);
            // The best linear fit explains r squared.
            let slope = r * sd(&y) / sd(&x);
            let fit: Vec<f64> = x.iter().map(|v| mean(&y) + slope * (v - mean(&x))).collect();
            prop_assert!((r_squared(&y, &fit).unwrap() - r * r).abs() < 1e-9);
        }
    }

    fn sd(values: &[f64]) -> f64 {
        let centre = mean(values);
        values
            .iter()
            .map(|v| (v - centre).powi(2))
            .sum::<f64>()
            .sqrt()
    }
}
