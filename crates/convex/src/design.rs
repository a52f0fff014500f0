//! The design of the drive.

use crate::Problem;
use crate::objective::Shape;
use refire_core::TrialArray;
use refire_kernels::Real;

/// The drive of each weight set to 1, `[condition][bin][weight]`, zero in bins of history.
pub(crate) fn design<T: Real>(problem: &Problem<'_, T>, shape: Shape) -> TrialArray<f64> {
    let (encoder, units) = (problem.encoder, shape.units);
    let (bins, first) = (problem.layout.max_bins(), problem.layout.first_bin());
    let mut design = TrialArray::zeros(encoder.conditions(), bins, 0, shape.drive);
    let mut drive = TrialArray::default();
    let mut weights = vec![T::zero(); encoder.parameters()];
    // As many weights at once as there are units: each shows one.
    for start in (0..shape.drive).step_by(units.max(1)) {
        weights.fill(T::zero());
        let here = units.min(shape.drive - start);
        for unit in 0..here {
            weights[(start + unit) * units + unit] = T::one();
        }
        encoder.forward(&weights, &mut drive);
        for c in 0..encoder.conditions() {
            for t in first..bins.min(drive.bins()) {
                for unit in 0..here {
                    design.row_mut(c, t)[start + unit] = drive.row(c, t)[unit].f64();
                }
            }
        }
    }
    design
}
