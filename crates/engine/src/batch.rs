//! What one evaluation is given: recorded trials, and free-running ones to be drawn.

use refire_core::{RecordedTrials, TrialArray, TrialLayout};
use refire_random::{Purpose, Stream};
use std::sync::Arc;

/// One batch: recorded trials for the teacher-forced pass, trials to be simulated for the free-running one.
#[derive(Clone, Debug)]
pub struct Batch {
    /// Recorded trials; their keys are those of the random numbers of their hidden units.
    pub recorded: Arc<RecordedTrials>,
    /// Histories of the free-running trials `[trial][first_bin][observed]`.
    pub histories: TrialArray<u8>,
    /// Layout of the free-running trials.
    pub free_layout: TrialLayout,
    /// Keys of the random numbers of the free-running trials, `[trial]`.
    pub free_keys: Vec<u32>,
}

impl Batch {
    /// Recorded trials, and free-running ones without history, with the keys 0, 1, 2 and so on.
    pub fn new(recorded: RecordedTrials, free_layout: TrialLayout) -> Self {
        let free = free_layout.trials();
        Self {
            histories: TrialArray::zeros(free, 0, 0, recorded.spikes.units()),
            free_keys: (0..free as u32).collect(),
            recorded: Arc::new(recorded),
            free_layout,
        }
    }
}

/// Random streams of the two passes.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    /// Hidden units of the teacher-forced pass.
    pub teacher_forced: Stream,
    /// Free-running pass.
    pub free: Stream,
    /// Position in both: the iteration, or 0 for fixed random numbers.
    pub iteration: u32,
}

impl Streams {
    /// The streams of training, in an iteration.
    pub fn new(seed: u64, iteration: u32) -> Self {
        Self {
            teacher_forced: Stream::new(seed, Purpose::TeacherForced),
            free: Stream::new(seed, Purpose::FreeRunning),
            iteration,
        }
    }
}
