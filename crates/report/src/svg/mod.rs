//! A small SVG writer: charts with axes, and matrices.
//!
//! Shapes of one kind go into one `<path>`, so that a raster of 50 000 spikes stays below a
//! few hundred kilobytes.

mod axis;
mod chart;
mod color;
mod colorbar;
mod heatmap;
mod mark;
mod matrix;
mod path;
mod raster;
mod scale;

pub(crate) use axis::{Anchor, Axis, Stroke};
pub(crate) use chart::Chart;
pub(crate) use color::{DATA, fit_color};
pub(crate) use colorbar::{color_bar, color_bar_shapes};
pub(crate) use heatmap::Heatmap;
pub(crate) use mark::Mark;
pub(crate) use matrix::Matrix;
pub(crate) use path::pooling;
pub(crate) use raster::{MOST_TRIALS, Raster, rows_room};
pub(crate) use scale::{extent, padded, positive_extent};

use crate::text::escape;

/// A coordinate with one decimal; never anything but a number.
pub(crate) fn coordinate(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded == 0.0 || !rounded.is_finite() {
        "0".into()
    } else {
        rounded.to_string()
    }
}

/// Wraps shapes into an `<svg>` element that shrinks with the page but never grows.
pub(crate) fn document(width: f64, height: f64, description: &str, body: &str) -> String {
    let (w, h) = (coordinate(width), coordinate(height));
    // On a phone or on paper a wide chart shrinks: its text then starts larger.
    let class = if width > 450.0 {
        " class=\"roomy\""
    } else {
        ""
    };
    format!(
        "<svg{class} viewBox=\"0 0 {w} {h}\" width=\"{w}\" height=\"{h}\" role=\"img\" \
         aria-label=\"{}\">{body}</svg>\n",
        escape(description)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_always_numbers() {
        assert_eq!(coordinate(12.34), "12.3");
        assert_eq!(coordinate(-0.04), "0");
        assert_eq!(coordinate(f64::NAN), "0");
        assert_eq!(coordinate(f64::INFINITY), "0");
    }
}
