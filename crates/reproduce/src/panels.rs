//! Parts that the drawings share.

use refire_report::{DotRow, PlotPoint, Role};

use crate::evidence::Estimate;

/// A row of single seeds with their mean and its interval.
pub(crate) fn dot_row(name: &str, role: Role, seeds: Vec<f64>) -> DotRow {
    let Estimate {
        mean, low, high, ..
    } = Estimate::over(seeds.iter().copied());
    DotRow {
        name: name.into(),
        role,
        value: refire_report::Estimate {
            value: mean,
            low,
            high,
        },
        ceiling: None,
        seeds,
    }
}

impl Estimate {
    /// The mean with its interval at a place.
    pub(crate) fn at(&self, x: f64) -> PlotPoint {
        PlotPoint {
            x,
            y: self.mean,
            low: self.low,
            high: self.high,
        }
    }
}
