//! `refire generate`.

use super::failure::{Failure, check_folder, prepare_folder};
use super::lock::Lock;
use super::outputs::refuse_not_generated;
use refire::synth::{GroundTruth, RECORDING_FILE, SynthSettings, TRUTH_FILE};
use std::path::PathBuf;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder for recording.npz and truth.npz.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Observed units [default: 20]
    #[arg(long, value_name = "N")]
    units: Option<usize>,
    /// Hidden units, simulated but not recorded [default: 0]
    #[arg(long, value_name = "N")]
    hidden: Option<usize>,
    /// Total number of trials, a multiple of the number of conditions, which take turns [default: 200]
    #[arg(long, value_name = "N")]
    trials: Option<usize>,
    /// Bins per trial, of 10 ms [default: 100]
    #[arg(long, value_name = "N")]
    bins: Option<usize>,
    /// Conditions [default: 4]
    #[arg(long, value_name = "N")]
    conditions: Option<usize>,
    /// Seed of network and spikes [default: 1]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Replace files of other origin in that folder.
    #[arg(long)]
    force: bool,
}

pub fn run(args: &Args, quiet: bool) -> Result<(), Failure> {
    let defaults = SynthSettings::default();
    let settings = SynthSettings {
        observed_units: args.units.unwrap_or(defaults.observed_units),
        hidden_units: args.hidden.unwrap_or(defaults.hidden_units),
        trials: args.trials.unwrap_or(defaults.trials),
        bins: args.bins.unwrap_or(defaults.bins),
        conditions: args.conditions.unwrap_or(defaults.conditions),
        seed: args.seed.unwrap_or(defaults.seed),
        ..defaults
    };
    let files = [RECORDING_FILE, TRUTH_FILE];
    check_folder(&args.out, &files)?;
    refuse_not_generated(&args.out, &files, args.force)?;
    let truth = GroundTruth::draw(&settings)?;
    let trials = settings.trials_per_condition()?;
    let _made = prepare_folder(&args.out)?;
    let _lock = Lock::take(&args.out)?;
    refire::synth::write(&args.out, &truth, trials, settings.seed)?;
    if !quiet {
        note!(
            "wrote {} and {}",
            args.out.join(RECORDING_FILE).display(),
            args.out.join(TRUTH_FILE).display()
        );
    }
    Ok(())
}
