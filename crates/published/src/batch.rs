//! The recorded trials of the batch, which the published terms compare with.

use refire_core::RecordedTrials;
use std::sync::{Arc, Mutex, PoisonError};

/// A place for the recorded trials of the present batch, shared by the terms of an objective: whoever draws a batch puts
/// them there before the terms are evaluated. No other term needs them.
#[derive(Clone, Debug, Default)]
pub struct BatchTrials(Arc<Mutex<Option<Arc<RecordedTrials>>>>);

impl BatchTrials {
    /// A place with trials in it.
    pub fn new(trials: Arc<RecordedTrials>) -> Self {
        let place = Self::default();
        place.set(trials);
        place
    }

    /// Takes the trials of the next batch.
    pub fn set(&self, trials: Arc<RecordedTrials>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(trials);
    }

    /// The trials of the present batch.
    pub(crate) fn get(&self) -> Option<Arc<RecordedTrials>> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}
