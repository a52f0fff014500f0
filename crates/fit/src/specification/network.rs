//! Units and couplings.

use super::numbers::{at_least_1, lags, positive};
use crate::FitError;
use refire_sim::{Connectivity, THRESHOLD};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Units and couplings of the network.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkSpec {
    /// Hidden units.
    pub hidden: usize,
    /// Lags of the couplings, bins; also those of the noise covariance unless the objective says otherwise.
    pub lags: usize,
    /// History at the start of each trial.
    pub history: HistoryStart,
    /// Which couplings there are.
    pub couplings: Couplings,
    /// Whether units act on those behind them in the same bin too: hidden units first, then observed ones, in their
    /// order. Without, units of one bin are independent given the past.
    pub same_bin: bool,
    /// What is known of their signs.
    pub signs: Signs,
    /// From the potential to the probability of a spike per bin.
    pub escape: Escape,
    /// From the current to the potential, with the threshold `theta`.
    pub dynamics: Dynamics,
}

impl Default for NetworkSpec {
    fn default() -> Self {
        Self {
            hidden: 0,
            lags: 9,
            history: HistoryStart::default(),
            couplings: Couplings::default(),
            same_bin: true,
            signs: Signs::default(),
            escape: Escape::default(),
            dynamics: Dynamics::default(),
        }
    }
}

/// From the potential to the probability of a spike per bin.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escape {
    /// `p = 1 / (1 + exp(-v))`.
    #[default]
    Logistic,
}

/// From the current to the potential, with the threshold `theta`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Dynamics {
    /// `v = (u - theta) / theta`.
    Memoryless {
        /// Threshold, current.
        theta: f64,
    },
}

impl Default for Dynamics {
    fn default() -> Self {
        Self::Memoryless { theta: THRESHOLD }
    }
}

impl Dynamics {
    /// Threshold of the units, current.
    pub fn theta(self) -> f64 {
        let Self::Memoryless { theta } = self;
        theta
    }
}

/// What the couplings see before the first scored bin of a trial.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HistoryStart {
    /// The first `lags` recorded bins, which then carry no loss and no statistic.
    Recorded,
    /// Silence, and every bin counts (as the published free-running pass).
    #[default]
    Zero,
}

/// Which couplings there are between units.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Couplings {
    /// Free weights between all units.
    #[default]
    Dense,
    /// Free weights along given synapses only.
    Sparse(Synapses),
    /// Products of a few components.
    LowRank {
        /// Number of components.
        rank: usize,
    },
}

/// Whether there is something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Switch {
    /// There is.
    On,
    /// There is not.
    #[default]
    Off,
}

impl Switch {
    /// Whether it is on.
    pub fn is_on(self) -> bool {
        self == Self::On
    }
}

impl From<bool> for Switch {
    fn from(on: bool) -> Self {
        if on { Self::On } else { Self::Off }
    }
}

/// Where the synapses of sparse couplings come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Synapses {
    /// So many drawn onto every unit, one of them from itself: a pure function of the seed.
    InDegree(usize),
    /// Given synapse by synapse.
    Given(Arc<Connectivity>),
}

/// Couplings by their name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CouplingKind {
    /// [`Couplings::Dense`].
    #[default]
    Dense,
    /// [`Couplings::Sparse`].
    Sparse,
    /// [`Couplings::LowRank`].
    LowRank,
}

impl Couplings {
    /// Their name.
    pub fn kind(&self) -> CouplingKind {
        match self {
            Self::Dense => CouplingKind::Dense,
            Self::Sparse(_) => CouplingKind::Sparse,
            Self::LowRank { .. } => CouplingKind::LowRank,
        }
    }
}

/// Dale's law: what is known of the signs of couplings. Those of a unit to others then keep one sign, at 0 where the
/// gradient would change it; to itself they may have either.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Signs {
    /// Share of the hidden units that are inhibitory, rounded to whole units, the last ones; the others are
    /// excitatory. `None` leaves their signs free.
    pub hidden_inhibitory: Option<f64>,
    /// Places of the observed units known to be inhibitory (by their waveform, say), the others being
    /// excitatory. `None` leaves their signs free.
    pub observed_inhibitory: Option<Vec<usize>>,
}

impl NetworkSpec {
    /// Hidden units that are not inhibitory: the first ones.
    pub(crate) fn excitatory_hidden(&self) -> usize {
        let share = self.signs.hidden_inhibitory.unwrap_or(0.0);
        let inhibitory = share * self.hidden as f64;
        self.hidden.saturating_sub(inhibitory.round() as usize)
    }

    pub(super) fn check(&self) -> Result<(), FitError> {
        lags(self.lags)?;
        positive("theta", self.dynamics.theta())?;
        if let Couplings::LowRank { rank } = self.couplings {
            at_least_1("rank", rank, "1 or more with low-rank couplings")?;
        }
        self.check_signs()
    }

    /// Checks that Dale's law can be held.
    fn check_signs(&self) -> Result<(), FitError> {
        let low_rank = self.couplings.kind() == CouplingKind::LowRank;
        let without = "none with low-rank couplings, whose components have no sign";
        if self.signs.observed_inhibitory.is_some() && low_rank {
            return Err(FitError::setting("observed-inhibitory", without, "some"));
        }
        let Some(share) = self.signs.hidden_inhibitory else {
            return Ok(());
        };
        let allowed = if !(0.0..=1.0).contains(&share) {
            "a share from 0 to 1"
        } else if self.hidden == 0 {
            "none without hidden units"
        } else if low_rank {
            without
        } else {
            return Ok(());
        };
        Err(FitError::setting("hidden-inhibitory", allowed, share))
    }

    /// Checks that the units whose signs are known are among the recorded ones.
    pub(crate) fn check_observed_signs(&self, observed: usize) -> Result<(), FitError> {
        let mut known = self.signs.observed_inhibitory.iter().flatten();
        match known.find(|&&unit| unit >= observed) {
            None => Ok(()),
            Some(unit) => Err(FitError::setting(
                "observed-inhibitory",
                "indices of recorded units, from 0",
                format!("{unit} of {observed} units"),
            )),
        }
    }
}
