//! Noise correlations: pairs as a scatter, units as matrices.

use super::{Fit, Key, figure, fits, missing, missing_panel, panel, section};
use crate::svg::{Anchor, Axis, Chart, DATA, Heatmap, Matrix, Stroke, color_bar, extent, padded};
use crate::text::{count, number};
use crate::{NoiseView, Report};

const TITLE: &str = "Noise correlations";

pub(crate) fn html(report: &Report) -> String {
    let fits = fits(report);
    let (range, scale) = (scatter_range(&fits), color_scale(&fits));
    if range.is_none() && scale.is_none() {
        let reason = fits
            .iter()
            .filter_map(|fit| fit.view.noise_missing.as_deref())
            .find(|reason| !reason.trim().is_empty());
        let sentence = reason.unwrap_or("No pair of units had a noise correlation.");
        return section("noise", TITLE, &missing(sentence));
    }
    let scatters = match range {
        Some(range) => scatters(&fits, range),
        None => missing("No pair of units had a noise correlation in the data."),
    };
    let matrices = match scale {
        Some(scale) => matrices(&fits, scale),
        None => missing("Matrices need at least two units with noise correlations."),
    };
    let body = scatters + &by_lag(&fits) + &matrices + &same_bin(&fits);
    section("noise", TITLE, &body)
}

/// R2 over lags, beside that of recorded trials.
fn by_lag(fits: &[Fit<'_>]) -> String {
    let all = || fits.iter().filter_map(view).flat_map(|view| &view.by_lag);
    let values = || all().flat_map(|lag| [lag.r2, lag.ceiling]).flatten();
    let (Some(times), Some(range)) = (extent(all().map(|lag| lag.lag_s)), extent(values())) else {
        return String::new();
    };
    // What is far below 0 is bad, however far.
    let low = range.0.clamp(-1.0, 0.0);
    let mut chart = Chart::new(
        525.0,
        230.0,
        &Axis::linear(padded(times, 0.04), "lag (s)"),
        &Axis::linear((1.08 * low, 1.0), "R2 of the noise correlations"),
    );
    chart.horizontal(0.0, Stroke::dashed("#bbb", 1.0));
    let mut keys = Vec::new();
    let points = |of: fn(&crate::LagView) -> Option<f64>, view: &NoiseView| -> Vec<(f64, f64)> {
        let values = view
            .by_lag
            .iter()
            .filter_map(|lag| Some((lag.lag_s, of(lag)?.max(low))));
        values.collect()
    };
    let shown = fits.iter().filter_map(|fit| Some((fit, view(fit)?)));
    for (place, (fit, view)) in shown.enumerate() {
        if place == 0 {
            let ceiling = points(|lag| lag.ceiling, view);
            chart.line(ceiling.iter().copied(), Stroke::dashed(DATA, 1.6));
            chart.dots(ceiling, 2.6, DATA);
            keys.push(Key::line(
                Stroke::dashed(DATA, 1.6),
                "ceiling: training trials",
            ));
        }
        let model = points(|lag| lag.r2, view);
        chart.line(model.iter().copied(), Stroke::solid(fit.color, 2.0));
        chart.dots(model, 2.6, fit.color);
        keys.push(Key::line(Stroke::solid(fit.color, 2.0), fit.name()));
    }
    figure(
        &panel(
            "Lag by lag",
            DATA,
            &chart.finish("R2 of noise correlations over lags"),
        ),
        &keys,
        "The agreement of noise correlations over pairs of units where the second unit is looked at so much later than \
         the first. 1 is perfect, below 0 is worse than a constant; values below -1 are drawn there.",
        "The line of a model should lie on the ceiling. At lag 0 same-bin couplings are what can bring it there; at \
         longer lags, couplings and hidden units.",
    )
}

fn view<'a>(fit: &Fit<'a>) -> Option<&'a NoiseView> {
    fit.view.noise.as_ref()
}

fn reason<'a>(fit: &Fit<'a>) -> &'a str {
    fit.view
        .noise_missing
        .as_deref()
        .unwrap_or("This fit has no noise correlations.")
}

