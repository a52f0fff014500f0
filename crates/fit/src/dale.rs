//! Dale's law: all couplings of a unit onto others have one sign.

use crate::{CouplingKind, FitError, Settings};
use refire_kernels::Real;
use refire_sim::Connectivity;
use std::sync::Arc;

/// Which couplings have which sign. Of the hidden units the last ones are inhibitory, the others excitatory:
/// how many of either kind there are an experimenter knows from anatomy, what they do to whom is fitted.
#[derive(Clone, Debug)]
pub(crate) struct Dale {
    lags: usize,
    /// Whether each unit inhibits, where that is known.
    inhibits: Vec<Option<bool>>,
    /// Of sparse couplings.
    synapses: Option<Arc<Connectivity>>,
}

impl Dale {
    /// The law of some settings, synapses in hand; `None` where they have none.
    pub(crate) fn of(settings: &Settings, observed: usize) -> Option<Self> {
        let (hidden, known) = (settings.hidden_inhibitory, &settings.observed_inhibitory);
        if hidden.is_none() && known.is_none() {
            return None;
        }
        let of_observed = (0..observed).map(|i| known.as_ref().map(|k| k.contains(&i)));
        let excitatory = settings.excitatory_hidden();
        let of_hidden = (0..settings.hidden).map(|h| hidden.map(|_| h >= excitatory));
        Some(Self {
            lags: settings.lags,
            inhibits: of_observed.chain(of_hidden).collect(),
            synapses: settings.synapses.clone(),
        })
    }

    /// Whether a unit inhibits, where that is known.
    pub(crate) fn inhibits(&self, unit: usize) -> Option<bool> {
        self.inhibits.get(unit).copied().flatten()
    }

    /// Calls `visit` with every coupling of known sign onto another unit: place, target, and whether it
    /// inhibits.
    fn for_each(&self, mut visit: impl FnMut(usize, usize, bool)) {
        let mut at = 0;
        for (source, &inhibits) in self.inhibits.iter().enumerate() {
            let targets = self.synapses.as_ref().map(|s| s.of(source));
            let count = targets.map_or(self.inhibits.len(), <[u32]>::len);
            if let Some(inhibits) = inhibits {
                for place in 0..self.lags * count {
                    let target = place % count;
                    let target = targets.map_or(target, |t| t[target] as usize);
                    if target != source {
                        visit(at + place, target, inhibits);
                    }
                }
            }
            at += self.lags * count;
        }
    }

    /// Sets to 0 what has the wrong sign: the nearest couplings that obey.
    pub(crate) fn hold<T: Real>(&self, couplings: &mut [T]) {
        self.for_each(|at, _, inhibits| {
            if let Some(w) = couplings.get_mut(at) {
                let held = if inhibits {
                    w.min(T::zero())
                } else {
                    w.max(T::zero())
                };
                *w = held;
            }
        });
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

impl Settings {
    /// Hidden units that are not inhibitory: the first ones.
    pub(crate) fn excitatory_hidden(&self) -> usize {
        let inhibitory = self.hidden_inhibitory.unwrap_or(0.0) * self.hidden as f64;
        self.hidden.saturating_sub(inhibitory.round() as usize)
    }

    /// Checks that Dale's law can be held.
    pub(crate) fn check_dale(&self) -> Result<(), FitError> {
        let refuse = |name, allowed, found| {
            Err(FitError::Setting {
                name,
                allowed,
                found,
            })
        };
        let low_rank = "none with low-rank couplings, whose components have no sign";
        if self.observed_inhibitory.is_some() && self.couplings == CouplingKind::LowRank {
            return refuse("observed-inhibitory", low_rank, "some".to_string());
        }
        let Some(share) = self.hidden_inhibitory else {
            return Ok(());
        };
        let allowed = if !(0.0..=1.0).contains(&share) {
            "a share from 0 to 1"
        } else if self.hidden == 0 {
            "none without hidden units"
        } else if self.couplings == CouplingKind::LowRank {
            low_rank
        } else {
            return Ok(());
        };
        refuse("hidden-inhibitory", allowed, share.to_string())
    }

    /// Checks that the units whose signs are known are among the recorded ones.
    pub(crate) fn check_observed_signs(&self, observed: usize) -> Result<(), FitError> {
        let mut known = self.observed_inhibitory.iter().flatten();
        match known.find(|&&unit| unit >= observed) {
            None => Ok(()),
            Some(unit) => Err(FitError::Setting {
                name: "observed-inhibitory",
                allowed: "places of recorded units, from 0",
                found: format!("{unit} of {observed} units"),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Parameters;

    /// Two observed units, two hidden excitatory ones (2, 3) and one inhibitory (4).
    fn settings() -> Settings {
        Settings {
            lags: 2,
            hidden: 3,
            hidden_inhibitory: Some(0.3),
            ..Settings::default()
        }
    }

    fn sparse() -> Settings {
        let settings = Settings {
            couplings: CouplingKind::Sparse,
            in_degree: 3,
            ..settings()
        };
        settings.with_synapses(5).unwrap()
    }

    /// Source, target and value of every coupling, at all lags.
    fn listed(settings: &Settings, couplings: &[f64]) -> Vec<(usize, usize, f64)> {
        let mut values = couplings.iter();
        let mut all = Vec::new();
        for source in 0..5 {
            for _ in 0..settings.lags {
                let targets: Vec<usize> = match &settings.synapses {
                    None => (0..5).collect(),
                    Some(synapses) => synapses.of(source).iter().map(|&j| j as usize).collect(),
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
        for settings in [settings(), sparse()] {
            let count = crate::wiring::Wiring::of(&settings)
                .parameters(5, 2)
                .unwrap();
            let before: Vec<f64> = (0..count).map(|at| (1.7 * at as f64).sin()).collect();
            let mut held = before.clone();
            Dale::of(&settings, 2).unwrap().hold(&mut held);
            let pairs = listed(&settings, &before)
                .into_iter()
                .zip(listed(&settings, &held));
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
        let start = Parameters::<f64>::initial(&settings(), &[0.1, 0.3], 0);
        let free = Settings {
            hidden_inhibitory: None,
            ..settings()
        };
        let without = Parameters::<f64>::initial(&free, &[0.1, 0.3], 0);
        let listed = listed(&settings(), &start.couplings);
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
        settings().check().unwrap();
        let message = |settings: Settings| settings.check().unwrap_err().to_string();
        let share = Settings {
            hidden_inhibitory: Some(1.5),
            ..settings()
        };
        assert!(message(share).contains("from 0 to 1, found 1.5"));
        let share = Settings {
            hidden_inhibitory: Some(f64::NAN),
            ..settings()
        };
        assert!(message(share).contains("from 0 to 1, found NaN"));
        let none = Settings {
            hidden: 0,
            ..settings()
        };
        assert!(message(none).contains("without hidden units"));
        let low_rank = Settings {
            couplings: CouplingKind::LowRank,
            rank: 2,
            ..settings()
        };
        assert!(message(low_rank).contains("low-rank"));
    }
}
