//! `refire fit`.

use super::failure::{Failure, check_folder, prepare_folder};
use super::fitted::{Fitted, progress};
use super::interrupt::{Interrupts, Stopped};
use super::lock::Lock;
use super::names::objective_name;
use super::options::FitOptions;
use super::outputs::{
    CHECKPOINT, FIGURES, MODEL, REPORT, add_text, publish, refuse_inputs, refuse_not_fitted,
};
use super::{outcome, recordings, view};
use refire::fit::{Checkpoint, FitError, Trainer};
use refire::recording::{BinWidth, Outputs, Recording, remove_unfinished};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Heading of the options of this command; those of a fit have their own.
const OUTPUT: &str = "Input and output";

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  refire fit recording.npz --bin 10ms --out fit
  refire fit recording.npz --out fit --objective mle --seed 2
  refire fit recording.npz --out fit --config FIT.toml --checkpoint-every 100
  refire fit recording.npz --print-config > FIT.toml
  refire fit recording.npz --resume fit

-h shows the options that most fits need, --help all of them.")]
pub struct Args {
    /// The recording, an npz file.
    recording: PathBuf,
    /// Folder for model.refire, fit.json and report.html.
    #[arg(long, value_name = "DIR", required_unless_present_any = ["resume", "print_config"], help_heading = OUTPUT)]
    out: Option<PathBuf>,
    /// Continue from the checkpoint in this folder; results are written to the same folder.
    #[arg(long, value_name = "DIR", help_heading = OUTPUT, hide_short_help = true)]
    resume: Option<PathBuf>,
    /// Write a checkpoint every N iterations.
    #[arg(long, value_name = "N", allow_negative_numbers = true, help_heading = OUTPUT, hide_short_help = true)]
    checkpoint_every: Option<usize>,
    /// TOML file of settings, named like the options below; options given here take precedence.
    #[arg(long, value_name = "FIT.toml", help_heading = OUTPUT)]
    config: Option<PathBuf>,
    /// Replace files of other origin in the folder.
    #[arg(long, help_heading = OUTPUT, hide_short_help = true)]
    force: bool,
    /// Print all settings of the fit, including defaults, as a file for --config, then stop.
    #[arg(long, conflicts_with = "resume", help_heading = OUTPUT, hide_short_help = true)]
    print_config: bool,
    #[command(flatten)]
    options: FitOptions,
}

pub fn run(args: &Args, quiet: bool) -> Result<(), Failure> {
    let started = Instant::now();
    if args.checkpoint_every == Some(0) {
        return Err(Failure::input(
            "--checkpoint-every: expected 1 or more, found 0",
        ));
    }
    if args.print_config {
        return print_config(args);
    }
    let folder = match (&args.out, &args.resume) {
        (Some(out), Some(resume)) if out != resume => {
            return Err(Failure::input(format!(
                "--out {} and --resume {}: expected the same folder",
                out.display(),
                resume.display()
            )));
        }
        (Some(folder), _) | (None, Some(folder)) => folder,
        (None, None) => return Err(Failure::input("--out: expected a folder, found none")),
    };
    check_folder(folder, &[MODEL, FIGURES, REPORT, CHECKPOINT])?;
    let options = options(args)?;
    let read = [
        Some(&args.recording),
        args.config.as_ref(),
        options.mask.as_ref(),
    ];
    let read: Vec<&Path> = read.into_iter().flatten().map(PathBuf::as_path).collect();
    for name in [MODEL, FIGURES, REPORT, CHECKPOINT] {
        refuse_inputs(&folder.join(name), &read)?;
    }
    // Before the checkpoint is read: another fit may be about to replace it.
    let lock = match &args.resume {
        Some(folder) if folder.is_dir() => Some(Lock::take(folder)?),
        _ => None,
    };
    let checkpoint = match &args.resume {
        Some(folder) => Some(Checkpoint::read(&folder.join(CHECKPOINT))?),
        None => None,
    };
    let width = match (options.bin_width()?, &checkpoint) {
        (None, Some(checkpoint)) => Some(BinWidth::from_seconds(checkpoint.fit.bin_width)?),
        (given, _) => given,
    };
    let recording = recordings::open(&args.recording, options.time_unit.as_deref())?.bin(width)?;
    let start = checkpoint.as_ref().map(|c| &c.fit.spec);
    let recording = options.cut(recording, start)?;
    let spec = options.resolve(&recording, start)?;
    let mut trainer = Trainer::new(&recording, &spec)?;
    if let Some(checkpoint) = checkpoint {
        trainer.resume(checkpoint)?;
    }
    refuse_not_fitted(folder, args.force)?;
    let _made = prepare_folder(folder)?;
    let run = Run {
        args,
        folder,
        quiet,
        started,
    };
    let lock = match lock {
        Some(lock) => lock,
        None => Lock::take(folder)?,
    };
    run.to_the_end(&mut trainer, &recording, lock)
}

/// How a training ended.
struct Trained {
    /// Where a signal ended it early.
    stopped: Option<Stopped>,
    /// Whether the folder has a checkpoint of this fit.
    has_checkpoint: bool,
}

/// A fit that has all it needs.
struct Run<'a> {
    args: &'a Args,
    folder: &'a Path,
    quiet: bool,
    started: Instant,
}

