//! Figure 1: networks fitted to few or many trials, left to run (claims 1 and 4).

use refire_fit::{Drive, DriveKind, Form, HeldOut, Specification};
use refire_metrics::Verdict;
use refire_synth::SynthSettings;
use serde::{Deserialize, Serialize};

use crate::fits::{Method, base};
use crate::recordings::Real;

mod claims;
mod draw;
mod regimes;
mod work;

/// Trials of a synthetic recording that are always held out, for likelihood and rates.
const TEST_TRIALS: usize = 100;

/// Runs whose rates are kept.
const TRACES: usize = 12;

pub(crate) struct Stability;

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Serialize)]
enum Source {
    /// A network of a named regime.
    Synthetic {
        regime: &'static str,
        network: SynthSettings,
    },
    /// A real recording.
    Real(Real),
}

/// One fit.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Item {
    source: Source,
    method: Method,
    /// Trials that the fit may see, those for validation among them.
    trials: usize,
    seed: u64,
    spec: Specification,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Share of free runs of ten presentations that leave the range of the data.
    divergent_share: f64,
    verdict: Verdict,
    /// Held-out bits per spike.
    bits_per_spike: Option<f64>,
    /// Mean rates, Hz.
    rate_model_hz: Option<f64>,
    rate_data_hz: Option<f64>,
    /// Rates per presentation of the first runs, Hz per unit; a run ends where it leaves the range.
    traces_hz: Vec<Vec<f64>>,
    /// Rate above which a presentation leaves the range.
    limit_hz: f64,
    /// Trial length, seconds.
    trial_s: f64,
}

/// All fits.
type Fits = [(Item, Found)];

impl Found {
    fn is_stable(&self) -> bool {
        self.verdict == Verdict::Stable
    }
}

impl Source {
    fn name(&self) -> &str {
        match self {
            Self::Synthetic { regime, .. } => regime,
            Self::Real(real) => &real.name,
        }
    }
}

/// The two objectives that are compared.
const METHODS: [Method; 2] = [Method::Mle, Method::Full(Form::Corrected)];

/// Iterations of fits of real recordings.
const ITERATIONS: usize = 500;

/// A fit that keeps `trials` of `all` trials from the test.
fn spec(trials: usize, all: usize, iterations: usize, seed: u64) -> Specification {
    let mut spec = base(iterations, seed);
    spec.held_out = HeldOut {
        test: 1.0 - trials as f64 / all as f64,
        validation: 0.1,
        ..spec.held_out
    };
    spec
}

/// The same with a drive and so many lags.
fn with(mut spec: Specification, drive: DriveKind, lags: usize) -> Specification {
    spec.drive = Drive::new(drive);
    spec.network.lags = lags;
    spec
}
