//! Sums of rows that hold some trials side by side.

use crate::{Kernel, LANES, Real, Vectors};

/// `sums[n][lane] += sum_j weights[j][n] rows[j][lane]`: `N` sums at once, which read each row once and do not wait for
/// each other.
#[inline(always)]
pub fn add_side_by_side<T: Real, const N: usize>(
    weights: &[[T; N]],
    rows: &[[T; LANES]],
    sums: &mut [[T; LANES]; N],
) {
    debug_assert_eq!(weights.len(), rows.len());
    if !rows.is_empty() {
        T::with_vectors(SideBySide {
            weights,
            rows,
            sums,
        });
    }
}

struct SideBySide<'a, T, const N: usize> {
    weights: &'a [[T; N]],
    rows: &'a [[T; LANES]],
    sums: &'a mut [[T; LANES]; N],
}

impl<T: Real, const N: usize> Kernel<T> for SideBySide<'_, T, N> {
    type Output = ();

    #[inline(always)]
    fn run<R: Vectors<T>>(self, r: R) {
        let Self {
            weights,
            rows,
            sums,
        } = self;
        for register in 0..LANES / R::LANES {
            let lanes = register * R::LANES..(register + 1) * R::LANES;
            let mut own = [r.splat(T::zero()); N];
            for (weights, row) in weights.iter().zip(rows) {
                let row = r.split(row).0[register];
                for (own, &weight) in own.iter_mut().zip(weights) {
                    *own = r.mul_add(r.splat(weight), row, *own);
                }
            }
            for (own, sum) in own.into_iter().zip(&mut *sums) {
                let sum = &mut sum[lanes.clone()];
                r.store(sum, r.add(r.load(sum), own));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wave(at: usize) -> f64 {
        (1.7 * at as f64 + 0.3).sin()
    }

    #[test]
    fn match_sums_by_definition() {
        for count in [0, 1, 7, 30] {
            let rows: Vec<[f64; LANES]> = (0..count)
                .map(|j| std::array::from_fn(|lane| wave(j * LANES + lane)))
                .collect();
            let weights: Vec<[f64; 3]> = (0..count)
                .map(|j| std::array::from_fn(|n| wave(5 * (j * 3 + n))))
                .collect();
            let mut sums = [[0.5; LANES]; 3];
            add_side_by_side(&weights, &rows, &mut sums);
            for (n, sums) in sums.iter().enumerate() {
                for (lane, sum) in sums.iter().enumerate() {
                    let products = weights.iter().zip(&rows).map(|(w, row)| w[n] * row[lane]);
                    assert!((0.5 + products.sum::<f64>() - sum).abs() < 1e-12);
                }
            }
        }
    }
}
