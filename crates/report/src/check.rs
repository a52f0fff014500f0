//! Shapes are checked once, before anything is drawn: the drawing code indexes freely after it.

use std::fmt::Display;

use crate::{
    ClaimsPage, CouplingView, FigureView, FitView, LossCurve, MatrixPanel, NoiseView, Panel,
    PsthExample, RasterPair, RasterPanel, Report, ReportError, ReproductionPage, StabilityView,
    TableView,
};

type Checked = Result<(), ReportError>;

fn length(what: impl Display, expected: usize, found: usize) -> Checked {
    if expected == found {
        return Ok(());
    }
    Err(ReportError::Length {
        what: what.to_string(),
        expected,
        found,
    })
}

fn index(what: impl Display, first: usize, end: usize, found: usize) -> Checked {
    if (first..end).contains(&found) {
        return Ok(());
    }
    Err(ReportError::OutOfRange {
        what: what.to_string(),
        first,
        end,
        found,
    })
}

pub(crate) fn report(report: &Report) -> Checked {
    report.fits.iter().try_for_each(|fit| {
        let FitView {
            name,
            losses,
            raster: raster_pair,
            psths,
            noise: noise_view,
            couplings: coupling_view,
            stability: stability_view,
            ..
        } = fit;
        losses.iter().try_for_each(|curve| loss(name, curve))?;
        raster(name, raster_pair)?;
        psths.iter().try_for_each(|example| psth(name, example))?;
        noise_view.iter().try_for_each(|view| noise(name, view))?;
        couplings(name, coupling_view)?;
        stability(name, stability_view)
    })
}

fn loss(fit: &str, curve: &LossCurve) -> Checked {
    for (part, at, values) in [
        ("training", &curve.iterations, &curve.training),
        (
            "validation",
            &curve.validation_iterations,
            &curve.validation,
        ),
    ] {
        let what = format_args!("values of the {part} loss {} of {fit}", curve.term);
        length(what, at.len(), values.len())?;
    }
    Ok(())
}

fn raster(fit: &str, raster: &RasterPair) -> Checked {
    let what = format_args!("simulated trials in the raster of {fit}");
    length(what, raster.data.len(), raster.model.len())?;
    if !raster.trial_names.is_empty() {
        let what = format_args!("trial names in the raster of {fit}");
        length(what, raster.data.len(), raster.trial_names.len())?;
    }
    let end = raster.first_bin.saturating_add(raster.bins);
    for &(bin, unit) in raster.data.iter().chain(&raster.model).flatten() {
        let what = format_args!("bin of a spike in the raster of {fit}");
        index(what, raster.first_bin, end, bin as usize)?;
        let what = format_args!("unit of a spike in the raster of {fit}");
        index(what, 0, raster.units, unit as usize)?;
    }
    Ok(())
}

fn psth(fit: &str, example: &PsthExample) -> Checked {
    let (label, bins) = (&example.label, example.time_s.len());
    for (part, values) in [("data", &example.data_hz), ("model", &example.model_hz)] {
        let what = format_args!("{part} values of the PSTH {label} of {fit}");
        length(what, bins, values.len())?;
    }
    let what = format_args!("break in the PSTH {label} of {fit}");
    let mut breaks = example.breaks.iter();
    breaks.try_for_each(|&at| index(what, 0, bins, at))
}

fn noise(fit: &str, noise: &NoiseView) -> Checked {
    let units = noise.data.len();
    let what = format_args!("rows of the model noise correlation of {fit}");
    length(what, units, noise.model.len())?;
    let what = format_args!("columns of a noise correlation of {fit}");
    let mut rows = noise.data.iter().chain(&noise.model);
    rows.try_for_each(|row| length(what, units, row.len()))
}

