//! One plot: ranges from the numbers, lines, error bars, marks, and labels where there is room.

use super::{Plot, PlotAxis, PlotPoint, Reference, Role, Series};
use crate::svg::{
    Anchor, Axis, Chart, DATA, Stroke, extent, padded, path, positive_extent, px, stroked,
};

/// Width of a character of a label, pixels.
const CHARACTER: f64 = 6.4;
/// More points than this are a cloud, which shows its density rather than its marks.
const CLOUD: usize = 300;
/// More points than this, joined by a line, have no marks.
const MOST_MARKS: usize = 60;
/// Opacity of a band.
pub(crate) const BAND: f64 = 0.22;
/// A logarithmic axis reaches at most this factor below its points for the sake of error bars: a
/// bar that ends just above zero would otherwise fill the plot.
const BELOW: f64 = 10.0;

/// The plot as a chart to finish; nothing where no point can be drawn.
pub(crate) fn chart(plot: &Plot, width: f64, height: f64) -> Option<Chart> {
    let points = || {
        plot.series
            .iter()
            .flat_map(|series| &series.points)
            .filter(|point| is_drawable(plot, point))
    };
    let x = extent(points().map(|point| point.x))?;
    let lowest = extent(points().map(|point| point.y))?.0;
    let floor = if plot.y.log {
        lowest / BELOW
    } else {
        f64::NEG_INFINITY
    };
    let ends = points()
        .filter(|point| has_bar(point))
        .flat_map(|point| [point.low.max(floor), point.high]);
    let values = || {
        let references = plot.horizontal.iter().map(|reference| reference.y);
        points().map(|point| point.y).chain(references)
    };
    let y = values().chain(ends);
    let y = if plot.y.log {
        positive_extent(y)
    } else {
        extent(y)
    };
    // A label needs a row of its own above or below the outermost line.
    let room = if plot.horizontal.is_none() {
        0.06
    } else {
        0.11
    };
    let (x, y) = (axis(&plot.x, x, 0.04), axis(&plot.y, y?, room));
    let mut chart = Chart::new(width, height, &x, &y);
    if let Some(reference) = shown_reference(plot) {
        chart.horizontal(reference.y, Stroke::dashed(DATA, 1.2));
    }
    // Areas lie below lines, and what one compares with below what is compared, whatever the order.
    let mut order: Vec<&Series> = plot.series.iter().collect();
    order.sort_by_key(|series| (!series.band, series.role != Role::Reference));
    let mut taken = Vec::new();
    for series in order {
        draw(plot, series, &mut chart, &mut taken);
    }
    label(plot, &mut chart, &taken);
    Some(chart)
}

/// A sentence on the points that a logarithmic axis cannot show.
pub(crate) fn left_out(plot: &Plot) -> Option<String> {
    let beyond = |axis: &PlotAxis, value: f64| axis.log && value <= 0.0;
    let points = plot.series.iter().flat_map(|series| &series.points);
    let count = points
        .filter(|point| beyond(&plot.x, point.x) || beyond(&plot.y, point.y))
        .count();
    match count {
        0 => None,
        1 => Some("1 point at or below zero has no place on a logarithmic axis.".into()),
        n => Some(format!(
            "{n} points at or below zero have no place on a logarithmic axis."
        )),
    }
}

/// Whether a series is a line alone: marks on a line through many points would hide it.
pub(crate) fn is_bare_line(series: &Series) -> bool {
    series.joined && (series.role == Role::Reference || series.points.len() > MOST_MARKS)
}

pub(crate) fn axis(axis: &PlotAxis, (low, high): (f64, f64), share: f64) -> Axis {
    if axis.log {
        let room = match high / low {
            ratio if ratio > 1.0 + 1e-9 => ratio.powf(share).max(1.02),
            _ => 1.5,
        };
        Axis::log((low / room, high * room), false, &axis.label)
    } else {
        Axis::linear(padded((low, high), share), &axis.label)
    }
}

/// Whether a value has a place on an axis; too large ones are as good as missing.
pub(crate) fn on_axis(axis: &PlotAxis, value: f64) -> bool {
    if axis.log {
        positive_extent([value]).is_some() && extent([value]).is_some()
    } else {
        extent([value]).is_some()
    }
}

