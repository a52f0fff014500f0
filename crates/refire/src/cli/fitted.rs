//! A finished fit, and how it is made.

use super::failure::Failure;
use super::interrupt::Stopped;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use refire::fit::{ConvexReport, Evaluation, History, Model, Specification, Trainer, evaluate};
use refire::recording::Recording;
use std::time::Instant;

/// A finished fit with its judgement.
pub struct Fitted {
    pub model: Model,
    pub history: History,
    pub left_out: Vec<String>,
    pub sampled: Vec<String>,
    pub convex: Option<ConvexReport>,
    pub evaluation: Evaluation,
    pub wall_seconds: f64,
    /// Where a signal ended it early.
    pub stopped: Option<Stopped>,
}

impl Fitted {
    /// Judges what a trainer has come to since `started`.
    pub fn judge(
        trainer: &Trainer<'_>,
        recording: &Recording,
        started: Instant,
    ) -> Result<Self, Failure> {
        let model = trainer.model();
        Ok(Self {
            history: trainer.history().clone(),
            left_out: trainer.left_out().to_vec(),
            sampled: trainer.sampled(),
            convex: trainer.convex().cloned(),
            evaluation: evaluate(&model, recording, None)?,
            model,
            wall_seconds: started.elapsed().as_secs_f64(),
            stopped: None,
        })
    }

    /// A fit without files.
    pub fn in_memory(
        recording: &Recording,
        spec: &Specification,
        quiet: bool,
    ) -> Result<Self, Failure> {
        let started = Instant::now();
        let mut trainer = Trainer::new(recording, spec)?;
        let bar = progress(spec.iterations() as u64, quiet);
        while !trainer.finished() {
            bar.set_position(trainer.step()?.iteration as u64);
        }
        bar.finish_and_clear();
        Self::judge(&trainer, recording, started)
    }
}

/// A bar on stderr where that is a terminal.
pub fn progress(total: u64, quiet: bool) -> ProgressBar {
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
