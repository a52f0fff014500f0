//! `refire fit`.

use super::failure::{Failure, check_folder, prepare_folder};
use super::options::FitOptions;
use super::{outcome, view};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use refire::fit::{
    Checkpoint, ConvexReport, Evaluation, FitError, History, Model, Settings, Trainer, evaluate,
};
use refire::recording::{BinWidth, Recording, RecordingFile, write_atomic};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Names of the files in the folder of a fit.
pub const MODEL: &str = "model.refire";
pub const FIGURES: &str = "fit.json";
pub const REPORT: &str = "report.html";
const CHECKPOINT: &str = "checkpoint.refire";

#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  refire fit recording.npz --bin 10ms --out fit
  refire fit recording.npz --out fit --objective mle --seed 2
  refire fit recording.npz --out fit --config FIT.toml --checkpoint-every 100
  refire fit recording.npz --resume fit")]
pub struct Args {
    /// The recording, an npz file.
    recording: PathBuf,
    /// Folder for model.refire, fit.json and report.html.
    #[arg(long, value_name = "DIR", required_unless_present = "resume")]
    out: Option<PathBuf>,
    /// Go on from the checkpoint in this folder, which is also the folder written to.
    #[arg(long, value_name = "DIR")]
    resume: Option<PathBuf>,
    /// Write a checkpoint every N iterations.
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    checkpoint_every: Option<usize>,
    /// Settings in a TOML file, under the names of the options below; options given here win.
    #[arg(long, value_name = "FIT.toml")]
    config: Option<PathBuf>,
    #[command(flatten)]
    options: FitOptions,
}

/// A finished fit with its judgement.
pub struct Fitted {
    pub model: Model,
    pub history: History,
    pub left_out: Vec<String>,
    pub sampled: Vec<String>,
    pub convex: Option<ConvexReport>,
    pub evaluation: Evaluation,
    pub wall_seconds: f64,
}

pub fn run(args: &Args, quiet: bool) -> Result<(), Failure> {
    let started = Instant::now();
    if args.checkpoint_every == Some(0) {
        return Err(Failure::input(
            "--checkpoint-every: expected 1 or more, found 0",
        ));
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
    let mut options = args.options.clone();
    if let Some(path) = &args.config {
        options = options.or(FitOptions::read(path)?);
    }
    let checkpoint = match &args.resume {
        Some(folder) => Some(Checkpoint::read(&folder.join(CHECKPOINT))?),
        None => None,
    };
    let width = match (options.bin_width()?, &checkpoint) {
        (None, Some(checkpoint)) => Some(BinWidth::from_seconds(checkpoint.bin_width)?),
        (given, _) => given,
    };
    let recording = RecordingFile::open(&args.recording)?.bin(width)?;
    let settings = options.settings(&recording, checkpoint.as_ref().map(|c| &c.settings))?;
    let mut trainer = Trainer::new(&recording, &settings)?;
    if let Some(checkpoint) = checkpoint {
        trainer.resume(checkpoint)?;
    }
    prepare_folder(folder)?;
    if !quiet {
        remark(&recording, &trainer);
    }
    let trained = train(&mut trainer, folder, args.checkpoint_every, quiet);
    let model = trainer.model();
    model.write(&folder.join(MODEL))?;
    trained?;

    let fitted = Fitted {
        history: trainer.history().clone(),
        left_out: trainer.left_out().to_vec(),
        sampled: trainer.sampled(),
        convex: trainer.convex().cloned(),
        evaluation: evaluate(&model, &recording, None)?,
        model,
        wall_seconds: started.elapsed().as_secs_f64(),
    };
    let evaluation = &fitted.evaluation;
    write_json(folder, &fitted)?;
    let report = view::fit_report(&recording, &fitted);
    refire::report::write_atomic(&folder.join(REPORT), report.to_html()?)?;
    if !quiet {
        outcome::print_table(&[(view::objective_name(&settings), evaluation)]);
        if let Some(convex) = &fitted.convex {
            say!("\n{}", convex.sentence());
        }
        say!(
            "\n{:.1} s; wrote model.refire, fit.json and report.html to {}",
            fitted.wall_seconds,
            folder.display()
        );
    }
    Ok(())
}

/// Trains to the end, writing checkpoints where asked for.
fn train(
    trainer: &mut Trainer<'_>,
    folder: &Path,
    checkpoint_every: Option<usize>,
    quiet: bool,
) -> Result<(), FitError> {
    let total = trainer.checkpoint().settings.iterations as u64;
    let bar = progress(total, quiet);
    bar.set_position(trainer.checkpoint().iteration() as u64);
    while !trainer.finished() {
        let step = trainer.step()?;
        if checkpoint_every.is_some_and(|n| step.iteration.is_multiple_of(n)) {
            trainer.checkpoint().write(&folder.join(CHECKPOINT))?;
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
    Ok(())
}

/// A fit without files: used by the demo.
pub fn fit_in_memory(
    recording: &Recording,
    settings: &Settings,
    quiet: bool,
) -> Result<Fitted, Failure> {
    let started = Instant::now();
    let mut trainer = Trainer::new(recording, settings)?;
    let bar = progress(settings.iterations as u64, quiet);
    while !trainer.finished() {
        bar.set_position(trainer.step()?.iteration as u64);
    }
    bar.finish_and_clear();
    let model = trainer.model();
    Ok(Fitted {
        history: trainer.history().clone(),
        left_out: trainer.left_out().to_vec(),
        sampled: trainer.sampled(),
        convex: trainer.convex().cloned(),
        evaluation: evaluate(&model, recording, None)?,
        model,
        wall_seconds: started.elapsed().as_secs_f64(),
    })
}

/// Writes fit.json.
pub fn write_json(folder: &Path, fitted: &Fitted) -> Result<(), Failure> {
    let json = outcome::fit_json(
        &fitted.evaluation,
        &fitted.history,
        &fitted.model.settings,
        fitted.model.iteration,
        (&fitted.left_out, &fitted.sampled),
        fitted.convex.as_ref(),
        fitted.wall_seconds,
    );
    let text = serde_json::to_string_pretty(&Value::Object(json)).map_err(Failure::work)?;
    write_atomic(&folder.join(FIGURES), text.as_bytes())
        .map_err(|e| Failure::work(format!("{}: {FIGURES}: {e}", folder.display())))
}

fn remark(recording: &Recording, trainer: &Trainer<'_>) {
    for warning in recording.warnings() {
        eprintln!("note: {warning}");
    }
    if recording.clipped_spikes() > 0 {
        eprintln!(
            "note: {} of {} spikes ({:.2} %) share a bin with another of their unit and are lost at {} ms",
            recording.clipped_spikes(),
            recording.total_spikes(),
            100.0 * recording.clipped_share(),
            recording.bin_width() * 1e3
        );
    }
    for reason in trainer.left_out() {
        eprintln!("note: left out of the objective: {reason}");
    }
    for sample in trainer.sampled() {
        eprintln!("note: {sample}");
    }
}

/// A bar on stderr where that is a terminal.
fn progress(total: u64, quiet: bool) -> ProgressBar {
    let target = if quiet {
        ProgressDrawTarget::hidden()
    } else {
        ProgressDrawTarget::stderr()
    };
    let bar = ProgressBar::with_draw_target(Some(total), target);
    let template = "{bar:30} {pos}/{len} iterations, {eta} left  {msg}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
    bar
}
