//! Means over seeds, their intervals, and the rules by which a claim is judged.

use refire_report::{Finding, FoundClaim};
use statrs::distribution::{Beta, ContinuousCDF, StudentsT};

/// A mean over seeds with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Estimate {
    pub(crate) mean: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Numbers it is the mean of.
    pub(crate) count: usize,
}

impl Estimate {
    /// Mean and Student interval of independent numbers; those that are not finite are left out. The
    /// interval of fewer than two is the whole line.
    pub(crate) fn over(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().filter(|x| x.is_finite()).collect();
        let count = values.len();
        let mean = values.iter().sum::<f64>() / count as f64;
        let squares = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
        let freedom = count as f64 - 1.0;
        let half = match StudentsT::new(0.0, 1.0, freedom) {
            Ok(t) => t.inverse_cdf(0.975) * (squares / freedom / count as f64).sqrt(),
            Err(_) => f64::INFINITY,
        };
        Self {
            mean,
            low: mean - half,
            high: mean + half,
            count,
        }
    }

    /// Mean difference of pairs and its interval.
    pub(crate) fn difference(a: Vec<f64>, b: Vec<f64>) -> Self {
        Self::over(a.into_iter().zip(b).map(|(a, b)| a - b))
    }

    /// The same interval as far as it can be: of a share, from 0 to 1.
    pub(crate) fn of_share(self) -> Self {
        Self {
            low: self.low.max(0.0),
            high: self.high.min(1.0),
            ..self
        }
    }

    /// A share of independent cases with its exact interval (Clopper and Pearson, Biometrika 26:404, 1934).
    pub(crate) fn share((successes, count): (usize, usize)) -> Self {
        let (k, n) = (successes as f64, count as f64);
        let quantile =
            |a: f64, b: f64, p: f64| Beta::new(a, b).map_or(f64::NAN, |x| x.inverse_cdf(p));
        Self {
            mean: k / n,
            low: if successes == 0 {
                0.0
            } else {
                quantile(k, n - k + 1.0, 0.025)
            },
            high: if successes == count {
                1.0
            } else {
                quantile(k + 1.0, n - k, 0.975)
            },
            count,
        }
    }

    /// Of an estimate of a logarithm: that of the number itself.
    pub(crate) fn exponential(self) -> Self {
        Self {
            mean: self.mean.exp(),
            low: self.low.exp(),
            high: self.high.exp(),
            ..self
        }
    }

    /// `0.31 [0.27, 0.35]`, to be broken before the interval only; a dash where there is no number.
    pub(crate) fn text(&self) -> String {
        use refire_report::number;
        if self.count == 0 {
            return number(f64::NAN);
        }
        let (mean, low, high) = (number(self.mean), number(self.low), number(self.high));
        format!("{mean} [{low},\u{a0}{high}]")
    }
}

/// How a verdict follows from an estimate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Rule {
    /// Shown where the interval lies above the number, opposite where it lies below it.
    Above(f64),
    /// Shown where the interval lies below the number, opposite where it lies above it.
    Below(f64),
    /// Shown where the interval lies within the margin, opposite where it lies outside.
    Within(f64, f64),
}

impl Rule {
    pub(crate) fn verdict(self, estimate: &Estimate) -> Finding {
        let Estimate { low, high, .. } = *estimate;
        // An interval that is not known shows nothing; comparisons with NaN are false.
        let (shown, opposite) = match self {
            Self::Above(x) => (low > x, high < x),
            Self::Below(x) => (high < x, low > x),
            Self::Within(a, b) => (low > a && high < b, high < a || low > b),
        };
        match (shown, opposite) {
            (true, _) => Finding::Shown,
            (_, true) => Finding::Opposite,
            _ => Finding::NotShown,
        }
    }

    fn text(self) -> String {
        use refire_report::number;
        match self {
            Self::Above(x) => format!("shown if the interval lies above {}", number(x)),
            Self::Below(x) => format!("shown if the interval lies below {}", number(x)),
            Self::Within(a, b) => format!(
                "shown if the interval lies between {} and {}",
                number(a),
                number(b)
            ),
        }
    }
}

