//! Whole fits.

#![cfg(test)]

mod driven;
mod figures;
mod leaks;
mod movie;
mod resume;
mod small;
