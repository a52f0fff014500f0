//! Every number of a figure as a table.

/// A table: numbers in full, text without surprises.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Csv {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

impl Csv {
    /// A table without rows.
    pub fn new(header: &[&str]) -> Self {
        Self {
            header: header.iter().map(ToString::to_string).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells that are missing are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Cell>) {
        let mut row: Vec<String> = cells.into_iter().map(|cell| cell.0).collect();
        row.resize(self.header.len(), String::new());
        self.rows.push(row);
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
}

impl std::fmt::Display for Csv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for row in std::iter::once(&self.header).chain(&self.rows) {
            let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
            writeln!(f, "{}", cells.join(","))?;
        }
        Ok(())
    }
}

/// As RFC 4180 asks.
fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_string()
    }
}

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell(String);

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self(text.to_string())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<f64> for Cell {
    /// The shortest text that reads back as the same number; empty where it is none.
    fn from(value: f64) -> Self {
        Self(if value.is_finite() {
            value.to_string()
        } else {
            String::new()
        })
    }
}

impl From<Option<f64>> for Cell {
    fn from(value: Option<f64>) -> Self {
        value.unwrap_or(f64::NAN).into()
    }
}

impl From<usize> for Cell {
    fn from(value: usize) -> Self {
        Self(value.to_string())
    }
}

impl From<u64> for Cell {
    fn from(value: u64) -> Self {
        Self(value.to_string())
    }
}

/// A row of cells of different types.
macro_rules! cells {
    ($($cell:expr),* $(,)?) => { [$($crate::csv::Cell::from($cell)),*] };
}
pub(crate) use cells;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_whole_and_text_is_quoted_where_it_must_be() {
        let mut csv = Csv::new(&["name", "value", "seed"]);
        csv.row(cells!["a, \"b\"", 0.1 + 0.2, 3u64]);
        csv.row(cells!["nothing", None::<f64>]);
        assert_eq!(
            csv.to_string(),
            "name,value,seed\n\"a, \"\"b\"\"\",0.30000000000000004,3\nnothing,,\n"
        );
        assert_eq!(csv.len(), 2);
    }
}
