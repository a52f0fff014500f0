//! Fourier transforms of real signals, as many side by side as a register has lanes.

use refire_kernels::{Kernel, LANES, Real, Vectors};
use std::f64::consts::TAU;
use std::ops::Range;

/// The discrete Fourier transform of real signals of one length, a power of two, and its inverse, of
/// many signals at once: rows are samples, columns signals, and every operation acts on a register of
/// columns, so that it vectorises whatever the length.
///
/// ```text
/// X[f] = sum_s x[s] e^(-i 2 pi f s / F)       f = 0..F/2
/// x[s] = 1/F sum over all F frequencies of X[f] e^(i 2 pi f s / F)
/// ```
///
/// A complex transform of half the length of `x[2m] + i x[2m+1]` (Stockham, radix 4) holds them all:
/// with `E` and `O` its parts of even and odd symmetry, `X[f] = E[f] + e^(-i 2 pi f / F) O[f]`.
/// Frequencies 0 and `F/2` are real: the second stands in the place of the first's imaginary part.
#[derive(Clone, Debug)]
pub struct RealFft<T> {
    /// `F/2`, the length of the complex transform.
    half: usize,
    /// `e^(-i 2 pi f / F)` for `f` in `0..F`.
    turns: Vec<(T, T)>,
}

/// Where the spectra of some signals lie: the real parts of frequency `f` from `f * stride` on, the
/// imaginary parts `columns` further.
#[derive(Clone, Copy, Debug)]
pub struct SpectrumShape {
    /// Number of signals.
    pub columns: usize,
    /// Numbers from one frequency to the next.
    pub stride: usize,
}

/// Samples of some signals: rows `width` numbers apart, less those of `mean`, where that is not empty. Both
/// start with the first sample of `present`; the others are zero.
#[derive(Clone, Debug)]
pub struct Samples<'a, T> {
    /// Rows of samples.
    pub rows: &'a [T],
    /// Numbers from one row to the next.
    pub width: usize,
    /// Rows to be subtracted, or none.
    pub mean: &'a [T],
    /// Numbers from one of them to the next.
    pub mean_width: usize,
    /// The samples that are not zero.
    pub present: Range<usize>,
}

/// The samples that are wanted back.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which; the first one goes to the first row.
    pub samples: Range<usize>,
    /// So many of the first ones are added to what is there; the others take its place.
    pub added: usize,
    /// Numbers from one row to the next.
    pub width: usize,
}

impl<T: Real> RealFft<T> {
    /// A transform of signals of `size` samples.
    ///
    /// # Panics
    /// Unless `size` is a power of two, at least 4.
    pub fn new(size: usize) -> Self {
        assert!(
            size >= 4 && size.is_power_of_two(),
            "size of a Fourier transform: expected a power of two from 4 on, found {size}"
        );
        let turn = |f: usize| f as f64 / size as f64 * TAU;
        Self {
            half: size / 2,
            turns: (0..size)
                .map(|f| (T::new(turn(f).cos()), T::new(-turn(f).sin())))
                .collect(),
        }
    }

    /// Numbers a transform needs room for besides its input and output.
    pub fn scratch_len(&self) -> usize {
        4 * self.half * LANES
    }

    /// The spectra of signals. `scratch` holds [`Self::scratch_len`] numbers, best aligned to a cache line.
    ///
    /// # Panics
    /// If a slice is too short for its shape.
    pub fn forward(
        &self,
        samples: Samples<'_, T>,
        spectra: &mut [T],
        shape: SpectrumShape,
        scratch: &mut [T],
    ) {
        T::with_vectors(Forward {
            fft: self,
            samples,
            spectra,
            shape,
            scratch,
        });
    }

    /// The samples `wanted` of the signals of given spectra, as rows of `signals`.
    ///
    /// # Panics
    /// If a slice is too short for its shape.
    pub fn inverse(
        &self,
        spectra: &[T],
        shape: SpectrumShape,
        wanted: Wanted,
        signals: &mut [T],
        scratch: &mut [T],
    ) {
        T::with_vectors(Inverse {
            fft: self,
            spectra,
            shape,
            wanted,
            signals,
            scratch,
        });
    }

