//! From slopes at lags to the kernel of every frequency.

use super::turns::Turns;
use crate::panels::matmul_whole_rows;
use rayon::prelude::*;
use refire_core::{AlignedVec, aligned_vec};
use refire_kernels::{MatrixMut, MatrixRef, Real};

/// `K[f]` as the real matrix that maps `(Re X, Im X)` rows to `(Re, Im)` rows:
///
/// ```text
/// Re K[j,i] = sum_d cos(w d) (S[j,d,i] + S[i,d,j])      Im K[j,i] = -sum_d sin(w d) (S[j,d,i] - S[i,d,j])
/// ```
pub(super) struct Kernels<'a, T> {
    of: &'a Turns<T>,
    /// Length of a row of a kernel.
    wide: usize,
    units: usize,
    width: usize,
    /// `S[j,d,i] + S[i,d,j]`, `[lag][j][i]`.
    sums: AlignedVec<T>,
    /// `S[j,d,i] - S[i,d,j]`.
    differences: AlignedVec<T>,
    /// `Re K[F/2]`.
    last: AlignedVec<T>,
}

/// What kernels are made in.
pub(super) struct KernelBuffers<T> {
    /// `[frequency][j][i]`.
    real: AlignedVec<T>,
    imaginary: AlignedVec<T>,
    block: AlignedVec<T>,
}

impl<T> Default for KernelBuffers<T> {
    fn default() -> Self {
        Self {
            real: aligned_vec(),
            imaginary: aligned_vec(),
            block: aligned_vec(),
        }
    }
}

impl<'a, T: Real> Kernels<'a, T> {
    /// From slopes `[j][lag][i]`, rows of `width`.
    pub(super) fn new(
        of: &'a Turns<T>,
        wide: usize,
        slopes: &[T],
        units: usize,
        width: usize,
    ) -> Self {
        let (n, lags) = (units, of.lags);
        let (mut sums, mut differences) = (aligned_vec(), aligned_vec());
        sums.resize(lags * n * width, T::zero());
        differences.resize(lags * n * width, T::zero());
        let len = (n * width).max(1);
        let by_lag = sums
            .par_chunks_mut(len)
            .zip(differences.par_chunks_mut(len));
        by_lag.enumerate().for_each(|(d, (sums, differences))| {
            let rows = sums.chunks_exact_mut(width);
            let rows = rows.zip(differences.chunks_exact_mut(width));
            for (j, (sums, differences)) in rows.enumerate() {
                let own = &slopes[(j * lags + d) * width..][..n];
                let transposed = slopes[d * width + j..].iter().step_by(lags * width);
                let both = sums.iter_mut().zip(differences);
                for ((sum, difference), (&own, &other)) in both.zip(own.iter().zip(transposed)) {
                    (*sum, *difference) = (own + other, own - other);
                }
            }
        });
        let mut kernels = Self {
            of,
            wide,
            units,
            width,
            sums,
            differences,
            last: aligned_vec(),
        };
        let mut last = aligned_vec();
        kernels.turned(&kernels.sums, &of.cosine, of.size / 2, 1, &mut last);
        kernels.last = last;
        kernels
    }

    /// Real and imaginary parts of some frequencies, sums over lags, each by its turn.
    pub(super) fn combine(&self, f: usize, count: usize, buffers: &mut KernelBuffers<T>) {
        let of = self.of;
        self.turned(&self.sums, &of.cosine, f, count, &mut buffers.real);
        self.turned(
            &self.differences,
            &of.sine,
            f,
            count,
            &mut buffers.imaginary,
        );
    }

    fn turned(&self, by_lag: &[T], turns: &[T], f: usize, count: usize, out: &mut AlignedVec<T>) {
        let (lags, len) = (self.of.lags, self.units * self.width);
        out.resize(count * len, T::zero());
        matmul_whole_rows(
            MatrixRef::rows(&turns[f * lags..], count, lags, lags),
            MatrixRef::rows(by_lag, lags, len, len),
            false,
            MatrixMut::rows(out, count, len, len),
        );
    }

    /// The kernel of a frequency, the one `at` that place among those combined.
    pub(super) fn block<'b>(
        &self,
        f: usize,
        at: usize,
        buffers: &'b mut KernelBuffers<T>,
    ) -> &'b [T] {
        let (n, width, wide) = (self.units, self.width, self.wide);
        let KernelBuffers {
            real,
            imaginary,
            block,
        } = buffers;
        let (real, imaginary) = (&real[at * n * width..], &imaginary[at * n * width..]);
        // What fills up rows is never written, and read for nothing.
        block.resize(2 * n * wide, T::zero());
        let (upper, lower) = block.split_at_mut(n * wide);
        let rows = upper
            .chunks_exact_mut(wide)
            .zip(lower.chunks_exact_mut(wide));
        for (j, (upper, lower)) in rows.enumerate() {
            let real = &real[j * width..][..n];
            upper[..n].copy_from_slice(real);
            if f == 0 {
                // In place of frequency 0's imaginary part, that of F/2.
                lower[n..2 * n].copy_from_slice(&self.last[j * width..][..n]);
                upper[n..2 * n].fill(T::zero());
                lower[..n].fill(T::zero());
                continue;
            }
            lower[n..2 * n].copy_from_slice(real);
            let imaginary = &imaginary[j * width..][..n];
            let both = upper[n..2 * n].iter_mut().zip(&mut lower[..n]);
            for ((plus, minus), &x) in both.zip(imaginary) {
                (*plus, *minus) = (-x, x);
            }
        }
        block
    }
}
