//! A chart: two axes with labels, a light grid, and shapes between them.

use super::axis::{Anchor, Axis, Stroke};
use super::path::{dots, polyline};
use super::scale::{Scale, Tick};
use super::{document, fill, path, px, rect, text, upright};
use crate::text::number;

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
            grid += &format!("M{} {}H{}", px(left), px(tick.at), px(right));
            axes += &text(left - 6.0, tick.at + 4.0, Anchor::End, "tick", &tick.label);
        }
        let x_ticks = spaced_ticks(&x_scale, (right - left) / 60.0);
        for tick in &x_ticks {
            grid += &format!("M{} {}V{}", px(tick.at), px(top), px(bottom));
            axes += &text(tick.at, bottom + 15.0, Anchor::Middle, "tick", &tick.label);
        }
        axes += &text(
            (left + right) / 2.0,
            height - 7.0,
            Anchor::Middle,
            "axis",
            &x.label,
        );
        axes += &upright(13.0, (top + bottom) / 2.0, &y.label);
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
            body: path("class=\"grid\"", &grid),
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
            grid += &format!("M{} {}H{}", px(left), px(at), px(right));
            if labels_left {
                axes += &text(left - 6.0, at + 4.0, Anchor::End, "tick", &number(mark));
            }
        }
        if labels_below {
            for tick in spaced_ticks(&x_scale, width / 22.0) {
                axes += &text(tick.at, bottom + 15.0, Anchor::Middle, "tick", &tick.label);
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
            body: path("class=\"grid\"", &grid),
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
        let data: String = lines
            .into_iter()
            .map(|line| polyline(line.into_iter().map(|point| self.place(point))))
            .collect();
        self.body += &path(&stroke.attributes(), &data);
    }

    /// The area between a line and the bottom of the chart.
    pub(crate) fn area(&mut self, points: &[(f64, f64)], color: &str, opacity: f64) {
        let places: Vec<_> = points.iter().filter_map(|&p| self.place(p)).collect();
        let (Some(first), Some(last)) = (places.first(), places.last()) else {
            return;
        };
        let bottom = px(self.bottom);
        let line = polyline(places.iter().copied().map(Some));
        let line = line.trim_start_matches('M');
        let data = format!("M{} {bottom}L{line}L{} {bottom}z", px(first.0), px(last.0));
        self.body += &path(&fill(color, opacity), &data);
    }

    /// The area between the low and the high end of each (x, low, high); a missing one leaves a gap.
    pub(crate) fn ribbon(
        &mut self,
        ends: impl IntoIterator<Item = Option<(f64, f64, f64)>>,
        color: &str,
        opacity: f64,
    ) {
        let (mut upper, mut lower, mut data) = (Vec::new(), Vec::new(), String::new());
        for end in ends.into_iter().chain([None]) {
            let places = end
                .and_then(|(x, low, high)| Some((self.place((x, low))?, self.place((x, high))?)));
            if let Some((low, high)) = places {
                lower.push(low);
                upper.push(high);
            } else if !upper.is_empty() {
                let back = std::mem::take(&mut lower).into_iter().rev();
                let around = std::mem::take(&mut upper).into_iter().chain(back);
                data += &polygon(around);
            }
        }
        self.body += &path(&fill(color, opacity), &data);
    }

    /// A horizontal band between two values.
    pub(crate) fn band(&mut self, low: f64, high: f64, color: &str, opacity: f64) {
        if let (Some(low), Some(high)) = (self.y.map(low), self.y.map(high)) {
            let size = (self.right - self.left, (low - high).max(1.0));
            self.body += &rect((self.left, high), size, &fill(color, opacity));
        }
    }

    pub(crate) fn horizontal(&mut self, y: f64, stroke: Stroke) {
        if let Some(y) = self.y.map(y) {
            let data = format!("M{} {}H{}", px(self.left), px(y), px(self.right));
            self.body += &path(&stroke.attributes(), &data);
        }
    }

    pub(crate) fn verticals(&mut self, at: impl IntoIterator<Item = f64>, stroke: Stroke) {
        let (top, bottom) = (px(self.top), px(self.bottom));
        let data: String = at
            .into_iter()
            .filter_map(|x| self.x.map(x))
            .map(|x| format!("M{} {top}V{bottom}", px(x)))
            .collect();
        self.body += &path(&stroke.attributes(), &data);
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
            let data = format!("M{} {}l6 6-6 6-6-6z", px(x), px(y - 6.0));
            let look = format!("fill=\"#fff\" stroke=\"{color}\" stroke-width=\"2\"");
            self.body += &path(&look, &data);
        }
    }

    /// Text at a pixel, with a white rim so that it reads on top of lines.
    pub(crate) fn text(&mut self, x: f64, y: f64, anchor: Anchor, words: &str) {
        self.body += &text(x, y, anchor, "label", words);
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
        let (left, top) = (px(self.left), px(self.top));
        let frame = format!("M{left} {top}V{}H{}", px(self.bottom), px(self.right));
        self.body + &path("class=\"frame\"", &frame) + &self.axes
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
