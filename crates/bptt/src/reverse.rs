//! The reverse time loop, mirror of the forward loop of `refire-sim`.

use crate::Gradient;
use crate::within_bin::{BlockRows, WithinBin};
use rayon::prelude::*;
use refire_core::{TrialArray, TrialLayout, aligned_vec, for_each_fired};
use refire_kernels::{MatrixMut, MatrixRef, Real, add_assign, dispatch};
use refire_neuron::{EscapeNoise, SpikeGradient, UnitDynamics};
use refire_sim::{
    AdjointSink, Adjoints, Coupling, Mode, Network, Packed, SlopesOf, Trajectory, Window,
};
use std::ops::Range;

/// Most trials swept together, so that the adjoint of their spikes is one matrix product per bin: as
/// many as its register tile has rows. Blocks depend on the batch alone, so that results do not depend
/// on the number of threads.
const TRIAL_BLOCK: usize = 16;

/// Bins of one parallel task of the drive gradient; fixed for the same reason.
const BIN_BLOCK: usize = 32;

/// Below this share of non-zero spike gradients in a bin, single inner products beat the matrix
/// product.
const SPARSE_SHARE: f64 = 0.3;

/// A pass that adjoints are pulled back through.
#[derive(Clone, Copy, Debug)]
pub struct Sweep<'a, T> {
    /// Whose spikes were fed back.
    pub mode: Mode,
    /// Bins that were run, with their potentials, probabilities and spikes, `[trial][bin][unit]`.
    pub window: Window<'a, T>,
    /// What stands in for the derivative of a sampled spike.
    pub spike_gradient: SpikeGradient,
}

/// Gradient of a loss of one whole pass: `add_adjoints` adds what the loss says of its probabilities (`dL/dp`), spikes
/// (`dL/dz`) or potentials (`dL/dv`).
///
/// ```
/// use refire_bptt::{DenseCoupling, Mode, Network, Simulation, SpikeGradient, Sweep, gradient};
///
/// let weights = [0.0f64, 2.0, 0.0, 0.0]; // [source][lag][target]
/// let network = Network::new(DenseCoupling::new(&weights, 2, 1)?, &[0.2, -1.0]);
/// let run = Simulation::new(3, 50).run(&network)?;
/// let sweep = Sweep {
///     mode: Mode::FreeRunning,
///     window: run.window(),
///     spike_gradient: SpikeGradient::Escape,
/// };
/// // The loss: expected spikes of unit 1, over all trials and bins.
/// let rows = [0.0, 1.0].repeat(50);
/// let found = gradient(&network, &sweep, |sink| sink.add_probability(&[0, 1, 2], 2, |_| &rows));
/// assert!(found.bias[1] > 0.0);
/// # Ok::<(), refire_bptt::SimError>(())
/// ```
pub fn gradient<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    of: &Sweep<'_, T>,
    add_adjoints: impl FnOnce(&mut AdjointSink<'_, T>),
) -> Gradient<T>
where
    T: Real,
    C: Coupling<T>,
    E: EscapeNoise<T>,
    U: UnitDynamics<T>,
{
    let layout = of.window.layout;
    let (lags, units) = (network.coupling.lags(), network.coupling.units());
    let conditions = layout.groups().last().map_or(0, |g| g.condition + 1);
    let (mut adjoints, mut found) = (
        Adjoints::default(),
        Gradient::zeros(network, conditions, layout.max_bins()),
    );
    adjoints.reset(layout, lags, units);
    let slopes = SlopesOf {
        window: of.window,
        escape: &network.escape,
    };
    add_adjoints(&mut adjoints.sink(&slopes));
    sweep(network, of, &mut adjoints, &mut found);
    found
}

/// [`sweep_window`] over the single window of a whole pass.
pub fn sweep<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    of: &Sweep<'_, T>,
    adjoints: &mut Adjoints<T>,
    gradient: &mut Gradient<T>,
) where
    T: Real,
    C: Coupling<T>,
    E: EscapeNoise<T>,
    U: UnitDynamics<T>,
{
    sweep_window(network, of, adjoints, &mut SweepState::default(), gradient);
}

