//! Matrix products over strided views of slices.

use crate::Real;
use crate::real::{ProductSizes, Strided};

/// A matrix read from a slice; rows may overlap (a row stride below the row length gives the
/// history of every bin without a copy).
#[derive(Clone, Copy)]
pub struct MatrixRef<'a, T> {
    pub(crate) data: &'a [T],
    rows: usize,
    cols: usize,
    pub(crate) row_stride: usize,
    pub(crate) col_stride: usize,
}

/// A matrix written into a slice; its elements are distinct.
pub struct MatrixMut<'a, T> {
    data: &'a mut [T],
    rows: usize,
    cols: usize,
    row_stride: usize,
}

/// Index behind the last element a strided matrix touches.
fn extent(rows: usize, cols: usize, row_stride: usize, col_stride: usize) -> usize {
    if rows == 0 || cols == 0 {
        0
    } else {
        (rows - 1) * row_stride + (cols - 1) * col_stride + 1
    }
}

impl<'a, T> MatrixRef<'a, T> {
    /// The numbers, those of row `i` and column `j` at `i * row_stride + j * col_stride`.
    pub fn data(&self) -> &'a [T] {
        self.data
    }

    /// Numbers from one row to the next.
    pub fn row_stride(&self) -> usize {
        self.row_stride
    }

    /// Numbers from one column to the next.
    pub fn col_stride(&self) -> usize {
        self.col_stride
    }

    /// `rows` rows of `cols` neighbouring numbers, `row_stride` numbers from one row to the next.
    ///
    /// # Panics
    /// If the slice does not hold them.
    pub fn rows(data: &'a [T], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(
            extent(rows, cols, row_stride, 1) <= data.len(),
            "a {rows} x {cols} matrix of row stride {row_stride} needs more than {} numbers",
            data.len()
        );
        Self {
            data,
            rows,
            cols,
            row_stride,
            col_stride: 1,
        }
    }

    /// The transposed view.
    pub fn transposed(self) -> Self {
        Self {
            rows: self.cols,
            cols: self.rows,
            row_stride: self.col_stride,
            col_stride: self.row_stride,
            ..self
        }
    }

    /// Length of a row.
    pub fn row_len(&self) -> usize {
        self.cols
    }

    /// Number of rows.
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// The numbers of one row of an untransposed view.
    pub fn row(&self, row: usize) -> &'a [T] {
        debug_assert_eq!(self.col_stride, 1);
        &self.data[row * self.row_stride..row * self.row_stride + self.cols]
    }
}

impl<'a, T> MatrixMut<'a, T> {
    /// `rows` rows of `cols` neighbouring numbers, `row_stride` numbers from one row to the next.
    ///
    /// # Panics
    /// If the slice does not hold them or rows overlap.
    pub fn rows(data: &'a mut [T], rows: usize, cols: usize, row_stride: usize) -> Self {
        assert!(
            extent(rows, cols, row_stride, 1) <= data.len() && (rows < 2 || row_stride >= cols),
            "a {rows} x {cols} matrix of row stride {row_stride} does not fit {} numbers",
            data.len()
        );
        Self {
            data,
            rows,
            cols,
            row_stride,
        }
    }

    /// Length of a row.
    pub fn row_len(&self) -> usize {
        self.cols
    }

    /// Number of rows.
    pub fn row_count(&self) -> usize {
        self.rows
    }

    /// The numbers of one row.
    pub fn row_mut(&mut self, row: usize) -> &mut [T] {
        &mut self.data[row * self.row_stride..row * self.row_stride + self.cols]
    }
}

/// `c = a b + keep * c` on one thread; `keep` is usually 0 or 1.
///
/// # Panics
/// If the inner or outer dimensions differ.
#[allow(unsafe_code)]
pub fn matmul<T: Real>(a: MatrixRef<'_, T>, b: MatrixRef<'_, T>, keep: T, c: MatrixMut<'_, T>) {
    assert!(
        a.cols == b.rows && a.rows == c.rows && b.cols == c.cols,
        "matrix product: {} x {} times {} x {} into {} x {}",
        a.rows,
        a.cols,
        b.rows,
        b.cols,
        c.rows,
        c.cols
    );
    // SAFETY: the constructors checked that every element lies inside its slice and that those of
    // `c` are distinct; `c` is borrowed mutably, so neither `a` nor `b` aliases it.
    unsafe {
        T::gemm(
            ProductSizes {
                rows: a.rows,
                inner: a.cols,
                cols: b.cols,
            },
            Strided {
                start: a.data.as_ptr(),
                row: a.row_stride as isize,
                col: a.col_stride as isize,
            },
            Strided {
                start: b.data.as_ptr(),
                row: b.row_stride as isize,
                col: b.col_stride as isize,
            },
            keep,
            Strided {
                start: c.data.as_mut_ptr(),
                row: c.row_stride as isize,
                col: 1,
            },
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn matches_a_triple_loop(
            (m, k, n, stride) in (1usize..9, 1usize..12, 1usize..9, 1usize..12),
            seed in 0u64..1000,
        ) {
            let number = |i: usize| (((i as u64 + 1) * (seed + 7919)) % 101) as f64 / 50.0 - 1.0;
            // Rows of `a` overlap whenever stride < k.
            let a: Vec<f64> = (0..(m - 1) * stride + k).map(number).collect();
            let b: Vec<f64> = (0..n * k).map(|i| number(i + 3)).collect();
            let mut c = vec![0.5; m * n];
            matmul(
                MatrixRef::rows(&a, m, k, stride),
                MatrixRef::rows(&b, n, k, k).transposed(),
                1.0,
                MatrixMut::rows(&mut c, m, n, n),
            );
            for i in 0..m {
                for j in 0..n {
                    let sum: f64 = (0..k).map(|l| a[i * stride + l] * b[j * k + l]).sum();
                    prop_assert!((c[i * n + j] - sum - 0.5).abs() < 1e-12);
                }
            }
        }
    }
}
