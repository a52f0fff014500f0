//! Examples: PSTHs, noise correlations and spikes of single fits.

use refire_fit::Form;
use refire_report::{
    FigureView, MatrixPanel, Panel, Plot, PlotAxis, PlotPoint, RasterPanel, Role, Series,
};

use super::Fits;
use super::examples::Examples;
use crate::fits::Method;

/// The fits of which examples are shown.
const SHOWN: [Method; 3] = [
    Method::Mle,
    Method::Full(Form::Published),
    Method::Full(Form::Corrected),
];

/// Examples of the fits shown.
fn examples(found: &Fits) -> Vec<(Method, &Examples)> {
    let of = |method: Method| {
        let mut fits = found.iter().filter(move |(item, _)| item.method == method);
        fits.find_map(|(_, found)| Some((method, found.examples.as_ref()?)))
    };
    SHOWN.into_iter().filter_map(of).collect()
}

fn figure(title: &str, caption: &str, panels: Vec<Panel>, scale_label: &str) -> Option<FigureView> {
    (!panels.is_empty()).then(|| FigureView {
        title: title.into(),
        caption: caption.into(),
        panels,
        scale_label: scale_label.into(),
    })
}

/// PSTHs of a few units.
pub(super) fn psths(found: &Fits) -> Option<FigureView> {
    let examples = examples(found);
    let (_, first) = examples.first()?;
    let panel = |at: usize| -> Panel {
        let line = |method: Option<Method>, course: &[f64]| {
            Series::line(
                method.map_or("data", Method::name),
                role(method),
                course.iter().enumerate().map(|(bin, rate)| {
                    PlotPoint::exact(bin as f64 * first.bin_s, rate / first.bin_s)
                }),
            )
        };
        let data = first.psths.get(at).map(|p| line(None, &p.data));
        let models = examples.iter().filter(|(method, _)| *method != SHOWN[1]);
        let models =
            models.filter_map(|(method, e)| Some(line(Some(*method), &e.psths.get(at)?.model)));
        Plot {
            title: format!("unit {}", first.psths.get(at).map_or(0, |p| p.unit)),
            x: PlotAxis::linear("time, s"),
            y: PlotAxis::linear("rate, Hz"),
            series: data.into_iter().chain(models).collect(),
            ..Plot::default()
        }
        .into()
    };
    figure(
        "PSTHs of three units",
        "Trial-averaged spikes of test trials and of as many free-running ones, the units whose rate varies \
         most (first seed, start of the stimulus).",
        (0..first.psths.len()).map(panel).collect(),
        "",
    )
}

/// Noise correlations of data and fits.
pub(super) fn matrices(found: &Fits) -> Option<FigureView> {
    let examples = examples(found);
    let (_, first) = examples.first()?;
    let panel = |title: &str, values: &[Option<f64>]| -> Panel {
        MatrixPanel {
            title: title.into(),
            rows_label: "unit".into(),
            columns_label: "unit".into(),
            size: (first.units, first.units),
            values: values.to_vec(),
            ..MatrixPanel::default()
        }
        .into()
    };
    let mut panels = vec![panel("data", &first.noise_data)];
    panels.extend(
        examples
            .iter()
            .map(|(method, e)| panel(method.name(), &e.noise_model)),
    );
    figure(
        "Noise correlations",
        "Correlation of spikes in the same bin over repeats, after the mean response is taken away: test \
         trials and free-running ones (first seed).",
        panels,
        "noise correlation",
    )
}

/// Spikes of one trial.
pub(super) fn rasters(found: &Fits) -> Option<FigureView> {
    let examples = examples(found);
    let (_, first) = examples.first()?;
    let panel = |method: Option<Method>, spikes: &[(u32, u32)]| -> Panel {
        RasterPanel {
            title: method.map_or("data", Method::name).into(),
            role: role(method),
            units: first.units,
            bins: first.bins,
            bin_width_s: first.bin_s,
            spikes: spikes.to_vec(),
        }
        .into()
    };
    let mut panels = vec![panel(None, &first.raster_data)];
    panels.extend(
        examples
            .iter()
            .map(|(method, e)| panel(Some(*method), &e.raster_model)),
    );
    figure(
        "Spikes of one trial",
        "A row per unit: a test trial and a free-running one of each fit (first seed).",
        panels,
        "",
    )
}

/// The role of a method or, without one, of the data.
fn role(method: Option<Method>) -> Role {
    method.map_or(
        Role::Objective(refire_report::ObjectiveRole::Data),
        Method::role,
    )
}
