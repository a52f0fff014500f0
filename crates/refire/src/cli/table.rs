//! Plain text tables.

use refire::metrics::Interval;

/// Prints rows under a header, columns aligned: the first to the left, the others to the right.
pub fn print(header: &[&str], rows: &[Vec<String>]) {
    let mut widths: Vec<usize> = header.iter().map(|h| h.chars().count()).collect();
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |cells: &[String]| {
        let mut out = String::new();
        for (column, (cell, width)) in cells.iter().zip(&widths).enumerate() {
            let gap = " ".repeat(width - cell.chars().count());
            if column == 0 {
                out.push_str(&format!("{cell}{gap}"));
            } else {
                out.push_str(&format!("  {gap}{cell}"));
            }
        }
        out.trim_end().to_string()
    };
    let header: Vec<String> = header.iter().map(ToString::to_string).collect();
    say!("{}", line(&header));
    say!(
        "{}",
        "-".repeat(widths.iter().sum::<usize>() + 2 * (widths.len() - 1))
    );
    for row in rows {
        say!("{}", line(row));
    }
}

/// As many digits as needed, three at most that count.
pub fn short(value: f64) -> String {
    let rounded: f64 = format!("{value:.2e}").parse().unwrap_or(value);
    rounded.to_string()
}

/// Three significant decimals, or a dash.
pub fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_string(), |x| format!("{x:.3}"))
}

/// The same with an interval.
pub fn with_interval(value: Option<f64>, interval: Interval) -> String {
    let Interval { low, high } = interval;
    format!("{} ({low:.2} to {high:.2})", number(value))
}

/// The same with a standard deviation, where there is one.
pub fn with_sd(value: Option<f64>, sd: Option<f64>) -> String {
    match (value, sd) {
        (Some(_), Some(sd)) => format!("{} ± {sd:.3}", number(value)),
        _ => number(value),
    }
}
