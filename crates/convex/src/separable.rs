//! Coefficients without an optimum.

use crate::Ridge;
use crate::objective::Objective;
use refire_core::{SpikeIndex, TrialArray};
use refire_kernels::Real;
use refire_sim::{Behind, LaggedSums};

/// Per unit, how many of its unpenalised coefficients the likelihood drives to infinity by themselves: those
/// of a source that fired `lag` bins before, or of a feature of one sign that was there, only ever in bins in
/// which the unit fired, or only in bins in which it did not.
///
/// ```text
/// X[i,d]   = scored bins d bins behind a spike of i        C[i,d,j] = those in which j fires
/// no optimum in w[i,d,j] where X > 0 and (C = 0 or C = X)
/// ```
pub(crate) fn unbounded_coefficients<T: Real>(
    objective: &Objective<'_, T>,
    ridge: Ridge,
) -> Vec<usize> {
    let shape = objective.shape();
    let mut unbounded = vec![0; shape.units];
    if ridge.couplings == 0.0 || ridge.same_bin == 0.0 {
        count_couplings(objective, ridge, &mut unbounded);
    }
    if ridge.drive == 0.0 && shape.drive > 0 {
        count_drive(objective, &mut unbounded);
    }
    unbounded
}

fn count_couplings<T: Real>(objective: &Objective<'_, T>, ridge: Ridge, unbounded: &mut [usize]) {
    let (problem, shape) = (objective.problem(), objective.shape());
    let (layout, units, lags) = (problem.layout, problem.spikes.units(), problem.all_lags());
    let first = layout.first_bin();
    let mut by_source = SpikeIndex::default();
    by_source.build(problem.spikes, layout);
    // One column more than units: 1 in every scored bin, for X.
    let mut signal = TrialArray::<T>::zeros(layout.trials(), layout.max_bins(), lags, units + 1);
    for k in 0..layout.trials() {
        for t in first..layout.bins(k) {
            let row = signal.row_mut(k, t);
            for (x, &z) in row.iter_mut().zip(problem.spikes.row(k, t)) {
                *x = T::new(f64::from(z));
            }
            row[units] = T::one();
        }
    }
    let slots: Vec<usize> = (0..layout.trials()).collect();
    let behind = Behind {
        slots: &slots,
        from: 0,
        ahead: problem.ahead(),
        lags,
    };
    let mut counts = vec![T::zero(); units * lags * (units + 1)];
    LaggedSums::default().add(&by_source, &signal, behind, &mut counts);
    for (at, row) in counts.chunks_exact(units + 1).enumerate() {
        let all = row[units];
        for (unit, (unbounded, &together)) in unbounded.iter_mut().zip(row).enumerate() {
            let free =
                all > T::zero() && !shape.is_fixed(at, unit) && ridge.of_row(shape, at) == 0.0;
            *unbounded += usize::from(free && (together == T::zero() || together == all));
        }
    }
}

fn count_drive<T: Real>(objective: &Objective<'_, T>, unbounded: &mut [usize]) {
    let (problem, shape) = (objective.problem(), objective.shape());
    let (layout, units) = (problem.layout, shape.units);
    // Weight of each feature in all scored bins, and in those in which a unit fires.
    let mut all = vec![0.0; shape.drive];
    let mut together = vec![0.0; shape.drive * units];
    let (mut low, mut high) = (vec![0.0f64; shape.drive], vec![0.0f64; shape.drive]);
    let mut fired = vec![0.0; units];
    for group in layout.groups() {
        for t in layout.first_bin()..layout.max_bins() {
            let mut trials = 0.0;
            fired.fill(0.0);
            for &k in group.slots.iter().filter(|&&k| layout.bins(k) > t) {
                trials += 1.0;
                for (count, &z) in fired.iter_mut().zip(problem.spikes.row(k, t)) {
                    *count += f64::from(z);
                }
            }
            if trials == 0.0 {
                continue;
            }
            for term in objective.design_row(group.condition, t) {
                let (f, x) = (term.weight as usize, term.value);
                (low[f], high[f]) = (low[f].min(x), high[f].max(x));
                all[f] += trials;
                for (sum, count) in together[f * units..].iter_mut().zip(&fired) {
                    *sum += count;
                }
            }
        }
    }
    for (f, row) in together.chunks_exact(units.max(1)).enumerate() {
        // Where a feature has both signs, its coefficient has an optimum.
        if all[f] > 0.0 && !(low[f] < 0.0 && high[f] > 0.0) {
            for (unbounded, &together) in unbounded.iter_mut().zip(row) {
                *unbounded += usize::from(together == 0.0 || together == all[f]);
            }
        }
    }
}
