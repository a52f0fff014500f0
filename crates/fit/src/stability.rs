//! Long free runs: does the network stay in the range of the data?

use crate::simulate::{Slot, free_runs};
use crate::{FitError, Model};
use refire_core::TrialArray;
use refire_metrics::{RunOutcome, Stability};
use refire_random::{Purpose, Stream};

/// Free runs judged for a verdict.
pub const RUNS: usize = 200;

/// Presentations in a row of each run.
pub const PRESENTATIONS: usize = 10;

/// Runs held in memory at once; results do not depend on it.
const RUN_BLOCK: usize = 50;

/// Runs whose traces are kept for figures.
const TRACES: usize = 20;

/// The verdict with what a figure needs.
#[derive(Clone, Debug)]
pub struct StabilityReport {
    /// Verdict, share of runs that leave, presentations at which they leave.
    pub stability: Stability,
    /// Population rate of the first runs per presentation, Hz per unit; a run that left ends with
    /// the presentation at which it did.
    pub traces_hz: Vec<Vec<f64>>,
    /// Largest population rate of a presentation that counts as in range, Hz per unit, for the
    /// shortest training trial.
    pub limit_hz: f64,
}

/// Judges a model by [`RUNS`] free runs of [`PRESENTATIONS`] presentations in a row, each of a
/// condition drawn in proportion to the training trials. A run leaves the range when the observed
/// population's spike count in a presentation exceeds twice the largest of any training trial, or
/// is zero where no training trial of that condition was; it is not followed further.
///
/// # Errors
/// [`FitError`] where the model cannot be run.
pub fn judge(model: &Model, seed: u64) -> Result<StabilityReport, FitError> {
    let stream = Stream::new(seed, Purpose::Stability);
    let mut outcomes = Vec::with_capacity(RUNS);
    let mut traces = Vec::new();
    for first in (0..RUNS).step_by(RUN_BLOCK) {
        let keys: Vec<u32> = (first..(first + RUN_BLOCK).min(RUNS))
            .map(|k| k as u32)
            .collect();
        run_block(model, stream, &keys, &mut outcomes, &mut traces)?;
    }
    let stability = Stability::judge(&outcomes).ok_or(FitError::Setting {
        name: "runs",
        allowed: "1 or more",
        found: "0".to_string(),
    })?;
    let shortest = model.training.bins.iter().copied().min().unwrap_or(0);
    let seconds = (shortest - model.spec.first_bin().min(shortest)) as f64 * model.bin_width;
    let limit = 2.0 * f64::from(model.training.range.max_count);
    Ok(StabilityReport {
        stability,
        traces_hz: traces,
        limit_hz: limit / (seconds * model.observed() as f64),
    })
}

fn run_block(
    model: &Model,
    stream: Stream,
    keys: &[u32],
    outcomes: &mut Vec<RunOutcome>,
    traces: &mut Vec<Vec<f64>>,
) -> Result<(), FitError> {
    let mut runs = free_runs(model, stream)?;
    let trials = &model.training.conditions;
    let mut left_at = vec![None; keys.len()];
    let mut rates = vec![Vec::new(); keys.len()];
    let mut alive: Vec<usize> = (0..keys.len()).collect();
    let mut previous: Option<TrialArray<u8>> = None;
    for presentation in 0..PRESENTATIONS {
        let slots: Vec<Slot> = alive
            .iter()
            .map(|&run| {
                let at = stream.below(trials.len(), presentation as u32, keys[run], u32::MAX - 1);
                runs.slot(keys[run], trials[at], presentation as u32)
            })
            .collect();
        let (spikes, layout) = runs.present(&slots, presentation as u32, previous.as_ref())?;
        let mut still = Vec::new();
        for (row, (&run, slot)) in alive.iter().zip(&slots).enumerate() {
            let count: u32 = (layout.first_bin()..slot.bins)
                .map(|t| {
                    let z = &spikes.row(row, t)[..model.observed()];
                    z.iter().map(|&z| u32::from(z)).sum::<u32>()
                })
                .sum();
            let seconds = (slot.bins - layout.first_bin()) as f64 * model.bin_width;
            rates[run].push(f64::from(count) / (seconds * model.observed() as f64));
            if model.training.range.leaves(slot.condition, count) {
                left_at[run] = Some(presentation);
            } else {
                still.push(row);
            }
        }
        let last = runs.last_bins(&slots);
        let mut kept = TrialArray::zeros(still.len(), last.bins(), 0, last.units());
        for (to, &from) in still.iter().enumerate() {
            kept.trial_mut(to).copy_from_slice(last.trial(from));
        }
        alive = still.iter().map(|&row| alive[row]).collect();
        previous = Some(kept);
        if alive.is_empty() {
            break;
        }
    }
    outcomes.extend(left_at.into_iter().map(|left_at| RunOutcome { left_at }));
    let room = TRACES.saturating_sub(traces.len());
    traces.extend(rates.into_iter().take(room));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn the_limit_is_twice_the_largest_count_of_the_shortest_trial() {
        let mut model = fixture::model();
        model.training.range.max_count = 12;
        let report = judge(&model, 3).unwrap();
        // 8 bins, of which two are history, of 10 ms, and three units.
        assert!(
            (report.limit_hz - 24.0 / (0.06 * 3.0)).abs() < 1e-9,
            "{}",
            report.limit_hz
        );
        assert_eq!(report.traces_hz.len(), TRACES);
    }
}
