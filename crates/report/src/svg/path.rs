//! Path data for many equal shapes.

use std::collections::{BTreeMap, BTreeSet};

use super::px;

/// How many neighbours to pool so that `count` items fit into `room` places.
pub(crate) fn pooling(count: usize, room: usize) -> usize {
    count.div_ceil(room.max(1)).max(1)
}

/// Filled cells of an integer grid as runs along their rows, for a stroke one unit thick.
#[derive(Default)]
pub(crate) struct Cells(BTreeSet<(i64, i64)>);

impl Cells {
    pub(crate) fn insert(&mut self, row: i64, column: i64) {
        self.0.insert((row, column));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Path data; each run is stretched to at least `width` columns.
    pub(crate) fn path(&self, width: i64) -> String {
        let mut runs: Vec<(i64, i64, i64)> = Vec::new();
        for &(row, column) in &self.0 {
            match runs.last_mut() {
                Some((last_row, _, end)) if *last_row == row && *end >= column => {
                    *end = column + 1;
                }
                _ => runs.push((row, column, column + 1)),
            }
        }
        let mut path = String::new();
        let mut pen = (0, 0);
        for (row, start, end) in runs {
            let end = end.max(start + width);
            path += &if row == pen.0 && !path.is_empty() {
                format!("m{} 0h{}", start - pen.1, end - start)
            } else {
                format!("M{start} {row}h{}", end - start)
            };
            pen = (row, end);
        }
        path
    }
}

/// Spikes as (column, row) of a grid of `columns` by `rows` cells drawn on `width` by `height`
/// pixels with its corner at (`left`, `top`). Every mark stays at least a pixel wide and high.
pub(crate) fn raster_path(
    cells: &Cells,
    (columns, rows): (usize, usize),
    (left, top): (f64, f64),
    (width, height): (f64, f64),
    color: &str,
) -> String {
    if cells.is_empty() {
        return String::new();
    }
    let (sx, sy) = (width / columns as f64, height / rows as f64);
    let mark = (1.1 / sx).ceil().max(1.0) as i64;
    let thickness = (1.2 / sy).max(0.8);
    format!(
        "<path transform=\"translate({} {}) scale({sx:.5} {sy:.5})\" fill=\"none\" \
         stroke=\"{color}\" stroke-width=\"{}\" d=\"{}\"/>",
        px(left),
        px(top + sy / 2.0),
        (thickness * 100.0).round() / 100.0,
        cells.path(mark)
    )
}

/// Points as round dots. Where points coincide, the dot is darker, so that a cloud of 100 000
/// points shows its density and stays small.
pub(crate) fn dots(points: &[(f64, f64)], radius: f64, color: &str) -> String {
    let grid = if points.len() > 800 { 1.5 } else { 0.1 };
    let mut cells = BTreeMap::<(i64, i64), u64>::new();
    for &(x, y) in points {
        let cell = ((x / grid).round() as i64, (y / grid).round() as i64);
        *cells.entry(cell).or_default() += 1;
    }
    let most = cells.values().copied().max().unwrap_or(0);
    let class = |count: u64| match count {
        _ if most <= 1 => 1,
        1 => 0,
        2..=4 => 1,
        5..=16 => 2,
        _ => 3,
    };
    let mut paths: [String; 4] = Default::default();
    for (&(x, y), &count) in &cells {
        paths[class(count)] += &format!("M{} {}h.01", px(x as f64 * grid), px(y as f64 * grid));
    }
    paths
        .iter()
        .zip(["0.4", "0.6", "0.8", "1"])
        .filter(|(path, _)| !path.is_empty())
        .map(|(path, opacity)| {
            format!(
                "<path fill=\"none\" stroke=\"{color}\" stroke-opacity=\"{opacity}\" \
                 stroke-linecap=\"round\" stroke-width=\"{}\" d=\"{path}\"/>",
                px(2.0 * radius)
            )
        })
        .collect()
}

/// A polyline with gaps. Points that share a column of half a pixel are reduced to their
/// extremes, which looks the same and bounds the size.
pub(crate) fn polyline(points: impl IntoIterator<Item = Option<(f64, f64)>>) -> String {
    let mut path = String::new();
    let mut column: Vec<(f64, f64)> = Vec::new();
    let mut pen_down = false;
    for point in points.into_iter().chain([None]) {
        let same_column = match (point, column.first()) {
            (Some((x, _)), Some(&(first, _))) => (x - first).abs() < 0.5,
            _ => false,
        };
        if !same_column {
            for (x, y) in extremes(&column) {
                let command = if pen_down { " " } else { "M" };
                path += &format!("{command}{} {}", px(x), px(y));
                pen_down = true;
            }
            column.clear();
        }
        match point {
            Some(point) => column.push(point),
            None => pen_down = false,
        }
    }
    path
}

/// First, lowest, highest and last point of a column, in their order.
fn extremes(column: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if column.len() <= 4 {
        return column.to_vec();
    }
    let at = |better: fn(f64, f64) -> bool| {
        (0..column.len()).fold(0, |best, i| {
            if better(column[i].1, column[best].1) {
                i
            } else {
                best
            }
        })
    };
    let mut kept = vec![0, at(|a, b| a < b), at(|a, b| a > b), column.len() - 1];
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().map(|i| column[i]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(list: &[(i64, i64)]) -> Cells {
        let mut cells = Cells::default();
        for &(row, column) in list {
            cells.insert(row, column);
        }
        cells
    }

    #[test]
    fn neighbours_merge_into_runs() {
        let cells = cells(&[(0, 2), (0, 3), (0, 7), (2, 0), (0, 2)]);
        assert_eq!(cells.path(1), "M2 0h2m3 0h1M0 2h1");
        // Stretched marks may overlap the next: the pen then moves back.
        assert_eq!(cells.path(4), "M2 0h4m1 0h4M0 2h4");
        assert_eq!(Cells::default().path(1), "");
    }

    #[test]
    fn a_gap_lifts_the_pen() {
        let line = polyline([Some((0.0, 1.0)), Some((2.0, 3.0)), None, Some((4.0, 5.0))]);
        assert_eq!(line, "M0 1 2 3M4 5");
    }

    #[test]
    fn dense_lines_keep_their_extremes() {
        let wave = (0..100_000).map(|i| {
            let height = if i == 50_001 { 777.0 } else { f64::from(i % 3) };
            Some((f64::from(i) * 1e-3, height))
        });
        let line = polyline(wave);
        assert!(line.len() < 10_000, "{} bytes", line.len());
        assert_eq!(line.matches(" 777").count(), 1);
    }

    #[test]
    fn coinciding_points_are_drawn_once_and_darker() {
        let once = dots(&[(1.0, 1.0), (5.0, 5.0)], 2.0, "red");
        assert_eq!(once.matches("h.01").count(), 2);
        let twice = dots(&[(1.0, 1.0), (1.0, 1.0), (5.0, 5.0)], 2.0, "red");
        assert_eq!(twice.matches("h.01").count(), 2);
        assert_eq!(twice.matches("<path").count(), 2);
        assert_eq!(dots(&[], 2.0, "red"), "");
        assert_eq!(pooling(500, 150), 4);
        assert_eq!(pooling(0, 150), 1);
    }
}
