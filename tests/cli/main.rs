//! The `refire` command, run as a user runs it.

#![cfg(test)]

mod bad_input;
mod bad_options;
mod desk;
mod determinism;
mod edges;
mod recordings;
mod toy;
