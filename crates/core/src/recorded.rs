//! Recorded trials: spikes with what their trials are.

use crate::{TrialArray, TrialLayout};

/// Recorded spikes with their trials, borrowed.
#[derive(Clone, Copy, Debug)]
pub struct Recorded<'a> {
    /// Spikes, 0 or 1, `[trial][bin][observed]`.
    pub spikes: &'a TrialArray<u8>,
    /// Condition and length of each trial.
    pub layout: &'a TrialLayout,
}

/// The recorded trials of a batch.
#[derive(Clone, Debug)]
pub struct RecordedTrials {
    /// Spikes, 0 or 1, `[trial][bin][observed]`.
    pub spikes: TrialArray<u8>,
    /// Condition and length of each trial.
    pub layout: TrialLayout,
    /// What tells a trial apart from others over the batches of a fit: its index in the recording.
    pub keys: Vec<u32>,
}

impl RecordedTrials {
    /// Trials with the keys 0, 1, 2 and so on.
    pub fn new(spikes: TrialArray<u8>, layout: TrialLayout) -> Self {
        Self {
            keys: (0..layout.trials() as u32).collect(),
            spikes,
            layout,
        }
    }

    /// Spikes and trials, borrowed.
    pub fn view(&self) -> Recorded<'_> {
        Recorded {
            spikes: &self.spikes,
            layout: &self.layout,
        }
    }
}
