//! Plots and figures as files of their own.

use super::FigureView;
use super::drawing::{Colors, Grid, Shapes, legend};
use super::view::NO_VALUE;
use crate::page::CHART_STYLE;
use crate::sections::Key;
use crate::svg::{color_bar_shapes, px};
use crate::text::{escape, wrapped};
use crate::{ReportError, check};

const WIDTH: f64 = 560.0;
/// Left end of title and legend.
const LEFT: f64 = 12.0;
const ROW: f64 = 20.0;
/// Width of a character of the legend, pixels; rather too wide than too narrow.
const CHARACTER: f64 = 7.0;
/// The same of a title, which is bold.
const BOLD: f64 = 7.6;
/// Between panels.
const GAP: f64 = 14.0;

impl FigureView {
    /// The whole figure (title, legend, colour bar, panels) as one SVG document, for an `.svg`
    /// file; its caption is left to the text around it. No network, no script, no fonts; the same
    /// figure gives the same bytes.
    ///
    /// # Errors
    /// [`ReportError::Length`] and [`ReportError::OutOfRange`] where the parts of a panel do not
    /// fit, e.g. the values of a matrix and its size. Empty parts and numbers that are not finite
    /// are no errors.
    pub fn to_svg(&self) -> Result<String, ReportError> {
        check::figure(self)?;
        let (grid, colors) = (Grid::new(self), Colors::new(self));
        let drawings: Vec<_> = self
            .panels
            .iter()
            .map(|panel| panel.draw(grid, colors.as_ref()))
            .collect();
        let size = |shapes: &Option<Shapes>| {
            shapes
                .as_ref()
                .map_or((grid.width, ROW), |s| (s.width, s.height))
        };
        let widest = drawings.iter().map(|drawing| size(&drawing.shapes).0);
        let cell = widest.fold(0.0, f64::max);
        let columns = grid.columns as f64;
        let width = (columns * cell + (columns - 1.0) * GAP).max(WIDTH);
        let (mut y, mut body) = (0.0, String::new());
        if !self.title.is_empty() {
            y += 4.0;
            for line in wrapped(&self.title, (width / 8.8) as usize) {
                y += ROW;
                body += &text(
                    LEFT,
                    y,
                    " font-weight=\"650\" style=\"font-size:15px\"",
                    &line,
                );
            }
            y += 4.0;
        }
        body += &legend_rows(&legend(self), width, &mut y);
        y += 10.0;
        if let Some(colors) = colors {
            let gaps = colors.gaps.then_some(NO_VALUE);
            let (_, height, bar) = color_bar_shapes(colors.scale, &self.scale_label, gaps);
            body += &placed(LEFT, y, &bar);
            y += height + 6.0;
        }
        for row in drawings.chunks(grid.columns) {
            let titles: Vec<Vec<String>> = row
                .iter()
                .map(|drawing| wrapped(drawing.title, (cell / BOLD) as usize))
                .collect();
            let lines = titles.iter().map(Vec::len).max().unwrap_or(0);
            let bottom = row
                .iter()
                .map(|drawing| size(&drawing.shapes).1)
                .fold(0.0, f64::max);
            let top = y + 6.0 + ROW * lines as f64;
            let mut end = top + bottom;
            for (column, (drawing, title)) in row.iter().zip(&titles).enumerate() {
                let x = column as f64 * (cell + GAP);
                // Panels of different height stand on one line, their titles on top of them.
                let start = top + bottom - size(&drawing.shapes).1;
                let first = start - 4.0 - ROW * (title.len() as f64 - 1.0);
                for (index, line) in title.iter().enumerate() {
                    let style = format!(" font-weight=\"650\" style=\"fill:{}\"", drawing.color);
                    body += &text(x + LEFT, first + ROW * index as f64, &style, line);
                }
                if let Some(shapes) = &drawing.shapes {
                    body += &placed(x, start, &shapes.body);
                }
                let mut at = if drawing.shapes.is_some() {
                    top + bottom
                } else {
                    start
                };
                for note in &drawing.notes {
                    for line in wrapped(note, (cell / CHARACTER) as usize) {
                        at += ROW;
                        body += &text(x + LEFT, at, "", &line);
                    }
                }
                end = end.max(at + 4.0);
            }
            y = end + 8.0;
        }
        if drawings.is_empty() {
            y += ROW;
            body += &text(LEFT, y, "", "This figure has no plot.");
        }
        let said: Vec<&str> = std::iter::once(self.title.as_str())
            .chain(
                drawings
                    .iter()
                    .filter_map(|d| Some(d.shapes.as_ref()?.description.as_str())),
            )
            .filter(|words| !words.is_empty())
            .collect();
        Ok(file(width, y + 8.0, &said.join(". "), &body))
    }
}

fn text(x: f64, y: f64, style: &str, text: &str) -> String {
    format!(
        "<text x=\"{}\" y=\"{}\" class=\"axis\"{style}>{}</text>",
        px(x),
        px(y),
        escape(text)
    )
}

fn placed(x: f64, y: f64, shapes: &str) -> String {
    format!(
        "<g transform=\"translate({} {})\">{shapes}</g>",
        px(x),
        px(y)
    )
}

/// The legend below `y`, which moves to its last row.
fn legend_rows(keys: &[Key<'_>], width: f64, y: &mut f64) -> String {
    let mut rows = String::new();
    let mut x = width;
    for key in keys {
        let wide = Key::WIDTH + 6.0 + CHARACTER * key.text.chars().count() as f64;
        if x + wide > width - LEFT {
            (x, *y) = (LEFT, *y + ROW);
        }
        rows += &placed(x, *y - 11.0, &key.shape);
        rows += &text(x + Key::WIDTH + 6.0, *y, "", key.text);
        x += wide + 20.0;
    }
    rows
}

fn file(width: f64, height: f64, description: &str, body: &str) -> String {
    let (w, h) = (px(width), px(height));
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
         height=\"{h}\" role=\"img\" aria-label=\"{}\">\n<style>\n{CHART_STYLE}</style>\n\
         <rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n{body}</svg>\n",
        escape(description)
    )
}
