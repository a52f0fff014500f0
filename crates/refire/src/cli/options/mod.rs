//! Options of a fit: the same names on the command line and in `--config FIT.toml`.

mod describe;
mod names;
mod raw;
mod resolve;

pub use raw::{FitOptions, with_defaults};
#[cfg(fuzzing)]
pub use resolve::read_mask;
