//! Free-running trials from a model.

use crate::{FitError, Model, PaddedNetwork};
use refire_core::{TrialArray, TrialLayout};
use refire_random::{KeyedUniforms, Stream};
use refire_sim::{Mode, PassInput, Trajectory, run};

/// Where one free-running trial starts and how long it lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Slot {
    /// Key of its random numbers.
    pub key: u32,
    /// Dense index of its condition.
    pub condition: usize,
    /// Its bins, history included; at most the model's bins of the condition.
    pub bins: usize,
    /// Training trial whose first bins are its history.
    pub history: usize,
}

/// Free-running trials in progress: presentation after presentation, each going on from the last
/// bins of the one before.
pub struct FreeRuns<'a> {
    model: &'a Model,
    padded: PaddedNetwork<f32>,
    stream: Stream,
    trajectory: Trajectory<f32>,
}

/// Prepares free runs of a model with the random numbers of `stream`.
///
/// # Errors
/// [`FitError`] where the model cannot be run.
pub fn free_runs(model: &Model, stream: Stream) -> Result<FreeRuns<'_>, FitError> {
    let mut padded = PaddedNetwork::new(&model.settings, model.observed());
    padded.load(&model.parameters, &model.drive_currents()?)?;
    Ok(FreeRuns {
        model,
        padded,
        stream,
        trajectory: Trajectory::default(),
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
    /// (`presentation`, slot key). Returns spikes `[slot][bin][unit]`, of observed units, then hidden
    /// ones, then silent columns that fill up the rows, and their layout.
    ///
    /// # Errors
    /// [`FitError`] where the model cannot be run.
    pub fn present(
        &mut self,
        slots: &[Slot],
        presentation: u32,
        previous: Option<&TrialArray<u8>>,
    ) -> Result<(&TrialArray<u8>, TrialLayout), FitError> {
        let first_bin = self.model.settings.first_bin();
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
        let input = PassInput {
            layout: &layout,
            recorded: Some(&histories),
            before: previous,
            drive: self.padded.drive(),
        };
        let uniforms = KeyedUniforms::new(self.stream, presentation, &keys);
        let network = self.padded.network()?;
        run(
            &network,
            Mode::FreeRunning,
            &input,
            &uniforms,
            &mut self.trajectory,
        )?;
        Ok((&self.trajectory.spikes, layout))
    }

    /// The last bins of the slots just presented, `[slot][lag][unit]`: history of what follows.
    pub fn last_bins(&self, slots: &[Slot]) -> TrialArray<u8> {
        let (lags, units) = (self.model.settings.lags, self.padded.units());
        let mut last = TrialArray::zeros(slots.len(), lags, 0, units);
        for (row, slot) in slots.iter().enumerate() {
            let block = self.trajectory.spikes.block(row, slot.bins - lags, lags);
            last.trial_mut(row).copy_from_slice(block);
        }
        last
    }
}