fn is_drawable(plot: &Plot, point: &PlotPoint) -> bool {
    on_axis(&plot.x, point.x) && on_axis(&plot.y, point.y)
}

fn has_bar(point: &PlotPoint) -> bool {
    point.low < point.high && extent([point.low]).is_some() && extent([point.high]).is_some()
}

/// Draws a series and notes the pixels it takes.
fn draw(plot: &Plot, series: &Series, chart: &mut Chart, taken: &mut Vec<(f64, f64)>) {
    let color = series.role.color();
    let gaps = || {
        series.points.iter().map(|point| {
            if is_drawable(plot, point) {
                (point.x, point.y)
            } else {
                (f64::NAN, f64::NAN)
            }
        })
    };
    let drawable = || {
        series
            .points
            .iter()
            .filter(|point| is_drawable(plot, point))
    };
    if series.band {
        let ends = series.points.iter().map(|point| {
            let drawn = is_drawable(plot, point) && has_bar(point);
            drawn.then_some((point.x, point.low, point.high))
        });
        chart.ribbon(ends, color, BAND);
    }
    let bars: String = drawable()
        .filter(|point| !series.band && has_bar(point))
        .filter_map(|point| bar(chart, point, taken))
        .collect();
    chart.raw(&path(&stroked(color, 1.3), &bars));
    if series.joined {
        let stroke = match series.role {
            Role::Reference => Stroke::dashed(DATA, 1.5),
            _ => Stroke::solid(color, 1.6),
        };
        chart.line(gaps(), stroke);
        let places: Vec<_> = gaps().map(|point| chart.place(point)).collect();
        for pair in places.windows(2) {
            if let [Some(from), Some(to)] = *pair {
                taken.extend(along(from, to));
            }
        }
    }
    let places: Vec<_> = drawable()
        .filter_map(|point| chart.place((point.x, point.y)))
        .collect();
    taken.extend(&places);
    if series.band || (series.joined && places.len() > MOST_MARKS) {
        return;
    }
    if places.len() > CLOUD {
        chart.dots(gaps(), 2.2, color);
    } else if !is_bare_line(series) || places.len() == 1 {
        chart.raw(&series.role.mark().at(&places));
    }
}

/// An error bar as path data. An end beyond the axis has no cap: the bar runs out of the plot.
fn bar(chart: &Chart, point: &PlotPoint, taken: &mut Vec<(f64, f64)>) -> Option<String> {
    let x = chart.x.map(point.x)?;
    let (low, high) = (chart.y.map(point.low)?, chart.y.map(point.high)?);
    let cap = |value: f64, y: f64| {
        if chart.y.outside(value) {
            String::new()
        } else {
            format!("M{} {}h6", px(x - 3.0), px(y))
        }
    };
    taken.extend(along((x, low), (x, high)));
    let line = format!("M{} {}V{}", px(x), px(low), px(high));
    Some(line + &cap(point.low, low) + &cap(point.high, high))
}

/// Pixels along a line, close enough that no text fits between them.
fn along(from: (f64, f64), to: (f64, f64)) -> impl Iterator<Item = (f64, f64)> {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let steps = (dx.hypot(dy) / 5.0).ceil().clamp(1.0, 500.0) as usize;
    (0..=steps).map(move |i| {
        let share = i as f64 / steps as f64;
        (from.0 + share * dx, from.1 + share * dy)
    })
}

