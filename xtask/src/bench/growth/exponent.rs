//! The exponent of a power law through measured points.

use std::fmt;

/// Slope of log time over log size, with its standard error where more than two points tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exponent {
    pub slope: f64,
    pub error: Option<f64>,
}

impl fmt::Display for Exponent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2}", self.slope)?;
        self.error
            .map_or(Ok(()), |error| write!(f, " +- {error:.2}"))
    }
}

impl Exponent {
    /// Whether the exponent is at most `bound`; above it by no more than two standard errors it may be.
    pub fn verdict(&self, bound: f64) -> &'static str {
        if self.slope <= bound {
            "yes"
        } else if self.slope - 2.0 * self.error.unwrap_or(0.0) <= bound {
            "within two errors"
        } else {
            "no"
        }
    }
}

/// Least squares over `(size, time)`, both positive:
///
/// ```text
/// a = sum_i (x_i - xm) (y_i - ym) / S      x = log size   y = log time   S = sum_i (x_i - xm)^2
/// se(a)^2 = sum_i (y_i - ym - a (x_i - xm))^2 / ((m - 2) S)
/// ```
///
/// None below two different sizes.
pub fn fit(points: &[(f64, f64)]) -> Option<Exponent> {
    let m = points.len() as f64;
    let logs: Vec<(f64, f64)> = points.iter().map(|&(x, y)| (x.ln(), y.ln())).collect();
    let (x_mean, y_mean) = (
        logs.iter().map(|&(x, _)| x).sum::<f64>() / m,
        logs.iter().map(|&(_, y)| y).sum::<f64>() / m,
    );
    let centred = || logs.iter().map(|&(x, y)| (x - x_mean, y - y_mean));
    let spread: f64 = centred().map(|(x, _)| x * x).sum();
    // Also false where there is no point, or one whose logarithm is no number.
    if !(spread > 1e-12 && spread.is_finite()) {
        return None;
    }
    let slope = centred().map(|(x, y)| x * y).sum::<f64>() / spread;
    let rest: f64 = centred().map(|(x, y)| (y - slope * x).powi(2)).sum();
    let error = (points.len() > 2).then(|| (rest / ((m - 2.0) * spread)).sqrt());
    slope.is_finite().then_some(Exponent { slope, error })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_law_gives_its_exponent_without_error() {
        for power in [0.0, 0.5, 1.0, 2.3] {
            let points = [3.0, 10.0, 41.0, 200.0].map(|x: f64| (x, 7.0 * x.powf(power)));
            let found = fit(&points).unwrap();
            assert!((found.slope - power).abs() < 1e-12, "{found}");
            assert!(found.error.unwrap() < 1e-7, "{found}");
        }
    }

    #[test]
    fn the_error_is_that_of_least_squares() {
        // x = 0, 1, 2 and y = 0, 1, 0: slope 0, residuals -1/3, 2/3, -1/3, S = 2, one degree left.
        let e = std::f64::consts::E;
        let found = fit(&[(1.0, 1.0), (e, e), (e * e, 1.0)]).unwrap();
        assert!(found.slope.abs() < 1e-12);
        assert!((found.error.unwrap() - (2.0f64 / 3.0 / 2.0).sqrt()).abs() < 1e-12);
        assert_eq!(fit(&[(1.0, 2.0), (2.0, 8.0)]).unwrap().to_string(), "2.00");
    }

    #[test]
    fn a_bound_is_kept_missed_or_undecided() {
        let of = |slope, error| Exponent { slope, error }.verdict(1.0);
        assert_eq!(of(1.0, None), "yes");
        assert_eq!(of(1.01, None), "no");
        assert_eq!(of(1.1, Some(0.06)), "within two errors");
        assert_eq!(of(1.1, Some(0.04)), "no");
    }

    #[test]
    fn without_two_sizes_there_is_no_exponent() {
        assert_eq!(fit(&[]), None);
        assert_eq!(fit(&[(2.0, 5.0)]), None);
        assert_eq!(fit(&[(2.0, 5.0), (2.0, 6.0)]), None);
        assert_eq!(fit(&[(0.0, 5.0), (2.0, 6.0)]), None);
    }
}
