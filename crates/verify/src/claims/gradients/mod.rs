//! Gradient estimators: the score function is unbiased, the bias and variance of the others is measured.

mod enumerated;
mod estimators;
mod on_paths;
mod sampled;

pub use estimators::ESTIMATORS;
pub use on_paths::{Part, figures_of, two_units};

use crate::{Claim, Plan};
use anyhow::Result;

pub fn run(plan: Plan, progress: &(dyn Fn(f64) + Sync)) -> Result<Claim> {
    let mut claim = Claim {
        id: "gradients",
        title: "Score-function gradients are unbiased; the bias of the others is known",
        statement: "The mean of the score-function gradient is the exact gradient of every expected \
                    loss. The escape derivative is biased in the first order of the couplings, ReinMax in \
                    the second; how much, and how biased the triangle is, is measured, not asserted.",
        source: "Williams, Machine Learning 8:229 (1992); Gygax & Zenke, Neural Computation 37:886 \
                 (2025); Liu et al., NeurIPS 2023 (ReinMax); Bellec, Wang et al. 2021 (triangle); \
                 derivation in docs/estimators.md (the spike gradient)",
        ..Claim::default()
    };
    enumerated::run(&mut claim, plan, &|share| progress(0.3 * share))?;
    sampled::run(&mut claim, plan, &|share| progress(0.3 + 0.7 * share))?;
    Ok(claim)
}
