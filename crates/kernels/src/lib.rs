#![doc = include_str!("../README.md")]

mod blocks;
mod dots;
mod matmul;
mod real;
mod rows;
mod side;
mod vectors;

pub use blocks::add_blocks;
pub use dots::{dots, dots_of_rows};
pub use matmul::{MatrixMut, MatrixRef, matmul};
pub use real::{Real, logistic, softplus};
pub use rows::{LANES, add_assign, add_rows, add_scaled, dispatch, dot};
pub use side::add_side_by_side;
pub use vectors::{Kernel, Vectors, processor_level};
