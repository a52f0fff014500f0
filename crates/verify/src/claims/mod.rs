//! One file per claim.

mod conditions;
pub mod consistency;
pub mod gradients;
mod intervals;
mod misspecified;
mod simulator;
mod statistics;
mod streams;
mod teacher_forced_score;

use crate::{Claim, Plan};
use anyhow::Result;

/// Makes the checks of a claim; the second argument is told the share of the work that is done.
type Run = fn(Plan, &(dyn Fn(f64) + Sync)) -> Result<Claim>;

/// A claim that can be run.
pub struct Entry {
    /// Its name.
    pub name: &'static str,
    /// Whether it is part of the fast group.
    pub fast: bool,
    /// Makes its checks.
    pub run: Run,
}

const fn entry(name: &'static str, fast: bool, run: Run) -> Entry {
    Entry { name, fast, run }
}

/// Every claim, the cheapest first.
pub const ALL: &[Entry] = &[
    entry("streams", true, streams::run),
    entry("simulator", true, simulator::run),
    entry("intervals", true, intervals::run),
    entry("statistics", true, statistics::run),
    entry("conditions", true, conditions::run),
    entry("gradients", true, gradients::run),
    entry("score", true, teacher_forced_score::run),
    entry("misspecified", false, misspecified::run),
    entry("consistency", false, consistency::run),
];