/// Pulls `adjoints` back through the bins of a window and adds to `gradient`. On return
/// `adjoints.potential` holds `lambda = dL/du`, `[trial][bin][unit]`.
///
/// ```text
/// zbar[k,s,i]   = dL/dz[k,s,i] + sum_{d,j} W[i,d,j] lambda[k,s+d,j] + sum_{j behind i} S[i,j] lambda[k,s,j]
///                 (free units only)
/// lambda[k,t,j] = dynamics^T (dL/dv + dz/dv * zbar)
/// dW[i,d,j]    += sum_{k,t} z[k,t-d,i] lambda[k,t,j]     dS[i,j] += sum_{k,t} z[k,t,i] lambda[k,t,j]
/// dx[c,t,j]    += sum_{k in c} lambda[k,t,j]        db[j] += sum_{k,t} lambda[k,t,j]
/// ```
///
/// With [`SpikeGradient::Score`] nothing flows through `zbar`; [`crate::add_score`] has added to the
/// adjoints before.
///
/// In a teacher-forced pass only hidden units have `zbar`: a recorded spike is data. So is a spike of
/// [`refire_sim::Pass::before`], which adds nothing to `dW` either.
///
/// Windows come last first. `behind` takes the adjoints of the window just swept to the one before it,
/// whose spikes still act there: empty ([`SweepState::default`]) before the last window of a pass.
///
/// Network, layout and trajectory are those of one [`refire_sim::run_window`]; adjoints and gradient
/// have its shapes ([`Adjoints::reset`], [`Gradient::zeros`]).
pub fn sweep_window<T, C, E, U>(
    network: &Network<'_, T, C, E, U>,
    of: &Sweep<'_, T>,
    adjoints: &mut Adjoints<T>,
    behind: &mut SweepState<T>,
    gradient: &mut Gradient<T>,
) where
    T: Real,
    C: Coupling<T>,
    E: EscapeNoise<T>,
    U: UnitDynamics<T>,
{
    let (lags, units) = (network.coupling.lags(), network.coupling.units());
    let layout = of.window.layout;
    let trials = layout.trials();
    let lambda = &mut adjoints.potential;
    let (bins, len) = (lambda.bins(), lags * units);
    if behind.lambda.is_empty() {
        behind.lambda.resize(trials * len, T::zero());
        let memory = if U::HAS_MEMORY { trials * units } else { 0 };
        behind.carry.resize(memory, T::zero());
    }
    for (k, rows) in behind.lambda.chunks_exact(len.max(1)).enumerate() {
        lambda.trial_mut(k)[bins * units..].copy_from_slice(rows);
    }
    let first_free = match of.mode {
        Mode::TeacherForced => network.observed,
        Mode::FreeRunning => 0,
    };
    // Whole rows: what fills them up has a factor of zero.
    let last_free = if of.spike_gradient.passes_spikes() && first_free < network.live {
        units
    } else {
        first_free
    };
    let free = first_free..last_free;
    let same_bin = (network.same_bin.as_ref()).filter(|_| !free.is_empty());
    let blocks = Blocks {
        network,
        same_bin: same_bin.map(|same_bin| same_bin.packed(free.clone())),
        free,
        layout,
        trajectory: of.window.trajectory,
        spike_gradient: of.spike_gradient,
    };
    let padded = adjoints.potential.trial_len().max(1);
    let (into, d_spikes) = adjoints.both();
    let count = trials.div_ceil(TRIAL_BLOCK).max(1);
    let block_len = trials.div_ceil(count).max(1);
    let mut carries = Vec::with_capacity(count);
    let mut rest = &mut behind.carry[..];
    for _ in 0..count {
        let (own, others) = rest.split_at_mut((block_len * units).min(rest.len()));
        carries.push(own);
        rest = others;
    }
    into.as_mut_slice()
        .par_chunks_mut(padded * block_len)
        .zip(carries)
        .enumerate()
        .for_each(|(block, (adjoints, carry))| {
            dispatch(
                #[inline(always)]
                || blocks.sweep(block * block_len, adjoints, carry, d_spikes),
            );
        });
    let (lambda, spikes) = (&adjoints.potential, &of.window.trajectory.by_source);
    let Gradient {
        couplings,
        same_bin,
        bias,
        drive,
        buffers,
    } = gradient;
    rayon::join(
        || {
            (network.coupling).add_gradient(spikes, lambda, 1, buffers, couplings);
            if let Some(of_bin) = &network.same_bin {
                of_bin.add_gradient(spikes, lambda, buffers, same_bin);
            }
        },
        || add_drive_gradient(layout, of.window.start, lambda, bias, drive),
    );
    for (k, rows) in behind.lambda.chunks_exact_mut(len.max(1)).enumerate() {
        rows.copy_from_slice(adjoints.potential.block(k, 0, lags));
    }
}

impl<T> SweepState<T> {
    /// Takes the state before the last window, keeping allocations.
    pub fn clear(&mut self) {
        self.lambda.clear();
        self.carry.clear();
    }
}

