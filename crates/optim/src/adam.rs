//! Adam (Kingma & Ba, ICLR 2015, arXiv 1412.6980).

use refire_kernels::{Real, dispatch};

/// Weight of the past in the mean of gradients (published).
const BETA_1: f64 = 0.9;
/// Weight of the past in the mean of squared gradients (published).
const BETA_2: f64 = 0.999;
/// Added to the root of the squares (published).
const EPSILON: f64 = 1e-8;

/// Adam's state for one parameter tensor, with the published constants.
///
/// ```text
/// m = beta1 m + (1 - beta1) g          v = beta2 v + (1 - beta2) g^2
/// parameter -= rate * m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon)
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Adam<T> {
    first: Vec<T>,
    second: Vec<T>,
    steps: u64,
}

impl<T: Real> Adam<T> {
    /// The state before the first step, for `parameters` numbers.
    pub fn new(parameters: usize) -> Self {
        Self {
            first: vec![T::zero(); parameters],
            second: vec![T::zero(); parameters],
            steps: 0,
        }
    }

    /// The state that [`Self::first_moment`], [`Self::second_moment`] and [`Self::steps`] gave; `None` for
    /// moments of unequal length.
    pub fn from_parts(first: Vec<T>, second: Vec<T>, steps: u64) -> Option<Self> {
        (first.len() == second.len()).then_some(Self {
            first,
            second,
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
        // In double precision: at the first steps 1 - beta^t is a small difference.
        let t = self.steps as f64;
        let rate = T::new(learning_rate / (1.0 - BETA_1.powf(t)));
        let root_scale = T::new((1.0 / (1.0 - BETA_2.powf(t))).sqrt());
        let (keep1, add1) = (T::new(BETA_1), T::new(1.0 - BETA_1));
        let (keep2, add2) = (T::new(BETA_2), T::new(1.0 - BETA_2));
        let epsilon = T::new(EPSILON);
        let moments = self.first.iter_mut().zip(&mut self.second);
        dispatch(|| {
            for ((p, &g), (m, v)) in parameters.iter_mut().zip(gradient).zip(moments) {
                *m = keep1 * *m + add1 * g;
                *v = keep2 * *v + add2 * g * g;
                *p -= rate * *m / (v.sqrt() * root_scale + epsilon);
            }
        });
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
    fn reference(start: f64, gradients: &[f64], rate: f64) -> f64 {
        let (mut theta, mut m, mut v) = (start, 0.0, 0.0);
        for (i, g) in gradients.iter().enumerate() {
            let t = i as i32 + 1;
            m = BETA_1 * m + (1.0 - BETA_1) * g;
            v = BETA_2 * v + (1.0 - BETA_2) * g * g;
            let m_hat = m / (1.0 - BETA_1.powi(t));
            let v_hat = v / (1.0 - BETA_2.powi(t));
            theta -= rate * m_hat / (v_hat.sqrt() + EPSILON);
        }
        theta
    }

    proptest! {
        #[test]
        fn follows_the_published_rule(
            gradients in prop::collection::vec((-5.0f64..5.0, -1e-3f64..1e-3), 1..12),
        ) {
            let (mut double, mut single) = (Adam::new(2), Adam::new(2));
            let (mut x, mut y) = ([1.0f64, -2.0], [1.0f32, -2.0]);
            for &(a, b) in &gradients {
                double.step(&mut x, &[a, b], 0.05);
                single.step(&mut y, &[a as f32, b as f32], 0.05);
            }
            let (a, b): (Vec<f64>, Vec<f64>) = gradients.into_iter().unzip();
            let want = [reference(1.0, &a, 0.05), reference(-2.0, &b, 0.05)];
            for i in 0..2 {
                prop_assert!((x[i] - want[i]).abs() < 1e-12);
                prop_assert!((f64::from(y[i]) - want[i]).abs() < 1e-4);
            }
        }
    }

    #[test]
    fn resumed_from_parts_equals_straight() {
        let gradient = |i: usize| [(i as f32 * 0.7).sin(), (i as f32 * 1.3).cos()];
        let mut straight = (Adam::new(2), [0.3f32, -0.1]);
        let mut resumed = straight.clone();
        for i in 0..40 {
            straight.0.step(&mut straight.1, &gradient(i), 0.01);
        }
        for i in 0..40 {
            if i % 13 == 0 {
                let adam = &resumed.0;
                let (m, v) = (adam.first_moment().to_vec(), adam.second_moment().to_vec());
                resumed.0 = Adam::from_parts(m, v, adam.steps()).unwrap();
            }
            resumed.0.step(&mut resumed.1, &gradient(i), 0.01);
        }
        assert_eq!(straight, resumed);
        assert_eq!(Adam::from_parts(vec![0.0f32; 2], vec![0.0; 3], 1), None);
    }
}
