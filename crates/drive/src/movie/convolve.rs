//! Convolution with SAME padding and its two adjoints, in registers, reading planes in place: no copy of
//! the image per filter tap.
//!
//! ```text
//! out[o][p] = sum_{c, tap} w[o][c][tap] in[c][p + offset(tap)]
//! ```

use super::shape::Plane;
use refire_kernels::{Kernel, Real, Vectors};

/// Registers of neighbouring positions that are computed together.
const WIDE: usize = 3;

/// Taps whose gradients are summed together.
const TAPS: usize = 6;

/// `out[filter][position]` of `input[channel]`, planes behind one another.
pub(super) struct Convolution<'a, T> {
    pub plane: Plane,
    pub input: &'a [T],
    /// `[channel][tap][filter]`: those of one tap side by side.
    pub weights: &'a [T],
    pub filters: usize,
    pub out: &'a mut [T],
}

impl<T: Real> Kernel<T> for Convolution<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Vectors<T>>(mut self, r: R) {
        let registers = self.plane.positions / R::LANES;
        let mut register = 0;
        while register < registers {
            let wide = WIDE.min(registers - register);
            let mut filter = 0;
            while filter < self.filters {
                // Eight filters of three registers fit into 32 registers, four into 16.
                let eight = R::LANES * size_of::<T>() == 64 && self.filters - filter >= 8;
                filter += match (wide, eight, self.filters - filter) {
                    (WIDE, true, _) => self.tile::<R, 8, WIDE>(r, filter, register),
                    (WIDE, _, 4..) => self.tile::<R, 4, WIDE>(r, filter, register),
                    (WIDE, ..) => self.tile::<R, 1, WIDE>(r, filter, register),
                    (_, true, _) => self.tile::<R, 8, 1>(r, filter, register),
                    (_, _, 4..) => self.tile::<R, 4, 1>(r, filter, register),
                    _ => self.tile::<R, 1, 1>(r, filter, register),
                };
            }
            register += if wide == WIDE { WIDE } else { 1 };
        }
    }
}

impl<T: Real> Convolution<'_, T> {
    /// `M` filters at `N` registers of positions; returns `M`.
    #[inline(always)]
    fn tile<R: Vectors<T>, const M: usize, const N: usize>(
        &mut self,
        r: R,
        filter: usize,
        register: usize,
    ) -> usize {
        let mut sums = [[r.splat(T::zero()); N]; M];
        let (at, size) = (register * R::LANES, self.plane.size);
        let mut weights = self.weights.chunks_exact(self.filters);
        for channel in self.input.chunks_exact(self.plane.len) {
            for y in 0..size {
                let row = &channel[at + y * self.plane.stride..][..N * R::LANES + size - 1];
                for (x, weights) in (0..size).zip(&mut weights) {
                    let (inputs, _) = r.split(&row[x..]);
                    let Some(inputs) = inputs.first_chunk::<N>() else {
                        continue;
                    };
                    let weights = &weights[filter..filter + M];
                    for (sums, &weight) in sums.iter_mut().zip(weights) {
                        let weight = r.splat(weight);
                        for (sum, &input) in sums.iter_mut().zip(inputs) {
                            *sum = r.mul_add(weight, input, *sum);
                        }
                    }
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            let out = &mut self.out[(filter + i) * self.plane.positions + at..];
            let (out, _) = r.split_mut(&mut out[..N * R::LANES]);
            out.copy_from_slice(sums);
        }
        M
    }
}

/// Adds the gradient of filters, over several frames, to `d_weights[filter][channel][tap]`.
pub(super) struct FilterGradient<'a, T> {
    pub plane: Plane,
    pub channels: usize,
    /// Channels of every frame; frames `frame_step` numbers apart.
    pub input: &'a [T],
    pub frame_step: usize,
    /// `[frame][filter]` planes of the adjoint of the convolution, zero in all margins.
    pub d_out: &'a [T],
    pub filters: usize,
    pub d_weights: &'a mut [T],
}

