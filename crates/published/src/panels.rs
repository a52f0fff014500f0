//! Products of matrices small enough that repacking them would cost as much as multiplying.

use refire_kernels::{Kernel, LANES, MatrixMut, MatrixRef, Real, Vectors};

/// Registers of a panel of columns.
const WIDE: usize = 3;

/// `c = a b`, or `c += a b` where `keep` is set, for rows of `b` and `c` that are whole registers long. `a`
/// may be transposed. Meant for inner dimensions up to a few hundred: a panel of `b` then stays in the
/// first-level cache.
///
/// # Panics
/// If dimensions differ, or columns are no multiple of [`LANES`].
pub fn matmul_whole_rows<T: Real>(
    a: MatrixRef<'_, T>,
    b: MatrixRef<'_, T>,
    keep: bool,
    c: MatrixMut<'_, T>,
) {
    assert!(
        a.row_len() == b.row_count()
            && a.row_count() == c.row_count()
            && b.row_len() == c.row_len()
            && c.row_len().is_multiple_of(LANES),
        "matrix product in whole registers: {} x {} times {} x {} into {} x {}",
        a.row_count(),
        a.row_len(),
        b.row_count(),
        b.row_len(),
        c.row_count(),
        c.row_len()
    );
    T::with_vectors(Product {
        a,
        b,
        keep,
        all: true,
        c,
    });
}

/// `c = a^T a`, or `c += a^T a` where `keep` is set, on and above the diagonal, in as many rows as `c` has; some
/// of what lies below may be overwritten. As [`matmul_whole_rows`] otherwise.
///
/// # Panics
/// If columns differ or are no multiple of [`LANES`].
pub fn gram_whole_rows<T: Real>(a: MatrixRef<'_, T>, keep: bool, c: MatrixMut<'_, T>) {
    assert!(
        a.row_len() == c.row_len()
            && c.row_count() <= a.row_len()
            && c.row_len().is_multiple_of(LANES),
        "product with itself in whole registers: {} x {} into {} x {}",
        a.row_count(),
        a.row_len(),
        c.row_count(),
        c.row_len()
    );
    T::with_vectors(Product {
        a: a.transposed(),
        b: a,
        keep,
        all: false,
        c,
    });
}

struct Product<'a, T> {
    a: MatrixRef<'a, T>,
    b: MatrixRef<'a, T>,
    keep: bool,
    /// Below the diagonal as well.
    all: bool,
    c: MatrixMut<'a, T>,
}

impl<T: Real> Kernel<T> for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Vectors<T>>(mut self, r: R) {
        let (all_rows, registers) = (self.c.row_count(), self.c.row_len() / R::LANES);
        let mut register = 0;
        while register < registers {
            let wide = WIDE.min(registers - register);
            let rows = match self.all {
                true => all_rows,
                false => all_rows.min((register + wide) * R::LANES),
            };
            let mut row = 0;
            while row < rows {
                // Eight rows of accumulators fit into 32 registers, four into 16.
                let eight = R::LANES * size_of::<T>() == 64 && rows - row >= 8;
                row += match (wide, eight, rows - row) {
                    (WIDE, true, _) => self.tile::<R, 8, WIDE>(r, row, register),
                    (WIDE, _, 4..) => self.tile::<R, 4, WIDE>(r, row, register),
                    (WIDE, _, 2..) => self.tile::<R, 2, WIDE>(r, row, register),
                    (WIDE, ..) => self.tile::<R, 1, WIDE>(r, row, register),
                    (2, true, _) => self.tile::<R, 8, 2>(r, row, register),
                    (2, _, 4..) => self.tile::<R, 4, 2>(r, row, register),
                    (2, _, 2..) => self.tile::<R, 2, 2>(r, row, register),
                    (2, ..) => self.tile::<R, 1, 2>(r, row, register),
                    (_, true, _) => self.tile::<R, 8, 1>(r, row, register),
                    (_, _, 4..) => self.tile::<R, 4, 1>(r, row, register),
                    _ => self.tile::<R, 1, 1>(r, row, register),
                };
            }
            register += wide;
        }
    }
}

