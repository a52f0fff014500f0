//! Figures of sets of trials of the test set's size, averaged over many sets: one set is one draw of each figure.

use refire_metrics::Metric;

/// Sets of simulated trials that figures of the model are averaged over, and sets of training trials for ceilings.
pub const SETS: usize = 20;

/// A figure over sets.
#[derive(Clone, Debug, PartialEq)]
pub struct OverSets {
    /// Mean.
    pub mean: Metric,
    /// Standard deviation of one set; missing where there are fewer than two.
    pub sd: Metric,
}

impl OverSets {
    /// A figure that is not of sets.
    pub(crate) fn once(mean: Metric) -> Self {
        let sd = Metric::Missing("not a figure of sets of trials".to_string());
        Self { mean, sd }
    }

    /// Of the figures of single sets; missing where any of them is, for the reason of the first.
    pub(crate) fn new(values: &[Metric]) -> Self {
        let missing = values.iter().find_map(Metric::reason);
        let numbers: Vec<f64> = values.iter().filter_map(Metric::value).collect();
        if let Some(reason) = missing.or(numbers.is_empty().then_some("no sets of trials")) {
            let none = || Metric::Missing(reason.to_string());
            return Self {
                mean: none(),
                sd: none(),
            };
        }
        let count = numbers.len() as f64;
        let mean = numbers.iter().sum::<f64>() / count;
        let squares: f64 = numbers.iter().map(|x| (x - mean).powi(2)).sum();
        Self {
            mean: Metric::finite(mean, "mean over sets"),
            sd: match numbers.len() {
                1 => Metric::Missing("one set of trials".to_string()),
                _ => Metric::finite((squares / (count - 1.0)).sqrt(), "deviation over sets"),
            },
        }
    }
}
