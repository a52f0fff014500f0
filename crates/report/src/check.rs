//! Shapes are checked once, before anything is drawn: the drawing code indexes freely after it.

use crate::{
    ClaimsPage, CouplingView, FigureView, FitView, LossCurve, MatrixPanel, NoiseView, Panel,
    PsthExample, RasterPair, RasterPanel, Report, ReportError, ReproductionPage, StabilityView,
    TableView,
};

type Checked = Result<(), ReportError>;

fn length(what: impl FnOnce() -> String, expected: usize, found: usize) -> Checked {
    if expected == found {
        return Ok(());
    }
    Err(ReportError::Length {
        what: what(),
        expected,
        found,
    })
}

fn index(what: impl FnOnce() -> String, first: usize, end: usize, found: usize) -> Checked {
    if (first..end).contains(&found) {
        return Ok(());
    }
    Err(ReportError::OutOfRange {
        what: what(),
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
    let what = |part: &str| format!("values of the {part} loss {} of {fit}", curve.term);
    length(
        || what("training"),
        curve.iterations.len(),
        curve.training.len(),
    )?;
    length(
        || what("validation"),
        curve.validation_iterations.len(),
        curve.validation.len(),
    )
}

fn raster(fit: &str, raster: &RasterPair) -> Checked {
    length(
        || format!("simulated trials in the raster of {fit}"),
        raster.data.len(),
        raster.model.len(),
    )?;
    if !raster.trial_names.is_empty() {
        length(
            || format!("trial names in the raster of {fit}"),
            raster.data.len(),
            raster.trial_names.len(),
        )?;
    }
    let end = raster.first_bin.saturating_add(raster.bins);
    raster
        .data
        .iter()
        .chain(&raster.model)
        .flatten()
        .try_for_each(|&(bin, unit)| {
            let bin_name = || format!("bin of a spike in the raster of {fit}");
            index(bin_name, raster.first_bin, end, bin as usize)?;
            let unit_name = || format!("unit of a spike in the raster of {fit}");
            index(unit_name, 0, raster.units, unit as usize)
        })
}

fn psth(fit: &str, example: &PsthExample) -> Checked {
    let bins = example.time_s.len();
    let what = |part: &str| format!("{part} values of the PSTH {} of {fit}", example.label);
    length(|| what("data"), bins, example.data_hz.len())?;
    length(|| what("model"), bins, example.model_hz.len())?;
    example.breaks.iter().try_for_each(|&at| {
        index(
            || format!("break in the PSTH {} of {fit}", example.label),
            0,
            bins,
            at,
        )
    })
}

fn noise(fit: &str, noise: &NoiseView) -> Checked {
    let units = noise.data.len();
    length(
        || format!("rows of the model noise correlation of {fit}"),
        units,
        noise.model.len(),
    )?;
    noise.data.iter().chain(&noise.model).try_for_each(|row| {
        length(
            || format!("columns of a noise correlation of {fit}"),
            units,
            row.len(),
        )
    })
}

fn couplings(fit: &str, view: &CouplingView) -> Checked {
    let lags = view.lags_s.len();
    length(
        || format!("summed couplings of {fit}"),
        view.sources.saturating_mul(view.targets),
        view.summed.len(),
    )?;
    view.filters.iter().try_for_each(|(name, filter)| {
        length(
            || format!("lags of the filter {name} of {fit}"),
            lags,
            filter.len(),
        )
    })?;
    view.self_filters.iter().try_for_each(|filter| {
        length(
            || format!("lags of a self filter of {fit}"),
            lags,
            filter.len(),
        )
    })
}

fn stability(fit: &str, view: &StabilityView) -> Checked {
    let end = view.time_s.len().saturating_add(1);
    view.traces_hz.iter().try_for_each(|trace| {
        index(
            || format!("length of a stability trace of {fit}"),
            0,
            end,
            trace.len(),
        )
    })
}

pub(crate) fn claims(page: &ClaimsPage) -> Checked {
    page.claims.iter().try_for_each(|claim| {
        claim
            .tables
            .iter()
            .try_for_each(|view| table(&claim.title, view))?;
        claim.figures.iter().try_for_each(figure)
    })
}

fn table(of: &str, table: &TableView) -> Checked {
    let mut rows = table.rows.iter().enumerate();
    rows.try_for_each(|(row, cells)| {
        let what = || {
            format!(
                "cells in row {} of the table {} of {of}",
                row + 1,
                table.title
            )
        };
        length(what, table.header.len(), cells.len())
    })
}

pub(crate) fn figure(figure: &FigureView) -> Checked {
    figure.panels.iter().try_for_each(|panel| match panel {
        Panel::Plot(_) | Panel::Dots(_) => Ok(()),
        Panel::Matrix(panel) => matrix(panel),
        Panel::Raster(panel) => blocks(panel),
    })
}

fn matrix(panel: &MatrixPanel) -> Checked {
    let (rows, columns) = panel.size;
    let title = &panel.title;
    let values = || format!("values of the matrix {title}");
    length(values, rows.saturating_mul(columns), panel.values.len())?;
    let mut first = 0;
    for &at in &panel.groups {
        let what = || format!("first row of a group of the matrix {title}");
        index(what, first + 1, rows.max(columns), at)?;
        first = at;
    }
    let groups = panel.groups.len() + 1;
    for (part, units, names) in [
        ("row", rows, &panel.row_names),
        ("column", columns, &panel.column_names),
    ] {
        // A name per row, or per group where there are groups.
        let per_group = groups > 1 && first < units && names.len() == groups;
        let fits = names.is_empty() || per_group;
        if !fits {
            length(
                || format!("{part} names of the matrix {title}"),
                units,
                names.len(),
            )?;
        }
    }
    Ok(())
}

fn blocks(panel: &RasterPanel) -> Checked {
    let title = &panel.title;
    if !panel.trial_names.is_empty() {
        let what = || format!("trial names of the raster {title}");
        length(what, panel.trials.len(), panel.trial_names.len())?;
    }
    panel.trials.iter().flatten().try_for_each(|&(bin, row)| {
        index(
            || format!("bin of a spike in the raster {title}"),
            0,
            panel.bins,
            bin as usize,
        )?;
        index(
            || format!("row of a spike in the raster {title}"),
            0,
            panel.rows,
            row as usize,
        )
    })
}

pub(crate) fn reproduction(page: &ReproductionPage) -> Checked {
    let names: Vec<&str> = page.figures.iter().map(|of| of.name.as_str()).collect();
    for (at, of) in page.figures.iter().enumerate() {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_".contains(c);
        let expected = "lower-case letters, digits, - and _";
        let what = || format!("name of figure {}", at + 1);
        name(
            what,
            expected,
            &of.name,
            !of.name.is_empty() && of.name.chars().all(plain),
        )?;
        let is_new = !names.iter().take(at).any(|other| *other == of.name);
        name(what, "a name that no other figure has", &of.name, is_new)?;
        for file in &of.files {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            let fits = file.chars().all(plain) && file.chars().any(|c| c.is_ascii_alphanumeric());
            let what = || format!("file of the figure {}", of.name);
            name(what, "letters, digits, ., - and _", file, fits)?;
        }
        of.views.iter().try_for_each(figure)?;
        of.tables
            .iter()
            .try_for_each(|view| table(&of.name, view))?;
    }
    for line in page.claims.iter().filter(|line| !line.figure.is_empty()) {
        let what = || format!("figure of claim {} ({})", line.number, line.measure);
        let known = names.contains(&line.figure.as_str());
        name(
            what,
            &format!("one of {}", names.join(", ")),
            &line.figure,
            known,
        )?;
    }
    Ok(())
}

fn name(what: impl FnOnce() -> String, expected: &str, found: &str, fits: bool) -> Checked {
    if fits {
        return Ok(());
    }
    Err(ReportError::Name {
        what: what(),
        expected: expected.to_owned(),
        found: found.to_owned(),
    })
}
