//! PSTHs of a few units.

use super::{Fit, figure, fits, line_keys, missing, missing_panel, panel, section};
use crate::svg::{Axis, Chart, DATA, Stroke, extent, padded};
use crate::text::fixed;
use crate::{PsthExample, Report};

const TITLE: &str = "Trial-averaged rates (PSTH)";

pub(crate) fn html(report: &Report) -> String {
    let fits = fits(report);
    let rows = fits
        .iter()
        .map(|fit| fit.view.psths.len())
        .max()
        .unwrap_or(0);
    if rows == 0 {
        return section("psth", TITLE, &missing("No PSTH was given to show."));
    }
    let mut panels = String::new();
    for row in 0..rows {
        for fit in &fits {
            panels += &match fit.view.psths.get(row) {
                Some(example) => example_panel(fit, example, &fits, row),
                None => missing_panel(fit.name(), fit.color, "This fit has no example here."),
            };
        }
    }
    let body = figure(
        &panels,
        &line_keys(&fits),
        format!(
            "The firing rate of single units averaged over trials: recorded (grey) and \
             free-running. Conditions follow one another, parted by dotted lines. r is the \
             correlation of the two curves over bins. {}",
            report.psth_choice
        )
        .trim_end(),
        "The curve of the model should rise and fall with the data. It cannot follow every jag: \
         with few trials much of the recorded curve is chance, which is why curves are smoothed and the table \
         gives a ceiling.",
    );
    section("psth", TITLE, &super::wide(&fits, body))
}

fn example_panel(fit: &Fit<'_>, example: &PsthExample, fits: &[Fit<'_>], row: usize) -> String {
    let wide = fits.len() == 1;
    let r = if example.correlation.is_finite() {
        format!(", r = {}", fixed(example.correlation, 2))
    } else {
        String::new()
    };
    let title = if wide {
        format!("{}{r}", example.label)
    } else {
        format!("{}: {}{r}", fit.name(), example.label)
    };
    // Fits that show the same unit share its axis.
    let rates = fits
        .iter()
        .filter_map(|fit| fit.view.psths.get(row))
        .filter(|other| other.label == example.label)
        .flat_map(|other| other.data_hz.iter().chain(&other.model_hz).copied());
    let (Some((_, top)), false) = (extent(rates), example.time_s.is_empty()) else {
        return missing_panel(&title, fit.color, "There is no bin to show.");
    };
    let times = &example.time_s;
    let label = match example.breaks.as_slice() {
        [] => "time (s)",
        _ => "time (s), conditions end to end",
    };
    let Some(x) = extent(times.iter().copied()) else {
        return missing_panel(&title, fit.color, "The times of the bins are missing.");
    };
    let x = if x.0 == x.1 { padded(x, 0.0) } else { x };
    let y = (0.0, if top > 0.0 { 1.06 * top } else { 1.0 });
    let width = if wide { 1060.0 } else { 525.0 };
    let mut chart = Chart::new(
        width,
        190.0,
        &Axis::linear(x, label),
        &Axis::linear(y, "rate (Hz)"),
    );
    let mut starts = example.breaks.clone();
    starts.push(times.len());
    starts.sort_unstable();
    let segments: Vec<std::ops::Range<usize>> = std::iter::once(0)
        .chain(starts.iter().copied())
        .zip(starts.iter().copied())
        .filter(|(from, to)| from < to)
        .map(|(from, to)| from..to)
        .collect();
    chart.verticals(
        segments.iter().skip(1).map(|segment| times[segment.start]),
        Stroke {
            dash: "1.5 3",
            ..Stroke::solid("#8a8a8a", 1.0)
        },
    );
    let curve = |rates: &[f64], segment: &std::ops::Range<usize>| -> Vec<(f64, f64)> {
        segment.clone().map(|i| (times[i], rates[i])).collect()
    };
    for segment in &segments {
        chart.area(&curve(&example.data_hz, segment), DATA, 0.16);
    }
    let data = segments
        .iter()
        .map(|segment| curve(&example.data_hz, segment));
    chart.lines(data, Stroke::solid(DATA, 1.0));
    let model = segments
        .iter()
        .map(|segment| curve(&example.model_hz, segment));
    chart.lines(model, Stroke::solid(fit.color, 1.6));
    let svg = chart.finish(&format!("PSTH of {title}, data and model"));
    panel(&title, fit.color, &svg)
}
