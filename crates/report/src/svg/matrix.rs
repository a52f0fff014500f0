//! Numbers in rows and columns, averaged where there are too many to draw.

use super::path::pooling;

/// Largest number of cells along a side; more units are averaged.
const MOST_CELLS: usize = 150;

/// Numbers in rows; a missing one is drawn grey.
pub(crate) struct Matrix {
    pub(super) rows: usize,
    pub(super) columns: usize,
    pub(super) values: Vec<Option<f64>>,
}

impl Matrix {
    pub(crate) fn new(
        rows: usize,
        columns: usize,
        value: impl Fn(usize, usize) -> Option<f64>,
    ) -> Self {
        let value = &value;
        let values = (0..rows)
            .flat_map(|row| (0..columns).map(move |column| value(row, column)))
            .map(|value| value.filter(|v| v.is_finite()))
            .collect();
        Self {
            rows,
            columns,
            values,
        }
    }

    /// A size that all but the largest hundredth of the drawn cells stay below, for the ends of
    /// a colour scale that the given matrices share. One where there is nothing but zeros.
    pub(crate) fn shared_scale(matrices: &[Self]) -> f64 {
        let mut sizes: Vec<f64> = matrices
            .iter()
            .flat_map(|matrix| matrix.pooled(matrix.pooled_by()).values)
            .flatten()
            .map(f64::abs)
            .collect();
        sizes.sort_by(f64::total_cmp);
        let high = sizes.get(sizes.len().saturating_sub(1) * 99 / 100);
        high.copied().filter(|v| *v > 0.0).unwrap_or(1.0)
    }

    /// Whether no number is there.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.iter().all(Option::is_none)
    }

    /// How many units are averaged into one cell.
    pub(crate) fn pooled_by(&self) -> usize {
        pooling(self.rows.max(self.columns), MOST_CELLS)
    }

    /// Averages blocks of `by` rows and columns over the numbers that are there.
    pub(super) fn pooled(&self, by: usize) -> Self {
        let (rows, columns) = (self.rows.div_ceil(by), self.columns.div_ceil(by));
        let mut sums = vec![(0.0, 0usize); rows * columns];
        for row in 0..self.rows {
            for column in 0..self.columns {
                if let Some(value) = self.values[row * self.columns + column] {
                    let (sum, count) = &mut sums[row / by * columns + column / by];
                    *sum += value;
                    *count += 1;
                }
            }
        }
        let values = sums
            .into_iter()
            .map(|(sum, count)| (count > 0).then(|| sum / count as f64))
            .collect();
        Self {
            rows,
            columns,
            values,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_averages_what_is_there() {
        // The diagonal is missing; blocks of two.
        let matrix = Matrix::new(3, 3, |i, j| (i != j).then_some((10 * i + j) as f64));
        let pooled = matrix.pooled(2);
        assert_eq!((pooled.rows, pooled.columns), (2, 2));
        assert_eq!(pooled.values, [Some(5.5), Some(7.0), Some(20.5), None]);
    }

    #[test]
    fn the_scale_leaves_out_the_largest_hundredth() {
        let ramp = Matrix::new(1, 101, |_, j| {
            Some(if j == 100 { 1e9 } else { -(j as f64) })
        });
        assert_eq!(Matrix::shared_scale(&[ramp]), 99.0);
        assert_eq!(Matrix::shared_scale(&[]), 1.0);
        let zeros = Matrix::new(2, 2, |_, _| Some(0.0));
        assert!(!zeros.is_empty());
        assert_eq!(Matrix::shared_scale(&[zeros]), 1.0);
        assert!(Matrix::new(2, 2, |_, _| Some(f64::INFINITY)).is_empty());
    }
}
