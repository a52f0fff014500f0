//! Learning rate over the iterations of a fit.

use crate::OptimError;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;

/// The factor on the learning rate at each iteration. The first `warm-up` iterations rise
/// linearly to 1, from `1 / (warm-up + 1)`; 0 iterations unless given.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "kebab-case",
    rename_all_fields = "kebab-case",
    deny_unknown_fields
)]
pub enum Schedule {
    /// 1 (published).
    Constant {
        /// Iterations of warm-up.
        #[serde(default)]
        warm_up: u64,
    },
    /// Half a cosine, from 1 after the warm-up to `floor` at the last iteration.
    Cosine {
        /// Factor at the last iteration, in [0, 1]; 0 unless given.
        #[serde(default)]
        floor: f64,
        /// Iterations of warm-up.
        #[serde(default)]
        warm_up: u64,
    },
}

impl Default for Schedule {
    fn default() -> Self {
        Self::Constant { warm_up: 0 }
    }
}

impl Schedule {
    /// Whether the settings are in their ranges.
    ///
    /// # Errors
    /// [`OptimError::Setting`] for a floor outside [0, 1].
    pub fn check(&self) -> Result<(), OptimError> {
        match *self {
            Self::Cosine { floor, .. } if !(0.0..=1.0).contains(&floor) => {
                Err(OptimError::Setting {
                    quantity: "schedule: floor",
                    found: floor,
                    expected: "a number >= 0 and <= 1",
                })
            }
            _ => Ok(()),
        }
    }

    /// The factor at `iteration`, the first being 0, of a fit of `iterations`.
    pub fn at(&self, iteration: u64, iterations: u64) -> f64 {
        let (Self::Constant { warm_up } | Self::Cosine { warm_up, .. }) = *self;
        if iteration < warm_up {
            return (iteration + 1) as f64 / (warm_up as f64 + 1.0);
        }
        let Self::Cosine { floor, .. } = *self else {
            return 1.0;
        };
        let last = iterations.saturating_sub(1).saturating_sub(warm_up);
        let progress = if last == 0 {
            0.0
        } else {
            ((iteration - warm_up) as f64 / last as f64).min(1.0)
        };
        floor + (1.0 - floor) * 0.5 * (1.0 + (PI * progress).cos())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_is_one_behind_its_warm_up() {
        let schedule = Schedule::Constant { warm_up: 3 };
        let factors: Vec<f64> = (0..6).map(|i| schedule.at(i, 6)).collect();
        assert_eq!(factors, [0.25, 0.5, 0.75, 1.0, 1.0, 1.0]);
        assert_eq!(Schedule::default().at(0, 2000), 1.0);
    }

    #[test]
    fn cosine_ends_at_its_floor() {
        let schedule = Schedule::Cosine {
            floor: 0.2,
            warm_up: 0,
        };
        assert_eq!(schedule.at(0, 101), 1.0);
        assert!((schedule.at(50, 101) - 0.6).abs() < 1e-15);
        // A quarter of the way: 0.2 + 0.8 (1 + cos(pi/4)) / 2.
        assert!((schedule.at(25, 101) - (0.6 + 0.4 * 0.5f64.sqrt())).abs() < 1e-15);
        assert!((schedule.at(100, 101) - 0.2).abs() < 1e-15);
        assert!((schedule.at(1000, 101) - 0.2).abs() < 1e-15);

        let warm = Schedule::Cosine {
            floor: 0.0,
            warm_up: 10,
        };
        assert_eq!(warm.at(9, 111), 10.0 / 11.0);
        assert_eq!(warm.at(10, 111), 1.0);
        assert!((warm.at(60, 111) - 0.5).abs() < 1e-15);
        assert!(warm.at(110, 111).abs() < 1e-15);
        let factors: Vec<f64> = (10..111).map(|i| warm.at(i, 111)).collect();
        assert!(factors.windows(2).all(|w| w[1] < w[0]));
    }

    #[test]
    fn short_fits_stay_in_range() {
        for iterations in 0..4 {
            for warm_up in 0..4 {
                for i in 0..4 {
                    let factor = Schedule::Cosine {
                        floor: 0.1,
                        warm_up,
                    }
                    .at(i, iterations);
                    assert!((0.1..=1.0).contains(&factor), "{factor}");
                }
            }
        }
        assert!(Schedule::Constant { warm_up: u64::MAX }.at(5, 10) > 0.0);
    }

    #[test]
    fn reads_settings() {
        let read = serde_json::from_str::<Schedule>;
        assert_eq!(read(r#"{"kind":"constant"}"#).unwrap(), Schedule::default());
        let cosine = Schedule::Cosine {
            floor: 0.1,
            warm_up: 20,
        };
        assert_eq!(
            read(r#"{"kind":"cosine","floor":0.1,"warm-up":20}"#).unwrap(),
            cosine
        );
        assert!(read(r#"{"kind":"constant","floor":0.1}"#).is_err());
        assert!(read(r#"{"kind":"step"}"#).is_err());
        assert_eq!(cosine.check(), Ok(()));
        assert!(
            Schedule::Cosine {
                floor: 1.5,
                warm_up: 0
            }
            .check()
            .is_err()
        );
        assert!(
            Schedule::Cosine {
                floor: f64::NAN,
                warm_up: 0
            }
            .check()
            .is_err()
        );
    }
}
