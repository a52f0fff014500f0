//! Registers of the widest SIMD of this machine, for the few loops that do not vectorise by
//! themselves: those whose accumulators must stay in registers.

use pulp::{Arch, Simd, WithSimd};

/// A register type for `T`: what the kernels of this crate are written in.
pub trait Vectors<T>: Copy {
    /// A register.
    type V: Copy;

    /// Numbers in a register.
    const LANES: usize;

    /// As many registers as there are in a slice, and the numbers behind them.
    fn split(self, of: &[T]) -> (&[Self::V], &[T]);

    /// As many registers as there are in a slice, and the numbers behind them.
    fn split_mut(self, of: &mut [T]) -> (&mut [Self::V], &mut [T]);

    /// All lanes the same.
    fn splat(self, value: T) -> Self::V;

    /// The first [`Self::LANES`] numbers; where there are fewer, zeros follow.
    fn load(self, from: &[T]) -> Self::V;

    /// Writes the first [`Self::LANES`] numbers, or as many as there is room for.
    fn store(self, into: &mut [T], value: Self::V);

    /// `a + b`.
    fn add(self, a: Self::V, b: Self::V) -> Self::V;

    /// `a * b + c`, rounded once where the machine can.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;

    /// Sum over lanes.
    fn sum(self, a: Self::V) -> T;
}

/// A computation written in registers of any width.
pub trait Kernel<T> {
    /// What it returns.
    type Output;

    /// Runs it; inlined into a function compiled for the registers of `vectors`.
    fn run<R: Vectors<T>>(self, vectors: R) -> Self::Output;
}

/// The registers of an instruction set for one number type.
#[derive(Clone, Copy)]
struct Of<S, T>(S, std::marker::PhantomData<T>);

/// A [`Kernel`] as pulp wants it.
struct Dispatched<K, T>(K, std::marker::PhantomData<T>);

macro_rules! vectors_of {
    ($float:ty, $chunks:ident, $chunks_mut:ident, $v:ident, $lanes:ident, $splat:ident, $load:ident, $store:ident, $add:ident,
     $mul_add:ident, $sum:ident) => {
        impl<S: Simd> Vectors<$float> for Of<S, $float> {
            type V = S::$v;
            const LANES: usize = S::$lanes;

            #[inline(always)]
            fn split(self, of: &[$float]) -> (&[S::$v], &[$float]) {
                S::$chunks(of)
            }

            #[inline(always)]
            fn split_mut(self, of: &mut [$float]) -> (&mut [S::$v], &mut [$float]) {
                S::$chunks_mut(of)
            }

            #[inline(always)]
            fn splat(self, value: $float) -> S::$v {
                self.0.$splat(value)
            }

            #[inline(always)]
            fn load(self, from: &[$float]) -> S::$v {
                match S::$chunks(from).0.first() {
                    Some(whole) => *whole,
                    None => self.0.$load(from),
                }
            }

            #[inline(always)]
            fn store(self, into: &mut [$float], value: S::$v) {
                match S::$chunks_mut(into).0.first_mut() {
                    Some(whole) => *whole = value,
                    None => self.0.$store(into, value),
                }
            }

            #[inline(always)]
            fn add(self, a: S::$v, b: S::$v) -> S::$v {
                self.0.$add(a, b)
            }

            #[inline(always)]
            fn mul_add(self, a: S::$v, b: S::$v, c: S::$v) -> S::$v {
                self.0.$mul_add(a, b, c)
            }

            #[inline(always)]
            fn sum(self, a: S::$v) -> $float {
                self.0.$sum(a)
            }
        }

        impl<K: Kernel<$float>> WithSimd for Dispatched<K, $float> {
            type Output = K::Output;

            #[inline(always)]
            fn with_simd<S: Simd>(self, simd: S) -> K::Output {
                self.0.run(Of(simd, std::marker::PhantomData::<$float>))
            }
        }
    };
}

vectors_of!(
    f32,
    as_simd_f32s,
    as_mut_simd_f32s,
    f32s,
    F32_LANES,
    splat_f32s,
    partial_load_f32s,
    partial_store_f32s,
    add_f32s,
    mul_add_e_f32s,
    reduce_sum_f32s
);
vectors_of!(
    f64,
    as_simd_f64s,
    as_mut_simd_f64s,
    f64s,
    F64_LANES,
    splat_f64s,
    partial_load_f64s,
    partial_store_f64s,
    add_f64s,
    mul_add_e_f64s,
    reduce_sum_f64s
);

/// Runs a kernel on the widest registers of this machine.
#[inline(always)]
pub(crate) fn with_f32<K: Kernel<f32>>(kernel: K) -> K::Output {
    Arch::new().dispatch(Dispatched(kernel, std::marker::PhantomData::<f32>))
}

/// Runs a kernel on the widest registers of this machine.
#[inline(always)]
pub(crate) fn with_f64<K: Kernel<f64>>(kernel: K) -> K::Output {
    Arch::new().dispatch(Dispatched(kernel, std::marker::PhantomData::<f64>))
}

/// The processor level that results depend on: sums have another order in registers of another width, so the same
/// binary gives the same bits on machines of one level.
pub fn processor_level() -> String {
    struct Lanes;
    impl Kernel<f32> for Lanes {
        type Output = usize;

        #[inline(always)]
        fn run<R: Vectors<f32>>(self, _: R) -> usize {
            R::LANES
        }
    }
    let bits = 32 * with_f32(Lanes);
    format!("{}, vectors of {bits} bits", std::env::consts::ARCH)
}
