//! What reports and tables call things, and how many of them they show.

use refire::fit::{ObjectiveKind, Specification};
use refire::metrics::MOST_UNITS_OF_PAIRS;

/// Most units in a raster and in the matrix of couplings: the first ones.
pub const MOST_UNITS: usize = MOST_UNITS_OF_PAIRS;

/// Short name of what was fitted.
pub fn objective_name(spec: &Specification) -> &'static str {
    match spec.objective.kind() {
        ObjectiveKind::Mle => "MLE",
        ObjectiveKind::SampleAndMeasure => "sample-and-measure",
        ObjectiveKind::MleAndSampleAndMeasure => "MLE + sample-and-measure",
    }
}
