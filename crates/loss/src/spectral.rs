//! Products of a signal with itself at all lags, and their adjoint, tile by tile in the frequency
//! domain: at nine lags a fifth of the arithmetic of one matrix product per lag and offset.

use rayon::prelude::*;
use refire_core::{AlignedVec, TrialArray, aligned_vec};
use refire_kernels::{
    LANES, MatrixMut, MatrixRef, Real, RealFft, Samples, SpectrumShape, add_scaled, dispatch,
    matmul_whole_rows,
};
use std::f64::consts::TAU;
use std::ops::Range;

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
    fft: RealFft<T>,
    /// `e^(i w d)`, `[frequency][lag]`: real parts and imaginary parts, in the place of the imaginary
    /// part of frequency 0 the real one of `F/2`.
    turns: [Vec<T>; 2],
    /// `[group][frequency][tile][real unit | imaginary unit | zeros]`, rows of whole registers.
    windows: AlignedVec<T>,
    /// Length of their rows.
    wide: usize,
    /// The cores, then the gradient.
    cores: AlignedVec<T>,
    /// `[frequency][2 unit][2 unit | zeros]`.
    blocks: AlignedVec<T>,
}

/// Where the tiles of a signal lie.
#[derive(Clone, Copy)]
struct Tiling {
    units: usize,
    /// First scored bin.
    first: usize,
    /// Bins covered by cores.
    bins: usize,
    tiles: usize,
    group: usize,
}

/// The signal whose products are wanted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signal<'a, T> {
    /// Scored bin `t` of every trial lies in row `first + t + lags - 1`; the `lags - 1` rows on either side
    /// of the scored ones count as partners.
    Surrounded(&'a TrialArray<T>),
    /// What the scored bins of each trial, from row `first` on, differ from the mean of its own condition;
    /// nothing lies on either side.
    Deviations {
        rows: &'a TrialArray<T>,
        /// Per trial, `[bin][unit]`, from bin 0 on; as long as any trial of the condition.
        means: &'a [&'a [T]],
        /// End of each trial.
        bins: &'a [usize],
    },
}

impl<'a, T: Real> Signal<'a, T> {
    fn rows(&self) -> &'a TrialArray<T> {
        match self {
            Self::Surrounded(rows) | Self::Deviations { rows, .. } => rows,
        }
    }

    /// Samples `present` of the window that starts `margin` bins before scored bin `start`.
    #[inline(always)]
    fn samples(
        &self,
        trial: usize,
        units: usize,
        (first, start, margin): (usize, usize, usize),
        present: Range<usize>,
    ) -> Samples<'a, T> {
        let (rows, width) = (self.rows().trial(trial), self.rows().units());
        match *self {
            Self::Surrounded(_) => Samples {
                rows: &rows[(first + start + present.start) * width..],
                width,
                mean: &[],
                mean_width: units,
                present,
            },
            Self::Deviations { means, bins, .. } => {
                let before = margin.saturating_sub(start);
                let end = (bins[trial] + margin).saturating_sub(first + start);
                let from = present.start.max(before).min(end);
                let present = from..present.end.min(end);
                if present.is_empty() {
                    return Samples {
                        rows: &[],
                        width,
                        mean: &[],
                        mean_width: units,
                        present,
                    };
                }
                let bin = first + start + from - margin;
                Samples {
                    rows: &rows[bin * width..],
                    width,
                    mean: &means[trial][bin * units..],
                    mean_width: units,
                    present,
                }
            }
        }
    }
}

impl<T: Real> LaggedProducts<T> {
    /// Products at lags `0..lags`.
    pub(crate) fn new(lags: usize) -> Self {
        let size = (6 * lags).next_power_of_two().max(16);
        let half = size / 2;
        let turn = |f: usize, d: usize| (f * d % size) as f64 / size as f64 * TAU;
        let turns = |of: &dyn Fn(usize, usize) -> f64| {
            let all = (0..half).flat_map(|f| (0..lags).map(move |d| (f, d)));
            all.map(|(f, d)| T::of(of(f, d))).collect()
        };
        Self {
            lags,
            size,
            fft: RealFft::new(size),
            turns: [
                turns(&|f, d| turn(f, d).cos()),
                turns(&|f, d| match f {
                    0 => turn(half, d).cos(),
                    f => turn(f, d).sin(),
                }),
            ],
            windows: aligned_vec(),
            wide: 0,
            cores: aligned_vec(),
            blocks: aligned_vec(),
        }
    }