    /// The complex transform of `F/2` numbers in the first pair of buffers; whether it ends in the
    /// second pair.
    #[inline(always)]
    fn complex<R: Vectors<T>>(&self, r: R, buffers: [&mut [R::V]; 4]) -> bool {
        let [mut re, mut im, mut re2, mut im2] = buffers;
        let (mut n, mut stride, mut moved) = (self.half, 1, false);
        while n > 1 {
            if n >= 4 {
                // Turns are those of F; this stage's are of n = half / stride.
                let turns = self.turns.iter();
                let w1 = turns.clone().step_by(2 * stride);
                let w2 = turns.clone().step_by(4 * stride);
                let turns = w1.zip(w2).zip(turns.step_by(6 * stride));
                let inputs = quarters(re, im, stride);
                let outputs = re2.chunks_exact_mut(4 * stride);
                let outputs = outputs.zip(im2.chunks_exact_mut(4 * stride));
                for (((w, &w3), x), (y_re, y_im)) in turns.zip(inputs).zip(outputs) {
                    let w = [splat(r, *w.0), splat(r, *w.1), splat(r, w3)];
                    butterflies(r, w, x, y_re, y_im);
                }
                (n, stride) = (n / 4, stride * 4);
            } else {
                for q in 0..stride {
                    let (a, b) = ((re[q], im[q]), (re[q + stride], im[q + stride]));
                    (re2[q], im2[q]) = add(r, a, b);
                    (re2[q + stride], im2[q + stride]) = sub(r, a, b);
                }
                (n, stride) = (n / 2, stride * 2);
            }
            std::mem::swap(&mut re, &mut re2);
            std::mem::swap(&mut im, &mut im2);
            moved = !moved;
        }
        moved
    }
}

/// For one position in each quarter of the buffers, `stride` numbers from each: `[quarter]`, real and
/// imaginary.
#[inline(always)]
fn quarters<'a, V>(
    re: &'a [V],
    im: &'a [V],
    stride: usize,
) -> impl Iterator<Item = [Slices<'a, V>; 4]> {
    let quarter = re.len() / 4;
    let of = move |k: usize| {
        let re = re[k * quarter..][..quarter].chunks_exact(stride);
        re.zip(im[k * quarter..][..quarter].chunks_exact(stride))
    };
    let all = of(0).zip(of(1)).zip(of(2)).zip(of(3));
    all.map(|(((a, b), c), d)| [a, b, c, d])
}

/// One stage of radix 4, for as many numbers as there are in a slice of the input.
#[inline(always)]
fn butterflies<T: Copy, R: Vectors<T>>(
    r: R,
    w: [Complex<R::V>; 3],
    [a, b, c, d]: [Slices<'_, R::V>; 4],
    y_re: &mut [R::V],
    y_im: &mut [R::V],
) {
    let stride = a.0.len();
    let (y0, rest) = y_re.split_at_mut(stride);
    let (y1, rest) = rest.split_at_mut(stride);
    let (y2, y3) = rest.split_at_mut(stride);
    let (z0, rest) = y_im.split_at_mut(stride);
    let (z1, rest) = rest.split_at_mut(stride);
    let (z2, z3) = rest.split_at_mut(stride);
    let (y, z) = ([y0, y1, y2, y3], [z0, z1, z2, z3]);
    let shortest = [b, c, d].iter().fold(stride, |len, x| len.min(x.0.len()));
    let all = y.iter().chain(&z).fold(shortest, |len, x| len.min(x.len()));
    for q in 0..all.min(stride) {
        let (a, b) = ((a.0[q], a.1[q]), (b.0[q], b.1[q]));
        let (c, d) = ((c.0[q], c.1[q]), (d.0[q], d.1[q]));
        let (sum, gap) = (add(r, a, c), sub(r, a, c));
        let (other, cross) = (add(r, b, d), sub(r, b, d));
        let y1 = (r.add(gap.0, cross.1), r.sub(gap.1, cross.0));
        let y3 = (r.sub(gap.0, cross.1), r.add(gap.1, cross.0));
        (y[0][q], z[0][q]) = add(r, sum, other);
        (y[1][q], z[1][q]) = times(r, w[0], y1);
        (y[2][q], z[2][q]) = times(r, w[1], sub(r, sum, other));
        (y[3][q], z[3][q]) = times(r, w[2], y3);
    }
}

struct Forward<'a, T> {
    fft: &'a RealFft<T>,
    samples: Samples<'a, T>,
    spectra: &'a mut [T],
    shape: SpectrumShape,
    scratch: &'a mut [T],
}

