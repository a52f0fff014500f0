//! Same-bin couplings: what a spike adds to the currents of the units behind it in its own bin.

use crate::{AnyCoupling, Coupling, LaggedSums, SimError, UnitOrder};
use refire_core::{SpikeIndex, TrialArray, for_each_fired};
use refire_kernels::{LANES, Real};
use refire_neuron::{EscapeNoise, UnitDynamics};
use std::ops::Range;

/// Couplings of a unit to those behind it in the same bin, `S[source][target]`, current per spike:
///
/// ```text
/// u[k,t,j] += sum_{i before j} S[i,j] z[k,t,i]
/// P(all spikes of a bin | past) = product over units, in order, of P(z_j | past, z of those before j)
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SameBin<'a, T> {
    coupling: AnyCoupling<'a, T>,
    order: UnitOrder,
}

/// Rows of one bin of one trial, `[unit]`, for [`SameBin::run_bin`].
pub struct BinRows<'a, T> {
    /// In: potentials without same-bin couplings. Out: with them.
    pub potential: &'a mut [T],
    /// In: uniforms of the units to be drawn. Overwritten.
    pub draws: &'a mut [T],
    /// Room for what spikes of the bin add to currents.
    pub within: &'a mut [T],
    /// Spikes, in which those that are fed back are given.
    pub spikes: &'a mut [u8],
}

impl<'a, T: Real> SameBin<'a, T> {
    /// Couplings of one lag, which is lag 0, dense or along given synapses, in rows that may be filled up.
    ///
    /// # Errors
    /// [`SimError::Shape`] where they do not have one lag, or fewer units than the order;
    /// [`SimError::SameBinOrder`] where a coupling is not zero though its target is not behind its source, and where
    /// they are of low rank, since those are not zero there.
    pub fn new(coupling: AnyCoupling<'a, T>, order: UnitOrder) -> Result<Self, SimError> {
        let shape = |what, expected, found| SimError::Shape {
            what,
            expected,
            found,
        };
        if coupling.lags() != 1 {
            return Err(shape("lags of same-bin couplings", 1, coupling.lags()));
        }
        if coupling.units() < order.live || order.live < order.observed {
            let what = "units of same-bin couplings (at least)";
            return Err(shape(
                what,
                order.live.max(order.observed),
                coupling.units(),
            ));
        }
        let wrong = |source_unit, target| SimError::SameBinOrder {
            source_unit,
            target,
        };
        match &coupling {
            AnyCoupling::Dense(dense) => {
                let rows = dense.weights().chunks_exact(coupling.units().max(1));
                for (source, row) in rows.enumerate() {
                    // What is not a number is no coupling: it is told where it came from.
                    let own = row.iter().enumerate().filter(|(_, w)| w.abs() > T::zero());
                    for (target, _) in own {
                        if !order.is_before(source, target) {
                            return Err(wrong(source, target));
                        }
                    }
                }
            }
            AnyCoupling::Sparse(sparse) => {
                for source in 0..sparse.connectivity().units() {
                    for &target in sparse.connectivity().targets_of(source) {
                        if !order.is_before(source, target as usize) {
                            return Err(wrong(source, target as usize));
                        }
                    }
                }
            }
            AnyCoupling::LowRank(_) => return Err(wrong(0, 0)),
        }
        Ok(Self { coupling, order })
    }

    /// Number of parameters.
    pub fn parameter_count(&self) -> usize {
        self.coupling.parameter_count()
    }

    /// Number of units, those that fill up rows among them.
    pub fn units(&self) -> usize {
        self.coupling.units()
    }

    /// The order of the units.
    pub fn order(&self) -> UnitOrder {
        self.order
    }

    /// Adds what a spike of a unit adds to the currents of its own bin.
    #[inline(always)]
    pub fn scatter(&self, source: usize, currents: &mut [T]) {
        self.coupling.scatter(source, currents);
    }

