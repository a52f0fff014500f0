//! The adjoint within a bin, backwards through its units.

use refire_core::{AlignedVec, aligned_vec};
use refire_kernels::{LANES, Real, add_assign};
use refire_neuron::UnitDynamics;
use refire_sim::Packed;

/// Same-bin couplings as a sweep takes adjoints through them, bin by bin.
pub(crate) struct WithinBin<'a, T> {
    packed: &'a Packed<'a, T>,
    /// `lambda` of some trials side by side, `[unit][trial]`.
    side: AlignedVec<T>,
    /// What same-bin couplings add to `dL/dv`, `[trial][unit]`; of dynamics with memory only.
    added: Vec<T>,
}

/// One bin of the trials that are swept together.
pub(crate) struct BlockRows<'a, T> {
    /// From the row of the bin of the first trial on; that of the next trial is `padded` numbers further.
    pub adjoints: &'a mut [T],
    pub padded: usize,
    pub trials: usize,
    /// `dz/dv`, `[trial][free unit]`.
    pub factor: &'a [T],
    /// Adjoints of the state of dynamics with memory, `[trial][unit]`; else empty.
    pub carry: &'a mut [T],
}

impl<'a, T: Real> WithinBin<'a, T> {
    pub(crate) fn new(packed: &'a Packed<'a, T>) -> Self {
        let mut side = aligned_vec();
        // Whole rows: those that fill them up stay zero.
        side.resize(packed.same_bin().units() * LANES, T::zero());
        Self {
            packed,
            side,
            added: Vec::new(),
        }
    }

    /// In: `lambda` without same-bin couplings. Out: with them, from the last unit to the first:
    ///
    /// ```text
    /// lambda[i] += dv/du dz/dv[i] sum_{j behind i} S[i,j] lambda[j]       (free units only)
    /// ```
    ///
    /// Dynamics are linear, so that what is added to their carry is that of the added adjoint alone.
    #[inline(always)]
    pub(crate) fn pull_back<U: UnitDynamics<T>>(&mut self, dynamics: &U, rows: BlockRows<'_, T>) {
        let BlockRows {
            adjoints,
            padded,
            trials,
            factor,
            carry,
        } = rows;
        let (order, free) = (self.packed.same_bin().order(), self.packed.free());
        let (gain, width) = (dynamics.gain(), free.len());
        let (side, _) = self.side.as_chunks_mut::<LANES>();
        let memory = if U::HAS_MEMORY { carry.len() } else { 0 };
        self.added.clear();
        self.added.resize(memory, T::zero());
        let units = memory / trials.max(1);
        for first in (0..trials).step_by(LANES) {
            let some = LANES.min(trials - first);
            for lane in 0..some {
                let row = &adjoints[(first + lane) * padded..][..order.live];
                for (side, &lambda) in side.iter_mut().zip(row) {
                    side[lane] = lambda;
                }
            }
            self.packed.pull_back_side_by_side(
                side,
                #[inline(always)]
                |unit, behind| {
                    let at = first * width + unit - free.start;
                    let mut own = [T::zero(); LANES];
                    for lane in 0..some {
                        let added = factor[at + lane * width] * behind[lane];
                        own[lane] = gain * added;
                        if U::HAS_MEMORY {
                            self.added[(first + lane) * units + unit] = added;
                        }
                    }
                    own
                },
            );
            for lane in 0..some {
                let row = &mut adjoints[(first + lane) * padded..][..order.live];
                for (lambda, side) in row.iter_mut().zip(side.iter()) {
                    *lambda = side[lane];
                }
            }
        }
        if U::HAS_MEMORY {
            let mut own = vec![T::zero(); units];
            let carries = carry.chunks_exact_mut(units.max(1));
            for (added, carry) in self.added.chunks_exact_mut(units.max(1)).zip(carries) {
                own.fill(T::zero());
                dynamics.pull_back(added, &mut own);
                add_assign(carry, &own);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use refire_neuron::Past;
    use refire_sim::{AnyCoupling, DenseCoupling, SameBin, UnitOrder};

    /// `v[t] = 2 u[t] + 0.6 v[t-1]`.
    struct Leaky;

    impl UnitDynamics<f64> for Leaky {
        const HAS_MEMORY: bool = true;

        fn integrate(&self, _: &mut [f64], _: Option<Past<'_, f64>>) {}

        fn gain(&self) -> f64 {
            2.0
        }

        fn pull_back(&self, row: &mut [f64], carry: &mut [f64]) {
            for (row, carry) in row.iter_mut().zip(carry) {
                let d_potential = *row + *carry;
                (*row, *carry) = (2.0 * d_potential, 0.6 * d_potential);
            }
        }

        fn spike_adjoint(&self, _: f64) -> f64 {
            0.0
        }

        fn current(&self, potential: f64) -> f64 {
            potential / 2.0
        }
    }

    fn wave(at: usize) -> f64 {
        (1.7 * at as f64 + 0.3).sin()
    }

    /// Against the definition, one unit of one trial after the other from the last on; more trials than lanes.
    #[test]
    fn match_the_definition_with_memory() {
        const UNITS: usize = 8;
        let order = UnitOrder {
            observed: 4,
            live: 7,
        };
        let mut weights: Vec<f64> = (0..UNITS * UNITS).map(wave).collect();
        order.clear_others(&mut weights, UNITS);
        let coupling = DenseCoupling::new(&weights, UNITS, 1).unwrap();
        let same_bin = SameBin::new(AnyCoupling::Dense(coupling), order).unwrap();
        let (trials, padded) = (19, 2 * UNITS);
        for free in [0..UNITS, order.observed..UNITS] {
            let width = free.len();
            let d_potential: Vec<f64> = (0..trials * padded).map(|at| wave(3 * at)).collect();
            let mut factor: Vec<f64> = (0..trials * width).map(|at| wave(5 * at)).collect();
            for row in factor.chunks_exact_mut(width) {
                row[width - 1] = 0.0; // fills up rows
            }
            let before: Vec<f64> = (0..trials * UNITS).map(|at| wave(7 * at)).collect();
            let (mut lambda, mut carry) = (d_potential.clone(), before.clone());
            let (mut expected, mut expected_carry) = (d_potential, before);
            for k in 0..trials {
                let row = &mut lambda[k * padded..][..UNITS];
                Leaky.pull_back(row, &mut carry[k * UNITS..][..UNITS]);
                let row = &mut expected[k * padded..][..UNITS];
                let carry = &mut expected_carry[k * UNITS..][..UNITS];
                for unit in order.units().rev().chain([7]) {
                    if free.contains(&unit) && unit < order.live {
                        let behind = (0..order.live).filter(|&j| order.is_before(unit, j));
                        let zbar: f64 = behind.map(|j| weights[unit * UNITS + j] * row[j]).sum();
                        row[unit] += factor[k * width + unit - free.start] * zbar;
                    }
                    Leaky.pull_back(&mut row[unit..=unit], &mut carry[unit..=unit]);
                }
            }
            let rows = BlockRows {
                adjoints: &mut lambda,
                padded,
                trials,
                factor: &factor,
                carry: &mut carry,
            };
            let packed = same_bin.packed(free);
            WithinBin::new(&packed).pull_back(&Leaky, rows);
            for (found, expected) in [(lambda, expected), (carry, expected_carry)] {
                for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
                    assert!((found - expected).abs() < 1e-12, "{at}: {found} {expected}");
                }
            }
        }
    }
}
