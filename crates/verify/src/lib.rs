#![doc = include_str!("../README.md")]

mod check;
mod claims;
mod lab;
mod page;
mod sampling;
pub mod studies;
mod table;
mod terms;

pub use check::{Basis, Check, Claim, LEVEL, false_alarms};
pub use page::page;
pub use table::table;

/// How much work a run does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// Seconds: the group that the ordinary tests run.
    Fast,
    /// Under three minutes on two cores.
    Quick,
    /// Under thirty minutes on two cores.
    Full,
}

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How much.
    pub size: Size,
    /// Seed of every random number; below 2^32.
    pub seed: u64,
}

impl Plan {
    /// The value for the size of this run.
    pub fn pick<X>(self, fast: X, quick: X, full: X) -> X {
        match self.size {
            Size::Fast => fast,
            Size::Quick => quick,
            Size::Full => full,
        }
    }
}

/// Why a check could not be made: not a failed claim.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum VerifyError {
    /// The oracle has no answer.
    #[error(transparent)]
    Oracle(#[from] refire_testkit::OracleError),
    /// The fit refused its input.
    #[error(transparent)]
    Fit(#[from] refire_fit::FitError),
    /// The simulator refused its input.
    #[error(transparent)]
    Sim(#[from] refire_sim::SimError),
    /// Trials that cannot be laid out.
    #[error(transparent)]
    Layout(#[from] refire_core::LayoutError),
    /// A recording that cannot be made.
    #[error(transparent)]
    Recording(#[from] refire_recording::RecordingError),
    /// A figure that does not exist.
    #[error("{what}: expected a value, found {reason}")]
    Missing {
        /// The figure.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// No claim of this name.
    #[error("claim: expected one of {known}, found '{found}'")]
    UnknownClaim {
        /// The names there are.
        known: String,
        /// The name given.
        found: String,
    },
    /// The page cannot be made or written.
    #[error(transparent)]
    Report(#[from] refire_report::ReportError),
}

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
/// [`VerifyError`] where a check could not be made. A claim that fails is no error.
pub fn run(
    plan: Plan,
    only: &[String],
    progress: &(dyn Fn(&str, f64) + Sync),
) -> Result<Vec<Claim>, VerifyError> {
    let known = names(plan.size);
    if let Some(found) = only.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(VerifyError::UnknownClaim {
            known: known.join(", "),
            found: found.clone(),
        });
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
