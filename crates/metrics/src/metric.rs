//! A number that may not exist.

use serde::{Serialize, Serializer};

/// A metric, or the reason why it does not exist. A value is always finite.
///
/// Serialises as a number or null.
#[derive(Clone, Debug, PartialEq)]
pub enum Metric {
    /// The value, finite.
    Value(f64),
    /// Why there is none.
    Missing(String),
}

impl Metric {
    /// The metric of a computed number; `what` names it in the reason where it is not finite.
    pub fn finite(value: f64, what: &str) -> Self {
        if value.is_finite() {
            Self::Value(value)
        } else {
            Self::Missing(format!("{what} is not finite ({value})"))
        }
    }

    /// The metric of a number that may not exist, with the reason where it does not.
    pub(crate) fn or_reason(value: Option<f64>, what: &str, reason: &str) -> Self {
        match value {
            Some(value) => Self::finite(value, what),
            None => Self::Missing(reason.to_owned()),
        }
    }

    /// Mean of the numbers that exist; `reason` says why none does.
    pub(crate) fn mean_of(values: &[Option<f64>], what: &str, reason: &str) -> Self {
        let (mut sum, mut count) = (0.0, 0usize);
        for value in values.iter().flatten() {
            sum += value;
            count += 1;
        }
        Self::or_reason((count > 0).then(|| sum / count as f64), what, reason)
    }

    /// The value, where there is one.
    pub fn value(&self) -> Option<f64> {
        match self {
            Self::Value(value) => Some(*value),
            Self::Missing(_) => None,
        }
    }

    /// The reason, where there is no value.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Value(_) => None,
            Self::Missing(reason) => Some(reason),
        }
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.value().serialize(serializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_is_not_finite_becomes_a_reason() {
        assert_eq!(Metric::finite(-0.5, "x").value(), Some(-0.5));
        for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let metric = Metric::finite(bad, "bits per spike");
            assert_eq!(metric.value(), None);
            assert!(
                metric
                    .reason()
                    .unwrap()
                    .starts_with("bits per spike is not finite")
            );
        }
    }

    #[test]
    fn serialises_as_number_or_null() {
        let metrics = [Metric::Value(0.25), Metric::Missing("no spikes".into())];
        assert_eq!(serde_json::to_string(&metrics).unwrap(), "[0.25,null]");
    }

    #[test]
    fn mean_skips_what_does_not_exist() {
        let mean = Metric::mean_of(&[Some(1.0), None, Some(2.0)], "x", "none");
        assert_eq!(mean, Metric::Value(1.5));
        assert_eq!(Metric::mean_of(&[None], "x", "none").reason(), Some("none"));
    }
}
