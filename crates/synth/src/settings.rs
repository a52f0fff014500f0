//! What a synthetic network and its recording are drawn from.

use serde::{Deserialize, Serialize};

use crate::SynthError;
use crate::size::{check_spikes, numbers};

/// Settings of a synthetic network and of the recording simulated from it.
///
/// Rates are in spikes per bin; couplings and drive are currents, to be compared with the
/// threshold theta = 0.4: a current of 0.4 changes the log-odds of a spike by 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SynthSettings {
    /// Units that are recorded; at least 1.
    pub observed_units: usize,
    /// Units that act but are not recorded, drawn from the same populations.
    pub hidden_units: usize,
    /// Trials in all: a multiple of `conditions`.
    pub trials: usize,
    /// Bins per trial.
    pub bins: usize,
    /// Conditions, each with its own drive.
    pub conditions: usize,
    /// Width of a bin, seconds.
    pub bin_width_s: f64,
    /// Lags of the couplings, bins.
    pub lags: usize,
    /// Seed of the network; see also [`crate::simulate`].
    pub seed: u64,
    /// Mean rate over units, spikes per bin; above 0, at most 0.5.
    pub mean_rate: f64,
    /// Standard deviation over units of the logarithm of their rates.
    pub rate_spread: f64,
    /// Synapses onto a unit, of which the inhibitory share, rounded, comes from inhibitory units;
    /// as many as there are where it asks for more, 0 for a network without couplings between units.
    pub synapses_per_unit: usize,
    /// Share of units that are inhibitory, 0 to 1.
    pub inhibitory_share: f64,
    /// Strength of an inhibitory synapse relative to an excitatory one.
    pub inhibition: f64,
    /// Standard deviation over synapses of the logarithm of their strengths.
    pub strength_spread: f64,
    /// Spectral radius of the gains (spikes that one spike adds to each target, or takes away), 0.001
    /// to 0.99; see [`crate::GroundTruth::draw`]. Spikes that coincide add more than their sum, the
    /// more so at low rates: at 0.02 spikes per bin about 0.6 is stable.
    pub spectral_radius: f64,
    /// Lags over which a synapse's filter falls to 1/e, bins.
    pub filter_decay_bins: f64,
    /// By how much a spike lowers the unit's own current one bin later; a factor 1/e per further
    /// bin.
    pub refractory: f64,
    /// Standard deviation over bins of the drive of a unit in a condition, current.
    pub drive_sd: f64,
    /// Known features that the drive is linear in and that recordings carry as their stimulus; 0 for a
    /// smooth drive that nobody knows.
    pub features: usize,
    /// Bins over which the correlation of a feature falls to 1/e.
    pub feature_decay_bins: f64,
    /// Further hidden units that switch between silence and lasting activity; each excites an equal
    /// share of the other units.
    pub sources: usize,
    /// Mean length of the active periods of a source, bins; at least 1.5.
    pub source_on_bins: f64,
    /// Mean length of the silent periods of a source, bins; at least 1.5.
    pub source_off_bins: f64,
    /// Current that an active source adds to a unit, on average over units (lognormal, with the
    /// `strength_spread` of the synapses).
    pub source_strength: f64,
}

impl Default for SynthSettings {
    /// 20 observed units at 0.06 spikes per bin, 200 trials of 1 s: stable, with noise
    /// correlations two to three times as large as by chance.
    fn default() -> Self {
        Self {
            observed_units: 20,
            hidden_units: 0,
            trials: 200,
            bins: 100,
            conditions: 4,
            bin_width_s: 0.01,
            lags: 5,
            seed: 1,
            mean_rate: 0.06,
            rate_spread: 0.3,
            synapses_per_unit: 4,
            inhibitory_share: 0.25,
            inhibition: 3.0,
            strength_spread: 0.3,
            spectral_radius: 0.95,
            filter_decay_bins: 1.5,
            refractory: 0.6,
            drive_sd: 0.2,
            features: 0,
            feature_decay_bins: 4.0,
            sources: 0,
            source_on_bins: 12.0,
            source_off_bins: 36.0,
            source_strength: 1.2,
        }
    }
}