impl<T: Real> Kernel<T> for Forward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Vectors<T>>(self, r: R) {
        let half = self.fft.half;
        let columns = self.shape.columns;
        let [re, im, re2, im2] = buffers(r, self.scratch, half);
        let scale = r.splat(T::new(0.5));
        for column in (0..columns).step_by(R::LANES) {
            let end = columns.min(column + R::LANES);
            for m in 0..half {
                re[m] = self.samples.load(r, 2 * m, column..end);
                im[m] = self.samples.load(r, 2 * m + 1, column..end);
            }
            let moved = self
                .fft
                .complex(r, [&mut *re, &mut *im, &mut *re2, &mut *im2]);
            let (re, im) = if moved { (&*re2, &*im2) } else { (&*re, &*im) };
            let (a, b) = (re[0], im[0]);
            put(
                r,
                self.spectra,
                self.shape,
                (0, column),
                (r.add(a, b), r.sub(a, b)),
            );
            for f in 1..half {
                let (a, b, c, d) = (re[f], im[f], re[half - f], im[half - f]);
                // E = (Z[f] + conj Z[N-f]) / 2, O = (Z[f] - conj Z[N-f]) / 2i.
                let even = (r.mul(scale, r.add(a, c)), r.mul(scale, r.sub(b, d)));
                let odd = (r.mul(scale, r.add(b, d)), r.mul(scale, r.sub(c, a)));
                let x = add(r, even, times(r, splat(r, self.fft.turns[f]), odd));
                put(r, self.spectra, self.shape, (f, column), x);
            }
        }
    }
}

impl<T: Real> Samples<'_, T> {
    /// Sample `s` of some signals.
    #[inline(always)]
    fn load<R: Vectors<T>>(&self, r: R, s: usize, columns: Range<usize>) -> R::V {
        if s < self.present.start || s >= self.present.end {
            return r.splat(T::zero());
        }
        let row = s - self.present.start;
        let sample = r.load(&self.rows[row * self.width..][columns.clone()]);
        if self.mean.is_empty() {
            return sample;
        }
        r.sub(sample, r.load(&self.mean[row * self.mean_width..][columns]))
    }
}

struct Inverse<'a, T> {
    fft: &'a RealFft<T>,
    spectra: &'a [T],
    shape: SpectrumShape,
    wanted: Wanted,
    signals: &'a mut [T],
    scratch: &'a mut [T],
}

impl<T: Real> Kernel<T> for Inverse<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<R: Vectors<T>>(self, r: R) {
        let half = self.fft.half;
        let columns = self.shape.columns;
        let [re, im, re2, im2] = buffers(r, self.scratch, half);
        let scale = r.splat(T::new(0.5 / half as f64));
        for column in (0..columns).step_by(R::LANES) {
            let (first, middle) = get(r, self.spectra, self.shape, (0, column));
            let (sum, gap) = (r.add(first, middle), r.sub(first, middle));
            (re[0], im[0]) = (r.mul(scale, sum), r.mul(scale, gap));
            for f in 1..=half / 2 {
                // Z[f] = E + i O, Z[N-f] = conj E + i conj O.
                let (a, b) = get(r, self.spectra, self.shape, (f, column));
                let (c, d) = get(r, self.spectra, self.shape, (half - f, column));
                let (cos, sin) = self.fft.turns[f];
                let back = splat(r, (cos, -sin));
                let even = (r.mul(scale, r.add(a, c)), r.mul(scale, r.sub(b, d)));
                let odd = (r.mul(scale, r.sub(a, c)), r.mul(scale, r.add(b, d)));
                let odd = times(r, back, odd);
                (re[f], im[f]) = (r.sub(even.0, odd.1), r.add(even.1, odd.0));
                (re[half - f], im[half - f]) = (r.add(even.0, odd.1), r.sub(odd.0, even.1));
            }
            // With real and imaginary parts exchanged, the transform runs backwards.
            let moved = self
                .fft
                .complex(r, [&mut *im, &mut *re, &mut *im2, &mut *re2]);
            let (re, im) = if moved { (&*re2, &*im2) } else { (&*re, &*im) };
            let here = R::LANES.min(columns - column);
            for (row, s) in self.wanted.samples.clone().enumerate() {
                let part = if s % 2 == 0 { re } else { im };
                let at = row * self.wanted.width + column;
                let out = &mut self.signals[at..at + here];
                let sample = match row < self.wanted.added {
                    true => r.add(r.load(out), part[s / 2]),
                    false => part[s / 2],
                };
                r.store(out, sample);
            }
        }
    }
}

/// Real and imaginary numbers of a transform, twice.
#[inline(always)]
fn buffers<T: Real, R: Vectors<T>>(r: R, scratch: &mut [T], half: usize) -> [&mut [R::V]; 4] {
    let (first, rest) = r.split_mut(scratch).0.split_at_mut(half);
    let (second, rest) = rest.split_at_mut(half);
    let (third, rest) = rest.split_at_mut(half);
    [first, second, third, &mut rest[..half]]
}

type Complex<V> = (V, V);

/// Real and imaginary parts.
type Slices<'a, V> = (&'a [V], &'a [V]);

#[inline(always)]
fn splat<T: Copy, R: Vectors<T>>(r: R, w: (T, T)) -> Complex<R::V> {
    (r.splat(w.0), r.splat(w.1))
}

