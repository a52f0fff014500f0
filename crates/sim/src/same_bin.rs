//! Same-bin couplings: what a spike adds to the currents of the units behind it in its own bin.

use crate::{AnyCoupling, Coupling, LaggedSums, SimError, UnitOrder};
use refire_core::{SpikeIndex, TrialArray, for_each_fired};
use refire_kernels::{LANES, Real, add_assign, add_side_by_side};
use refire_neuron::{EscapeNoise, UnitDynamics};
use std::ops::Range;

/// Units whose adjoints are gathered at once: as many sums as hide how long each product takes.
const GROUP: usize = 8;

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

/// Same-bin couplings of some units in the order in which [`Self::pull_back_side_by_side`] reads them.
pub struct Packed<'a, T> {
    same_bin: SameBin<'a, T>,
    free: Range<usize>,
    /// Units that follow each other, the last ones first.
    groups: Vec<Range<usize>>,
    /// Of dense couplings: of each group, for each unit behind all of it and then each of its own, what couples the units
    /// of the group to it.
    weights: Vec<[T; GROUP]>,
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
    /// Room for who fired.
    pub fired: &'a mut Vec<usize>,
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
            fired,
        } = bin;
        let (gain, observed) = (dynamics.gain(), self.order.observed);
        if !drawn.is_empty() {
            // What fills up the rows as well, so that no unit is left to a loop of single ones.
            let rows = draws[drawn.start..].iter_mut();
            for (draw, &v) in rows.zip(&potential[drawn.start..]) {
                *draw = (escape.potential(*draw) - v) / gain;
            }
        }
        within.fill(T::zero());
        fired.clear();
        for_each_fired(&spikes[..drawn.start], |source| fired.push(source));
        self.coupling.scatter_all(fired, within);
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

    /// Couplings of the units of `free`, as [`Packed::pull_back_side_by_side`] reads them.
    pub fn packed(&self, free: Range<usize>) -> Packed<'a, T> {
        let UnitOrder { observed, live } = self.order;
        let mut packed = Packed {
            same_bin: *self,
            free: free.clone(),
            groups: Vec::new(),
            weights: Vec::new(),
        };
        for units in [0..observed, observed..live] {
            let units = units.start.max(free.start)..units.end.min(free.end);
            let groups = units.clone().step_by(GROUP);
            for first in groups.rev() {
                let group = first..units.end.min(first + GROUP);
                if let AnyCoupling::Dense(dense) = &self.coupling {
                    let behind = self.order.behind(group.end - 1);
                    for target in behind.into_iter().flatten().chain(group.clone()) {
                        let mut weights = [T::zero(); GROUP];
                        for (weight, source) in weights.iter_mut().zip(group.clone()) {
                            *weight = dense.block(source)[target];
                        }
                        packed.weights.push(weights);
                    }
                }
                packed.groups.push(group);
            }
        }
        packed
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

impl<'a, T: Real> Packed<'a, T> {
    /// The couplings that are packed.
    pub fn same_bin(&self) -> &SameBin<'a, T> {
        &self.same_bin
    }

    /// Units that adjoints pass through.
    pub fn free(&self) -> Range<usize> {
        self.free.clone()
    }

    /// The adjoint within a bin of trials side by side, from the last unit to the first. Of each unit that
    /// adjoints pass through, `add` is given `sum over j behind it of S[unit,j] lambda[j]` and answers what comes on top of its own
    /// `lambda`, which those before it then see; `lambda` is `[unit][trial]`.
    #[inline(always)]
    pub fn pull_back_side_by_side(
        &self,
        lambda: &mut [[T; LANES]],
        mut add: impl FnMut(usize, [T; LANES]) -> [T; LANES],
    ) {
        let mut rest = &self.weights[..];
        for group in &self.groups {
            if let AnyCoupling::Sparse(sparse) = &self.same_bin.coupling {
                for unit in group.clone().rev() {
                    let behind = sparse.gather_side_by_side(unit, lambda);
                    add_assign(&mut lambda[unit], &add(unit, behind));
                }
                continue;
            }
            // What lies behind all units of the group at once, then what lies between them.
            let mut sums = [[T::zero(); LANES]; GROUP];
            for range in self.same_bin.order.behind(group.end - 1) {
                let (weights, others) = rest.split_at(range.len());
                add_side_by_side(weights, &lambda[range], &mut sums);
                rest = others;
            }
            let (between, others) = rest.split_at(group.len());
            rest = others;
            for (n, unit) in group.clone().enumerate().rev() {
                let mut sum = sums[n];
                for (weights, row) in between.iter().zip(&lambda[group.clone()]).skip(n + 1) {
                    for lane in 0..LANES {
                        sum[lane] += weights[n] * row[lane];
                    }
                }
                add_assign(&mut lambda[unit], &add(unit, sum));
            }
        }
    }
}

/// A bit for each of the first `wide` numbers that exceeds its threshold.
#[inline(always)]
fn exceeding<T: Real>(numbers: &[T], thresholds: &[T], wide: usize) -> u32 {
    let mut bits = 0;
    let whole = (numbers.first_chunk(), thresholds.first_chunk());
    if let (Some(numbers), Some(thresholds)) = whole {
        let (numbers, thresholds): (&[T; LANES], &[T; LANES]) = (numbers, thresholds);
        // The bits of all lanes first, then one from them: each loop vectorises by itself.
        let mut lanes = [0; LANES];
        for (lane, bit) in lanes.iter_mut().enumerate() {
            *bit = if numbers[lane] > thresholds[lane] {
                1 << lane
            } else {
                0
            };
        }
        return lanes.iter().fold(0, |bits, bit| bits | bit);
    }
    let pairs = numbers.iter().zip(thresholds).take(wide);
    for (lane, (number, threshold)) in pairs.enumerate() {
        bits |= u32::from(number > threshold) << lane;
    }
    bits
}
