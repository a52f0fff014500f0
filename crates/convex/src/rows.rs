//! Matrices with a row per coefficient and a column per unit, and what L-BFGS does to their columns.

use rayon::prelude::*;
use refire_core::{AlignedVec, aligned_vec};
use refire_kernels::{Real, dispatch};

/// Rows of one parallel task; fixed, so that sums do not depend on the number of threads.
const BLOCK: usize = 128;

/// `[coefficient][unit]`, rows filled up to whole registers.
#[derive(Clone, Debug)]
pub(crate) struct Rows<T> {
    values: AlignedVec<T>,
    width: usize,
}

impl<T: Real> Rows<T> {
    pub fn zeros(rows: usize, width: usize) -> Self {
        let mut values = aligned_vec();
        values.resize(rows * width, T::zero());
        Self { values, width }
    }

    pub fn width(&self) -> usize {
        self.width
    }

    pub fn as_slice(&self) -> &[T] {
        &self.values
    }

    pub fn as_mut_slice(&mut self) -> &mut [T] {
        &mut self.values
    }

    pub fn row(&self, row: usize) -> &[T] {
        &self.values[row * self.width..][..self.width]
    }

    pub fn row_mut(&mut self, row: usize) -> &mut [T] {
        &mut self.values[row * self.width..][..self.width]
    }

    pub fn fill_zero(&mut self) {
        self.values.fill(T::zero());
    }

    pub fn copy_from(&mut self, other: &Self) {
        self.values.copy_from_slice(&other.values);
    }

    /// Inner products of columns, `sum_r a[r][j] b[r][j]`.
    pub fn dots(&self, other: &Self) -> Vec<f64> {
        let len = (BLOCK * self.width).max(1);
        let blocks: Vec<Vec<f64>> = self
            .values
            .par_chunks(len)
            .zip(other.values.par_chunks(len))
            .map(|(a, b)| {
                let mut sums = vec![0.0f64; self.width];
                dispatch(
                    #[inline(always)]
                    || {
                        let rows = a.chunks_exact(self.width).zip(b.chunks_exact(self.width));
                        for (a, b) in rows {
                            for (sum, (&a, &b)) in sums.iter_mut().zip(a.iter().zip(b)) {
                                *sum += a.f64() * b.f64();
                            }
                        }
                    },
                );
                sums
            })
            .collect();
        let mut sums = vec![0.0; self.width];
        for block in blocks {
            for (sum, x) in sums.iter_mut().zip(block) {
                *sum += x;
            }
        }
        sums
    }

    /// `a[r][j] += scale[j] b[r][j]`.
    pub fn add_scaled(&mut self, scale: &[f64], other: &Self) {
        let scale: Vec<T> = scale.iter().map(|&s| T::new(s)).collect();
        let (len, width) = ((BLOCK * self.width).max(1), self.width);
        self.values
            .par_chunks_mut(len)
            .zip(other.values.par_chunks(len))
            .for_each(|(a, b)| {
                dispatch(
                    #[inline(always)]
                    || {
                        for (a, b) in a.chunks_exact_mut(width).zip(b.chunks_exact(width)) {
                            for ((a, &b), &s) in a.iter_mut().zip(b).zip(&scale) {
                                *a += s * b;
                            }
                        }
                    },
                );
            });
    }

    /// Copies the columns for which `take` holds.
    pub fn copy_columns(&mut self, other: &Self, take: &[bool]) {
        let rows = self.values.chunks_exact_mut(self.width.max(1));
        for (row, other) in rows.zip(other.values.chunks_exact(self.width.max(1))) {
            for ((x, &y), &take) in row.iter_mut().zip(other).zip(take) {
                if take {
                    *x = y;
                }
            }
        }
    }
}
