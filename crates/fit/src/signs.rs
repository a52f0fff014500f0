//! Dale's law: all couplings of a unit onto others have one sign.

use crate::Specification;
use crate::wiring::shape;
use refire_engine::{Parameters, Wiring};
use refire_kernels::Real;
use refire_sim::Connectivity;
use std::sync::Arc;

/// Which couplings have which sign. Of the hidden units the last ones are inhibitory, the others excitatory:
/// how many of either kind there are an experimenter knows from anatomy, what they do to whom is fitted.
#[derive(Clone, Debug)]
pub(crate) struct Dale {
    lags: usize,
    /// Of same-bin couplings, where there are any: their synapses, if they are sparse.
    same_bin: Option<Option<Arc<Connectivity>>>,
    /// Whether each unit inhibits, where that is known.
    inhibits: Vec<Option<bool>>,
    /// Of sparse couplings.
    synapses: Option<Arc<Connectivity>>,
}

impl Dale {
    /// The law of a network of so many `observed` units; `None` where it has none.
    pub(crate) fn new(spec: &Specification, wiring: &Wiring, observed: usize) -> Option<Self> {
        let network = &spec.network;
        let hidden = network.signs.hidden_inhibitory;
        let known = &network.signs.observed_inhibitory;
        if hidden.is_none() && known.is_none() {
            return None;
        }
        let of_observed = (0..observed).map(|i| known.as_ref().map(|k| k.contains(&i)));
        let excitatory = network.excitatory_hidden();
        let of_hidden = (0..network.hidden).map(|h| hidden.map(|_| h >= excitatory));
        let same_bin = shape(spec, wiring, observed).same_bin;
        Some(Self {
            lags: network.lags,
            same_bin: same_bin.map(|wiring| wiring.synapses().cloned()),
            inhibits: of_observed.chain(of_hidden).collect(),
            synapses: wiring.synapses().cloned(),
        })
    }

    /// Whether a unit inhibits, where that is known.
    pub(crate) fn inhibits(&self, unit: usize) -> Option<bool> {
        self.inhibits.get(unit).copied().flatten()
    }

    /// Calls `visit` with every coupling of known sign onto another unit: place, target, and whether it
    /// inhibits.
    fn for_each(&self, visit: impl FnMut(usize, usize, bool)) {
        self.for_each_of(self.lags, self.synapses.as_deref(), visit);
    }

    /// [`Self::for_each`] of so many lags, along synapses unless all units have all.
    fn for_each_of(
        &self,
        lags: usize,
        synapses: Option<&Connectivity>,
        mut visit: impl FnMut(usize, usize, bool),
    ) {
        let mut at = 0;
        for (source, &inhibits) in self.inhibits.iter().enumerate() {
            let targets = synapses.map(|s| s.targets_of(source));
            let count = targets.map_or(self.inhibits.len(), <[u32]>::len);
            if let Some(inhibits) = inhibits {
                for place in 0..lags * count {
                    let target = place % count;
                    let target = targets.map_or(target, |t| t[target] as usize);
                    if target != source {
                        visit(at + place, target, inhibits);
                    }
                }
            }
            at += lags * count;
        }
    }

    /// Sets to 0 what has the wrong sign: the nearest couplings that obey.
    pub(crate) fn hold<T: Real>(&self, parameters: &mut Parameters<T>) {
        let hold = |w: Option<&mut T>, inhibits: bool| {
            if let Some(w) = w {
                let zero = T::zero();
                *w = if inhibits { w.min(zero) } else { w.max(zero) };
            }
        };
        let Parameters {
            couplings,
            same_bin,
            ..
        } = parameters;
        self.for_each(|at, _, inhibits| hold(couplings.get_mut(at), inhibits));
        if let Some(synapses) = &self.same_bin {
            self.for_each_of(1, synapses.as_deref(), |at, _, inhibits| {
                hold(same_bin.get_mut(at), inhibits);
            });
        }
    }

    /// Gives every coupling the sign of its source.
    pub(crate) fn turn<T: Real>(&self, couplings: &mut [T]) {
        self.for_each(|at, _, inhibits| {
            if let Some(w) = couplings.get_mut(at) {
                *w = if inhibits { -w.abs() } else { w.abs() };
            }
        });
    }

