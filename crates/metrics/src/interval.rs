//! Intervals of what a finite number of runs, trials or sets tells.

use serde::{Deserialize, Serialize};

/// Normal deviate of a two-sided 95 % interval.
pub const Z95: f64 = 1.959_963_984_540_054;

/// A 95 % interval. Serialises as `[low, high]`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "[f64; 2]", into = "[f64; 2]")]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

impl Interval {
    /// Of the share that `count` of `of` estimate (Wilson 1927); `None` without any. With 0 of 500 its upper end is
    /// 0.8 %.
    pub fn of_share(count: f64, of: usize) -> Option<Self> {
        if of == 0 {
            return None;
        }
        let n = of as f64;
        let (share, z2) = (count / n, Z95 * Z95);
        let centre = (share + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = Z95 / (1.0 + z2 / n)
            * (share * (1.0 - share) / n + z2 / (4.0 * n * n))
                .max(0.0)
                .sqrt();
        Some(Self {
            low: if count <= 0.0 { 0.0 } else { centre - half },
            high: if count >= n { 1.0 } else { centre + half },
        })
    }

    /// Of a mean with this standard error.
    pub fn of_mean(mean: f64, standard_error: f64) -> Self {
        let half = Z95 * standard_error;
        Self {
            low: mean - half,
            high: mean + half,
        }
    }
}

impl From<[f64; 2]> for Interval {
    fn from([low, high]: [f64; 2]) -> Self {
        Self { low, high }
    }
}

impl From<Interval> for [f64; 2] {
    fn from(Interval { low, high }: Interval) -> Self {
        [low, high]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use statrs::distribution::{Binomial, DiscreteCDF};

    #[test]
    fn of_shares_by_hand() {
        // z^2 / (n + z^2).
        let none = Interval::of_share(0.0, 500).unwrap();
        assert!(none.low == 0.0 && (none.high - 3.841_46 / 503.841_46).abs() < 1e-6);
        let all = Interval::of_share(10.0, 10).unwrap();
        assert!(all.high == 1.0 && (all.low - 10.0 / 13.841_46).abs() < 1e-6);
        // An example of Newcombe (1998): 15 of 148 give 0.0624 to 0.1605.
        let some = Interval::of_share(15.0, 148).unwrap();
        assert!((some.low - 0.0624).abs() < 5e-5 && (some.high - 0.1605).abs() < 5e-5);
        assert_eq!(Interval::of_share(0.0, 0), None);
        let mean = Interval::of_mean(1.0, 0.5);
        assert!((mean.low - 0.02).abs() < 1e-4 && (mean.high - 1.98).abs() < 1e-4);
        assert_eq!(
            serde_json::to_string(&Interval::of_mean(0.5, 0.0)).unwrap(),
            "[0.5,0.5]"
        );
    }

    #[test]
    fn a_share_lies_in_its_interval_as_often_as_said() {
        // Exact coverage by the binomial distribution: Wilson's is 95 % on average over shares, and never far below.
        let (mut sum, mut least) = (0.0, 1.0f64);
        for share in (1..100).map(|percent| f64::from(percent) / 100.0) {
            let binomial = Binomial::new(share, 200).unwrap();
            let inside = |k: &u64| {
                let interval = Interval::of_share(*k as f64, 200).unwrap();
                (interval.low..=interval.high).contains(&share)
            };
            let mass = |k: u64| binomial.cdf(k) - k.checked_sub(1).map_or(0.0, |k| binomial.cdf(k));
            let coverage: f64 = (0..=200).filter(inside).map(mass).sum();
            sum += coverage;
            least = least.min(coverage);
        }
        assert!(
            (sum / 99.0 - 0.95).abs() < 0.005 && least > 0.90,
            "{} {least}",
            sum / 99.0
        );
    }
}
