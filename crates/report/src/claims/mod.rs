//! A page of claims: what is asserted, what was measured, and the numbers behind it.

pub(crate) mod data;
mod figure;
mod page;
mod plot;
mod standalone;
mod tables;
