//! Engine and losses against independent oracles.

#![cfg(test)]

mod conformance;
mod couplings;
mod oracles;
