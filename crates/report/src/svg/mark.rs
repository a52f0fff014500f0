//! Marks that differ in colour and in shape, so that print and every eye can tell them apart.

use super::color::{DATA, fit_color, objective_color};
use super::px;

/// How the points of one series are marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) color: &'static str,
    shape: usize,
    hollow: bool,
}

/// Outlines around the origin, of about the same area; the round mark has none.
const OUTLINES: [&str; 7] = [
    "m-3.2-3.2h6.4v6.4h-6.4z",
    "m0-4.6l4.6 4.6-4.6 4.6-4.6-4.6z",
    "m0-4.4l4.4 7.6h-8.8z",
    "m0 4.4l4.4-7.6h-8.8z",
    "m-1.4-4.2h2.8v2.8h2.8v2.8h-2.8v2.8h-2.8v-2.8h-2.8v-2.8h2.8z",
    "m-4.2-2.2l2-2 2.2 2.2 2.2-2.2 2 2-2.2 2.2 2.2 2.2-2 2-2.2-2.2-2.2 2.2-2-2 2.2-2.2z",
    "m-4.2 0l2.1-3.7h4.2l2.1 3.7-2.1 3.7h-4.2z",
];

/// Outlines of the named objectives, the plainest for those that are shown most.
const OBJECTIVES: [usize; 8] = [5, 1, 2, 3, 4, 0, 6, 7];

/// The round mark and the first five outlines are those of numbered series.
const NUMBERED: usize = 6;

impl Mark {
    /// The mark of a numbered series.
    pub(crate) fn series(index: usize) -> Self {
        Self {
            color: fit_color(index),
            shape: index % NUMBERED,
            hollow: false,
        }
    }

    /// The mark of a named objective, by its place among them.
    pub(crate) fn objective(place: usize, hollow: bool) -> Self {
        Self {
            color: objective_color(place),
            shape: OBJECTIVES[place % OBJECTIVES.len()],
            hollow,
        }
    }

    /// The mark of what series are compared with.
    pub(crate) fn reference() -> Self {
        Self {
            color: DATA,
            shape: 0,
            hollow: false,
        }
    }

    /// One larger mark, for a row of its own.
    pub(crate) fn large(self, (x, y): (f64, f64)) -> String {
        // The rim of a hollow mark adds to its size.
        let scale = if self.hollow { 1.15 } else { 1.35 };
        format!(
            "<g transform=\"translate({} {}) scale({scale})\">{}</g>",
            px(x),
            px(y),
            self.at(&[(0.0, 0.0)])
        )
    }

    /// Marks at pixels, with a white rim that keeps neighbours apart.
    pub(crate) fn at(self, places: &[(f64, f64)]) -> String {
        let outline = match self.shape {
            0 => "m-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0z",
            shape => OUTLINES[shape - 1],
        };
        let path: String = places
            .iter()
            .map(|&(x, y)| format!("M{} {}{outline}", px(x), px(y)))
            .collect();
        if path.is_empty() {
            return path;
        }
        let (fill, rim, width) = match self.hollow {
            false => (self.color, "#fff", 0.8),
            true => ("#fff", self.color, 1.7),
        };
        format!("<path fill=\"{fill}\" stroke=\"{rim}\" stroke-width=\"{width}\" d=\"{path}\"/>")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objectives_have_all_outlines() {
        let mut shapes: Vec<usize> = (0..8).map(|at| Mark::objective(at, false).shape).collect();
        shapes.sort_unstable();
        assert_eq!(shapes, (0..=OUTLINES.len()).collect::<Vec<_>>());
    }

    #[test]
    fn six_series_differ_in_colour_and_in_shape() {
        let marks: Vec<Mark> = (0..6).map(Mark::series).collect();
        for (i, a) in marks.iter().enumerate() {
            for b in &marks[..i] {
                assert!(a.color != b.color && a.shape != b.shape);
            }
        }
        assert!(Mark::series(6) == marks[0]);
        assert_eq!(marks[0].at(&[]), "");
        assert_eq!(
            marks[1].at(&[(1.0, 2.0), (3.0, 4.0)]).matches('M').count(),
            2
        );
    }
}
