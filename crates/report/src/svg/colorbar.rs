//! The legend of the diverging scale of matrices.

use super::color::{LEVELS, level_color};
use super::{Anchor, document, rect, text};
use crate::text::number;

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
    let mut body = text(left + width / 2.0, 11.0, Anchor::Middle, "axis", label);
    for index in 0..=2 * LEVELS {
        // Neighbours overlap by half a pixel, so that no seam shows.
        let wide = step + if index < 2 * LEVELS { 0.5 } else { 0.0 };
        let look = format!("fill=\"{}\"", level_color(index - LEVELS));
        body += &rect((left + step * f64::from(index), top), (wide, height), &look);
    }
    body += &rect(
        (left, top),
        (width, height),
        "fill=\"none\" stroke=\"#555\"",
    );
    for (share, value) in [
        (0.0, format!("≤ {}", number(-scale))),
        (0.5, "0".into()),
        (1.0, format!("≥ {}", number(scale))),
    ] {
        let (x, y) = (left + share * width, top + height + 14.0);
        body += &text(x, y, Anchor::Middle, "tick", &value);
    }
    let mut total = left + width + 40.0;
    if let Some(words) = missing {
        body += &rect(
            (total, top),
            (12.0, 12.0),
            "fill=\"#c9c9c9\" stroke=\"#555\"",
        );
        body += &text(total + 18.0, top + 10.0, Anchor::Start, "tick", words);
        total += 18.0 + 7.0 * words.len() as f64;
    }
    (total, top + height + 20.0, body)
}
