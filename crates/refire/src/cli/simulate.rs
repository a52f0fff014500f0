//! `refire simulate`.

use super::failure::{Failure, prepare_file};
use refire::core::TrialArray;
use refire::fit::{FreeRuns, Model, Slot, free_runs};
use refire::random::{Purpose, Stream};
use refire::recording::{BinWidth, MAX_SPIKE_BINS, Recording, RecordingParts};
use std::path::PathBuf;

/// Trials held in memory at once with all their potentials; results do not depend on it.
const BLOCK: usize = 500;

/// Key that a simulation has and a recording has not: bins of history at the start of each trial.
pub const FIRST_BIN: &str = "first_bin";

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  refire simulate fit/model.refire --out simulated.npz
  refire simulate fit/model.refire --trials 500 --conditions 0,3 --seed 2 --out simulated.npz")]
pub struct Args {
    /// The model, model.refire.
    model: PathBuf,
    /// File to write: a recording of counts per bin.
    #[arg(long, value_name = "SIM.npz")]
    out: PathBuf,
    /// Total number of trials, assigned to the conditions in turn [default: as many as the training trials]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    trials: Option<usize>,
    /// Conditions to run, comma-separated labels [default: all]
    #[arg(
        long,
        value_name = "LABELS",
        value_delimiter = ',',
        allow_hyphen_values = true
    )]
    conditions: Vec<i64>,
    /// Presentations in a row per trial, each continuing where the previous one stopped; `evaluate`
    /// reads only simulations with one
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        allow_negative_numbers = true
    )]
    presentations: u32,
    /// Seed of the spikes
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        allow_negative_numbers = true
    )]
    seed: u64,
}

pub fn run(args: &Args, quiet: bool) -> Result<(), Failure> {
    let model = Model::read(&args.model)?;
    if args.presentations == 0 {
        return Err(Failure::input(
            "--presentations: expected 1 or more, found 0",
        ));
    }
    if args.trials == Some(0) {
        return Err(Failure::input("--trials: expected 1 or more, found 0"));
    }
    check_size(&model, args)?;
    let conditions = if args.conditions.is_empty() {
        (0..model.condition_labels.len()).collect()
    } else {
        args.conditions
            .iter()
            .map(|&label| model.condition(label))
            .collect::<Result<Vec<_>, _>>()?
    };
    let of_trial: Vec<usize> = match args.trials {
        Some(trials) => (0..trials)
            .map(|k| conditions[k % conditions.len()])
            .collect(),
        None => {
            let chosen = |c: &&usize| conditions.contains(c);
            model
                .training
                .conditions
                .iter()
                .filter(chosen)
                .copied()
                .collect()
        }
    };
    if of_trial.is_empty() {
        return Err(Failure::input(
            "--conditions: no training trial has them; give --trials",
        ));
    }
    let runs = free_runs(&model, Stream::new(args.seed, Purpose::Simulate))?;
    prepare_file(&args.out)?;
    let recording = simulate(&model, runs, &of_trial, args.presentations)?;
    let mut writer = recording.npz_writer(&args.out)?;
    writer.i64(FIRST_BIN, &[], &[model.spec.first_bin() as i64])?;
    writer.finish()?;
    if !quiet {
        eprintln!(
            "wrote {} trials of {} units to {}",
            recording.n_trials(),
            recording.n_units(),
            args.out.display()
        );
    }
    Ok(())
}

/// Refuses more spikes than a recording can hold.
fn check_size(model: &Model, args: &Args) -> Result<(), Failure> {
    let trials = args.trials.unwrap_or(model.training.conditions.len());
    let longest = model.bins_per_condition.iter().copied().max().unwrap_or(0);
    let (trials, bins) = (
        trials as u128,
        longest as u128 * u128::from(args.presentations),
    );
    let units = model.observed() as u128;
    if trials.saturating_mul(bins).saturating_mul(units) > MAX_SPIKE_BINS as u128 {
        return Err(Failure::input(format!(
            "{trials} trials of up to {bins} bins of {units} units: expected at most \
             {MAX_SPIKE_BINS} numbers (fewer --trials or --presentations)"
        )));
    }
    Ok(())
}

/// Free-running trials of the given conditions, observed units, presentation after presentation.
fn simulate(
    model: &Model,
    mut runs: FreeRuns<'_>,
    conditions: &[usize],
    presentations: u32,
) -> Result<Recording, Failure> {
    let first_bin = model.spec.first_bin();
    let mut trials: Vec<Vec<u8>> = vec![Vec::new(); conditions.len()];
    for (block, out) in trials.chunks_mut(BLOCK).enumerate() {
        let first = block * BLOCK;
        let mut previous: Option<TrialArray<u8>> = None;
        for presentation in 0..presentations {
            let slots: Vec<Slot> = (first..first + out.len())
                .map(|k| runs.slot(k as u32, conditions[k], presentation))
                .collect();
            let (spikes, _) = runs.present(&slots, presentation, previous.as_ref())?;
            for (row, (slot, out)) in slots.iter().zip(out.iter_mut()).enumerate() {
                let start = if presentation == 0 { 0 } else { first_bin };
                for t in start..slot.bins {
                    out.extend_from_slice(&spikes.row(row, t)[..model.observed()]);
                }
            }
            previous = Some(runs.last_bins(&slots));
        }
    }
    let units = model.observed();
    let bins: Vec<usize> = trials.iter().map(|t| t.len() / units).collect();
    let longest = bins.iter().copied().max().unwrap_or(0);
    let mut spikes = TrialArray::zeros(trials.len(), longest, 0, units);
    for (k, trial) in trials.iter().enumerate() {
        spikes.trial_mut(k)[..trial.len()].copy_from_slice(trial);
    }
    let width = BinWidth::from_seconds(model.bin_width)?;
    Ok(Recording::new(RecordingParts {
        bins,
        labels: conditions
            .iter()
            .map(|&c| model.condition_labels[c])
            .collect(),
        unit_ids: Some(model.unit_ids.clone()),
        ..RecordingParts::new(spikes, width)
    })?)
}
