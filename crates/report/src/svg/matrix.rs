//! Matrices as heat maps on a diverging scale.

use super::color::{LEVELS, level, level_color};
use super::path::{Cells, pooling};
use super::scale::Scale;
use super::{coordinate, document};
use crate::text::{escape, number};

/// Largest number of cells along a side; more units are averaged.
const MOST_CELLS: usize = 150;

/// Numbers in rows; a missing one is drawn grey.
pub(crate) struct Matrix {
    rows: usize,
    columns: usize,
    values: Vec<Option<f64>>,
}

impl Matrix {
    pub(crate) fn new(
        rows: usize,
        columns: usize,
        value: impl Fn(usize, usize) -> Option<f64>,
    ) -> Self {
        let value = &value;
        let values = (0..rows)
            .flat_map(|row| (0..columns).map(move |column| value(row, column)))
            .map(|value| value.filter(|v| v.is_finite()))
            .collect();
        Self {
            rows,
            columns,
            values,
        }
    }

    /// A size that all but the largest hundredth of the drawn cells stay below, for the ends of
    /// a colour scale that the given matrices share. One where there is nothing but zeros.
    pub(crate) fn shared_scale(matrices: &[Self]) -> f64 {
        let mut sizes: Vec<f64> = matrices
            .iter()
            .flat_map(|matrix| matrix.pooled(matrix.pooled_by()).values)
            .flatten()
            .map(f64::abs)
            .collect();
        sizes.sort_by(f64::total_cmp);
        let high = sizes.get(sizes.len().saturating_sub(1) * 99 / 100);
        high.copied().filter(|v| *v > 0.0).unwrap_or(1.0)
    }

    /// Whether no number is there.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.iter().all(Option::is_none)
    }

    /// How many units are averaged into one cell.
    pub(crate) fn pooled_by(&self) -> usize {
        pooling(self.rows.max(self.columns), MOST_CELLS)
    }

    /// Averages blocks of `by` rows and columns over the numbers that are there.
    fn pooled(&self, by: usize) -> Self {
        let (rows, columns) = (self.rows.div_ceil(by), self.columns.div_ceil(by));
        let mut sums = vec![(0.0, 0usize); rows * columns];
        for row in 0..self.rows {
            for column in 0..self.columns {
                if let Some(value) = self.values[row * self.columns + column] {
                    let (sum, count) = &mut sums[row / by * columns + column / by];
                    *sum += value;
                    *count += 1;
                }
            }
        }
        let values = sums
            .into_iter()
            .map(|(sum, count)| (count > 0).then(|| sum / count as f64))
            .collect();
        Self {
            rows,
            columns,
            values,
        }
    }
}

/// How a matrix is drawn.
pub(crate) struct Heatmap<'a> {
    /// The value at the ends of the colour scale.
    pub(crate) scale: f64,
    /// Longest side of the plot, pixels.
    pub(crate) side: f64,
    /// A line between the first units and the rest, such as observed and hidden, with the names
    /// of the two parts.
    pub(crate) border: Option<(usize, &'a str, &'a str)>,
    pub(crate) row_label: &'a str,
    pub(crate) column_label: &'a str,
}

