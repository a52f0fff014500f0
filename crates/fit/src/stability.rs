//! Free runs that are judged: does the network stay in the range of the data?

use crate::simulate::{Slot, free_runs};
use crate::{FitError, Model};
use refire_core::TrialArray;
use refire_metrics::{Presented, RunOutcome, Stability, Verdict};
use refire_random::{Purpose, Stream};
use serde::Serialize;

/// Free runs judged for a verdict, at least.
pub const RUNS: usize = 500;

/// The same at most: where [`RUNS`] do not tell.
pub const MOST_RUNS: usize = 2000;

/// Presentations of each run.
pub const PRESENTATIONS: usize = 10;

/// Free runs of trials in a row, which are told beside the verdict.
pub const RUNS_IN_A_ROW: usize = 200;

/// Time between trials in a row, seconds, without drive: the recording does not say it.
pub const GAP_SECONDS: f64 = 1.0;

/// Runs held in memory at once; results do not depend on it.
const RUN_BLOCK: usize = 50;

/// Runs whose traces are kept for figures.
const TRACES: usize = 20;

/// What the presentations of a run are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Trials, each of which starts as those of the recording do.
    Trials,
    /// Pieces of ongoing activity, each of which goes on from the one before.
    Continuous,
}

impl Protocol {
    /// That of a model: its recording was of trials, or continuous and cut into pieces.
    pub fn of(model: &Model) -> Self {
        match model.spec.trials.piece {
            Some(piece) if piece.ongoing => Self::Continuous,
            _ => Self::Trials,
        }
    }
}

/// The verdict with what a figure needs.
#[derive(Clone, Debug)]
pub struct StabilityReport {
    /// What a run was.
    pub protocol: Protocol,
    /// Verdict, share of runs that leave, presentations at which they leave.
    pub stability: Stability,
    /// Of trials in a row, each going on from the one before after [`GAP_SECONDS`] without drive. The recording has no
    /// such runs, so that the verdict is not about them. None for continuous recordings.
    pub in_a_row: Option<Stability>,
    /// Population rate of the first runs per presentation, Hz per unit; a run that left ends with
    /// the presentation at which it did.
    pub traces_hz: Vec<Vec<f64>>,
    /// Largest population rate of a training trial's condition that counts as in range, Hz per unit.
    pub limit_hz: f64,
}

/// Judges a model by [`RUNS`] free runs of [`PRESENTATIONS`] presentations, each of a condition drawn in proportion to
/// the training trials; by [`MOST_RUNS`] where that does not tell. What a presentation starts from is said by its
/// [`Protocol`]. A run leaves the range where [`refire_metrics::StabilityRange`] says so; it is not followed further.
///
/// # Errors
/// [`FitError`] where the model cannot be run.
pub fn judge(model: &Model, seed: u64) -> Result<StabilityReport, FitError> {
    let protocol = Protocol::of(model);
    let between = match protocol {
        Protocol::Trials => Between::Anew,
        Protocol::Continuous => Between::On,
    };
    let mut judged = Judging::new(model, seed, between);
    judged.run_to(RUNS)?;
    let mut stability = judged.stability()?;
    if stability.verdict == Verdict::NotEnoughRuns {
        judged.run_to(MOST_RUNS)?;
        stability = judged.stability()?;
    }
    let traces_hz = judged.traces;
    let in_a_row = match protocol {
        Protocol::Continuous => None,
        Protocol::Trials => {
            let gap = (GAP_SECONDS / model.bin_width).ceil() as usize;
            let gap = gap.max(model.spec.network.lags);
            let mut judged = Judging::new(model, seed, Between::Rest { bins: gap });
            judged.run_to(RUNS_IN_A_ROW)?;
            Some(judged.stability()?)
        }
    };
    let trials = (model.training.conditions.iter()).zip(&model.training.bins);
    let limits = trials.filter_map(|(&condition, &bins)| {
        let scored = bins
            .checked_sub(model.spec.first_bin())
            .filter(|&n| n > 0)?;
        let seconds = scored as f64 * model.bin_width;
        Some(model.training.range.most(condition, scored) / (seconds * model.observed() as f64))
    });
    Ok(StabilityReport {
        protocol,
        stability,
        in_a_row,
        traces_hz,
        limit_hz: limits.fold(0.0, f64::max),
    })
}

/// What lies between two presentations of a run.
#[derive(Clone, Copy)]
enum Between {
    /// The next starts as a trial of the recording does.
    Anew,
    /// The next goes on from the last bins.
    On,
    /// So many bins without drive.
    Rest { bins: usize },
}

/// Runs so far.
struct Judging<'a> {
    model: &'a Model,
    seed: u64,
    between: Between,
    outcomes: Vec<RunOutcome>,
    traces: Vec<Vec<f64>>,
}

