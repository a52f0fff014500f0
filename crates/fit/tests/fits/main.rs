//! Whole fits.

#![cfg(test)]

mod figures;
mod leaks;
mod movie;
mod resume;
mod small;
