//! From values to pixels, and the ticks between.

use crate::text::{fixed, scientific};

/// Values beyond this are not drawn: their differences could overflow.
const LARGEST: f64 = 1e150;

/// Positive values below this count as zero: ratios to them could overflow.
const SMALLEST: f64 = 1e-150;

/// Smallest and largest drawable value above zero.
pub(crate) fn positive_extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    extent(values.into_iter().filter(|v| *v >= SMALLEST))
}

/// Smallest and largest drawable value.
pub(crate) fn extent(values: impl IntoIterator<Item = f64>) -> Option<(f64, f64)> {
    values
        .into_iter()
        .filter(|v| v.is_finite() && v.abs() < LARGEST)
        .map(|v| if v.abs() < SMALLEST { 0.0 } else { v })
        .fold(None, |range, v| match range {
            None => Some((v, v)),
            Some((low, high)) => Some((low.min(v), high.max(v))),
        })
}

/// Room for the eye at both ends; a single value gets a range around it.
pub(crate) fn padded((low, high): (f64, f64), share: f64) -> (f64, f64) {
    let span = high - low;
    let room = if span > 1e-9 * low.abs().max(high.abs()) {
        share * span
    } else if low == 0.0 {
        1.0
    } else {
        0.2 * low.abs()
    };
    (low - room, high + room)
}

/// Pixels kept at the low end of a logarithmic scale for values that have no logarithm.
const ZERO_ROOM: f64 = 14.0;

/// A map from values to pixels. Values outside the range land on its ends.
#[derive(Debug, Clone)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    from: f64,
    to: f64,
    log: bool,
    /// Where zero and negative values go on a logarithmic scale.
    zero: Option<f64>,
}

pub(crate) struct Tick {
    pub(crate) at: f64,
    pub(crate) label: String,
}

impl Scale {
    pub(crate) fn linear((low, high): (f64, f64), from: f64, to: f64) -> Self {
        Self {
            low,
            high,
            from,
            to,
            log: false,
            zero: None,
        }
    }

    /// `range` must be positive. With `zero`, the low end keeps a place for zero.
    pub(crate) fn log((low, high): (f64, f64), from: f64, to: f64, zero: bool) -> Self {
        let room = if zero {
            ZERO_ROOM * (to - from).signum()
        } else {
            0.0
        };
        Self {
            low: low.ln(),
            high: high.ln(),
            from: from + room,
            to,
            log: true,
            zero: zero.then_some(from + room * 0.25),
        }
    }

