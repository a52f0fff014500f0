//! Steps along a gradient that a curvature has been divided out of.

use refire_kernels::Real;

/// Weight of the past in the mean of gradients.
const MOMENTUM: f64 = 0.9;

/// A gradient longer than so many times the usual one counts as that long: free runs that nearly explode have gradients a
/// hundred times as long, and one of them would undo what many steps did.
const CLIP: f64 = 2.0;

/// Weight of the past in the usual length.
const USUAL: f64 = 0.9;

/// The longest step of a unit, as twice the nats by which its curvature says that the likelihood changes.
const LONGEST: f64 = 0.3;

/// The state of natural-gradient steps for `N` tensors, whose rows have one number per unit.
///
/// ```text
/// d       = M^-1 g                                              M: curvature of the likelihood, in nats
/// l[j]    = sqrt(scored * sum_rows g[j] d[j])                    length, per unit
/// c[j]    = min(1, CLIP usual[j] / l[j])                         usual: running mean of min(l, CLIP usual)
/// G, D    = beta G + (1 - beta) c g, beta D + (1 - beta) c d
/// L[j]    = rate sqrt(scored * sum_rows G[j] D[j])               length of the step
/// parameter[j] -= rate D[j] min(1, sqrt(LONGEST) / L[j])
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Natural<T, const N: usize> {
    gradient: [Vec<T>; N],
    direction: [Vec<T>; N],
    usual: Vec<f64>,
    steps: u64,
}

