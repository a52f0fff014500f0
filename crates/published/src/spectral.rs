//! Products of a signal with itself at all lags, and their adjoint, tile by tile in the frequency
//! domain: at nine lags a tenth of the arithmetic of one matrix product per lag and bin.

use crate::fft::{RealFft, Samples, SpectrumShape, Transformable, Wanted};
use crate::panels::{gram_whole_rows, matmul_whole_rows};
use edges::Edges;
use kernels::{KernelBuffers, Kernels};
use rayon::prelude::*;
use refire_core::{AlignedVec, aligned_vec};
use refire_kernels::{LANES, MatrixMut, MatrixRef, Real, dispatch};
use tiling::Tiling;
use turns::Turns;

pub(crate) use tiling::Deviations;

mod edges;
mod kernels;
#[cfg(test)]
mod tests;
mod tiling;
mod turns;

/// Trials are transformed in groups of about this many tiles, so that the matrix product of a
/// frequency is worth its overhead. Fixed, so that results do not depend on the number of threads.
const GROUP_TILES: usize = 32;

/// Frequencies whose kernels are made together: slopes, large where units are many, are read once for all.
const AT_ONCE: usize = 4;

/// Overlap-add. Tiles follow one another, each at most `F - 2 (D - 1)` bins long, so that a product of its
/// spectrum with the kernel of `D` lags does not meet itself.
///
/// ```text
/// X_j[f]       = sum_s x_j[s] e^(-i w s)         w = 2 pi f / F, over the tile
/// P[f,j,i]     = sum_tiles conj(X_j[f]) X_i[f]
/// M[j,d,i]     = sum_{k,s} x_j[k,s] x_i[k,s+d]
///              = 1/F sum_f e^(i w d) P[f,j,i]  +  pairs of bins with the end of a tile between them
/// dL/dx_i[k,t] = sum_{d,j} S[j,d,i] x_j[k,t-d] + S[i,d,j] x_j[k,t+d]         S = dL/dM
///              = sum over tiles of 1/F sum_f e^(i w t) sum_j K[f,j,i] X_j[f]
/// K[f,j,i]     = A[f,j,i] + conj(A[f,i,j])     A[f,j,i] = sum_d S[j,d,i] e^(-i w d)
/// ```
///
/// `P` is Hermitian, so half of it is enough. Signals are real, so half the frequencies suffice. A complex
/// number takes two real ones, real part first; frequency 0 has no imaginary part, and `F/2`, which has none
/// either, lies in its place.
#[derive(Clone, Debug)]
pub(crate) struct LaggedProducts<T> {
    turns: Turns<T>,
    fft: RealFft<T>,
    /// Of the last signal.
    tiling: Option<Tiling>,
    /// `[group][frequency][tile][real unit | imaginary unit | zeros]`, rows of whole registers.
    spectra: AlignedVec<T>,
    /// Length of their rows.
    wide: usize,
    /// Spectra of the gradient, laid out alike.
    slopes: AlignedVec<T>,
    /// `[frequency 0..=F/2][unit][sum | half a difference]`, see [`Self::keep_halves`].
    halves: AlignedVec<T>,
    edges: Edges<T>,
}

impl<T: Transformable> LaggedProducts<T> {
    /// Products at lags `0..lags`.
    pub(crate) fn new(lags: usize) -> Self {
        let turns = Turns::new(lags);
        Self {
            fft: RealFft::new(turns.size),
            turns,
            tiling: None,
            spectra: aligned_vec(),
            wide: 0,
            slopes: aligned_vec(),
            halves: aligned_vec(),
            edges: Edges::default(),
        }
    }

    /// Bins that a product reaches beyond a tile on either side.
    fn margin(&self) -> usize {
        self.turns.lags - 1
    }

    fn tiling(&self, signal: Deviations<'_, T>, units: usize, first: usize, bins: usize) -> Tiling {
        let trials = signal.rows.trials();
        let tiles = bins.div_ceil(self.turns.size - 2 * self.margin()).max(1);
        let groups = (trials * tiles / GROUP_TILES).max(1);
        Tiling {
            units,
            first,
            bins,
            tiles,
            group: trials.div_ceil(groups).max(1),
            wrap: signal.wrap,
        }
    }

