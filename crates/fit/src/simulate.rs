//! Free-running trials from a model.

use crate::{FitError, Model};
use refire_core::{TrialArray, TrialLayout};
use refire_engine::PaddedNetwork;
use refire_random::{KeyedUniforms, Stream};
use refire_sim::{Pass, PassState, Trajectory, run, run_window};

/// Where one free-running trial starts and how long it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// Key of its random numbers.
    pub key: u32,
    /// Dense index of its condition.
    pub condition: usize,
    /// Its bins, history included; at most the model's bins of the condition.
    pub bins: usize,
    /// Place among the model's training trials of the one whose first bins are its history.
    pub history: usize,
}

/// Free-running trials in progress: presentation after presentation, each going on from the last
/// bins of the one before.
pub struct FreeRuns<'a> {
    model: &'a Model,
    padded: PaddedNetwork<f32>,
    stream: Stream,
    trajectory: Trajectory<f32>,
    /// All bins, where the trajectory is one window of them.
    spikes: TrialArray<u8>,
}

/// Prepares free runs of a model with the random numbers of `stream`.
///
/// # Errors
/// [`FitError`] where the model cannot be run.
pub fn free_runs(model: &Model, stream: Stream) -> Result<FreeRuns<'_>, FitError> {
    Ok(FreeRuns {
        model,
        padded: model.network()?,
        stream,
        trajectory: Trajectory::default(),
        spikes: TrialArray::default(),
    })
}

