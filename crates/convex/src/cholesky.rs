//! Factors of positive definite matrices: what is left of a unit's Hessian.

use refire_kernels::{MatrixMut, MatrixRef, add_scaled, dispatch, dot, matmul};

/// Columns factored between two matrix products.
const BLOCK: usize = 32;

/// `L` with `L L^T = A`, rows packed.
#[derive(Clone, Debug)]
pub(crate) struct Factor {
    /// Row `a` holds `a + 1` numbers.
    rows: Vec<f64>,
    order: usize,
}

/// Numbers that a factor of that order holds.
pub(crate) fn packed_len(order: usize) -> usize {
    order * (order + 1) / 2
}

impl Factor {
    /// Of a matrix `[row][row]` of which the lower triangle is given, and overwritten; `None` where it is not
    /// positive definite in double precision.
    ///
    /// ```text
    /// L[r,c] = (A[r,c] - sum_{b < c} L[r,b] L[c,b]) / L[c,c]
    /// ```
    ///
    /// Of a block of columns, the sum over the columns before the block is one matrix product.
    pub fn new(matrix: &mut [f64], order: usize) -> Option<Self> {
        let mut products = Vec::new();
        for start in (0..order).step_by(BLOCK) {
            let wide = BLOCK.min(order - start);
            let below = &matrix[start * order..];
            products.resize((order - start) * wide, 0.0);
            if start > 0 {
                matmul(
                    MatrixRef::rows(below, order - start, start, order),
                    MatrixRef::rows(below, wide, start, order).transposed(),
                    0.0,
                    MatrixMut::rows(&mut products, order - start, wide, wide),
                );
            }
            dispatch(
                #[inline(always)]
                || columns(matrix, order, start, &products, wide),
            )?;
        }
        let rows = matrix.chunks_exact(order.max(1)).enumerate();
        Some(Self {
            rows: rows.flat_map(|(r, row)| &row[..=r]).copied().collect(),
            order,
        })
    }

    /// `x <- A^-1 x`.
    pub fn solve(&self, x: &mut [f64]) {
        dispatch(
            #[inline(always)]
            || {
                let mut rest = &self.rows[..];
                for r in 0..self.order {
                    let (row, behind) = rest.split_at(r + 1);
                    x[r] = (x[r] - dot(&row[..r], &x[..r])) / row[r];
                    rest = behind;
                }
                let mut rest = &self.rows[..];
                for r in (0..self.order).rev() {
                    let (before, row) = rest.split_at(rest.len() - (r + 1));
                    x[r] /= row[r];
                    let (x, last) = x.split_at_mut(r);
                    add_scaled(x, -last[0], &row[..r]);
                    rest = before;
                }
            },
        );
    }
}

/// Finishes the columns `start..start + wide`, given what the columns before have to do with them.
#[inline(always)]
fn columns(
    matrix: &mut [f64],
    order: usize,
    start: usize,
    products: &[f64],
    wide: usize,
) -> Option<()> {
    for (r, products) in (start..order).zip(products.chunks_exact(wide)) {
        let (above, row) = matrix.split_at_mut(r * order);
        for (c, product) in (start..=r).zip(products) {
            let rest = row[c] - product;
            if c == r {
                let rest = rest - dot(&row[start..c], &row[start..c]);
                row[c] = (rest > 0.0).then(|| rest.sqrt())?;
            } else {
                let other = &above[c * order..][..=c];
                row[c] = (rest - dot(&row[start..c], &other[start..c])) / other[c];
            }
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::number;

    /// `B B^T + 1`.
    fn matrix(order: usize) -> Vec<f64> {
        let b = |r: usize, c: usize| number(r * order + c);
        let entry = |r: usize, c: usize| {
            let product: f64 = (0..order).map(|at| b(r, at) * b(c, at)).sum();
            product + f64::from(u8::from(r == c))
        };
        let all = (0..order).flat_map(|r| (0..order).map(move |c| (r, c)));
        all.map(|(r, c)| entry(r, c)).collect()
    }

    #[test]
    fn solve_what_they_are_factors_of() {
        for order in [1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5] {
            let matrix = matrix(order);
            let expected: Vec<f64> = (0..order).map(|at| number(at + 9)).collect();
            let mut x: Vec<f64> = matrix
                .chunks_exact(order)
                .map(|row| row.iter().zip(&expected).map(|(a, x)| a * x).sum())
                .collect();
            // Only the lower triangle is read.
            let mut lower = matrix.clone();
            for r in 0..order {
                lower[r * order + r + 1..(r + 1) * order].fill(f64::NAN);
            }
            let factor = Factor::new(&mut lower, order).unwrap();
            assert_eq!(factor.rows.len(), packed_len(order));
            factor.solve(&mut x);
            for (found, expected) in x.iter().zip(&expected) {
                assert!(
                    (found - expected).abs() < 1e-9,
                    "{order}: {found} {expected}"
                );
            }
        }
    }

    #[test]
    fn an_indefinite_matrix_has_none() {
        let order = BLOCK + 3;
        let mut matrix = matrix(order);
        matrix[order * order - 1] = -1.0;
        assert!(Factor::new(&mut matrix, order).is_none());
        assert!(Factor::new(&mut [f64::NAN], 1).is_none());
    }
}
