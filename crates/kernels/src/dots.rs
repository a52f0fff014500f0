//! Inner products of many rows with many rows: both sides contiguous, so nothing is repacked.

use crate::vectors::{Kernel, Vectors};
use crate::{MatrixMut, MatrixRef, Real};

/// `out[i][j] = a[i] . b[j]` for rows of equal length, `b` given by row (`a` times `b` transposed). What
/// each product sums in which order depends on its length alone, not on how many there are.
///
/// # Panics
/// If the rows of `a` and `b` differ in length, or `out` has another shape.
pub fn dots<T: Real>(a: MatrixRef<'_, T>, b: MatrixRef<'_, T>, out: MatrixMut<'_, T>) {
    assert!(
        a.row_len() == b.row_len()
            && (out.row_count(), out.row_len()) == (a.row_count(), b.row_count()),
        "inner products of {} rows of {} with {} rows of {} into {} x {}",
        a.row_count(),
        a.row_len(),
        b.row_count(),
        b.row_len(),
        out.row_count(),
        out.row_len()
    );
    T::with_vectors(Dots { a, b, out });
}

/// `out[i] = row(which[i]) . b` for some of the rows of a contiguous matrix, as long as `b` each; the same
/// numbers as [`dots`] gives.
///
/// # Panics
/// If a row lies outside the matrix, or `out` is shorter than `which`.
pub fn dots_of_rows<T: Real>(rows: &[T], which: &[usize], b: &[T], out: &mut [T]) {
    T::with_vectors(DotsOfRows {
        rows,
        which,
        b,
        out,
    });
}

struct Dots<'a, T> {
    a: MatrixRef<'a, T>,
    b: MatrixRef<'a, T>,
    out: MatrixMut<'a, T>,
}

impl<T: Real> Kernel<T> for Dots<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Vectors<T>>(mut self, r: R) {
        let (rows, cols) = (self.a.row_count(), self.b.row_count());
        let mut j = 0;
        while j < cols {
            // Four rows of `b` stay in the first-level cache while all of `a` passes.
            let wide = if cols - j >= 4 { 4 } else { 1 };
            let mut i = 0;
            while i < rows {
                i += match (wide, rows - i) {
                    (4, 4..) => self.tile::<R, 4, 4>(r, i, j),
                    (4, 2..) => self.tile::<R, 2, 4>(r, i, j),
                    (4, _) => self.tile::<R, 1, 4>(r, i, j),
                    (_, 4..) => self.tile::<R, 4, 1>(r, i, j),
                    _ => self.tile::<R, 1, 1>(r, i, j),
                };
            }
            j += wide;
        }
    }
}

impl<T: Real> Dots<'_, T> {
    /// The products of some rows from `i` and `j` on; returns how many rows of `a` that were.
    #[inline(always)]
    fn tile<R: Vectors<T>, const A: usize, const B: usize>(
        &mut self,
        r: R,
        i: usize,
        j: usize,
    ) -> usize {
        let (mut a, mut b) = ([&[][..]; A], [&[][..]; B]);
        for (k, a) in a.iter_mut().enumerate() {
            *a = self.a.row(i + k);
        }
        for (k, b) in b.iter_mut().enumerate() {
            *b = self.b.row(j + k);
        }
        let products = products(r, a, b);
        for (k, products) in products.iter().enumerate() {
            self.out.row_mut(i + k)[j..j + B].copy_from_slice(products);
        }
        A
    }
}

struct DotsOfRows<'a, T> {
    rows: &'a [T],
    which: &'a [usize],
    b: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> Kernel<T> for DotsOfRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Vectors<T>>(mut self, r: R) {
        let mut at = 0;
        while at < self.which.len() {
            at += match self.which.len() - at {
                8.. => self.some::<R, 8>(r, at),
                4.. => self.some::<R, 4>(r, at),
                2.. => self.some::<R, 2>(r, at),
                _ => self.some::<R, 1>(r, at),
            };
        }
    }
}

impl<T: Real> DotsOfRows<'_, T> {
    /// `N` products side by side, which hide how long each takes; returns `N`.
    #[inline(always)]
    fn some<R: Vectors<T>, const N: usize>(&mut self, r: R, at: usize) -> usize {
        let len = self.b.len();
        let mut rows = [&[][..]; N];
        for (row, &at) in rows.iter_mut().zip(&self.which[at..]) {
            *row = &self.rows[at * len..][..len];
        }
        self.out[at..at + N].copy_from_slice(&products(r, [self.b], rows)[0]);
        N
    }
}

/// All products of two sets of rows, one register of partial sums each.
#[inline(always)]
fn products<T: Real, R: Vectors<T>, const A: usize, const B: usize>(
    r: R,
    a: [&[T]; A],
    b: [&[T]; B],
) -> [[T; B]; A] {
    let mut sums = [[r.splat(T::zero()); B]; A];
    let (mut whole_a, mut whole_b) = ([&[][..]; A], [&[][..]; B]);
    let (mut rest_a, mut rest_b) = ([&[][..]; A], [&[][..]; B]);
    for k in 0..A {
        (whole_a[k], rest_a[k]) = r.split(a[k]);
    }
    for k in 0..B {
        (whole_b[k], rest_b[k]) = r.split(b[k]);
    }
    let len = whole_a.iter().chain(&whole_b).map(|x| x.len());
    let len = len.min().unwrap_or(0);
    for at in 0..len {
        let mut x = [r.splat(T::zero()); B];
        for k in 0..B {
            x[k] = whole_b[k][at];
        }
        for i in 0..A {
            let y = whole_a[i][at];
            for j in 0..B {
                sums[i][j] = r.mul_add(y, x[j], sums[i][j]);
            }
        }
    }
    if !rest_b[0].is_empty() {
        for i in 0..A {
            let y = r.load(rest_a[i]);
            for j in 0..B {
                sums[i][j] = r.mul_add(y, r.load(rest_b[j]), sums[i][j]);
            }
        }
    }
    let mut out = [[T::zero(); B]; A];
    for i in 0..A {
        for j in 0..B {
            out[i][j] = r.sum(sums[i][j]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn match_scalar_sums(
            (m, n, k, more) in (1usize..11, 1usize..11, 0usize..80, 0usize..5),
            seed in 0u64..1000,
        ) {
            let number = |i: usize| (((i as u64 + 1) * (seed + 7919)) % 101) as f64 / 50.0 - 1.0;
            let a: Vec<f64> = (0..m * (k + more)).map(number).collect();
            let b: Vec<f64> = (0..n * k).map(|i| number(i + 3)).collect();
            let mut out = vec![5.0; m * (n + more)];
            dots(
                MatrixRef::rows(&a, m, k, k + more),
                MatrixRef::rows(&b, n, k, k),
                MatrixMut::rows(&mut out, m, n, n + more),
            );
            for (at, &found) in out.iter().enumerate() {
                let (i, j) = (at / (n + more), at % (n + more));
                let row = &a[i * (k + more)..][..k];
                let expected = match j < n {
                    true => row.iter().zip(&b[j * k..]).map(|(x, y)| x * y).sum(),
                    false => 5.0,
                };
                prop_assert!((found - expected).abs() < 1e-12);
                let which: Vec<usize> = (0..3 * n).map(|at| at * 7 % n).collect();
                let mut some = vec![0.0; which.len()];
                dots_of_rows(&b, &which, row, &mut some);
                for (&at, some) in which.iter().zip(some) {
                    prop_assert_eq!(some, out[i * (n + more) + at]);
                }
            }
        }
    }
}
