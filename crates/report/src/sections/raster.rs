//! Spikes of recorded trials beside free-running ones.

use super::{Fit, figure, fits, missing, missing_panel, panel, section};
use crate::svg::{DATA, MOST_TRIALS, Raster, pooling, rows_room};
use crate::text::count;
use crate::{RasterPair, Report};

const TITLE: &str = "Spikes: recorded and free-running";

type Trials = [Vec<(u32, u32)>];

pub(crate) fn html(report: &Report) -> String {
    let fits = fits(report);
    let shown: Vec<&Fit<'_>> = fits.iter().filter(|fit| usable(&fit.view.raster)).collect();
    if shown.is_empty() {
        return section(
            "raster",
            TITLE,
            &missing("No trials were given to show as rasters."),
        );
    }
    let same_data = shown.windows(2).all(|pair| {
        let (a, b) = (&pair[0].view.raster, &pair[1].view.raster);
        a.data == b.data && a.units == b.units && a.bins == b.bins && a.first_bin == b.first_bin
    });
    let columns = if same_data { shown.len() + 1 } else { 2 };
    let width = if columns == 2 { 525.0 } else { 345.0 };
    let mut panels = String::new();
    for (index, fit) in fits.iter().enumerate() {
        let raster = &fit.view.raster;
        if !usable(raster) {
            panels += &missing_panel(fit.name(), fit.color, "No trials were given for this fit.");
            continue;
        }
        if index == 0 || !same_data {
            let svg = stack(report, raster, &raster.data, DATA, width, "recorded trials");
            panels += &panel("data", DATA, &svg);
        }
        let description = format!("{}, free-running", fit.name());
        let svg = stack(
            report,
            raster,
            &raster.model,
            fit.color,
            width,
            &description,
        );
        panels += &panel(&description, fit.color, &svg);
    }
    section(
        "raster",
        TITLE,
        &figure(&panels, &[], &shows(&shown), &read(&shown)),
    )
}

fn usable(raster: &RasterPair) -> bool {
    raster.units > 0 && raster.bins > 0 && !raster.data.is_empty()
}

fn shows(shown: &[&Fit<'_>]) -> String {
    let trials = shown
        .iter()
        .map(|fit| fit.view.raster.data.len())
        .max()
        .unwrap_or(0);
    let units = shown
        .iter()
        .map(|fit| fit.view.raster.units)
        .max()
        .unwrap_or(0);
    let cut = if trials > MOST_TRIALS {
        format!(" The first {MOST_TRIALS} of {trials} trials are shown.")
    } else {
        String::new()
    };
    let pooled = match pooling(units, rows_room(units, trials.min(MOST_TRIALS))) {
        1 => String::new(),
        by => format!(" Each row holds {by} units."),
    };
    format!(
        "Each mark is a spike, each row a unit, each block a trial. Left, recorded trials; beside \
         them the network on its own in the same conditions: it hears only its own spikes, never \
         the recorded ones.{cut}{pooled}"
    )
}

fn read(shown: &[&Fit<'_>]) -> String {
    let total = |trials: &Trials| trials.iter().map(Vec::len).sum::<usize>();
    let counts: Vec<String> = shown
        .iter()
        .map(|fit| {
            let (data, model) = (total(&fit.view.raster.data), total(&fit.view.raster.model));
            format!(
                "{} against {} recorded ({})",
                count(model),
                count(data),
                fit.name()
            )
        })
        .collect();
    format!(
        "A good model cannot be told from the data at a glance: the same density, the same busy \
         and silent units, the same moments of common activity, but not the same single spikes. \
         Rare bursts need not show in so few trials. Spikes in these trials: {}.",
        counts.join("; ")
    )
}

fn stack(
    report: &Report,
    raster: &RasterPair,
    trials: &Trials,
    color: &'static str,
    width: f64,
    description: &str,
) -> String {
    let names = (0..trials.len()).map(|index| match raster.trial_names.get(index) {
        Some(name) => name.clone(),
        None => format!("trial {}", index + 1),
    });
    let drawn = Raster {
        rows: raster.units,
        rows_label: "units",
        bins: raster.bins,
        first_bin: raster.first_bin,
        bin_width_s: report.bin_width_s,
        trials,
        names: names.collect(),
        color,
    };
    let chart = drawn.chart(width);
    chart.finish(&format!("Spike raster: {description}"))
}
