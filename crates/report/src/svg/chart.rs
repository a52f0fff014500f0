//! A chart: two axes with labels, a light grid, and shapes between them.

use super::path::{dots, polyline};
use super::scale::Scale;
use super::{coordinate, document};
use crate::text::{escape, number};

/// Width of a character of a tick label, pixels.
const CHARACTER: f64 = 6.6;

/// One axis.
#[derive(Clone)]
pub(crate) struct Axis {
    pub(crate) low: f64,
    pub(crate) high: f64,
    /// Logarithmic; `low` must then be positive.
    pub(crate) log: bool,
    /// A place for zero below the logarithmic range.
    pub(crate) zero: bool,
    /// Ticks, their labels and grid lines.
    pub(crate) ticks: bool,
    pub(crate) label: String,
}

impl Axis {
    pub(crate) fn linear((low, high): (f64, f64), label: impl Into<String>) -> Self {
        Self {
            low,
            high,
            log: false,
            zero: false,
            ticks: true,
            label: label.into(),
        }
    }

    /// An axis with a label but no ticks.
    pub(crate) fn bare(label: impl Into<String>) -> Self {
        Self {
            ticks: false,
            ..Self::linear((0.0, 1.0), label)
        }
    }

    pub(crate) fn log((low, high): (f64, f64), zero: bool, label: impl Into<String>) -> Self {
        Self {
            low,
            high,
            log: true,
            zero,
            ticks: true,
            label: label.into(),
        }
    }

    fn scale(&self, from: f64, to: f64) -> Scale {
        if self.log {
            Scale::log((self.low, self.high), from, to, self.zero)
        } else {
            Scale::linear((self.low, self.high), from, to)
        }
    }
}

/// How a line looks.
#[derive(Clone, Copy)]
pub(crate) struct Stroke {
    pub(crate) color: &'static str,
    pub(crate) width: f64,
    pub(crate) opacity: f64,
    pub(crate) dash: &'static str,
}

impl Stroke {
    pub(crate) fn solid(color: &'static str, width: f64) -> Self {
        Self {
            color,
            width,
            opacity: 1.0,
            dash: "",
        }
    }

    fn attributes(&self) -> String {
        let mut text = format!(
            "fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"",
            self.color, self.width
        );
        if self.opacity < 1.0 {
            text += &format!(" stroke-opacity=\"{}\"", self.opacity);
        }
        if !self.dash.is_empty() {
            text += &format!(" stroke-dasharray=\"{}\"", self.dash);
        }
        text
    }
}

/// Which end of a text its position names.
#[derive(Clone, Copy)]
pub(crate) enum Anchor {
    Start,
    Middle,
    End,
}

pub(crate) struct Chart {
    pub(crate) x: Scale,
    pub(crate) y: Scale,
    pub(crate) left: f64,
    pub(crate) right: f64,
    pub(crate) top: f64,
    pub(crate) bottom: f64,
    width: f64,
    height: f64,
    axes: String,
    body: String,
}

impl Chart {
    pub(crate) fn new(width: f64, height: f64, x: &Axis, y: &Axis) -> Self {
        let (top, bottom) = (10.0, height - 42.0);
        let y_scale = y.scale(bottom, top);
        let y_ticks = if y.ticks {
            y_scale.ticks(((bottom - top) / 34.0) as usize)
        } else {
            Vec::new()
        };
        let widest = y_ticks.iter().map(|t| t.label.chars().count()).max();
        let left = 32.0 + CHARACTER * widest.unwrap_or(0).max(3) as f64;
        let right = width - 14.0;
        let x_scale = x.scale(left, right);
        let mut axes = String::new();
        let mut grid = String::new();
        for tick in &y_ticks {
            grid += &format!(
                "M{} {}H{}",
                coordinate(left),
                coordinate(tick.at),
                coordinate(right)
            );
            axes += &label(left - 6.0, tick.at + 4.0, Anchor::End, "tick", &tick.label);
        }
        let x_ticks = spaced_ticks(&x_scale, (right - left) / 60.0);
        for tick in &x_ticks {
            grid += &format!(
                "M{} {}V{}",
                coordinate(tick.at),
                coordinate(top),
                coordinate(bottom)
            );
            axes += &label(tick.at, bottom + 15.0, Anchor::Middle, "tick", &tick.label);
        }
        axes += &label(
            (left + right) / 2.0,
            height - 7.0,
            Anchor::Middle,
            "axis",
            &x.label,
        );
        axes += &format!(
            "<text transform=\"translate(13 {}) rotate(-90)\" text-anchor=\"middle\" \
             class=\"axis\">{}</text>",
            coordinate((top + bottom) / 2.0),
            escape(&y.label)
        );
        Self {
            x: x_scale,
            y: y_scale,
            left,
            right,
            top,
            bottom,
            width,
            height,
            axes,
            body: format!("<path class=\"grid\" d=\"{grid}\"/>"),
        }
    }

