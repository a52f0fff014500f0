//! Products of a signal with itself at all lags, and their adjoint, tile by tile in the frequency
//! domain: at nine lags a fifth of the arithmetic of one matrix product per lag and offset.

use rayon::prelude::*;
use refire_core::TrialArray;
use refire_kernels::{MatrixMut, MatrixRef, Real, add_scaled, dispatch, matmul};
use std::f64::consts::TAU;

/// Trials are transformed in groups of at least this many tiles, so that the matrix product of a
/// frequency is worth its overhead. Fixed, so that results do not depend on the number of threads.
const GROUP_TILES: usize = 64;

/// Overlap-save. A tile is a window of `F` bins whose core leaves a margin of `D - 1` bins on either
/// side; cores follow one another.
///
/// ```text
/// X_j[f] = sum_s x_j[s] e^(-i w s)         w = 2 pi f / F, over the window
/// C_j[f] the same over the core
/// M[j,d,i]     = sum_{k,s} x_j[k,s] x_i[k,s+d]
///              = 1/F sum_f e^(i w d) sum_tiles conj(C_j[f]) X_i[f]
/// dL/dx_i[k,t] = sum_{d,j} S[j,d,i] x_j[k,t-d] + S[i,d,j] x_j[k,t+d]         S = dL/dM
///              = 1/F sum_f e^(i w t) sum_j K[f,j,i] X_j[f]                   t in the core
/// K[f,j,i]     = A[f,j,i] + conj(A[f,i,j])     A[f,j,i] = sum_d S[j,d,i] e^(-i w d)
/// ```
///
/// Signals are real, so half the frequencies suffice. A complex number takes two real ones, real
/// part first; frequency 0 has no imaginary part, and `F/2`, which has none either, lies in its
/// place.
#[derive(Clone, Debug)]
pub(crate) struct LaggedProducts<T> {
    lags: usize,
    size: usize,
    /// `[real | imaginary][frequency][bin of the window]`, and the same times `1/F` (frequencies
    /// that stand for their mirror image: `2/F`).
    transform: Vec<T>,
    inverse: Vec<T>,
    /// `[group][frequency][tile][real unit | imaginary unit]`.
    windows: Vec<T>,
    /// The cores, then the gradient.
    cores: Vec<T>,
    /// `[frequency][2 unit][2 unit]`.
    blocks: Vec<T>,
}

/// Where the tiles of a signal lie.
#[derive(Clone, Copy)]
struct Tiling {
    units: usize,
    /// Numbers from one row to the next.
    width: usize,
    /// Row of the signal in which the first window starts.
    first: usize,
    /// Bins covered by cores.
    bins: usize,
    tiles: usize,
    group: usize,
}

impl<T: Real> LaggedProducts<T> {
    /// Products at lags `0..lags`.
    pub(crate) fn new(lags: usize) -> Self {
        let size = (6 * lags).next_power_of_two().max(16);
        let half = size / 2;
        let turn = |f: usize, s: usize| (f * s % size) as f64 / size as f64 * TAU;
        let mut transform = Vec::with_capacity(size * size);
        transform.extend((0..half * size).map(|at| turn(at / size, at % size).cos()));
        transform.extend((0..half * size).map(|at| match at / size {
            0 => turn(half, at % size).cos(),
            f => -turn(f, at % size).sin(),
        }));
        let inverse = transform.iter().enumerate().map(|(at, x)| {
            let mirrored = if (at / size).is_multiple_of(half) {
                1.0
            } else {
                2.0
            };
            T::of(x * mirrored / size as f64)
        });
        Self {
            lags,
            size,
            inverse: inverse.collect(),
            transform: transform.iter().map(|&x| T::of(x)).collect(),
            windows: Vec::new(),
            cores: Vec::new(),
            blocks: Vec::new(),
        }
    }

    fn margin(&self) -> usize {
        self.lags - 1
    }

    fn core(&self) -> usize {
        self.size - 2 * self.margin()
    }

