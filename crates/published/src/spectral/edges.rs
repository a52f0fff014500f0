//! Pairs of bins that lie in two tiles.

use super::tiling::{Deviations, Tiling};
use crate::panels::matmul_whole_rows;
use rayon::prelude::*;
use refire_core::{AlignedVec, aligned_vec};
use refire_kernels::{MatrixMut, MatrixRef, Real, dispatch};

/// Products across the ends of tiles.
///
/// ```text
/// M[j,d,i] = sum over ends e of  sum_{r=1..d} x_j[e-r] x_i[e-r+d]
/// ```
#[derive(Clone, Debug)]
pub(super) struct Edges<T> {
    /// `[row][trial and end][unit]`, of the `margin` bins before every end and as many behind it.
    rows: AlignedVec<T>,
    /// `[place of lag][j][i]`, see [`lag_at`].
    products: AlignedVec<T>,
    any: bool,
    width: usize,
}

/// Lags `1..=margin` in an order in which every two neighbours take as many products: one long, one short, so
/// that threads have equal shares.
fn lag_at(place: usize, margin: usize) -> usize {
    match place % 2 {
        0 => margin - place / 2,
        _ => place / 2 + 1,
    }
}

impl<T> Default for Edges<T> {
    fn default() -> Self {
        Self {
            rows: aligned_vec(),
            products: aligned_vec(),
            any: false,
            width: 0,
        }
    }
}

impl<T: Real> Edges<T> {
    /// Counts all pairs; rows of `width` numbers, whole registers.
    pub(super) fn measure(
        &mut self,
        signal: Deviations<'_, T>,
        tiling: Tiling,
        margin: usize,
        width: usize,
    ) {
        let (n, first, bins) = (tiling.units, tiling.first, tiling.bins);
        // Where time is circular, the end of the trial is one more.
        let ends = tiling.tiles - usize::from(!tiling.wrap);
        let places = signal.rows.trials() * ends;
        self.any = places * margin > 0 && bins > 0;
        if !self.any {
            return;
        }
        let len = places * width;
        if self.width != width {
            // What fills up rows is never written: once zero, always zero.
            self.rows.clear();
            self.width = width;
        }
        self.rows.resize(2 * margin * len, T::zero());
        let planes = self.rows.par_chunks_mut(len).enumerate();
        planes.for_each(|(row, plane)| {
            dispatch(
                #[inline(always)]
                || {
                    for (at, out) in plane.chunks_exact_mut(width).enumerate() {
                        let (trial, end) = (at / ends, tiling.bins(at % ends).end);
                        let bin = (end + row) as isize - margin as isize;
                        let t = first + bin.rem_euclid(bins as isize) as usize;
                        if t < signal.ends[trial] {
                            let means = &signal.mean(trial)[t * n..][..n];
                            let deviations = signal.rows.row(trial, t).iter().zip(means);
                            for (out, (&x, &mean)) in out.iter_mut().zip(deviations) {
                                *out = x - mean;
                            }
                        } else {
                            out.fill(T::zero());
                        }
                    }
                },
            );
        });
        let len_of_lag = n * width;
        self.products.resize(margin * len_of_lag, T::zero());
        let rows = &self.rows;
        let of_lags = self.products.par_chunks_mut(len_of_lag).enumerate();
        of_lags.for_each(|(place, products)| {
            let d = lag_at(place, margin);
            for r in 1..=d.min(bins) {
                let source = &rows[(margin - r) * len..][..len];
                let target = &rows[(margin - r + d) * len..][..len];
                matmul_whole_rows(
                    MatrixRef::rows(source, places, n, width).transposed(),
                    MatrixRef::rows(target, places, width, width),
                    r > 1,
                    MatrixMut::rows(products, n, width, width),
                );
            }
        });
    }

    /// `[j][i]` of one lag, rows of `width`, where there are any.
    pub(super) fn products(
        &self,
        lag: usize,
        margin: usize,
        units: usize,
        width: usize,
    ) -> Option<&[T]> {
        let len = units * width;
        let place = (0..margin).find(|&place| self.any && lag_at(place, margin) == lag)?;
        Some(&self.products[place * len..][..len])
    }
}
