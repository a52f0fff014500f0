//! The number type of a run: `f32` to fit, `f64` to test gradients.

use crate::vectors::{Kernel, with_f32, with_f64};
use num_traits::{Float, FromPrimitive, NumAssignOps};
use std::fmt::{Debug, Display};

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64`.
pub trait Real:
    sealed::Sealed
    + Float
    + FromPrimitive
    + NumAssignOps
    + Default
    + Debug
    + Display
    + Send
    + Sync
    + 'static
{
    /// The nearest value.
    fn new(value: f64) -> Self;

    /// The value in double precision, for sums.
    fn f64(self) -> f64;

    /// `exp`, in a form that vectorises for `f32` (absolute error of [`logistic`] below 1e-7).
    fn exp_fast(self) -> Self;

    /// `ln(1 + self)` of a number in [0, 1], in a form that vectorises for `f32` (relative error
    /// below 3e-7).
    fn ln_1p_fast(self) -> Self;

    /// `-ln(1 - self)` of a number in [0, 1/2], in a form that vectorises for `f32` (relative error below
    /// 3e-7).
    fn minus_ln_1m_fast(self) -> Self;

    /// `ln` of a normal positive number, in a form that vectorises for `f32` (relative error below 3e-7).
    fn ln_fast(self) -> Self;

    /// Runs a kernel on the widest registers of this machine.
    fn with_vectors<K: Kernel<Self>>(kernel: K) -> K::Output;

    /// `c = a b + keep * c` of raw strided matrices.
    ///
    /// # Safety
    /// Every element named by a pointer, its dimensions and its strides must be in one allocation,
    /// those of `c` distinct and not aliased by `a` or `b`.
    #[doc(hidden)]
    #[allow(unsafe_code)]
    unsafe fn gemm(
        sizes: ProductSizes,
        a: Strided<*const Self>,
        b: Strided<*const Self>,
        keep: Self,
        c: Strided<*mut Self>,
    );
}

/// Sizes of a matrix product: `rows` x `inner` times `inner` x `cols`.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct ProductSizes {
    pub rows: usize,
    pub inner: usize,
    pub cols: usize,
}

/// First element of a matrix and the distances to the next row and column.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct Strided<P> {
    pub start: P,
    pub row: isize,
    pub col: isize,
}

macro_rules! gemm_with {
    ($gemm:path) => {
        #[allow(unsafe_code)]
        unsafe fn gemm(
            sizes: ProductSizes,
            a: Strided<*const Self>,
            b: Strided<*const Self>,
            keep: Self,
            c: Strided<*mut Self>,
        ) {
            // SAFETY: the caller's promise is the promise matrixmultiply asks for.
            unsafe {
                $gemm(
                    sizes.rows,
                    sizes.inner,
                    sizes.cols,
                    1.0,
                    a.start,
                    a.row,
                    a.col,
                    b.start,
                    b.row,
                    b.col,
                    keep,
                    c.start,
                    c.row,
                    c.col,
                )
            }
        }
    };
}

impl Real for f64 {
    #[inline(always)]
    fn new(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn exp_fast(self) -> Self {
        self.exp()
    }

    #[inline(always)]
    fn ln_1p_fast(self) -> Self {
        self.ln_1p()
    }

    #[inline(always)]
    fn minus_ln_1m_fast(self) -> Self {
        -(-self).ln_1p()
    }

    #[inline(always)]
    fn ln_fast(self) -> Self {
        self.ln()
    }

    #[inline(always)]
    fn with_vectors<K: Kernel<Self>>(kernel: K) -> K::Output {
        with_f64(kernel)
    }

    gemm_with!(matrixmultiply::dgemm);
}

impl Real for f32 {
    #[inline(always)]
    fn new(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn f64(self) -> f64 {
        f64::from(self)
    }

    #[inline(always)]
    fn exp_fast(self) -> Self {
        // exp(x) = 2^k exp(r), k = round(x log2 e). Adding 1.5 * 2^23 rounds, and leaves k in the
        // low bits: Rust's saturating float-to-integer cast would keep the loop from vectorising.
        const ROUND: f32 = 12_582_912.0;
        const LN2_HIGH: f32 = 0.693_359_4;
        const LN2_LOW: f32 = -2.121_944_4e-4;
        let x = self.clamp(-87.0, 88.0);
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let k = shifted - ROUND;
        let r = x - k * LN2_HIGH - k * LN2_LOW;
        let poly =
            ((((1.987_569_2e-4 * r + 1.398_199_9e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r
                + 1.666_666_5e-1)
                * r
                + 0.5;
        let scale = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
        // `clamp` keeps NaN, and so does the polynomial.
        (poly * r * r + r + 1.0) * scale
    }

    #[inline(always)]
    fn ln_1p_fast(self) -> Self {
        // ln(1 + x) = 2 artanh(s), s = x / (2 + x).
        twice_artanh(self / (2.0 + self))
    }

    #[inline(always)]
    fn minus_ln_1m_fast(self) -> Self {
        // -ln(1 - q) = 2 artanh(s), s = q / (2 - q).
        twice_artanh(self / (2.0 - self))
    }

    #[inline(always)]
    fn ln_fast(self) -> Self {
        // ln(2^k m) = k ln 2 + 2 artanh(s), s = (m - 1) / (m + 1), m between the roots of 1/2 and 2.
        const ROOT_HALF: u32 = 0x3f35_04f3;
        let above = self.to_bits().wrapping_sub(ROOT_HALF);
        let k = (above as i32) >> 23;
        let m = f32::from_bits((above & 0x007f_ffff) + ROOT_HALF);
        twice_artanh((m - 1.0) / (m + 1.0)) + k as f32 * std::f32::consts::LN_2
    }

    #[inline(always)]
    fn with_vectors<K: Kernel<Self>>(kernel: K) -> K::Output {
        with_f32(kernel)
    }

    gemm_with!(matrixmultiply::sgemm);
}

/// `2 artanh(s)` for `s` in [-1/3, 1/3]: the odd series to `s^13`.
#[inline(always)]
fn twice_artanh(s: f32) -> f32 {
    let q = s * s;
    let series =
        ((((q * (1.0 / 13.0) + 1.0 / 11.0) * q + 1.0 / 9.0) * q + 1.0 / 7.0) * q + 1.0 / 5.0) * q
            + 1.0 / 3.0;
    2.0 * s + 2.0 * s * q * series
}

/// `1 / (1 + exp(-v))`, for any `v`.
#[inline(always)]
pub fn logistic<T: Real>(v: T) -> T {
    T::one() / (T::one() + (-v).exp_fast())
}

/// `ln(1 + exp(v))`, for any `v`: never through a probability, which saturates.
#[inline(always)]
pub fn softplus<T: Real>(v: T) -> T {
    v.max(T::zero()) + (-v.abs()).exp_fast().ln_1p_fast()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn fast_exp_and_logistic_match_f64(x in -86.0f32..87.0) {
            let exact = f64::from(x).exp();
            let got = f64::from(x.exp_fast());
            prop_assert!((got - exact).abs() <= 3e-7 * exact, "exp({x}) = {got}, not {exact}");
            let exact = 1.0 / (1.0 + (-f64::from(x)).exp());
            prop_assert!((f64::from(logistic(x)) - exact).abs() < 1.2e-7);
        }

        #[test]
        fn fast_logarithm_and_softplus_match_f64(x in 0.0f32..1.0, v in -80.0f32..80.0) {
            let exact = f64::from(x).ln_1p();
            prop_assert!((f64::from(x.ln_1p_fast()) - exact).abs() <= 3e-7 * exact);
            let exact = -(-0.5 * f64::from(x)).ln_1p();
            let found = f64::from((0.5 * x).minus_ln_1m_fast());
            prop_assert!((found - exact).abs() <= 3e-7 * exact);
            let y = (v.exp() * (1.0 + x)).max(f32::MIN_POSITIVE);
            let exact = f64::from(y).ln();
            prop_assert!((f64::from(y.ln_fast()) - exact).abs() <= 3e-7 * exact.abs());
            let y = 1.0 + 0.1 * (x - 0.5);
            let exact = f64::from(y).ln();
            prop_assert!((f64::from(y.ln_fast()) - exact).abs() <= 3e-7 * exact.abs());
            let exact = softplus(f64::from(v));
            prop_assert!((f64::from(softplus(v)) - exact).abs() <= 6e-7 * exact);
        }

        #[test]
        fn softplus_matches_its_definition(v in -30.0f64..30.0) {
            prop_assert!((softplus(v) - v.exp().ln_1p()).abs() < 1e-12 * (1.0 + v.abs()));
        }
    }

    #[test]
    fn extremes_stay_finite_and_nan_stays_nan() {
        assert_eq!(logistic(1e30f32), 1.0);
        assert!(logistic(-1e30f32) < 1e-37);
        assert_eq!(softplus(1e30f64), 1e30);
        assert_eq!(softplus(-1e30f64), 0.0);
        assert!(logistic(f32::NAN).is_nan());
        assert!(logistic(f64::NAN).is_nan());
        assert!(softplus(f32::NAN).is_nan());
        assert!(softplus(f64::NAN).is_nan());
        assert_eq!(softplus(0.0f32), std::f32::consts::LN_2);
    }
}