    fn tiling(&self, units: usize, width: usize, first: usize, bins: usize) -> Tiling {
        let tiles = bins.div_ceil(self.core()).max(1);
        Tiling {
            units,
            width,
            first,
            bins,
            tiles,
            group: GROUP_TILES.div_ceil(tiles),
        }
    }

    /// `M[j,d,i]` of the first `units` columns over `bins` bins of which the first lies in row
    /// `first + lags - 1` of `signal`; the `lags - 1` rows on either side of them count as partners.
    /// Rows of `products` are as long as those of the signal.
    pub(crate) fn forward(
        &mut self,
        signal: &TrialArray<T>,
        units: usize,
        first: usize,
        bins: usize,
        products: &mut Vec<T>,
    ) {
        let (n, width) = (units, signal.units());
        let tiling = self.tiling(n, width, first, bins);
        let (half, wide) = (self.size / 2, 2 * n);
        let len = signal.trials() * tiling.tiles * half * wide;
        self.windows.resize(len, T::zero());
        self.cores.resize(len, T::zero());
        self.blocks.resize(half * wide * wide, T::zero());
        let (mut windows, mut cores, mut blocks) = (
            std::mem::take(&mut self.windows),
            std::mem::take(&mut self.cores),
            std::mem::take(&mut self.blocks),
        );
        let group_len = (tiling.group * tiling.tiles * half * wide).max(1);
        windows
            .par_chunks_mut(group_len)
            .zip(cores.par_chunks_mut(group_len))
            .enumerate()
            .for_each(|(group, (windows, cores))| {
                self.transform_group(signal, tiling, group, windows, cores);
            });
        blocks
            .par_chunks_mut((wide * wide).max(1))
            .enumerate()
            .for_each(|(f, block)| {
                let mut keep = T::zero();
                for (windows, cores) in windows.chunks(group_len).zip(cores.chunks(group_len)) {
                    let tiles = windows.len() / (half * wide);
                    let at = f * tiles * wide;
                    matmul(
                        MatrixRef::rows(&cores[at..], tiles, wide, wide).transposed(),
                        MatrixRef::rows(&windows[at..], tiles, wide, wide),
                        keep,
                        MatrixMut::rows(block, wide, wide, wide),
                    );
                    keep = T::one();
                }
            });
        (self.windows, self.cores, self.blocks) = (windows, cores, blocks);
        self.products_of_blocks(n, width, products);
    }

    /// Spectra of the windows and cores of one group of trials.
    fn transform_group(
        &self,
        signal: &TrialArray<T>,
        tiling: Tiling,
        group: usize,
        windows: &mut [T],
        cores: &mut [T],
    ) {
        let (n, half, margin) = (tiling.units, self.size / 2, self.margin());
        let wide = 2 * n;
        let tiles = windows.len() / (half * wide);
        for tile in 0..tiles {
            let trial = signal.trial(group * tiling.group + tile / tiling.tiles);
            let start = tile % tiling.tiles * self.core();
            let window = self.size.min(tiling.bins + 2 * margin - start);
            let core = self.core().min(tiling.bins - start);
            let row = tiling.first + start;
            for (part, transform) in self.transform.chunks_exact(half * self.size).enumerate() {
                let at = tile * wide + part * n;
                matmul(
                    MatrixRef::rows(transform, half, window, self.size),
                    MatrixRef::rows(&trial[row * tiling.width..], window, n, tiling.width),
                    T::zero(),
                    MatrixMut::rows(&mut windows[at..], half, n, tiles * wide),
                );
                matmul(
                    MatrixRef::rows(&transform[margin..], half, core, self.size),
                    MatrixRef::rows(
                        &trial[(row + margin) * tiling.width..],
                        core,
                        n,
                        tiling.width,
                    ),
                    T::zero(),
                    MatrixMut::rows(&mut cores[at..], half, n, tiles * wide),
                );
            }
        }
    }