    /// Takes one bin through its units in order: feeds back the spikes of those before `drawn`, draws these, and adds
    /// what all of them do to those behind. Drawn are none, all, or the hidden units.
    #[inline(always)]
    pub fn run_bin<E, U>(&self, escape: &E, dynamics: &U, drawn: Range<usize>, bin: BinRows<'_, T>)
    where
        E: EscapeNoise<T>,
        U: UnitDynamics<T>,
    {
        let BinRows {
            potential,
            draws,
            within,
            spikes,
        } = bin;
        let (gain, observed) = (dynamics.gain(), self.order.observed);
        let rows = draws[drawn.clone()].iter_mut();
        for (draw, &v) in rows.zip(&potential[drawn.clone()]) {
            *draw = (escape.potential(*draw) - v) / gain;
        }
        within.fill(T::zero());
        for_each_fired(&spikes[..drawn.start], |source| {
            self.coupling.scatter(source, within);
        });
        let hidden = drawn.start.max(observed)..drawn.end;
        self.draw(hidden, draws, within, spikes);
        if drawn.start < observed {
            self.draw(drawn.start..observed, draws, within, spikes);
        }
        for (v, &current) in potential.iter_mut().zip(&*within) {
            *v += gain * current;
        }
    }

    /// Draws units that follow each other in the order: a unit fires where what the spikes before it have added
    /// exceeds what it needs.
    ///
    /// `needed` is the current that is missing until a unit fires, `currents` what units before have added; both have
    /// the rows of the couplings.
    #[inline(always)]
    fn draw(&self, units: Range<usize>, needed: &[T], currents: &mut [T], spikes: &mut [u8]) {
        spikes[units.clone()].fill(0);
        for first in units.clone().step_by(LANES) {
            let wide = LANES.min(units.end - first);
            // Those that are still to be drawn.
            let mut open = (1u32 << wide) - 1;
            loop {
                let fire = exceeding(&currents[first..], &needed[first..], wide) & open;
                if fire == 0 {
                    break;
                }
                let next = fire.trailing_zeros();
                spikes[first + next as usize] = 1;
                self.coupling.scatter(first + next as usize, currents);
                open &= !0 << next << 1;
            }
        }
    }

    /// `sum over j behind source of S[source,j] lambda[j]` of trials side by side, `lambda` being `[unit][trial]`.
    #[inline(always)]
    pub fn gather_side_by_side(&self, source: usize, lambda: &[[T; LANES]]) -> [T; LANES] {
        match &self.coupling {
            AnyCoupling::Dense(dense) => {
                let weights = dense.block(source);
                // Four sums that do not wait for each other, each by its own name so that it stays in registers.
                let zero = [T::zero(); LANES];
                let (mut a, mut b, mut c, mut d) = (zero, zero, zero, zero);
                for range in self.order.behind(source) {
                    let (weights, lambda) = (&weights[range.clone()], &lambda[range]);
                    let (fours, last) = weights.as_chunks::<4>();
                    let (lambdas, last_lambdas) = lambda.as_chunks::<4>();
                    for (w, l) in fours.iter().zip(lambdas) {
                        add_lanes(&mut a, w[0], &l[0]);
                        add_lanes(&mut b, w[1], &l[1]);
                        add_lanes(&mut c, w[2], &l[2]);
                        add_lanes(&mut d, w[3], &l[3]);
                    }
                    for (&w, l) in last.iter().zip(last_lambdas) {
                        add_lanes(&mut a, w, l);
                    }
                }
                let mut folded = zero;
                for lane in 0..LANES {
                    folded[lane] = (a[lane] + b[lane]) + (c[lane] + d[lane]);
                }
                folded
            }
            AnyCoupling::Sparse(sparse) => sparse.gather_side_by_side(source, lambda),
            AnyCoupling::LowRank(_) => [T::zero(); LANES],
        }
    }

    /// Adds the gradient of all parameters, in their order:
    ///
    /// ```text
    /// dS[i,j] += sum over the spikes (k, t) of i of lambda[k,t,j]        i before j
    /// ```
    pub fn add_gradient(
        &self,
        spikes: &SpikeIndex,
        lambda: &TrialArray<T>,
        buffers: &mut LaggedSums<T>,
        gradient: &mut [T],
    ) {
        (self.coupling).add_gradient(spikes, lambda, 0, buffers, gradient);
        if let AnyCoupling::Dense(_) = self.coupling {
            self.order.clear_others(gradient, self.coupling.units());
        }
    }
}

/// `sums += weight * row`, lane by lane.
#[inline(always)]
fn add_lanes<T: Real>(sums: &mut [T; LANES], weight: T, row: &[T; LANES]) {
    for lane in 0..LANES {
        sums[lane] += weight * row[lane];
    }
}

/// A bit for each of the first `wide` numbers that exceeds its threshold.
#[inline(always)]
fn exceeding<T: Real>(numbers: &[T], thresholds: &[T], wide: usize) -> u32 {
    let mut bits = 0;
    let whole = (numbers.first_chunk(), thresholds.first_chunk());
    if let (Some(numbers), Some(thresholds)) = whole {
        let (numbers, thresholds): (&[T; LANES], &[T; LANES]) = (numbers, thresholds);
        for lane in 0..LANES {
            bits |= u32::from(numbers[lane] > thresholds[lane]) << lane;
        }
        return bits;
    }
    let pairs = numbers.iter().zip(thresholds).take(wide);
    for (lane, (number, threshold)) in pairs.enumerate() {
        bits |= u32::from(number > threshold) << lane;
    }
    bits
}
