//! Command line: arguments in, exit code out. Knows files and terminals; computes nothing.

#[macro_use]
mod terminal;

mod advice;
mod demo;
mod evaluate;
mod export;
mod failure;
mod fit;
mod fitted;
#[cfg(fuzzing)]
pub mod fuzzing;
mod generate;
mod info;
mod interrupt;
mod lock;
mod memory;
mod names;
mod options;
mod outcome;
mod outputs;
mod recordings;
mod rows;
mod simulate;
mod table;
mod view;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use failure::Failure;
use std::process::ExitCode;

/// Fit recurrent spiking networks to neural recordings, and run them.
///
/// A RECORDING is an npz file: spike times (spike_times, spike_trial, spike_unit, trial_duration,
/// n_units, n_trials, condition) or counts per bin (counts, bin_size, n_bins, condition).
#[derive(Debug, Parser)]
#[command(name = "refire", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// Threads to use; results never depend on it. Default: all cores.
    #[arg(long, global = true, value_name = "N", allow_negative_numbers = true)]
    threads: Option<usize>,
    /// Most memory that arrays may take, e.g. 8GiB or 500MB; more is refused before it is begun [default: three
    /// quarters of what the machine has free]
    #[arg(long, global = true, value_name = "SIZE")]
    max_memory: Option<String>,
    /// No progress bar and no remarks on stderr.
    #[arg(long, short, global = true)]
    quiet: bool,
}

const EXAMPLES: &str = "Examples:
  refire demo
  refire info recording.npz --bin 10ms
  refire fit recording.npz --bin 10ms --out fit
  refire simulate fit/model.refire --trials 100 --out simulated.npz
  refire evaluate fit/model.refire recording.npz";

const NOTHING_GIVEN: ErrorKind = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;

/// More threads than any machine has cores only cost memory.
const MAX_THREADS: usize = 1024;

#[derive(Debug, Subcommand)]
enum Command {
    /// Show what is in a recording: units, trials, conditions, rates, bin occupancy, clipping, ceilings.
    Info(info::Args),
    /// Generate a synthetic recording (recording.npz) with its ground truth (truth.npz).
    Generate(generate::Args),
    /// Fit a network: writes model.refire, fit.json and report.html.
    Fit(Box<fit::Args>),
    /// Simulate free-running trials from a model, in the recording format.
    Simulate(simulate::Args),
    /// Compute every metric of a model on a recording, with ceilings.
    Evaluate(evaluate::Args),
    /// Write the parameters as arrays that numpy.load reads.
    Export(export::Args),
    /// Generate a recording, fit it twice (MLE; MLE + sample-and-measure), compare both.
    Demo(demo::Args),
}

/// Runs the command; exit code 0, 2 for bad input, 1 for anything else.
pub fn main() -> ExitCode {
    interrupt::survive_file_size_limit();
    let command = Cli::command().mut_subcommand("fit", options::with_defaults);
    let parsed = command.try_get_matches();
    let outcome = match parsed.and_then(|found| Cli::from_arg_matches(&found)) {
        Ok(cli) => run(&cli),
        // Help and version; help as well where nothing was asked for.
        Err(shown) if !shown.use_stderr() || shown.kind() == NOTHING_GIVEN => shown.exit(),
        Err(error) => Err(refused_arguments(&error)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            note!("refire: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

/// What is wrong with the arguments, without the usage that clap shows in the lines below it.
fn refused_arguments(error: &clap::Error) -> Failure {
    let text = error.to_string();
    let what = ["\n\nUsage:", "\n\nFor more information"]
        .iter()
        .fold(text.as_str(), |text, end| {
            text.split(end).next().unwrap_or(text)
        });
    Failure::input(what.trim_start_matches("error: "))
}

fn run(cli: &Cli) -> Result<(), Failure> {
    if let Some(threads) = cli.threads {
        if !(1..=MAX_THREADS).contains(&threads) {
            return Err(Failure::input(format!(
                "--threads: expected 1 to {MAX_THREADS}, found {threads}"
            )));
        }
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build_global()
            .map_err(|e| Failure::input(format!("--threads {threads}: {e}")))?;
    }
    memory::limit(cli.max_memory.as_deref())?;
    match &cli.command {
        Command::Info(args) => info::run(args),
        Command::Generate(args) => generate::run(args, cli.quiet),
        Command::Fit(args) => fit::run(args, cli.quiet),
        Command::Simulate(args) => simulate::run(args, cli.quiet),
        Command::Evaluate(args) => evaluate::run(args, cli.quiet),
        Command::Export(args) => export::run(args, cli.quiet),
        Command::Demo(args) => demo::run(args, cli.quiet),
    }
}
