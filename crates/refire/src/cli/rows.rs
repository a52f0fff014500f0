//! The figures of an evaluation in reading order, for tables and pages.

use refire::fit::Evaluation;
use refire::metrics::{Interval, Metric};

/// What is said of a figure whose ceiling data without anything to repeat may have as well.
pub const NOT_MEASURABLE: &str = "not measurable in this recording";

/// What a figure is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Group {
    /// Recorded spikes given those before them.
    Prediction,
    /// Free runs, by statistics that sample-and-measure terms or the likelihood are about.
    Fitted,
    /// Free runs, by statistics that no term of any fit is about.
    NotFitted,
}

impl Group {
    pub const ALL: [Self; 3] = [Self::Prediction, Self::Fitted, Self::NotFitted];

    pub fn title(self) -> &'static str {
        match self {
            Self::Prediction => "prediction of recorded spikes",
            Self::Fitted => "free runs, statistics that fits compare",
            Self::NotFitted => "free runs, statistics that no fit compares",
        }
    }
}

/// One metric with what it is compared with.
pub struct Row<'a> {
    pub group: Group,
    pub name: &'static str,
    pub explanation: &'static str,
    pub metric: &'a Metric,
    /// Of single sets of trials, where the metric is a mean over them.
    pub sd: &'a Metric,
    /// Of the metric, where that is told instead.
    pub interval: Option<Interval>,
    /// The same of training trials in the model's place.
    pub ceiling: Option<&'a Metric>,
    /// Whether more is better, so that a share of the ceiling tells something.
    pub rises: bool,
    /// The interval of the ceiling, where the figure is not measurable: it includes 0.
    pub not_measurable: Option<Option<Interval>>,
    pub data: Option<&'a Metric>,
    pub unit: &'static str,
}

impl Row<'_> {
    /// Why the figure tells nothing, where it is not measurable.
    pub fn why_not_measurable(&self) -> Option<String> {
        let interval = self.not_measurable?;
        let ceiling = self.ceiling?.value()?;
        let interval = interval.map_or(String::new(), |Interval { low, high }| {
            format!(" (95 %: {low:.2} to {high:.2})")
        });
        Some(format!(
            "{NOT_MEASURABLE}: its own trials agree by {ceiling:.2}{interval}"
        ))
    }
}

/// The interval of a ceiling that is not above 0.
fn not_measurable(ceiling: &Metric, interval: Option<Interval>) -> Option<Option<Interval>> {
    let low = interval.map_or(ceiling.value()?, |interval| interval.low);
    (low <= 0.0).then_some(interval)
}

