//! The growth curves as one log-log figure.

use refire_report::{FigureView, Plot, PlotAxis, PlotPoint, ReportError, Role, Series};

use super::{Axis, Curve};

/// Every curve over its size relative to its base, and straight lines of the exponents asked for through
/// the base of the training step.
pub fn svg(curves: &[Curve]) -> Result<String, ReportError> {
    let relative = |curve: &Curve| -> Vec<PlotPoint> {
        let base = curve.base.along(curve.axis);
        let times = curve.times().into_iter();
        times
            .map(|(at, ms)| PlotPoint::exact(at / base, ms))
            .collect()
    };
    let mut series: Vec<Series> = (curves.iter().enumerate())
        .map(|(index, curve)| Series::line(curve.axis.name(), Role::Series(index), relative(curve)))
        .collect();
    let of = |axis: Axis| curves.iter().find(|curve| curve.axis == axis);
    // The lines start at the time of the base, in the middle of what the curves have there.
    let steps = curves.iter().filter(|curve| curve.axis != Axis::Synapses);
    let mut at_base: Vec<f64> = (steps.flat_map(relative).filter(|p| p.x == 1.0))
        .map(|p| p.y)
        .collect();
    at_base.sort_by(f64::total_cmp);
    let at_base = at_base.get(at_base.len() / 2);
    let largest = series.iter().flat_map(|s| &s.points).map(|p| p.x);
    let largest = largest.fold(1.0, f64::max);
    if let Some(start) = at_base.filter(|_| largest > 1.0) {
        series.extend([1, 2].map(|power| {
            Series::line(
                "slope 1 and slope 2",
                Role::Reference,
                [1.0, largest].map(|x: f64| PlotPoint::exact(x, start * x.powi(power))),
            )
        }));
    }
    let sparse = of(Axis::Synapses).map(|curve| {
        let (units, synapses) = (curve.base.units, curve.base.along(curve.axis));
        format!(" (synapses: {synapses} of {units} units, pass and sweep)")
    });
    let plot = Plot {
        title: of(Axis::Units).map_or_else(String::new, |curve| {
            let base = &curve.base;
            format!(
                "A step of {} units, {} bins, {} trials, one size varied",
                base.units, base.bins, base.trials
            )
        }),
        x: PlotAxis::log("size over that of the base".to_owned() + &sparse.unwrap_or_default()),
        y: PlotAxis::log("time (ms)"),
        series,
        horizontal: None,
    };
    let panels = vec![plot.into()];
    FigureView {
        panels,
        ..FigureView::default()
    }
    .to_svg()
}