/// The range of both axes that all fits share. The data set it where a model goes far beyond:
/// a runaway network must not flatten the rest.
fn scatter_range(fits: &[Fit<'_>]) -> Option<(f64, f64)> {
    let pairs = || fits.iter().filter_map(view).flat_map(|view| &view.pairs);
    let data = extent(pairs().map(|pair| pair.0))?;
    let all = extent(pairs().flat_map(|pair| [pair.0, pair.1]))?;
    let room = 2.0 * (data.1 - data.0);
    let shown = if all.0 >= data.0 - room && all.1 <= data.1 + room {
        all
    } else {
        padded(data, 0.5)
    };
    Some(padded((shown.0.min(0.0), shown.1.max(0.0)), 0.04))
}

/// The ends of the colour scale that all matrices share, set by the data as well.
fn color_scale(fits: &[Fit<'_>]) -> Option<f64> {
    let data = fits
        .iter()
        .filter_map(view)
        .map(|view| off_diagonal(&view.data));
    let data: Vec<Matrix> = data.filter(|matrix| !matrix.is_empty()).collect();
    (!data.is_empty()).then(|| Matrix::shared_scale(&data))
}

fn off_diagonal(values: &[Vec<f64>]) -> Matrix {
    let units = values.len();
    Matrix::new(units, units, |i, j| (i != j).then_some(values[i][j]))
}

fn scatters(fits: &[Fit<'_>], range: (f64, f64)) -> String {
    let panels: String = fits
        .iter()
        .map(
            |fit| match view(fit).filter(|view| !view.pairs.is_empty()) {
                Some(view) => scatter(fit, view, range),
                None => missing_panel(fit.name(), fit.color, reason(fit)),
            },
        )
        .collect();
    figure(
        &panels,
        &[],
        "How much two units vary together from one repeat of a condition to the next, beyond what \
         the condition explains. Each dot is a pair of units: across, its noise correlation in \
         the data; up, in the free-running model. On the diagonal the two are equal.",
        "Dots along the diagonal mean that the model has the shared variability of the tissue. A \
         flat cloud means a model whose units fluctuate on their own; a cloud far above it, a \
         network that bursts together.",
    )
}

fn scatter(fit: &Fit<'_>, view: &NoiseView, range: (f64, f64)) -> String {
    let axis = |label: &str| Axis::linear(range, label);
    let mut chart = Chart::new(
        345.0,
        345.0,
        &axis("noise correlation, data"),
        &axis("noise correlation, model"),
    );
    chart.line(
        [(range.0, range.0), (range.1, range.1)],
        Stroke::dashed("#666", 1.2),
    );
    let radius = if view.pairs.len() > 2000 { 1.1 } else { 1.8 };
    chart.dots(view.pairs.iter().copied(), radius, fit.color);
    let beyond = view
        .pairs
        .iter()
        .filter(|pair| pair.0.is_finite() && chart.y.outside(pair.1))
        .count();
    if beyond > 0 {
        let most = extent(view.pairs.iter().map(|pair| pair.1)).unwrap_or_default();
        let most = if most.1 > range.1 { most.1 } else { most.0 };
        // Below the diagonal, where a network that bursts together has no pairs.
        let lines = [
            format!("{} of {} pairs lie", count(beyond), count(view.pairs.len())),
            format!("beyond the frame (up to {})", number(most)),
        ];
        for (line, up) in lines.iter().zip([25.0, 9.0]) {
            chart.text(chart.right - 6.0, chart.bottom - up, Anchor::End, line);
        }
    }
    let svg = chart.finish(&format!(
        "Noise correlations of {} against the data",
        fit.name()
    ));
    panel(fit.name(), fit.color, &svg)
}

fn matrices(fits: &[Fit<'_>], scale: f64) -> String {
    let bits = |view: &NoiseView| -> Vec<u64> {
        view.data.iter().flatten().map(|v| v.to_bits()).collect()
    };
    let mut panels = String::new();
    let mut before: Option<Vec<u64>> = None;
    let mut pooled = 1;
    for fit in fits {
        let Some(view) = view(fit).filter(|view| view.data.len() > 1) else {
            panels += &missing_panel(fit.name(), fit.color, reason(fit));
            continue;
        };
        let (recorded, model) = (off_diagonal(&view.data), off_diagonal(&view.model));
        pooled = pooled.max(recorded.pooled_by());
        // The data are the same for all fits of a recording: once is enough.
        let data = Some(bits(view));
        if before != data {
            panels += &panel("data", DATA, &heatmap(&recorded, scale, "data"));
            before = data;
        }
        let svg = heatmap(&model, scale, fit.name());
        panels += &panel(fit.name(), fit.color, &svg);
    }
    let bar = color_bar(scale, "noise correlation", Some("not defined"));
    let pooled = match pooled {
        1 => String::new(),
        by => format!(" Each cell is the mean over {by} by {by} units."),
    };
    let figure = figure(
        &panels,
        &[],
        &format!(
            "The same noise correlations, unit by unit; one colour scale for all matrices, set by \
             the data. Stronger values take the last colour.{pooled}"
        ),
        "Look for the same blocks and stripes: groups of units that vary together in the tissue \
         should do so in the model.",
    );
    format!("<div class=\"colorbar\">{bar}</div>\n{figure}")
}

/// The couplings that set the noise correlations of a bin, where there are any.
fn same_bin(fits: &[Fit<'_>]) -> String {
    let (with, matrices): (Vec<&Fit<'_>>, Vec<Matrix>) = fits
        .iter()
        .filter_map(|fit| {
            let values = &view(fit)?.same_bin;
            let units = values.len();
            // Those that the order of the units forbids are left blank.
            let matrix = Matrix::new(units, units, |i, j| (i < j).then(|| values[i][j]));
            (!matrix.is_empty()).then_some((fit, matrix))
        })
        .unzip();
    if with.is_empty() {
        return String::new();
    }
    let scale = Matrix::shared_scale(&matrices);
    let panels: String = with
        .iter()
        .zip(&matrices)
        .map(|(fit, matrix)| {
            let map = Heatmap {
                scale,
                side: 280.0,
                row_label: "source unit",
                column_label: "target unit",
                ..Heatmap::default()
            };
            let svg = map.draw(matrix, &format!("Same-bin couplings of {}", fit.name()));
            panel(fit.name(), fit.color, &svg)
        })
        .collect();
    let bar = color_bar(scale, "same-bin coupling (θ)", Some("none, by the order"));
    let figure = figure(
        &panels,
        &[],
        "What a spike of the source unit (row) adds to the drive of the target unit (column) in the \
         same bin, in units of the threshold θ. A unit acts on those of a higher index only, so that \
         half of the matrix is blank.",
        "The stripes and blocks of the noise correlations above: these couplings make those of one bin. \
         They say who fires together, not who drives whom.",
    );
    format!("<div class=\"colorbar\">{bar}</div>\n{figure}")
}

fn heatmap(matrix: &Matrix, scale: f64, name: &str) -> String {
    let map = Heatmap {
        scale,
        side: 280.0,
        border: None,
        row_label: "unit",
        column_label: "unit",
        ..Heatmap::default()
    };
    map.draw(matrix, &format!("Noise correlation matrix, {name}"))
}
