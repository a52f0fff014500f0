#![doc = include_str!("../README.md")]

mod activity;
mod checks;
mod connectivity;
mod correlation;
mod interval;
mod lagged_noise;
mod likelihood;
mod metric;
mod noise;
mod psth;
mod rates;
mod rescaling;
mod stability;
mod told_apart;

pub use activity::{
    AUTOCORRELATION_LAGS, Autocorrelation, PopulationCounts, autocorrelation, population_counts,
};
pub use checks::{Drift, Duplicate, drift, duplicates};
pub use connectivity::{Connectivity, block_means};
pub use correlation::{pearson, r_squared};
pub use interval::{Interval, Z95};
pub use lagged_noise::{LaggedAgreement, LaggedNoise, MOST_UNITS_OF_LAGS, lagged_noise};
pub use likelihood::{baseline_probability, bits_per_spike};
pub use metric::Metric;
pub use noise::{
    MOST_UNITS_OF_PAIRS, NoiseAgreement, NoiseCorrelation, noise_agreement, noise_correlation,
};
pub use psth::{ConditionPsth, Psth, PsthCorrelation, psth, psth_correlation};
pub use rates::{FanoFactors, IntervalHistogram, Rates, fano_factors, intervals, rates};
pub use rescaling::{Rescaling, time_rescaling};
pub use stability::{
    ConditionRange, Presented, RunOutcome, Stability, StabilityRange, Verdict, trial_counts,
};
pub use told_apart::{TRIAL_FEATURES, ToldApart, TrialFeatures, told_apart};
