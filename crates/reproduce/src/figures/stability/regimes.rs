//! Where the two objectives are compared.

use anyhow::Result;
use refire_fit::DriveKind;
use refire_synth::SynthSettings;

use super::{ITERATIONS, Item, METHODS, Source, TEST_TRIALS, spec, with};
use crate::Plan;
use crate::recordings::Real;

/// Weight of the noise covariance in fits of synthetic networks, ten times the default: hidden sources
/// shake the recorded units harder than most tissue does, and a network that runs away is rare in the trials
/// that an iteration simulates.
const NOISE_WEIGHT: f64 = 30.0;

/// Networks of one kind, recorded and fitted in one way.
pub(super) struct Regime {
    pub(super) name: &'static str,
    /// What is hard about it, or not.
    pub(super) about: &'static str,
    /// Whether MLE is said to fail in it.
    pub(super) hard: bool,
    network: SynthSettings,
    drive: DriveKind,
    lags: usize,
}

/// The regimes in reading order.
pub(super) fn regimes() -> Vec<Regime> {
    let base = SynthSettings {
        conditions: 1,
        ..SynthSettings::default()
    };
    let sources = SynthSettings {
        conditions: 1,
        ..SynthSettings::demo()
    };
    let regime = |name, about, hard, network, drive, lags| Regime {
        name,
        about,
        hard,
        network,
        drive,
        lags,
    };
    use DriveKind::{Condition, None};
    vec![
        regime(
            "three hidden sources",
            "24 units recorded, excited by three unseen units that switch between silence and some 120 ms of \
             activity",
            true,
            sources.clone(),
            Condition,
            9,
        ),
        regime(
            "six hidden sources",
            "30 units, six unseen sources of stronger effect",
            true,
            SynthSettings {
                observed_units: 30,
                sources: 6,
                source_strength: 1.5,
                ..sources
            },
            Condition,
            9,
        ),
        regime(
            "long histories",
            "20 units recorded of 60, bins of 5 ms, filters of 20 bins",
            false,
            SynthSettings {
                observed_units: 20,
                hidden_units: 40,
                synapses_per_unit: 8,
                bins: 200,
                bin_width_s: 0.005,
                lags: 20,
                filter_decay_bins: 8.0,
                mean_rate: 0.03,
                ..base.clone()
            },
            Condition,
            20,
        ),
        regime(
            "drive withheld",
            "20 units recorded of 40, a strong drive that the fit is not told",
            false,
            SynthSettings {
                observed_units: 20,
                hidden_units: 20,
                drive_sd: 0.8,
                ..base.clone()
            },
            None,
            9,
        ),
        regime(
            "strong recurrence",
            "20 units recorded of 120 that are strongly coupled",
            false,
            SynthSettings {
                observed_units: 20,
                hidden_units: 100,
                synapses_per_unit: 12,
                drive_sd: 0.4,
                ..base.clone()
            },
            Condition,
            9,
        ),
        regime(
            "all recorded",
            "20 units, none hidden, drive known",
            false,
            SynthSettings {
                spectral_radius: 0.5,
                ..base
            },
            Condition,
            5,
        ),
    ]
}

/// Fits of synthetic recordings.
pub(super) fn synthetic(plan: &Plan) -> Vec<Item> {
    let counts: &[usize] = plan.pick(
        &[20, 200],
        &[5, 10, 20, 50, 100, 200],
        &[5, 10, 20, 50, 100, 200, 400],
    );
    let few: &[usize] = plan.pick(&[200], &[5, 20, 50, 200], counts);
    let regimes = regimes();
    // A look at both kinds only.
    let shown = |regime: &&Regime| {
        plan.pick(
            ["three hidden sources", "all recorded"].contains(&regime.name),
            true,
            true,
        )
    };
    let mut items = Vec::new();
    for regime in regimes.iter().filter(shown) {
        for seed in plan.seeds(2, 5, 20) {
            for &trials in if regime.hard { counts } else { few } {
                let all = trials + TEST_TRIALS;
                let network = SynthSettings {
                    trials: all,
                    seed,
                    ..regime.network.clone()
                };
                let base = spec(trials, all, plan.pick(60, 400, 500), seed);
                let base = with(base, regime.drive, regime.lags);
                items.extend(METHODS.map(|method| {
                    let mut spec = method.spec(&base);
                    if let Some(weights) = spec.objective.corrected_mut() {
                        weights.noise.weight = Some(NOISE_WEIGHT);
                    }
                    Item {
                        source: Source::Synthetic {
                            regime: regime.name,
                            network: network.clone(),
                        },
                        method,
                        trials,
                        seed,
                        spec,
                    }
                }));
            }
        }
    }
    items
}

/// How a real recording is fitted: bin and lags.
struct Recorded {
    name: &'static str,
    bin_s: Option<f64>,
    lags: usize,
}

/// Bins of 5 ms and histories of 100 ms, in which MLE may fail; the retina, whose source has bins of 20 ms.
const RECORDED: [Recorded; 4] = [
    recorded("auditory_cortex_18sounds_a", Some(0.005), 20),
    recorded("mouse_gpe_varlen", Some(0.005), 20),
    recorded("monkey_motor_7reaches", Some(0.005), 20),
    recorded("salamander_retina_movie", None, 9),
];

const fn recorded(name: &'static str, bin_s: Option<f64>, lags: usize) -> Recorded {
    Recorded { name, bin_s, lags }
}

/// Any other recording: that of the default fit.
const OTHER: Recorded = recorded("", None, 9);

/// Fits of real recordings from shares of their trials.
pub(super) fn real(plan: &Plan) -> Result<Vec<Item>> {
    let shares: &[f64] = plan.pick(&[0.75], &[0.2, 0.75], &[0.05, 0.1, 0.2, 0.4, 0.75]);
    let mut items = Vec::new();
    for path in &plan.recordings {
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let known = RECORDED.iter().find(|r| r.name == stem);
        // One look at recordings that nothing was said about beforehand.
        let shares = if known.is_some() { shares } else { &[0.75] };
        let Recorded { bin_s, lags, .. } = known.unwrap_or(&OTHER);
        let real = Real::new(path, *bin_s)?;
        let trials = real.recording()?.n_trials();
        for &share in shares {
            for seed in plan.seeds(2, 5, 6) {
                let fitted = (share * trials as f64).round() as usize;
                let base = spec(fitted, trials, ITERATIONS, seed);
                let base = with(base, DriveKind::Condition, *lags);
                items.extend(METHODS.map(|method| Item {
                    source: Source::Real(real.clone()),
                    method,
                    trials: fitted,
                    seed,
                    spec: method.spec(&base),
                }));
            }
        }
    }
    Ok(items)
}
