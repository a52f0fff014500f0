//! How much memory a solution takes.

use crate::lbfgs::MEMORY;
use crate::precondition::{DENSE_BINS, MOST_FACTORED, MOST_OWN};
use refire_kernels::LANES;

/// What decides how much memory a solution takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ConvexSize {
    /// Units.
    pub units: usize,
    /// Lags of the couplings, bins.
    pub lags: usize,
    /// Whether there are same-bin couplings.
    pub same_bin: bool,
    /// Weights of the drive per unit.
    pub drive: f64,
    /// Most of these that reach one bin.
    pub terms: f64,
    /// Bins of the courses of the drive: of all conditions, or of one that they share.
    pub course_bins: f64,
    /// Bins of all conditions.
    pub condition_bins: f64,
    /// Bins of the longest trial.
    pub longest: f64,
    /// Bins of all trials.
    pub bins: f64,
}

impl ConvexSize {
    /// Numbers of four bytes that are held at most, spikes and the drive itself not counted.
    pub fn numbers(&self) -> f64 {
        let width = self.units.next_multiple_of(LANES) as f64;
        let units = self.units as f64;
        let lags = self.lags + usize::from(self.same_bin);
        let rows = units * lags as f64 + self.drive + 1.0;
        // A term is a weight and a value of eight bytes, in a list that may have grown to twice its need; a bin says
        // where its own start.
        let design = self.course_bins * (8.0 * self.terms + 2.0);
        let potentials = (self.bins + self.lags as f64) * width;
        // Steps and changes of the gradient, and six vectors beside them.
        let steps = (2.0 * MEMORY as f64 + 6.0) * rows * width;
        let guess = match rows <= MOST_FACTORED as f64 {
            // The sums, their inverse and what comes in between; the Hessians of some units; the blocks of the drive.
            true => {
                let blocks = if self.drive > 0.0 {
                    let dense = self.longest.min(DENSE_BINS as f64) * self.drive;
                    4.0 * dense + 2.0 * units * self.longest
                } else {
                    0.0
                };
                let of_units = (rows * rows * LANES as f64) + MOST_OWN as f64;
                // Of the Hessians: where each weight counts.
                let places = 8.0 * self.condition_bins * self.terms;
                8.0 * rows * rows
                    + blocks
                    + places
                    + of_units.min(rows * rows * (units + LANES as f64))
            }
            false => 2.0 * rows,
        };
        design + potentials + steps + guess
    }
}
