//! The legend of the diverging scale of matrices.

use super::color::{LEVELS, level_color};
use super::{coordinate, document};
use crate::text::{escape, number};

/// The legend of a diverging scale; `missing` says what grey stands for.
pub(crate) fn color_bar(scale: f64, label: &str, missing: Option<&str>) -> String {
    let (width, height, body) = color_bar_shapes(scale, label, missing);
    document(width, height, label, &body)
}

/// Width, height and shapes of the legend of a diverging scale, for a larger drawing; `missing`
/// says what grey stands for.
pub(crate) fn color_bar_shapes(
    scale: f64,
    label: &str,
    missing: Option<&str>,
) -> (f64, f64, String) {
    let (left, top, width, height) = (40.0, 18.0, 240.0, 12.0);
    let step = width / f64::from(2 * LEVELS + 1);
    let mut body = format!(
        "<text x=\"{}\" y=\"11\" text-anchor=\"middle\" class=\"axis\">{}</text>",
        coordinate(left + width / 2.0),
        escape(label)
    );
    for index in 0..=2 * LEVELS {
        // Neighbours overlap by half a pixel, so that no seam shows.
        body += &format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{}\"/>",
            coordinate(left + step * f64::from(index)),
            coordinate(top),
            coordinate(step + if index < 2 * LEVELS { 0.5 } else { 0.0 }),
            coordinate(height),
            level_color(index - LEVELS)
        );
    }
    body += &format!(
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#555\"/>",
        coordinate(left),
        coordinate(top),
        coordinate(width),
        coordinate(height)
    );
    for (share, text) in [
        (0.0, format!("≤ {}", number(-scale))),
        (0.5, "0".into()),
        (1.0, format!("≥ {}", number(scale))),
    ] {
        body += &format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" class=\"tick\">{text}</text>",
            coordinate(left + share * width),
            coordinate(top + height + 14.0)
        );
    }
    let mut total = left + width + 40.0;
    if let Some(text) = missing {
        body += &format!(
            "<rect x=\"{}\" y=\"{}\" width=\"12\" height=\"12\" fill=\"#c9c9c9\" stroke=\"#555\"/>\
             <text x=\"{}\" y=\"{}\" class=\"tick\">{}</text>",
            coordinate(total),
            coordinate(top),
            coordinate(total + 18.0),
            coordinate(top + 10.0),
            escape(text)
        );
        total += 18.0 + 7.0 * text.len() as f64;
    }
    (total, top + height + 20.0, body)
}
