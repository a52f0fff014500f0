//! What the network does when it runs on, presentation after presentation.

use super::{Fit, Key, figure, fits, headline, missing, missing_panel, panel, section, wide};
use crate::svg::{Anchor, Axis, Chart, DATA, Stroke, extent, positive_extent};
use crate::text::{counted, number, percent};
use crate::{Report, StabilityView};

const TITLE: &str = "Left to run on its own";

/// Traces drawn at most.
const MOST_TRACES: usize = 40;

pub(crate) fn html(report: &Report) -> String {
    let fits = fits(report);
    let body = match fits.iter().any(|fit| fit.view.stability.runs > 0) {
        true => traces(&fits) + &staying(&fits),
        false => missing("Stability was not tested: no free runs were made."),
    };
    section("stability", TITLE, &body)
}

fn drawable(view: &StabilityView) -> bool {
    view.runs > 0
        && !view.time_s.is_empty()
        && view.traces_hz.iter().flatten().any(|rate| rate.is_finite())
}

fn positive(value: f64) -> Option<f64> {
    (value.is_finite() && value > 0.0).then_some(value)
}

fn traces(fits: &[Fit<'_>]) -> String {
    let shown = || {
        fits.iter()
            .map(|fit| &fit.view.stability)
            .filter(|view| drawable(view))
    };
    let rates = || {
        let traces = shown().flat_map(|view| view.traces_hz.iter().take(MOST_TRACES));
        let given =
            shown().flat_map(|view| [view.data_range_hz.0, view.data_range_hz.1, view.limit_hz]);
        traces.flatten().copied().chain(given)
    };
    let Some((_, top)) = extent(rates()) else {
        return missing("No traces of the free runs were kept.");
    };
    let top = if top > 0.0 { top } else { 1.0 };
    let limit = extent(shown().filter_map(|view| positive(view.limit_hz)));
    // A runaway network would press the range of the data flat against a linear axis.
    let label = "population rate (Hz per unit)";
    let lowest = positive_extent(rates()).map_or(top, |range| range.0);
    let axis = if limit.is_some_and(|(limit, _)| top > 4.0 * limit) {
        let low = lowest.max(top * 1e-5) / 1.3;
        Axis::log(
            (low, top * 1.3),
            rates().any(|rate| rate <= 0.0),
            "rate (Hz per unit, log axis)",
        )
    } else {
        Axis::linear((0.0, top * 1.12), label)
    };
    let panels: String = fits
        .iter()
        .map(|fit| {
            if drawable(&fit.view.stability) {
                trace_panel(fit, &axis, fits.len() == 1)
            } else {
                missing_panel(fit.name(), fit.color, "No traces of free runs were kept.")
            }
        })
        .collect();
    let mut keys: Vec<Key<'_>> = fits
        .iter()
        .map(|fit| Key::line(Stroke::solid(fit.color, 1.4), fit.name()))
        .collect();
    keys.push(Key::area(DATA, 0.22, "range of the recorded trials"));
    keys.push(Key::line(Stroke::dashed(DATA, 1.5), "limit"));
    let body = figure(
        &panels,
        &keys,
        format!(
            "The mean rate of all observed units while the network runs on its own; each line is one run, with one \
             point per presentation. {} The band is the range of the recorded trials. A run leaves the range of the \
             data when a presentation has more than twice the spikes of any training trial of its condition (the \
             limit is that of the condition with the most), when it is silent where the training never was, or when \
             its presentations together have more than twice or less than half of the spikes that the data have on \
             average; chance is allowed for. It is not followed further.",
            protocol(fits)
        )
        .as_str(),
        &read(fits),
    );
    wide(fits, body)
}

/// What a run is, as all fits of a page have it.
fn protocol<'a>(fits: &[Fit<'a>]) -> &'a str {
    fits.first()
        .map_or("", |fit| fit.view.stability.protocol.trim())
}

