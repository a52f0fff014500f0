//! Unit dynamics: from the input current `u` to the potential `v`.

use refire_kernels::Real;

/// The bin before, for dynamics with memory: potentials and spikes of the same units.
#[derive(Clone, Copy)]
pub struct Past<'a, T> {
    /// Potentials of the bin before, `[unit]`.
    pub potential: &'a [T],
    /// Spikes of the bin before, `[unit]`, 0 or 1.
    pub spikes: &'a [u8],
}

/// How the current into a unit becomes its potential, a row of units at a time, and the adjoint.
///
/// Dynamics must be linear in current, past potential and past spikes, so that the reverse sweep
/// needs no stored state beyond the trajectory.
pub trait UnitDynamics<T: Real>: Sync {
    /// Whether a potential depends on the bin before other than through the couplings. Where it
    /// does not, the reverse sweep keeps no carry and a teacher-forced pass has no recurrence.
    const HAS_MEMORY: bool;

    /// In: `row` holds the current `u`. Out: the potential `v`. `past` is `None` in the first bin.
    fn integrate(&self, row: &mut [T], past: Option<Past<'_, T>>);

    /// `dv/du` within a bin: what same-bin couplings add to a current reaches the potential with it.
    fn gain(&self) -> T;

    /// Adjoint of [`Self::integrate`]. In: `row` holds `dL/dv`, `carry` the adjoint that reached
    /// this bin's state from the bin after. Out: `row` holds `dL/du`, `carry` the adjoint for the
    /// bin before.
    fn pull_back(&self, row: &mut [T], carry: &mut [T]);

    /// `dL/dz` that reaches this bin's spike from the next bin's dynamics (its reset), given the
    /// carry after the next bin's [`Self::pull_back`].
    fn spike_adjoint(&self, carry: T) -> T;

    /// The current that holds a unit without past at `potential`.
    fn current(&self, potential: T) -> T;
}

/// Memoryless spike-response units (published): `v = (u - theta) / theta`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Memoryless<T> {
    theta: T,
}

impl<T: Real> Memoryless<T> {
    /// Threshold `theta > 0`, in the units of the current; published: 0.4.
    pub fn new(theta: T) -> Self {
        Self { theta }
    }
}

impl<T: Real> UnitDynamics<T> for Memoryless<T> {
    const HAS_MEMORY: bool = false;

    #[inline(always)]
    fn integrate(&self, row: &mut [T], _past: Option<Past<'_, T>>) {
        let scale = T::one() / self.theta;
        for u in row {
            *u = (*u - self.theta) * scale;
        }
    }

    #[inline(always)]
    fn gain(&self) -> T {
        T::one() / self.theta
    }

    // v = (u - theta)/theta, so dL/du = dL/dv / theta.
    #[inline(always)]
    fn pull_back(&self, row: &mut [T], _carry: &mut [T]) {
        let scale = T::one() / self.theta;
        for v in row {
            *v *= scale;
        }
    }

    #[inline(always)]
    fn spike_adjoint(&self, _carry: T) -> T {
        T::zero()
    }

    fn current(&self, potential: T) -> T {
        self.theta * (potential + T::one())
    }
}
