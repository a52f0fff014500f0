//! Adam (Kingma & Ba, ICLR 2015, arXiv 1412.6980).

use crate::OptimError;
use crate::error::check_decay;
use refire_kernels::{Real, dispatch};
use serde::{Deserialize, Serialize};

/// The constants of [`Adam`]; the learning rate is given step by step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdamSettings {
    /// Weight of the past in the mean of gradients, in [0, 1); published: 0.9.
    pub beta1: f64,
    /// Weight of the past in the mean of squared gradients, in [0, 1); published: 0.999.
    pub beta2: f64,
    /// Added to the root of the squares, above 0; published: 1e-8.
    pub epsilon: f64,
}

impl Default for AdamSettings {
    fn default() -> Self {
        Self {
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
        }
    }
}

/// Adam's state for one parameter tensor.
///
/// ```text
/// m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
/// parameter -= rate * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Adam<T> {
    settings: AdamSettings,
    first: Vec<T>,
    second: Vec<T>,
    steps: u64,
}

impl<T: Real> Adam<T> {
    /// The state before the first step, for `parameters` numbers.
    ///
    /// # Errors
    /// [`OptimError::Setting`] for a constant out of its range.
    pub fn new(settings: AdamSettings, parameters: usize) -> Result<Self, OptimError> {
        let zeros = vec![T::zero(); parameters];
        Self::from_parts(settings, zeros.clone(), zeros, 0)
    }

    /// The state that [`Self::first_moment`], [`Self::second_moment`] and [`Self::steps`] gave.
    ///
    /// # Errors
    /// [`OptimError::Setting`] for a constant out of its range, [`OptimError::Moments`] for
    /// moments of unequal length.
    pub fn from_parts(
        settings: AdamSettings,
        first_moment: Vec<T>,
        second_moment: Vec<T>,
        steps: u64,
    ) -> Result<Self, OptimError> {
        check_decay("Adam: beta1", settings.beta1)?;
        check_decay("Adam: beta2", settings.beta2)?;
        if !(settings.epsilon.is_finite() && settings.epsilon > 0.0) {
            return Err(OptimError::Setting {
                quantity: "Adam: epsilon",
                found: settings.epsilon,
                expected: "a finite number > 0",
            });
        }
        if first_moment.len() != second_moment.len() {
            return Err(OptimError::Moments {
                first: first_moment.len(),
                second: second_moment.len(),
            });
        }
        Ok(Self {
            settings,
            first: first_moment,
            second: second_moment,
            steps,
        })
    }

    /// One step against the gradient. A gradient that is not finite spoils parameters and state:
    /// look at the norm that [`crate::clip_norm`] returns first.
    ///
    /// # Panics
    /// If parameters, gradient and state differ in length.
    pub fn step(&mut self, parameters: &mut [T], gradient: &[T], learning_rate: f64) {
        assert!(
            parameters.len() == self.first.len() && gradient.len() == self.first.len(),
            "Adam: {} parameters and {} gradients, expected {}",
            parameters.len(),
            gradient.len(),
            self.first.len()
        );
        self.steps += 1;
        let AdamSettings {
            beta1,
            beta2,
            epsilon,
        } = self.settings;
        // In double precision: at the first steps 1 - beta^t is a small difference.
        let t = self.steps as f64;
        let rate = T::new(learning_rate / (1.0 - beta1.powf(t)));
        let root_scale = T::new((1.0 / (1.0 - beta2.powf(t))).sqrt());
        let (keep1, add1) = (T::new(beta1), T::new(1.0 - beta1));
        let (keep2, add2) = (T::new(beta2), T::new(1.0 - beta2));
        let epsilon = T::new(epsilon);
        let moments = self.first.iter_mut().zip(&mut self.second);
        dispatch(|| {
            for ((p, &g), (m, v)) in parameters.iter_mut().zip(gradient).zip(moments) {
                *m = keep1 * *m + add1 * g;
                *v = keep2 * *v + add2 * g * g;
                *p -= rate * *m / (v.sqrt() * root_scale + epsilon);
            }
        });
    }

    /// The constants.
    pub fn settings(&self) -> AdamSettings {
        self.settings
    }

    /// Running mean of gradients, one per parameter, not bias-corrected.
    pub fn first_moment(&self) -> &[T] {
        &self.first
    }

