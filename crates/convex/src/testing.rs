//! A small recording and its design, for tests.

use crate::Problem;
use nalgebra::{DMatrix, DVector};
use refire_core::{TrialArray, TrialLayout};
use refire_drive::FeatureDrive;

pub const LAGS: usize = 3;

/// Numbers between -1 and 1.
pub fn number(at: usize) -> f64 {
    ((at as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64 / (1u64 << 23) as f64 - 1.0
}

/// A recording with its drive.
pub struct Recorded {
    pub spikes: TrialArray<u8>,
    pub layout: TrialLayout,
    pub encoder: FeatureDrive<f64>,
}

/// The likelihood of a recording.
pub fn problem(recorded: &Recorded) -> Problem<'_, f64> {
    Problem {
        spikes: &recorded.spikes,
        layout: &recorded.layout,
        encoder: &recorded.encoder,
        lags: LAGS,
        same_bin: false,
        theta: 1.0,
    }
}

/// The same without and with same-bin couplings.
pub fn problems(recorded: &Recorded) -> [Problem<'_, f64>; 2] {
    [false, true].map(|same_bin| Problem {
        same_bin,
        ..problem(recorded)
    })
}

/// Uneven trials of two conditions with two features over two bins; more units than lanes.
pub fn recording() -> Recorded {
    let layout = TrialLayout::new(vec![0, 1, 0, 1], vec![20, 14, 9, 17], 2).unwrap();
    let units = 18;
    let z = (0..4 * 20 * units)
        .map(|at| u8::from(number(at) > 0.4))
        .collect();
    let spikes = TrialArray::from_vec(z, 4, 20, units).unwrap();
    let features = (0..2 * 20 * 2).map(|at| number(at + 5000)).collect();
    let features = TrialArray::from_vec(features, 2, 20, 2).unwrap();
    let encoder = FeatureDrive::new(&features, &[20, 20], 2, units).unwrap();
    Recorded {
        spikes,
        layout,
        encoder,
    }
}

/// The design of a bin, from the definition; behind the end of a trial there is silence.
pub fn design_row(problem: &Problem<'_, f64>, k: usize, t: usize) -> Vec<f64> {
    let (layout, units) = (problem.layout, problem.spikes.units());
    let mut row = Vec::new();
    let first = usize::from(!problem.same_bin);
    for (i, d) in (0..units).flat_map(|i| (first..=problem.lags).map(move |d| (i, d))) {
        let fired = t >= d && t - d < layout.bins(k) && problem.spikes.row(k, t - d)[i] != 0;
        row.push(f64::from(u8::from(fired)));
    }
    let weights = problem.encoder.parameters() / units;
    for f in 0..weights {
        let mut one = vec![0.0; weights * units];
        one[f * units] = 1.0;
        let mut drive = TrialArray::default();
        problem.encoder.forward(&one, &mut drive);
        let there = t >= layout.first_bin() && t < layout.max_bins();
        row.push(if there {
            drive.row(layout.condition(k), t)[0]
        } else {
            0.0
        });
    }
    row.push(1.0);
    row
}

/// `X^T X` of the design, bin by bin.
pub fn gram(problem: &Problem<'_, f64>) -> DMatrix<f64> {
    let rows = (0..problem.layout.trials()).flat_map(|k| {
        let bins = 0..problem.layout.bins(k) + problem.lags;
        bins.map(move |t| DVector::from_vec(design_row(problem, k, t)))
    });
    let products = rows.map(|row| &row * row.transpose());
    products.reduce(|sum, product| sum + product).unwrap()
}
