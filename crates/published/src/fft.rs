//! Fourier transforms of real signals, each a column of many, by `realfft`.

use realfft::num_complex::Complex;
use realfft::{ComplexToReal, FftNum, RealFftPlanner, RealToComplex};
use refire_kernels::Real;
use std::ops::Range;
use std::sync::Arc;

/// A number that can be transformed: `f32` or `f64`.
pub trait Transformable: Real + FftNum {}

impl<T: Real + FftNum> Transformable for T {}

/// Columns that are transposed together, so that rows are read in whole cache lines.
const COLUMNS: usize = 16;

/// The discrete Fourier transform of real signals of one length and its inverse, of many signals at once: rows are
/// samples, columns signals.
///
/// ```text
/// X[f] = sum_s x[s] e^(-i 2 pi f s / F)       f = 0..F/2
/// x[s] = 1/F sum over all F frequencies of X[f] e^(i 2 pi f s / F)
/// ```
///
/// Frequencies 0 and `F/2` are real: the second stands in the place of the first's imaginary part.
#[derive(Clone)]
pub struct RealFft<T> {
    to: Arc<dyn RealToComplex<T>>,
    back: Arc<dyn ComplexToReal<T>>,
    /// `F/2`.
    half: usize,
}

impl<T> std::fmt::Debug for RealFft<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("RealFft");
        shown.field("half", &self.half).finish_non_exhaustive()
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
    /// `[column][sample]`.
    real: Vec<T>,
    /// `[column][frequency 0..=F/2]`.
    complex: Vec<Complex<T>>,
    scratch: Vec<Complex<T>>,
}

impl<T: Transformable> RealFft<T> {
    /// A transform of signals of `size` samples, an even number.
    pub fn new(size: usize) -> Self {
        let mut planner = RealFftPlanner::new();
        Self {
            to: planner.plan_fft_forward(size),
            back: planner.plan_fft_inverse(size),
            half: size / 2,
        }
    }

    /// Room for transforms.
    pub fn buffers(&self) -> Buffers<T> {
        let zero = Complex::new(T::zero(), T::zero());
        let scratch = self.to.get_scratch_len().max(self.back.get_scratch_len());
        Buffers {
            real: vec![T::zero(); COLUMNS * 2 * self.half],
            complex: vec![zero; COLUMNS * (self.half + 1)],
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
        let (size, frequencies) = (2 * self.half, self.half + 1);
        let Buffers {
            real,
            complex,
            scratch,
        } = buffers;
        for first in (0..shape.columns).step_by(COLUMNS) {
            let columns = COLUMNS.min(shape.columns - first);
            real.fill(T::zero());
            for (row, s) in samples.present.clone().enumerate() {
                let x = &samples.rows[row * samples.width + first..][..columns];
                for (x, place) in x.iter().zip(real[s..].iter_mut().step_by(size)) {
                    *place = *x;
                }
                if !samples.mean.is_empty() {
                    let mean = &samples.mean[row * samples.mean_width + first..][..columns];
                    for (mean, place) in mean.iter().zip(real[s..].iter_mut().step_by(size)) {
                        *place -= *mean;
                    }
                }
            }
            let signals = real.chunks_exact_mut(size).take(columns);
            for (x, z) in signals.zip(complex.chunks_exact_mut(frequencies)) {
                let done = self.to.process_with_scratch(x, z, scratch);
                debug_assert!(done.is_ok(), "{done:?}");
                z[0].im = z[self.half].re;
            }
            for f in 0..self.half {
                let (re, im) = spectra[f * shape.stride..].split_at_mut(shape.columns);
                let places = re[first..].iter_mut().zip(&mut im[first..]);
                let of_f = complex[f..].iter().step_by(frequencies).take(columns);
                for ((re, im), z) in places.zip(of_f) {
                    (*re, *im) = (z.re, z.im);
                }
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
        let (size, frequencies) = (2 * self.half, self.half + 1);
        let Buffers {
            real,
            complex,
            scratch,
        } = buffers;
        let scale = T::new(1.0 / size as f64);
        for first in (0..shape.columns).step_by(COLUMNS) {
            let columns = COLUMNS.min(shape.columns - first);
            for f in 0..self.half {
                let (re, im) = spectra[f * shape.stride..].split_at(shape.columns);
                let parts = re[first..].iter().zip(&im[first..]).take(columns);
                for ((re, im), z) in parts.zip(complex[f..].iter_mut().step_by(frequencies)) {
                    *z = Complex::new(*re, *im);
                }
            }
            let signals_here = real.chunks_exact_mut(size).take(columns);
            for (x, z) in signals_here.zip(complex.chunks_exact_mut(frequencies)) {
                z[self.half] = Complex::new(z[0].im, T::zero());
                z[0].im = T::zero();
                let done = self.back.process_with_scratch(z, x, scratch);
                debug_assert!(done.is_ok(), "{done:?}");
            }
            for (row, s) in wanted.samples.clone().enumerate() {
                let places = signals[row * wanted.width + first..][..columns].iter_mut();
                for (place, x) in places.zip(real[s..].iter().step_by(size)) {
                    let before = if row < wanted.added {
                        *place
                    } else {
                        T::zero()
                    };
                    *place = before + scale * *x;
                }
            }
        }
    }
}
