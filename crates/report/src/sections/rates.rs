//! Mean rates of the units, data against free-running model.

use super::{Fit, Key, figure, fits, missing, missing_panel, panel, section};
use crate::Report;
use crate::svg::{Anchor, Axis, Chart, DATA, Stroke, positive_extent, px};
use crate::text::{fixed, percent};

const TITLE: &str = "Rates of the units";

pub(crate) fn html(report: &Report) -> String {
    let fits = fits(report);
    let all = || {
        fits.iter()
            .flat_map(|fit| fit.view.rates.iter())
            .flat_map(|r| [r.0, r.1])
    };
    if fits.iter().all(|fit| fit.view.rates.is_empty()) {
        return section("rates", TITLE, &missing("No rates were given."));
    }
    let Some(range) = positive_extent(all()) else {
        return section(
            "rates",
            TITLE,
            &missing("Every unit is silent, in the data and in the model."),
        );
    };
    let range = (range.0 / 1.4, range.1 * 1.4);
    let silent = all().any(|rate| rate <= 0.0);
    let axis = |label: &str| Axis::log(range, silent, label);
    let mut panels: String = fits
        .iter()
        .map(|fit| {
            if fit.view.rates.is_empty() {
                missing_panel(fit.name(), fit.color, "This fit has no rates.")
            } else {
                scatter(
                    fit,
                    &axis("rate in the data (Hz)"),
                    &axis("rate of the model (Hz)"),
                    range,
                )
            }
        })
        .collect();
    panels += &panel("Distribution over units", DATA, &histogram(&fits, range));
    let mut keys = vec![Key::area(DATA, 0.3, "data")];
    keys.extend(
        fits.iter()
            .map(|fit| Key::line(Stroke::solid(fit.color, 2.0), fit.name())),
    );
    let silence = if silent {
        " Units without a spike stand at 0."
    } else {
        ""
    };
    let body = figure(
        &panels,
        &keys,
        &format!(
            "Mean firing rate of each unit, recorded and free-running, on logarithmic axes; the \
             dashed line is equality, the band a factor of two around it. Beside it, how many \
             units fire at which rate.{silence}"
        ),
        &read(&fits),
    );
    section("rates", TITLE, &body)
}