/// What a sweep over one window leaves to the one before it.
#[derive(Clone, Debug, Default)]
pub struct SweepState<T> {
    /// `lambda` of the first bins of the window, `[trial][lag][unit]`.
    lambda: Vec<T>,
    /// Adjoint of the state of dynamics with memory, `[trial][unit]`.
    carry: Vec<T>,
}

/// Trials swept together.
struct Blocks<'a, T, C, E, U> {
    network: &'a Network<'a, T, C, E, U>,
    same_bin: Option<Packed<'a, T>>,
    free: Range<usize>,
    layout: &'a TrialLayout,
    trajectory: &'a Trajectory<T>,
    spike_gradient: SpikeGradient,
}

impl<T, C, E, U> Blocks<'_, T, C, E, U>
where
    T: Real,
    C: Coupling<T>,
    E: EscapeNoise<T>,
    U: UnitDynamics<T>,
{
    /// Sweeps the trials `first_trial..` whose adjoints are given: `dL/dv` in, `dL/du` out.
    #[inline(always)]
    fn sweep(
        &self,
        first_trial: usize,
        adjoints: &mut [T],
        carry: &mut [T],
        d_spikes: Option<&TrialArray<T>>,
    ) {
        let units = self.network.coupling.units();
        let free = self.free.len();
        let padded = self.trajectory.potential.trial_len();
        let trials = adjoints.len() / padded;
        let mut zbar = vec![T::zero(); trials * free];
        let mut factor = vec![T::zero(); trials * free];
        let mut scratch = aligned_vec();
        let mut within_bin = self.same_bin.as_ref().map(WithinBin::new);
        let (mut nonzero, mut which, mut some) =
            (vec![0; free], vec![0; free], vec![T::zero(); free]);
        let longest = (first_trial..first_trial + trials)
            .map(|k| self.layout.bins(k))
            .max()
            .unwrap_or(0);
        for t in (self.layout.first_bin()..longest).rev() {
            if free > 0 {
                let behind = (t + 1) * units;
                let passing = self.factors(first_trial, t, &mut factor);
                if passing as f64 > SPARSE_SHARE * factor.len() as f64 {
                    self.network.coupling.gather_block(
                        self.free.clone(),
                        MatrixRef::rows(
                            &adjoints[behind..],
                            trials,
                            self.network.coupling.lags() * units,
                            padded,
                        ),
                        MatrixMut::rows(&mut zbar, trials, free, free),
                        &mut scratch,
                    );
                } else {
                    let buffers = (&mut nonzero[..], &mut which[..], &mut some[..]);
                    self.gather_nonzero(adjoints, behind, &factor, &mut zbar, buffers);
                }
            }
            for k in 0..trials {
                let row = &mut adjoints[k * padded + t * units..][..units];
                let carry = if U::HAS_MEMORY {
                    &mut carry[k * units..(k + 1) * units]
                } else {
                    &mut []
                };
                if free > 0 {
                    let zbar = &mut zbar[k * free..(k + 1) * free];
                    if U::HAS_MEMORY {
                        for (zbar, &carry) in zbar.iter_mut().zip(&carry[self.free.clone()]) {
                            *zbar += self.network.dynamics.spike_adjoint(carry);
                        }
                    }
                    if let Some(d_spikes) = d_spikes {
                        add_assign(zbar, &d_spikes.row(first_trial + k, t)[self.free.clone()]);
                    }
                    let row = row[self.free.clone()].iter_mut();
                    for ((row, &zbar), &factor) in row.zip(&*zbar).zip(&factor[k * free..]) {
                        *row += factor * zbar;
                    }
                }
                self.network.dynamics.pull_back(row, carry);
            }
            if let Some(within_bin) = &mut within_bin {
                let rows = BlockRows {
                    adjoints: &mut adjoints[t * units..],
                    padded,
                    trials,
                    factor: &factor,
                    carry,
                };
                within_bin.pull_back(&self.network.dynamics, rows);
            }
        }
    }

    /// `dz/dv` of the free units in one bin, `[trial][free unit]`; returns how many are not zero.
    #[inline(always)]
    fn factors(&self, first_trial: usize, t: usize, factor: &mut [T]) -> usize {
        let mut nonzero = 0;
        for (k, factor) in factor.chunks_exact_mut(self.free.len()).enumerate() {
            let v = &self.trajectory.potential.row(first_trial + k, t)[self.free.clone()];
            let p = &self.trajectory.probability.row(first_trial + k, t)[self.free.clone()];
            let escape = &self.network.escape;
            // A loop of its own for each kind: with the choice inside it would not vectorise.
            match self.spike_gradient {
                // The only one that does not look at the probability.
                SpikeGradient::Triangle => {
                    for (f, &v) in factor.iter_mut().zip(v) {
                        *f = SpikeGradient::Triangle.factor(v, T::zero(), T::zero());
                    }
                }
                SpikeGradient::Escape => {
                    for ((f, &v), &p) in factor.iter_mut().zip(v).zip(p) {
                        *f = escape.slope(v, p);
                    }
                }
                // The only one that looks at the spike.
                SpikeGradient::ReinMax => {
                    let z = &self.trajectory.spikes.row(first_trial + k, t)[self.free.clone()];
                    for ((f, &v), (&p, &z)) in factor.iter_mut().zip(v).zip(p.iter().zip(z)) {
                        let surprise_slope = escape.surprise_slope(v, p, z != 0);
                        *f = SpikeGradient::ReinMax.factor(v, T::zero(), surprise_slope);
                    }
                }
                SpikeGradient::Damped(by) => {
                    let by = T::new(by);
                    for ((f, &v), &p) in factor.iter_mut().zip(v).zip(p) {
                        *f = by * escape.slope(v, p);
                    }
                }
                SpikeGradient::None | SpikeGradient::Score => factor.fill(T::zero()),
            }
            factor[self.network.live - self.free.start..].fill(T::zero());
            let counts = factor.iter().map(|&f| u32::from(f != T::zero()));
            nonzero += counts.sum::<u32>() as usize;
        }
        nonzero
    }

    /// The adjoint of spikes only where it will be used.
    #[inline(always)]
    fn gather_nonzero(
        &self,
        adjoints: &[T],
        behind: usize,
        factor: &[T],
        zbar: &mut [T],
        (nonzero, which, some): (&mut [u8], &mut [usize], &mut [T]),
    ) {
        let block = self.network.coupling.lags() * self.network.coupling.units();
        let (free, padded) = (self.free.len(), self.trajectory.potential.trial_len());
        let trials = zbar.chunks_exact_mut(free).zip(factor.chunks_exact(free));
        for (k, (zbar, factor)) in trials.enumerate() {
            let lambda = &adjoints[k * padded + behind..][..block];
            for (z, &factor) in nonzero.iter_mut().zip(factor) {
                *z = u8::from(factor != T::zero());
            }
            let mut count = 0;
            for_each_fired(nonzero, |i| {
                which[count] = self.free.start + i;
                count += 1;
            });
            let (which, some) = (&which[..count], &mut some[..count]);
            self.network.coupling.gather_some(which, lambda, some);
            zbar.fill(T::zero());
            for (&i, &mut gathered) in which.iter().zip(some) {
                zbar[i - self.free.start] = gathered;
            }
        }
    }
}

