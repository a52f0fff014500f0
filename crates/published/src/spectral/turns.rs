//! Sines and cosines between lags and frequencies.

use refire_kernels::Real;
use std::f64::consts::TAU;

/// Turns `w d`, `w = 2 pi f / F`, of every frequency and lag.
#[derive(Clone, Debug)]
pub(super) struct Turns<T> {
    pub lags: usize,
    /// `F`.
    pub size: usize,
    /// `cos w d` and `sin w d`, `[frequency 0..=F/2][lag]`.
    pub cosine: Vec<T>,
    pub sine: Vec<T>,
    /// The same over all frequencies, the mirror images of most counted with them: `[lag][frequency]`.
    pub to_lags: [Vec<T>; 2],
}

impl<T: Real> Turns<T> {
    pub fn new(lags: usize) -> Self {
        // Long enough for a tile to be longer than what it is kept apart by.
        let size = (12 * lags).next_power_of_two().max(16);
        let half = size / 2;
        let turn = |f: usize, d: usize| (f * d % size) as f64 / size as f64 * TAU;
        let once = |f: usize| if f.is_multiple_of(half) { 1.0 } else { 2.0 };
        let by_frequency = |of: fn(f64) -> f64| {
            let all = (0..=half).flat_map(|f| (0..lags).map(move |d| (f, d)));
            all.map(|(f, d)| T::new(of(turn(f, d)))).collect()
        };
        let by_lag = |of: fn(f64) -> f64| {
            let all = (0..lags).flat_map(|d| (0..=half).map(move |f| (f, d)));
            all.map(|(f, d)| T::new(once(f) / size as f64 * of(turn(f, d))))
                .collect()
        };
        Self {
            lags,
            size,
            cosine: by_frequency(f64::cos),
            sine: by_frequency(f64::sin),
            to_lags: [by_lag(f64::cos), by_lag(f64::sin)],
        }
    }
}
