//! The fitted couplings, summed over lags as a matrix.

use super::{Fit, figure, filters, fits, missing, missing_panel, panel, section};
use crate::svg::{Heatmap, Matrix, color_bar};
use crate::{CouplingView, Report};

const TITLE: &str = "Couplings";

pub(crate) fn html(report: &Report) -> String {
    let fits = fits(report);
    let body = matrices(&fits) + &filters::between(&fits) + &filters::onto_itself(&fits);
    section("couplings", TITLE, &body)
}

/// Self-couplings have their own figure; in the matrix they would outshine the rest.
fn hides_diagonal(view: &CouplingView) -> bool {
    view.sources == view.targets && !view.self_filters.is_empty()
}

fn matrix(view: &CouplingView) -> Matrix {
    let hidden = hides_diagonal(view);
    Matrix::new(view.sources, view.targets, |i, j| {
        (!hidden || i != j).then(|| view.summed[i * view.targets + j])
    })
}

fn matrices(fits: &[Fit<'_>]) -> String {
    let all: Vec<Matrix> = fits.iter().map(|fit| matrix(&fit.view.couplings)).collect();
    if all.iter().all(Matrix::is_empty) {
        return missing("There are no couplings between units to show.");
    }
    let scale = Matrix::shared_scale(&all);
    let pooled = all.iter().map(Matrix::pooled_by).max().unwrap_or(1);
    let has_hidden =
        |view: &CouplingView| view.observed > 0 && view.observed < view.sources.max(view.targets);
    let panels: String = fits
        .iter()
        .zip(&all)
        .map(|(fit, matrix)| {
            let view = &fit.view.couplings;
            if matrix.is_empty() {
                return missing_panel(
                    fit.name(),
                    fit.color,
                    "This fit has no couplings between units.",
                );
            }
            let map = Heatmap {
                scale,
                side: if fits.len() > 2 { 280.0 } else { 420.0 },
                border: has_hidden(view).then_some((view.observed, "observed", "hidden")),
                row_label: "source unit",
                column_label: "target unit",
                ..Heatmap::default()
            };
            let svg = map.draw(matrix, &format!("Coupling matrix of {}", fit.name()));
            panel(fit.name(), fit.color, &svg)
        })
        .collect();
    let diagonal = fits.iter().any(|fit| hides_diagonal(&fit.view.couplings));
    let bar = color_bar(
        scale,
        "coupling, summed over lags (θ)",
        diagonal.then_some("onto itself: see below"),
    );
    let pooled = match pooled {
        1 => String::new(),
        by => format!(" Each cell is the mean over {by} by {by} units."),
    };
    let border = if fits.iter().any(|fit| has_hidden(&fit.view.couplings)) {
        " The line parts observed units from hidden ones, which no electrode recorded."
    } else {
        ""
    };
    let figure = figure(
        &panels,
        &[],
        &format!(
            "What a spike of the source unit (row) adds to the drive of the target unit (column), \
             summed over lags, in units of the threshold θ. A drive higher by θ multiplies the \
             odds of a spike in a bin by 2.7.{border}{pooled}"
        ),
        "Red excites, blue inhibits. A single coupling is an estimate: trust patterns of many \
         couplings more than any one of them, and remember that units nobody recorded can make \
         two observed units look coupled.",
    );
    format!("<div class=\"colorbar\">{bar}</div>\n{figure}")
}
