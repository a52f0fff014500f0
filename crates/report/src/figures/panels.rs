//! Panels other than plots: rows of dots, matrices, rasters.

use super::{PlotAxis, Role};

/// Values of several objectives or methods along one axis, a row each, with their single seeds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DotPlot {
    /// Heading of the panel.
    pub title: String,
    /// The axis of the values.
    pub x: PlotAxis,
    /// The rows, from top to bottom.
    pub rows: Vec<DotRow>,
    /// A value that all rows are compared with.
    pub reference: Option<VerticalReference>,
    /// Ends of the axis (low, high), where not all values are to be in it: one runaway must not
    /// flatten the rest. A value beyond is an arrow at the edge with the number beside it. The
    /// range of all numbers where none is given, or where it is no range.
    pub range: Option<(f64, f64)>,
}

/// One row of a [`DotPlot`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DotRow {
    /// What the row is about. There is room for about 32 characters on the page.
    pub name: String,
    /// What the row stands for; decides colour and mark.
    pub role: Role,
    /// The value over all seeds. Not finite where there is none: the row says so.
    pub value: Estimate,
    /// The best value that a fit could reach, as a tick.
    pub ceiling: Option<f64>,
    /// The value of each seed, as small faint marks.
    pub seeds: Vec<f64>,
}

/// A value with its 95 % interval, drawn where `low < high` and both are finite.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// Lower end of the interval.
    pub low: f64,
    /// Upper end of the interval.
    pub high: f64,
}

impl Default for Estimate {
    /// No value.
    fn default() -> Self {
        Self::exact(f64::NAN)
    }
}

impl Estimate {
    /// A value without an interval.
    pub fn exact(value: f64) -> Self {
        let (low, high) = (value, value);
        Self { value, low, high }
    }
}

/// A value that the rows of a [`DotPlot`] are compared with, as a dashed line across them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct VerticalReference {
    /// The value.
    pub x: f64,
    /// A few words, written above the line.
    pub label: String,
}

/// Numbers in rows and columns, blue below zero, red above, grey where there is none.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MatrixPanel {
    /// Heading of the panel.
    pub title: String,
    /// What a row is, e.g. `source unit`.
    pub rows_label: String,
    /// What a column is, e.g. `target unit`.
    pub columns_label: String,
    /// Number of rows and of columns.
    pub size: (usize, usize),
    /// Row by row, `rows * columns` of them. At most 6 by 6, they are written in their cells.
    pub values: Vec<Option<f64>>,
    /// A name per row; empty for numbers.
    pub row_names: Vec<String>,
    /// A name per column; empty for numbers.
    pub column_names: Vec<String>,
}

/// Spikes of one trial over time, one row per unit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RasterPanel {
    /// Heading of the panel.
    pub title: String,
    /// Whose spikes they are; decides the colour.
    pub role: Role,
    /// Number of units.
    pub units: usize,
    /// Number of bins shown, from the start of the trial.
    pub bins: usize,
    /// Width of a bin, seconds. Zero where unknown: the axis is then in bins.
    pub bin_width_s: f64,
    /// Spikes as (bin, unit).
    pub spikes: Vec<(u32, u32)>,
}
