//! Whole fits.

#![cfg(test)]

mod movie;
mod resume;
