//! What a figure and a plot are made of. Everything may be empty.

use super::{DotPlot, MatrixPanel, PlotAxis, RasterPanel, Role};

/// Panels beside each other, with one legend for all.
///
/// All matrices of a figure share one colour scale, all points of one [`Role`] colour and mark.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FigureView {
    /// Heading of the figure.
    pub title: String,
    /// What is shown and what to read from it.
    pub caption: String,
    /// The panels; as many stand side by side as there is room for.
    pub panels: Vec<Panel>,
    /// The quantity of the colours of its matrices, with the unit, for the colour bar.
    pub scale_label: String,
}

/// One part of a figure, with its own heading.
#[derive(Clone, Debug, PartialEq)]
pub enum Panel {
    /// Points over two axes.
    Plot(Plot),
    /// One row per objective or method along one axis.
    Dots(DotPlot),
    /// Numbers in rows and columns as colours.
    Matrix(MatrixPanel),
    /// Spikes over time.
    Raster(RasterPanel),
}

impl From<Plot> for Panel {
    fn from(plot: Plot) -> Self {
        Self::Plot(plot)
    }
}

impl From<DotPlot> for Panel {
    fn from(plot: DotPlot) -> Self {
        Self::Dots(plot)
    }
}

impl From<MatrixPanel> for Panel {
    fn from(matrix: MatrixPanel) -> Self {
        Self::Matrix(matrix)
    }
}

impl From<RasterPanel> for Panel {
    fn from(raster: RasterPanel) -> Self {
        Self::Raster(raster)
    }
}

/// One plot: series of points over two axes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plot {
    /// Heading of the plot.
    pub title: String,
    /// Horizontal axis.
    pub x: PlotAxis,
    /// Vertical axis.
    pub y: PlotAxis,
    /// What is plotted, later series on top of earlier ones.
    pub series: Vec<Series>,
    /// A value to compare with.
    pub horizontal: Option<Reference>,
}

/// Points that belong together, as marks and, where joined, a line. A line through more than 60
/// points has no marks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Series {
    /// Name in the legend; series of the same name and role share an entry. None if empty.
    pub name: String,
    /// What the series stands for; decides how it looks.
    pub role: Role,
    /// The points, in the order they are joined.
    pub points: Vec<PlotPoint>,
    /// Whether a line joins the points.
    pub joined: bool,
    /// Shades the area between `low` and `high` of the points, in place of error bars and marks:
    /// for a range over time; a point that lacks one of its numbers leaves a gap. A line through the middle is drawn where `joined`.
    pub band: bool,
}

impl Series {
    /// Points joined by a line.
    pub fn line(
        name: impl Into<String>,
        role: Role,
        points: impl IntoIterator<Item = PlotPoint>,
    ) -> Self {
        Self {
            name: name.into(),
            role,
            points: points.into_iter().collect(),
            joined: true,
            band: false,
        }
    }
}

/// A point with an error bar, drawn where `low < high` and both are finite.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct PlotPoint {
    /// Place along the horizontal axis.
    pub x: f64,
    /// Place along the vertical axis.
    pub y: f64,
    /// Lower end of the error bar.
    pub low: f64,
    /// Upper end of the error bar.
    pub high: f64,
}

impl PlotPoint {
    /// A point without an error bar.
    pub fn exact(x: f64, y: f64) -> Self {
        let (low, high) = (y, y);
        Self { x, y, low, high }
    }

    /// A point with a 95 % interval, 1.96 standard errors to both sides.
    pub fn with_error(x: f64, y: f64, standard_error: f64) -> Self {
        let half = 1.96 * standard_error;
        Self {
            x,
            y,
            low: y - half,
            high: y + half,
        }
    }
}

/// A value to compare with, as a dashed line across the plot.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reference {
    /// The value.
    pub y: f64,
    /// A few words, written at the line.
    pub label: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bars_are_two_sided() {
        let point = PlotPoint::with_error(2.0, 5.0, 0.5);
        assert_eq!((point.low, point.high), (5.0 - 0.98, 5.0 + 0.98));
        let point = PlotPoint::exact(2.0, 5.0);
        assert!(point.low == point.y && point.high == point.y);
    }
}
