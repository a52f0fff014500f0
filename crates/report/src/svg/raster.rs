//! Spikes over time: a block per trial, a row per unit.

use super::path::{Cells, pooling, raster_path};
use super::{Anchor, Axis, Chart, extent, rect};

/// Blocks shown at most.
pub(crate) const MOST_TRIALS: usize = 4;

/// What a raster shows. Spikes must lie within its rows and bins.
pub(crate) struct Raster<'a> {
    /// Rows of a block.
    pub(crate) rows: usize,
    /// What the rows are.
    pub(crate) rows_label: &'a str,
    pub(crate) bins: usize,
    pub(crate) first_bin: usize,
    /// Seconds; the axis is in bins where it is not positive.
    pub(crate) bin_width_s: f64,
    /// (bin, row) of each spike.
    pub(crate) trials: &'a [Vec<(u32, u32)>],
    /// What is written above each block.
    pub(crate) names: Vec<String>,
    pub(crate) color: &'static str,
}

fn block_height(rows: usize, trials: usize) -> f64 {
    let most = if trials <= 2 { 220.0 } else { 150.0 };
    (rows as f64 * 4.0).clamp(46.0, most)
}

/// Rows that can be told apart in a block.
pub(crate) fn rows_room(rows: usize, trials: usize) -> usize {
    block_height(rows, trials) as usize
}

impl Raster<'_> {
    pub(crate) fn chart(&self, width: f64) -> Chart {
        let count = self.trials.len().min(MOST_TRIALS);
        let (block, gap) = (block_height(self.rows, count), 20.0);
        let plot = count as f64 * (block + gap);
        let height = plot + 52.0;
        // Absurd widths, whose axis could not be drawn, are as good as none.
        let end = (self.first_bin + self.bins) as f64 * self.bin_width_s;
        let seconds = extent([end]).is_some_and(|(end, _)| end > 0.0);
        let bin = if seconds { self.bin_width_s } else { 1.0 };
        let range = (
            self.first_bin as f64 * bin,
            (self.first_bin + self.bins) as f64 * bin,
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
            &Axis::bare(self.rows_label),
        );
        let wide = chart.right - chart.left;
        let columns_by = pooling(self.bins, wide as usize);
        let rows_by = pooling(self.rows, rows_room(self.rows, count));
        let grid = (self.bins.div_ceil(columns_by), self.rows.div_ceil(rows_by));
        // Where pooling leaves a last incomplete column, it reaches past the end of the trial.
        let stretch = (
            (grid.0 * columns_by) as f64 / self.bins as f64,
            (grid.1 * rows_by) as f64 / self.rows as f64,
        );
        for (index, spikes) in self.trials.iter().take(count).enumerate() {
            let top = chart.top + index as f64 * (block + gap) + gap - 4.0;
            let mut cells = Cells::default();
            for &(bin, row) in spikes {
                let column = (bin as usize - self.first_bin) / columns_by;
                cells.insert((row as usize / rows_by) as i64, column as i64);
            }
            let name = match self.names.get(index).map_or("", String::as_str) {
                "" if spikes.is_empty() => "silent".into(),
                name if spikes.is_empty() => format!("{name}: silent"),
                name => name.to_owned(),
            };
            let look = "class=\"block\"";
            chart.raw(&rect((chart.left, top), (wide, block), look));
            chart.raw(&raster_path(
                &cells,
                grid,
                (chart.left, top),
                (wide * stretch.0, block * stretch.1),
                self.color,
            ));
            chart.text(chart.left + 2.0, top - 5.0, Anchor::Start, &name);
        }
        chart
    }
}
