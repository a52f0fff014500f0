//! Panels as shapes, for a page and for a file of their own.

use super::plot::{BAND, chart, is_bare_line, left_out};
use super::{DotPlot, FigureView, MatrixPanel, Panel, Plot, RasterPanel, Role, Series, dots};
use crate::sections::Key;
use crate::svg::{Heatmap, Matrix, Raster, Stroke, pooling, rows_room};
use crate::text::number;

/// Matrices of at most this many rows and columns have their numbers written in them.
const WRITTEN: usize = 6;

/// One panel, drawn.
pub(crate) struct Drawing<'a> {
    pub(crate) title: &'a str,
    pub(crate) color: &'static str,
    /// Nothing where there is nothing to show; the notes then say so.
    pub(crate) shapes: Option<Shapes>,
    /// Sentences on what is not shown.
    pub(crate) notes: Vec<String>,
}

pub(crate) struct Shapes {
    pub(crate) width: f64,
    pub(crate) height: f64,
    /// What a reader who cannot see the panel is told.
    pub(crate) description: String,
    pub(crate) body: String,
}

/// How the panels of a figure stand beside each other.
#[derive(Clone, Copy)]
pub(crate) struct Grid {
    pub(crate) columns: usize,
    /// Size of a plot, pixels.
    pub(crate) width: f64,
    pub(crate) height: f64,
}

impl Grid {
    /// Two or four panels fill rows of two, other numbers rows of three; one stands by its
    /// caption. Rows of dots with long names need more room. A row fits a window of 1100 pixels
    /// with its scroll bar.
    pub(crate) fn new(figure: &FigureView) -> Self {
        let (columns, width, height) = match figure.panels.len() {
            0 | 1 => (1, 560.0, 340.0),
            2 | 4 => (2, 515.0, 300.0),
            _ if figure.panels.iter().any(has_long_names) => (2, 515.0, 300.0),
            _ => (3, 340.0, 270.0),
        };
        Self {
            columns,
            width,
            height,
        }
    }
}

fn has_long_names(panel: &Panel) -> bool {
    match panel {
        Panel::Dots(dots) => dots.rows.iter().any(|row| row.name.chars().count() > 18),
        _ => false,
    }
}

/// The colours that the matrices of a figure share.
pub(crate) struct Colors {
    /// The value at the ends of the scale.
    pub(crate) scale: f64,
    /// Whether a value is missing somewhere.
    pub(crate) gaps: bool,
}

impl Colors {
    /// Nothing where no matrix has a number.
    pub(crate) fn new(figure: &FigureView) -> Option<Self> {
        let panels = || {
            figure.panels.iter().filter_map(|panel| match panel {
                Panel::Matrix(panel) => Some(panel),
                _ => None,
            })
        };
        let matrices: Vec<Matrix> = panels().map(matrix).collect();
        if matrices.iter().all(Matrix::is_empty) {
            return None;
        }
        // Every number of a small matrix matters; of a large one, the outermost may be cut.
        let scale = if panels().all(is_small) {
            let values = panels().flat_map(|panel| &panel.values).flatten();
            let sizes = values.map(|v| v.abs()).filter(|v| v.is_finite());
            let largest = sizes.fold(0.0, f64::max);
            if largest > 0.0 { largest } else { 1.0 }
        } else {
            Matrix::shared_scale(&matrices)
        };
        let missing = |value: &Option<f64>| !value.is_some_and(f64::is_finite);
        let gaps = panels().flat_map(|panel| &panel.values).any(missing);
        Some(Self { scale, gaps })
    }
}

impl Panel {
    pub(crate) fn draw(&self, grid: Grid, colors: Option<&Colors>) -> Drawing<'_> {
        match self {
            Self::Plot(plot) => draw_plot(plot, grid),
            Self::Dots(plot) => draw_dots(plot, grid),
            Self::Matrix(panel) => draw_matrix(panel, grid, colors.map_or(1.0, |c| c.scale)),
            Self::Raster(panel) => draw_raster(panel, grid),
        }
    }
}

/// What a reader who cannot see the plot is told.
fn description(plot: &Plot) -> String {
    titled(
        &plot.title,
        format!("{} against {}", plot.y.label, plot.x.label),
    )
}

fn titled(title: &str, what: String) -> String {
    match title {
        "" => what,
        title => format!("{title}: {what}"),
    }
}

fn draw_plot(plot: &Plot, grid: Grid) -> Drawing<'_> {
    let chart = chart(plot, grid.width, grid.height);
    let nothing = chart.is_none().then(|| "There is no point to show.".into());
    Drawing {
        title: &plot.title,
        color: crate::svg::DATA,
        shapes: chart.map(|chart| shapes(chart, description(plot))),
        notes: nothing.into_iter().chain(left_out(plot)).collect(),
    }
}

fn shapes(chart: crate::svg::Chart, description: String) -> Shapes {
    let (width, height) = chart.size();
    Shapes {
        width,
        height,
        description,
        body: chart.shapes(),
    }
}