impl Run<'_> {
    /// Trains, judges and writes: all files or, where something fails, none.
    fn to_the_end(
        &self,
        trainer: &mut Trainer<'_>,
        recording: &Recording,
        lock: Lock,
    ) -> Result<(), Failure> {
        let &Self { folder, quiet, .. } = self;
        for name in [MODEL, FIGURES, REPORT, CHECKPOINT] {
            remove_unfinished(&folder.join(name));
        }
        if !quiet {
            remark(recording, trainer);
        }
        let interrupts = Interrupts::watch().map_err(Failure::work)?;
        let Trained {
            stopped,
            has_checkpoint,
        } = self.train(trainer, &interrupts)?;
        if let Some(Stopped {
            signal,
            iteration: 0,
        }) = stopped
            && trainer.convex().is_none()
        {
            // Nothing that could take the place of what is there.
            return Err(Failure::Stopped {
                message: "stopped before the first iteration was done; nothing is written".into(),
                signal,
            });
        }
        let mut fitted = Fitted::judge(trainer, recording, self.started)?;
        fitted.stopped = stopped;
        self.write(&fitted, recording)?;
        if !has_checkpoint && stopped.is_none() {
            // That of an earlier fit. There may be none.
            let _ = std::fs::remove_file(folder.join(CHECKPOINT));
        }
        // What is left may end the process, where nobody reads.
        drop(lock);
        if !quiet && stopped.is_none() {
            outcome::print_table(&[(objective_name(&fitted.model.spec), &fitted.evaluation)]);
            outcome::print_advice(&fitted.model, &fitted.evaluation, &self.args.recording);
            if let Some(convex) = &fitted.convex {
                say!("\n{}", convex.sentence());
            }
            say!(
                "\n{:.1} s; wrote model.refire, fit.json and report.html to {}",
                fitted.wall_seconds,
                folder.display()
            );
        }
        match stopped {
            None => Ok(()),
            Some(stopped) => Err(Failure::Stopped {
                message: format!(
                    "stopped by {} after {} of {} iterations; the best model so far is in {}",
                    stopped.name(),
                    stopped.iteration,
                    fitted.model.spec.iterations(),
                    folder.display()
                ),
                signal: stopped.signal,
            }),
        }
    }

    /// Trains to the end, or until a signal comes, writing checkpoints where asked for.
    fn train(
        &self,
        trainer: &mut Trainer<'_>,
        interrupts: &Interrupts,
    ) -> Result<Trained, FitError> {
        let checkpoint = self.folder.join(CHECKPOINT);
        let total = trainer.checkpoint().fit.spec.iterations() as u64;
        let bar = progress(total, self.quiet);
        bar.set_position(trainer.checkpoint().iteration() as u64);
        let (mut stopped, mut has_checkpoint) = (None, self.args.resume.is_some());
        while !trainer.finished() {
            if let Some(signal) = interrupts.received() {
                let iteration = trainer.checkpoint().iteration();
                stopped = Some(Stopped { signal, iteration });
                if self.args.checkpoint_every.is_some() {
                    trainer.checkpoint().write(&checkpoint)?;
                    has_checkpoint = true;
                }
                trainer.stop()?;
                break;
            }
            let step = trainer.step()?;
            let every = self.args.checkpoint_every;
            if every.is_some_and(|n| step.iteration.is_multiple_of(n)) {
                trainer.checkpoint().write(&checkpoint)?;
                has_checkpoint = true;
            }
            bar.set_position(step.iteration as u64);
            if let Some(loss) = step.validation {
                bar.set_message(format!(
                    "validation loss {loss:.5}, best at {}",
                    step.best_iteration
                ));
            }
        }
        bar.finish_and_clear();
        Ok(Trained {
            stopped,
            has_checkpoint,
        })
    }

    /// Writes the three files.
    fn write(&self, fitted: &Fitted, recording: &Recording) -> Result<(), Failure> {
        let mut outputs = Outputs::default();
        let report = view::fit_report(recording, fitted);
        (fitted.model).add_to(&mut outputs, &self.folder.join(MODEL))?;
        add_text(
            &mut outputs,
            &self.folder.join(FIGURES),
            &json_text(fitted)?,
        )?;
        add_text(&mut outputs, &self.folder.join(REPORT), &report.to_html()?)?;
        publish(outputs, self.folder)
    }
}

/// The options given, those of `--config` where they say nothing.
fn options(args: &Args) -> Result<FitOptions, Failure> {
    let options = args.options.clone();
    Ok(match &args.config {
        Some(path) => options.or(FitOptions::read(path)?),
        None => options,
    })
}

/// The specification of a fit as a file that says the same to `--config`.
fn print_config(args: &Args) -> Result<(), Failure> {
    let options = options(args)?;
    let file = recordings::open(&args.recording, options.time_unit.as_deref())?;
    let recording = options.cut(file.bin(options.bin_width()?)?, None)?;
    let spec = options.resolve(&recording, None)?;
    let described = FitOptions {
        bin: Some(BinWidth::from_seconds(recording.bin_width())?.to_string()),
        time_unit: options.time_unit,
        mask: options.mask,
        ..FitOptions::describe(&spec, false)
    };
    let text = toml::to_string(&described).map_err(Failure::work)?;
    say!("{}", text.trim_end());
    Ok(())
}

/// The text of fit.json.
pub fn json_text(fitted: &Fitted) -> Result<String, Failure> {
    let json = outcome::fit_json(fitted);
    serde_json::to_string_pretty(&Value::Object(json)).map_err(Failure::work)
}

fn remark(recording: &Recording, trainer: &Trainer<'_>) {
    recordings::remark(recording);
    for reason in trainer.left_out() {
        note!("note: left out of the objective: {reason}");
    }
    for sample in trainer.sampled() {
        note!("note: {sample}");
    }
}
