//! Fourier transforms of real signals, each a column of many, by `rustfft`.

use refire_kernels::Real;
use rustfft::num_complex::Complex;
use rustfft::{Fft, FftNum, FftPlanner};
use std::ops::Range;
use std::sync::Arc;

/// A number that can be transformed: `f32` or `f64`.
pub trait Transformable: Real + FftNum {}

impl<T: Real + FftNum> Transformable for T {}

/// Pairs of columns that are transposed together, so that rows are read in whole cache lines.
const PAIRS: usize = 8;

/// Their part of a row; zeros where there are fewer.
type Line<T> = [[T; 2]; PAIRS];

/// The discrete Fourier transform of real signals of one length and its inverse, of many signals at once: rows are
/// samples, columns signals.
///
/// ```text
/// X[f] = sum_s x[s] e^(-i 2 pi f s / F)       f = 0..F/2
/// x[s] = 1/F sum over all F frequencies of X[f] e^(i 2 pi f s / F)
/// ```
///
/// Frequencies 0 and `F/2` are real: the second stands in the place of the first's imaginary part. Two columns are
/// one complex signal `z = x + i y`, whose spectrum holds both:
///
/// ```text
/// X[f] = (Z[f] + conj Z[F-f]) / 2        Y[f] = (Z[f] - conj Z[F-f]) / 2i        Z[f] = X[f] + i Y[f]
/// ```
#[derive(Clone)]
pub struct RealFft<T> {
    to: Arc<dyn Fft<T>>,
    back: Arc<dyn Fft<T>>,
    /// `F`.
    size: usize,
}

impl<T> std::fmt::Debug for RealFft<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("RealFft");
        shown.field("size", &self.size).finish_non_exhaustive()
    }
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

/// What transforms need room for besides their input and output.
#[derive(Clone, Debug)]
pub struct Buffers<T> {
    /// `[pair of columns][sample or frequency]`.
    pairs: Vec<Complex<T>>,
    scratch: Vec<Complex<T>>,
}

impl<T: Transformable> RealFft<T> {
    /// A transform of signals of `size` samples, an even number.
    pub fn new(size: usize) -> Self {
        let mut planner = FftPlanner::new();
        Self {
            to: planner.plan_fft_forward(size),
            back: planner.plan_fft_inverse(size),
            size,
        }
    }

    /// Room for transforms.
    pub fn buffers(&self) -> Buffers<T> {
        let zero = Complex::new(T::zero(), T::zero());
        let (to, back) = (&self.to, &self.back);
        let scratch = to.get_inplace_scratch_len();
        let scratch = scratch.max(back.get_inplace_scratch_len());
        Buffers {
            pairs: vec![zero; PAIRS * self.size],
            scratch: vec![zero; scratch],
        }
    }

    /// The spectra of signals.
    ///
    /// # Panics
    /// If a slice is too short for its shape.
    pub fn forward(
        &self,
        samples: Samples<'_, T>,
        spectra: &mut [T],
        shape: SpectrumShape,
        buffers: &mut Buffers<T>,
    ) {
        let (size, half, middle) = (self.size, self.size / 2, T::new(0.5));
        let Buffers { pairs, scratch } = buffers;
        let present = samples.present.clone();
        for first in (0..shape.columns).step_by(2 * PAIRS) {
            let columns = (2 * PAIRS).min(shape.columns - first);
            for signal in pairs.chunks_exact_mut(size) {
                signal[..present.start].fill(Complex::new(T::zero(), T::zero()));
                signal[present.end..].fill(Complex::new(T::zero(), T::zero()));
            }
            for (row, s) in present.clone().enumerate() {
                let at = row * samples.width + first;
                let mut line = line(&samples.rows[at..][..columns]);
                if !samples.mean.is_empty() {
                    let mean = &samples.mean[row * samples.mean_width + first..][..columns];
                    for (x, mean) in line.as_flattened_mut().iter_mut().zip(mean) {
                        *x -= *mean;
                    }
                }
                for (z, [x, y]) in pairs[s..].iter_mut().step_by(size).zip(line) {
                    *z = Complex::new(x, y);
                }
            }
            let transformed = &mut pairs[..columns.div_ceil(2) * size];
            self.to.process_with_scratch(transformed, scratch);
            for f in 0..half {
                let (mut re, mut im) = (line(&[]), line(&[]));
                let opposite = if f == 0 { half } else { size - f };
                let of_f = pairs[f..].iter().step_by(size);
                let of_f = of_f.zip(pairs[opposite..].iter().step_by(size));
                for ((re, im), (z, w)) in re.iter_mut().zip(&mut im).zip(of_f) {
                    (*re, *im) = if f == 0 {
                        ([z.re, z.im], [w.re, w.im])
                    } else {
                        let re = [(z.re + w.re) * middle, (z.im + w.im) * middle];
                        (re, [(z.im - w.im) * middle, (w.re - z.re) * middle])
                    };
                }
                let (into_re, into_im) = spectra[f * shape.stride..].split_at_mut(shape.columns);
                copy(
                    &re.as_flattened()[..columns],
                    &mut into_re[first..][..columns],
                );
                copy(
                    &im.as_flattened()[..columns],
                    &mut into_im[first..][..columns],
                );
            }
        }
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
        buffers: &mut Buffers<T>,
    ) {
        let (size, half) = (self.size, self.size / 2);
        let Buffers { pairs, scratch } = buffers;
        let scale = T::new(1.0 / size as f64);
        for first in (0..shape.columns).step_by(2 * PAIRS) {
            let columns = (2 * PAIRS).min(shape.columns - first);
            for f in 0..half {
                let (re, im) = spectra[f * shape.stride..].split_at(shape.columns);
                let (re, im) = (line(&re[first..][..columns]), line(&im[first..][..columns]));
                let opposite = if f == 0 { half } else { size - f };
                for (signal, (re, im)) in pairs.chunks_exact_mut(size).zip(re.iter().zip(&im)) {
                    (signal[f], signal[opposite]) = if f == 0 {
                        (Complex::new(re[0], re[1]), Complex::new(im[0], im[1]))
                    } else {
                        let z = Complex::new(re[0] - im[1], im[0] + re[1]);
                        (z, Complex::new(re[0] + im[1], re[1] - im[0]))
                    };
                }
            }
            let transformed = &mut pairs[..columns.div_ceil(2) * size];
            self.back.process_with_scratch(transformed, scratch);
            for (row, s) in wanted.samples.clone().enumerate() {
                let mut line = line(&[]);
                for (xy, z) in line.iter_mut().zip(pairs[s..].iter().step_by(size)) {
                    *xy = [scale * z.re, scale * z.im];
                }
                let out = &mut signals[row * wanted.width + first..][..columns];
                if row < wanted.added {
                    for (out, x) in out.iter_mut().zip(line.as_flattened()) {
                        *out += *x;
                    }
                } else {
                    copy(&line.as_flattened()[..columns], out);
                }
            }
        }
    }
}

#[inline(always)]
fn line<T: Real>(row: &[T]) -> Line<T> {
    let mut line = [[T::zero(); 2]; PAIRS];
    copy(row, &mut line.as_flattened_mut()[..row.len()]);
    line
}

/// Copies a part of a row; one of known length without a call.
#[inline(always)]
fn copy<T: Real>(from: &[T], into: &mut [T]) {
    match <[T; 2 * PAIRS]>::try_from(from) {
        Ok(whole) if into.len() == whole.len() => {
            for (into, x) in into.iter_mut().zip(whole) {
                *into = x;
            }
        }
        _ => into.copy_from_slice(from),
    }
}