impl Heatmap<'_> {
    pub(crate) fn draw(&self, matrix: &Matrix, description: &str) -> String {
        let (left, top, right, bottom) = (52.0, 20.0, 12.0, 44.0);
        let by = matrix.pooled_by();
        let pooled = matrix.pooled(by);
        let longest = pooled.rows.max(pooled.columns).max(1) as f64;
        let cell = self.side / longest;
        let (width, height) = (cell * pooled.columns as f64, cell * pooled.rows as f64);

        let mut body = format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"#fff\"/>",
            coordinate(left),
            coordinate(top),
            coordinate(width),
            coordinate(height)
        );
        body += &format!(
            "<g transform=\"translate({} {}) scale({cell:.5})\" fill=\"none\" \
             shape-rendering=\"crispEdges\">",
            coordinate(left),
            coordinate(top + cell / 2.0)
        );
        // One path per colour; level zero is the background.
        let mut levels: Vec<Cells> = (0..=2 * LEVELS).map(|_| Cells::default()).collect();
        let mut missing = Cells::default();
        for row in 0..pooled.rows {
            for column in 0..pooled.columns {
                match pooled.values[row * pooled.columns + column] {
                    None => missing.insert(row as i64, column as i64),
                    Some(value) => {
                        let level = level(value, self.scale) + LEVELS;
                        levels[level as usize].insert(row as i64, column as i64);
                    }
                }
            }
        }
        for (index, cells) in levels.iter().enumerate() {
            let level = index as i32 - LEVELS;
            if level != 0 && !cells.is_empty() {
                body += &path(&level_color(level), cells);
            }
        }
        if !missing.is_empty() {
            body += &path("#c9c9c9", &missing);
        }
        body += "</g>";
        body += &format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"none\" stroke=\"#555\"/>",
            coordinate(left),
            coordinate(top),
            coordinate(width),
            coordinate(height)
        );
        body += &self.border(matrix, left, top, cell / by as f64);
        body += &self.axes(matrix, (left, top), (width, height));
        document(
            left + width + right,
            top + height + bottom,
            description,
            &body,
        )
    }

    fn border(&self, matrix: &Matrix, left: f64, top: f64, unit: f64) -> String {
        let Some((at, first, second)) = self.border else {
            return String::new();
        };
        let offset = at as f64 * unit;
        let width = matrix.columns as f64 * unit;
        let height = matrix.rows as f64 * unit;
        let mut body = String::new();
        if at > 0 && at < matrix.rows {
            body += &format!(
                "<path d=\"M{} {}h{}\" class=\"border\"/>",
                coordinate(left),
                coordinate(top + offset),
                coordinate(width)
            );
        }
        if at > 0 && at < matrix.columns {
            body += &format!(
                "<path d=\"M{} {}v{}\" class=\"border\"/>",
                coordinate(left + offset),
                coordinate(top),
                coordinate(height)
            );
            // A part too narrow for its name goes without.
            for (text, from, to) in [(first, 0.0, offset), (second, offset, width)] {
                if to - from > 7.0 * text.len() as f64 {
                    body += &format!(
                        "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" class=\"tick\">{}</text>",
                        coordinate(left + (from + to) / 2.0),
                        coordinate(top - 7.0),
                        escape(text)
                    );
                }
            }
        }
        body
    }

    fn axes(
        &self,
        matrix: &Matrix,
        (left, top): (f64, f64),
        (width, height): (f64, f64),
    ) -> String {
        let mut body = String::new();
        // Ticks name whole units and stand at the middle of their cell.
        let ticks = |units: usize, length: f64| {
            let half = 0.5 * length / units.max(1) as f64;
            let range = (0.0, units as f64);
            let wanted = ((length / 50.0) as usize).clamp(2, 6);
            Scale::linear(range, 0.0, length)
                .ticks(wanted)
                .into_iter()
                .filter(move |tick| !tick.label.contains('.') && tick.at + half < length)
                .map(move |tick| (tick.at + half, tick.label))
        };
        for (at, label) in ticks(matrix.columns, width) {
            body += &format!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" class=\"tick\">{label}</text>",
                coordinate(left + at),
                coordinate(top + height + 15.0)
            );
        }
        for (at, label) in ticks(matrix.rows, height) {
            body += &format!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"end\" class=\"tick\">{label}</text>",
                coordinate(left - 6.0),
                coordinate(top + at + 4.0)
            );
        }
        body += &format!(
            "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" class=\"axis\">{}</text>",
            coordinate(left + width / 2.0),
            coordinate(top + height + 35.0),
            escape(self.column_label)
        );
        body += &format!(
            "<text transform=\"translate({} {}) rotate(-90)\" text-anchor=\"middle\" \
             class=\"axis\">{}</text>",
            coordinate(14.0),
            coordinate(top + height / 2.0),
            escape(self.row_label)
        );
        body
    }
}

fn path(color: &str, cells: &Cells) -> String {
    format!("<path stroke=\"{color}\" d=\"{}\"/>", cells.path(1))
}

/// The legend of a diverging scale.
pub(crate) fn color_bar(scale: f64, label: &str, diagonal: Option<&str>) -> String {
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
    if let Some(text) = diagonal {
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
    document(total, top + height + 20.0, label, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooling_averages_what_is_there() {
        // The diagonal is missing; blocks of two.
        let matrix = Matrix::new(3, 3, |i, j| (i != j).then_some((10 * i + j) as f64));
        let pooled = matrix.pooled(2);
        assert_eq!((pooled.rows, pooled.columns), (2, 2));
        assert_eq!(pooled.values, [Some(5.5), Some(7.0), Some(20.5), None]);
    }

    #[test]
    fn the_scale_leaves_out_the_largest_hundredth() {
        let ramp = Matrix::new(1, 101, |_, j| {
            Some(if j == 100 { 1e9 } else { -(j as f64) })
        });
        assert_eq!(Matrix::shared_scale(&[ramp]), 99.0);
        assert_eq!(Matrix::shared_scale(&[]), 1.0);
        let zeros = Matrix::new(2, 2, |_, _| Some(0.0));
        assert!(!zeros.is_empty());
        assert_eq!(Matrix::shared_scale(&[zeros]), 1.0);
        assert!(Matrix::new(2, 2, |_, _| Some(f64::INFINITY)).is_empty());
    }

    #[test]
    fn large_matrices_stay_small() {
        let map = Heatmap {
            scale: 1.0,
            side: 300.0,
            border: Some((400, "observed", "hidden")),
            row_label: "source",
            column_label: "target",
        };
        // A checkerboard cannot merge into runs.
        let matrix = Matrix::new(600, 600, |i, j| {
            Some(if (i / 4 + j / 4) % 2 == 0 { 1.0 } else { -1.0 })
        });
        let svg = map.draw(&matrix, "couplings");
        assert!(svg.len() < 250_000, "{} bytes", svg.len());
        assert_eq!(svg.matches("<path stroke=").count(), 2);
        assert_eq!(svg.matches("class=\"border\"").count(), 2);
        assert!(svg.contains("hidden"));
    }

    #[test]
    fn a_single_unit_is_drawn() {
        let map = Heatmap {
            scale: 0.0,
            side: 300.0,
            border: None,
            row_label: "source",
            column_label: "target",
        };
        let svg = map.draw(&Matrix::new(1, 1, |_, _| Some(f64::NAN)), "one");
        assert!(svg.contains("#c9c9c9") && !svg.contains("NaN"));
    }
}
