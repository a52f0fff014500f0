//! The width of a time bin.

use std::fmt;
use std::str::FromStr;

/// Why a text or number is no bin width.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "bin width '{found}': expected a positive finite time such as 10ms, 0.01s or 0.01 (seconds)"
)]
pub struct BinWidthError {
    /// What was given.
    pub found: String,
}

/// Width of a time bin: positive, finite seconds.
///
/// Parses `10ms`, `500us`, `0.01s` and `0.01` (seconds); what it displays parses to the same width.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct BinWidth(f64);

impl BinWidth {
    /// A width in seconds.
    ///
    /// # Errors
    /// [`BinWidthError`] unless positive and finite.
    pub fn from_seconds(seconds: f64) -> Result<Self, BinWidthError> {
        if seconds.is_finite() && seconds > 0.0 {
            Ok(Self(seconds))
        } else {
            Err(BinWidthError {
                found: seconds.to_string(),
            })
        }
    }

    /// For constants known to be positive and finite.
    pub(crate) const fn constant(seconds: f64) -> Self {
        Self(seconds)
    }

    /// The width in seconds.
    pub fn seconds(self) -> f64 {
        self.0
    }
}

impl FromStr for BinWidth {
    type Err = BinWidthError;

    fn from_str(text: &str) -> Result<Self, BinWidthError> {
        let trimmed = text.trim();
        let (number, exponent) = [("ms", "e-3"), ("us", "e-6"), ("s", "")]
            .iter()
            .find_map(|(unit, e)| trimmed.strip_suffix(unit).map(|n| (n.trim_end(), *e)))
            .unwrap_or((trimmed, ""));
        // A decimal exponent keeps 1.4ms the same number as 0.0014: dividing would round twice.
        format!("{number}{exponent}")
            .parse()
            .ok()
            .and_then(|seconds| Self::from_seconds(seconds).ok())
            .ok_or_else(|| BinWidthError {
                found: text.escape_debug().to_string(),
            })
    }
}

impl fmt::Display for BinWidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let milliseconds = (self.0 * 1e12).round() / 1e9;
        let short = format!("{milliseconds}ms");
        if short.parse() == Ok(*self) {
            f.write_str(&short)
        } else {
            write!(f, "{}s", self.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parses_the_three_forms_to_the_same_number() {
        for (text, seconds) in [
            ("10ms", 0.01),
            (" 10 ms ", 0.01),
            ("0.01s", 0.01),
            ("0.01", 0.01),
            ("1e-2", 0.01),
            ("1.4ms", 0.0014),
            ("500us", 0.0005),
            ("2s", 2.0),
        ] {
            assert_eq!(
                text.parse::<BinWidth>().unwrap().seconds(),
                seconds,
                "{text}"
            );
        }
        assert_eq!(BinWidth(0.0014).to_string(), "1.4ms");
        assert_eq!(BinWidth(0.01).to_string(), "10ms");
    }

    #[test]
    fn refuses_what_is_no_width_in_one_line() {
        for text in [
            "", "ms", "s", "0", "0ms", "-1ms", "-0.0", "inf", "nan", "1e400", "1e-400", "10 m",
            "ten ms", "1\n2",
        ] {
            let error = text.parse::<BinWidth>().unwrap_err().to_string();
            assert!(error.contains("10ms") && !error.contains('\n'), "{error}");
        }
        assert!(BinWidth::from_seconds(f64::NAN).is_err());
    }

    proptest! {
        #[test]
        fn display_parses_back(bits in any::<u64>()) {
            let seconds = f64::from_bits(bits).abs();
            if let Ok(width) = BinWidth::from_seconds(seconds) {
                prop_assert_eq!(width.to_string().parse(), Ok(width));
            }
        }
    }
}
