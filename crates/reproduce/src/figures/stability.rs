//! Figure 1: networks fitted to few or many trials, left to run (claims 1 and 4).

use refire_fit::{DriveKind, Form, Settings, SplitChoice, Training, evaluate};
use refire_metrics::Verdict;
use refire_synth::SynthSettings;
use serde::{Deserialize, Serialize};

use crate::figure::{Drawing, Figure};
use crate::fits::{Method, fit};
use crate::recordings::{Real, synthetic};
use crate::{Plan, ReproduceError};

mod claims;
mod draw;
mod regimes;

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
pub(crate) struct Unit {
    source: Source,
    method: Method,
    /// Trials that the fit may see, those for validation among them.
    trials: usize,
    seed: u64,
    settings: Settings,
}

/// What became of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Found {
    /// Share of 200 free runs of ten presentations that leave the range of the data.
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
type Fits = [(Unit, Found)];

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

impl Figure for Stability {
    type Unit = Unit;
    type Found = Found;

    fn name(&self) -> &'static str {
        "stability"
    }

    fn units(&self, plan: &Plan) -> Result<Vec<Unit>, ReproduceError> {
        let mut units = regimes::synthetic(plan);
        units.extend(regimes::real(plan)?);
        Ok(units)
    }

    fn label(&self, unit: &Unit) -> String {
        let (source, method) = (unit.source.name(), unit.method.name());
        format!(
            "{source}, {method}, {} trials, seed {}",
            unit.trials, unit.seed
        )
    }

    fn seconds(&self, unit: &Unit) -> f64 {
        match (&unit.source, unit.method) {
            (Source::Synthetic { .. }, Method::Mle) => 2.0,
            (Source::Synthetic { .. }, _) => 8.0,
            (Source::Real(_), Method::Mle) => 20.0,
            (Source::Real(_), _) => 60.0,
        }
    }

    fn measure(&self, unit: &Unit) -> Result<Found, ReproduceError> {
        let recording = match &unit.source {
            Source::Synthetic { network, .. } => synthetic(network, unit.seed)?.1,
            Source::Real(real) => real.recording()?,
        };
        let mut model = fit(&recording, &unit.settings)?;
        // The range of all trials, the same for fits of few and of many.
        let all: Vec<usize> = (0..recording.n_trials()).collect();
        let first_bin = unit.settings.first_bin();
        model.training.range = Training::of(&recording, &all, first_bin)?.range;
        let evaluation = evaluate(&model, &recording, Some(SplitChoice::Test))?;
        let stability = &evaluation.stability;
        let bins = recording.bins().iter().copied().max().unwrap_or(0);
        let mut traces = stability.traces_hz.clone();
        traces.truncate(TRACES);
        Ok(Found {
            divergent_share: stability.stability.divergent_share,
            verdict: stability.stability.verdict,
            bits_per_spike: evaluation.test.bits_per_spike.value(),
            rate_model_hz: evaluation.test.rate_hz_model.value(),
            rate_data_hz: evaluation.test.rate_hz_data.value(),
            traces_hz: traces,
            limit_hz: stability.limit_hz,
            trial_s: bins as f64 * recording.bin_width(),
        })
    }

    fn draw(&self, plan: &Plan, found: &[(Unit, Found)]) -> Drawing {
        draw::drawing(plan, found)
    }
}

/// The two objectives that are compared.
const METHODS: [Method; 2] = [Method::Mle, Method::Full(Form::Corrected)];

/// Settings that keep `trials` of `all` trials from the test.
fn settings(trials: usize, all: usize, seed: u64, drive: DriveKind, lags: usize) -> Settings {
    Settings {
        test_fraction: 1.0 - trials as f64 / all as f64,
        validation_fraction: 0.1,
        lags,
        drive,
        seed,
        ..Settings::default()
    }
}
