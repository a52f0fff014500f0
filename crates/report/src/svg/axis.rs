//! What the axes of a chart are, and how its lines and texts are placed.

use super::scale::Scale;

/// One axis.
#[derive(Clone)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Logarithmic; `low` must then be positive.
    pub(crate) log: bool,
    /// A place for zero below the logarithmic range.
    pub(crate) zero: bool,
    /// Ticks, their labels and grid lines.
    pub(crate) ticks: bool,
    pub(crate) label: String,
}

impl Axis {
    pub(crate) fn linear((low, high): (f64, f64), label: impl Into<String>) -> Self {
        Self {
            low,
            high,
            log: false,
            zero: false,
            ticks: true,
            label: label.into(),
        }
    }

    /// An axis with a label but no ticks.
    pub(crate) fn bare(label: impl Into<String>) -> Self {
        Self {
            ticks: false,
            ..Self::linear((0.0, 1.0), label)
        }
    }

    pub(crate) fn log((low, high): (f64, f64), zero: bool, label: impl Into<String>) -> Self {
        Self {
            low,
            high,
            log: true,
            zero,
            ticks: true,
            label: label.into(),
        }
    }

    pub(super) fn scale(&self, from: f64, to: f64) -> Scale {
        if self.log {
            Scale::log((self.low, self.high), from, to, self.zero)
        } else {
            Scale::linear((self.low, self.high), from, to)
        }
    }
}

/// How a line looks.
#[derive(Clone, Copy)]
pub(crate) struct Stroke {
    pub(crate) color: &'static str,
    pub(crate) width: f64,
    pub(crate) opacity: f64,
    pub(crate) dash: &'static str,
}

impl Stroke {
    pub(crate) fn solid(color: &'static str, width: f64) -> Self {
        Self {
            color,
            width,
            opacity: 1.0,
            dash: "",
        }
    }

    pub(crate) fn dashed(color: &'static str, width: f64) -> Self {
        let dash = "5 3";
        Self {
            dash,
            ..Self::solid(color, width)
        }
    }

    pub(crate) fn attributes(&self) -> String {
        let mut text = format!(
            "fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"",
            self.color, self.width
        );
        if self.opacity < 1.0 {
            text += &format!(" stroke-opacity=\"{}\"", self.opacity);
        }
        if !self.dash.is_empty() {
            text += &format!(" stroke-dasharray=\"{}\"", self.dash);
        }
        text
    }
}

/// Which end of a text its position names.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}
