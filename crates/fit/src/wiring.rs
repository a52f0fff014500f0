//! Which couplings a network has, and where their numbers lie.

use crate::{FitError, Settings};
use refire_core::AlignedVec;
use refire_kernels::Real;
use refire_random::{Purpose, Stream};
use refire_sim::{
    AnyCoupling, Connectivity, DenseCoupling, LowRankCoupling, SimError, SparseCoupling,
};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Kind of the couplings between units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CouplingKind {
    /// Free weights between all units.
    #[default]
    Dense,
    /// Free weights along given synapses only.
    Sparse,
    /// Products of a few components.
    LowRank,
}

/// The couplings of some settings, synapses in hand.
#[derive(Clone, Debug)]
pub(crate) enum Wiring {
    Dense,
    /// Synapses; none where they have not been drawn yet.
    Sparse(Option<Arc<Connectivity>>),
    /// Rank.
    LowRank(usize),
}

impl Wiring {
    pub(crate) fn of(settings: &Settings) -> Self {
        match settings.couplings {
            CouplingKind::Dense => Self::Dense,
            CouplingKind::Sparse => Self::Sparse(settings.synapses.clone()),
            CouplingKind::LowRank => Self::LowRank(settings.rank),
        }
    }

    /// Numbers in front that are none per target, then rows of targets; `None` where that is more than
    /// can be counted.
    fn parts(&self, units: usize, lags: usize) -> Option<[usize; 2]> {
        let block = units.checked_mul(lags)?;
        match self {
            Self::Dense => Some([0, block]),
            Self::Sparse(None) => Some([0, 0]),
            Self::Sparse(Some(synapses)) => Some([synapses.synapses().checked_mul(lags)?, 0]),
            Self::LowRank(rank) => Some([units.checked_mul(*rank)?, rank.checked_mul(lags)?]),
        }
    }

    /// Number of parameters; `None` where that is more than can be counted.
    pub(crate) fn parameters(&self, units: usize, lags: usize) -> Option<usize> {
        let [front, rows] = self.parts(units, lags)?;
        front.checked_add(rows.checked_mul(units)?)
    }