impl SynthSettings {
    /// The recording of `refire demo`: 24 observed units, 800 trials of 1 s in 4 conditions, and
    /// three hidden sources, each of which raises the rates of eight observed units for about 120 ms
    /// at a time. A network fitted to the recorded spikes alone takes the common rise for couplings
    /// among the observed units, which run away when it is simulated.
    ///
    /// The demo fits it with weights of its own for the PSTH and the noise covariance: these
    /// settings alone, with the default fit, do not give the demo's figures.
    pub fn demo() -> Self {
        Self {
            observed_units: 24,
            trials: 800,
            drive_sd: 0.4,
            spectral_radius: 0.5,
            sources: 3,
            ..Self::default()
        }
    }

    /// All units but the sources.
    pub fn units(&self) -> usize {
        self.observed_units.saturating_add(self.hidden_units)
    }

    /// Trials of each condition.
    ///
    /// # Errors
    /// [`SynthError::Value`] unless `trials` is a positive multiple of `conditions`.
    pub fn trials_per_condition(&self) -> Result<usize, SynthError> {
        at_least_one("conditions", self.conditions)?;
        at_least_one("trials", self.trials)?;
        if !self.trials.is_multiple_of(self.conditions) {
            let expected = format!("a multiple of the {} conditions", self.conditions);
            return Err(SynthError::value("trials", self.trials, expected));
        }
        Ok(self.trials / self.conditions)
    }

    /// # Errors
    /// [`SynthError::Value`] for a setting out of range.
    pub(crate) fn check(&self) -> Result<(), SynthError> {
        self.trials_per_condition()?;
        at_least_one("observed_units", self.observed_units)?;
        at_least_one("bins", self.bins)?;
        at_least_one("lags", self.lags)?;
        check_size(self)?;
        let ranges = [
            (
                "mean_rate",
                self.mean_rate,
                f64::MIN_POSITIVE,
                0.5,
                "above 0, at most 0.5",
            ),
            ("rate_spread", self.rate_spread, 0.0, 2.0, "0 to 2"),
            (
                "inhibitory_share",
                self.inhibitory_share,
                0.0,
                1.0,
                "0 to 1",
            ),
            ("inhibition", self.inhibition, 1e-3, 1e3, "0.001 to 1000"),
            ("strength_spread", self.strength_spread, 0.0, 2.0, "0 to 2"),
            (
                "spectral_radius",
                self.spectral_radius,
                1e-3,
                0.99,
                "0.001 to 0.99",
            ),
            (
                "filter_decay_bins",
                self.filter_decay_bins,
                1e-2,
                1e6,
                "0.01 to 1000000",
            ),
            ("refractory", self.refractory, 0.0, 1e3, "0 to 1000"),
            ("drive_sd", self.drive_sd, 0.0, 10.0, "0 to 10"),
            (
                "feature_decay_bins",
                self.feature_decay_bins,
                1e-2,
                1e6,
                "0.01 to 1000000",
            ),
            (
                "source_on_bins",
                self.source_on_bins,
                1.5,
                1e6,
                "1.5 to 1000000",
            ),
            (
                "source_off_bins",
                self.source_off_bins,
                1.5,
                1e6,
                "1.5 to 1000000",
            ),
            (
                "source_strength",
                self.source_strength,
                0.0,
                10.0,
                "0 to 10",
            ),
        ];
        for (name, found, low, high, expected) in ranges {
            if !(low..=high).contains(&found) {
                return Err(SynthError::value(name, found, expected));
            }
        }
        Ok(())
    }
}

fn at_least_one(name: &str, found: usize) -> Result<(), SynthError> {
    if found == 0 {
        return Err(SynthError::value(name, found, "at least 1"));
    }
    Ok(())
}