    /// A chart without axis labels at (left, top, width, height) of a larger drawing, with grid
    /// lines at the values `marks`; labels only where asked for (left, below).
    pub(crate) fn small(
        (left, top, width, height): (f64, f64, f64, f64),
        x: &Axis,
        y: &Axis,
        marks: &[f64],
        (labels_left, labels_below): (bool, bool),
    ) -> Self {
        let (right, bottom) = (left + width, top + height);
        let (x_scale, y_scale) = (x.scale(left, right), y.scale(bottom, top));
        let (mut axes, mut grid) = (String::new(), String::new());
        for (at, mark) in marks.iter().filter_map(|&m| Some((y_scale.map(m)?, m))) {
            grid += &format!(
                "M{} {}H{}",
                coordinate(left),
                coordinate(at),
                coordinate(right)
            );
            if labels_left {
                axes += &label(left - 6.0, at + 4.0, Anchor::End, "tick", &number(mark));
            }
        }
        if labels_below {
            for tick in spaced_ticks(&x_scale, width / 22.0) {
                axes += &label(tick.at, bottom + 15.0, Anchor::Middle, "tick", &tick.label);
            }
        }
        Self {
            x: x_scale,
            y: y_scale,
            left,
            right,
            top,
            bottom,
            width,
            height,
            axes,
            body: format!("<path class=\"grid\" d=\"{grid}\"/>"),
        }
    }

    pub(crate) fn place(&self, (x, y): (f64, f64)) -> Option<(f64, f64)> {
        Some((self.x.map(x)?, self.y.map(y)?))
    }

    /// A line through points; a missing or undrawable one leaves a gap.
    pub(crate) fn line(&mut self, points: impl IntoIterator<Item = (f64, f64)>, stroke: Stroke) {
        self.lines([points], stroke);
    }

    /// Several lines of one look, as one path.
    pub(crate) fn lines<L>(&mut self, lines: impl IntoIterator<Item = L>, stroke: Stroke)
    where
        L: IntoIterator<Item = (f64, f64)>,
    {
        let path: String = lines
            .into_iter()
            .map(|line| polyline(line.into_iter().map(|point| self.place(point))))
            .collect();
        if !path.is_empty() {
            self.body += &format!("<path {} d=\"{path}\"/>", stroke.attributes());
        }
    }

