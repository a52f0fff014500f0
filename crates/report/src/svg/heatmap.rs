//! Matrices as heat maps on a diverging scale.

use super::color::{LEVELS, level, level_color};
use super::path::Cells;
use super::scale::Scale;
use super::{Anchor, Matrix, document, path, px, rect, text, upright};
use crate::text::{fixed, number};

/// Width of a character of a name, pixels.
const NAME: f64 = 6.8;

/// How a matrix is drawn.
#[derive(Default)]
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
    /// A name per row; none for numbers.
    pub(crate) row_names: &'a [String],
    /// A name per column; none for numbers.
    pub(crate) column_names: &'a [String],
    /// Whether the numbers are written in their cells.
    pub(crate) written: bool,
}

impl Heatmap<'_> {
    pub(crate) fn draw(&self, matrix: &Matrix, description: &str) -> String {
        let (width, height, body) = self.shapes(matrix);
        document(width, height, description, &body)
    }

    /// Width, height and shapes of the matrix, for a larger drawing.
    pub(crate) fn shapes(&self, matrix: &Matrix) -> (f64, f64, String) {
        let longest = self.row_names.iter().map(|name| name.chars().count()).max();
        let named = longest.map_or(0.0, |longest| 34.0 + NAME * longest as f64);
        let (left, top, right, bottom) = (named.max(52.0), 20.0, 12.0, 44.0);
        let by = matrix.pooled_by();
        let pooled = matrix.pooled(by);
        let longest = pooled.rows.max(pooled.columns).max(1) as f64;
        let cell = self.side / longest;
        let (width, height) = (cell * pooled.columns as f64, cell * pooled.rows as f64);

        let (corner, size) = ((left, top), (width, height));
        let mut body = rect(corner, size, "fill=\"#fff\"");
        body += &format!(
            "<g transform=\"translate({} {}) scale({cell:.5})\" fill=\"none\" \
             shape-rendering=\"crispEdges\">",
            px(left),
            px(top + cell / 2.0)
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
            if level != 0 {
                body += &cells_path(&level_color(level), cells);
            }
        }
        body += &cells_path("#c9c9c9", &missing);
        body += "</g>";
        body += &rect(corner, size, "fill=\"none\" stroke=\"#555\"");
        body += &self.border(matrix, corner, cell / by as f64);
        if self.written {
            body += &self.numbers(&pooled, corner, cell);
        }
        body += &self.axes(matrix, corner, size);
        (left + width + right, top + height + bottom, body)
    }

    fn numbers(&self, matrix: &Matrix, (left, top): (f64, f64), cell: f64) -> String {
        let mut body = String::new();
        // As many decimals as the ends of the colour scale have.
        let decimals = match self.scale {
            scale if (0.01..1e3).contains(&scale) => {
                Some((2.0 - scale.log10().floor()).clamp(0.0, 3.0) as usize)
            }
            _ => None,
        };
        for (at, value) in matrix.values.iter().enumerate() {
            let (row, column) = (at / matrix.columns, at % matrix.columns);
            // Dark on light, light on dark.
            let dark = value.is_some_and(|value| level(value, self.scale).abs() > LEVELS * 5 / 8);
            body += &format!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" font-size=\"13\" fill=\"{}\">{}</text>",
                px(left + (column as f64 + 0.5) * cell),
                px(top + (row as f64 + 0.5) * cell + 4.5),
                if dark { "#fff" } else { "#1f1f1f" },
                written(*value, decimals)
            );
        }
        body
    }

    fn border(&self, matrix: &Matrix, (left, top): (f64, f64), unit: f64) -> String {
        let Some((at, first, second)) = self.border else {
            return String::new();
        };
        let data = separators(matrix, at, (left, top), unit);
        let mut body = path("class=\"border\"", &data);
        if at > 0 && at < matrix.columns {
            let (offset, width) = (at as f64 * unit, matrix.columns as f64 * unit);
            // A part too narrow for its name goes without.
            for (name, from, to) in [(first, 0.0, offset), (second, offset, width)] {
                if to - from > 7.0 * name.len() as f64 {
                    let middle = left + (from + to) / 2.0;
                    body += &text(middle, top - 7.0, Anchor::Middle, "tick", name);
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
        for (at, label) in labels(matrix.columns, width, self.column_names) {
            body += &text(
                left + at,
                top + height + 15.0,
                Anchor::Middle,
                "tick",
                &label,
            );
        }
        for (at, label) in labels(matrix.rows, height, self.row_names) {
            body += &text(left - 6.0, top + at + 4.0, Anchor::End, "tick", &label);
        }
        let (middle, below) = (left + width / 2.0, top + height + 35.0);
        body += &text(middle, below, Anchor::Middle, "axis", self.column_label);
        body + &upright(14.0, top + height / 2.0, self.row_label)
    }
}

fn written(value: Option<f64>, decimals: Option<usize>) -> String {
    match (value, decimals) {
        (Some(value), Some(decimals)) if value != 0.0 => fixed(value, decimals),
        (value, _) => number(value.unwrap_or(f64::NAN)),
    }
}

/// Labels along an axis with their places: the names, or numbers.
fn labels(units: usize, length: f64, names: &[String]) -> Vec<(f64, String)> {
    if names.is_empty() {
        return ticks(units, length);
    }
    let unit = length / units as f64;
    let place = |(at, name): (usize, &String)| ((at as f64 + 0.5) * unit, name.clone());
    names.iter().enumerate().map(place).collect()
}

/// Ticks name whole units and stand at the middle of their cell.
fn ticks(units: usize, length: f64) -> Vec<(f64, String)> {
    let half = 0.5 * length / units.max(1) as f64;
    let range = (0.0, units as f64);
    let wanted = ((length / 50.0) as usize).clamp(2, 6);
    Scale::linear(range, 0.0, length)
        .ticks(wanted)
        .into_iter()
        .filter(|tick| !tick.label.contains('.') && tick.at + half < length)
        .map(|tick| (tick.at + half, tick.label))
        .collect()
}

fn cells_path(color: &str, cells: &Cells) -> String {
    path(&format!("stroke=\"{color}\""), &cells.path(1))
}

/// Lines across a matrix before the unit `at`, as path data.
fn separators(matrix: &Matrix, at: usize, (left, top): (f64, f64), unit: f64) -> String {
    let offset = at as f64 * unit;
    let mut data = String::new();
    if at > 0 && at < matrix.rows {
        let width = px(matrix.columns as f64 * unit);
        data += &format!("M{} {}h{width}", px(left), px(top + offset));
    }
    if at > 0 && at < matrix.columns {
        let height = px(matrix.rows as f64 * unit);
        data += &format!("M{} {}v{height}", px(left + offset), px(top));
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_matrices_stay_small() {
        let map = Heatmap {
            scale: 1.0,
            side: 300.0,
            border: Some((400, "observed", "hidden")),
            row_label: "source",
            column_label: "target",
            ..Heatmap::default()
        };
        // A checkerboard cannot merge into runs.
        let matrix = Matrix::new(600, 600, |i, j| {
            Some(if (i / 4 + j / 4) % 2 == 0 { 1.0 } else { -1.0 })
        });
        let svg = map.draw(&matrix, "couplings");
        assert!(svg.len() < 250_000, "{} bytes", svg.len());
        assert_eq!(svg.matches("<path stroke=").count(), 2);
        assert_eq!(svg.matches("class=\"border\"").count(), 1);
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
            ..Heatmap::default()
        };
        let svg = map.draw(&Matrix::new(1, 1, |_, _| Some(f64::NAN)), "one");
        assert!(svg.contains("#c9c9c9") && !svg.contains("NaN"));
    }

    #[test]
    fn small_matrices_have_names_and_numbers() {
        let names = ["A", "B"].map(String::from);
        let map = Heatmap {
            scale: 1.0,
            side: 120.0,
            row_names: &names,
            column_names: &names,
            written: true,
            ..Heatmap::default()
        };
        let matrix = Matrix::new(2, 2, |i, j| (i != j).then_some(i as f64 - 0.25));
        let svg = map.draw(&matrix, "two");
        assert_eq!(svg.matches(">A</text>").count(), 2);
        for cell in ["\"#fff\">0.75<", "\"#1f1f1f\">−0.25<", "\"#1f1f1f\">–<"] {
            assert!(svg.contains(cell), "{cell}");
        }
    }
}