fn read(fits: &[Fit<'_>]) -> String {
    let tested = fits.iter().filter(|fit| fit.view.stability.runs > 0);
    let words: Vec<String> = tested
        .map(|fit| {
            if fits.len() == 1 {
                headline::numbers(&fit.view.stability)
            } else {
                format!("{}: {}.", fit.name(), headline::left(&fit.view.stability))
            }
        })
        .collect();
    format!(
        "A network that has learned the tissue stays in or near the band for as long as it runs. {}",
        words.join(" ")
    )
}

fn trace_panel(fit: &Fit<'_>, y: &Axis, wide: bool) -> String {
    let view = &fit.view.stability;
    let times = extent(view.time_s.iter().copied()).unwrap_or((0.0, 1.0));
    let range = if times.0 < times.1 {
        (times.0.min(0.0), times.1)
    } else {
        (times.0 - 0.5, times.0 + 0.5)
    };
    let width = if wide { 1060.0 } else { 525.0 };
    let mut chart = Chart::new(width, 250.0, &Axis::linear(range, "time (s)"), y);
    let (low, high) = view.data_range_hz;
    if low.is_finite() && high.is_finite() && high > low {
        chart.band(low, high, DATA, 0.22);
    }
    let shown = view.traces_hz.len().min(MOST_TRACES);
    let lines = view
        .traces_hz
        .iter()
        .take(shown)
        .map(|trace| view.time_s.iter().copied().zip(trace.iter().copied()));
    chart.lines(
        lines,
        Stroke {
            opacity: if shown > 8 { 0.45 } else { 0.8 },
            ..Stroke::solid(fit.color, 1.0)
        },
    );
    if let Some(limit) = positive(view.limit_hz) {
        chart.horizontal(limit, Stroke::dashed(DATA, 1.5));
        if let Some(y) = chart.y.map(limit) {
            let text = format!("limit {} Hz", number(limit));
            chart.text(chart.right - 6.0, y - 6.0, Anchor::End, &text);
        }
    }
    let title = format!("{}: {} of {}", fit.name(), shown, counted(view.runs, "run"));
    let svg = chart.finish(&format!("Population rate of free runs of {}", fit.name()));
    panel(&title, fit.color, &svg)
}

/// The share of runs still in the range after each presentation.
fn staying(fits: &[Fit<'_>]) -> String {
    let left: usize = fits
        .iter()
        .flat_map(|fit| &fit.view.stability.left_at)
        .sum();
    if left == 0 {
        // Where none left, the caption of the traces has said so.
        return if fits
            .iter()
            .any(|fit| fit.view.stability.divergent_share > 0.0)
        {
            missing("It was not noted at which presentation runs left the range of the data.")
        } else {
            String::new()
        };
    }
    let presentations = fits
        .iter()
        .map(|fit| {
            fit.view
                .stability
                .presentations
                .max(fit.view.stability.left_at.len())
        })
        .max()
        .unwrap_or(1);
    let mut chart = Chart::new(
        525.0,
        230.0,
        &Axis::linear((0.0, presentations as f64), "presentations"),
        &Axis::linear((0.0, 104.0), "runs still in the range (%)"),
    );
    for fit in fits.iter().filter(|fit| fit.view.stability.runs > 0) {
        let steps = remaining(&fit.view.stability, presentations);
        chart.line(steps.iter().copied(), Stroke::solid(fit.color, 2.0));
        chart.dots(steps, 2.6, fit.color);
    }
    let keys: Vec<Key<'_>> = fits
        .iter()
        .map(|fit| Key::line(Stroke::solid(fit.color, 2.0), fit.name()))
        .collect();
    let half: Vec<String> = fits.iter().filter_map(half_left).collect();
    figure(
        &panel(
            "How long runs stay",
            DATA,
            &chart.finish("Share of runs still in the range over presentations"),
        ),
        &keys,
        "The share of runs that have not left the range of the data after so many presentations.",
        &format!(
            "A flat line at 100 % is stable; a line that keeps falling means that every run \
             leaves sooner or later. {}",
            half.join(" ")
        ),
    )
}

/// (presentation, percent of the runs still in the range), from 100 % at the start.
fn remaining(view: &StabilityView, presentations: usize) -> Vec<(f64, f64)> {
    let mut inside = view.runs;
    let mut steps = vec![(0.0, 100.0)];
    for presentation in 0..presentations {
        let left = view.left_at.get(presentation).copied().unwrap_or(0);
        inside = inside.saturating_sub(left);
        let share = inside as f64 / view.runs as f64;
        steps.push(((presentation + 1) as f64, 100.0 * share));
    }
    steps
}

fn half_left(fit: &Fit<'_>) -> Option<String> {
    let view = &fit.view.stability;
    if view.runs == 0 {
        return None;
    }
    let steps = remaining(view, view.left_at.len());
    let (_, last) = steps.last()?;
    let half = steps.iter().find(|(_, share)| *share <= 50.0);
    Some(match half {
        Some((presentation, _)) => format!(
            "Half of the runs of {} have left after {}.",
            fit.name(),
            counted(*presentation as usize, "presentation")
        ),
        None => format!(
            "{} of the runs of {} stay to the end.",
            percent(last / 100.0),
            fit.name()
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_leave_one_by_one() {
        let view = StabilityView {
            runs: 10,
            left_at: vec![0, 4, 2],
            ..StabilityView::default()
        };
        assert_eq!(
            remaining(&view, 4),
            [
                (0.0, 100.0),
                (1.0, 100.0),
                (2.0, 60.0),
                (3.0, 40.0),
                (4.0, 40.0)
            ]
        );
        let view = StabilityView {
            runs: 1,
            left_at: vec![5],
            ..StabilityView::default()
        };
        assert_eq!(remaining(&view, 1), [(0.0, 100.0), (1.0, 0.0)]);
    }
}
