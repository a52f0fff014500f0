//! Independent oracles of the engine and the losses: finite differences where the gradient is exact,
//! a naive scalar program with a tape everywhere else, and what must not change a result.

mod compare;
mod continuation;
mod finite_differences;
mod invariance;
mod naive;
mod naive_terms;
mod problem;
mod scalar;
mod symmetry;
mod tape;
