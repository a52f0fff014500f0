//! Distributions of test statistics, and a straight line with its error.

use statrs::distribution::{Binomial, ChiSquared, ContinuousCDF, DiscreteCDF, StudentsT};
use statrs::function::erf::erfc;

/// Two-sided p-value of a standard normal score.
pub fn normal_p(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// Two-sided p-value of a mean divided by its standard error, both from a sample of `count` normal
/// numbers: Student's t with `count - 1` degrees of freedom. 0 for a score that is no number.
pub fn student_p(score: f64, count: usize) -> f64 {
    let degrees = count.saturating_sub(1) as f64;
    match StudentsT::new(0.0, 1.0, degrees) {
        Ok(student) if !score.is_nan() => 2.0 * student.sf(score.abs()),
        _ => 0.0,
    }
}

/// p-value of a chi-square statistic: the probability of one as large. 1 where there is nothing to
/// test (no degree of freedom), 0 for a statistic that is no number.
pub fn chi_square_p(statistic: f64, degrees: usize) -> f64 {
    if statistic.is_nan() {
        return 0.0;
    }
    ChiSquared::new(degrees as f64).map_or(1.0, |chi| chi.sf(statistic))
}

/// Two-sided p-value of `successes` out of `trials` with the given probability: twice the smaller
/// tail, at most 1.
pub fn binomial_p(successes: u64, trials: u64, probability: f64) -> f64 {
    let Ok(binomial) = Binomial::new(probability, trials) else {
        return 0.0;
    };
    let below = binomial.cdf(successes);
    let above = match successes.checked_sub(1) {
        Some(fewer) => binomial.sf(fewer),
        None => 1.0,
    };
    (2.0 * below.min(above)).min(1.0)
}

/// Largest distance of the distribution of a sample from the uniform one on [0, 1]. Sorts the sample.
pub fn distance_from_uniform(sample: &mut [f64]) -> f64 {
    sample.sort_unstable_by(f64::total_cmp);
    let n = sample.len() as f64;
    let ranked = sample.iter().enumerate();
    ranked
        .map(|(rank, &x)| (x - rank as f64 / n).max((rank as f64 + 1.0) / n - x))
        .fold(0.0, f64::max)
}

/// p-value of a Kolmogorov-Smirnov distance between a sample of `count` numbers and its distribution
/// (asymptotic series with Stephens' correction for the size of the sample: good from 5 numbers on).
pub fn kolmogorov_p(distance: f64, count: usize) -> f64 {
    let root = (count as f64).sqrt();
    let x = distance * (root + 0.12 + 0.11 / root);
    if x < 0.2 {
        return 1.0; // the series converges slowly there; the true value is above 1 - 1e-12
    }
    let sum: f64 = (1..=100)
        .map(|k| {
            let sign = if k % 2 == 1 { 2.0 } else { -2.0 };
            sign * (-2.0 * f64::from(k * k) * x * x).exp()
        })
        .sum();
    sum.clamp(0.0, 1.0)
}

/// A fitted line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// Slope.
    pub slope: f64,
    /// Standard error of the slope, from the given errors of the points.
    pub slope_se: f64,
    /// Value at x = 0.
    pub intercept: f64,
}

/// Weighted least squares through points `(x, y, standard error of y)`.
pub fn fit_line(points: &[(f64, f64, f64)]) -> Line {
    let weight = |se: f64| 1.0 / (se * se);
    let total: f64 = points.iter().map(|p| weight(p.2)).sum();
    let mean_x = points.iter().map(|p| weight(p.2) * p.0).sum::<f64>() / total;
    let mean_y = points.iter().map(|p| weight(p.2) * p.1).sum::<f64>() / total;
    let spread = points.iter().map(|p| weight(p.2) * (p.0 - mean_x).powi(2));
    let spread: f64 = spread.sum();
    let product = points
        .iter()
        .map(|p| weight(p.2) * (p.0 - mean_x) * (p.1 - mean_y));
    let slope = product.sum::<f64>() / spread;
    Line {
        slope,
        slope_se: spread.sqrt().recip(),
        intercept: mean_y - slope * mean_x,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Table values.
    #[test]
    fn p_values_of_textbooks() {
        assert!((normal_p(1.959_964) - 0.05).abs() < 1e-6);
        assert!((student_p(2.093, 20) - 0.05).abs() < 1e-4);
        assert_eq!(student_p(f64::NAN, 20), 0.0);
        assert!((chi_square_p(18.307, 10) - 0.05).abs() < 1e-5);
        assert_eq!(chi_square_p(f64::NAN, 3), 0.0);
        // P(X <= 2) + P(X >= 8) of 10 fair throws.
        assert!((binomial_p(2, 10, 0.5) - 2.0 * 56.0 / 1024.0).abs() < 1e-12);
        assert_eq!(binomial_p(5, 10, 0.5), 1.0);
        // The 5 % point of 50 numbers is at a distance of 0.1884 (Stephens 1974).
        let mut sample: Vec<f64> = (0..50).map(|k| (f64::from(k) + 0.5) / 50.0).collect();
        let shift = 0.1884 - 0.01;
        sample.iter_mut().for_each(|x| *x = (*x + shift).min(1.0));
        let distance = distance_from_uniform(&mut sample);
        assert!((distance - 0.1884).abs() < 1e-12);
        assert!((kolmogorov_p(distance, 50) - 0.05).abs() < 2e-3);
    }

    #[test]
    fn a_line_through_points_of_unequal_weight() {
        let line = fit_line(&[(0.0, 1.0, 0.1), (1.0, 3.0, 0.1), (2.0, 5.0, 10.0)]);
        assert!((line.slope - 2.0).abs() < 1e-12 && (line.intercept - 1.0).abs() < 1e-12);
        // Two points 1 apart with errors of 0.1: sqrt(2) 0.1, a little less with the third.
        assert!((line.slope_se - 0.1414).abs() < 1e-3);
    }
}