    fn scratch(&self) -> AlignedVec<T> {
        let mut scratch = aligned_vec();
        scratch.resize(self.fft.scratch_len(), T::zero());
        scratch
    }

    fn margin(&self) -> usize {
        self.lags - 1
    }

    fn core(&self) -> usize {
        self.size - 2 * self.margin()
    }

    fn tiling(&self, units: usize, first: usize, bins: usize) -> Tiling {
        let tiles = bins.div_ceil(self.core()).max(1);
        Tiling {
            units,
            first,
            bins,
            tiles,
            group: GROUP_TILES.div_ceil(tiles),
        }
    }

    /// `M[j,d,i]` of the first `units` columns over `bins` scored bins from `first` on. Rows of `products`
    /// have `width` numbers.
    pub(crate) fn forward(
        &mut self,
        signal: Signal<'_, T>,
        (units, width): (usize, usize),
        first: usize,
        bins: usize,
        products: &mut Vec<T>,
    ) {
        let n = units;
        let tiling = self.tiling(n, first, bins);
        let (half, wide) = (self.size / 2, wide(n));
        let len = signal.rows().trials() * tiling.tiles * half * wide;
        if self.wide != wide {
            // What fills up rows is never written: once zero, always zero.
            self.windows.clear();
            self.cores.clear();
            self.wide = wide;
        }
        self.windows.resize(len, T::zero());
        self.cores.resize(len, T::zero());
        self.blocks.resize(half * 2 * n * wide, T::zero());
        let (mut windows, mut cores, mut blocks) = (
            std::mem::replace(&mut self.windows, aligned_vec()),
            std::mem::replace(&mut self.cores, aligned_vec()),
            std::mem::replace(&mut self.blocks, aligned_vec()),
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
            .par_chunks_mut((2 * n * wide).max(1))
            .enumerate()
            .for_each(|(f, block)| {
                let mut keep = false;
                for (windows, cores) in windows.chunks(group_len).zip(cores.chunks(group_len)) {
                    let tiles = windows.len() / (half * wide);
                    let at = f * tiles * wide;
                    matmul_whole_rows(
                        MatrixRef::rows(&cores[at..], tiles, 2 * n, wide).transposed(),
                        MatrixRef::rows(&windows[at..], tiles, wide, wide),
                        keep,
                        MatrixMut::rows(block, 2 * n, wide, wide),
                    );
                    keep = true;
                }
            });
        (self.windows, self.cores, self.blocks) = (windows, cores, blocks);
        self.products_of_blocks(n, width, products);
    }

    /// Spectra of the windows and cores of one group of trials.
    fn transform_group(
        &self,
        signal: Signal<'_, T>,
        tiling: Tiling,
        group: usize,
        windows: &mut [T],
        cores: &mut [T],
    ) {
        let (n, half, margin) = (tiling.units, self.size / 2, self.margin());
        let wide = wide(n);
        let tiles = windows.len() / (half * wide);
        let mut scratch = self.scratch();
        let shape = SpectrumShape {
            columns: n,
            stride: tiles * wide,
        };
        for tile in 0..tiles {
            let trial = group * tiling.group + tile / tiling.tiles;
            let start = tile % tiling.tiles * self.core();
            let window = self.size.min(tiling.bins + 2 * margin - start);
            let core = self.core().min(tiling.bins - start);
            for (present, spectra) in [
                (0..window, &mut *windows),
                (margin..margin + core, &mut *cores),
            ] {
                let at = (tiling.first, start, margin);
                let samples = signal.samples(trial, n, at, present);
                let spectra = &mut spectra[tile * wide..];
                self.fft.forward(samples, spectra, shape, &mut scratch);
            }
        }
    }

    /// Back from frequencies to lags: `Re(P e^(i w d))` summed over them.
    fn products_of_blocks(&self, n: usize, width: usize, products: &mut Vec<T>) {
        let (wide, lags) = (wide(n), self.lags);
        products.clear();
        products.resize(n * lags * width, T::zero());
        let [cosine, sine] = &self.turns;
        products
            .par_chunks_mut((lags * width).max(1))
            .enumerate()
            .for_each(|(j, of_source)| {
                dispatch(
                    #[inline(always)]
                    || {
                        let (mut real, mut imaginary) = (vec![T::zero(); n], vec![T::zero(); n]);
                        for (f, block) in self.blocks.chunks_exact(2 * n * wide).enumerate() {
                            let (rr, ri) = block[j * wide..][..2 * n].split_at(n);
                            let (ir, ii) = block[(n + j) * wide..][..2 * n].split_at(n);
                            if f == 0 {
                                real.copy_from_slice(rr);
                                imaginary.copy_from_slice(ii);
                            } else {
                                for i in 0..n {
                                    real[i] = rr[i] + ii[i];
                                    imaginary[i] = ri[i] - ir[i];
                                }
                            }
                            // Other frequencies stand for their mirror image as well.
                            let scale = if f == 0 { 1.0 } else { 2.0 } / self.size as f64;
                            let scale = T::of(scale);
                            for (d, out) in of_source.chunks_exact_mut(width).enumerate() {
                                let (cosine, sine) = (cosine[f * lags + d], sine[f * lags + d]);
                                let sine = if f == 0 { sine } else { -sine };
                                add_scaled(&mut out[..n], scale * cosine, &real);
                                add_scaled(&mut out[..n], scale * sine, &imaginary);
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
        let tiling = self.tiling(n, first, bins);
        let (half, wide) = (self.size / 2, wide(n));
        let [sums, differences] = with_transposed(slopes, self.lags, n, width);
        let mut blocks = std::mem::replace(&mut self.blocks, aligned_vec());
        blocks
            .par_chunks_mut((2 * n * wide).max(1))
            .enumerate()
            .for_each(|(f, block)| self.kernel(f, [&sums, &differences], n, block));
        let mut spectra = std::mem::replace(&mut self.cores, aligned_vec());
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
                for (f, block) in blocks.chunks_exact(2 * n * wide).enumerate() {
                    let at = f * tiles * wide;
                    matmul_whole_rows(
                        MatrixRef::rows(&windows[at..], tiles, 2 * n, wide),
                        MatrixRef::rows(block, 2 * n, wide, wide),
                        false,
                        MatrixMut::rows(&mut spectra[at..], tiles, wide, wide),
                    );
                }
                let mut scratch = self.scratch();
                let shape = SpectrumShape {
                    columns: n,
                    stride: tiles * wide,
                };
                for tile in 0..tiles {
                    let trial = &mut gradient[tile / tiling.tiles * trial_len..][..trial_len];
                    let start = tile % tiling.tiles * self.core();
                    let core = self.core().min(tiling.bins - start);
                    self.fft.inverse(
                        &spectra[tile * wide..],
                        shape,
                        self.margin()..self.margin() + core,
                        &mut trial[(tiling.first + start) * width..],
                        width,
                        &mut scratch,
                    );
                }
            });
        (self.cores, self.blocks) = (spectra, blocks);
    }

    /// `K[f]` as the real matrix that maps `(Re X, Im X)` rows to `(Re, Im)` rows, from the sums
    /// `S[j,d,i] + S[i,d,j]` and differences `S[j,d,i] - S[i,d,j]`:
    ///
    /// ```text
    /// Re K[j,i] = sum_d cos(w d) (sum)[j,d,i]      Im K[j,i] = -sum_d sin(w d) (difference)[j,d,i]
    /// ```
    fn kernel(&self, f: usize, [sums, differences]: [&[T]; 2], n: usize, block: &mut [T]) {
        let (wide, lags) = (wide(n), self.lags);
        let [cosine, sine] = &self.turns;
        let (cosine, sine) = (&cosine[f * lags..], &sine[f * lags..]);
        dispatch(
            #[inline(always)]
            || {
                block.fill(T::zero());
                let (upper, lower) = block.split_at_mut(n * wide);
                let rows = upper
                    .chunks_exact_mut(wide)
                    .zip(lower.chunks_exact_mut(wide));
                let len = (lags * n).max(1);
                let slopes = sums.chunks_exact(len).zip(differences.chunks_exact(len));
                for ((upper, lower), (sums, differences)) in rows.zip(slopes) {
                    let (real, imaginary) = upper[..2 * n].split_at_mut(n);
                    let (minus, below) = lower[..2 * n].split_at_mut(n);
                    for (d, sums) in sums.chunks_exact(n).enumerate() {
                        add_scaled(real, cosine[d], sums);
                    }
                    if f == 0 {
                        // In place of frequency 0's imaginary part, that of F/2.
                        for (d, sums) in sums.chunks_exact(n).enumerate() {
                            add_scaled(below, sine[d], sums);
                        }
                        continue;
                    }
                    for (d, differences) in differences.chunks_exact(n).enumerate() {
                        add_scaled(imaginary, -sine[d], differences);
                    }
                    below.copy_from_slice(real);
                    for (minus, &imaginary) in minus.iter_mut().zip(&*imaginary) {
                        *minus = -imaginary;
                    }
                }
            },
        );
    }
}

/// `S[j,d,i] + S[i,d,j]` and `S[j,d,i] - S[i,d,j]`, rows of `n`, of slopes in rows of `width`.
fn with_transposed<T: Real>(slopes: &[T], lags: usize, n: usize, width: usize) -> [Vec<T>; 2] {
    let mut both = [vec![T::zero(); n * lags * n], vec![T::zero(); n * lags * n]];
    let [sums, differences] = &mut both;
    let rows = sums.chunks_exact_mut(n.max(1));
    let rows = rows.zip(differences.chunks_exact_mut(n.max(1)));
    for (row, (sums, differences)) in rows.enumerate() {
        let (j, d) = (row / lags, row % lags);
        let own = &slopes[row * width..][..n];
        let transposed = slopes[d * width + j..].iter().step_by(lags * width);
        let entries = sums
            .iter_mut()
            .zip(differences)
            .zip(own.iter().zip(transposed));
        for ((sum, difference), (&own, &other)) in entries {
            (*sum, *difference) = (own + other, own - other);
        }
    }
    both
}

/// Length of a row of real and imaginary parts, filled up to whole registers.
fn wide(units: usize) -> usize {
    (2 * units).next_multiple_of(LANES)
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
            tiles.forward(Signal::Surrounded(&x), (units, width), first, bins, &mut products);
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

        /// Deviations taken in passing, of trials that may end early, against those written out.
        #[test]
        fn deviations_are_rows_less_their_means(
            ends in prop::collection::vec(0usize..60, 1..6),
            (units, lags, first) in (1usize..4, 1usize..5, 0usize..3),
            seed in 0u64..1000,
        ) {
            let number = |i: usize| (((i as u64 + 1) * (2 * seed + 7919)) % 1009) as f64 / 500.0 - 1.0;
            let (margin, width) = (lags - 1, units + 2);
            let ends: Vec<usize> = ends.into_iter().map(|end| first + end).collect();
            let bins = ends.iter().copied().max().unwrap_or(0).max(first + 1);
            let values = (0..ends.len() * bins * width).map(number).collect();
            let x = TrialArray::from_vec(values, ends.len(), bins, width).unwrap();
            let means: Vec<Vec<f64>> = ends
                .iter()
                .enumerate()
                .map(|(k, &end)| (0..end * units).map(|i| number(i + 3 * k)).collect())
                .collect();
            let mut around = TrialArray::zeros(ends.len(), bins + 2 * margin, 0, units);
            for (k, &end) in ends.iter().enumerate() {
                for t in first..end {
                    let row = around.row_mut(k, t + margin).iter_mut();
                    for ((a, x), m) in row.zip(x.row(k, t)).zip(&means[k][t * units..]) {
                        *a = x - m;
                    }
                }
            }
            let means: Vec<&[f64]> = means.iter().map(|m| &m[..]).collect();
            let (mut found, mut expected) = (Vec::new(), Vec::new());
            let of = |signal, products: &mut Vec<f64>| {
                let mut tiles = LaggedProducts::new(lags);
                tiles.forward(signal, (units, width), first, bins - first, products);
            };
            of(Signal::Deviations { rows: &x, means: &means, bins: &ends }, &mut found);
            of(Signal::Surrounded(&around), &mut expected);
            prop_assert_eq!(found, expected);
        }
    }
}