    /// The couplings of parameters in rows of `units`, of which some may only fill up rows.
    ///
    /// # Errors
    /// [`FitError::Sim`] where the number of parameters is wrong, [`FitError::Setting`] where synapses
    /// are wanted and there are none.
    pub(crate) fn coupling<'a, T: Real>(
        &'a self,
        parameters: &'a [T],
        units: usize,
        lags: usize,
    ) -> Result<AnyCoupling<'a, T>, FitError> {
        Ok(match self {
            Self::Dense => AnyCoupling::Dense(DenseCoupling::new(parameters, units, lags)?),
            Self::Sparse(Some(synapses)) => {
                AnyCoupling::Sparse(SparseCoupling::new(parameters, synapses, units, lags)?)
            }
            Self::Sparse(None) => return Err(no_synapses()),
            Self::LowRank(rank) => {
                AnyCoupling::LowRank(LowRankCoupling::new(parameters, units, lags, *rank)?)
            }
        })
    }

    /// Copies parameters in rows of `live` to rows of `units`, what fills them up being zero.
    ///
    /// # Errors
    /// As [`Self::coupling`].
    pub(crate) fn pad<T: Real>(
        &self,
        parameters: &[T],
        (live, units): (usize, usize),
        lags: usize,
        padded: &mut AlignedVec<T>,
    ) -> Result<(), FitError> {
        self.coupling(parameters, live, lags)?;
        let ([front, _], [padded_front, _]) = (self.shape(live, lags)?, self.shape(units, lags)?);
        let count = self.parameters(units, lags).ok_or_else(too_many)?;
        padded.resize(count, T::zero());
        let (own, rows) = parameters.split_at(front);
        let (padded_own, padded_rows) = padded.split_at_mut(padded_front);
        padded_own[..front].copy_from_slice(own);
        let rows = rows.chunks_exact(live.max(1));
        for (row, padded) in rows.zip(padded_rows.chunks_exact_mut(units.max(1))) {
            padded[..live].copy_from_slice(row);
        }
        Ok(())
    }

    /// The reverse of [`Self::pad`]: `padded` without what fills up rows.
    pub(crate) fn strip<T: Real>(
        &self,
        padded: &[T],
        (live, units): (usize, usize),
        lags: usize,
        parameters: &mut Vec<T>,
    ) -> Result<(), FitError> {
        let ([front, rows], [padded_front, _]) =
            (self.shape(live, lags)?, self.shape(units, lags)?);
        parameters.clear();
        let (own, padded_rows) = padded.split_at(padded_front.min(padded.len()));
        parameters.extend_from_slice(&own[..front.min(own.len())]);
        for row in padded_rows.chunks_exact(units.max(1)).take(rows) {
            parameters.extend_from_slice(&row[..live]);
        }
        Ok(())
    }

    fn shape(&self, units: usize, lags: usize) -> Result<[usize; 2], FitError> {
        self.parts(units, lags).ok_or_else(too_many)
    }

    /// Standard deviation of every parameter that gives single couplings one of `sd`. Those of low rank are
    /// sums over `rank` of products of two numbers, which share it evenly.
    pub(crate) fn sd_of_parameters(&self, sd: f64) -> f64 {
        match self {
            Self::Dense | Self::Sparse(_) => sd,
            Self::LowRank(rank) => (sd / (*rank as f64).sqrt()).sqrt(),
        }
    }

    /// In-degree of the target of each parameter of sparse couplings; `None` where all units have all.
    pub(crate) fn in_degrees(&self, lags: usize) -> Option<Vec<u32>> {
        let Self::Sparse(Some(synapses)) = self else {
            return None;
        };
        let of_target = synapses.in_degrees();
        let mut of_parameter = Vec::with_capacity(synapses.synapses() * lags);
        for source in 0..synapses.units() {
            for _ in 0..lags {
                let targets = synapses.of(source).iter();
                of_parameter.extend(targets.map(|&j| of_target[j as usize]));
            }
        }
        Some(of_parameter)
    }
}

fn too_many() -> FitError {
    FitError::Setting {
        name: "couplings",
        allowed: "as many as can be counted",
        found: "more".to_string(),
    }
}

fn no_synapses() -> FitError {
    FitError::Setting {
        name: "couplings",
        allowed: "an in-degree or a mask of synapses with sparse",
        found: "none".to_string(),
    }
}

impl Settings {
    /// These settings with the synapses of a network of `units` in hand: those of the mask, or drawn for
    /// the in-degree, a pure function of the seed.
    ///
    /// # Errors
    /// [`FitError::Sim`] where an in-degree cannot be had, or the mask is that of another number of units.
    pub fn with_synapses(mut self, units: usize) -> Result<Self, FitError> {
        if self.couplings != CouplingKind::Sparse {
            return Ok(self);
        }
        if self.in_degree > 0 {
            let stream = Stream::new(self.seed, Purpose::Connectivity);
            let drawn = Connectivity::fixed_in_degree(units, self.in_degree, stream)?;
            self.synapses = Some(Arc::new(drawn));
        }
        match &self.synapses {
            Some(synapses) if synapses.units() == units => Ok(self),
            Some(synapses) => Err(SimError::Shape {
                what: "units of the mask of synapses (observed, then hidden)",
                expected: units,
                found: synapses.units(),
            }
            .into()),
            None => Err(no_synapses()),
        }
    }

