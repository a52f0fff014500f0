//! One file per figure.

mod consistency;
mod estimators;
mod hidden;
mod stability;
mod statistics;
mod toy;

use crate::figure::AnyFigure;

/// Names of the figures in reading order.
pub(crate) const NAMES: [&str; 6] = [
    "stability",
    "statistics",
    "consistency",
    "toy",
    "hidden",
    "estimators",
];

/// Every figure, as [`NAMES`] are ordered.
pub(crate) fn all() -> [Box<dyn AnyFigure>; 6] {
    [
        Box::new(stability::Stability),
        Box::new(statistics::Statistics),
        Box::new(consistency::Consistency),
        Box::new(toy::Toy),
        Box::new(hidden::Hidden),
        Box::new(estimators::Estimators),
    ]
}