fn draw_dots(plot: &DotPlot, grid: Grid) -> Drawing<'_> {
    let chart = dots::chart(plot, grid.width);
    let nothing = chart
        .is_none()
        .then(|| "No row has a value to show.".into());
    let rows: Vec<String> = plot
        .rows
        .iter()
        .map(|row| format!("{} {}", row.name, number(row.value.value)))
        .collect();
    let what = format!("{} by row: {}", plot.x.label, rows.join("; "));
    Drawing {
        title: &plot.title,
        color: crate::svg::DATA,
        shapes: chart.map(|chart| shapes(chart, titled(&plot.title, what))),
        notes: nothing.into_iter().chain(dots::left_out(plot)).collect(),
    }
}

fn is_small(panel: &MatrixPanel) -> bool {
    panel.size.0.max(panel.size.1) <= WRITTEN
}

fn matrix(panel: &MatrixPanel) -> Matrix {
    let (rows, columns) = panel.size;
    Matrix::new(rows, columns, |row, column| {
        panel.values.get(row * columns + column).copied().flatten()
    })
}

fn draw_matrix(panel: &MatrixPanel, grid: Grid, scale: f64) -> Drawing<'_> {
    let matrix = matrix(panel);
    let cells = panel.size.0.max(panel.size.1);
    let names = panel
        .row_names
        .iter()
        .map(|name| name.chars().count())
        .max();
    // What the names of the rows take goes off the side.
    let room = grid.width - 66.0 - 7.0 * names.unwrap_or(0) as f64;
    let side = room.clamp(140.0, 400.0);
    let map = Heatmap {
        scale,
        side: if is_small(panel) {
            side.min(68.0 * cells as f64)
        } else {
            side
        },
        row_label: &panel.rows_label,
        column_label: &panel.columns_label,
        row_names: &panel.row_names,
        column_names: &panel.column_names,
        written: is_small(panel),
        border: None,
    };
    let what = format!("matrix, {} by {}", panel.rows_label, panel.columns_label);
    let drawn = (!matrix.is_empty()).then(|| {
        let (width, height, body) = map.shapes(&matrix);
        let description = titled(&panel.title, what);
        Shapes {
            width,
            height,
            description,
            body,
        }
    });
    let note = match (&drawn, matrix.pooled_by()) {
        (None, _) => Some("This matrix has no number to show.".into()),
        (Some(_), 1) => None,
        (Some(_), by) => Some(format!("Each cell is the mean over {by} by {by} units.")),
    };
    Drawing {
        title: &panel.title,
        color: crate::svg::DATA,
        shapes: drawn,
        notes: note.into_iter().collect(),
    }
}

fn draw_raster(panel: &RasterPanel, grid: Grid) -> Drawing<'_> {
    let color = panel.role.color();
    if panel.units == 0 || panel.bins == 0 {
        return Drawing {
            title: &panel.title,
            color,
            shapes: None,
            notes: vec!["No spikes were given to show.".into()],
        };
    }
    let raster = Raster {
        rows: panel.units,
        rows_label: "unit",
        bins: panel.bins,
        first_bin: 0,
        bin_width_s: panel.bin_width_s,
        trials: std::slice::from_ref(&panel.spikes),
        names: Vec::new(),
        color,
    };
    let pooled = match pooling(panel.units, rows_room(panel.units, 1)) {
        1 => None,
        by => Some(format!("Each row of marks holds {by} units.")),
    };
    let description = titled(&panel.title, "spike raster".into());
    Drawing {
        title: &panel.title,
        color,
        shapes: Some(shapes(raster.chart(grid.width), description)),
        notes: pooled.into_iter().collect(),
    }
}

/// The legend of a figure: one entry per name and look, in the order of their first appearance,
/// and what the parts of a row of dots mean.
pub(crate) fn legend(figure: &FigureView) -> Vec<Key<'_>> {
    let series = figure.panels.iter().flat_map(|panel| match panel {
        Panel::Plot(plot) => plot.series.as_slice(),
        _ => &[],
    });
    let mut keys = keys(series);
    let rows = || {
        figure.panels.iter().flat_map(|panel| match panel {
            Panel::Dots(plot) => plot.rows.as_slice(),
            _ => &[],
        })
    };
    if rows().any(|row| row.value.low < row.value.high) {
        keys.push(Key::interval("value, 95 % interval"));
    }
    if rows().any(|row| !row.seeds.is_empty()) {
        keys.push(Key::faint("single seeds"));
    }
    if rows().any(|row| row.ceiling.is_some()) {
        keys.push(Key::tick("ceiling"));
    }
    keys
}

/// One entry per name and look, in the order of their first appearance.
pub(crate) fn keys<'a>(series: impl IntoIterator<Item = &'a Series>) -> Vec<Key<'a>> {
    let mut known: Vec<(&str, Role, bool, bool)> = Vec::new();
    let mut keys = Vec::new();
    for series in series {
        let look = (
            series.name.as_str(),
            series.role,
            series.joined,
            series.band,
        );
        if series.name.is_empty() || known.contains(&look) {
            continue;
        }
        known.push(look);
        let color = series.role.color();
        keys.push(if series.band {
            Key::area(color, BAND, &series.name)
        } else if !is_bare_line(series) {
            Key::marked(series.role.mark(), series.joined, &series.name)
        } else if series.role == Role::Reference {
            Key::line(Stroke::dashed(color, 1.5), &series.name)
        } else {
            Key::line(Stroke::solid(color, 1.6), &series.name)
        });
    }
    keys
}
