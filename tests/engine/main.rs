//! Engine and losses against independent oracles.

mod conformance;
mod oracles;