    /// Running mean of squared gradients, one per parameter, not bias-corrected.
    pub fn second_moment(&self) -> &[T] {
        &self.second
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The published algorithm, line by line, for one parameter.
    fn reference(settings: AdamSettings, start: f64, gradients: &[f64], rate: f64) -> f64 {
        let (mut theta, mut m, mut v) = (start, 0.0, 0.0);
        for (i, g) in gradients.iter().enumerate() {
            let t = i as i32 + 1;
            m = settings.beta1 * m + (1.0 - settings.beta1) * g;
            v = settings.beta2 * v + (1.0 - settings.beta2) * g * g;
            let m_hat = m / (1.0 - settings.beta1.powi(t));
            let v_hat = v / (1.0 - settings.beta2.powi(t));
            theta -= rate * m_hat / (v_hat.sqrt() + settings.epsilon);
        }
        theta
    }

    proptest! {
        #[test]
        fn follows_the_published_rule(
            gradients in prop::collection::vec((-5.0f64..5.0, -1e-3f64..1e-3), 1..12),
            (beta1, beta2) in (0.0f64..0.99, 0.0f64..0.9999),
        ) {
            let settings = AdamSettings { beta1, beta2, ..AdamSettings::default() };
            let mut double = Adam::new(settings, 2).unwrap();
            let mut single = Adam::new(settings, 2).unwrap();
            let (mut x, mut y) = ([1.0f64, -2.0], [1.0f32, -2.0]);
            for &(a, b) in &gradients {
                double.step(&mut x, &[a, b], 0.05);
                single.step(&mut y, &[a as f32, b as f32], 0.05);
            }
            let (a, b): (Vec<f64>, Vec<f64>) = gradients.into_iter().unzip();
            let want = [reference(settings, 1.0, &a, 0.05), reference(settings, -2.0, &b, 0.05)];
            for i in 0..2 {
                prop_assert!((x[i] - want[i]).abs() < 1e-12);
                prop_assert!((f64::from(y[i]) - want[i]).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn the_first_step_is_the_learning_rate() {
        // m_hat = g, v_hat = g^2, whatever the size of the gradient.
        let mut adam = Adam::new(AdamSettings::default(), 3).unwrap();
        let mut x = [0.0f32; 3];
        adam.step(&mut x, &[1e-3, -50.0, 0.0], 0.01);
        assert!((x[0] + 0.01).abs() < 1e-6);
        assert!((x[1] - 0.01).abs() < 1e-6);
        assert_eq!(x[2], 0.0);
    }

    #[test]
    fn converges_on_an_ill_conditioned_quadratic() {
        let (target, curvature) = ([1.0f32, -2.0, 0.5], [100.0f32, 1.0, 0.01]);
        let mut x = [0.0f32; 3];
        let mut adam = Adam::new(AdamSettings::default(), 3).unwrap();
        for i in 0..3000 {
            let gradient: Vec<f32> = (0..3).map(|j| curvature[j] * (x[j] - target[j])).collect();
            adam.step(&mut x, &gradient, 0.02 * 0.998f64.powi(i));
        }
        for j in 0..3 {
            assert!(
                (x[j] - target[j]).abs() < 1e-3,
                "{} is not {}",
                x[j],
                target[j]
            );
        }
    }

    #[test]
    fn resumed_from_parts_equals_straight() {
        let gradient = |i: usize| [(i as f32 * 0.7).sin(), (i as f32 * 1.3).cos()];
        let settings = AdamSettings::default();
        let mut straight = (Adam::new(settings, 2).unwrap(), [0.3f32, -0.1]);
        let mut resumed = straight.clone();
        for i in 0..40 {
            straight.0.step(&mut straight.1, &gradient(i), 0.01);
        }
        for i in 0..40 {
            if i % 13 == 0 {
                let adam = &resumed.0;
                let (m, v) = (adam.first_moment().to_vec(), adam.second_moment().to_vec());
                resumed.0 = Adam::from_parts(adam.settings(), m, v, adam.steps()).unwrap();
            }
            resumed.0.step(&mut resumed.1, &gradient(i), 0.01);
        }
        assert_eq!(straight, resumed);
    }

    #[test]
    fn refuses_settings_and_parts() {
        let with = |beta1, beta2, epsilon| {
            Adam::<f32>::new(
                AdamSettings {
                    beta1,
                    beta2,
                    epsilon,
                },
                1,
            )
            .is_ok()
        };
        assert!(with(0.0, 0.0, 1e-8));
        assert!(!with(1.0, 0.9, 1e-8));
        assert!(!with(0.9, -0.1, 1e-8));
        assert!(!with(f64::NAN, 0.9, 1e-8));
        assert!(!with(0.9, 0.9, 0.0));
        let parts = Adam::from_parts(AdamSettings::default(), vec![0.0f32; 2], vec![0.0; 3], 1);
        assert_eq!(
            parts,
            Err(OptimError::Moments {
                first: 2,
                second: 3
            })
        );

        let read = serde_json::from_str::<AdamSettings>;
        let half = read(r#"{"beta1":0.5}"#).unwrap();
        assert_eq!(
            half,
            AdamSettings {
                beta1: 0.5,
                ..AdamSettings::default()
            }
        );
        assert!(read(r#"{"beta3":0.5}"#).is_err());
    }
}