/// Frequency `f` of the signals from `column` on.
#[inline(always)]
fn get<T, R: Vectors<T>>(
    r: R,
    spectra: &[T],
    shape: SpectrumShape,
    (f, column): (usize, usize),
) -> Complex<R::V> {
    let (row, end) = (
        &spectra[f * shape.stride..],
        shape.columns.min(column + R::LANES),
    );
    let imaginary = &row[shape.columns..];
    (r.load(&row[column..end]), r.load(&imaginary[column..end]))
}

#[inline(always)]
fn put<T, R: Vectors<T>>(
    r: R,
    spectra: &mut [T],
    shape: SpectrumShape,
    (f, column): (usize, usize),
    z: Complex<R::V>,
) {
    let end = shape.columns.min(column + R::LANES);
    let (real, imaginary) = spectra[f * shape.stride..].split_at_mut(shape.columns);
    r.store(&mut real[column..end], z.0);
    r.store(&mut imaginary[column..end], z.1);
}

#[inline(always)]
fn add<T, R: Vectors<T>>(r: R, a: Complex<R::V>, b: Complex<R::V>) -> Complex<R::V> {
    (r.add(a.0, b.0), r.add(a.1, b.1))
}

#[inline(always)]
fn sub<T, R: Vectors<T>>(r: R, a: Complex<R::V>, b: Complex<R::V>) -> Complex<R::V> {
    (r.sub(a.0, b.0), r.sub(a.1, b.1))
}

#[inline(always)]
fn times<T, R: Vectors<T>>(r: R, w: Complex<R::V>, z: Complex<R::V>) -> Complex<R::V> {
    let real = r.sub(r.mul(w.0, z.0), r.mul(w.1, z.1));
    (real, r.mul_add(w.0, z.1, r.mul(w.1, z.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn matches_the_definition_and_back(
            log_size in 2u32..9,
            columns in 1usize..40,
            (from, to) in (0.0f64..1.0, 0.0f64..1.0),
            with_mean in any::<bool>(),
            seed in 0u64..1000,
        ) {
            let size = 1usize << log_size;
            let number = |i: usize| (((i as u64 + 1) * (2 * seed + 7919)) % 1009) as f64 / 500.0 - 1.0;
            let at = |share: f64| (share * size as f64) as usize;
            let present = at(from.min(to))..at(from.max(to));
            let width = columns + 3;
            let rows: Vec<f64> = (0..present.len() * width).map(number).collect();
            let mean: Vec<f64> = (0..present.len() * columns).map(|i| number(i + 7)).collect();
            let x = |s: usize, column: usize| match present.contains(&s) {
                true if with_mean => {
                    rows[(s - present.start) * width + column]
                        - mean[(s - present.start) * columns + column]
                }
                true => rows[(s - present.start) * width + column],
                false => 0.0,
            };
            let fft = RealFft::<f64>::new(size);
            let shape = SpectrumShape { columns, stride: 2 * columns + 5 };
            let mut scratch = vec![8.0; fft.scratch_len()];
            let mut spectra = vec![7.0; size / 2 * shape.stride];
            let samples = Samples {
                rows: &rows,
                width,
                mean: if with_mean { &mean } else { &[] },
                mean_width: columns,
                present: present.clone(),
            };
            fft.forward(samples, &mut spectra, shape, &mut scratch);
            for f in 0..size / 2 {
                for column in 0..columns {
                    let sum = |f: usize, g: fn(f64) -> f64| -> f64 {
                        let turn = |s: usize| (f * s % size) as f64 / size as f64 * TAU;
                        (0..size).map(|s| x(s, column) * g(turn(s))).sum()
                    };
                    let expected = match f {
                        0 => [sum(0, f64::cos), sum(size / 2, f64::cos)],
                        f => [sum(f, f64::cos), -sum(f, f64::sin)],
                    };
                    for (part, expected) in expected.into_iter().enumerate() {
                        let found = spectra[f * shape.stride + part * columns + column];
                        prop_assert!((found - expected).abs() < 1e-12 * size as f64);
                    }
                }
            }
            let mut back = vec![9.0; size * width];
            let added = at(to);
            let wanted = Wanted { samples: 0..size, added, width };
            fft.inverse(&spectra, shape, wanted, &mut back, &mut scratch);
            for (at, &found) in back.iter().enumerate() {
                let (s, column) = (at / width, at % width);
                let before = if s < added || column >= columns { 9.0 } else { 0.0 };
                let expected = if column < columns { before + x(s, column) } else { before };
                prop_assert!((found - expected).abs() < 1e-13 * size as f64);
            }
        }
    }
}