/// A claim, with its number in the paper's list.
pub(crate) struct Claim(usize, &'static str);

pub(crate) const LEAVES: Claim = Claim(
    1,
    "A network fitted by MLE is conditioned on recorded data only: left to run, it leaves them",
);
pub(crate) const STATISTICS: Claim = Claim(
    2,
    "Sample-and-measure enforces the statistic it measures: realistic PSTHs, noise correlations",
);
pub(crate) const CONSISTENT: Claim = Claim(
    3,
    "With data growing, the extra terms do not bias the solution",
);
pub(crate) const STABLE: Claim = Claim(
    4,
    "Sample-and-measure solves the stability issue of GLM + MLE",
);
pub(crate) const ALL_RECORDED: Claim = Claim(
    5,
    "Connectivity: MLE is fine when all units are recorded and unreliable when some are not",
);
pub(crate) const PATTERNS: Claim = Claim(
    6,
    "With hidden units modelled, sample-and-measure finds truthful connectivity patterns",
);
pub(crate) const ESTIMATORS: Claim = Claim(
    7,
    "Beyond the paper: the escape derivative is a better gradient through spikes than the published \
     triangle",
);

impl Claim {
    /// The claim's line, without the name of its figure.
    pub(crate) fn judge(
        &self,
        measure: impl Into<String>,
        rule: Rule,
        estimate: Estimate,
    ) -> FoundClaim {
        FoundClaim {
            number: self.0,
            claim: self.1.into(),
            measure: measure.into(),
            estimate: estimate.mean,
            low: estimate.low,
            high: estimate.high,
            rule: rule.text(),
            verdict: rule.verdict(&estimate),
            seeds: estimate.count,
            figure: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_students() {
        let found = Estimate::over([1.0, 2.0, f64::NAN, 3.0]);
        assert_eq!((found.mean, found.count), (2.0, 3));
        // t(0.975, 2) = 4.3027, standard error 1 / sqrt(3).
        assert!((found.high - 2.0 - 4.302_652_73 / 3f64.sqrt()).abs() < 1e-6);
        assert!((found.mean - found.low - (found.high - found.mean)).abs() < 1e-12);
    }

    #[test]
    fn the_interval_of_a_share_is_exact() {
        // Of 10: none, 3 and all (tables of Clopper and Pearson).
        for (successes, low, high) in [(0, 0.0, 0.3085), (3, 0.0667, 0.6525), (10, 0.6915, 1.0)] {
            let found = Estimate::share((successes, 10));
            assert!((found.low - low).abs() < 1e-4, "{found:?}");
            assert!((found.high - high).abs() < 1e-4, "{found:?}");
        }
    }

    #[test]
    fn one_seed_or_none_shows_nothing() {
        for values in [&[][..], &[5.0], &[f64::NAN]] {
            let found = Estimate::over(values.iter().copied());
            for rule in [Rule::Above(0.0), Rule::Below(9.0), Rule::Within(0.0, 9.0)] {
                assert_eq!(rule.verdict(&found), Finding::NotShown, "{values:?}");
            }
        }
    }

    #[test]
    fn verdicts_follow_the_interval() {
        use Finding::{NotShown, Opposite, Shown};
        let of = |low: f64, high: f64| Estimate {
            mean: (low + high) / 2.0,
            low,
            high,
            count: 5,
        };
        for (rule, low, high, expected) in [
            (Rule::Above(0.0), 0.1, 0.3, Shown),
            (Rule::Above(0.0), -0.1, 0.3, NotShown),
            (Rule::Above(0.0), -0.3, -0.1, Opposite),
            (Rule::Below(0.0), -0.3, -0.1, Shown),
            (Rule::Below(0.0), 0.1, 0.3, Opposite),
            (Rule::Within(-1.0, 1.0), -0.5, 0.5, Shown),
            (Rule::Within(-1.0, 1.0), 0.5, 1.5, NotShown),
            (Rule::Within(-1.0, 1.0), 1.2, 1.5, Opposite),
        ] {
            assert_eq!(
                rule.verdict(&of(low, high)),
                expected,
                "{rule:?} {low} {high}"
            );
        }
    }
}
