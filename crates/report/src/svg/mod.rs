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

/// A coordinate in pixels with one decimal; never anything but a number.
pub(crate) fn px(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded == 0.0 || !rounded.is_finite() {
        "0".into()
    } else {
        rounded.to_string()
    }
}

/// Wraps shapes into an `<svg>` element that shrinks with the page but never grows.
pub(crate) fn document(width: f64, height: f64, description: &str, body: &str) -> String {
    let (w, h) = (px(width), px(height));
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

/// The look of an area.
pub(crate) fn fill(color: &str, opacity: f64) -> String {
    format!("fill=\"{color}\" fill-opacity=\"{opacity}\"")
}

/// The look of a line of its own.
pub(crate) fn stroked(color: &str, width: f64) -> String {
    format!("fill=\"none\" stroke=\"{color}\" stroke-width=\"{width}\"")
}

/// One line of text at a pixel.
pub(crate) fn text(x: f64, y: f64, anchor: Anchor, class: &str, text: &str) -> String {
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\" class=\"{class}\">{}</text>",
        px(x),
        px(y),
        escape(text)
    )
}

/// The label of a vertical axis, from bottom to top around a pixel.
pub(crate) fn upright(x: f64, y: f64, text: &str) -> String {
    let text = escape(text);
    format!(
        "<text transform=\"translate({} {}) rotate(-90)\" text-anchor=\"middle\" \
         class=\"axis\">{text}</text>",
        px(x),
        px(y)
    )
}

/// A box with its corner at (x, y); `look` are its other attributes.
pub(crate) fn rect((x, y): (f64, f64), (width, height): (f64, f64), look: &str) -> String {
    let (x, y, width, height) = (px(x), px(y), px(width), px(height));
    format!("<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" {look}/>")
}

/// A path; nothing where it has no data.
pub(crate) fn path(look: &str, data: &str) -> String {
    match data {
        "" => String::new(),
        data => format!("<path {look} d=\"{data}\"/>"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_always_numbers() {
        assert_eq!(px(12.34), "12.3");
        assert_eq!(px(-0.04), "0");
        assert_eq!(px(f64::NAN), "0");
        assert_eq!(px(f64::INFINITY), "0");
    }
}
