//! Averages of parameters over iterations.

use crate::OptimError;
use crate::error::check_decay;
use refire_kernels::{Real, dispatch};

/// Bias-corrected exponential moving average of parameters: validated and kept in place of the
/// last, noisy ones.
///
/// After n updates it is `sum_i decay^(n-i) p_i / sum_i decay^(n-i)`, kept in the form
///
/// ```text
/// a += (p - a) (1 - decay) / (1 - decay^n)
/// ```
///
/// which gives the first parameters exactly, and constant ones ever after.
#[derive(Clone, Debug, PartialEq)]
pub struct Average<T> {
    decay: f64,
    values: Vec<T>,
    updates: u64,
}

impl<T: Real> Average<T> {
    /// An average of nothing yet, for `parameters` numbers; `decay` in [0, 1) is the weight of
    /// the past: about `1 / (1 - decay)` iterations are averaged, 0 keeps the last.
    ///
    /// # Errors
    /// [`OptimError::Setting`] for a decay out of its range.
    pub fn new(decay: f64, parameters: usize) -> Result<Self, OptimError> {
        Self::from_parts(decay, vec![T::zero(); parameters], 0)
    }

    /// The state that [`Self::decay`], [`Self::values`] and [`Self::updates`] gave.
    ///
    /// # Errors
    /// [`OptimError::Setting`] for a decay out of its range.
    pub fn from_parts(decay: f64, values: Vec<T>, updates: u64) -> Result<Self, OptimError> {
        check_decay("parameter average: decay", decay)?;
        Ok(Self {
            decay,
            values,
            updates,
        })
    }

    /// Takes in the parameters of one iteration.
    ///
    /// # Panics
    /// If their number differs from the average's.
    pub fn update(&mut self, parameters: &[T]) {
        assert_eq!(
            parameters.len(),
            self.values.len(),
            "parameters of the average"
        );
        self.updates += 1;
        let share = (1.0 - self.decay) / (1.0 - self.decay.powf(self.updates as f64));
        let share = T::of(share);
        dispatch(|| {
            for (a, &p) in self.values.iter_mut().zip(parameters) {
                *a += (p - *a) * share;
            }
        });
    }

    /// The weight of the past.
    pub fn decay(&self) -> f64 {
        self.decay
    }

    /// The average, bias-corrected; zeros before the first update.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// Updates taken in.
    pub fn updates(&self) -> u64 {
        self.updates
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn is_the_weighted_mean(
            history in prop::collection::vec(-5.0f64..5.0, 1..40), decay in 0.0f64..0.999,
        ) {
            let mut average = Average::new(decay, 1).unwrap();
            for &p in &history {
                average.update(&[p]);
            }
            let n = history.len() as i32;
            let weights: Vec<f64> = (1..=n).map(|i| decay.powi(n - i)).collect();
            let sum: f64 = history.iter().zip(&weights).map(|(p, w)| p * w).sum();
            let want = sum / weights.iter().sum::<f64>();
            prop_assert!((average.values()[0] - want).abs() < 1e-11);
        }

        #[test]
        fn of_a_constant_is_the_constant(p in -5.0f32..5.0, decay in 0.0f64..0.9999) {
            let mut average = Average::new(decay, 1).unwrap();
            for _ in 0..50 {
                average.update(&[p]);
                prop_assert_eq!(average.values(), &[p]);
            }
        }
    }

    #[test]
    fn resumed_from_parts_equals_straight() {
        let parameters = |i: usize| [(i as f32 * 0.7).sin(), i as f32];
        let mut straight = Average::new(0.95, 2).unwrap();
        (0..30).for_each(|i| straight.update(&parameters(i)));
        let mut half = Average::new(0.95, 2).unwrap();
        (0..11).for_each(|i| half.update(&parameters(i)));
        let mut resumed =
            Average::from_parts(half.decay(), half.values().to_vec(), half.updates()).unwrap();
        (11..30).for_each(|i| resumed.update(&parameters(i)));
        assert_eq!(straight, resumed);
    }

    #[test]
    fn refuses_a_decay_that_never_learns() {
        assert!(Average::<f32>::new(1.0, 1).is_err());
        assert!(Average::<f32>::new(-0.1, 1).is_err());
        assert!(Average::<f32>::new(f64::NAN, 1).is_err());
    }
}