impl FreeRuns<'_> {
    /// Draws a slot of a condition: its length and history are those of a training trial of the
    /// condition (of any condition where it has none), chosen by the key.
    pub fn slot(&self, key: u32, condition: usize, presentation: u32) -> Slot {
        let mut trials = self.model.training.of_condition(condition);
        if trials.is_empty() {
            trials = (0..self.model.training.conditions.len()).collect();
        }
        // A bin no trial has: these draws are apart from the spikes'.
        let at = self.stream.below(trials.len(), presentation, key, u32::MAX);
        let history = trials.get(at).copied().unwrap_or(0);
        Slot {
            key,
            condition,
            bins: self.model.training.bins[history].min(self.model.bins_per_condition[condition]),
            history,
        }
    }

    /// Runs one presentation of each slot. It goes on from `previous` (`[slot][lag][unit]`, from
    /// [`Self::last_bins`]), its own bins of history left out, or starts like the slot's training
    /// trial. Draws are keyed by
    /// (`presentation`, slot key). A model fitted window by window is run so, with the same spikes. Returns
    /// spikes `[slot][bin][unit]`, of observed units, then hidden ones, then silent columns that fill up the rows, and their layout.
    ///
    /// # Errors
    /// [`FitError`] where the model cannot be run.
    pub fn present(
        &mut self,
        slots: &[Slot],
        presentation: u32,
        previous: Option<&TrialArray<u8>>,
    ) -> Result<(&TrialArray<u8>, TrialLayout), FitError> {
        let first_bin = self.model.spec.first_bin();
        let layout = TrialLayout::new(
            slots.iter().map(|s| s.condition).collect(),
            slots.iter().map(|s| s.bins).collect(),
            first_bin,
        )
        .map_err(refire_recording::RecordingError::from)?;
        let mut histories = TrialArray::zeros(slots.len(), first_bin, 0, self.model.observed());
        for (row, slot) in slots.iter().enumerate() {
            let own = self.model.training.histories.trial(slot.history);
            histories.trial_mut(row).copy_from_slice(own);
        }
        let keys: Vec<u32> = slots.iter().map(|s| s.key).collect();
        let pass = Pass {
            before: previous,
            ..Pass::free_running(&layout, self.padded.drive()).with_history(&histories)
        };
        let uniforms = KeyedUniforms::new(self.stream, presentation, &keys);
        let network = self.padded.network()?;
        let trajectory = &mut self.trajectory;
        let Some(size) = self.model.spec.checkpoint_bins else {
            run(&network, &pass, &uniforms, trajectory)?;
            return Ok((&trajectory.spikes, layout));
        };
        let (bins, units) = (layout.max_bins(), self.padded.units());
        let mut state = PassState::default();
        self.spikes.reset(slots.len(), bins, 0, units);
        for start in (0..bins).step_by(size) {
            let window = start..bins.min(start.saturating_add(size));
            let rows = start * units..window.end * units;
            run_window(&network, &pass, &uniforms, window, &mut state, trajectory)?;
            for k in 0..slots.len() {
                let own = &mut self.spikes.trial_mut(k)[rows.clone()];
                own.copy_from_slice(trajectory.spikes.trial(k));
            }
        }
        Ok((&self.spikes, layout))
    }

    /// Runs on from `previous` (`[slot][lag][unit]`) for so many bins without drive: what comes between two trials.
    /// Returns the last bins, as [`Self::last_bins`] does.
    ///
    /// # Errors
    /// [`FitError`] where the model cannot be run.
    pub(crate) fn rest(
        &mut self,
        slots: &[Slot],
        presentation: u32,
        stream: Stream,
        bins: usize,
        previous: &TrialArray<u8>,
    ) -> Result<TrialArray<u8>, FitError> {
        let layout = TrialLayout::uniform(slots.len(), bins, 0)
            .map_err(refire_recording::RecordingError::from)?;
        let keys: Vec<u32> = slots.iter().map(|s| s.key).collect();
        let drive = TrialArray::zeros(1, bins, 0, self.padded.units());
        let pass = Pass {
            before: Some(previous),
            ..Pass::free_running(&layout, &drive)
        };
        let uniforms = KeyedUniforms::new(stream, presentation, &keys);
        run(
            &self.padded.network()?,
            &pass,
            &uniforms,
            &mut self.trajectory,
        )?;
        let lags = self.model.spec.network.lags;
        let mut last = TrialArray::zeros(slots.len(), lags, 0, self.padded.units());
        for row in 0..slots.len() {
            let block = self.trajectory.spikes.block(row, bins - lags, lags);
            last.trial_mut(row).copy_from_slice(block);
        }
        Ok(last)
    }

    /// Spikes of the last presentation.
    fn spikes(&self) -> &TrialArray<u8> {
        match self.model.spec.checkpoint_bins {
            None => &self.trajectory.spikes,
            Some(_) => &self.spikes,
        }
    }

    /// The last bins of the slots just presented, `[slot][lag][unit]`: history of what follows.
    pub fn last_bins(&self, slots: &[Slot]) -> TrialArray<u8> {
        let (lags, units) = (self.model.spec.network.lags, self.padded.units());
        let mut last = TrialArray::zeros(slots.len(), lags, 0, units);
        for (row, slot) in slots.iter().enumerate() {
            let block = self.spikes().block(row, slot.bins - lags, lags);
            last.trial_mut(row).copy_from_slice(block);
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Facts, ObjectiveKind, Optimiser, Specification, Trainer};
    use refire_random::Purpose;
    use refire_recording::{BinWidth, Recording, RecordingParts};

    /// Two presentations of each slot, the second going on from the first.
    fn presented(model: &Model) -> Vec<Vec<u8>> {
        let mut runs = free_runs(model, Stream::new(9, Purpose::Simulate)).unwrap();
        let slots: Vec<Slot> = (0..9).map(|key| runs.slot(key, 0, 0)).collect();
        let first = runs.present(&slots, 0, None).unwrap().0.as_slice().to_vec();
        let last = runs.last_bins(&slots);
        let second = runs.present(&slots, 1, Some(&last)).unwrap().0;
        vec![first, last.as_slice().to_vec(), second.as_slice().to_vec()]
    }

    #[test]
    fn runs_by_windows_have_the_same_spikes() {
        let mut spikes = TrialArray::<u8>::zeros(12, 17, 0, 3);
        let bins: Vec<usize> = (0..12).map(|k| 13 + k % 5).collect();
        for (k, &bins) in bins.iter().enumerate() {
            for (at, z) in spikes.trial_mut(k)[..3 * bins].iter_mut().enumerate() {
                *z = u8::from(at * (at + k) % 11 < 4);
            }
        }
        let width = BinWidth::from_seconds(0.01).unwrap();
        let recording = Recording::new(RecordingParts {
            bins,
            ..RecordingParts::new(spikes, width)
        })
        .unwrap();
        for history in [crate::HistoryStart::Zero, crate::HistoryStart::Recorded] {
            let mut spec = Specification::new(Facts::default(), ObjectiveKind::Mle);
            spec.network.lags = 4;
            spec.network.history = history;
            spec.network.hidden = 1;
            spec.batch.trials = 6;
            spec.optimiser = Optimiser::default();
            if let Some(adam) = spec.optimiser.steps_mut() {
                adam.learning_rate = Some(0.3);
            }
            let mut trainer = Trainer::new(&recording, &spec).unwrap();
            for _ in 0..3 {
                trainer.step().unwrap();
            }
            let mut model = trainer.model();
            let expected = presented(&model);
            assert!(expected.iter().all(|spikes| spikes.contains(&1)));
            for size in [1, 3, 4, 5, 17, 20] {
                model.spec.checkpoint_bins = Some(size);
                assert_eq!(presented(&model), expected, "windows of {size}");
            }
        }
    }
}
