//! Matrices as heat maps on a diverging scale.

use super::color::{LEVELS, level, level_color};
use super::path::Cells;
use super::scale::Scale;
use super::{Matrix, coordinate, document};
use crate::text::{escape, fixed, number};

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
    /// First units of all groups but the first: thin lines.
    pub(crate) groups: &'a [usize],
    /// A name per row, or per group of rows; none for numbers.
    pub(crate) row_names: &'a [String],
    /// A name per column, or per group of columns; none for numbers.
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
        body += &self.group_lines(matrix, (left, top), cell / by as f64);
        if self.written {
            body += &self.numbers(&pooled, (left, top), cell);
        }
        body += &self.axes(matrix, (left, top), (width, height));
        (left + width + right, top + height + bottom, body)
    }

    fn group_lines(&self, matrix: &Matrix, (left, top): (f64, f64), unit: f64) -> String {
        let (width, height) = (matrix.columns as f64 * unit, matrix.rows as f64 * unit);
        let mut path = String::new();
        for &at in self.groups {
            let offset = at as f64 * unit;
            if at > 0 && at < matrix.rows {
                path += &format!(
                    "M{} {}h{}",
                    coordinate(left),
                    coordinate(top + offset),
                    coordinate(width)
                );
            }
            if at > 0 && at < matrix.columns {
                path += &format!(
                    "M{} {}v{}",
                    coordinate(left + offset),
                    coordinate(top),
                    coordinate(height)
                );
            }
        }
        if path.is_empty() {
            return path;
        }
        format!("<path fill=\"none\" stroke=\"#333\" stroke-width=\"0.8\" d=\"{path}\"/>")
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
                coordinate(left + (column as f64 + 0.5) * cell),
                coordinate(top + (row as f64 + 0.5) * cell + 4.5),
                if dark { "#fff" } else { "#1f1f1f" },
                written(*value, decimals)
            );
        }
        body
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

    /// Labels along an axis with their places. A part too narrow for its name goes without.
    fn labels(
        &self,
        units: usize,
        length: f64,
        names: &[String],
        across: bool,
    ) -> Vec<(f64, String)> {
        if names.is_empty() {
            return ticks(units, length);
        }
        let ends: Vec<usize> = if names.len() == units {
            (0..=units).collect()
        } else {
            let groups = self.groups.iter().copied();
            std::iter::once(0).chain(groups).chain([units]).collect()
        };
        let unit = length / units.max(1) as f64;
        ends.windows(2)
            .zip(names)
            .map(|(ends, name)| (ends[0] as f64 * unit, ends[1] as f64 * unit, name))
            .filter(|(from, to, name)| {
                let room = if across {
                    NAME * name.chars().count() as f64
                } else {
                    12.0
                };
                to - from >= room
            })
            .map(|(from, to, name)| ((from + to) / 2.0, escape(name)))
            .collect()
    }

    fn axes(
        &self,
        matrix: &Matrix,
        (left, top): (f64, f64),
        (width, height): (f64, f64),
    ) -> String {
        let mut body = String::new();
        for (at, label) in self.labels(matrix.columns, width, self.column_names, true) {
            body += &format!(
                "<text x=\"{}\" y=\"{}\" text-anchor=\"middle\" class=\"tick\">{label}</text>",
                coordinate(left + at),
                coordinate(top + height + 15.0)
            );
        }
        for (at, label) in self.labels(matrix.rows, height, self.row_names, false) {
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

fn written(value: Option<f64>, decimals: Option<usize>) -> String {
    match (value, decimals) {
        (Some(value), Some(decimals)) if value != 0.0 => fixed(value, decimals),
        (value, _) => number(value.unwrap_or(f64::NAN)),
    }
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

fn path(color: &str, cells: &Cells) -> String {
    format!("<path stroke=\"{color}\" d=\"{}\"/>", cells.path(1))
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
        // Names of groups stand at their middle; a name without room is left out.
        let long = ["A".into(), "a very long name".into()];
        let map = Heatmap {
            groups: &[6],
            column_names: &long,
            written: false,
            ..map
        };
        let svg = map.draw(&Matrix::new(8, 8, |_, _| Some(0.0)), "eight");
        assert!(svg.contains(">A</text>") && !svg.contains("very"));
        assert_eq!(svg.matches("stroke-width=\"0.8\"").count(), 1);
    }
}
