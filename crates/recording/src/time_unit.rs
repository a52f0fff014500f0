//! The unit in which a file counts time.

use std::fmt;
use std::str::FromStr;

/// Why a text is no unit of time.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "time unit '{found}': expected s, ms, us or samples=RATE with a rate in Hz such as samples=30000"
)]
pub struct TimeUnitError {
    /// What was given.
    pub found: String,
}

/// What a file counts its times in: seconds unless said otherwise.
///
/// ```
/// use refire_recording::TimeUnit;
///
/// assert_eq!("ms".parse::<TimeUnit>()?.per_second(), 1000.0);
/// assert_eq!("samples=30000".parse::<TimeUnit>()?.per_second(), 30_000.0);
/// # Ok::<(), refire_recording::TimeUnitError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeUnit(f64);

impl TimeUnit {
    /// How many there are in a second.
    pub fn per_second(self) -> f64 {
        self.0
    }
}

impl Default for TimeUnit {
    /// Seconds.
    fn default() -> Self {
        Self(1.0)
    }
}

impl FromStr for TimeUnit {
    type Err = TimeUnitError;

    fn from_str(text: &str) -> Result<Self, TimeUnitError> {
        let per_second = match text.trim() {
            "s" => Some(1.0),
            "ms" => Some(1e3),
            "us" => Some(1e6),
            other => other
                .strip_prefix("samples=")
                .and_then(|rate| rate.trim().parse().ok())
                .filter(|rate: &f64| rate.is_finite() && *rate > 0.0),
        };
        per_second.map(Self).ok_or_else(|| TimeUnitError {
            found: text.escape_debug().to_string(),
        })
    }
}

/// As it is given.
impl fmt::Display for TimeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1.0 => f.write_str("s"),
            1e3 => f.write_str("ms"),
            1e6 => f.write_str("us"),
            rate => write!(f, "samples={rate}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_again_and_nothing_else() {
        for text in ["s", "ms", "us", "samples=30000", "samples=24414.0625"] {
            assert_eq!(text.parse::<TimeUnit>().unwrap().to_string(), text);
        }
        for text in [
            "",
            "min",
            "samples",
            "samples=",
            "samples=0",
            "samples=-1",
            "samples=inf",
        ] {
            let error = text.parse::<TimeUnit>().unwrap_err().to_string();
            assert!(error.contains("samples=30000"), "{error}");
        }
    }
}
