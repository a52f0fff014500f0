//! Operations on contiguous rows. Inline into a loop that runs inside [`dispatch`].

use crate::Real;

/// Runs `f` compiled for the widest SIMD of this machine: call once per trial or per block, and
/// the inlined primitives inside are vectorised.
#[inline(always)]
pub fn dispatch<R>(f: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(f)
}

/// `into += from`.
#[inline(always)]
pub fn add_assign<T: Real>(into: &mut [T], from: &[T]) {
    debug_assert_eq!(into.len(), from.len());
    for (a, &b) in into.iter_mut().zip(from) {
        *a += b;
    }
}

/// `into += scale * from`.
#[inline(always)]
pub fn add_scaled<T: Real>(into: &mut [T], scale: T, from: &[T]) {
    debug_assert_eq!(into.len(), from.len());
    for (a, &b) in into.iter_mut().zip(from) {
        *a += scale * b;
    }
}

/// Inner product. The order of the sum is fixed by the length alone: 32 partial sums, so that it
/// vectorises with the same result on every machine.
#[inline(always)]
pub fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    const LANES: usize = 32;
    debug_assert_eq!(a.len(), b.len());
    let mut sums = [T::zero(); LANES];
    let (a_chunks, b_chunks) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let (a_rest, b_rest) = (a_chunks.remainder(), b_chunks.remainder());
    for (x, y) in a_chunks.zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += x[lane] * y[lane];
        }
    }
    for (lane, (&x, &y)) in a_rest.iter().zip(b_rest).enumerate() {
        sums[lane] += x * y;
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            let upper = sums[lane + width];
            sums[lane] += upper;
        }
        width /= 2;
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_match_scalar_sums(values in prop::collection::vec((-2.0f32..2.0, -2.0f32..2.0), 0..200)) {
            let (a, b): (Vec<f32>, Vec<f32>) = values.iter().copied().unzip();
            let exact: f64 = a.iter().zip(&b).map(|(&x, &y)| f64::from(x) * f64::from(y)).sum();
            let got = dispatch(|| dot(&a, &b));
            prop_assert!((f64::from(got) - exact).abs() < 1e-4);
            prop_assert_eq!(got.to_bits(), dot(&a, &b).to_bits());

            let (mut plain, mut scaled) = (a.clone(), a.clone());
            dispatch(|| add_assign(&mut plain, &b));
            dispatch(|| add_scaled(&mut scaled, 0.5, &b));
            for i in 0..a.len() {
                prop_assert_eq!(plain[i], a[i] + b[i]);
                prop_assert_eq!(scaled[i], a[i] + 0.5 * b[i]);
            }
        }
    }
}
