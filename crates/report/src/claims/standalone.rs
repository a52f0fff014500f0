//! A plot as a file of its own.

use super::data::Plot;
use super::figure::{description, keys};
use super::plot::{chart, left_out};
use crate::page::CHART_STYLE;
use crate::sections::Key;
use crate::svg::coordinate;
use crate::text::escape;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 340.0;
/// Left end of title and legend.
const LEFT: f64 = 12.0;
const ROW: f64 = 20.0;
/// Width of a character of the legend, pixels; rather too wide than too narrow.
const CHARACTER: f64 = 7.0;

impl Plot {
    /// The plot with title and legend as one SVG document, for an `.svg` file: no network, no
    /// script, no fonts; the same plot gives the same bytes.
    pub fn to_svg(&self) -> String {
        let mut head = String::new();
        let mut y = 0.0;
        let text = |x: f64, y: f64, style: &str, text: &str| {
            format!(
                "<text x=\"{}\" y=\"{}\" class=\"axis\"{style}>{}</text>",
                coordinate(x),
                coordinate(y),
                escape(text)
            )
        };
        if !self.title.is_empty() {
            y += 24.0;
            head += &text(LEFT, y, " font-weight=\"650\"", &self.title);
        }
        let keys = keys(&self.series);
        let mut x = WIDTH;
        for key in &keys {
            let width = Key::WIDTH + 6.0 + CHARACTER * key.text().chars().count() as f64;
            if x + width > WIDTH - LEFT {
                (x, y) = (LEFT, y + ROW);
            }
            head += &format!(
                "<g transform=\"translate({} {})\">{}</g>",
                coordinate(x),
                coordinate(y - 11.0),
                key.shape()
            );
            head += &text(x + Key::WIDTH + 6.0, y, "", key.text());
            x += width + 20.0;
        }
        let top = y + 8.0;
        let body = match chart(self, WIDTH, HEIGHT) {
            Some(chart) => format!(
                "<g transform=\"translate(0 {})\">{}</g>",
                coordinate(top),
                chart.shapes()
            ),
            None => text(LEFT, top + ROW, "", "There is no point to show."),
        };
        let mut height = top + HEIGHT;
        let mut foot = String::new();
        if let Some(note) = left_out(self) {
            height += ROW;
            foot = text(LEFT, height - 6.0, "", &note);
        }
        let (w, h) = (coordinate(WIDTH), coordinate(height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {w} {h}\" width=\"{w}\" \
             height=\"{h}\" role=\"img\" aria-label=\"{}\">\n<style>\n{CHART_STYLE}</style>\n\
             <rect width=\"{w}\" height=\"{h}\" fill=\"#fff\"/>\n{head}{body}{foot}</svg>\n",
            escape(&description(self))
        )
    }
}
