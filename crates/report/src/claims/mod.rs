//! A page of claims: what is asserted, what was measured, and the numbers behind it.

pub(crate) mod data;
mod page;
pub(crate) mod tables;
