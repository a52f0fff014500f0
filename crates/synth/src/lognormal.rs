//! Strengths that are spread over a range.

use rand_distr::{Distribution, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Lognormal of mean 1.
pub(crate) fn lognormal(spread: f64, generator: &mut Xoshiro256PlusPlus) -> f64 {
    let normal: f64 = StandardNormal.sample(generator);
    (spread * normal - spread * spread / 2.0).exp()
}