/// `dx[c,start+t] += sum over the trials of c of lambda[k,t]` and `db`, the same summed over bins: blocks
/// of bins in parallel, each in the order of trials.
fn add_drive_gradient<T: Real>(
    layout: &TrialLayout,
    start: usize,
    lambda: &TrialArray<T>,
    d_bias: &mut [T],
    d_drive: &mut TrialArray<T>,
) {
    let units = lambda.units().max(1);
    let mut bias = vec![0.0f64; units];
    for group in layout.groups() {
        let blocks: Vec<Vec<f64>> = d_drive.trial_mut(group.condition)[start * units..]
            .par_chunks_mut(BIN_BLOCK * units)
            .enumerate()
            .map(|(block, rows)| {
                let mut bias = vec![0.0f64; units];
                dispatch(
                    #[inline(always)]
                    || {
                        let start = block * BIN_BLOCK;
                        let end = start + rows.len() / units;
                        for &slot in &group.slots {
                            for t in start.max(layout.first_bin())..end.min(layout.bins(slot)) {
                                let lambda = lambda.row(slot, t);
                                add_assign(&mut rows[(t - start) * units..][..units], lambda);
                                for (b, &l) in bias.iter_mut().zip(lambda) {
                                    *b += l.f64();
                                }
                            }
                        }
                    },
                );
                bias
            })
            .collect();
        for block in blocks {
            for (b, sum) in bias.iter_mut().zip(block) {
                *b += sum;
            }
        }
    }
    for (b, sum) in d_bias.iter_mut().zip(bias) {
        *b += T::new(sum);
    }
}

#[cfg(test)]
mod tests;
