//! Filters over lag: the strongest couplings between units, and units onto themselves.

use super::{Fit, figure, missing, missing_panel, panel};
use crate::CouplingView;
use crate::svg::{Anchor, Axis, Chart, Stroke, document, extent, padded, text, upright};
use crate::text::{counted, number};

/// Filters shown at most.
const MOST_FILTERS: usize = 8;

/// The lags as an axis: milliseconds where they are short.
struct Lags {
    values: Vec<f64>,
    range: (f64, f64),
    label: &'static str,
}

impl Lags {
    fn new(view: &CouplingView) -> Option<Self> {
        let (_, last) = extent(view.lags_s.iter().copied())?;
        let (factor, label) = if last < 1.0 {
            (1000.0, "time since the spike (ms)")
        } else {
            (1.0, "time since the spike (s)")
        };
        let values: Vec<f64> = view.lags_s.iter().map(|lag| lag * factor).collect();
        let range = padded(extent(values.iter().copied())?, 0.04);
        Some(Self {
            values,
            range,
            label,
        })
    }

    fn curve(&self, filter: &[f64]) -> Vec<(f64, f64)> {
        self.values
            .iter()
            .copied()
            .zip(filter.iter().copied())
            .collect()
    }
}

pub(crate) fn between(fits: &[Fit<'_>]) -> String {
    let has = |fit: &Fit<'_>| !fit.view.couplings.filters.is_empty();
    let values = fits.iter().flat_map(|fit| {
        let filters = fit.view.couplings.filters.iter().take(MOST_FILTERS);
        filters.flat_map(|(_, filter)| filter.iter().copied())
    });
    let Some(range) = extent(values).filter(|_| fits.iter().any(has)) else {
        return missing("There are no filters between units to show.");
    };
    let range = (range.0.min(0.0), range.1.max(0.0));
    let panels: String = fits
        .iter()
        .map(
            |fit| match Lags::new(&fit.view.couplings).filter(|_| has(fit)) {
                Some(lags) => {
                    let svg = small_multiples(fit, &lags, range);
                    panel(
                        &format!("{}: strongest filters", fit.name()),
                        fit.color,
                        &svg,
                    )
                }
                None => missing_panel(fit.name(), fit.color, "This fit has no filters to show."),
            },
        )
        .collect();
    figure(
        &panels,
        &[],
        "The strongest couplings in full: what a spike of the first unit adds to the drive of the \
         second one, over the time since that spike, in units of the threshold θ. All small charts \
         share their axes; marked are zero and the largest values of all of them.",
        "Above the line a spike makes the target more likely to fire, below it less. A smooth, \
         brief course is typical of real interactions; a jagged one is mostly noise.",
    )
}

/// Zero and the ends of a range that holds it, but an end whose label would touch that of zero.
fn marks((low, high): (f64, f64)) -> Vec<f64> {
    let room = 0.2 * (high - low);
    let ends = [low, high].into_iter().filter(|end| end.abs() > room);
    std::iter::once(0.0).chain(ends).collect()
}

/// A grid of small charts that share their axes.
fn small_multiples(fit: &Fit<'_>, lags: &Lags, range: (f64, f64)) -> String {
    let view = &fit.view.couplings;
    let shown = &view.filters[..view.filters.len().min(MOST_FILTERS)];
    // Two rows of equal length where one is too short.
    let columns = match shown.len() {
        many @ 5.. => many.div_ceil(2),
        few => few.max(1),
    };
    let rows = shown.len().div_ceil(columns);
    let (width, left, bottom) = (525.0, 76.0, 44.0);
    let (cell_width, cell_height) = ((width - left - 8.0) / columns.max(2) as f64, 112.0);
    let height = rows as f64 * cell_height + bottom;
    let mut body = String::new();
    for (index, (name, filter)) in shown.iter().enumerate() {
        let x0 = left + (index % columns) as f64 * cell_width;
        let y0 = (index / columns) as f64 * cell_height;
        let below_is_empty = index + columns >= shown.len();
        body += &small_chart(
            fit,
            name,
            filter,
            (lags, range),
            (x0, y0, cell_width - 14.0, cell_height - 26.0),
            (index % columns == 0, below_is_empty),
        );
    }
    let used = left + columns as f64 * cell_width;
    let middle = (left + used - 14.0) / 2.0;
    body += &text(middle, height - 6.0, Anchor::Middle, "axis", lags.label);
    body += &upright(13.0, (height - bottom) / 2.0, "coupling (θ)");
    document(
        width,
        height,
        &format!("Strongest filters of {}", fit.name()),
        &body,
    )
}

fn small_chart(
    fit: &Fit<'_>,
    name: &str,
    filter: &[f64],
    (lags, range): (&Lags, (f64, f64)),
    (x0, y0, width, height): (f64, f64, f64, f64),
    (label_left, label_below): (bool, bool),
) -> String {
    let mut chart = Chart::small(
        (x0, y0 + 20.0, width, height),
        &Axis::linear(lags.range, ""),
        &Axis::linear(padded(range, 0.08), ""),
        &marks(range),
        (label_left, label_below),
    );
    chart.horizontal(0.0, Stroke::solid("#777", 1.0));
    let points = lags.curve(filter);
    chart.line(points.iter().copied(), Stroke::solid(fit.color, 1.6));
    chart.dots(points, 2.0, fit.color);
    // Names too long for their chart are cut.
    let room = ((width + 12.0) / 6.2) as usize;
    let name = if name.chars().count() > room {
        let kept: String = name.chars().take(room.saturating_sub(1)).collect();
        format!("{kept}…")
    } else {
        name.to_owned()
    };
    chart.shapes() + &text(x0, y0 + 13.0, Anchor::Start, "name", &name)
}

pub(crate) fn onto_itself(fits: &[Fit<'_>]) -> String {
    let has = |fit: &Fit<'_>| !fit.view.couplings.self_filters.is_empty();
    let values = fits
        .iter()
        .flat_map(|fit| fit.view.couplings.self_filters.iter().flatten());
    let Some(range) = extent(values.copied()).filter(|_| fits.iter().any(has)) else {
        return missing("There are no filters of units onto themselves to show.");
    };
    let range = padded((range.0.min(0.0), range.1.max(0.0)), 0.06);
    let panels: String = fits
        .iter()
        .map(
            |fit| match Lags::new(&fit.view.couplings).filter(|_| has(fit)) {
                Some(lags) => self_panel(fit, &lags, range),
                None => missing_panel(fit.name(), fit.color, "This fit has no self filters."),
            },
        )
        .collect();
    let means: Vec<String> = fits
        .iter()
        .filter_map(|fit| {
            let (first, name) = (
                mean_filter(&fit.view.couplings).first().copied()?,
                fit.name(),
            );
            first
                .is_finite()
                .then(|| format!("{} for {name}", number(first)))
        })
        .collect();
    figure(
        &panels,
        &[],
        "What a unit’s own spike adds to its drive afterwards, in units of the threshold θ: a thin \
         line per unit, the bold line their mean.",
        &format!(
            "A dip right after the spike is refractoriness; a long stretch above zero lets a unit \
             burst, and is one way in which a network runs away; units that excite each other are \
             the other. Mean at the first lag: {}.",
            if means.is_empty() {
                "not known".into()
            } else {
                means.join(", ")
            }
        ),
    )
}

/// Mean over units at each lag; not a number where no unit has a value.
fn mean_filter(view: &CouplingView) -> Vec<f64> {
    (0..view.lags_s.len())
        .map(|lag| {
            let values = view.self_filters.iter().map(|filter| filter[lag]);
            let (sum, count) = values
                .filter(|v| v.is_finite())
                .fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
            sum / count
        })
        .collect()
}

fn self_panel(fit: &Fit<'_>, lags: &Lags, range: (f64, f64)) -> String {
    let view = &fit.view.couplings;
    let mut chart = Chart::new(
        525.0,
        230.0,
        &Axis::linear(lags.range, lags.label),
        &Axis::linear(range, "coupling onto itself (θ)"),
    );
    chart.horizontal(0.0, Stroke::solid("#777", 1.0));
    chart.lines(
        view.self_filters.iter().map(|filter| lags.curve(filter)),
        Stroke {
            opacity: (4.0 / view.self_filters.len() as f64)
                .sqrt()
                .clamp(0.08, 0.4),
            ..Stroke::solid(fit.color, 0.9)
        },
    );
    let mean = lags.curve(&mean_filter(view));
    // A white rim keeps the mean apart from hundreds of thin lines.
    chart.line(mean.iter().copied(), Stroke::solid("#fff", 6.0));
    chart.line(mean.iter().copied(), Stroke::solid(fit.color, 2.6));
    chart.dots(mean, 2.6, fit.color);
    let units = counted(view.self_filters.len(), "unit");
    let title = format!("{}: each unit onto itself ({units})", fit.name());
    panel(&title, fit.color, &chart.finish(&title))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_and_the_extremes_are_marked() {
        assert_eq!(marks((-0.9, 0.6)), [0.0, -0.9, 0.6]);
        assert_eq!(marks((-0.9, 0.1)), [0.0, -0.9]);
        assert_eq!(marks((0.0, 0.6)), [0.0, 0.6]);
        assert_eq!(marks((0.0, 0.0)), [0.0]);
    }

    #[test]
    fn the_mean_leaves_out_what_is_not_finite() {
        let view = CouplingView {
            lags_s: vec![0.01, 0.02],
            self_filters: vec![vec![1.0, f64::NAN], vec![3.0, f64::INFINITY]],
            ..CouplingView::default()
        };
        let mean = mean_filter(&view);
        assert_eq!(mean[0], 2.0);
        assert!(mean[1].is_nan());
    }
}
