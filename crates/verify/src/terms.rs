//! The terms of the objective, each by itself, with its exact expectation.

use crate::lab;
use anyhow::{Result, ensure};
use refire_core::{Recorded, TrialArray, TrialLayout};
use refire_fit::{Form, ObjectiveKind, Specification, Terms};
use refire_published::PublishedWeights;
use refire_testkit::{ExactLosses, TinyNetwork};

/// A term of the objective.
pub struct Term {
    /// As checks call it.
    pub name: &'static str,
    /// As the objective calls it.
    kind: &'static str,
    form: Form,
    /// Parts of the free-running trials.
    pub parts: usize,
    /// Whether its expectation can be listed only for one lag and no hidden unit.
    pub small: bool,
    /// Whether units act on those behind them in the same bin.
    pub same_bin: bool,
}

/// Largest same-bin couplings of the networks of terms that have them, in units of the potential.
pub const SAME_BIN: f64 = 2.0;

/// Likelihoods, whose teacher-forced pass samples hidden units.
pub const LIKELIHOODS: [Term; 2] = [
    term("likelihood with a hidden unit", "mle", Form::Corrected, 1),
    Term {
        same_bin: true,
        ..term("likelihood, same-bin couplings", "mle", Form::Corrected, 1)
    },
];

/// Every sample-and-measure term.
pub const STATISTICS: [Term; 10] = [
    term("PSTH", "psth", Form::Corrected, 1),
    term("noise covariance, square", "nc", Form::Corrected, 1),
    term("noise covariance, 2 parts", "nc", Form::Corrected, 2),
    Term {
        same_bin: true,
        ..term("PSTH, same-bin couplings", "psth", Form::Corrected, 1)
    },
    Term {
        same_bin: true,
        ..term(
            "noise covariance, square, same-bin couplings",
            "nc",
            Form::Corrected,
            1,
        )
    },
    Term {
        same_bin: true,
        ..term(
            "noise covariance, 2 parts, same-bin couplings",
            "nc",
            Form::Corrected,
            2,
        )
    },
    term("hidden rate", "hidden-rate", Form::Corrected, 1),
    Term {
        small: true,
        ..term("published PSTH", "psth", Form::Published, 1)
    },
    term("published noise covariance", "nc", Form::Published, 1),
    term("published hidden rate", "hidden-rate", Form::Published, 1),
];

const fn term(name: &'static str, kind: &'static str, form: Form, parts: usize) -> Term {
    Term {
        name,
        kind,
        form,
        parts,
        small: false,
        same_bin: false,
    }
}

/// `E ln P` and `E ln(1-P)`, see [`ExactLosses::mean_logs`].
pub type MeanLogs = Vec<Vec<[f64; 2]>>;

impl Term {
    /// Whether it is the likelihood, which [`Self::exact`] does not know.
    pub fn is_likelihood(&self) -> bool {
        self.kind == "mle"
    }

    /// A network as the term wants it.
    pub fn wire(&self, network: TinyNetwork, seed: u64) -> TinyNetwork {
        match self.same_bin {
            true => network.with_same_bin(SAME_BIN, seed),
            false => network,
        }
    }

    /// The specification of a fit that has the term.
    pub fn spec(&self, network: &TinyNetwork) -> Specification {
        let mut spec = lab::spec(network, ObjectiveKind::MleAndSampleAndMeasure, self.form);
        if let Some(corrected) = spec.objective.corrected_mut() {
            corrected.noise.parts = self.parts;
        }
        spec
    }

    /// The objective with the term alone, at weight 1.
    pub fn alone(
        &self,
        spec: &Specification,
        spikes: &TrialArray<u8>,
        layout: &TrialLayout,
    ) -> Result<Terms<f64>> {
        let mut terms = Terms::new(spec, Recorded { spikes, layout });
        terms.terms.retain(|term| term.term.name() == self.kind);
        terms.terms.iter_mut().for_each(|term| term.weight = 1.0);
        let left_out = terms.left_out.join("; ");
        ensure!(
            !terms.terms.is_empty(),
            "no loss term '{}' ({left_out})",
            self.kind
        );
        Ok(terms)
    }

    /// What [`Self::exact`] needs of the published PSTH; nothing for the other terms.
    pub fn mean_logs(&self, losses: &ExactLosses, simulated: usize) -> Result<MeanLogs> {
        if (self.kind, self.form) == ("psth", Form::Published) {
            Ok(losses.mean_logs(simulated)?)
        } else {
            Ok(Vec::new())
        }
    }

    /// Exact expectation of a sample-and-measure term over `simulated` free-running trials of each
    /// condition, given the recorded ones.
    pub fn exact(
        &self,
        losses: &ExactLosses,
        logs: &MeanLogs,
        spikes: &TrialArray<u8>,
        layout: &TrialLayout,
        simulated: usize,
    ) -> Result<f64> {
        Ok(match (self.kind, self.form) {
            ("psth", Form::Corrected) => losses.psth(spikes, layout),
            ("psth", Form::Published) => losses.published_psth(logs, spikes, layout),
            ("nc", Form::Corrected) => losses.noise(spikes, layout, simulated, self.parts)?,
            ("nc", Form::Published) => losses.published_noise(spikes, layout, simulated)?,
            (_, Form::Published) => {
                losses.hidden_rate(PublishedWeights::default().hidden_target, simulated, true)
            }
            (_, Form::Corrected) => {
                let fired: u64 = spikes.as_slice().iter().map(|&z| u64::from(z)).sum();
                let rate = (fired as f64).max(0.5) / spikes.as_slice().len() as f64;
                losses.hidden_rate(rate, simulated, false)
            }
        })
    }
}