    /// Numbers of the spectra of a group.
    fn group_len(&self, tiling: Tiling) -> usize {
        (tiling.group * tiling.tiles * self.turns.size / 2 * self.wide).max(1)
    }

    /// `M[j,d,i]` of the first `units` columns over `bins` scored bins from `first` on. Rows of `products`
    /// have `width` numbers, whole registers.
    pub(crate) fn forward(
        &mut self,
        signal: Deviations<'_, T>,
        units: usize,
        width: usize,
        first: usize,
        bins: usize,
        products: &mut Vec<T>,
    ) {
        let trials = signal.rows.trials();
        let tiling = self.tiling(signal, units, first, bins);
        self.tiling = Some(tiling);
        let (half, wide) = (self.turns.size / 2, (2 * units).next_multiple_of(LANES));
        if self.wide != wide {
            // What fills up rows is never written: once zero, always zero.
            self.spectra.clear();
            self.wide = wide;
        }
        let len = trials * tiling.tiles * half * wide;
        self.spectra.resize(len, T::zero());
        let mut spectra = std::mem::replace(&mut self.spectra, aligned_vec());
        let group_len = self.group_len(tiling);
        spectra
            .par_chunks_mut(group_len)
            .enumerate()
            .for_each(|(group, spectra)| self.transform_group(signal, tiling, group, spectra));
        self.spectra = spectra;
        let mut halves = std::mem::replace(&mut self.halves, aligned_vec());
        let mut edges = std::mem::take(&mut self.edges);
        rayon::join(
            || self.keep_halves(units, width, group_len, &mut halves),
            || edges.measure(signal, tiling, self.margin(), width),
        );
        (self.halves, self.edges) = (halves, edges);
        self.products_of_halves(units, width, products);
    }

    /// Spectra of the tiles of one group of trials, in the middle of as many bins as a transform takes.
    fn transform_group(
        &self,
        signal: Deviations<'_, T>,
        tiling: Tiling,
        group: usize,
        spectra: &mut [T],
    ) {
        let (n, half, wide, margin) = (tiling.units, self.turns.size / 2, self.wide, self.margin());
        let tiles = spectra.len() / (half * wide);
        // The spectra of a tile, copied to their places, far apart, in whole rows.
        let mut tile = aligned_vec();
        tile.resize(half * wide, T::zero());
        let shape = SpectrumShape {
            columns: n,
            stride: wide,
        };
        let mut scratch = self.fft.buffers();
        for at in 0..tiles {
            let trial = group * tiling.group + at / tiling.tiles;
            let bins = tiling.bins(at % tiling.tiles);
            let start = tiling.first + bins.start;
            let present = (tiling.first + bins.end)
                .min(signal.ends[trial])
                .saturating_sub(start);
            let width = signal.rows.units();
            let (rows, mean) = match present {
                0 => (&[][..], &[][..]),
                _ => (
                    &signal.rows.trial(trial)[start * width..],
                    &signal.mean(trial)[start * n..],
                ),
            };
            let samples = Samples {
                rows,
                width,
                mean,
                mean_width: n,
                present: margin..margin + present,
            };
            self.fft.forward(samples, &mut tile, shape, &mut scratch);
            for (f, row) in tile.chunks_exact(wide).enumerate() {
                spectra[(f * tiles + at) * wide..][..wide].copy_from_slice(row);
            }
        }
    }

