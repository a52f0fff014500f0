//! Which couplings a network has, and where their numbers lie.

use crate::EngineError;
use refire_core::AlignedVec;
use refire_kernels::Real;
use refire_sim::{
    AnyCoupling, Connectivity, DenseCoupling, LowRankCoupling, SparseCoupling, UnitOrder,
};
use std::sync::Arc;

/// Which couplings there are between units.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Wiring {
    /// Free weights between all units.
    #[default]
    Dense,
    /// Free weights along given synapses only.
    Sparse(Arc<Connectivity>),
    /// Products of a few components: the rank.
    LowRank(usize),
}

/// Rows of units, of which the first `live` are of the network and the rest only fill up rows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows {
    pub live: usize,
    pub units: usize,
}

impl Wiring {
    /// Numbers in front that are none per target, then rows of targets; `None` where that is more than
    /// can be counted.
    fn parts(&self, units: usize, lags: usize) -> Option<[usize; 2]> {
        let block = units.checked_mul(lags)?;
        match self {
            Self::Dense => Some([0, block]),
            Self::Sparse(synapses) => Some([synapses.synapses().checked_mul(lags)?, 0]),
            Self::LowRank(rank) => Some([units.checked_mul(*rank)?, rank.checked_mul(lags)?]),
        }
    }

    /// The synapses, where not all units have all.
    pub fn synapses(&self) -> Option<&Arc<Connectivity>> {
        match self {
            Self::Sparse(synapses) => Some(synapses),
            Self::Dense | Self::LowRank(_) => None,
        }
    }

    /// Same-bin couplings of a network that is wired so: along its own synapses, where not all units have all. Those
    /// beside low-rank couplings are free, as a product of components does not follow an order.
    pub fn same_bin(&self, order: UnitOrder) -> Self {
        match self {
            Self::Sparse(synapses) => Self::Sparse(Arc::new(synapses.in_order(order))),
            Self::Dense | Self::LowRank(_) => Self::Dense,
        }
    }

    /// Number of parameters; `None` where that is more than can be counted.
    pub fn parameters(&self, units: usize, lags: usize) -> Option<usize> {
        let [front, rows] = self.parts(units, lags)?;
        front.checked_add(rows.checked_mul(units)?)
    }

    /// The couplings of parameters in rows of `units`, of which some may only fill up rows.
    ///
    /// # Errors
    /// [`EngineError::Sim`] where the number of parameters is wrong.
    pub fn coupling<'a, T: Real>(
        &'a self,
        parameters: &'a [T],
        units: usize,
        lags: usize,
    ) -> Result<AnyCoupling<'a, T>, EngineError> {
        Ok(match self {
            Self::Dense => AnyCoupling::Dense(DenseCoupling::new(parameters, units, lags)?),
            Self::Sparse(synapses) => {
                AnyCoupling::Sparse(SparseCoupling::new(parameters, synapses, units, lags)?)
            }
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
        Rows { live, units }: Rows,
        lags: usize,
        padded: &mut AlignedVec<T>,
    ) -> Result<(), EngineError> {
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
        Rows { live, units }: Rows,
        lags: usize,
        parameters: &mut Vec<T>,
    ) -> Result<(), EngineError> {
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

    fn shape(&self, units: usize, lags: usize) -> Result<[usize; 2], EngineError> {
        self.parts(units, lags).ok_or_else(too_many)
    }

    /// Standard deviation of every parameter that gives single couplings one of `sd`. Those of low rank are
    /// sums over `rank` of products of two numbers, which share it evenly.
    pub fn sd_of_parameters(&self, sd: f64) -> f64 {
        match self {
            Self::Dense | Self::Sparse(_) => sd,
            Self::LowRank(rank) => (sd / (*rank as f64).sqrt()).sqrt(),
        }
    }

    /// Whether couplings are products of factors.
    pub fn is_low_rank(&self) -> bool {
        matches!(self, Self::LowRank(_))
    }

    /// In-degree of the target of each parameter of sparse couplings; `None` where all units have all.
    pub fn in_degrees(&self, lags: usize) -> Option<Vec<u32>> {
        let Self::Sparse(synapses) = self else {
            return None;
        };
        let of_target = synapses.in_degrees();
        let mut of_parameter = Vec::with_capacity(synapses.synapses() * lags);
        for source in 0..synapses.units() {
            for _ in 0..lags {
                let targets = synapses.targets_of(source).iter();
                of_parameter.extend(targets.map(|&j| of_target[j as usize]));
            }
        }
        Some(of_parameter)
    }
}

fn too_many() -> EngineError {
    EngineError::Couplings {
        expected: "as many as can be counted",
        found: "more",
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
            Wiring::Sparse(Arc::new(synapses)),
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
                .pad(&parameters, Rows { live, units }, lags, &mut padded)
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
                .strip(&padded, Rows { live, units }, lags, &mut stripped)
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
}