/// Writes the label of the reference at the end, the start or the middle of its line, above or
/// below, where it covers least.
fn label(plot: &Plot, chart: &mut Chart, taken: &[(f64, f64)]) {
    let Some(reference) = shown_reference(plot).filter(|r| !r.label.is_empty()) else {
        return;
    };
    let Some(line) = chart.y.map(reference.y) else {
        return;
    };
    let width = CHARACTER * reference.label.chars().count() as f64;
    let (left, right) = (chart.left + 6.0, chart.right - 6.0);
    let middle = (left + right) / 2.0;
    let places = [line - 5.0, line + 14.0].into_iter().flat_map(|y| {
        [
            (right, y, Anchor::End, right - width),
            (left, y, Anchor::Start, left),
            (middle, y, Anchor::Middle, middle - width / 2.0),
        ]
    });
    // The first of equals.
    let best = places.min_by_key(|&(_, y, _, start)| {
        let (top, bottom) = (y - 11.0, y + 3.0);
        let inside = |&&(px, py): &&(f64, f64)| {
            px > start - 4.0 && px < start + width + 4.0 && py > top && py < bottom
        };
        let beyond = usize::from(top < chart.top) + usize::from(bottom > chart.bottom);
        taken.iter().filter(inside).count() + 20 * beyond
    });
    if let Some((x, y, anchor, _)) = best {
        chart.text(x, y, anchor, &reference.label);
    }
}

fn shown_reference(plot: &Plot) -> Option<&Reference> {
    let reference = plot.horizontal.as_ref();
    reference.filter(|reference| on_axis(&plot.y, reference.y))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plot(log: bool, points: Vec<PlotPoint>) -> Plot {
        let axis = |label: &str| PlotAxis {
            label: label.into(),
            log,
        };
        Plot {
            x: axis("x"),
            y: axis("y"),
            series: vec![Series {
                points,
                joined: true,
                ..Series::default()
            }],
            ..Plot::default()
        }
    }

    fn drawn(plot: &Plot) -> String {
        chart(plot, 345.0, 260.0).unwrap().shapes()
    }

    #[test]
    fn bars_and_references_set_the_range() {
        let mut plot = plot(false, vec![PlotPoint::with_error(0.0, 1.0, 1.0)]);
        plot.horizontal = Some(Reference {
            y: -7.0,
            label: "theory".into(),
        });
        let chart = chart(&plot, 345.0, 260.0).unwrap();
        assert!(!chart.y.outside(2.96) && !chart.y.outside(-7.0));
        let shapes = chart.shapes();
        assert!(shapes.contains(">theory</text>"));
        // Two caps.
        assert_eq!(shapes.matches("h6").count(), 2);
    }

    #[test]
    fn a_bar_that_reaches_zero_runs_out_of_a_logarithmic_plot() {
        let points = vec![
            PlotPoint::with_error(1.0, 1.0, 1.0),
            PlotPoint::exact(10.0, 5.0),
        ];
        let plot = plot(true, points);
        let chart = chart(&plot, 345.0, 260.0).unwrap();
        assert!(!chart.y.outside(2.96) && chart.y.outside(0.05));
        assert_eq!(chart.shapes().matches("h6").count(), 1);
    }

    #[test]
    fn points_without_a_place_leave_a_gap() {
        let mut points: Vec<_> = (1..=5)
            .map(|i| PlotPoint::exact(f64::from(i), f64::from(i)))
            .collect();
        points[2].y = 0.0;
        let plot = plot(true, points);
        let line = "stroke-width=\"1.6\" stroke-linejoin=\"round\" d=\"";
        let shapes = drawn(&plot);
        let data = shapes
            .split(line)
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        assert_eq!(data.matches('M').count(), 2);
        assert!(left_out(&plot).unwrap().starts_with("1 point at or below"));
        let mut nothing = plot.clone();
        nothing.series[0].points = vec![PlotPoint::exact(f64::NAN, 1.0)];
        assert!(chart(&nothing, 345.0, 260.0).is_none());
        assert!(left_out(&nothing).is_none());
    }

    #[test]
    fn a_joined_reference_is_a_dashed_line_without_marks() {
        let mut plot = plot(
            false,
            (0..3)
                .map(|i| PlotPoint::exact(f64::from(i), 1.0))
                .collect(),
        );
        plot.series[0].role = Role::Reference;
        let shapes = drawn(&plot);
        assert!(shapes.contains("stroke-dasharray") && !shapes.contains("stroke=\"#fff\""));
        // A single point has no line to be seen by.
        plot.series[0].points.truncate(1);
        assert!(drawn(&plot).contains("stroke=\"#fff\""));
    }
}