    /// Back from frequencies to lags: `Re(P e^(i w d))` summed over them.
    fn products_of_blocks(&self, n: usize, width: usize, products: &mut Vec<T>) {
        let (half, wide, lags) = (self.size / 2, 2 * n, self.lags);
        products.clear();
        products.resize(n * lags * width, T::zero());
        let (cosine, sine) = self.inverse.split_at(half * self.size);
        products
            .par_chunks_mut((lags * width).max(1))
            .enumerate()
            .for_each(|(j, of_source)| {
                dispatch(
                    #[inline(always)]
                    || {
                        let (mut real, mut imaginary) = (vec![T::zero(); n], vec![T::zero(); n]);
                        for (f, block) in self.blocks.chunks_exact(wide * wide).enumerate() {
                            let (rr, ri) = block[j * wide..][..wide].split_at(n);
                            let (ir, ii) = block[(n + j) * wide..][..wide].split_at(n);
                            if f == 0 {
                                real.copy_from_slice(rr);
                                imaginary.copy_from_slice(ii);
                            } else {
                                for i in 0..n {
                                    real[i] = rr[i] + ii[i];
                                    imaginary[i] = ri[i] - ir[i];
                                }
                            }
                            for (d, out) in of_source.chunks_exact_mut(width).enumerate() {
                                add_scaled(&mut out[..n], cosine[f * self.size + d], &real);
                                add_scaled(&mut out[..n], sine[f * self.size + d], &imaginary);
                            }
                        }
                    },
                );
            });
    }

    /// `dL/dx` in the bins of the last [`Self::forward`], from `dL/dM[j,d,i]`; bin `first + t` lies
    /// in that row of `gradient`, which has the trials and row length of the signal.
    pub(crate) fn backward(
        &mut self,
        slopes: &[T],
        units: usize,
        first: usize,
        bins: usize,
        gradient: &mut TrialArray<T>,
    ) {
        let (n, width) = (units, gradient.units());
        let tiling = self.tiling(n, width, first, bins);
        let (half, wide) = (self.size / 2, 2 * n);
        let mut blocks = std::mem::take(&mut self.blocks);
        blocks
            .par_chunks_mut((wide * wide).max(1))
            .enumerate()
            .for_each(|(f, block)| self.kernel(f, slopes, n, width, block));
        let mut spectra = std::mem::take(&mut self.cores);
        let group_len = (tiling.group * tiling.tiles * half * wide).max(1);
        let trial_len = gradient.trial_len().max(1);
        spectra
            .par_chunks_mut(group_len)
            .zip(self.windows.par_chunks(group_len))
            .zip(
                gradient
                    .as_mut_slice()
                    .par_chunks_mut(trial_len * tiling.group),
            )
            .for_each(|((spectra, windows), gradient)| {
                let tiles = windows.len() / (half * wide);
                for (f, block) in blocks.chunks_exact(wide * wide).enumerate() {
                    let at = f * tiles * wide;
                    matmul(
                        MatrixRef::rows(&windows[at..], tiles, wide, wide),
                        MatrixRef::rows(block, wide, wide, wide),
                        T::zero(),
                        MatrixMut::rows(&mut spectra[at..], tiles, wide, wide),
                    );
                }
                for tile in 0..tiles {
                    let trial = &mut gradient[tile / tiling.tiles * trial_len..][..trial_len];
                    let start = tile % tiling.tiles * self.core();
                    let core = self.core().min(tiling.bins - start);
                    let trial = &mut trial[(tiling.first + start) * width..];
                    for (part, inverse) in self.inverse.chunks_exact(half * self.size).enumerate() {
                        let at = tile * wide + part * n;
                        matmul(
                            MatrixRef::rows(&inverse[self.margin()..], half, core, self.size)
                                .transposed(),
                            MatrixRef::rows(&spectra[at..], half, n, tiles * wide),
                            if part == 0 { T::zero() } else { T::one() },
                            MatrixMut::rows(trial, core, n, width),
                        );
                    }
                }
            });
        (self.cores, self.blocks) = (spectra, blocks);
    }

