//! A fitted model: all that is needed to simulate.

use crate::wiring::shape;
use crate::{FitError, Specification};
use nalgebra::DMatrix;
use refire_core::TrialArray;
use refire_drive::{DriveSpec, Encoder};
use refire_engine::{NetworkShape, PaddedNetwork, Parameters, Wiring};
use refire_metrics::{StabilityRange, baseline_probability};
use refire_recording::{Label, Recording, Split};
use refire_sim::{Coupling, SimError};

/// What the model keeps of its training trials.
#[derive(Clone, Debug, PartialEq)]
pub struct Training {
    /// Spikes per bin of each observed unit: the constant-rate baseline of bits per spike.
    pub baseline: Vec<f64>,
    /// The bins of history of every training trial `[trial][first_bin][observed]`: where
    /// free-running trials start.
    pub histories: TrialArray<u8>,
    /// Dense condition index of those trials, `[trial]`.
    pub conditions: Vec<usize>,
    /// Length of those trials, bins, history included, `[trial]`.
    pub bins: Vec<usize>,
    /// Population counts a free run may show.
    pub range: StabilityRange,
}

/// A fitted network with everything a simulation or an evaluation needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// Specification of the fit.
    pub spec: Specification,
    /// Which couplings it has; sparse ones with their synapses.
    pub wiring: Wiring,
    /// Fitted couplings, biases and drive weights.
    pub parameters: Parameters<f32>,
    /// Bin width, seconds.
    pub bin_width: f64,
    /// Ids of the observed units, which come first; hidden units follow.
    pub unit_ids: Vec<Label>,
    /// Labels of the conditions, by dense index.
    pub condition_labels: Vec<Label>,
    /// Longest trial of each condition, bins.
    pub bins_per_condition: Vec<usize>,
    /// How the drive is built.
    pub drive: DriveSpec,
    /// Stimulus features per bin `[1 or condition][bin][feature]`, for a drive by features.
    pub features: Option<TrialArray<f64>>,
    /// What is kept of the training trials: rates, histories, lengths, range of spike counts.
    pub training: Training,
    /// How the recording was split.
    pub split: Split,
    /// Hash of the recording.
    pub recording_hash: String,
    /// Iteration the parameters come from, counted from 1; 0 is the start.
    pub iteration: usize,
}

impl Model {
    /// Number of observed units.
    pub fn observed(&self) -> usize {
        self.unit_ids.len()
    }

    /// Number of units, hidden ones included.
    pub fn units(&self) -> usize {
        self.observed() + self.spec.network.hidden
    }

    /// What the network has besides its tensors.
    pub fn shape(&self) -> NetworkShape {
        shape(&self.spec, &self.wiring, self.observed())
    }

    /// Rows of units filled up to whole registers, with the drive: what runs the network.
    ///
    /// # Errors
    /// [`FitError::Sim`] where a tensor has the wrong length, [`FitError::Drive`] where the drive cannot be
    /// built.
    pub fn network(&self) -> Result<PaddedNetwork<f32>, FitError> {
        let mut padded = PaddedNetwork::new(self.shape());
        padded.load(&self.parameters, &self.drive_currents()?)?;
        Ok(padded)
    }

    /// Couplings of some units to some units `[source][lag][target]`, current per spike, whatever their
    /// kind.
    ///
    /// # Errors
    /// [`FitError::Sim`] where they have the wrong length or the model does not have that many units.
    pub fn couplings(&self, sources: usize, targets: usize) -> Result<Vec<f32>, FitError> {
        let (units, lags) = (self.units(), self.spec.network.lags);
        for found in [sources, targets] {
            if found > units {
                let what = "units whose couplings are asked for (at most)";
                let expected = units;
                return Err(SimError::Shape {
                    what,
                    expected,
                    found,
                }
                .into());
            }
        }
        let coupling = (self.wiring).coupling(&self.parameters.couplings, units, lags)?;
        let mut block = vec![0.0; lags * units];
        let mut some = Vec::with_capacity(sources * lags * targets);
        for source in 0..sources {
            block.fill(0.0);
            coupling.scatter(source, &mut block);
            let rows = block.chunks_exact(units);
            rows.for_each(|row| some.extend_from_slice(&row[..targets]));
        }
        Ok(some)
    }

    /// Same-bin couplings `[source][target]`, current per spike, 0 where the target is not behind the source; `None`
    /// where the network has none.
    ///
    /// # Errors
    /// [`FitError::Engine`] where they have the wrong length.
    pub fn same_bin(&self) -> Result<Option<Vec<f32>>, FitError> {
        let units = self.units();
        let Some(wiring) = self.shape().same_bin else {
            return Ok(None);
        };
        let coupling = wiring.coupling(&self.parameters.same_bin, units, 1)?;
        let mut all = vec![0.0; units * units];
        for (source, row) in all.chunks_exact_mut(units.max(1)).enumerate() {
            coupling.scatter(source, row);
        }
        Ok(Some(all))
    }

