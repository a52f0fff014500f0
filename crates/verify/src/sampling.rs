//! Replicates of a vector of numbers, and how far their mean is from what it should be.

use crate::check::worst_of;
use anyhow::Result;
use rayon::prelude::*;
use refire_testkit::normal_p;

/// A sample of independent, equally distributed vectors.
#[derive(Clone, Debug)]
pub struct Sample {
    rows: Vec<Vec<f64>>,
}

impl Sample {
    /// Draws `count` replicates in parallel, each a function of its number alone.
    pub fn draw(
        count: usize,
        replicate: impl Fn(u32) -> Result<Vec<f64>> + Sync + Send,
    ) -> Result<Self> {
        let rows = (0..count as u32).into_par_iter().map(replicate);
        Ok(Self {
            rows: rows.collect::<Result<_, _>>()?,
        })
    }

    /// A sample of given rows of equal length.
    pub fn from_rows(rows: Vec<Vec<f64>>) -> Self {
        Self { rows }
    }

    /// The replicates.
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }

    /// Mean over replicates.
    pub fn mean(&self) -> Vec<f64> {
        let mut mean = vec![0.0; self.rows.first().map_or(0, Vec::len)];
        for row in &self.rows {
            for (mean, x) in mean.iter_mut().zip(row) {
                *mean += x / self.rows.len() as f64;
            }
        }
        mean
    }

    /// Variance over replicates.
    pub fn variance(&self) -> Vec<f64> {
        let mean = self.mean();
        let mut variance = vec![0.0; mean.len()];
        for row in &self.rows {
            for ((variance, x), mean) in variance.iter_mut().zip(row).zip(&mean) {
                *variance += (x - mean).powi(2) / (self.rows.len() as f64 - 1.0);
            }
        }
        variance
    }

    /// Standard errors of the mean.
    pub fn standard_errors(&self) -> Vec<f64> {
        let count = self.rows.len() as f64;
        let variance = self.variance().into_iter();
        variance.map(|v| (v / count).sqrt()).collect()
    }

    /// Scores of the mean against its expectation: normal for many replicates. A number that does not
    /// vary must be what is expected, up to rounding.
    pub fn scores(&self, expected: &[f64]) -> Vec<f64> {
        let scores = self.mean().into_iter().zip(self.standard_errors());
        scores
            .zip(expected)
            .map(|((mean, se), expected)| {
                let off = mean - expected;
                let rounding = 1e-12 * (1.0 + expected.abs());
                if se > rounding {
                    off / se
                } else if off.abs() <= 1e3 * rounding {
                    0.0
                } else {
                    f64::INFINITY
                }
            })
            .collect()
    }

    /// p-value of the worst entry's score.
    pub fn p_value(&self, expected: &[f64]) -> f64 {
        worst_of(self.scores(expected).into_iter().map(normal_p))
    }

    /// The score farthest from zero.
    pub fn worst_score(&self, expected: &[f64]) -> f64 {
        let scores = self.scores(expected).into_iter();
        scores.fold(0.0, |worst: f64, z| {
            if z.abs() > worst.abs() || z.is_nan() {
                z
            } else {
                worst
            }
        })
    }
}

/// Chi-square statistic and degrees of freedom of counts against probabilities; cells are pooled, in the
/// order of their probability, until 5 counts are expected in each.
pub fn chi_square(counts: &[u64], probabilities: &[f64]) -> (f64, usize) {
    let total: u64 = counts.iter().sum();
    let mut cells: Vec<(f64, f64)> = probabilities
        .iter()
        .zip(counts)
        .map(|(p, &count)| (p * total as f64, count as f64))
        .collect();
    cells.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut pooled: Vec<(f64, f64)> = Vec::new();
    let mut open = (0.0, 0.0);
    for (expected, count) in cells {
        open = (open.0 + expected, open.1 + count);
        if open.0 >= 5.0 {
            pooled.push(open);
            open = (0.0, 0.0);
        }
    }
    match pooled.last_mut() {
        Some(last) => *last = (last.0 + open.0, last.1 + open.1),
        None => pooled.push(open),
    }
    let statistic = pooled
        .iter()
        .map(|(expected, count)| (count - expected).powi(2) / expected);
    (statistic.sum(), pooled.len() - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_of_a_small_sample_by_hand() {
        let sample = Sample::from_rows(vec![vec![1.0, 2.0], vec![3.0, 2.0]]);
        assert_eq!(sample.mean(), [2.0, 2.0]);
        assert_eq!(sample.variance(), [2.0, 0.0]);
        assert_eq!(sample.scores(&[1.0, 2.0]), [1.0, 0.0]);
        assert_eq!(sample.worst_score(&[2.0, 2.5]), f64::INFINITY);
        assert_eq!(sample.p_value(&[2.0, 2.5]), 0.0);
    }

    #[test]
    fn rare_cells_are_pooled() {
        // Expected 50, 46, 3, 1: the last two join the second.
        let (statistic, degrees) = chi_square(&[60, 36, 3, 1], &[0.5, 0.46, 0.03, 0.01]);
        assert_eq!(degrees, 1);
        assert!((statistic - (100.0 / 50.0 + 100.0 / 50.0)).abs() < 1e-12);
    }
}
