//! Whole fits.

#![cfg(test)]

mod driven;
mod figures;
mod leaks;
mod movie;
mod not_fitted;
mod resume;
mod small;