/// The metrics of an evaluation in reading order.
pub fn rows(evaluation: &Evaluation) -> Vec<Row<'_>> {
    let (t, sd, ceilings) = (
        &evaluation.test,
        &evaluation.test_sd,
        &evaluation.ceiling_intervals,
    );
    let row = |group, name, explanation, (metric, sd), unit| Row {
        group,
        name,
        explanation,
        metric,
        sd,
        interval: None,
        ceiling: None,
        rises: false,
        not_measurable: None,
        data: None,
        unit,
    };
    let prediction = [
        row(
            Group::Prediction,
            "likelihood gain",
            "How much better the network predicts each recorded spike, given the spikes before it, than a constant rate does.",
            (&t.bits_per_spike, &sd.bits_per_spike),
            "bits per spike",
        ),
        row(
            Group::Prediction,
            "joint likelihood gain",
            "The same where each spike is also given the units before it in its own bin (same-bin couplings).",
            (&t.bits_per_spike_joint, &sd.bits_per_spike_joint),
            "bits per spike",
        ),
        row(
            Group::Prediction,
            "time-rescaling",
            "Share of units whose rescaled intervals pass the 95 % Kolmogorov-Smirnov bound.",
            (&t.ks_within_bound, &sd.ks_within_bound),
            "share of units",
        ),
    ];
    let fitted = [
        Row {
            data: Some(&t.rate_hz_data),
            ..row(
                Group::Fitted,
                "mean rate",
                "Mean over units of the free-running network's rate.",
                (&t.rate_hz_model, &sd.rate_hz_model),
                "Hz",
            )
        },
        Row {
            ceiling: Some(&t.rate_distance_ceiling),
            ..row(
                Group::Fitted,
                "rate distance",
                "How far the rates of single units are from the data's, mean over units, as a share of the mean rate: 0 is equal.",
                (&t.rate_distance, &sd.rate_distance),
                "",
            )
        },
        Row {
            ceiling: Some(&t.psth_correlation_ceiling),
            rises: true,
            not_measurable: not_measurable(&t.psth_correlation_ceiling, ceilings.psth_correlation),
            ..row(
                Group::Fitted,
                "PSTH correlation",
                "Agreement of trial-averaged activity of the free-running network with the data, mean over units.",
                (&t.psth_correlation, &sd.psth_correlation),
                "",
            )
        },
        Row {
            ceiling: Some(&t.noise_correlation_ceiling_pearson),
            rises: true,
            not_measurable: not_measurable(
                &t.noise_correlation_ceiling_pearson,
                ceilings.noise_correlation_pearson,
            ),
            ..row(
                Group::Fitted,
                "noise correlation, Pearson",
                "Agreement of the pattern of noise correlations over pairs of units.",
                (&t.noise_correlation_pearson, &sd.noise_correlation_pearson),
                "",
            )
        },
        Row {
            ceiling: Some(&t.noise_correlation_ceiling_r2),
            rises: true,
            not_measurable: not_measurable(
                &t.noise_correlation_ceiling_r2,
                ceilings.noise_correlation_r2,
            ),
            ..row(
                Group::Fitted,
                "noise correlation, R2",
                "The same with their size: 1 is perfect, below 0 is worse than a constant.",
                (&t.noise_correlation_r2, &sd.noise_correlation_r2),
                "",
            )
        },
    ];
    let not_fitted = [
        Row {
            data: Some(&t.fano_factor_data),
            ceiling: Some(&t.fano_factor_ceiling),
            ..row(
                Group::NotFitted,
                "Fano factor",
                "Variance over mean of whole-trial spike counts.",
                (&t.fano_factor_model, &sd.fano_factor_model),
                "",
            )
        },
        Row {
            ceiling: Some(&t.isi_distance_ceiling),
            ..row(
                Group::NotFitted,
                "interval distance",
                "Largest gap between the cumulative interspike-interval distributions of data and network, mean over units: 0 is equal.",
                (&t.isi_distance, &sd.isi_distance),
                "",
            )
        },
        Row {
            ceiling: Some(&t.autocorrelation_distance_ceiling),
            ..row(
                Group::NotFitted,
                "autocorrelation distance",
                "How far the autocorrelations of single units are from the data's, mean over units and 50 lags: 0 is equal.",
                (&t.autocorrelation_distance, &sd.autocorrelation_distance),
                "",
            )
        },
        Row {
            ceiling: Some(&t.population_count_distance_ceiling),
            ..row(
                Group::NotFitted,
                "population-count distance",
                "Largest gap between the cumulative distributions of the number of units that fire in a bin: 0 is equal.",
                (&t.population_count_distance, &sd.population_count_distance),
                "",
            )
        },
        Row {
            data: Some(&t.synchronous_triplets_data),
            ceiling: Some(&t.synchronous_triplets_ceiling),
            ..row(
                Group::NotFitted,
                "synchronous triplets",
                "Triplets of units that fire in the same bin, mean number per bin.",
                (
                    &t.synchronous_triplets_model,
                    &sd.synchronous_triplets_model,
                ),
                "per bin",
            )
        },
        Row {
            ceiling: Some(&t.told_apart_ceiling),
            interval: evaluation.told_apart_intervals.0,
            ..row(
                Group::NotFitted,
                "told apart",
                "Share of trials, recorded and free-running ones of the same conditions, that a classifier tells which they are: 0.5 is indistinguishable. It is given statistics of single trials that no fit compares.",
                (&t.told_apart, &sd.told_apart),
                "",
            )
        },
    ];
    let without_same_bin = t.bits_per_spike_joint == t.bits_per_spike;
    let all = prediction.into_iter().chain(fitted).chain(not_fitted);
    all.filter(|row| !(without_same_bin && row.name == "joint likelihood gain"))
        .collect()
}
