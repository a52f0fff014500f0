//! What an evaluation measures, under the names of `fit.json`.

use refire_metrics::Metric;
use refire_recording::{Label, Recording};
use serde::Serialize;

/// The metrics that `fit.json` and `evaluate --json` hold under `test`.
#[derive(Clone, Debug, Serialize)]
pub struct TestMetrics {
    /// Teacher-forced log-likelihood gain over a constant rate per unit (its training rate), bits per
    /// spike. With hidden units: given one draw of theirs, a lower bound in expectation.
    pub bits_per_spike: Metric,
    /// Pearson correlation of the PSTHs of free-running model and data, mean over units.
    pub psth_correlation: Metric,
    /// The same of training trials and data.
    pub psth_correlation_ceiling: Metric,
    /// Pearson correlation of the noise correlations of model and data.
    pub noise_correlation_pearson: Metric,
    /// R2 of the noise correlations of model and data.
    pub noise_correlation_r2: Metric,
    /// Pearson correlation of the noise correlations of training trials and data.
    pub noise_correlation_ceiling_pearson: Metric,
    /// R2 of the noise correlations of training trials and data.
    pub noise_correlation_ceiling_r2: Metric,
    /// Mean rate of the data over units, Hz: of the spikes in bins, those clipped are not among them.
    pub rate_hz_data: Metric,
    /// Mean rate of the free-running model over units, Hz.
    pub rate_hz_model: Metric,
    /// Fano factor of whole-trial counts, data.
    pub fano_factor_data: Metric,
    /// Fano factor of whole-trial counts, model.
    pub fano_factor_model: Metric,
    /// Mean over units of the two-sample Kolmogorov-Smirnov distance between the interspike
    /// intervals of data and model.
    pub isi_distance: Metric,
    /// Share of units whose time-rescaled intervals stay within the 95 % bound.
    pub ks_within_bound: Metric,
}

impl TestMetrics {
    pub(crate) fn all_mut(&mut self) -> [&mut Metric; 13] {
        [
            &mut self.bits_per_spike,
            &mut self.psth_correlation,
            &mut self.psth_correlation_ceiling,
            &mut self.noise_correlation_pearson,
            &mut self.noise_correlation_r2,
            &mut self.noise_correlation_ceiling_pearson,
            &mut self.noise_correlation_ceiling_r2,
            &mut self.rate_hz_data,
            &mut self.rate_hz_model,
            &mut self.fano_factor_data,
            &mut self.fano_factor_model,
            &mut self.isi_distance,
            &mut self.ks_within_bound,
        ]
    }

    /// Every metric with its name.
    pub fn named(&self) -> [(&'static str, &Metric); 13] {
        [
            ("bits_per_spike", &self.bits_per_spike),
            ("psth_correlation", &self.psth_correlation),
            ("psth_correlation_ceiling", &self.psth_correlation_ceiling),
            ("noise_correlation_pearson", &self.noise_correlation_pearson),
            ("noise_correlation_r2", &self.noise_correlation_r2),
            (
                "noise_correlation_ceiling_pearson",
                &self.noise_correlation_ceiling_pearson,
            ),
            (
                "noise_correlation_ceiling_r2",
                &self.noise_correlation_ceiling_r2,
            ),
            ("rate_hz_data", &self.rate_hz_data),
            ("rate_hz_model", &self.rate_hz_model),
            ("fano_factor_data", &self.fano_factor_data),
            ("fano_factor_model", &self.fano_factor_model),
            ("isi_distance", &self.isi_distance),
            ("ks_within_bound", &self.ks_within_bound),
        ]
    }
}

/// Figures per observed unit.
#[derive(Clone, Debug, Default, Serialize)]
pub struct UnitMetrics {
    /// Id of each observed unit, `[unit]`; the other lists have the same order.
    pub unit: Vec<Label>,
    /// Rate of the data, Hz.
    pub rate_hz_data: Vec<f64>,
    /// Rate of the model, Hz.
    pub rate_hz_model: Vec<f64>,
    /// PSTH correlation; `None` for a unit silent in the data.
    pub psth_correlation: Vec<Option<f64>>,
    /// Fano factor of the data.
    pub fano_factor_data: Vec<Option<f64>>,
    /// Fano factor of the model.
    pub fano_factor_model: Vec<Option<f64>>,
    /// Kolmogorov-Smirnov distance between the interspike intervals of data and model.
    pub isi_distance: Vec<Metric>,
    /// Time-rescaling Kolmogorov-Smirnov statistic.
    pub ks: Vec<Metric>,
    /// Its 95 % bound.
    pub ks_bound: Vec<Metric>,
}

impl UnitMetrics {
    /// Figures that some unit lacks, by name, with the reason.
    pub fn missing(&self) -> Vec<(&'static str, String)> {
        let optional = [
            (
                "psth_correlation",
                &self.psth_correlation,
                "the unit's trial-averaged activity in the data does not vary",
            ),
            (
                "fano_factor_data",
                &self.fano_factor_data,
                "the unit has no spikes in conditions with two trials",
            ),
            (
                "fano_factor_model",
                &self.fano_factor_model,
                "the unit has no spikes in conditions with two trials",
            ),
        ];
        let metrics = [
            ("isi_distance", &self.isi_distance),
            ("ks", &self.ks),
            ("ks_bound", &self.ks_bound),
        ];
        let optional = optional
            .into_iter()
            .filter(|(_, values, _)| values.contains(&None))
            .map(|(name, _, why)| (name, why.to_string()));
        let metrics = metrics
            .into_iter()
            .filter_map(|(name, f)| Some((name, f.iter().find_map(Metric::reason)?.to_string())));
        optional.chain(metrics).collect()
    }
}

/// Spikes of a recording that are lost because a bin holds at most one.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Clipping {
    /// Spikes of the source.
    pub spikes: u64,
    /// Those lost.
    pub clipped_spikes: u64,
    /// Their share.
    pub clipped_share: f64,
}

impl From<&Recording> for Clipping {
    fn from(recording: &Recording) -> Self {
        Self {
            spikes: recording.total_spikes(),
            clipped_spikes: recording.clipped_spikes(),
            clipped_share: recording.clipped_share(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_of_what_is_missing_are_those_of_its_units() {
        let none = |why: &str| Metric::Missing(why.to_string());
        let units = UnitMetrics {
            ks: vec![Metric::Value(0.5), none("no spikes")],
            isi_distance: vec![none("no intervals"), Metric::Value(0.1)],
            ..UnitMetrics::default()
        };
        let missing = units.missing();
        assert_eq!(missing.len(), 2);
        let found = |name: &str, why: &str| {
            assert!(
                missing.iter().any(|(n, w)| *n == name && w.contains(why)),
                "{missing:?}"
            );
        };
        found("ks", "no spikes");
        found("isi_distance", "no intervals");
    }
}
