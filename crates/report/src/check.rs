//! Shapes are checked once, before anything is drawn: the drawing code indexes freely after it.

use crate::{
    ClaimsPage, CouplingView, FitView, LossCurve, NoiseView, PsthExample, RasterPair, Report,
    ReportError, StabilityView,
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
        claim.tables.iter().try_for_each(|table| {
            let mut rows = table.rows.iter().enumerate();
            rows.try_for_each(|(row, cells)| {
                let what = || {
                    format!(
                        "cells in row {} of the table {} of {}",
                        row + 1,
                        table.title,
                        claim.title
                    )
                };
                length(what, table.header.len(), cells.len())
            })
        })
    })
}