impl<'a> Judging<'a> {
    fn new(model: &'a Model, seed: u64, between: Between) -> Self {
        Self {
            model,
            seed,
            between,
            outcomes: Vec::new(),
            traces: Vec::new(),
        }
    }

    fn stability(&self) -> Result<Stability, FitError> {
        Stability::judge(&self.outcomes).ok_or(FitError::Setting {
            name: "runs",
            allowed: "1 or more",
            found: "0".to_string(),
        })
    }

    fn run_to(&mut self, runs: usize) -> Result<(), FitError> {
        for first in (self.outcomes.len()..runs).step_by(RUN_BLOCK) {
            let keys: Vec<u32> = (first..(first + RUN_BLOCK).min(runs))
                .map(|k| k as u32)
                .collect();
            self.run_block(&keys)?;
        }
        Ok(())
    }

    fn run_block(&mut self, keys: &[u32]) -> Result<(), FitError> {
        let model = self.model;
        let stream = Stream::new(self.seed, Purpose::Stability);
        let mut runs = free_runs(model, stream)?;
        let (trials, range) = (&model.training.conditions, &model.training.range);
        let mut presented: Vec<Vec<Presented>> = vec![Vec::new(); keys.len()];
        let mut alive: Vec<usize> = (0..keys.len()).collect();
        let mut previous: Option<TrialArray<u8>> = None;
        for presentation in 0..PRESENTATIONS as u32 {
            let slots: Vec<Slot> = alive
                .iter()
                .map(|&run| {
                    let at = stream.below(trials.len(), presentation, keys[run], u32::MAX - 1);
                    runs.slot(keys[run], trials[at], presentation)
                })
                .collect();
            if let (Between::Rest { bins }, Some(last)) = (self.between, &previous) {
                let rest = Stream::new(self.seed, Purpose::StabilityRest);
                previous = Some(runs.rest(&slots, presentation, rest, bins, last)?);
            }
            let (spikes, layout) = runs.present(&slots, presentation, previous.as_ref())?;
            let mut still = Vec::new();
            for (row, (&run, slot)) in alive.iter().zip(&slots).enumerate() {
                let count = (layout.first_bin()..slot.bins)
                    .map(|t| {
                        let z = &spikes.row(row, t)[..model.observed()];
                        z.iter().map(|&z| u32::from(z)).sum::<u32>()
                    })
                    .sum();
                let trial = Presented {
                    condition: slot.condition,
                    bins: slot.bins - layout.first_bin(),
                    count,
                };
                presented[run].push(trial);
                if !range.leaves(trial) {
                    still.push(row);
                }
            }
            if !matches!(self.between, Between::Anew) {
                let last = runs.last_bins(&slots);
                let mut kept = TrialArray::zeros(still.len(), last.bins(), 0, last.units());
                for (to, &from) in still.iter().enumerate() {
                    kept.trial_mut(to).copy_from_slice(last.trial(from));
                }
                previous = Some(kept);
            }
            alive = still.iter().map(|&row| alive[row]).collect();
            if alive.is_empty() {
                break;
            }
        }
        (self.outcomes).extend(presented.iter().map(|run| range.outcome(run)));
        let room = TRACES.saturating_sub(self.traces.len());
        let rate = |trial: &Presented| {
            let seconds = trial.bins as f64 * model.bin_width;
            f64::from(trial.count) / (seconds * model.observed() as f64)
        };
        let traces = presented.iter().take(room);
        self.traces
            .extend(traces.map(|run| run.iter().map(rate).collect()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_limit_is_that_of_the_condition_with_the_most() {
        let mut model = fixture::model();
        let range = &mut model.training.range;
        let condition = model.training.conditions[0];
        range.conditions[condition].as_mut().unwrap().most = 100.0;
        let report = judge(&model, 3).unwrap();
        // Twice 100 spikes per bin of 10 ms, of three units.
        assert!(
            (report.limit_hz - 200.0 / (0.01 * 3.0)).abs() < 1e-6,
            "{}",
            report.limit_hz
        );
        assert_eq!(report.traces_hz.len(), TRACES);
        assert_eq!(report.protocol, Protocol::Trials);
        let in_a_row = report.in_a_row.unwrap();
        assert_eq!(in_a_row.runs, RUNS_IN_A_ROW);
        assert!(report.stability.runs >= RUNS);
    }

    #[test]
    fn pieces_of_ongoing_activity_go_on() {
        let mut model = fixture::model();
        model.spec.trials.piece = Some(crate::Piece {
            seconds: 0.08,
            ongoing: true,
        });
        let report = judge(&model, 3).unwrap();
        assert_eq!(report.protocol, Protocol::Continuous);
        assert_eq!(report.in_a_row, None);
        // Not the same runs as from the start of trials.
        model.spec.trials.piece = None;
        assert_ne!(judge(&model, 3).unwrap().traces_hz, report.traces_hz);
    }
}
