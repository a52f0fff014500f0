//! Operations on contiguous rows. Inline into a loop that runs inside [`dispatch`].

use crate::Real;
use std::hint::black_box;

/// `f32` numbers in the widest SIMD register: rows of a multiple of it leave no remainder.
pub const LANES: usize = 16;

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

/// `into += the sum of rows`, four rows at a time: what it costs is mostly reading and writing `into`.
#[inline(always)]
pub fn add_rows<'a, T: Real>(into: &mut [T], rows: impl Iterator<Item = &'a [T]>) {
    let mut rows = rows.fuse();
    while let Some(a) = rows.next() {
        match (rows.next(), rows.next(), rows.next()) {
            (Some(b), Some(c), Some(d)) => {
                for ((((into, &a), &b), &c), &d) in into.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                    *into += (a + b) + (c + d);
                }
            }
            (Some(b), Some(c), None) => {
                for (((into, &a), &b), &c) in into.iter_mut().zip(a).zip(b).zip(c) {
                    *into += (a + b) + c;
                }
            }
            (Some(b), ..) => {
                for ((into, &a), &b) in into.iter_mut().zip(a).zip(b) {
                    *into += a + b;
                }
            }
            (None, ..) => add_assign(into, a),
        }
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

/// Inner product. The order of the sum is fixed by the length alone: 64 partial sums, so that it
/// vectorises with the same result on every machine.
#[inline(always)]
pub fn dot<T: Real>(a: &[T], b: &[T]) -> T {
    const WIDE: usize = 4 * LANES;
    debug_assert_eq!(a.len(), b.len());
    let mut sums = [T::zero(); WIDE];
    let (a_chunks, a_rest) = a.as_chunks::<WIDE>();
    let (b_chunks, b_rest) = b.as_chunks::<WIDE>();
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        add_products(&mut sums, x, y);
    }
    // Seen as one expression, loop and sum over lanes compile to pairs of lanes; the barrier keeps
    // the loop in whole registers (2.5 times as fast).
    let sums = black_box(sums);
    let mut folded = [T::zero(); LANES];
    for lane in 0..LANES {
        let [a, b, c, d] = [0, 1, 2, 3].map(|quarter| sums[lane + quarter * LANES]);
        folded[lane] = (a + b) + (c + d);
    }
    let (a_chunks, a_rest) = a_rest.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b_rest.as_chunks::<LANES>();
    for (x, y) in a_chunks.iter().zip(b_chunks) {
        add_products(&mut folded, x, y);
    }
    if !a_rest.is_empty() {
        // Padded to whole lanes: sums of a length known only at run time would leave the registers.
        let mut rest = [[T::zero(); LANES]; 2];
        rest[0][..a_rest.len()].copy_from_slice(a_rest);
        rest[1][..b_rest.len()].copy_from_slice(b_rest);
        add_products(&mut folded, &rest[0], &rest[1]);
    }
    let mut width = LANES / 2;
    while width > 0 {
        for lane in 0..width {
            let upper = folded[lane + width];
            folded[lane] += upper;
        }
        width /= 2;
    }
    folded[0]
}

#[inline(always)]
fn add_products<T: Real, const N: usize>(sums: &mut [T; N], a: &[T; N], b: &[T; N]) {
    for ((sum, &a), &b) in sums.iter_mut().zip(a).zip(b) {
        *sum += a * b;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A build of pulp without its vector features compiles, and is two to three times slower.
    #[test]
    #[cfg(target_arch = "x86_64")]
    fn dispatch_uses_avx2_where_there_is() {
        let wide = !matches!(pulp::Arch::new(), pulp::Arch::Scalar);
        let has = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
        assert_eq!(wide, has);
    }

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

            for count in 0usize..10 {
                let rows: Vec<Vec<f32>> = (0..count)
                    .map(|row| b.iter().map(|&b| b * row as f32).collect())
                    .collect();
                let mut sum = a.clone();
                dispatch(|| add_rows(&mut sum, rows.iter().map(Vec::as_slice)));
                let factor = (count * count.saturating_sub(1) / 2) as f32;
                for i in 0..a.len() {
                    prop_assert!((sum[i] - a[i] - factor * b[i]).abs() < 1e-4);
                }
            }
        }
    }
}
