//! A small recording for whole fits.

use refire_core::TrialArray;
use refire_fit::{HistoryStart, ObjectiveKind, Specification, Steps};
use refire_random::{Purpose, Stream};
use refire_recording::{BinWidth, Label, Recording, RecordingParts, Stimulus};

/// Units of a recording.
pub const UNITS: usize = 4;

/// What decides a recording: three conditions, unequal numbers and lengths of their trials, units that follow each
/// other and a time course.
#[derive(Clone, Copy, Debug)]
pub struct Small {
    /// Seed of its spikes.
    pub seed: u64,
    /// Number of trials.
    pub trials: usize,
    /// Whether it has a stimulus, a course per condition.
    pub stimulus: bool,
}

impl Default for Small {
    fn default() -> Self {
        Self {
            seed: 5,
            trials: 66,
            stimulus: false,
        }
    }
}

impl Small {
    /// The recording.
    pub fn recording(self) -> Recording {
        let bins: Vec<usize> = (0..self.trials).map(|k| 14 + (7 * k) % 5).collect();
        // Half of the trials are of condition 0, a third of 1, the others of 2.
        let labels = (0..self.trials).map(|k| Label::Number([0, 1, 0, 2, 1, 0][k % 6]));
        let labels: Vec<Label> = labels.collect();
        let mut spikes = TrialArray::<u8>::zeros(self.trials, 18, 0, UNITS);
        let stream = Stream::new(self.seed, Purpose::Synthetic);
        for (k, &bins) in bins.iter().enumerate() {
            let shared = stream.uniform(99, k as u32, 0);
            for t in 0..bins {
                for i in 0..UNITS {
                    let follows = t > 0 && spikes.row(k, t - 1)[(i + 1) % UNITS] == 1;
                    let course = 0.2 * ((t * (1 + k % 3 + i)) as f64 * 0.4).sin().max(0.0);
                    let p = 0.08 + course + 0.1 * shared + if follows { 0.25 } else { 0.0 };
                    let draw = stream.uniform(i as u32, k as u32, t as u32);
                    spikes.row_mut(k, t)[i] = u8::from(draw < p);
                }
            }
        }
        let width = BinWidth::from_seconds(0.01).unwrap();
        let stimulus = self.stimulus.then(|| {
            let values = (0..3 * 18).map(|at| (f64::from(at) * 0.7).sin()).collect();
            Stimulus::new(values, Some(3), 1, width).unwrap()
        });
        Recording::new(RecordingParts {
            bins,
            labels,
            stimulus,
            ..RecordingParts::new(spikes, width)
        })
        .unwrap()
    }
}

/// What a recording is made of, to be changed.
pub fn parts(recording: &Recording) -> RecordingParts {
    let labels = recording.condition_labels();
    let label = |&c: &usize| labels[c].clone();
    let width = BinWidth::from_seconds(recording.bin_width()).unwrap();
    RecordingParts {
        bins: recording.bins().to_vec(),
        labels: recording.conditions().iter().map(label).collect(),
        stimulus: recording.stimulus().cloned(),
        ..RecordingParts::new(recording.spikes().clone(), width)
    }
}

/// Some steps of Adam.
pub fn adam(iterations: usize, learning_rate: f64) -> Steps {
    Steps {
        iterations,
        learning_rate: Some(learning_rate),
        ..Steps::default()
    }
}

/// A small fit with recorded history.
pub fn specification(recording: &Recording, objective: ObjectiveKind) -> Specification {
    let mut spec = Specification::new(recording, objective).with_adam(adam(40, 0.02));
    spec.network.lags = 3;
    spec.network.history = HistoryStart::Recorded;
    spec.batch.trials = 20;
    spec.batch.free_bins = 400;
    spec
}