impl<T: Real> Product<'_, T> {
    /// `M` rows and `N` registers of the product; returns `M`.
    #[inline(always)]
    fn tile<R: Vectors<T>, const M: usize, const N: usize>(
        &mut self,
        r: R,
        row: usize,
        register: usize,
    ) -> usize {
        let mut sums = [[r.splat(T::zero()); N]; M];
        let column = register * R::LANES;
        if self.keep {
            for (i, sums) in sums.iter_mut().enumerate() {
                let (old, _) = r.split(&self.c.row_mut(row + i)[column..]);
                sums.copy_from_slice(&old[..N]);
            }
        }
        let step = self.a.row_stride();
        let (rows, columns) = (&self.b.data()[column..], &self.a.data()[row * step..]);
        let (mut at_row, mut at_column) = (0, 0);
        for _ in 0..self.b.row_count() {
            let (b, _) = r.split(&rows[at_row..][..N * R::LANES]);
            let b: &[R::V; N] = match b.first_chunk() {
                Some(b) => b,
                None => continue,
            };
            let a = &columns[at_column..][..(M - 1) * step + 1];
            at_row += self.b.row_stride();
            at_column += self.a.col_stride();
            for i in 0..M {
                let a = r.splat(a[i * step]);
                for j in 0..N {
                    sums[i][j] = r.mul_add(a, b[j], sums[i][j]);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            let (out, _) = r.split_mut(&mut self.c.row_mut(row + i)[column..]);
            out[..N].copy_from_slice(sums);
        }
        M
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn matches_a_triple_loop(
            (m, k, registers) in (1usize..25, 1usize..12, 1usize..6),
            (transposed, keep) in (any::<bool>(), any::<bool>()),
            more in 0usize..5,
            seed in 0u64..1000,
        ) {
            let number = |i: usize| (((i as u64 + 1) * (seed + 7919)) % 101) as f64 / 50.0 - 1.0;
            let n = registers * LANES;
            let (rows, cols) = if transposed { (k, m) } else { (m, k) };
            let a: Vec<f64> = (0..rows * (cols + more)).map(number).collect();
            let b: Vec<f64> = (0..k * (n + more)).map(|i| number(i + 3)).collect();
            let mut c = vec![0.5; m * (n + more)];
            let of_a = MatrixRef::rows(&a, rows, cols, cols + more);
            matmul_whole_rows(
                if transposed { of_a.transposed() } else { of_a },
                MatrixRef::rows(&b, k, n, n + more),
                keep,
                MatrixMut::rows(&mut c, m, n, n + more),
            );
            for (at, &found) in c.iter().enumerate() {
                let (i, j) = (at / (n + more), at % (n + more));
                let a = |l: usize| match transposed {
                    true => a[l * (cols + more) + i],
                    false => a[i * (cols + more) + l],
                };
                let sum: f64 = (0..k).map(|l| a(l) * b[l * (n + more) + j]).sum();
                let expected = match (j < n, keep) {
                    (false, _) => 0.5,
                    (true, true) => sum + 0.5,
                    (true, false) => sum,
                };
                prop_assert!((found - expected).abs() < 1e-12);
            }
        }

        #[test]
        fn a_product_with_itself_is_right_on_and_above_the_diagonal(
            (k, registers) in (1usize..12, 1usize..9),
            (less, keep) in (0usize..16, any::<bool>()),
            seed in 0u64..1000,
        ) {
            let number = |i: usize| (((i as u64 + 1) * (seed + 7919)) % 101) as f64 / 50.0 - 1.0;
            let n = registers * LANES;
            let m = n - less.min(n - 1);
            let a: Vec<f64> = (0..k * n).map(number).collect();
            let mut c = vec![0.5; m * n];
            gram_whole_rows(
                MatrixRef::rows(&a, k, n, n),
                keep,
                MatrixMut::rows(&mut c, m, n, n),
            );
            for (i, j) in (0..m).flat_map(|i| (i..n).map(move |j| (i, j))) {
                let sum: f64 = (0..k).map(|l| a[l * n + i] * a[l * n + j]).sum();
                let expected = if keep { sum + 0.5 } else { sum };
                prop_assert!((c[i * n + j] - expected).abs() < 1e-12);
            }
        }
    }
}
