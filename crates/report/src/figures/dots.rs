//! Rows of dots: objectives or methods beside each other, with their seeds and their ceilings.

use super::plot::{axis, on_axis};
use super::{DotPlot, DotRow, Estimate};
use crate::svg::{Anchor, Chart, DATA, Stroke, extent, path, positive_extent, px, stroked, text};
use crate::text::{counted, number, wrapped};

const ROW: f64 = 30.0;
const LINE: f64 = 14.0;
/// Width of a character of a name, pixels.
const CHARACTER: f64 = 6.5;
/// The seeds of a row lie this far below its value.
const BELOW: f64 = 9.5;
const SEED: f64 = 2.1;
const FAINT: f64 = 0.5;

/// The rows as a chart to finish; nothing where no row has a number.
pub(crate) fn chart(plot: &DotPlot, width: f64) -> Option<Chart> {
    let range = range(plot)?;
    // Long names wrap, so that half of the panel is left for the numbers.
    let most = ((0.48 * width - 20.0) / CHARACTER) as usize;
    let names: Vec<Vec<String>> = plot
        .rows
        .iter()
        .map(|row| wrapped(&row.name, most))
        .collect();
    let longest = names
        .iter()
        .flatten()
        .map(|line| line.chars().count())
        .max();
    let lines = names.iter().map(Vec::len).max().unwrap_or(1);
    let row = ROW.max(LINE * lines as f64 + 8.0);
    let left = 22.0 + CHARACTER * longest.unwrap_or(0).clamp(4, most) as f64;
    // Panels with and without a label above the line stand beside each other.
    let top = 24.0;
    let height = top + row * plot.rows.len() as f64 + 42.0;
    let mut chart = Chart::rows((width, height), (left, top), &range, plot.rows.len());
    for at in 0..plot.rows.len() {
        chart.horizontal(at as f64, Stroke::solid("#ebebeb", 1.0));
    }
    let shown = |at: f64| on_axis(&plot.x, at) && !chart.x.outside(at);
    if let Some(reference) = plot.reference.as_ref().filter(|r| shown(r.x)) {
        chart.verticals([reference.x], Stroke::dashed(DATA, 1.2));
        if let Some(x) = chart.x.map(reference.x) {
            let half = CHARACTER * reference.label.chars().count() as f64 / 2.0;
            let x = x.min(chart.right - half).max(chart.left + half);
            chart.text(x, top - 8.0, Anchor::Middle, &reference.label);
        }
    }
    for (at, (row, name)) in plot.rows.iter().zip(&names).enumerate() {
        if let Some(y) = chart.y.map(at as f64) {
            draw(plot, row, y, name, &mut chart);
        }
    }
    Some(chart)
}

/// Sentences on what has no place on the axis.
pub(crate) fn left_out(plot: &DotPlot) -> Vec<String> {
    let Some(range) = range(plot) else {
        return Vec::new();
    };
    let beyond = |value: &f64| value.is_finite() && (*value < range.low || *value > range.high);
    let seeds = plot.rows.iter().flat_map(|row| &row.seeds);
    let of_seeds = |count, verbs, what| note(count, "single seed", verbs, what);
    let outside = seeds.clone().filter(|value| beyond(value)).count();
    let missing = seeds.filter(|value| !value.is_finite()).count();
    let shown = |at: f64| on_axis(&plot.x, at) && !beyond(&at);
    let reference = plot.reference.as_ref().filter(|r| !shown(r.x));
    let reference = reference.map(|reference| match reference.label.as_str() {
        "" => "The dashed line is missing or beyond the axis.".into(),
        label => format!("The line “{label}” is missing or beyond the axis."),
    });
    let ceilings = plot.rows.iter().filter_map(|row| row.ceiling);
    let lost = ceilings.filter(|value| beyond(value) || !value.is_finite());
    let notes = [
        of_seeds(outside, ("lies", "lie"), "beyond the axis."),
        of_seeds(missing, ("has", "have"), "no value."),
        reference,
        note(
            lost.count(),
            "ceiling",
            ("is", "are"),
            "missing or beyond the axis.",
        ),
    ];
    notes.into_iter().flatten().collect()
}

fn note(count: usize, of: &str, (one, many): (&str, &str), what: &str) -> Option<String> {
    let verb = if count == 1 { one } else { many };
    (count > 0).then(|| format!("{} {verb} {what}", counted(count, of)))
}