fn read(fits: &[Fit<'_>]) -> String {
    let shares: Vec<String> = fits
        .iter()
        .filter_map(|fit| {
            let share = within_two(&fit.view.rates)?;
            Some(format!("{} of the units of {}", percent(share), fit.name()))
        })
        .collect();
    let start = "Dots in the band mean that the model gives each unit its own rate, not only the \
                 population its mean. A mean says nothing about when: a network that is too quiet \
                 most of the time and bursts now and then can have the right one.";
    if shares.is_empty() {
        return start.into();
    }
    format!("{start} Within a factor of two: {}.", shares.join(", "))
}

/// Share of the units that fire in the data whose model rate is within a factor of two.
fn within_two(rates: &[(f64, f64)]) -> Option<f64> {
    let active: Vec<f64> = rates
        .iter()
        .filter(|(data, model)| *data > 0.0 && data.is_finite() && model.is_finite())
        .map(|(data, model)| model / data)
        .collect();
    let near = active.iter().filter(|r| (0.5..=2.0).contains(*r)).count();
    (!active.is_empty()).then(|| near as f64 / active.len() as f64)
}

fn scatter(fit: &Fit<'_>, x: &Axis, y: &Axis, range: (f64, f64)) -> String {
    let mut chart = Chart::new(345.0, 345.0, x, y);
    let corner = |(a, b): (f64, f64)| Some((chart.x.map(a)?, chart.y.map(b)?));
    let (low, high) = range;
    let corners: Vec<String> = [
        (low, low / 2.0),
        (low, low * 2.0),
        (high / 2.0, high),
        (high, high),
        (high, high / 2.0),
        (low * 2.0, low),
        (low, low),
    ]
    .into_iter()
    .filter_map(corner)
    .map(|(x, y)| format!("{} {}", px(x), px(y)))
    .collect();
    chart.raw(&format!(
        "<path d=\"M{}z\" fill=\"{DATA}\" fill-opacity=\"0.08\"/>",
        corners.join("L")
    ));
    chart.line([(low, low), (high, high)], Stroke::dashed("#666", 1.2));
    let points = fit.view.rates.iter().copied();
    chart.dots(
        points.filter(|(x, y)| x.is_finite() && y.is_finite()),
        2.2,
        fit.color,
    );
    let ratio = mean_ratio(&fit.view.rates);
    if let Some(ratio) = ratio {
        chart.text(
            chart.left + 8.0,
            chart.top + 16.0,
            Anchor::Start,
            &format!("mean rate {} times the data’s", fixed(ratio, 2)),
        );
    }
    let svg = chart.finish(&format!("Rates of {} against the data", fit.name()));
    panel(fit.name(), fit.color, &svg)
}

/// Mean rate of the model over that of the data.
fn mean_ratio(rates: &[(f64, f64)]) -> Option<f64> {
    let (data, model) = rates
        .iter()
        .filter(|(d, m)| d.is_finite() && m.is_finite())
        .fold((0.0, 0.0), |(d, m), rate| (d + rate.0, m + rate.1));
    let ratio = model / data;
    (data > 0.0 && ratio.is_finite()).then_some(ratio)
}

fn histogram(fits: &[Fit<'_>], range: (f64, f64)) -> String {
    let bins = 14;
    let (low, high) = (range.0.ln(), range.1.ln());
    let counts = |rates: &mut dyn Iterator<Item = f64>| {
        let mut counts = vec![0.0; bins];
        for rate in rates.filter(|rate| *rate > 0.0 && rate.is_finite()) {
            let place = (rate.ln() - low) / (high - low) * bins as f64;
            counts[(place.max(0.0) as usize).min(bins - 1)] += 1.0;
        }
        counts
    };
    // The data are the same for all fits; the first that has rates gives them.
    let with_rates = fits.iter().find(|fit| !fit.view.rates.is_empty());
    let data = with_rates
        .map(|fit| counts(&mut fit.view.rates.iter().map(|rate| rate.0)))
        .unwrap_or_default();
    let models: Vec<(&'static str, Vec<f64>)> = fits
        .iter()
        .map(|fit| {
            (
                fit.color,
                counts(&mut fit.view.rates.iter().map(|rate| rate.1)),
            )
        })
        .collect();
    let top = models
        .iter()
        .map(|(_, counts)| counts)
        .chain([&data])
        .flatten();
    let top = top.copied().fold(1.0, f64::max);
    let mut chart = Chart::new(
        345.0,
        345.0,
        &Axis::log(range, false, "rate (Hz)"),
        &Axis::linear((0.0, top * 1.08), "units"),
    );
    let steps = |counts: &[f64]| -> Vec<(f64, f64)> {
        let edge = |i: usize| (low + (high - low) * i as f64 / bins as f64).exp();
        let sides = counts
            .iter()
            .enumerate()
            .flat_map(|(i, &count)| [(edge(i), count), (edge(i + 1), count)]);
        std::iter::once((range.0, 0.0))
            .chain(sides)
            .chain([(range.1, 0.0)])
            .collect()
    };
    chart.area(&steps(&data), DATA, 0.3);
    for (color, counts) in &models {
        chart.line(steps(counts), Stroke::solid(color, 1.8));
    }
    chart.finish("Distribution of the rates of the units, data and model")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratios_leave_out_silent_and_unknown_units() {
        let rates = [
            (1.0, 1.5),
            (2.0, 5.0),
            (0.0, 3.0),
            (f64::NAN, 1.0),
            (4.0, f64::INFINITY),
        ];
        assert_eq!(within_two(&rates), Some(0.5));
        assert_eq!(mean_ratio(&rates), Some(9.5 / 3.0));
        assert_eq!(within_two(&[(0.0, 1.0)]), None);
        assert_eq!(mean_ratio(&[(0.0, 1.0)]), None);
    }
}
