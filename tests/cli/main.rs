//! The `refire` command, run as a user runs it.

#![cfg(test)]

mod bad_input;
mod bad_options;
mod brought;
mod cases;
mod continuous;
mod couplings;
mod desk;
mod determinism;
mod edges;
mod every_choice;
mod examples;
mod likelihood;
#[path = "../../crates/recording/tests/files/common/npz.rs"]
mod npz;
mod one_fit;
mod outputs;
mod recordings;
mod safety;
mod toy;
