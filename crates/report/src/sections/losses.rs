//! Loss curves, one panel per term.

use super::{Fit, Key, figure, fits, missing, missing_panel, panel, section};
use crate::svg::{Axis, Chart, DATA, Stroke, extent, padded};
use crate::text::count;
use crate::{LossCurve, Report};

const TITLE: &str = "How the fit was found";

pub(crate) fn html(report: &Report) -> String {
    let fits = fits(report);
    let mut terms: Vec<&str> = Vec::new();
    for curve in fits.iter().flat_map(|fit| &fit.view.losses) {
        if !terms.contains(&curve.term.as_str()) {
            terms.push(&curve.term);
        }
    }
    if terms.is_empty() {
        return section(
            "losses",
            TITLE,
            &missing("No losses were recorded during the fit."),
        );
    }
    // Two or four panels fill rows of two, other numbers rows of three.
    let width = if matches!(terms.len(), 2 | 4) {
        525.0
    } else {
        345.0
    };
    let panels: String = terms
        .iter()
        .map(|term| term_panel(&fits, term, width))
        .collect();
    let mut keys = Vec::new();
    for fit in &fits {
        let name = if fits.len() == 1 {
            "training trials"
        } else {
            fit.name()
        };
        keys.push(Key::line(Stroke::solid(fit.color, 1.2), name));
    }
    let points = if fits.len() == 1 { fits[0].color } else { DATA };
    keys.push(Key::dot(points, "validation trials"));
    keys.push(Key::diamond(points, "parameters kept"));
    section(
        "losses",
        TITLE,
        &figure(
            &panels,
            &keys,
            "Each term of the objective over the iterations of the optimiser, without its weight \
             and in its own units; lower is better. The line is the loss on training trials, the \
             dots that on validation trials, the diamond the iteration whose parameters were kept.",
            &kept(&fits),
        ),
    )
}

fn kept(fits: &[Fit<'_>]) -> String {
    let kept: Vec<String> = fits
        .iter()
        .filter_map(|fit| {
            let best = fit
                .view
                .losses
                .iter()
                .find_map(|curve| curve.best_iteration)?;
            best.is_finite().then(|| {
                format!(
                    "{} for {}",
                    count(best.max(0.0).round() as usize),
                    fit.name()
                )
            })
        })
        .collect();
    let kept = if kept.is_empty() {
        String::new()
    } else {
        format!(" Iteration kept: {}.", kept.join(", "))
    };
    format!(
        "A good fit ends flat, with dots that no longer fall. Dots that rise while the line falls \
         mean that the model began to learn its training trials by heart. Dots of a statistic \
         (PSTH, noise covariance) may stay well above the line: there are fewer validation trials, \
         and the chance in their averages, which no model can match, adds to the loss. Judge those \
         by their course, not by their height.{kept}"
    )
}

fn points<'a>(at: &'a [f64], values: &'a [f64]) -> impl Iterator<Item = (f64, f64)> + 'a {
    at.iter().copied().zip(values.iter().copied())
}

fn term_panel(fits: &[Fit<'_>], term: &str, width: f64) -> String {
    let curves: Vec<(Fit<'_>, &LossCurve)> = fits
        .iter()
        .filter_map(|fit| {
            let curve = fit.view.losses.iter().find(|curve| curve.term == term)?;
            Some((*fit, curve))
        })
        .collect();
    let values = || {
        curves
            .iter()
            .flat_map(|(_, curve)| curve.training.iter().chain(&curve.validation).copied())
    };
    let iterations = curves
        .iter()
        .flat_map(|(_, curve)| curve.iterations.iter().chain(&curve.validation_iterations))
        .copied();
    let (Some(x), Some(range)) = (extent(iterations), extent(values())) else {
        return missing_panel(term, DATA, "No finite value was recorded for this term.");
    };
    let x = if x.0 == x.1 { padded(x, 0.0) } else { x };
    let y = if range.0 > 0.0 && range.1 / range.0 > 8.0 {
        let room = (range.1 / range.0).powf(0.05);
        Axis::log((range.0 / room, range.1 * room), false, "loss (log axis)")
    } else {
        Axis::linear(padded(robust(values(), range), 0.06), "loss")
    };
    let mut chart = Chart::new(width, 230.0, &Axis::linear(x, "iteration"), &y);
    for (fit, curve) in &curves {
        chart.line(
            points(&curve.iterations, &curve.training),
            Stroke {
                opacity: 0.75,
                ..Stroke::solid(fit.color, 1.0)
            },
        );
    }
    for (fit, curve) in &curves {
        chart.dots(
            points(&curve.validation_iterations, &curve.validation),
            2.2,
            fit.color,
        );
        if let Some(best) = kept_point(curve) {
            chart.diamond(best, fit.color);
        }
    }
    panel(
        term,
        DATA,
        &chart.finish(&format!("Loss {term} over iterations")),
    )
}

/// The kept iteration on the validation curve, else on the training curve.
fn kept_point(curve: &LossCurve) -> Option<(f64, f64)> {
    let best = curve.best_iteration.filter(|best| best.is_finite())?;
    let nearest = |at: &[f64], values: &[f64]| {
        points(at, values)
            .filter(|(x, y)| x.is_finite() && y.is_finite())
            .min_by(|a, b| (a.0 - best).abs().total_cmp(&(b.0 - best).abs()))
    };
    nearest(&curve.validation_iterations, &curve.validation)
        .or_else(|| nearest(&curve.iterations, &curve.training))
}

/// The range without rare extremes, where those would flatten everything else.
fn robust(values: impl Iterator<Item = f64>, full: (f64, f64)) -> (f64, f64) {
    let mut sorted: Vec<f64> = values.filter(|v| v.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let cut = sorted.len() / 50;
    let core = (sorted[cut], sorted[sorted.len() - 1 - cut]);
    if full.1 - full.0 > 5.0 * (core.1 - core.0) && core.1 > core.0 {
        let room = 0.5 * (core.1 - core.0);
        (core.0 - room, core.1 + room)
    } else {
        full
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_outlier_does_not_set_the_range() {
        let mut values = [1.0, 2.0].repeat(50);
        values.push(1000.0);
        assert_eq!(robust(values.iter().copied(), (1.0, 1000.0)), (0.5, 2.5));
        assert_eq!(robust([1.0, 2.0].into_iter(), (1.0, 2.0)), (1.0, 2.0));
        assert_eq!(robust([5.0, 5.0].into_iter(), (5.0, 5.0)), (5.0, 5.0));
    }

    #[test]
    fn the_diamond_sits_on_the_validation_curve() {
        let curve = LossCurve {
            iterations: vec![0.0, 1.0, 2.0],
            training: vec![3.0, 2.0, 1.0],
            validation_iterations: vec![0.0, 2.0],
            validation: vec![4.0, f64::NAN],
            best_iteration: Some(2.0),
            ..LossCurve::default()
        };
        assert_eq!(kept_point(&curve), Some((0.0, 4.0)));
        let curve = LossCurve {
            validation_iterations: vec![],
            validation: vec![],
            ..curve
        };
        assert_eq!(kept_point(&curve), Some((2.0, 1.0)));
    }
}
