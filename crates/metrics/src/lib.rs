//! Figures of merit of a fitted network, computed from spikes: PSTH and noise correlation,
//! likelihood, rates, time rescaling, stability, recovered connectivity.
//!
//! Figures that compare take a target and another side: test trials against model trials, or, for
//! the ceiling, test trials against training trials. With equal numbers of trials on both sides
//! model and ceiling are comparable.
//!
//! ```
//! use refire_core::{TrialArray, TrialLayout};
//! use refire_metrics::{noise_agreement, noise_correlation, psth, psth_correlation};
//!
//! // Two trials of one condition, four bins, two units.
//! let layout = TrialLayout::uniform(2, 4, 0)?;
//! let spikes = TrialArray::from_vec(vec![
//!     1, 0, 0, 1, 0, 0, 0, 0,
//!     1, 0, 0, 0, 0, 0, 0, 0,
//! ], 2, 4, 2).unwrap();
//!
//! let target = psth(&spikes, &layout);
//! assert_eq!(target.conditions[0].row(1), &[0.0, 0.5]);
//! assert_eq!(psth_correlation(&target, &target).mean.value(), Some(1.0));
//!
//! // Two units make one pair: its correlation exists, a correlation over pairs does not.
//! let noise = noise_correlation(&spikes, &layout);
//! let agreement = noise_agreement(&noise, &noise);
//! assert_eq!(agreement.pairs.len(), 1);
//! assert!(agreement.pearson.reason().is_some());
//! # Ok::<(), refire_core::LayoutError>(())
//! ```
//!
//! Every function reads spikes `[trial][bin][unit]`, 0 or 1, with the layout of the same trials:
//! the array has the layout's trials and at least its longest trial's bins (an array that is
//! smaller panics, as its own accessors do). Only the scored bins count: from the layout's first
//! bin to each trial's length. A figure that cannot exist is [`Figure::Missing`] with a reason,
//! never NaN.
//!
//! Layer 1: uses `refire-core`. Definitions: Bellec, Wang et al., NeurIPS 2021 (arXiv 2106.10064)
//! unless a function says otherwise.

mod connectivity;
mod correlation;
mod figure;
mod likelihood;
mod noise;
mod psth;
mod rates;
mod rescaling;
mod stability;

pub use connectivity::{Connectivity, block_means};
pub use correlation::{pearson, r_squared};
pub use figure::Figure;
pub use likelihood::{baseline_probability, bits_per_spike};
pub use noise::{
    MOST_UNITS_OF_PAIRS, NoiseAgreement, NoiseCorrelation, noise_agreement, noise_correlation,
};
pub use psth::{ConditionPsth, Psth, PsthCorrelation, psth, psth_correlation};
pub use rates::{FanoFactors, IntervalHistogram, Rates, fano_factors, intervals, rates};
pub use rescaling::{Rescaling, time_rescaling};
pub use stability::{RunOutcome, Stability, StabilityRange, Verdict, trial_counts};