    /// The pixel of a value; none if it cannot be drawn.
    pub(crate) fn map(&self, value: f64) -> Option<f64> {
        if value.is_nan() {
            return None;
        }
        let value = match (self.log, value > 0.0) {
            (true, true) => value.ln(),
            (true, false) => return self.zero.or(Some(self.from)),
            (false, _) => value,
        };
        let share =
            ((value.clamp(-LARGEST, LARGEST) - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        share
            .is_finite()
            .then_some(self.from + share * (self.to - self.from))
    }

    /// Whether a value lies beyond either end; on a logarithmic scale, zero and less do.
    pub(crate) fn outside(&self, value: f64) -> bool {
        if self.log && value <= 0.0 {
            return true;
        }
        let value = if self.log { value.ln() } else { value };
        value < self.low || value > self.high
    }

    /// About `wanted` ticks at round values.
    pub(crate) fn ticks(&self, wanted: usize) -> Vec<Tick> {
        let wanted = wanted.max(2);
        let mut ticks: Vec<Tick> = if self.log {
            self.log_ticks(wanted)
        } else {
            linear_ticks(self.low, self.high, wanted)
        }
        .into_iter()
        .filter_map(|(value, label)| {
            Some(Tick {
                at: self.map(value)?,
                label,
            })
        })
        .collect();
        if let Some(at) = self.zero {
            let label = "0".into();
            ticks.insert(0, Tick { at, label });
        }
        ticks
    }

    fn log_ticks(&self, wanted: usize) -> Vec<(f64, String)> {
        let decades = (self.high - self.low) / std::f64::consts::LN_10;
        let first = (self.low / std::f64::consts::LN_10).floor() as i32;
        let last = (self.high / std::f64::consts::LN_10).ceil() as i32;
        let mantissas: &[f64] = if decades * 3.0 <= wanted as f64 + 1.0 {
            &[1.0, 2.0, 5.0]
        } else {
            &[1.0]
        };
        let stride = ((decades / wanted as f64).ceil() as usize).max(1);
        let inside = |v: f64| v.ln() >= self.low - 1e-9 && v.ln() <= self.high + 1e-9;
        let values: Vec<f64> = (first..=last)
            .filter(|exponent| stride == 1 || exponent.rem_euclid(stride as i32) == 0)
            .flat_map(|exponent| mantissas.iter().map(move |m| m * 10f64.powi(exponent)))
            .filter(|&v| inside(v))
            .collect();
        if values.len() < 2 {
            return linear_ticks(self.low.exp(), self.high.exp(), wanted);
        }
        let plain = values.iter().all(|v| (1e-3..1e5).contains(v));
        values
            .into_iter()
            .map(|v| {
                let label = if plain {
                    // As many decimals as the value itself needs: 0.02, 5, 100.
                    fixed(v, (-v.log10()).ceil().max(0.0) as usize)
                } else {
                    scientific(v, 0)
                };
                (v, label)
            })
            .collect()
    }
}

fn linear_ticks(low: f64, high: f64, wanted: usize) -> Vec<(f64, String)> {
    let span = high - low;
    if span.is_nan() || span <= 0.0 {
        return Vec::new();
    }
    let power = 10f64.powf((span / wanted as f64).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|m| m * power)
        .find(|step| span / step < wanted as f64 + 0.5)
        .unwrap_or(10.0 * power);
    let first = (low / step - 1e-9).ceil();
    let last = (high / step + 1e-9).floor();
    let largest = low.abs().max(high.abs());
    let plain = (1e-3..1e5).contains(&largest);
    let decimals = |unit: f64| (unit.log10() - step.log10() - 1e-9).ceil().max(0.0) as usize;
    (0..=(last - first).max(0.0) as usize)
        .map(|i| {
            let value = (first + i as f64) * step;
            let label = if value.abs() < step * 1e-6 {
                "0".into()
            } else if plain {
                fixed(value, decimals(1.0).min(12))
            } else {
                let unit = 10f64.powf((value.abs() * (1.0 + 1e-12)).log10().floor());
                scientific(value, decimals(unit).min(12))
            };
            (value, label)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn labels(scale: &Scale, wanted: usize) -> Vec<String> {
        scale.ticks(wanted).into_iter().map(|t| t.label).collect()
    }

    #[test]
    fn linear_ticks_are_round() {
        let scale = Scale::linear((0.0, 2000.0), 0.0, 400.0);
        assert_eq!(labels(&scale, 5), ["0", "500", "1000", "1500", "2000"]);
        let scale = Scale::linear((-0.13, 0.32), 0.0, 400.0);
        assert_eq!(
            labels(&scale, 5),
            ["−0.1", "0.0", "0.1", "0.2", "0.3"].map(|l| {
                // Zero is written without decimals.
                if l == "0.0" { "0" } else { l }
            })
        );
        let scale = Scale::linear((0.0, 4e-6), 0.0, 400.0);
        assert_eq!(
            labels(&scale, 4),
            ["0", "10⁻⁶", "2·10⁻⁶", "3·10⁻⁶", "4·10⁻⁶"]
        );
    }

    #[test]
    fn log_ticks_are_decades_or_parts_of_them() {
        let scale = Scale::log((0.01, 100.0), 0.0, 400.0, false);
        assert_eq!(labels(&scale, 5), ["0.01", "0.1", "1", "10", "100"]);
        let scale = Scale::log((0.9, 12.0), 0.0, 400.0, true);
        assert_eq!(labels(&scale, 5), ["0", "1", "2", "5", "10"]);
        assert_eq!(scale.map(0.0), Some(3.5));
        let scale = Scale::log((0.31, 0.44), 0.0, 400.0, false);
        assert_eq!(labels(&scale, 3), ["0.35", "0.40"]);
        let scale = Scale::log((1e-7, 1e5), 0.0, 400.0, false);
        assert_eq!(
            labels(&scale, 4),
            ["10⁻⁶", "10⁻³", "1", "10³"].map(|l| { if l == "1" { "10⁰" } else { l } })
        );
    }

    #[test]
    fn values_land_inside_the_range() {
        let scale = Scale::linear((0.0, 10.0), 100.0, 0.0);
        assert_eq!(scale.map(2.5), Some(75.0));
        assert_eq!(scale.map(1e300), Some(0.0));
        assert_eq!(scale.map(f64::NEG_INFINITY), Some(100.0));
        assert_eq!(scale.map(f64::NAN), None);
        assert!(scale.outside(10.1) && !scale.outside(10.0));
        let log = Scale::log((0.1, 10.0), 100.0, 0.0, false);
        assert!(log.outside(0.0) && log.outside(-1.0) && !log.outside(1.0));
        assert_eq!(
            extent([f64::NAN, 3.0, -1.0, f64::INFINITY]),
            Some((-1.0, 3.0))
        );
        assert_eq!(extent([f64::NAN]), None);
        assert_eq!(extent([1e-320, 2.0]), Some((0.0, 2.0)));
        assert_eq!(positive_extent([0.0, 1e-320, 2.0, 3.0]), Some((2.0, 3.0)));
        assert_eq!(padded((2.0, 2.0), 0.1), (1.6, 2.4));
        assert_eq!(padded((0.0, 0.0), 0.1), (-1.0, 1.0));
    }

    proptest! {
        #[test]
        fn any_range_gives_a_few_ordered_ticks(a in -1e12f64..1e12, b in -1e12f64..1e12, e in -20i32..20) {
            let unit = 10f64.powi(e);
            let range = padded((a.min(b) * unit, a.max(b) * unit), 0.05);
            let scale = Scale::linear(range, 0.0, 300.0);
            let ticks = scale.ticks(5);
            prop_assert!((1..=7).contains(&ticks.len()), "{} ticks", ticks.len());
            for pair in ticks.windows(2) {
                prop_assert!(pair[0].at < pair[1].at);
                prop_assert!(pair[0].label != pair[1].label);
            }
        }

        #[test]
        fn any_positive_range_gives_a_few_log_ticks(a in -30f64..30.0, decades in 0.01f64..30.0) {
            let low = 10f64.powf(a);
            let scale = Scale::log((low, low * 10f64.powf(decades)), 0.0, 300.0, false);
            let ticks = scale.ticks(5);
            prop_assert!((1..=8).contains(&ticks.len()), "{} ticks", ticks.len());
        }
    }
}
