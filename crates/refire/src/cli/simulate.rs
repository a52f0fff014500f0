//! `refire simulate`.

use super::failure::{Failure, prepare_file};
use super::outputs::{refuse_foreign, refuse_inputs};
use refire::core::TrialArray;
use refire::drive::DriveSpec;
use refire::fit::{Driving, FreeRuns, Model, Slot, free_runs};
use refire::random::{Purpose, Stream};
use refire::recording::{
    BinWidth, Label, MAX_SPIKE_BINS, Recording, RecordingParts, Stimulus, read_stimulus,
};
use std::path::{Path, PathBuf};

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
    /// Replace a file that is no earlier simulation.
    #[arg(long)]
    force: bool,
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
    conditions: Vec<Label>,
    /// An npz file with `stimulus` and `stimulus_dt` (a recording, or these alone) that drives the model, in
    /// place of the stimulus of the fit; trials last as long as it does
    #[arg(long, value_name = "FILE")]
    stimulus: Option<PathBuf>,
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
    let stimulus = args.stimulus.as_deref();
    let inputs: Vec<&Path> = stimulus.into_iter().chain([args.model.as_path()]).collect();
    refuse_inputs(&args.out, &inputs)?;
    let fitted = Model::read(&args.model)?;
    refuse_foreign(&args.out, FIRST_BIN, args.force)?;
    let model = match &args.stimulus {
        Some(file) => driven_by(&fitted, file)?,
        None => fitted,
    };
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
            .map(|label| model.condition(label))
            .collect::<Result<Vec<_>, _>>()?
    };
    let trials = args.stimulus.as_ref().map(|_| model.training.bins.len());
    let of_trial: Vec<usize> = match args.trials.or(trials) {
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
    let unseen = conditions
        .iter()
        .find(|c| !model.training.conditions.contains(c));
    if let (Some(&condition), DriveSpec::Condition { .. }, false) = (unseen, &model.drive, quiet) {
        note!(
            "note: condition {} has no training trials (they are too short, or held out): its drive is 0",
            model.condition_labels[condition]
        );
    }
    let runs = free_runs(&model, Stream::new(args.seed, Purpose::Simulate))?;
    prepare_file(&args.out)?;
    let trials = Trials {
        conditions: &of_trial,
        presentations: args.presentations,
        whole: args.stimulus.is_some(),
    };
    let recording = simulate(&model, runs, trials)?;
    let mut writer = recording.npz_writer(&args.out)?;
    writer.i64(FIRST_BIN, &[], &[model.spec.first_bin() as i64])?;
    writer.finish()?;
    if !quiet {
        note!(
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

/// The model under the stimulus of a file.
fn driven_by(model: &Model, file: &Path) -> Result<Model, Failure> {
    let (stimulus, labels) = read_stimulus(file)?;
    let bins = vec![stimulus.bins(BinWidth::from_seconds(model.bin_width)?); labels.len()];
    let driving = Driving {
        stimulus: &stimulus,
        labels: &labels,
        bins: &bins,
    };
    Ok(model.driven_by(driving)?)
}

/// Which trials are simulated.
struct Trials<'a> {
    /// Dense condition index of each.
    conditions: &'a [usize],
    presentations: u32,
    /// As long as their conditions, not as training trials.
    whole: bool,
}

/// The stimulus of some conditions (dense indices), which a trial of one presentation has from its first bin on.
fn stimulus_of(model: &Model, trials: &Trials<'_>) -> Result<Option<Stimulus>, Failure> {
    let Some(features) = model
        .features
        .as_ref()
        .filter(|_| trials.presentations == 1)
    else {
        return Ok(None);
    };
    let mut courses = trials.conditions.to_vec();
    courses.sort_unstable();
    courses.dedup();
    let shared = features.trials() == 1;
    let values: Vec<f64> = match shared {
        true => features.trial(0).to_vec(),
        false => courses
            .iter()
            .flat_map(|&c| features.trial(c).to_vec())
            .collect(),
    };
    let courses = (!shared).then_some(courses.len());
    let width = BinWidth::from_seconds(model.bin_width)?;
    Ok(Some(Stimulus::new(
        values,
        courses,
        features.units(),
        width,
    )?))
}

/// Free-running trials of the given conditions, observed units, presentation after presentation.
fn simulate(
    model: &Model,
    mut runs: FreeRuns<'_>,
    trials: Trials<'_>,
) -> Result<Recording, Failure> {
    let stimulus = stimulus_of(model, &trials)?;
    let Trials {
        conditions,
        presentations,
        whole,
    } = trials;
    let first_bin = model.spec.first_bin();
    let mut trials: Vec<Vec<u8>> = vec![Vec::new(); conditions.len()];
    for (block, out) in trials.chunks_mut(BLOCK).enumerate() {
        let first = block * BLOCK;
        let mut previous: Option<TrialArray<u8>> = None;
        for presentation in 0..presentations {
            let slots: Vec<Slot> = (first..first + out.len())
                .map(|k| {
                    let slot = runs.slot(k as u32, conditions[k], presentation);
                    let bins = if whole {
                        model.bins_per_condition[conditions[k]]
                    } else {
                        slot.bins
                    };
                    Slot { bins, ..slot }
                })
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
            .map(|&c| model.condition_labels[c].clone())
            .collect(),
        unit_ids: Some(model.unit_ids.clone()),
        stimulus,
        ..RecordingParts::new(spikes, width)
    })?)
}