impl<T: Real> Kernel<T> for FilterGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Vectors<T>>(mut self, r: R) {
        let weights = self.channels * self.plane.taps();
        let four = R::LANES * size_of::<T>() == 64;
        let mut filter = 0;
        while filter < self.filters {
            let left = self.filters - filter;
            let rows = match (four, left) {
                (true, 4..) => 4,
                (_, 2..) => 2,
                _ => 1,
            };
            let mut tap = 0;
            while tap < weights {
                let many = weights - tap >= TAPS;
                tap += match (rows, many) {
                    (4, true) => self.tile::<R, 4, TAPS>(r, filter, tap),
                    (4, false) => self.tile::<R, 4, 1>(r, filter, tap),
                    (2, true) => self.tile::<R, 2, TAPS>(r, filter, tap),
                    (2, false) => self.tile::<R, 2, 1>(r, filter, tap),
                    (_, true) => self.tile::<R, 1, TAPS>(r, filter, tap),
                    (_, false) => self.tile::<R, 1, 1>(r, filter, tap),
                };
            }
            filter += rows;
        }
    }
}

impl<T: Real> FilterGradient<'_, T> {
    /// Offset in the channels of a frame of what a weight multiplies at position 0.
    #[inline(always)]
    fn offset(&self, weight: usize) -> usize {
        let (channel, tap) = (weight / self.plane.taps(), weight % self.plane.taps());
        let (y, x) = (tap / self.plane.size, tap % self.plane.size);
        channel * self.plane.len + y * self.plane.stride + x
    }

    /// `M` filters and `N` of their weights; returns `N`.
    #[inline(always)]
    fn tile<R: Vectors<T>, const M: usize, const N: usize>(
        &mut self,
        r: R,
        filter: usize,
        weight: usize,
    ) -> usize {
        let plane = self.plane;
        let mut sums = [[r.splat(T::zero()); N]; M];
        let offsets: [usize; N] = std::array::from_fn(|j| self.offset(weight + j));
        let frames = self.d_out.chunks_exact(self.filters * plane.len);
        for (d_out, frame) in frames.zip(0..) {
            let input = &self.input[frame * self.frame_step..];
            let inputs: [&[R::V]; N] =
                std::array::from_fn(|j| r.split(&input[offsets[j]..][..plane.positions]).0);
            let d_out: [&[R::V]; M] = std::array::from_fn(|i| {
                let plane_of = &d_out[(filter + i) * plane.len + plane.origin..];
                r.split(&plane_of[..plane.positions]).0
            });
            for p in 0..plane.positions / R::LANES {
                let d: [R::V; M] = std::array::from_fn(|i| d_out[i][p]);
                for j in 0..N {
                    let input = inputs[j][p];
                    for i in 0..M {
                        sums[i][j] = r.mul_add(d[i], input, sums[i][j]);
                    }
                }
            }
        }
        let weights = self.channels * plane.taps();
        for (i, sums) in sums.iter().enumerate() {
            let out = &mut self.d_weights[(filter + i) * weights + weight..][..N];
            for (out, &sum) in out.iter_mut().zip(sums) {
                *out += r.sum(sum);
            }
        }
        N
    }
}

/// `[filter][channel][tap]` to `[channel][tap][filter]`.
pub(super) fn by_tap<T: Real>(weights: &[T], filters: usize, out: &mut Vec<T>) {
    out.clear();
    let per_filter = weights.len() / filters.max(1);
    for tap in 0..per_filter {
        out.extend((0..filters).map(|filter| weights[filter * per_filter + tap]));
    }
}

/// `[filter][channel][tap]` to what takes the adjoint of the filters to that of the channels:
/// `[filter][tap, reversed][channel]`.
pub(super) fn reversed<T: Real>(weights: &[T], channels: usize, taps: usize, out: &mut Vec<T>) {
    out.clear();
    for filter in weights.chunks_exact(channels * taps) {
        for tap in (0..taps).rev() {
            out.extend((0..channels).map(|channel| filter[channel * taps + tap]));
        }
    }
}