    /// The half of `P` that tells the other. With `G` the products of real and imaginary parts:
    ///
    /// ```text
    /// Re P[j,i] = G[re j, re i] + G[im j, im i]      symmetric: kept for i >= j
    /// Im P[j,i] = G[re j, im i] - G[re i, im j]      kept: the first of the two
    /// ```
    fn keep_halves(&self, n: usize, width: usize, group_len: usize, halves: &mut AlignedVec<T>) {
        let (half, wide) = (self.turns.size / 2, self.wide);
        let len = (2 * n * width).max(1);
        halves.resize((half + 1) * len, T::zero());
        // Frequency F/2, which lies with frequency 0, has its own place.
        let (halves, last) = halves.split_at_mut(half * len);
        let product = |f: usize, gram: &mut AlignedVec<T>| {
            gram.resize(2 * n * wide, T::zero());
            for (group, spectra) in self.spectra.chunks(group_len).enumerate() {
                let tiles = spectra.len() / (half * wide);
                gram_whole_rows(
                    MatrixRef::rows(&spectra[f * tiles * wide..], tiles, wide, wide),
                    group > 0,
                    MatrixMut::rows(gram, 2 * n, wide, wide),
                );
            }
        };
        halves
            .par_chunks_mut(len)
            .enumerate()
            .for_each_init(aligned_vec, |gram, (f, halves)| {
                product(f, gram);
                let (upper, lower) = gram.split_at(n * wide);
                let rows = upper.chunks_exact(wide).zip(lower.chunks_exact(wide));
                let rows = rows.zip(halves.chunks_exact_mut(2 * width));
                dispatch(
                    #[inline(always)]
                    || {
                        for (j, ((upper, lower), out)) in rows.enumerate() {
                            let (sums, cross) = out.split_at_mut(width);
                            if f == 0 {
                                sums[j..n].copy_from_slice(&upper[j..n]);
                                continue;
                            }
                            let both = upper[j..n].iter().zip(&lower[n + j..2 * n]);
                            for (sum, (a, b)) in sums[j..n].iter_mut().zip(both) {
                                *sum = *a + *b;
                            }
                            cross[..n].copy_from_slice(&upper[n..2 * n]);
                        }
                    },
                );
            });
        let mut gram = aligned_vec();
        product(0, &mut gram);
        let lower = gram[n * wide..].chunks_exact(wide);
        for (j, (out, lower)) in last.chunks_exact_mut(2 * width).zip(lower).enumerate() {
            out[j..n].copy_from_slice(&lower[n + j..2 * n]);
        }
    }

    /// Back from frequencies to lags: `Re(P e^(i w d))` summed over them, and the pairs across the ends of
    /// tiles.
    fn products_of_halves(&self, n: usize, width: usize, products: &mut Vec<T>) {
        let (lags, frequencies) = (self.turns.lags, self.turns.size / 2 + 1);
        let len = (lags * width).max(1);
        let (mut even, mut odd) = (aligned_vec(), aligned_vec());
        even.resize(n * len, T::zero());
        odd.resize(n * len, T::zero());
        even.par_chunks_mut(len)
            .zip(odd.par_chunks_mut(len))
            .enumerate()
            .for_each(|(j, (even, odd))| {
                let [cosine, sine] = &self.turns.to_lags;
                // Sums are there from column j on.
                let from = j / LANES * LANES;
                for (at, from, turns, out) in [(0, from, cosine, even), (width, 0, sine, odd)] {
                    let halves = &self.halves[2 * j * width + at + from..];
                    matmul_whole_rows(
                        MatrixRef::rows(turns, lags, frequencies, frequencies),
                        MatrixRef::rows(halves, frequencies, width - from, 2 * n * width),
                        false,
                        MatrixMut::rows(&mut out[from..], lags, width - from, width),
                    );
                }
            });
        products.clear();
        products.resize(n * len, T::zero());
        products
            .par_chunks_mut(len)
            .enumerate()
            .for_each(|(j, products)| {
                for (d, out) in products.chunks_exact_mut(width).enumerate() {
                    let row = |of: &AlignedVec<T>, j: usize, i: usize| of[j * len + d * width + i];
                    let across = self.edges.products(d, self.margin(), n, width);
                    for (i, out) in out[..n].iter_mut().enumerate() {
                        let across = across.map_or(T::zero(), |across| across[j * width + i]);
                        *out = row(&even, j.min(i), j.max(i)) - row(&odd, j, i)
                            + row(&odd, i, j)
                            + across;
                    }
                }
            });
    }

