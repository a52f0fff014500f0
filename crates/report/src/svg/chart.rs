//! A chart: two axes with labels, a light grid, and shapes between them.

use super::axis::{Anchor, Axis, Stroke};
use super::path::{dots, polyline};
use super::scale::{Scale, Tick};
use super::{coordinate, document};
use crate::text::{escape, number};

/// Width of a character of a tick label, pixels.
const CHARACTER: f64 = 6.6;

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
        Self::framed((width, height), (left, top), x, (y, y_scale, y_ticks))
    }

    /// A chart whose rows are the whole numbers from zero, the first on top, without labels: there
    /// is room for them left of `left`, and above `top`.
    pub(crate) fn rows(
        (width, height): (f64, f64),
        (left, top): (f64, f64),
        x: &Axis,
        rows: usize,
    ) -> Self {
        let y = Axis::bare("");
        let scale = Scale::linear((-0.5, rows as f64 - 0.5), top, height - 42.0);
        Self::framed((width, height), (left, top), x, (&y, scale, Vec::new()))
    }

    fn framed(
        (width, height): (f64, f64),
        (left, top): (f64, f64),
        x: &Axis,
        (y, y_scale, y_ticks): (&Axis, Scale, Vec<Tick>),
    ) -> Self {
        let (right, bottom) = (width - 14.0, height - 42.0);
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

    /// The area between the low and the high end of each (x, low, high); a missing one leaves a gap.
    pub(crate) fn ribbon(
        &mut self,
        ends: impl IntoIterator<Item = Option<(f64, f64, f64)>>,
        color: &str,
        opacity: f64,
    ) {
        let (mut upper, mut lower, mut path) = (Vec::new(), Vec::new(), String::new());
        for end in ends.into_iter().chain([None]) {
            let places = end
                .and_then(|(x, low, high)| Some((self.place((x, low))?, self.place((x, high))?)));
            if let Some((low, high)) = places {
                lower.push(low);
                upper.push(high);
            } else if !upper.is_empty() {
                let back = std::mem::take(&mut lower).into_iter().rev();
                let around = std::mem::take(&mut upper).into_iter().chain(back);
                path += &polygon(around);
            }
        }
        if !path.is_empty() {
            self.body +=
                &format!("<path fill=\"{color}\" fill-opacity=\"{opacity}\" d=\"{path}\"/>");
        }
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

    /// Width and height, pixels.
    pub(crate) fn size(&self) -> (f64, f64) {
        (self.width, self.height)
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
fn spaced_ticks(scale: &Scale, wanted: f64) -> Vec<Tick> {
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

fn polygon(places: impl Iterator<Item = (f64, f64)>) -> String {
    polyline(places.map(Some)) + "z"
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
