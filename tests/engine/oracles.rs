//! Independent oracles of the engine and the losses: a naive scalar program with a tape, and what must not
//! change a result.

mod compare;
mod continuation;
mod invariance;
mod naive;
mod naive_terms;
pub mod problem;
mod scalar;
mod symmetry;
mod tape;
