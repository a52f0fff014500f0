//! Numbers of a file, whatever their type.

use crate::Label;
use std::fmt;

/// A number of a file, before it takes its type.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Whole(i128),
    Float(f64),
}

impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(n) => n.fmt(f),
            Self::Float(x) => x.fmt(f),
        }
    }
}

impl Number {
    /// As a floating-point number.
    pub fn value(self) -> f64 {
        match self {
            Self::Whole(n) => n as f64,
            Self::Float(x) => x,
        }
    }

    /// The number as a whole one, if it is one and fits.
    pub fn whole<T: TryFrom<i128>>(self) -> Option<T> {
        /// From here on not every whole number has a place among floating-point ones.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        match self {
            Self::Whole(n) => T::try_from(n).ok(),
            Self::Float(x) if x.fract() == 0.0 && x.abs() <= EXACT => T::try_from(x as i128).ok(),
            Self::Float(_) => None,
        }
    }

    /// As a name; `None` where it is not finite.
    pub fn label(self) -> Option<Label> {
        let text = match self {
            // Beyond the whole numbers that a label holds.
            Self::Whole(n) => n.to_string(),
            Self::Float(x) if x.is_finite() => x.to_string(),
            Self::Float(_) => return None,
        };
        Some(self.whole().map_or(Label::Text(text), Label::Number))
    }
}
