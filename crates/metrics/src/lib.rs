#![doc = include_str!("../README.md")]

mod checks;
mod connectivity;
mod correlation;
mod likelihood;
mod metric;
mod noise;
mod psth;
mod rates;
mod rescaling;
mod stability;

pub use checks::{Drift, Duplicate, drift, duplicates};
pub use connectivity::{Connectivity, block_means};
pub use correlation::{pearson, r_squared};
pub use likelihood::{baseline_probability, bits_per_spike};
pub use metric::Metric;
pub use noise::{
    MOST_UNITS_OF_PAIRS, NoiseAgreement, NoiseCorrelation, noise_agreement, noise_correlation,
};
pub use psth::{ConditionPsth, Psth, PsthCorrelation, psth, psth_correlation};
pub use rates::{FanoFactors, IntervalHistogram, Rates, fano_factors, intervals, rates};
pub use rescaling::{Rescaling, time_rescaling};
pub use stability::{RunOutcome, Stability, StabilityRange, Verdict, trial_counts};
