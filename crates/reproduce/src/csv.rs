//! Every number of a figure as a table.

use serde_json::Value;

/// A table: numbers in full, text without surprises.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Csv {
    header: Vec<Value>,
    rows: Vec<Vec<Value>>,
}

impl Csv {
    /// A table without rows.
    pub fn new(header: &[&str]) -> Self {
        Self {
            header: header.iter().map(|&name| name.into()).collect(),
            rows: Vec::new(),
        }
    }

    /// Adds a row; cells that are missing are empty.
    pub fn row(&mut self, cells: impl IntoIterator<Item = Value>) {
        let mut row: Vec<Value> = cells.into_iter().collect();
        row.resize(self.header.len(), Value::Null);
        self.rows.push(row);
    }
}

impl std::fmt::Display for Csv {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for row in std::iter::once(&self.header).chain(&self.rows) {
            let cells: Vec<String> = row.iter().map(text).collect();
            writeln!(f, "{}", cells.join(","))?;
        }
        Ok(())
    }
}

/// As RFC 4180 asks; numbers as the shortest text that reads back as the same, nothing where there is none.
fn text(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) if text.contains([',', '"', '\n', '\r']) => {
            format!("\"{}\"", text.replace('"', "\"\""))
        }
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(String::new, |x| x.to_string())
        }
        other => other.to_string(),
    }
}

/// A row of cells of different types.
macro_rules! cells {
    ($($cell:expr),* $(,)?) => { [$(serde_json::Value::from($cell)),*] };
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
        csv.row(cells![1.0, f64::NAN]);
        assert_eq!(
            csv.to_string(),
            "name,value,seed\n\"a, \"\"b\"\"\",0.30000000000000004,3\nnothing,,\n1,,\n"
        );
    }
}