    /// Checks that what is said of the couplings goes together.
    pub(crate) fn check_couplings(&self) -> Result<(), FitError> {
        let wrong = |name: &'static str, allowed: &'static str, found: String| {
            Err(FitError::Setting {
                name,
                allowed,
                found,
            })
        };
        let (sparse, low_rank) = (
            self.couplings == CouplingKind::Sparse,
            self.couplings == CouplingKind::LowRank,
        );
        if sparse && self.in_degree == 0 && self.synapses.is_none() {
            return Err(no_synapses());
        }
        if !sparse && self.in_degree > 0 {
            let allowed = "0 unless couplings are sparse";
            return wrong("in-degree", allowed, self.in_degree.to_string());
        }
        if !sparse && self.synapses.is_some() {
            return wrong(
                "mask",
                "none unless couplings are sparse",
                "one".to_string(),
            );
        }
        if low_rank != (self.rank > 0) {
            let allowed = if low_rank {
                "1 or more with low-rank couplings"
            } else {
                "0 unless couplings are low-rank"
            };
            return wrong("rank", allowed, self.rank.to_string());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use refire_core::aligned_vec;

    fn wirings() -> Vec<Wiring> {
        let mask = [true, false, true, true, true, false, false, false, true];
        let synapses = Connectivity::from_mask(&mask, 3).unwrap();
        vec![
            Wiring::Dense,
            Wiring::Sparse(Some(Arc::new(synapses))),
            Wiring::LowRank(2),
        ]
    }

    #[test]
    fn stripping_undoes_padding_and_keeps_every_coupling() {
        let (live, units, lags) = (3, 8, 2);
        for (wiring, count) in wirings().into_iter().zip([18, 10, 18]) {
            assert_eq!(wiring.parameters(live, lags), Some(count));
            let parameters: Vec<f64> = (1..=count).map(|x| x as f64).collect();
            let mut padded = aligned_vec();
            wiring
                .pad(&parameters, (live, units), lags, &mut padded)
                .unwrap();
            let (narrow, wide) = (
                wiring.coupling(&parameters, live, lags).unwrap(),
                wiring.coupling(&padded, units, lags).unwrap(),
            );
            for source in 0..live {
                let (mut own, mut filled) = (vec![0.0; lags * live], vec![0.0; lags * units]);
                use refire_sim::Coupling;
                narrow.scatter(source, &mut own);
                wide.scatter(source, &mut filled);
                assert!(own.iter().any(|&w| w != 0.0));
                for (own, filled) in own.chunks(live).zip(filled.chunks(units)) {
                    assert_eq!(own, &filled[..live]);
                    assert!(filled[live..].iter().all(|&w| w == 0.0));
                }
            }
            let mut stripped = vec![7.0];
            wiring
                .strip(&padded, (live, units), lags, &mut stripped)
                .unwrap();
            assert_eq!(stripped, parameters);
        }
    }

    #[test]
    fn parameters_know_the_in_degree_of_their_target_and_low_rank_shares_a_standard_deviation() {
        let [dense, sparse, low_rank] = wirings().try_into().unwrap();
        assert_eq!(dense.in_degrees(2), None);
        // Sources 0 to 2 reach 0 2, 0 1 and 2: in-degrees 2, 1 and 2.
        let expected = vec![2, 2, 2, 2, 2, 1, 2, 1, 2, 2];
        assert_eq!(sparse.in_degrees(2), Some(expected));
        assert_eq!(sparse.sd_of_parameters(0.3), 0.3);
        // The variance of a sum of two products of two.
        let factor = low_rank.sd_of_parameters(0.3);
        assert!((2.0 * factor.powi(4) - 0.09).abs() < 1e-12);
    }

    #[test]
    fn synapses_are_drawn_by_the_seed_or_those_of_the_mask() {
        let settings = Settings {
            couplings: CouplingKind::Sparse,
            in_degree: 2,
            ..Settings::default()
        };
        let drawn = |seed| {
            let settings = Settings {
                seed,
                ..settings.clone()
            };
            settings.with_synapses(5).unwrap().synapses.unwrap()
        };
        assert_eq!(drawn(1).in_degrees(), [2; 5]);
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert!(settings.clone().with_synapses(1).is_err());
        let masked = Settings {
            in_degree: 0,
            synapses: Some(drawn(1)),
            ..settings
        };
        assert_eq!(masked.clone().with_synapses(5).unwrap(), masked);
        let message = masked.with_synapses(6).unwrap_err().to_string();
        assert!(message.contains("expected 6, found 5"), "{message}");
    }
}