    /// The area between a line and the bottom of the chart.
    pub(crate) fn area(&mut self, points: &[(f64, f64)], color: &str, opacity: f64) {
        let places: Vec<_> = points.iter().filter_map(|&p| self.place(p)).collect();
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            return;
        };
        let bottom = coordinate(self.bottom);
        self.body += &format!(
            "<path fill=\"{color}\" fill-opacity=\"{opacity}\" d=\"M{} {bottom}L{}L{} {bottom}z\"/>",
            coordinate(first.0),
            polyline(places.iter().copied().map(Some)).trim_start_matches('M'),
            coordinate(last.0),
        );
    }

    /// A horizontal band between two values.
    pub(crate) fn band(&mut self, low: f64, high: f64, color: &str, opacity: f64) {
        if let (Some(low), Some(high)) = (self.y.map(low), self.y.map(high)) {
            self.body += &format!(
                "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" fill=\"{color}\" \
                 fill-opacity=\"{opacity}\"/>",
                coordinate(self.left),
                coordinate(high),
                coordinate(self.right - self.left),
                coordinate((low - high).max(1.0))
            );
        }
    }

    pub(crate) fn horizontal(&mut self, y: f64, stroke: Stroke) {
        if let Some(y) = self.y.map(y) {
            self.body += &format!(
                "<path {} d=\"M{} {}H{}\"/>",
                stroke.attributes(),
                coordinate(self.left),
                coordinate(y),
                coordinate(self.right)
            );
        }
    }

    pub(crate) fn verticals(&mut self, at: impl IntoIterator<Item = f64>, stroke: Stroke) {
        let path: String = at
            .into_iter()
            .filter_map(|x| self.x.map(x))
            .map(|x| {
                format!(
                    "M{} {}V{}",
                    coordinate(x),
                    coordinate(self.top),
                    coordinate(self.bottom)
                )
            })
            .collect();
        if !path.is_empty() {
            self.body += &format!("<path {} d=\"{path}\"/>", stroke.attributes());
        }
    }

    pub(crate) fn dots(
        &mut self,
        points: impl IntoIterator<Item = (f64, f64)>,
        radius: f64,
        color: &str,
    ) {
        let places: Vec<_> = points.into_iter().filter_map(|p| self.place(p)).collect();
        self.body += &dots(&places, radius, color);
    }

    /// A diamond that marks one point.
    pub(crate) fn diamond(&mut self, point: (f64, f64), color: &str) {
        if let Some((x, y)) = self.place(point) {
            self.body += &format!(
                "<path d=\"M{} {}l6 6-6 6-6-6z\" fill=\"#fff\" stroke=\"{color}\" \
                 stroke-width=\"2\"/>",
                coordinate(x),
                coordinate(y - 6.0)
            );
        }
    }

    /// Text at a pixel, with a white rim so that it reads on top of lines.
    pub(crate) fn text(&mut self, x: f64, y: f64, anchor: Anchor, text: &str) {
        self.body += &label(x, y, anchor, "label", text);
    }

    /// Shapes in pixels.
    pub(crate) fn raw(&mut self, shapes: &str) {
        self.body += shapes;
    }

    /// The chart as shapes of a larger drawing.
    pub(crate) fn shapes(self) -> String {
        let frame = format!(
            "<path class=\"frame\" d=\"M{} {}V{}H{}\"/>",
            coordinate(self.left),
            coordinate(self.top),
            coordinate(self.bottom),
            coordinate(self.right)
        );
        format!("{}{frame}{}", self.body, self.axes)
    }

    /// The chart as an element of its own.
    pub(crate) fn finish(self, description: &str) -> String {
        let (width, height) = (self.width, self.height);
        document(width, height, description, &self.shapes())
    }
}

/// As many ticks as fit without their labels touching.
fn spaced_ticks(scale: &Scale, wanted: f64) -> Vec<super::scale::Tick> {
    let mut wanted = (wanted as usize).clamp(2, 10);
    loop {
        let ticks = scale.ticks(wanted);
        let fits = ticks.windows(2).all(|pair| {
            let characters = pair[0].label.chars().count() + pair[1].label.chars().count();
            (pair[1].at - pair[0].at).abs() > characters as f64 / 2.0 * CHARACTER + 8.0
        });
        if fits || wanted <= 2 {
            return ticks;
        }
        wanted -= 1;
    }
}

fn label(x: f64, y: f64, anchor: Anchor, class: &str, text: &str) -> String {
    let anchor = match anchor {
        Anchor::Start => "start",
        Anchor::Middle => "middle",
        Anchor::End => "end",
    };
    format!(
        "<text x=\"{}\" y=\"{}\" text-anchor=\"{anchor}\" class=\"{class}\">{}</text>",
        coordinate(x),
        coordinate(y),
        escape(text)
    )
}