/// A gradient and what is left of it without the curvature.
#[derive(Clone, Copy, Debug)]
pub struct Descent<'a, T, const N: usize> {
    /// Gradient of the loss per (trial, bin, unit).
    pub gradient: [&'a [T]; N],
    /// `M^-1 gradient`.
    pub direction: [&'a [T]; N],
    /// Scored (trial, bin, unit).
    pub scored: f64,
}

impl<T: Real, const N: usize> Natural<T, N> {
    /// The state before the first step, for tensors of these lengths and `units` units.
    pub fn new(lengths: [usize; N], units: usize) -> Self {
        let zeros = lengths.map(|len| vec![T::zero(); len]);
        Self {
            gradient: zeros.clone(),
            direction: zeros,
            usual: vec![0.0; units],
            steps: 0,
        }
    }

    /// The state that the getters gave; `None` where lengths do not go together.
    pub fn from_parts(
        gradient: [Vec<T>; N],
        direction: [Vec<T>; N],
        usual: Vec<f64>,
        steps: u64,
    ) -> Option<Self> {
        let mut pairs = gradient.iter().zip(&direction);
        let alike = pairs.all(|(g, d)| g.len() == d.len() && g.len().is_multiple_of(usual.len()));
        (!usual.is_empty() && alike).then_some(Self {
            gradient,
            direction,
            usual,
            steps,
        })
    }

    /// One step of each unit. A gradient that is not finite spoils parameters and state: look at it first.
    ///
    /// # Panics
    /// If the lengths of parameters, gradient, direction and state differ.
    pub fn step(&mut self, parameters: [&mut [T]; N], descent: Descent<'_, T, N>, rate: f64) {
        let units = self.usual.len();
        self.steps += 1;
        let lengths = lengths(descent.gradient, descent.direction, descent.scored, units);
        let mut kept = Vec::with_capacity(units);
        for (usual, length) in self.usual.iter_mut().zip(lengths) {
            let most = if *usual > 0.0 { CLIP * *usual } else { length };
            let clipped = length.min(most);
            kept.push(if length > most { most / length } else { 1.0 });
            *usual = match *usual > 0.0 {
                true => USUAL * *usual + (1.0 - USUAL) * clipped,
                false => length,
            };
        }
        let add: Vec<T> = kept.iter().map(|c| T::new((1.0 - MOMENTUM) * c)).collect();
        let keep = T::new(MOMENTUM);
        let means = self.gradient.iter_mut().chain(&mut self.direction);
        let new = descent.gradient.into_iter().chain(descent.direction);
        for (mean, new) in means.zip(new) {
            assert_eq!(mean.len(), new.len(), "numbers of a tensor");
            let rows = mean.chunks_exact_mut(units).zip(new.chunks_exact(units));
            for (mean, new) in rows {
                for ((m, &x), &add) in mean.iter_mut().zip(new).zip(&add) {
                    *m = keep * *m + add * x;
                }
            }
        }
        let means = [&self.gradient, &self.direction].map(|all| all.each_ref().map(Vec::as_slice));
        let [gradient, direction] = means;
        let rates: Vec<T> = self::lengths(gradient, direction, descent.scored, units)
            .map(|length| {
                let length = rate * length;
                let longest = LONGEST.sqrt();
                let share = if length > longest {
                    longest / length
                } else {
                    1.0
                };
                T::new(rate * share)
            })
            .collect();
        for (parameters, direction) in parameters.into_iter().zip(direction) {
            assert_eq!(parameters.len(), direction.len(), "numbers of a tensor");
            let rows = parameters.chunks_exact_mut(units);
            for (parameters, direction) in rows.zip(direction.chunks_exact(units)) {
                for ((p, &d), &rate) in parameters.iter_mut().zip(direction).zip(&rates) {
                    *p -= rate * d;
                }
            }
        }
    }

    /// Running means of gradients.
    pub fn gradient(&self) -> [&[T]; N] {
        self.gradient.each_ref().map(Vec::as_slice)
    }

    /// Running means of directions.
    pub fn direction(&self) -> [&[T]; N] {
        self.direction.each_ref().map(Vec::as_slice)
    }

    /// Usual lengths of gradients, per unit.
    pub fn usual(&self) -> &[f64] {
        &self.usual
    }

    /// Steps made.
    pub fn steps(&self) -> u64 {
        self.steps
    }
}

/// `sqrt(scored * sum_rows g[j] d[j])` of each unit.
fn lengths<T: Real, const N: usize>(
    gradient: [&[T]; N],
    direction: [&[T]; N],
    scored: f64,
    units: usize,
) -> impl Iterator<Item = f64> {
    let mut sums = vec![0.0f64; units];
    for (g, d) in gradient.into_iter().zip(direction) {
        for (g, d) in g.chunks_exact(units).zip(d.chunks_exact(units)) {
            for ((sum, &g), &d) in sums.iter_mut().zip(g).zip(d) {
                *sum += g.f64() * d.f64();
            }
        }
    }
    // Rounding may leave a sum of nearly nothing below 0.
    sums.into_iter()
        .map(move |sum| (scored * sum).max(0.0).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `loss = sum_j curvature[j] (x[j] - target[j])^2 / 2`: a long and a short axis.
    const CURVATURE: [f64; 2] = [400.0, 0.01];
    const TARGET: [f64; 2] = [0.02, -3.0];

    fn gradient(x: &[f64]) -> [f64; 2] {
        [0, 1].map(|j| CURVATURE[j] * (x[j] - TARGET[j]))
    }

    fn step(state: &mut Natural<f64, 1>, x: &mut [f64; 2], gradient: [f64; 2], rate: f64) {
        let direction = [0, 1].map(|j| gradient[j] / CURVATURE[j]);
        let descent = Descent {
            gradient: [&gradient],
            direction: [&direction],
            scored: 1.0,
        };
        state.step([x], descent, rate);
    }

    #[test]
    fn both_axes_are_as_fast() {
        let (mut state, mut x) = (Natural::new([2], 2), [0.0; 2]);
        for _ in 0..200 {
            let g = gradient(&x);
            step(&mut state, &mut x, g, 0.1);
        }
        for (x, target) in x.iter().zip(TARGET) {
            assert!((x / target - 1.0).abs() < 1e-3, "{x} for {target}");
        }
        assert_eq!(state.steps(), 200);
    }

    #[test]
    fn one_gradient_in_a_hundred_times_its_length_counts_as_twice() {
        let usual = |at: usize| gradient(&[0.01 * (at as f64).sin(), 0.0]);
        let run = |outlier: f64| {
            let (mut state, mut x) = (Natural::new([2], 2), [0.0; 2]);
            for at in 0..20 {
                let scale = if at == 15 { outlier } else { 1.0 };
                step(&mut state, &mut x, usual(at).map(|g| scale * g), 0.01);
            }
            x
        };
        let (hundred, thousand) = (run(100.0), run(1000.0));
        for j in 0..2 {
            assert!((hundred[j] - thousand[j]).abs() < 1e-12);
        }
        assert_ne!(hundred, run(1.0));
    }

    #[test]
    fn no_step_is_longer_than_allowed() {
        let (mut state, mut x) = (Natural::new([2], 2), [0.0; 2]);
        step(&mut state, &mut x, [-1e6, 1e-3], 1.0);
        // twice the nats = curvature x^2
        let nats = CURVATURE[0] * x[0] * x[0];
        assert!((nats - LONGEST).abs() < 1e-9, "{nats}");
        let free = 0.1 * 1e-3 / CURVATURE[1];
        assert!((x[1] + free).abs() < 1e-12, "{}", x[1]);
    }

    #[test]
    fn a_state_put_back_goes_on_alike() {
        let (mut state, mut x) = (Natural::<f64, 1>::new([2], 2), [0.0; 2]);
        let g = gradient(&x);
        step(&mut state, &mut x, g, 0.1);
        let parts = (
            state.gradient().map(<[f64]>::to_vec),
            state.direction().map(<[f64]>::to_vec),
        );
        let back = Natural::from_parts(parts.0, parts.1, state.usual().to_vec(), state.steps());
        assert_eq!(back.unwrap(), state);
        assert!(Natural::from_parts([vec![0.0; 3]], [vec![0.0; 3]], vec![1.0; 2], 1).is_none());
        assert!(Natural::from_parts([vec![0.0; 2]], [vec![0.0; 4]], vec![1.0; 2], 1).is_none());
    }
}
