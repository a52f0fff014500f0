//! A small recording, and a model of it, for tests of the crate.

use crate::{Drive, HistoryStart, Model, ObjectiveKind, Specification, Steps, Trainer};
use refire_core::TrialArray;
use refire_recording::{BinWidth, Label, Recording, RecordingParts};

/// Trials of 8 and 9 bins of 10 ms, of two conditions in turn, with three units.
pub(crate) fn parts(trials: usize) -> RecordingParts {
    let mut spikes = TrialArray::<u8>::zeros(trials, 9, 0, 3);
    for k in 0..trials {
        for t in 0..8 {
            for (i, z) in spikes.row_mut(k, t).iter_mut().enumerate() {
                *z = u8::from((3 * k + 5 * t + 7 * i + k * t * i) % 4 == 0);
            }
        }
    }
    RecordingParts {
        bins: (0..trials).map(|k| 8 + k % 2).collect(),
        labels: (0..trials as i64).map(|k| Label::Number(k % 2)).collect(),
        ..RecordingParts::new(spikes, BinWidth::from_seconds(0.01).unwrap())
    }
}

/// The same with so many bins in some trials.
pub(crate) fn with_short(mut parts: RecordingParts, trials: &[usize], bins: usize) -> Recording {
    for &k in trials {
        parts.bins[k] = bins;
        (bins..9).for_each(|t| parts.spikes.row_mut(k, t).fill(0));
    }
    Recording::new(parts).unwrap()
}

/// Ten of them.
pub(crate) fn recording() -> Recording {
    Recording::new(parts(10)).unwrap()
}

/// Two lags and one step of Adam.
pub(crate) fn specification(recording: &Recording, objective: ObjectiveKind) -> Specification {
    let mut spec = Specification::new(recording, objective).with_adam(Steps {
        iterations: 1,
        ..Steps::default()
    });
    spec.network.lags = 2;
    spec.network.history = HistoryStart::Recorded;
    // Nothing is left to validation trials.
    (spec.priors.coupling, spec.priors.same_bin) = (Some(0.15), Some(1.0));
    spec.priors.drive = Some(1.0);
    if let Drive::Condition { detail, .. } = &mut spec.drive {
        *detail = Some(0.35);
    }
    spec
}

/// A fit of [`recording`].
pub(crate) fn model() -> Model {
    let recording = recording();
    let spec = specification(&recording, ObjectiveKind::MleAndSampleAndMeasure);
    let mut trainer = Trainer::new(&recording, &spec).unwrap();
    trainer.step().unwrap();
    trainer.model()
}
