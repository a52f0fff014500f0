//! Names of conditions and units.

use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::convert::Infallible;
use std::fmt::{self, Write};
use std::str::FromStr;

/// Name of a condition or a unit: a whole number, or text.
///
/// What reads as a number sorts by its value, before other text, which sorts letter by letter. A text that reads as a
/// whole number is one:
///
/// ```
/// use refire_recording::Label;
///
/// assert_eq!("3".parse(), Ok(Label::Number(3)));
/// assert_eq!("left".parse(), Ok(Label::Text("left".into())));
/// assert_eq!(Label::from(3).to_string(), "3");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Label {
    /// A whole number.
    Number(i64),
    /// Text.
    Text(String),
}

impl Label {
    /// The number that it reads as.
    fn value(&self) -> Option<f64> {
        match self {
            Self::Number(n) => Some(*n as f64),
            Self::Text(text) => text.parse().ok().filter(|x: &f64| x.is_finite()),
        }
    }

    /// As given.
    pub(crate) fn raw(&self) -> String {
        match self {
            Self::Number(n) => n.to_string(),
            Self::Text(text) => text.clone(),
        }
    }

    /// The numbers, where all labels are numbers.
    pub(crate) fn numbers(labels: &[Self]) -> Option<Vec<i64>> {
        let number = |label: &Self| match label {
            Self::Number(n) => Some(*n),
            Self::Text(_) => None,
        };
        labels.iter().map(number).collect()
    }
}

impl Ord for Label {
    fn cmp(&self, other: &Self) -> Ordering {
        if let (Self::Number(a), Self::Number(b)) = (self, other) {
            return a.cmp(b);
        }
        let by_value = match (self.value(), other.value()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        by_value.then_with(|| self.raw().cmp(&other.raw()))
    }
}

impl PartialOrd for Label {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl From<i64> for Label {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

impl PartialEq<i64> for Label {
    fn eq(&self, number: &i64) -> bool {
        *self == Self::Number(*number)
    }
}

impl FromStr for Label {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text.parse::<i64>() {
            // 007 stays apart from 7.
            Ok(number) if number.to_string() == text => Self::Number(number),
            _ => Self::Text(text.to_string()),
        })
    }
}

/// As given; control characters, which a terminal would obey, are escaped.
impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(n) => n.fmt(f),
            Self::Text(text) => text.chars().try_for_each(|c| {
                if c.is_control() {
                    write!(f, "{}", c.escape_debug())
                } else {
                    f.write_char(c)
                }
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorts_numbers_first_and_keeps_both_in_text_forms() {
        let mut labels: Vec<Label> = ["b", "10", "a", "-2", "007", "2.5", "22.5"]
            .map(|t| t.parse().unwrap())
            .to_vec();
        labels.sort();
        let shown: Vec<String> = labels.iter().map(Label::to_string).collect();
        assert_eq!(shown, ["-2", "2.5", "007", "10", "22.5", "a", "b"]);
        let json = serde_json::to_string(&labels).unwrap();
        assert_eq!(json, r#"[-2,"2.5","007",10,"22.5","a","b"]"#);
        assert_eq!(serde_json::from_str::<Vec<Label>>(&json).unwrap(), labels);
        assert_eq!(Label::numbers(&labels[..1]), Some(vec![-2]));
        assert_eq!(Label::numbers(&labels), None);
        assert!(labels[0] == -2 && labels[0] != 2 && labels[2] != 7);
    }

    #[test]
    fn shows_no_control_characters() {
        let label = Label::Text("\u{1b}[31mred\n\u{e9}".to_string());
        assert_eq!(label.to_string(), "\\u{1b}[31mred\\n\u{e9}");
    }
}