    /// `dL/dx` of the last [`Self::forward`], from `dL/dM[j,d,i]`, both in rows of `width`: calls `take` with every
    /// trial, its part of `into`, `[trial][any number]`, and the rows of its bins from `first` on.
    pub(crate) fn backward(
        &mut self,
        slopes: &[T],
        width: usize,
        into: &mut [T],
        trial_len: usize,
        take: impl Fn(usize, &mut [T], &[T]) + Sync,
    ) {
        let Some(tiling) = self.tiling else { return };
        let (n, bins, margin) = (tiling.units, tiling.bins, self.margin());
        let (half, wide, group_len) = (self.turns.size / 2, self.wide, self.group_len(tiling));
        self.slopes.resize(self.spectra.len(), T::zero());
        let mut out = std::mem::replace(&mut self.slopes, aligned_vec());
        // The rows of each group.
        let mut by_frequency: Vec<Vec<&mut [T]>> = Vec::new();
        by_frequency.resize_with(half, Vec::new);
        for group in out.chunks_mut(group_len) {
            let len = (group.len() / half).max(1);
            for (rows, into) in group.chunks_exact_mut(len).zip(&mut by_frequency) {
                into.push(rows);
            }
        }
        let kernels = Kernels::new(&self.turns, self.wide, slopes, n, width);
        by_frequency
            .par_chunks_mut(AT_ONCE)
            .enumerate()
            .for_each_init(KernelBuffers::default, |buffers, (chunk, frequencies)| {
                let first = chunk * AT_ONCE;
                kernels.combine(first, frequencies.len(), buffers);
                for (f, groups) in (first..).zip(frequencies) {
                    let kernel = kernels.block(f, f - first, buffers);
                    for (into, spectra) in groups.iter_mut().zip(self.spectra.chunks(group_len)) {
                        let tiles = spectra.len() / (half * wide);
                        matmul_whole_rows(
                            MatrixRef::rows(&spectra[f * tiles * wide..], tiles, 2 * n, wide),
                            MatrixRef::rows(kernel, 2 * n, wide, wide),
                            false,
                            MatrixMut::rows(into, tiles, wide, wide),
                        );
                    }
                }
            });
        let slopes = &out;
        let buffers = || {
            let mut rows = aligned_vec();
            rows.resize((bins + 2 * margin) * width, T::zero());
            (self.fft.buffers(), rows)
        };
        into.par_chunks_mut(trial_len.max(1))
            .enumerate()
            .for_each_init(buffers, |(scratch, rows), (trial, into)| {
                let group = trial / tiling.group * group_len;
                let slopes = &slopes[group..slopes.len().min(group + group_len)];
                let tiles = slopes.len() / (half * wide);
                let shape = SpectrumShape {
                    columns: n,
                    stride: tiles * wide,
                };
                for tile in 0..tiling.tiles {
                    let at = trial % tiling.group * tiling.tiles + tile;
                    let here = tiling.bins(tile);
                    let wanted = Wanted {
                        samples: 0..here.len() + 2 * margin,
                        // It overlaps the tile before by as much as both reach beyond their ends.
                        added: if tile == 0 { 0 } else { 2 * margin },
                        width,
                    };
                    let rows = &mut rows[here.start * width..];
                    let of_tile = &slopes[at * wide..];
                    self.fft.inverse(of_tile, shape, wanted, rows, scratch);
                }
                if tiling.wrap {
                    fold(rows, margin, bins, width);
                }
                take(trial, into, &rows[margin * width..]);
            });
        self.slopes = out;
    }
}

/// Adds what lies in the `margin` rows on either side of `bins` rows to the rows that these stand for where
/// time is circular.
fn fold<T: Real>(rows: &mut [T], margin: usize, bins: usize, width: usize) {
    for outside in (0..margin).chain(margin + bins..bins + 2 * margin) {
        let bin = (outside as isize - margin as isize).rem_euclid(bins.max(1) as isize) as usize;
        for column in 0..width {
            let more = rows[outside * width + column];
            rows[(margin + bin) * width + column] += more;
        }
    }
}
