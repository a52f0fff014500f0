//! Derivatives of exact expectations.

/// Step, in the units of the parameters. The fourth-order difference leaves an error of order `STEP^4`
/// and rounding of order `1e-16 / STEP`: both are far below what a sample of spikes can resolve.
const STEP: f64 = 1e-3;

/// Gradient of a smooth function by central differences of the fourth order,
/// `f' ~ (f(x-2h) - 8 f(x-h) + 8 f(x+h) - f(x+2h)) / 12 h`.
///
/// # Errors
/// The first error of `f`.
pub fn gradient_of<E>(
    parameters: &[f64],
    mut f: impl FnMut(&[f64]) -> Result<f64, E>,
) -> Result<Vec<f64>, E> {
    let mut at = parameters.to_vec();
    let mut gradient = Vec::with_capacity(at.len());
    for (i, &centre) in parameters.iter().enumerate() {
        let mut slope = 0.0;
        for (steps, factor) in [(-2.0, 1.0), (-1.0, -8.0), (1.0, 8.0), (2.0, -1.0)] {
            at[i] = centre + steps * STEP;
            slope += factor * f(&at)?;
        }
        at[i] = centre;
        gradient.push(slope / (12.0 * STEP));
    }
    Ok(gradient)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_gradient() {
        let f = |x: &[f64]| Ok::<_, ()>((x[0] * x[1]).sin() + x[1].exp());
        let found = gradient_of(&[0.7, -0.3], f).unwrap();
        let slope = (0.7f64 * -0.3).cos();
        let expected = [-0.3 * slope, 0.7 * slope + (-0.3f64).exp()];
        for (a, b) in found.iter().zip(expected) {
            assert!((a - b).abs() < 1e-10, "{a} {b}");
        }
    }
}
