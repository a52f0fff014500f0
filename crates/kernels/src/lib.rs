//! Numeric primitives of refire: row operations compiled for the widest SIMD the machine has,
//! logistic functions that never overflow, matrix products over strided (also overlapping) views.
//!
//! ```
//! use refire_kernels::{add_assign, dispatch, dot, logistic};
//!
//! let mut current = vec![0.0f32; 4];
//! dispatch(|| add_assign(&mut current, &[1.0, -1.0, 0.5, 0.0]));
//! assert_eq!(current, [1.0, -1.0, 0.5, 0.0]);
//! assert_eq!(dispatch(|| dot(&current, &[2.0; 4])), 1.0);
//! assert!((logistic(0.0f32) - 0.5).abs() < 1e-7);
//! ```
//!
//! Layer 0: depends on no other refire crate. The only crate that may hold `unsafe`.

mod blocks;
mod dots;
mod fft;
mod matmul;
mod panels;
mod real;
mod rows;
mod vectors;

pub use blocks::add_blocks;
pub use dots::{dots, dots_of_rows};
pub use fft::{RealFft, Samples, SpectrumShape, Wanted};
pub use matmul::{MatrixMut, MatrixRef, matmul};
pub use panels::{gram_whole_rows, matmul_whole_rows};
pub use real::{Real, logistic, softplus};
pub use rows::{LANES, add_assign, add_rows, add_scaled, dispatch, dot};
pub use vectors::{Kernel, Vectors};