    /// Couplings among the first `units` units, summed over lags, `[source][target]`, current per spike.
    ///
    /// # Errors
    /// As [`Self::couplings`].
    pub fn summed_couplings(&self, units: usize) -> Result<DMatrix<f64>, FitError> {
        let mut sums = DMatrix::zeros(units, units);
        for (at, &w) in self.couplings(units, units)?.iter().enumerate() {
            let source = at / (self.spec.network.lags * units);
            sums[(source, at % units)] += f64::from(w);
        }
        Ok(sums)
    }

    /// The encoder of the drive.
    ///
    /// # Errors
    /// [`FitError::Drive`] where the model's drive cannot be built.
    pub fn encoder(&self) -> Result<Box<dyn Encoder<f32>>, FitError> {
        Ok(self.drive.build(
            &self.bins_per_condition,
            self.spec.first_bin(),
            self.units(),
            self.features.as_ref(),
        )?)
    }

    /// The drive, `[condition][bin][unit]`, current.
    ///
    /// # Errors
    /// As [`Self::encoder`].
    pub fn drive_currents(&self) -> Result<TrialArray<f32>, FitError> {
        let mut drive = TrialArray::default();
        self.encoder()?.forward(&self.parameters.drive, &mut drive);
        Ok(drive)
    }

    /// Dense index of a condition label.
    ///
    /// # Errors
    /// [`FitError::UnknownCondition`].
    pub fn condition(&self, label: &Label) -> Result<usize, FitError> {
        self.condition_labels
            .iter()
            .position(|l| l == label)
            .ok_or_else(|| FitError::UnknownCondition {
                label: label.clone(),
                known: join(&self.condition_labels),
            })
    }

    /// The conditions of a recording as the model knows them, checked for units, bin width and
    /// lengths.
    ///
    /// # Errors
    /// [`FitError::Units`], [`FitError::BinWidth`], [`FitError::UnknownCondition`] or
    /// [`FitError::TrialTooLong`].
    pub fn match_recording(&self, recording: &Recording) -> Result<Vec<usize>, FitError> {
        self.check_units_and_bins(recording)?;
        let known: Vec<usize> = recording
            .condition_labels()
            .iter()
            .map(|label| self.condition(label))
            .collect::<Result<_, _>>()?;
        let conditions: Vec<usize> = recording.conditions().iter().map(|&c| known[c]).collect();
        for (trial, (&condition, &bins)) in conditions.iter().zip(recording.bins()).enumerate() {
            let longest = self.bins_per_condition[condition];
            if bins > longest {
                return Err(FitError::TrialTooLong {
                    trial,
                    label: self.condition_labels[condition].clone(),
                    expected: longest,
                    found: bins,
                });
            }
        }
        Ok(conditions)
    }

    /// Whether a recording has the units and the bin width of the model.
    pub(crate) fn check_units_and_bins(&self, recording: &Recording) -> Result<(), FitError> {
        if recording.unit_ids() != self.unit_ids {
            let list = |ids: &[Label]| format!("{} ({})", ids.len(), join(ids));
            return Err(FitError::Units {
                expected: list(&self.unit_ids),
                found: list(recording.unit_ids()),
            });
        }
        if (recording.bin_width() / self.bin_width - 1.0).abs() > 1e-9 {
            return Err(FitError::BinWidth {
                expected: self.bin_width,
                found: recording.bin_width(),
            });
        }
        Ok(())
    }
}

impl Training {
    /// What to keep of the training trials of a recording.
    ///
    /// # Errors
    /// [`FitError::Recording`] where a trial is shorter than the history.
    pub fn new(
        recording: &Recording,
        trials: &[usize],
        first_bin: usize,
    ) -> Result<Self, FitError> {
        let (spikes, layout) = recording.select(trials, first_bin)?;
        let mut histories = TrialArray::zeros(trials.len(), first_bin, 0, recording.n_units());
        for slot in 0..trials.len() {
            histories
                .trial_mut(slot)
                .copy_from_slice(spikes.block(slot, 0, first_bin));
        }
        Ok(Self {
            baseline: baseline_probability(&spikes, &layout),
            histories,
            conditions: (0..layout.trials()).map(|k| layout.condition(k)).collect(),
            bins: (0..layout.trials()).map(|k| layout.bins(k)).collect(),
            range: StabilityRange::from_training(&spikes, &layout),
        })
    }

    /// Training trials of a condition.
    pub fn of_condition(&self, condition: usize) -> Vec<usize> {
        (0..self.conditions.len())
            .filter(|&k| self.conditions[k] == condition)
            .collect()
    }
}

/// A short list for messages.
fn join(values: &[Label]) -> String {
    let shown: Vec<String> = values.iter().take(8).map(Label::to_string).collect();
    let more = if values.len() > 8 { ", ..." } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::fixture;

    #[test]
    fn couplings_are_summed_over_their_lags() {
        let model = fixture::model();
        let all = model.couplings(3, 3).unwrap();
        let sums = model.summed_couplings(3).unwrap();
        for source in 0..3 {
            for target in 0..3 {
                let of = |lag: usize| f64::from(all[(source * 2 + lag) * 3 + target]);
                assert_eq!(sums[(source, target)], of(0) + of(1));
            }
        }
        assert!(model.couplings(2, 3).is_ok());
        assert!(model.couplings(4, 3).is_err() && model.couplings(3, 4).is_err());
    }
}