fn range(plot: &DotPlot) -> Option<crate::svg::Axis> {
    let fits = |value: &f64| on_axis(&plot.x, *value);
    let all = plot.rows.iter().flat_map(|row| {
        let Estimate { value, low, high } = row.value;
        let ends = if has_interval(&row.value) {
            [low, high]
        } else {
            [value; 2]
        };
        let own = [value, row.ceiling.unwrap_or(f64::NAN)].into_iter();
        own.chain(ends).chain(row.seeds.iter().copied())
    });
    let reference = plot.reference.iter().map(|reference| reference.x);
    let all: Vec<f64> = all.filter(fits).collect();
    if all.is_empty() {
        return None;
    }
    let given = plot
        .range
        .filter(|(low, high)| fits(low) && fits(high) && low < high);
    let of = all.into_iter().chain(reference);
    let found = if plot.x.log {
        positive_extent(of)
    } else {
        extent(of)
    };
    Some(match given {
        Some(given) => axis(&plot.x, given, 0.0),
        None => axis(&plot.x, found?, 0.06),
    })
}

fn has_interval(of: &Estimate) -> bool {
    of.low < of.high && extent([of.low]).is_some() && extent([of.high]).is_some()
}

fn draw(plot: &DotPlot, row: &DotRow, y: f64, name: &[String], chart: &mut Chart) {
    let up = LINE * (name.len() as f64 - 1.0) / 2.0;
    for (index, line) in name.iter().enumerate() {
        let at = y + 4.0 - up + LINE * index as f64;
        chart.raw(&text(chart.left - 9.0, at, Anchor::End, "name", line));
    }
    let mark = row.role.mark();
    let place = |chart: &Chart, value: f64| {
        let drawn = on_axis(&plot.x, value) && !chart.x.outside(value);
        drawn.then(|| chart.x.map(value)).flatten()
    };
    let seeds: String = row
        .seeds
        .iter()
        .filter_map(|&seed| place(chart, seed))
        .map(|x| format!("M{} {}h.01", px(x), px(y + BELOW)))
        .collect();
    let look = format!(
        "fill=\"none\" stroke=\"{}\" stroke-opacity=\"{FAINT}\" stroke-linecap=\"round\" \
         stroke-width=\"{}\"",
        mark.color,
        2.0 * SEED
    );
    chart.raw(&path(&look, &seeds));
    if let Some(x) = row.ceiling.and_then(|ceiling| place(chart, ceiling)) {
        let data = format!("M{} {}v18", px(x), px(y - 9.0));
        chart.raw(&path(&stroked(DATA, 2.0), &data));
    }
    let value = row.value.value;
    if !on_axis(&plot.x, value) {
        let words = if value.is_finite() {
            number(value) + " has no place here"
        } else {
            "no value".into()
        };
        chart.text(chart.left + 8.0, y + 4.0, Anchor::Start, &words);
        return;
    }
    if has_interval(&row.value) {
        interval(&row.value, y, mark.color, chart);
    }
    match place(chart, value) {
        Some(x) => chart.raw(&mark.large((x, y))),
        None => beyond(value, y, mark.color, chart),
    }
}

/// An end beyond the axis has no cap: the interval runs out of the panel.
fn interval(of: &Estimate, y: f64, color: &str, chart: &mut Chart) {
    if chart.x.outside(of.low) && chart.x.outside(of.high) && chart.x.outside(of.value) {
        return;
    }
    let (Some(low), Some(high)) = (chart.x.map(of.low), chart.x.map(of.high)) else {
        return;
    };
    let cap = |value: f64, x: f64| match chart.x.outside(value) {
        true => String::new(),
        false => format!("M{} {}v7", px(x), px(y - 3.5)),
    };
    let line = format!("M{} {}H{}", px(low), px(y), px(high));
    let data = line + &cap(of.low, low) + &cap(of.high, high);
    chart.raw(&path(&stroked(color, 1.6), &data));
}

/// A value beyond the axis: an arrow at the edge, and the number.
fn beyond(value: f64, y: f64, color: &str, chart: &mut Chart) {
    let low = chart
        .x
        .map(value)
        .is_some_and(|x| x < (chart.left + chart.right) / 2.0);
    let (tip, back, anchor) = match low {
        true => (chart.left + 2.0, 9.0, Anchor::Start),
        false => (chart.right - 2.0, -9.0, Anchor::End),
    };
    let data = format!("M{} {}l{back} -5v10z", px(tip), px(y));
    chart.raw(&path(&format!("fill=\"{color}\""), &data));
    chart.text(tip + 1.5 * back, y + 4.0, anchor, &number(value));
}