fn couplings(fit: &str, view: &CouplingView) -> Checked {
    let lags = view.lags_s.len();
    let summed = view.sources.saturating_mul(view.targets);
    let what = format_args!("summed couplings of {fit}");
    length(what, summed, view.summed.len())?;
    for (name, filter) in &view.filters {
        let what = format_args!("lags of the filter {name} of {fit}");
        length(what, lags, filter.len())?;
    }
    let what = format_args!("lags of a self filter of {fit}");
    let mut filters = view.self_filters.iter();
    filters.try_for_each(|filter| length(what, lags, filter.len()))
}

fn stability(fit: &str, view: &StabilityView) -> Checked {
    let end = view.time_s.len().saturating_add(1);
    let what = format_args!("length of a stability trace of {fit}");
    let mut traces = view.traces_hz.iter();
    traces.try_for_each(|trace| index(what, 0, end, trace.len()))
}

pub(crate) fn claims(page: &ClaimsPage) -> Checked {
    page.claims.iter().try_for_each(|claim| {
        let mut tables = claim.tables.iter();
        tables.try_for_each(|view| table(&claim.title, view))?;
        claim.figures.iter().try_for_each(figure)
    })
}

fn table(of: &str, table: &TableView) -> Checked {
    for (row, cells) in (1..).zip(&table.rows) {
        let what = format_args!("cells in row {row} of the table {} of {of}", table.title);
        length(what, table.header.len(), cells.len())?;
    }
    Ok(())
}

pub(crate) fn figure(figure: &FigureView) -> Checked {
    figure.panels.iter().try_for_each(|panel| match panel {
        Panel::Plot(_) | Panel::Dots(_) => Ok(()),
        Panel::Matrix(panel) => matrix(panel),
        Panel::Raster(panel) => spikes(panel),
    })
}

fn matrix(panel: &MatrixPanel) -> Checked {
    let (rows, columns) = panel.size;
    let title = &panel.title;
    let what = format_args!("values of the matrix {title}");
    length(what, rows.saturating_mul(columns), panel.values.len())?;
    for (part, units, names) in [
        ("row", rows, &panel.row_names),
        ("column", columns, &panel.column_names),
    ] {
        if !names.is_empty() {
            let what = format_args!("{part} names of the matrix {title}");
            length(what, units, names.len())?;
        }
    }
    Ok(())
}

fn spikes(panel: &RasterPanel) -> Checked {
    let title = &panel.title;
    for &(bin, unit) in &panel.spikes {
        let what = format_args!("bin of a spike in the raster {title}");
        index(what, 0, panel.bins, bin as usize)?;
        let what = format_args!("unit of a spike in the raster {title}");
        index(what, 0, panel.units, unit as usize)?;
    }
    Ok(())
}

pub(crate) fn reproduction(page: &ReproductionPage) -> Checked {
    let names: Vec<&str> = page.figures.iter().map(|of| of.name.as_str()).collect();
    for (at, of) in page.figures.iter().enumerate() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        let expected = "lower-case letters, digits, - and _";
        let what = format!("name of figure {}", at + 1);
        let fits = !of.name.is_empty() && of.name.chars().all(plain);
        name(&what, expected, &of.name, fits)?;
        let is_new = !names[..at].contains(&of.name.as_str());
        name(&what, "a name that no other figure has", &of.name, is_new)?;
        for file in &of.files {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let fits = file.chars().all(plain) && file.chars().any(|c| c.is_ascii_alphanumeric());
            let what = format!("file of the figure {}", of.name);
            name(&what, "letters, digits, ., - and _", file, fits)?;
        }
        of.views.iter().try_for_each(figure)?;
        let mut tables = of.tables.iter();
        tables.try_for_each(|view| table(&of.name, view))?;
    }
    let expected = format!("one of {}", names.join(", "));
    for line in page.claims.iter().filter(|line| !line.figure.is_empty()) {
        let what = format!("figure of claim {} ({})", line.number, line.measure);
        let known = names.contains(&line.figure.as_str());
        name(&what, &expected, &line.figure, known)?;
    }
    Ok(())
}

fn name(what: &str, expected: &str, found: &str, fits: bool) -> Checked {
    if fits {
        return Ok(());
    }
    Err(ReportError::Name {
        what: what.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    })
}
