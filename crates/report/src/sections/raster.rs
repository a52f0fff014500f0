//! Spikes of recorded trials beside free-running ones.

use super::{Fit, figure, fits, missing, missing_panel, panel, section};
use crate::svg::{Anchor, Axis, Cells, Chart, DATA, coordinate, pooling, raster_path};
use crate::text::count;
use crate::{RasterPair, Report};

const TITLE: &str = "Spikes: recorded and free-running";

/// Trials shown at most.
const MOST_TRIALS: usize = 4;

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

fn block_height(units: usize, trials: usize) -> f64 {
    let most = if trials <= 2 { 220.0 } else { 150.0 };
    (units as f64 * 4.0).clamp(46.0, most)
}

/// Rows that can be told apart in a block.
fn rows_room(units: usize, trials: usize) -> usize {
    block_height(units, trials) as usize
}

fn stack(
    report: &Report,
    raster: &RasterPair,
    trials: &Trials,
    color: &'static str,
    width: f64,
    description: &str,
) -> String {
    let count = trials.len().min(MOST_TRIALS);
    let (block, gap) = (block_height(raster.units, count), 20.0);
    let plot = count as f64 * (block + gap);
    let height = plot + 52.0;
    let seconds = report.bin_width_s.is_finite() && report.bin_width_s > 0.0;
    let bin = if seconds { report.bin_width_s } else { 1.0 };
    let range = (
        raster.first_bin as f64 * bin,
        (raster.first_bin + raster.bins) as f64 * bin,
    );
    let label = if seconds {
        "time in the trial (s)"
    } else {
        "time in the trial (bins)"
    };
    let mut chart = Chart::new(
        width,
        height,
        &Axis::linear(range, label),
        &Axis::bare("units"),
    );
    let wide = chart.right - chart.left;
    let columns_by = pooling(raster.bins, wide as usize);
    let rows_by = pooling(raster.units, rows_room(raster.units, count));
    let grid = (
        raster.bins.div_ceil(columns_by),
        raster.units.div_ceil(rows_by),
    );
    // Where pooling leaves a last incomplete column, it reaches past the end of the trial.
    let stretch = (
        (grid.0 * columns_by) as f64 / raster.bins as f64,
        (grid.1 * rows_by) as f64 / raster.units as f64,
    );
    for (index, spikes) in trials.iter().take(count).enumerate() {
        let top = chart.top + index as f64 * (block + gap) + gap - 4.0;
        let mut cells = Cells::default();
        for &(bin, unit) in spikes {
            let column = (bin as usize - raster.first_bin) / columns_by;
            cells.insert((unit as usize / rows_by) as i64, column as i64);
        }
        let name = match raster.trial_names.get(index) {
            Some(name) => name.clone(),
            None => format!("trial {}", index + 1),
        };
        let name = if spikes.is_empty() {
            format!("{name}: silent")
        } else {
            name
        };
        chart.raw(&format!(
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\" class=\"block\"/>",
            coordinate(chart.left),
            coordinate(top),
            coordinate(wide),
            coordinate(block)
        ));
        chart.raw(&raster_path(
            &cells,
            grid,
            (chart.left, top),
            (wide * stretch.0, block * stretch.1),
            color,
        ));
        chart.text(chart.left + 2.0, top - 5.0, Anchor::Start, &name);
    }
    chart.finish(&format!("Spike raster: {description}"))
}
