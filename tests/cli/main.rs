//! The `refire` command, run as a user runs it.

#![cfg(test)]

mod bad_input;
mod bad_options;
mod couplings;
mod desk;
mod determinism;
mod edges;
mod likelihood;
#[path = "../../crates/recording/tests/common/npz.rs"]
mod npz;
mod outputs;
mod recordings;
mod toy;
