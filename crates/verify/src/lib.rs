#![doc = include_str!("../README.md")]

mod check;
mod claims;
mod lab;
mod page;
mod plan;
mod sampling;
pub mod studies;
mod table;
mod terms;

use anyhow::{Result, bail};

pub use check::{Check, Claim, LEVEL, false_alarms};
pub use page::page;
pub use plan::{Plan, Size};
pub use table::table;

/// Names of the claims in the order in which they are run: those of the fast group only, or all.
pub fn names(size: Size) -> Vec<&'static str> {
    let all = claims::ALL.iter();
    let chosen = all.filter(|entry| size != Size::Fast || entry.fast);
    chosen.map(|entry| entry.name).collect()
}

/// Runs the named claims, all of the plan's size where `only` is empty; `progress` is told each claim
/// before it begins, and its share of the work done.
///
/// # Errors
/// Where a check could not be made. A claim that fails is no error.
pub fn run(
    plan: Plan,
    only: &[String],
    progress: &(dyn Fn(&str, f64) + Sync),
) -> Result<Vec<Claim>> {
    let known = names(plan.size);
    if let Some(found) = only.iter().find(|name| !known.contains(&name.as_str())) {
        bail!(
            "claim: expected one of {}, found '{found}'",
            known.join(", ")
        );
    }
    let chosen = |name: &str| {
        known.contains(&name) && (only.is_empty() || only.iter().any(|only| only == name))
    };
    let mut claims = Vec::new();
    for entry in claims::ALL.iter().filter(|entry| chosen(entry.name)) {
        progress(entry.name, 0.0);
        claims.push((entry.run)(plan, &|share| progress(entry.name, share))?);
        progress(entry.name, 1.0);
    }
    Ok(claims)
}