    /// `K[f]` as the real matrix that maps `(Re X, Im X)` rows to `(Re, Im)` rows.
    fn kernel(&self, f: usize, slopes: &[T], n: usize, width: usize, block: &mut [T]) {
        let (half, wide) = (self.size / 2, 2 * n);
        let (cosine, sine) = self.transform.split_at(half * self.size);
        let (cosine, sine) = (&cosine[f * self.size..], &sine[f * self.size..]);
        dispatch(
            #[inline(always)]
            || {
                block.fill(T::zero());
                for (j, of_source) in slopes.chunks_exact((self.lags * width).max(1)).enumerate() {
                    let (real, imaginary) = block[j * wide..][..wide].split_at_mut(n);
                    for (d, slopes) in of_source.chunks_exact(width).enumerate() {
                        add_scaled(real, cosine[d], &slopes[..n]);
                        add_scaled(imaginary, sine[d], &slopes[..n]);
                    }
                }
            },
        );
        // The upper half holds A; in place of frequency 0's imaginary part, that of F/2.
        for j in 0..n {
            for i in 0..=j {
                let real = block[j * wide + i] + block[i * wide + j];
                let (ji, ij) = (block[j * wide + n + i], block[i * wide + n + j]);
                let (imaginary, below) = if f == 0 {
                    (T::zero(), ji + ij)
                } else {
                    (ji - ij, real)
                };
                for (j, i, imaginary) in [(j, i, imaginary), (i, j, -imaginary)] {
                    block[j * wide + i] = real;
                    block[j * wide + n + i] = imaginary;
                    block[(n + j) * wide + i] = -imaginary;
                    block[(n + j) * wide + n + i] = below;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Against loops over every bin, lag and pair; with several groups of tiles.
        #[test]
        fn products_and_their_adjoint_match_loops(
            (trials, bins, units, lags, first) in (1usize..70, 1usize..60, 1usize..4, 1usize..5, 0usize..3),
            more in 0usize..3,
            seed in 0u64..1000,
        ) {
            let number = |i: usize| (((i as u64 + 1) * (2 * seed + 7919)) % 1009) as f64 / 500.0 - 1.0;
            let (margin, rows) = (lags - 1, first + bins + 2 * (lags - 1));
            let width = units + more;
            let values = (0..trials * rows * width).map(number).collect();
            let x = TrialArray::from_vec(values, trials, rows, width).unwrap();
            let mut tiles = LaggedProducts::new(lags);
            let mut products = Vec::new();
            tiles.forward(&x, units, first, bins, &mut products);
            let slopes: Vec<f64> = (0..products.len()).map(|i| number(i + 5)).collect();
            let mut gradient = TrialArray::zeros(trials, first + bins, 0, width);
            tiles.backward(&slopes, units, first, bins, &mut gradient);

            let mut expected = TrialArray::<f64>::zeros(trials, first + bins, 0, width);
            for (at, &got) in products.iter().enumerate() {
                let (j, d, i) = (at / (lags * width), at / width % lags, at % width);
                if i >= units {
                    prop_assert_eq!(got, 0.0);
                    continue;
                }
                let mut sum = 0.0;
                for k in 0..trials {
                    for t in first..first + bins {
                        sum += x.row(k, t + margin)[j] * x.row(k, t + margin + d)[i];
                        expected.row_mut(k, t)[i] += slopes[at] * x.row(k, t + margin - d)[j];
                        expected.row_mut(k, t)[j] += slopes[at] * x.row(k, t + margin + d)[i];
                    }
                }
                prop_assert!((got - sum).abs() < 1e-10 * (1.0 + (trials * bins) as f64), "{got} {sum}");
            }
            for (got, expected) in gradient.as_slice().iter().zip(expected.as_slice()) {
                prop_assert!((got - expected).abs() < 1e-11 * (lags * units) as f64, "{got} {expected}");
            }
        }
    }
}
