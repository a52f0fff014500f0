//! From couplings that are asked for to couplings with their synapses.

use crate::{Couplings, FitError, Specification, Synapses};
use refire_engine::{NetworkShape, Wiring};
use refire_random::{Purpose, Stream};
use refire_sim::{Connectivity, SimError, UnitOrder};
use std::sync::Arc;

/// The couplings of a network of `units`: synapses of an in-degree are drawn, a pure function of the seed.
///
/// # Errors
/// [`FitError::Sim`] where an in-degree cannot be had, or synapses are those of another number of units.
pub fn resolve(spec: &Specification, units: usize) -> Result<Wiring, FitError> {
    let synapses = match &spec.network.couplings {
        Couplings::Dense => return Ok(Wiring::Dense),
        Couplings::LowRank { rank } => return Ok(Wiring::LowRank(*rank)),
        Couplings::Sparse(Synapses::InDegree(in_degree)) => {
            let stream = Stream::new(spec.seed, Purpose::Connectivity);
            Arc::new(Connectivity::fixed_in_degree(units, *in_degree, stream)?)
        }
        Couplings::Sparse(Synapses::Given(synapses)) => Arc::clone(synapses),
    };
    if synapses.units() != units {
        return Err(SimError::Shape {
            what: "units of the mask of synapses (observed, then hidden)",
            expected: units,
            found: synapses.units(),
        }
        .into());
    }
    Ok(Wiring::Sparse(synapses))
}

/// The couplings of a file, which holds the synapses of sparse ones; dense ones where it does not.
pub(crate) fn from_file(spec: &Specification, synapses: Option<Arc<Connectivity>>) -> Wiring {
    match (&spec.network.couplings, synapses) {
        (Couplings::LowRank { rank }, _) => Wiring::LowRank(*rank),
        (Couplings::Sparse(_), Some(synapses)) => Wiring::Sparse(synapses),
        _ => Wiring::Dense,
    }
}

/// The network of a specification with so many `observed` units.
pub fn shape(spec: &Specification, wiring: &Wiring, observed: usize) -> NetworkShape {
    let hidden = spec.network.hidden;
    let order = UnitOrder {
        observed,
        live: observed + hidden,
    };
    NetworkShape {
        observed,
        hidden,
        lags: spec.network.lags,
        same_bin: spec.network.same_bin.then(|| wiring.same_bin(order)),
        wiring: wiring.clone(),
        theta: spec.network.dynamics.theta(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Facts, ObjectiveKind};

    #[test]
    fn synapses_are_drawn_by_the_seed_or_those_of_the_mask() {
        let spec = |seed, synapses| {
            let mut spec = Specification::new(Facts::default(), ObjectiveKind::default());
            spec.network.couplings = Couplings::Sparse(synapses);
            spec.seed = seed;
            spec
        };
        let drawn = |seed| {
            let wiring = resolve(&spec(seed, Synapses::InDegree(2)), 5).unwrap();
            wiring.synapses().unwrap().clone()
        };
        assert_eq!(drawn(1).in_degrees(), [2; 5]);
        assert_eq!(drawn(1), drawn(1));
        assert_ne!(drawn(1), drawn(2));
        assert!(resolve(&spec(1, Synapses::InDegree(2)), 1).is_err());
        let masked = spec(1, Synapses::Given(drawn(1)));
        assert_eq!(resolve(&masked, 5).unwrap(), Wiring::Sparse(drawn(1)));
        let message = resolve(&masked, 6).unwrap_err().to_string();
        assert!(message.contains("expected 6, found 5"), "{message}");
    }
}