    /// Per target, the couplings of known sign onto it, summed over sources and lags.
    pub(crate) fn summed_inputs<T: Real>(&self, couplings: &[T]) -> Vec<f64> {
        let mut sums = vec![0.0; self.inhibits.len()];
        self.for_each(|at, target, _| {
            sums[target] += couplings.get(at).map_or(0.0, |w| w.f64());
        });
        sums
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::start::initial;
    use crate::wiring::resolve;
    use crate::{Couplings, Facts, ObjectiveKind, Optimiser, Synapses};
    use refire_sim::UnitOrder;

    /// Two observed units, two hidden excitatory ones (2, 3) and one inhibitory (4).
    fn spec() -> Specification {
        let mut spec = Specification::new(Facts::default(), ObjectiveKind::default());
        spec.network.lags = 2;
        spec.network.hidden = 3;
        spec.network.signs.hidden_inhibitory = Some(0.3);
        spec
    }

    fn sparse() -> Specification {
        let mut spec = spec();
        spec.network.couplings = Couplings::Sparse(Synapses::InDegree(3));
        spec
    }

    /// Source, target and value of every coupling, at all lags.
    fn listed(wiring: &Wiring, lags: usize, couplings: &[f64]) -> Vec<(usize, usize, f64)> {
        let mut values = couplings.iter();
        let mut all = Vec::new();
        for source in 0..5 {
            for _ in 0..lags {
                let targets: Vec<usize> = match wiring.synapses() {
                    None => (0..5).collect(),
                    Some(synapses) => synapses
                        .targets_of(source)
                        .iter()
                        .map(|&j| j as usize)
                        .collect(),
                };
                let row = targets
                    .into_iter()
                    .map(|j| (source, j, *values.next().unwrap()));
                all.extend(row.collect::<Vec<_>>());
            }
        }
        assert!(values.next().is_none());
        all
    }

    #[test]
    fn hidden_units_keep_their_sign_and_nothing_else_moves() {
        for spec in [spec(), sparse()] {
            let wiring = resolve(&spec, 5).unwrap();
            let count = wiring.parameters(5, 2).unwrap();
            let before: Vec<f64> = (0..count).map(|at| (1.7 * at as f64).sin()).collect();
            let order = UnitOrder {
                observed: 2,
                live: 5,
            };
            let own = wiring.same_bin(order);
            let mut within = before[..own.parameters(5, 1).unwrap()].to_vec();
            if own.synapses().is_none() {
                order.clear_others(&mut within, 5);
            }
            let mut parameters = Parameters {
                couplings: before.clone(),
                same_bin: within.clone(),
                ..Parameters::default()
            };
            Dale::new(&spec, &wiring, 2).unwrap().hold(&mut parameters);
            let signs = listed(&own, 1, &within).into_iter();
            for ((source, _, before), (.., held)) in
                signs.zip(listed(&own, 1, &parameters.same_bin))
            {
                let sign = if source == 4 { -1.0 } else { 1.0 };
                let wrong = source >= 2 && before * sign < 0.0;
                assert_eq!(held, if wrong { 0.0 } else { before });
            }
            let held = parameters.couplings;
            let pairs = listed(&wiring, 2, &before)
                .into_iter()
                .zip(listed(&wiring, 2, &held));
            let (mut stopped, mut kept) = (0, 0);
            for ((source, target, before), (_, _, held)) in pairs {
                let sign = if source == 4 { -1.0 } else { 1.0 };
                if source >= 2 && source != target && before * sign < 0.0 {
                    assert_eq!(held, 0.0, "{source} to {target}");
                    stopped += 1;
                } else {
                    assert_eq!(held, before, "{source} to {target}");
                    kept += 1;
                }
            }
            assert!(stopped > 3 && kept > 3);
        }
    }

    #[test]
    fn a_fit_starts_with_the_signs_and_at_the_rates_without_them() {
        let start = initial::<f64>(&spec(), &Wiring::Dense, &[0.1, 0.3], 0);
        let mut free = spec();
        free.network.signs.hidden_inhibitory = None;
        let without = initial::<f64>(&free, &Wiring::Dense, &[0.1, 0.3], 0);
        let listed = listed(&Wiring::Dense, 2, &start.couplings);
        let mut input = [0.0; 5];
        for &(source, target, w) in &listed {
            if source >= 2 && source != target {
                assert_eq!(w > 0.0, source < 4, "{source} to {target}");
                input[target] += w;
            }
        }
        for (target, input) in input.iter().enumerate() {
            let total = start.bias[target] + 0.2 * input;
            assert!((total - without.bias[target]).abs() < 1e-12);
        }
        for (with, without) in start.couplings.iter().zip(&without.couplings) {
            assert_eq!(with.abs(), without.abs());
        }
    }

    #[test]
    fn refuses_what_cannot_be_held() {
        spec().check().unwrap();
        let message = |change: fn(&mut Specification)| {
            let mut spec = spec();
            change(&mut spec);
            spec.check().unwrap_err().to_string()
        };
        let share = message(|spec| spec.network.signs.hidden_inhibitory = Some(1.5));
        assert!(share.contains("from 0 to 1, found 1.5"));
        let share = message(|spec| spec.network.signs.hidden_inhibitory = Some(f64::NAN));
        assert!(share.contains("from 0 to 1, found NaN"));
        let none = message(|spec| spec.network.hidden = 0);
        assert!(none.contains("without hidden units"));
        let low_rank = message(|spec| spec.network.couplings = Couplings::LowRank { rank: 2 });
        assert!(low_rank.contains("low-rank"));
        let lbfgs = message(|spec| {
            spec.optimiser = Optimiser::Lbfgs {
                ridge: crate::Ridge::Validation,
                then: None,
            };
        });
        assert!(lbfgs.contains("adam with hidden units"));
    }
}
