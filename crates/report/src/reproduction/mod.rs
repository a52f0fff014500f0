//! The page of a reproduction: which claims of a paper are shown, and the figures behind them.

mod data;
mod page;
mod tables;

pub use data::{Finding, FoundClaim, ReproducedFigure, ReproductionPage};
