//! What the machine allows, measured with kernels of the step's own.

use crate::Work;
use refire::core::{AlignedVec, aligned_vec};
use refire::kernels::{MatrixMut, MatrixRef, dispatch, dot};
use refire::published::matmul_whole_rows;
use std::hint::black_box;
use std::time::Instant;

pub fn filled(len: usize, value: f32) -> AlignedVec<f32> {
    let mut numbers = aligned_vec();
    numbers.resize(len, value);
    numbers
}

/// What one core reaches, per second.
pub struct Limits {
    /// Flops of a matrix product whose matrices lie in the caches next to the core.
    pub products: f64,
    /// Bytes of `a = b + s c`, each array as large as one of the step; what a cache line costs to fetch
    /// before it is written is not counted.
    pub stream: f64,
    /// Bytes of inner products in the first-level cache.
    pub near: f64,
}

impl Limits {
    pub fn measure(cells: usize) -> Self {
        // Rows that are no power of two, which would share few lines of the cache.
        let (side, a) = (144, filled(144 * 144, 1.0));
        let mut c = a.clone();
        let products = highest_rate((2 * side * side * side) as f64, || {
            let a = MatrixRef::rows(black_box(&a), side, side, side);
            matmul_whole_rows(a, a, false, MatrixMut::rows(&mut c, side, side, side));
        });
        let (mut a, b) = (filled(cells, 1.0), filled(cells, 1.0));
        let c = b.clone();
        let stream = highest_rate((12 * cells) as f64, || {
            let (b, c) = (black_box(&b).iter(), black_box(&c).iter());
            let numbers = a.iter_mut().zip(b.zip(c));
            dispatch(
                #[inline(always)]
                || numbers.for_each(|(a, (&b, &c))| *a = b + 1.5 * c),
            );
        });
        let (a, b) = (filled(2048, 1.0), filled(2048, 1.0));
        let near = highest_rate((8 * a.len()) as f64, || {
            let (a, b) = (black_box(&a), black_box(&b));
            black_box(dispatch(
                #[inline(always)]
                || dot(a, b),
            ));
        });
        Self {
            products,
            stream,
            near,
        }
    }

    /// Seconds that a stage takes at least.
    pub fn allowed(&self, work: &Work) -> f64 {
        let traffic = work.streamed / self.stream + work.near / self.near;
        traffic.max(work.flops / self.products)
    }
}

/// The rate of `work` per call in the fastest of some tries of at least two milliseconds.
fn highest_rate(work: f64, mut call: impl FnMut()) -> f64 {
    let rates = (0..20).map(|_| {
        let (start, mut calls) = (Instant::now(), 0.0);
        while start.elapsed().as_secs_f64() < 2e-3 {
            call();
            calls += 1.0;
        }
        work * calls / start.elapsed().as_secs_f64()
    });
    rates.fold(0.0, f64::max)
}
