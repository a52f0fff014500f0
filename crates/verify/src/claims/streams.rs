//! Uniformity and independence of the counter-based random numbers.

use crate::sampling::chi_square;
use crate::{Claim, Plan};
use anyhow::Result;
use rayon::prelude::*;
use refire_random::{KeyedUniforms, Purpose, Stream, Uniforms};
use refire_testkit::chi_square_p;

/// Cells per axis of a pair of uniforms.
const SIDE: usize = 16;

/// A position: iteration, trial, bin, unit.
type Position = [u32; 4];

/// A uniform as the simulator draws it.
fn uniform(seed: u64, purpose: Purpose, [iteration, trial, bin, unit]: Position) -> f64 {
    let trials = [trial];
    let uniforms = KeyedUniforms::new(Stream::new(seed, purpose), iteration, &trials);
    let mut out = [0.0];
    uniforms.fill(0, bin as usize, unit as usize, &mut out);
    out[0]
}

/// Counts of pairs (a uniform, the one next to it along one index) in cells; the pairs are disjoint.
fn pairs(count: u32, draw: impl Fn(u32) -> (f64, f64) + Sync) -> Vec<u64> {
    let cell = |u: f64| ((u * SIDE as f64) as usize).min(SIDE - 1);
    (0..count)
        .into_par_iter()
        .fold(
            || vec![0u64; SIDE * SIDE],
            |mut counts, i| {
                let (a, b) = draw(i);
                counts[cell(a) * SIDE + cell(b)] += 1;
                counts
            },
        )
        .reduce(
            || vec![0u64; SIDE * SIDE],
            |a, b| a.iter().zip(b).map(|(a, b)| a + b).collect(),
        )
}

pub fn run(plan: Plan, progress: &(dyn Fn(f64) + Sync)) -> Result<Claim> {
    let mut claim = Claim {
        id: "streams",
        title: "Random numbers are uniform and independent",
        statement: "A uniform is a pure function of seed, purpose, iteration, trial, bin and unit; \
                    neighbours along any of these are independent.",
        source: "Philox4x32-10 (Salmon et al., SC 2011); crates/random",
        ..Claim::default()
    };
    let count = plan.pick(200_000, 1_000_000, 5_000_000);
    let seed = plan.seed;
    // A pair number spread over all four indices, so that no index stays at zero.
    let place = |i: u32| [i >> 14, i >> 9 & 31, i >> 4 & 31, i & 15];
    let along = |axis: usize| {
        move |i: u32| {
            // The index of the pair is doubled along its axis: pairs (0,1), (2,3), ...
            let mut at = place(i);
            at[axis] *= 2;
            let first = uniform(seed, Purpose::FreeRunning, at);
            at[axis] += 1;
            (first, uniform(seed, Purpose::FreeRunning, at))
        }
    };
    let mut results: Vec<(&str, Vec<u64>)> = Vec::new();
    for (axis, name) in ["iteration", "trial", "bin", "unit"]
        .into_iter()
        .enumerate()
    {
        results.push((name, pairs(count, along(axis))));
        progress((axis + 1) as f64 / 7.0);
    }
    results.push((
        "seed",
        pairs(count, |i| {
            let of = |seed| uniform(seed, Purpose::FreeRunning, place(i));
            (of(seed), of(seed + 1))
        }),
    ));
    results.push((
        "purpose",
        pairs(count, |i| {
            let of = |purpose| uniform(seed, purpose, place(i));
            (of(Purpose::TeacherForced), of(Purpose::FreeRunning))
        }),
    ));
    let cells = vec![1.0 / (SIDE * SIDE) as f64; SIDE * SIDE];
    for (name, counts) in results {
        let (statistic, degrees) = chi_square(&counts, &cells);
        claim.chance(
            format!("neighbours along {name}"),
            format!("chi-square of {count} disjoint pairs in {SIDE} x {SIDE} cells"),
            format!("{degrees}"),
            format!("{statistic:.0}"),
            chi_square_p(statistic, degrees),
        );
    }
    Ok(claim)
}
