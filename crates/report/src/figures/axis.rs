//! The axis of a plot.

/// One axis of a plot. Its range is that of the numbers, with room at both ends.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlotAxis {
    /// Label, with the unit. There is room for about 30 characters.
    pub label: String,
    /// Logarithmic: points that are not positive are then left out, and the plot says so.
    pub log: bool,
}

impl PlotAxis {
    /// An axis with equal steps.
    pub fn linear(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            log: false,
        }
    }

    /// An axis with equal factors.
    pub fn log(label: impl Into<String>) -> Self {
        Self {
            log: true,
            ..Self::linear(label)
        }
    }
}