/// Checks that the network and its recording can be held, by a machine and by this one.
fn check_size(settings: &SynthSettings) -> Result<(), SynthError> {
    let s = settings;
    let units = s.units().saturating_add(s.sources);
    let [couplings, drive] = numbers(units, s.lags, s.conditions, s.bins)?;
    let spikes = check_spikes(s.trials, s.bins, units)?;
    // Couplings; two numbers per pair of units; the drive with potentials, probabilities and spikes
    // of a free run of each condition; the spikes of all units and of the observed ones; condition
    // (three times), length and label of each trial.
    let bytes = 4 * couplings + 16 * units * units + 13 * drive + 2 * spikes + 40 * s.trials;
    match Vec::<u8>::new().try_reserve_exact(bytes) {
        Ok(()) => Ok(()),
        Err(_) => Err(SynthError::value(
            "memory for network and recording",
            format!("{:.0} GB", bytes as f64 * 1e-9),
            "no more than this machine has (fewer units, trials, conditions or bins)",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::GroundTruth;

    #[test]
    fn settings_come_from_a_few_lines_and_unknown_ones_are_refused() {
        let settings: SynthSettings = toml::from_str("hidden-units = 3\nmean-rate = 0.1").unwrap();
        assert_eq!((settings.units(), settings.mean_rate), (23, 0.1));
        assert_eq!(settings.trials_per_condition().unwrap(), 50);
        let error = toml::from_str::<SynthSettings>("hiden-units = 3").unwrap_err();
        assert!(error.to_string().contains("hiden-units"));
    }

    #[test]
    fn settings_out_of_range_are_named() {
        let default = SynthSettings::default;
        for (settings, message) in [
            (
                SynthSettings {
                    trials: 10,
                    ..default()
                },
                "trials is 10; expected a multiple of the 4 conditions",
            ),
            (
                SynthSettings {
                    conditions: 0,
                    ..default()
                },
                "conditions is 0; expected at least 1",
            ),
            (
                SynthSettings {
                    mean_rate: 0.0,
                    ..default()
                },
                "mean_rate is 0; expected above 0, at most 0.5",
            ),
            (
                SynthSettings {
                    drive_sd: f64::NAN,
                    ..default()
                },
                "drive_sd is NaN; expected 0 to 10",
            ),
            (
                SynthSettings {
                    spectral_radius: 1.0,
                    ..default()
                },
                "spectral_radius is 1; expected 0.001 to 0.99",
            ),
        ] {
            assert_eq!(settings.check().unwrap_err().to_string(), message);
        }
        default().check().unwrap();
    }

    #[test]
    fn huge_settings_are_refused_before_anything_is_drawn() {
        type Change = fn(&mut SynthSettings);
        const HUGE: usize = usize::MAX - 3;
        let cases: [(Change, &str); 12] = [
            (|s| s.trials = 4_000_000_000, "spikes"),
            (|s| s.trials = 4_294_967_300, "trials"),
            (|s| s.trials = HUGE, "trials"),
            (|s| s.bins = 10_000_000, "spikes"),
            (|s| s.bins = HUGE, "drive"),
            (|s| s.observed_units = 4_000_000_000, "couplings"),
            (|s| s.observed_units = HUGE, "couplings"),
            (|s| s.hidden_units = HUGE, "couplings"),
            (|s| s.sources = HUGE, "couplings"),
            (|s| s.lags = HUGE, "couplings"),
            (|s| (s.conditions, s.trials) = (HUGE, HUGE), "drive"),
            (
                |s| (s.conditions, s.trials) = (1_000_000, 4_000_000),
                "spikes",
            ),
        ];
        for (change, what) in cases {
            let mut settings = SynthSettings::default();
            change(&mut settings);
            let error = GroundTruth::draw(&settings).unwrap_err().to_string();
            assert!(error.starts_with(what), "{settings:?}: {error}");
        }
    }
}
