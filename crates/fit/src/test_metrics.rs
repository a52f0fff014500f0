//! What an evaluation measures, under the names of `fit.json`.

use crate::sets::OverSets;
use refire_metrics::Metric;
use refire_recording::{Label, Recording};
use serde::Serialize;

macro_rules! figures {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        /// The metrics that `fit.json` and `evaluate --json` hold under `test`.
        #[derive(Clone, Debug, Serialize)]
        pub struct TestMetrics {
            $($(#[$meta])* pub $name: Metric),+
        }

        /// The same with what single sets of trials differ by.
        pub(crate) struct TestFigures {
            $(pub $name: OverSets),+
        }

        impl TestFigures {
            /// Means, and deviations of single sets.
            pub(crate) fn split(self) -> (TestMetrics, TestMetrics) {
                let Self { $($name),+ } = self;
                (
                    TestMetrics { $($name: $name.mean),+ },
                    TestMetrics { $($name: $name.sd),+ },
                )
            }
        }

        impl TestMetrics {
            pub(crate) fn all_mut(&mut self) -> Vec<&mut Metric> {
                vec![$(&mut self.$name),+]
            }

            /// Every metric with its name.
            pub fn named(&self) -> Vec<(&'static str, &Metric)> {
                vec![$((stringify!($name), &self.$name)),+]
            }
        }
    };
}

figures! {
    /// Teacher-forced log-likelihood gain over a constant rate per unit (its training rate), bits per
    /// spike, each spike given the bins before it. With hidden units: given one draw of theirs, a lower bound in
    /// expectation.
    bits_per_spike,
    /// The same by the chain rule within a bin: each spike given the bins before it and the units before it in its own
    /// bin. Equal to the other without same-bin couplings.
    bits_per_spike_joint,
    /// Pearson correlation of the PSTHs of free-running model and data, mean over units.
    psth_correlation,
    /// The same of training trials and data.
    psth_correlation_ceiling,
    /// Pearson correlation of the noise correlations of model and data.
    noise_correlation_pearson,
    /// R2 of the noise correlations of model and data.
    noise_correlation_r2,
    /// Pearson correlation of the noise correlations of training trials and data.
    noise_correlation_ceiling_pearson,
    /// R2 of the noise correlations of training trials and data.
    noise_correlation_ceiling_r2,
    /// Mean rate of the data over units, Hz: of the spikes in bins, those clipped are not among them.
    rate_hz_data,
    /// Mean rate of the free-running model over units, Hz.
    rate_hz_model,
    /// Mean over units of how far the model's rate is from the data's, over the data's mean rate.
    rate_distance,
    /// The same of training trials and data.
    rate_distance_ceiling,
    /// Fano factor of whole-trial counts, data.
    fano_factor_data,
    /// Fano factor of whole-trial counts, model.
    fano_factor_model,
    /// The same of training trials.
    fano_factor_ceiling,
    /// Mean over units of the two-sample Kolmogorov-Smirnov distance between the interspike
    /// intervals of data and model.
    isi_distance,
    /// The same of training trials and data.
    isi_distance_ceiling,
    /// Mean over units and lags of how far the model's autocorrelation is from the data's.
    autocorrelation_distance,
    /// The same of training trials and data.
    autocorrelation_distance_ceiling,
    /// Kolmogorov-Smirnov distance between the numbers of units that fire in a bin, model and data.
    population_count_distance,
    /// The same of training trials and data.
    population_count_distance_ceiling,
    /// Triplets of units that fire together, per bin, data.
    synchronous_triplets_data,
    /// Triplets of units that fire together, per bin, model.
    synchronous_triplets_model,
    /// The same of training trials.
    synchronous_triplets_ceiling,
    /// Share of trials, of data and model, that a classifier tells which of both they are of; 0.5 by chance.
    told_apart,
    /// The same of data and training trials.
    told_apart_ceiling,
    /// Share of units whose time-rescaled intervals stay within the 95 % bound.
    ks_within_bound,
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
